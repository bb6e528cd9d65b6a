//! From an objective to what Prometheus is to count.

use std::collections::BTreeMap;

use super::burn::Policy;
use super::prometheus::{WINDOW, Watched, can_add, is_name, quoted};
use crate::error::{Error, Result};
use crate::slo::{Budgeting, Comparison, Measure, Metric, Objective, Quality, Selector, SloDefinition};

/// How often Prometheus looks at values that are no events.
const RESOLUTION: &str = "1m";
const PROMETHEUS: &str = "Prometheus";

impl Watched {
    /// What Prometheus is to count for an objective of `slo`, under `name`. A metric of naze is taken to have the same name
    /// and labels there, and its component in the label `component`; `is_level` tells whether it is a gauge.
    ///
    /// # Errors
    /// `Invalid` when Prometheus cannot watch it.
    pub fn of(
        slo: &SloDefinition,
        name: String,
        objective: &Objective,
        is_level: impl Fn(&Selector) -> bool,
    ) -> Result<Self> {
        if slo.budgeting != Budgeting::Occurrences {
            return Err(Error::invalid("its budget is made of slices of time, and rules count events"));
        }
        let (quality, events, total) = match &slo.indicator.measure {
            Measure::Ratio { quality, events, total, .. } => (*quality, query(events)?, query(total)?),
            Measure::Computed { quality, ratio } => {
                let level = level(ratio, is_level)?;
                (*quality, over_time("sum", &level), over_time("count", &level))
            }
            Measure::Values(metric) => {
                let level = level(metric, is_level)?;
                let threshold =
                    objective.threshold.ok_or_else(|| Error::invalid("its objective has no op and value"))?;
                let good = format!("({level} {} bool {})", operator(threshold.comparison), threshold.value);
                (Quality::Good, over_time("sum", &good), over_time("count", &level))
            }
        };
        let single = |values: &Vec<String>| (values.len() == 1).then(|| values[0].clone());
        let labels = slo.labels.iter().filter(|(label, _)| can_add(label));
        let labels: BTreeMap<String, String> =
            labels.filter_map(|(label, values)| Some((label.clone(), single(values)?))).collect();
        let policy = Policy::new(objective.target, slo.window().span().length())?;
        let service = slo.service.clone();
        Ok(Self { name, service, policy, quality, events, total, labels, dashboard: None, runbook: None })
    }
}

/// What Prometheus is asked for a metric.
fn query(metric: &Metric) -> Result<String> {
    if let Some(selector) = &metric.selector {
        return self::selector(selector);
    }
    let source = metric.source_type.as_deref().or(metric.source.as_deref()).unwrap_or_default();
    let query = metric.spec.get("query").and_then(serde_json::Value::as_str);
    query.filter(|_| source.eq_ignore_ascii_case(PROMETHEUS)).map(str::to_owned).ok_or_else(|| {
        Error::invalid(format!("its metric comes from {source}, and has no query that Prometheus could answer"))
    })
}

/// What Prometheus is asked for a value that is no count of events, in parentheses.
fn level(metric: &Metric, is_level: impl Fn(&Selector) -> bool) -> Result<String> {
    match &metric.selector {
        Some(selector) if !is_level(selector) => Err(Error::invalid(format!(
            "{} is not known to be a gauge, and rules judge no other values",
            selector.metric
        ))),
        _ => Ok(format!("({})", query(metric)?)),
    }
}

/// A metric of naze, as Prometheus has it.
fn selector(selector: &Selector) -> Result<String> {
    let Selector { metric, component, labels, .. } = selector;
    let names = std::iter::once(metric).chain(labels.keys());
    if let Some(name) = names.into_iter().find(|name| !is_name(name)) {
        return Err(Error::invalid(format!("{name} is no name of Prometheus")));
    }
    let component = component.iter().map(|component| format!("component={}", quoted(component)));
    let labels = labels.iter().map(|(name, values)| match values.as_slice() {
        [value] => format!("{name}={}", quoted(value)),
        values => {
            let values: Vec<String> = values.iter().map(|value| regex::escape(value)).collect();
            format!("{name}=~{}", quoted(&values.join("|")))
        }
    });
    let matchers: Vec<String> = component.chain(labels).collect();
    Ok(if matchers.is_empty() { metric.clone() } else { format!("{metric}{{{}}}", matchers.join(",")) })
}

fn over_time(function: &str, level: &str) -> String {
    format!("sum({function}_over_time({level}[{WINDOW}:{RESOLUTION}]))")
}

fn operator(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}
