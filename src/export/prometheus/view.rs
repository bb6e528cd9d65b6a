//! What is known at one moment, for those inside naze who ask for more than the text of a scrape.

use std::collections::{BTreeMap, BTreeSet};

use super::page::Page;
use super::table::{ALL, Metric, OBJECTIVES};
use crate::analyse::health::{Circuit, Readings, State};
use crate::clock::Timestamp;

/// What receipts and series tell at one moment.
pub struct View {
    pub(super) page: Page,
    /// What the principles are judged by.
    pub readings: Readings,
    /// Components that receipts tell of.
    pub standings: BTreeMap<String, Standing>,
    /// Violations that the last validations of components found; `None` when nothing was ever validated.
    pub violations: Option<f64>,
    /// Receipts refused in the last hour, since the start of the process.
    pub refused_last_hour: f64,
    /// Kinds of events that are no receipts and told metrics.
    pub(super) kinds: BTreeSet<&'static str>,
}

/// How a component stands.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Standing {
    /// State of its circuit, and since when it has not been closed.
    pub circuit: Option<(Circuit, Option<Timestamp>)>,
    /// The health it reports, and since when.
    pub report: Option<(State, Timestamp)>,
    /// Its failures of the last minute.
    pub failures_per_minute: f64,
}

impl View {
    /// The values of a metric that `/metrics` shows.
    pub fn values(&self, metric: &str) -> impl Iterator<Item = f64> {
        self.page.values(metric)
    }

    /// What receipts and events of tasks and workers tell, or naze works out: metrics with the values of their labels. What a series tells itself is left
    /// out, and so is what no receipt ever told of.
    pub fn worked_out(&self) -> impl Iterator<Item = (&'static Metric, &[String], f64)> {
        let told = self.by_label("tps_receipts_total");
        let is_told = move |kind: &str| {
            let is_recorded = || told.get(kind).is_some_and(|count| *count > 0.0);
            [ALL, OBJECTIVES].contains(&kind) || self.kinds.contains(kind) || is_recorded()
        };
        self.page.worked_out().filter(move |(metric, ..)| metric.tellers().any(&is_told))
    }

    /// Was a receipt of this kind ever recorded?
    pub fn has_told(&self, kind: &str) -> bool {
        self.by_label("tps_receipts_total").get(kind).is_some_and(|count| *count > 0.0)
    }

    /// The values of a metric by its only label.
    pub fn by_label(&self, metric: &str) -> BTreeMap<String, f64> {
        let labelled = self.page.labelled(metric);
        labelled.filter_map(|(labels, value)| Some((labels.first()?.clone(), value))).collect()
    }
}
