//! SLIs: where the numbers come from.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::section::Section;
use crate::measure::read::Statistic;
use crate::slo::{Indicator, Measure, Metric, Quality, Selector};

/// The source that naze is itself.
const NAZE: &str = "naze";

/// What the objects of a file refer to: SLIs and the types of data sources, by name.
#[derive(Default)]
pub(super) struct Known {
    pub(super) indicators: BTreeMap<String, Indicator>,
    pub(super) source_types: BTreeMap<String, String>,
}

/// An SLI on its own, or within an SLO.
pub(super) fn read(sli: &Section<'_>, known: &Known) -> Option<Indicator> {
    let name = sli.section("metadata").and_then(|metadata| metadata.text("name"));
    let spec = sli.need_section("spec", "{ratioMetric: …}")?;
    spec.only(&["description", "ratioMetric", "thresholdMetric"]);
    let measure = match (spec.section("ratioMetric"), spec.section("thresholdMetric")) {
        (Some(ratio), None) => self::ratio(&ratio, known)?,
        (None, Some(threshold)) => Measure::Values(metric(&threshold, known)?),
        (None, None) => {
            spec.missing("ratioMetric", "{good: …, total: …}");
            return None;
        }
        (Some(_), Some(_)) => {
            spec.fault("one of", "thresholdMetric", "stands beside ratioMetric", "keep one of the two");
            return None;
        }
    };
    Some(Indicator { name: name.map(str::to_owned), measure })
}

fn ratio(ratio: &Section<'_>, known: &Known) -> Option<Measure> {
    ratio.only(&["counter", "good", "bad", "total", "raw", "rawType"]);
    if let Some(raw) = ratio.section("raw") {
        for beside in ["good", "bad", "total"].into_iter().filter(|name| ratio.has(name)) {
            ratio.fault("one of", beside, "stands beside raw", "keep raw, or good or bad with total");
        }
        let quality = ratio.word("rawType", &[("success", Quality::Good), ("failure", Quality::Bad)]);
        return Some(Measure::Computed { ratio: metric(&raw, known)?, quality: quality? });
    }
    if ratio.has("good") && ratio.has("bad") {
        ratio.fault("one of", "bad", "stands beside good", "keep one of the two");
        return None;
    }
    let (name, quality) = if ratio.has("bad") { ("bad", Quality::Bad) } else { ("good", Quality::Good) };
    let part = |name: &str| metric(&ratio.need_section(name, "{metricSource: …}")?, known);
    let (events, total) = (part(name), part("total"));
    let is_counter = ratio.truth("counter").unwrap_or_default();
    Some(Measure::Ratio { quality, events: events?, total: total?, is_counter })
}

fn metric(metric: &Section<'_>, known: &Known) -> Option<Metric> {
    metric.only(&["metricSource"]);
    let section = metric.need_section("metricSource", "{type: Prometheus, spec: {query: …}}")?;
    section.only(&["metricSourceRef", "type", "spec"]);
    let name = section.text("metricSourceRef");
    let type_of_name = name.and_then(|name| known.source_types.get(name).map(String::as_str));
    let source_type = section.text("type").or(type_of_name);
    if name.is_none() && source_type.is_none() {
        section.missing("type", "Prometheus");
    }
    if !section.has("spec") {
        section.missing("spec", "{query: …}");
    }
    let spec: &Json = section.any("spec")?;
    let (source, source_type) = (name.map(str::to_owned), source_type.map(str::to_owned));
    let is_naze = source_type.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(NAZE));
    let selector = if is_naze { Some(selector(&section.section("spec")?)?) } else { None };
    Some(Metric { source, source_type, spec: spec.clone(), selector })
}

/// What naze is asked for as a source.
fn selector(spec: &Section<'_>) -> Option<Selector> {
    spec.only(&["metric", "component", "labels", "stat"]);
    let metric = spec.need_text("metric", "http_requests_total");
    let statistic = spec.text("stat").map(str::parse::<Statistic>);
    if let Some(Err(error)) = &statistic {
        let fix = error.hints().first().map_or("write mean, max, last or a percentile such as p99", String::as_str);
        spec.fault("in", "stat", "is no statistic", fix);
    }
    let labels = spec.section("labels").map(|labels| labels.members().map(|(name, _)| values(&labels, name)).collect());
    Some(Selector {
        metric: metric?.to_owned(),
        component: spec.text("component").map(str::to_owned),
        labels: labels.unwrap_or(Some(BTreeMap::new()))?,
        statistic: statistic.transpose().ok()?,
    })
}

/// The values of a label, one or several.
fn values(labels: &Section<'_>, name: &str) -> Option<(String, Vec<String>)> {
    let text = |json: &Json| match json {
        Json::String(text) => Some(text.clone()),
        Json::Number(number) => Some(number.to_string()),
        Json::Bool(truth) => Some(truth.to_string()),
        _ => None,
    };
    let values: Option<Vec<String>> = match labels.any(name)? {
        Json::Array(values) => values.iter().map(text).collect(),
        value => text(value).map(|value| vec![value]),
    };
    let values = values.filter(|values| !values.is_empty());
    if values.is_none() {
        labels.fault(
            "type",
            name,
            "is neither a text nor a list of texts",
            "write it as \"500\" or [\"500\", \"503\"]",
        );
    }
    Some((name.to_owned(), values?))
}
