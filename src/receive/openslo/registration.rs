//! An SLO in the short form in which it is registered: a metric, a threshold and on which side of it values are good.
//! `is_maximum` and `target` are the old names of `direction` and `threshold`; though its name suggests an upper limit,
//! `is_maximum: true` meant that higher is better.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::section::Section;
use crate::measure::read::Statistic;
use crate::slo::{
    Budgeting, Comparison, Indicator, Measure, Metric, Objective, Selector, SloDefinition, Span, Threshold, TimeWindow,
    Unit,
};

/// Share that has to be good when nobody says.
const OBJECTIVE: f64 = 0.95;
const DAY_SECONDS: u64 = 86_400;
/// The service of an objective that names none.
const SERVICE: &str = "system";

/// Is the document in this form?
pub(super) fn is_it(json: &Json) -> bool {
    let has = |name: &str| json.get(name).is_some();
    !has("apiVersion") && !has("spec") && has("metric")
}

/// Reads one; it is whole only if no fault was found.
pub(super) fn read(slo: &Section<'_>) -> Option<SloDefinition> {
    slo.only(&[
        "name",
        "service",
        "metric",
        "component",
        "threshold",
        "target",
        "direction",
        "is_maximum",
        "objective",
        "kind",
        "window_secs",
        "rationale",
    ]);
    let (name, metric) = (slo.need_text("name", "checkout-latency"), slo.need_text("metric", "latency_ms"));
    let (comparison, threshold, objective) = (comparison(slo), threshold(slo), objective(slo));
    let span = span(slo);
    let component = slo.text("component").map(str::to_owned);
    // Of windows the mean counts; of events each one.
    let kinds = [("event", None), ("window", Some(Statistic::Mean))];
    let statistic = if slo.has("kind") { slo.word("kind", &kinds)? } else { None };
    let metric = metric?.to_owned();
    let spec = json!({"metric": metric, "component": component});
    let service = slo.text("service").or(component.as_deref()).unwrap_or(SERVICE).to_owned();
    let selector = Selector { metric, component, labels: BTreeMap::new(), statistic };
    let source = Metric { source: None, source_type: Some("naze".to_owned()), spec, selector: Some(selector) };
    Some(SloDefinition {
        name: name?.to_owned(),
        display_name: None,
        description: slo.text("rationale").map(str::to_owned),
        service,
        labels: BTreeMap::new(),
        indicator: Indicator { name: None, measure: Measure::Values(source) },
        window: Some(TimeWindow::Rolling(span?)),
        budgeting: Budgeting::Occurrences,
        objectives: vec![Objective {
            display_name: None,
            target: objective?,
            threshold: Some(Threshold { comparison: comparison?, value: threshold? }),
            slice_target: None,
            slice: None,
        }],
        phases: None,
        counts_outliers: false,
    })
}

fn comparison(slo: &Section<'_>) -> Option<Comparison> {
    if slo.has("direction") {
        if slo.has("is_maximum") {
            slo.fault("one of", "is_maximum", "stands beside direction", "keep direction");
        }
        let directions = [("at_most", Comparison::LessOrEqual), ("at_least", Comparison::GreaterOrEqual)];
        return slo.word("direction", &directions);
    }
    if !slo.has("is_maximum") {
        slo.missing("direction", "at_most");
    }
    let is_at_least = slo.truth("is_maximum")?;
    Some(if is_at_least { Comparison::GreaterOrEqual } else { Comparison::LessOrEqual })
}

fn threshold(slo: &Section<'_>) -> Option<f64> {
    if slo.has("threshold") && slo.has("target") {
        slo.fault("one of", "target", "stands beside threshold", "keep threshold");
    }
    if !slo.has("threshold") && !slo.has("target") {
        slo.missing("threshold", "200");
    }
    slo.number("threshold").or_else(|| slo.number("target"))
}

fn objective(slo: &Section<'_>) -> Option<f64> {
    if !slo.has("objective") {
        return Some(OBJECTIVE);
    }
    let share = slo.number("objective")?;
    if !(0.0..1.0).contains(&share) {
        slo.fault("range", "objective", "is not from 0 up to, but not, 1", "write a share, such as 0.99");
        return None;
    }
    Some(share)
}

/// Whole minutes; without it a day.
fn span(slo: &Section<'_>) -> Option<Span> {
    let seconds = match slo.any("window_secs") {
        None => Some(DAY_SECONDS),
        Some(json) => json.as_u64(),
    };
    let minutes = seconds.filter(|seconds| *seconds > 0 && seconds.is_multiple_of(60)).map(|seconds| seconds / 60);
    let count = minutes.and_then(|minutes| u32::try_from(minutes).ok());
    if count.is_none() {
        slo.fault("duration", "window_secs", "is no whole number of minutes", "write it in seconds, such as 3600");
    }
    Some(Span { count: count?, unit: Unit::Minute })
}
