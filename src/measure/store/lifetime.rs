//! A series from its first value that is kept to its last.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use super::SeriesStore;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::rollup::Rollup;
use crate::measure::sketch::Sketch;

/// How many values there were, their sum, and how they were spread.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lifetime {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// How they were spread. Every value is in it, so that counts up to a bound never fall.
    pub sketch: Sketch,
}

impl Lifetime {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub(super) fn add(&mut self, value: f64, count: u64) {
        self.count += count;
        self.sum += value * count as f64;
        self.sketch.add(value, count);
    }

    pub(super) fn merge(&mut self, rollup: &Rollup) {
        let Rollup::Values(values) = rollup else { return };
        self.count += values.count;
        self.sum += values.sum;
        match &values.sketch {
            Some(sketch) => self.sketch.merge(sketch),
            None => self.sketch.add(values.last, values.count),
        }
    }
}

impl SeriesStore {
    /// All that is kept of a series that is no counter, in one. The first call reads it from disk.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn lifetime(&self, number: u32) -> Result<Lifetime> {
        // Nothing is rolled up meanwhile, so that no value is counted twice or not at all.
        let head = self.head();
        if let Some(known) = self.lifetimes().get(&number) {
            return Ok(known.clone());
        }
        let mut lifetime = Lifetime::default();
        for slot in self.slots_with(&head, number, Timestamp::MIN..Timestamp::MAX)? {
            lifetime.merge(&slot.rollup);
        }
        self.lifetimes().insert(number, lifetime.clone());
        Ok(lifetime)
    }

    pub(super) fn lifetimes(&self) -> MutexGuard<'_, HashMap<u32, Lifetime>> {
        self.0.lifetimes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
