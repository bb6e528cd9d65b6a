//! Single durations that receipts tell, until somebody keeps them.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::table::{self, Metric};
use crate::clock::Timestamp;

/// Durations that wait; of more, the oldest are forgotten.
const WAITING_MAX: usize = 100_000;
/// Those that are handed out at a time.
const HANDED_MAX: usize = 20_000;

/// A duration that a receipt told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Observation {
    /// Place of the receipt in the ledger.
    pub position: u64,
    metric: String,
    /// Values of the metric's labels.
    pub labels: Vec<String>,
    /// When it was over.
    pub at: Timestamp,
    /// How long it was, in the metric's unit.
    pub value: f64,
}

impl Observation {
    /// What was measured.
    pub fn metric(&self) -> &'static Metric {
        table::metric(&self.metric)
    }
}

/// Those that wait, in the order of their receipts.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Observed(VecDeque<Observation>);

impl Observed {
    pub(super) fn add(&mut self, position: u64, metric: &str, label: &str, at: Timestamp, value: f64) {
        if self.0.len() >= WAITING_MAX {
            self.0.pop_front();
        }
        let (metric, labels) = (metric.to_owned(), vec![label.to_owned()]);
        self.0.push_back(Observation { position, metric, labels, at, value });
    }

    /// The first of those whose receipts stand at `position` or behind it; all of one receipt or none.
    pub(super) fn since(&self, position: u64) -> Vec<Observation> {
        let waiting = self.0.iter().skip_while(|observed| observed.position < position);
        let mut handed: Vec<Observation> = Vec::new();
        for observed in waiting {
            if handed.len() >= HANDED_MAX && handed.last().is_some_and(|last| last.position < observed.position) {
                break;
            }
            handed.push(observed.clone());
        }
        handed
    }

    /// Forgets those whose receipts stand before `position`.
    pub(super) fn forget(&mut self, position: u64) {
        while self.0.front().is_some_and(|observed| observed.position < position) {
            self.0.pop_front();
        }
    }
}
