//! SLIs: where the numbers come from.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::section::Section;
use crate::slo::{Indicator, Measure, Metric, Quality};

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
    let source = metric.need_section("metricSource", "{type: Prometheus, spec: {query: …}}")?;
    source.only(&["metricSourceRef", "type", "spec"]);
    let name = source.text("metricSourceRef");
    let type_of_name = name.and_then(|name| known.source_types.get(name).map(String::as_str));
    let source_type = source.text("type").or(type_of_name);
    if name.is_none() && source_type.is_none() {
        source.missing("type", "Prometheus");
    }
    if !source.has("spec") {
        source.missing("spec", "{query: …}");
    }
    let spec: &Json = source.any("spec")?;
    let (source, source_type) = (name.map(str::to_owned), source_type.map(str::to_owned));
    Some(Metric { source, source_type, spec: spec.clone() })
}
