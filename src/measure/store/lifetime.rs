//! A series from its first value that is kept to its last.

use std::collections::HashMap;
use std::sync::{MutexGuard, PoisonError};

use super::{SeriesStore, Slot};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::rollup::{Rollup, step};
use crate::measure::sketch::Sketch;

/// How many values there were, their sum, and how they were spread; of a counter how far it came.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Lifetime {
    /// How many; of a counter none.
    pub count: u64,
    /// Their sum. Of a counter its first reading and all that it rose by since, also when it began anew between.
    pub sum: f64,
    /// How they were spread. Every value is in it, so that counts up to a bound never fall.
    pub sketch: Sketch,
    /// When a counter was read last, and what it said.
    read: Option<(Timestamp, f64)>,
}

impl Lifetime {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub(super) fn add(&mut self, value: f64, count: u64) {
        self.count += count;
        self.sum += value * count as f64;
        self.sketch.add(value, count);
    }

    /// A counter was read. What comes later than a younger reading was counted by that one.
    pub(super) fn read(&mut self, at: Timestamp, value: f64) {
        if self.read.is_none_or(|(last, _)| last < at) {
            self.sum += self.read.map_or(value, |(_, last)| step(last, value));
            self.read = Some((at, value));
        }
    }

    /// Adds what a slot has that begins after all that is known.
    fn merge(&mut self, slot: &Slot) {
        match &slot.rollup {
            Rollup::Values(values) => {
                self.count += values.count;
                self.sum += values.sum;
                match &values.sketch {
                    Some(sketch) => self.sketch.merge(sketch),
                    None => self.sketch.add(values.last, values.count),
                }
            }
            Rollup::Total(total) => {
                self.sum += self.read.map_or(total.first, |(_, last)| step(last, total.first)) + total.increase;
                self.read = Some((slot.last_at(), total.last));
            }
        }
    }
}

impl SeriesStore {
    /// All that is kept of a series in one. The first call reads it from disk.
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
            lifetime.merge(&slot);
        }
        self.lifetimes().insert(number, lifetime.clone());
        Ok(lifetime)
    }

    pub(super) fn lifetimes(&self) -> MutexGuard<'_, HashMap<u32, Lifetime>> {
        self.0.lifetimes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
