//! What is counted since the first receipt, for each combination of label values.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::page::Page;

/// Values of one label; more become [`OTHER`].
const LABEL_VALUES_MAX: usize = 100;
/// Stands for all values of a label beyond the first hundred.
pub const OTHER: &str = "other";
/// Names that state is kept for; more share one.
const NAMES_MAX: usize = 10_000;

/// Something for each combination of label values. The first hundred values of a label keep their names for good, so that
/// no count moves from one to another.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Labelled<T> {
    known: Vec<BTreeSet<String>>,
    values: BTreeMap<Vec<String>, T>,
}

/// Counts.
pub(super) type Totals = Labelled<f64>;

impl<T: Default> Labelled<T> {
    /// The one for these label values.
    pub(super) fn at(&mut self, labels: &[&str]) -> &mut T {
        self.known.resize_with(labels.len(), BTreeSet::new);
        let mut bounded = Vec::with_capacity(labels.len());
        for (label, known) in labels.iter().zip(&mut self.known) {
            let is_known = known.contains(*label);
            if !is_known && *label != OTHER && known.len() < LABEL_VALUES_MAX {
                known.insert((*label).to_owned());
            }
            bounded.push(if known.contains(*label) { *label } else { OTHER }.to_owned());
        }
        self.values.entry(bounded).or_default()
    }

    /// Do all of these label values keep their names?
    pub(super) fn names(&self, labels: &[&str]) -> bool {
        labels.iter().zip(&self.known).all(|(label, known)| *label == OTHER || known.contains(*label))
    }

    /// All of them with their label values.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Vec<&str>, &T)> {
        self.bounded().map(|(labels, value)| (labels.iter().map(String::as_str).collect(), value))
    }

    /// The same, with label values that outlive the call.
    pub(super) fn bounded(&self) -> impl Iterator<Item = (&[String], &T)> {
        self.values.iter().map(|(labels, value)| (labels.as_slice(), value))
    }
}

impl Totals {
    pub(super) fn add(&mut self, labels: &[&str], count: f64) {
        *self.at(labels) += count;
    }

    /// Shows a zero until there is something to count, so that a rate over it is zero and not unknown.
    pub(super) fn begin(&mut self, labels: &[&str]) {
        self.at(labels);
    }

    pub(super) fn tell(&self, page: &mut Page, metric: &str) {
        for (labels, total) in self.iter() {
            page.add(metric, &labels, *total);
        }
    }
}

/// How many values there were up to each bound of a metric's buckets.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Histogram {
    pub(super) counts: Vec<u64>,
    pub(super) sum: f64,
    pub(super) count: u64,
}

impl Histogram {
    pub(super) fn observe(&mut self, bounds: &[f64], value: f64) {
        self.counts.resize(bounds.len(), 0);
        for (count, _) in self.counts.iter_mut().zip(bounds).filter(|(_, bound)| value <= **bound) {
            *count += 1;
        }
        self.sum += value;
        self.count += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(count, more)| *count += more);
        self.sum += other.sum;
        self.count += other.count;
    }
}

/// State for each name, such as that of a component's circuit.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct ByName<T>(BTreeMap<String, T>);

impl<T: Default> ByName<T> {
    pub(super) fn at(&mut self, name: &str) -> &mut T {
        let has_room = self.0.len() < NAMES_MAX || self.0.contains_key(name);
        self.0.entry(if has_room { name } else { OTHER }.to_owned()).or_default()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(name, state)| (name.as_str(), state))
    }
}
