//! Which series a request picks, and what is told of each.

use std::collections::BTreeMap;

use serde_json::{Value as JsonValue, json};

use crate::measure::Series;
use crate::measure::store::Known;

/// Which series are asked for, by `metric`, `component` and `label.<name>`.
pub(super) struct Wanted {
    pub(super) metric: Option<String>,
    component: Option<String>,
    pub(super) labels: BTreeMap<String, String>,
}

impl Wanted {
    /// Takes what it knows out of `given`.
    pub(super) fn of(given: &mut BTreeMap<String, String>, metric: Option<&str>) -> Self {
        let labels = given.extract_if(.., |name, _| name.starts_with("label."));
        let labels = labels.map(|(name, value)| (name["label.".len()..].to_owned(), value)).collect();
        let metric = metric.map_or_else(|| given.remove("metric"), |metric| Some(metric.to_owned()));
        Self { metric, component: given.remove("component"), labels }
    }

    pub(super) fn has(&self, series: &Series) -> bool {
        self.metric.as_ref().is_none_or(|metric| *metric == series.metric)
            && self.component.as_ref().is_none_or(|component| *component == series.component)
            && self.labels.iter().all(|(name, value)| series.labels.get(name) == Some(value))
    }
}

/// What a series is called and what it measures.
pub(super) fn about(known: &Known) -> JsonValue {
    let Series { metric, component, kind, labels } = &known.series;
    json!({"metric": metric, "component": component, "kind": kind, "unit": known.unit, "labels": labels})
}
