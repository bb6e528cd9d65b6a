//! Which series there are, and how many there may be.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::measure::{Kind, Samples, Series};

/// Value of a label that has too many values already.
const OTHER: &str = "other";

/// Bounds on the number of series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Most series in all.
    pub series_max: usize,
    /// Most values of one label of one metric.
    pub label_values_max: usize,
}

/// A series with its unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Known {
    /// What it is of.
    pub series: Series,
    /// Unit by UCUM.
    pub unit: Option<String>,
}

/// All series, by number.
pub struct Catalogue {
    bounds: Bounds,
    known: Vec<Arc<Known>>,
    numbers: HashMap<Series, u32>,
    /// Values of each label of each metric.
    values: HashMap<String, HashMap<String, BTreeSet<String>>>,
}

impl Catalogue {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self { bounds, known: Vec::new(), numbers: HashMap::new(), values: HashMap::new() }
    }

    pub(super) fn restore(&mut self, number: u32, known: Known) -> Result<()> {
        if number as usize != self.known.len() {
            return Err(Error::internal(format!("series {} is missing from the list of series", self.known.len())));
        }
        self.add(known);
        Ok(())
    }

    pub(super) fn known(&self, number: u32) -> &Arc<Known> {
        &self.known[number as usize]
    }

    pub(super) fn numbers(&self) -> std::ops::Range<u32> {
        0..u32::try_from(self.known.len()).unwrap_or(u32::MAX)
    }

    pub(super) fn find(&self, wanted: impl Fn(&Series) -> bool) -> Vec<(u32, Arc<Known>)> {
        let picked = (0..).zip(&self.known).filter(|(_, known)| wanted(&known.series));
        picked.map(|(number, known)| (number, Arc::clone(known))).collect()
    }

    /// The number of a series, which may be new; `None` when there is no room for it.
    ///
    /// Labels with too many values are told as `other`, except those of counters: readings of several counters make no
    /// series.
    pub fn number(&mut self, samples: &Samples) -> Option<u32> {
        if let Some(number) = self.numbers.get(&samples.series) {
            return Some(*number);
        }
        let bounded = self.bounded(&samples.series)?;
        if let Some(number) = self.numbers.get(&bounded) {
            return Some(*number);
        }
        if self.known.len() >= self.bounds.series_max {
            return None;
        }
        Some(self.add(Known { series: bounded, unit: samples.unit.clone() }))
    }

    fn bounded(&self, series: &Series) -> Option<Series> {
        let values = self.values.get(&series.metric);
        let is_full = |label: &str, value: &str| {
            let known = values.and_then(|values| values.get(label));
            known.is_some_and(|known| known.len() >= self.bounds.label_values_max && !known.contains(value))
        };
        let full: Vec<String> = series
            .labels
            .iter()
            .filter(|(label, value)| is_full(label, value))
            .map(|(label, _)| label.clone())
            .collect();
        if full.is_empty() {
            return Some(series.clone());
        }
        if series.kind == Kind::Counter {
            return None;
        }
        let mut bounded = series.clone();
        for label in full {
            bounded.labels.insert(label, OTHER.to_owned());
        }
        Some(bounded)
    }

    fn add(&mut self, known: Known) -> u32 {
        let number = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        let labels = self.values.entry(known.series.metric.clone()).or_default();
        for (label, value) in &known.series.labels {
            labels.entry(label.clone()).or_default().insert(value.clone());
        }
        self.numbers.insert(known.series.clone(), number);
        self.known.push(Arc::new(known));
        number
    }
}
