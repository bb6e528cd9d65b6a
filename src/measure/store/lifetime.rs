//! A series from its first value that is kept to its last.

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
