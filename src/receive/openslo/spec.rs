//! SLOs: what is promised, and over which time.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use serde_json::Value as Json;

use super::annotations;
use super::indicator::{self, Known};
use super::section::Section;
use crate::slo::{
    Budgeting, Comparison, Indicator, Measure, Objective, Phases, SloDefinition, Span, Threshold, TimeWindow, Unit,
};

const BUDGETINGS: [(&str, Budgeting); 3] = [
    ("Occurrences", Budgeting::Occurrences),
    ("Timeslices", Budgeting::Timeslices),
    ("RatioTimeslices", Budgeting::RatioTimeslices),
];
const COMPARISONS: [(&str, Comparison); 4] = [
    ("lt", Comparison::Less),
    ("lte", Comparison::LessOrEqual),
    ("gt", Comparison::Greater),
    ("gte", Comparison::GreaterOrEqual),
];
const START: &str = "2022-01-01 12:00:00";

/// Reads an SLO; it is whole only if no fault was found.
pub(super) fn read(slo: &Section<'_>, name: &str, known: &Known) -> Option<SloDefinition> {
    let metadata = slo.section("metadata")?;
    let spec = slo.need_section("spec", "{service: …, indicator: …, objectives: …}")?;
    spec.only(&[
        "description",
        "service",
        "indicator",
        "indicatorRef",
        "timeWindow",
        "budgetingMethod",
        "objectives",
        "alertPolicies",
    ]);
    let service = spec.need_text("service", "checkout");
    let annotations = annotations::read(&metadata);
    let indicator = indicator(&spec, known);
    let window = window(&spec);
    let budgeting = spec.word("budgetingMethod", &BUDGETINGS);
    let objectives: Vec<Objective> = spec
        .sections("objectives")
        .iter()
        .filter_map(|objective| self::objective(objective, indicator.as_ref(), budgeting))
        .collect();
    if !spec.has("objectives") || spec.any("objectives") == Some(&Json::Array(Vec::new())) {
        spec.missing("objectives", "[{target: 0.99}]");
    }
    Some(SloDefinition {
        name: name.to_owned(),
        display_name: metadata.text("displayName").map(str::to_owned),
        description: spec.text("description").map(str::to_owned),
        service: service?.to_owned(),
        labels: labels(&metadata),
        indicator: indicator?,
        window,
        budgeting: budgeting?,
        objectives: phased(objectives, annotations.phases.as_ref(), &spec),
        phases: annotations.phases,
        counts_outliers: annotations.counts_outliers,
    })
}

/// Phases lead to what is promised in the end.
fn phased(objectives: Vec<Objective>, phases: Option<&Phases>, spec: &Section<'_>) -> Vec<Objective> {
    let last = phases.and_then(|phases| phases.steps.last()).map(|step| step.target);
    let is_promised = |objective: &Objective| last.is_none_or(|last| last.total_cmp(&objective.target).is_eq());
    if last.is_some() && objectives.len() > 1 {
        spec.fault("count", "objectives", "are several, but there are phases of one", "keep one of them");
    } else if !objectives.iter().all(is_promised) {
        let fix = "let the last phase of naze/phases have the target of the objective";
        spec.fault("phases", "objectives", "promises something else than the last phase", fix);
    }
    objectives
}

fn labels(metadata: &Section<'_>) -> BTreeMap<String, Vec<String>> {
    let text = |json: &Json| json.as_str().map_or_else(|| json.to_string(), str::to_owned);
    let values = |json: &Json| match json {
        Json::Array(values) => values.iter().map(text).collect(),
        value => vec![text(value)],
    };
    let labels = metadata.section("labels");
    labels.iter().flat_map(Section::members).map(|(name, json)| (name.clone(), values(json))).collect()
}

fn indicator(spec: &Section<'_>, known: &Known) -> Option<Indicator> {
    let Some(reference) = spec.text("indicatorRef") else {
        return indicator::read(&spec.need_section("indicator", "{spec: {ratioMetric: …}}")?, known);
    };
    if spec.has("indicator") {
        spec.fault("one of", "indicatorRef", "stands beside indicator", "keep one of the two");
        return None;
    }
    let found = known.indicators.get(reference);
    if found.is_none() {
        let fix = "put the SLI of that name into the same file, or write it as indicator";
        spec.fault("reference", "indicatorRef", "names no SLI of this file", fix);
    }
    found.cloned()
}

/// At most one, though it is a list.
fn window(spec: &Section<'_>) -> Option<TimeWindow> {
    let windows = spec.sections("timeWindow");
    let window = windows.first()?;
    if windows.len() > 1 {
        spec.fault("count", "timeWindow", "is more than one window", "keep one of them");
    }
    window.only(&["duration", "isRolling", "calendar"]);
    let duration = span(window, "duration");
    if !window.has("duration") {
        window.missing("duration", "28d");
    }
    let calendar = window.section("calendar");
    match (window.truth("isRolling"), calendar) {
        (Some(true), Some(_)) => {
            window.fault("one of", "isRolling", "contradicts calendar", "keep one of the two");
            None
        }
        (Some(false), None) => {
            window.missing("calendar", &format!("{{startTime: {START}, timeZone: UTC}}"));
            None
        }
        (_, None) => duration.map(TimeWindow::Rolling),
        (_, Some(calendar)) => {
            calendar.only(&["startTime", "timeZone"]);
            let zone = calendar.need_text("timeZone", "America/New_York").and_then(|_| zone(&calendar));
            let start = start(&calendar);
            Some(TimeWindow::Calendar { span: duration?, start: start?, zone: zone? })
        }
    }
}

fn start(calendar: &Section<'_>) -> Option<NaiveDateTime> {
    let text = calendar.need_text("startTime", START)?;
    let forms = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S"];
    let start = forms.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok());
    if start.is_none() {
        calendar.fault("time", "startTime", "is not a date and time without a zone", &format!("write it as {START}"));
    }
    start
}

/// Whether there is such a zone only those know who have its rules.
fn zone(calendar: &Section<'_>) -> Option<String> {
    let text = calendar.text("timeZone")?;
    let is_name = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || "/_+-".contains(letter));
    if !is_name(text) {
        calendar.fault(
            "zone",
            "timeZone",
            "is not a name of the IANA time zone database",
            "write it as America/New_York",
        );
        return None;
    }
    Some(text.to_owned())
}

fn objective(
    objective: &Section<'_>,
    indicator: Option<&Indicator>,
    budgeting: Option<Budgeting>,
) -> Option<Objective> {
    objective.only(&["displayName", "op", "value", "target", "targetPercent", "timeSliceTarget", "timeSliceWindow"]);
    let target = target(objective);
    let needs_threshold = indicator.is_some_and(|indicator| matches!(indicator.measure, Measure::Values(_)));
    // With a ratio they mean nothing, and the specification's own examples have them.
    let threshold = if needs_threshold { threshold(objective) } else { None };
    let slice = match budgeting {
        Some(Budgeting::Timeslices | Budgeting::RatioTimeslices) if !objective.has("timeSliceWindow") => {
            objective.missing("timeSliceWindow", "1m");
            None
        }
        _ => slice(objective),
    };
    if budgeting == Some(Budgeting::Timeslices) && !objective.has("timeSliceTarget") {
        objective.missing("timeSliceTarget", "0.95");
    }
    let slice_target = objective.number("timeSliceTarget");
    if slice_target.is_some_and(|share| !(share > 0.0 && share <= 1.0)) {
        objective.fault("range", "timeSliceTarget", "is not above 0 and up to 1", "write a share, such as 0.95");
    }
    let display_name = objective.text("displayName").map(str::to_owned);
    Some(Objective { display_name, target: target?, threshold, slice_target, slice })
}

fn target(objective: &Section<'_>) -> Option<f64> {
    if objective.has("target") && objective.has("targetPercent") {
        objective.fault("one of", "targetPercent", "stands beside target", "keep one of the two");
        return None;
    }
    let is_percent = objective.has("targetPercent");
    let (name, whole) = if is_percent { ("targetPercent", 100.0) } else { ("target", 1.0) };
    if !objective.has(name) {
        objective.missing("target", "0.99");
    }
    let given = objective.number(name)?;
    if !(0.0..whole).contains(&given) {
        let fix = match given {
            _ if is_percent => "write percent of what has to be good, such as 99.9: all of it leaves no budget",
            given if given > 1.0 => "write a share, such as 0.999, or targetPercent: 99.9",
            _ => "write a share, such as 0.999: all of it leaves no budget",
        };
        objective.fault("range", name, &format!("is not from 0 up to, but not, {whole}"), fix);
        return None;
    }
    // 99.9 / 100 is 0.9990000000000001.
    Some(if is_percent { (given * 1e10).round() / 1e12 } else { given })
}

fn threshold(objective: &Section<'_>) -> Option<Threshold> {
    let comparison = objective.word("op", &COMPARISONS);
    if !objective.has("value") {
        objective.missing("value", "500");
    }
    Some(Threshold { value: objective.number("value")?, comparison: comparison? })
}

/// A number is of minutes.
fn slice(objective: &Section<'_>) -> Option<Span> {
    let minutes = objective.any("timeSliceWindow")?.as_u64().filter(|minutes| *minutes > 0);
    match minutes.and_then(|minutes| u32::try_from(minutes).ok()) {
        Some(count) => Some(Span { count, unit: Unit::Minute }),
        None => span(objective, "timeSliceWindow"),
    }
}

fn span(section: &Section<'_>, name: &str) -> Option<Span> {
    let given = section.any(name)?;
    let read = |text: &str| {
        let unit = Unit::from_letter(text.chars().last()?)?;
        let count = text[..text.len() - 1].parse().ok().filter(|count| *count > 0)?;
        Some(Span { count, unit })
    };
    let span = given.as_str().and_then(read);
    if span.is_none() {
        let fix = "write a whole number and one of m (minutes), h, d, w, M (months), Q, Y, such as 28d";
        section.fault("duration", name, "is not a span of time", fix);
    }
    span
}
