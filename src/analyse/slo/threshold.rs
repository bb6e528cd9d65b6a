//! Which values are good, and by how much.

use super::Count;
use crate::measure::rollup::Values;
use crate::slo::{Comparison, Threshold};

impl Threshold {
    /// Is `value` good?
    pub fn is_good(self, value: f64) -> bool {
        match self.comparison {
            Comparison::Less => value < self.value,
            Comparison::LessOrEqual => value <= self.value,
            Comparison::Greater => value > self.value,
            Comparison::GreaterOrEqual => value >= self.value,
        }
    }

    /// The good ones of many values, out of all of them.
    pub(super) fn count(self, values: &Values) -> Count {
        let good = match self.comparison {
            Comparison::Less => values.count_below(self.value),
            Comparison::LessOrEqual => values.count_to(self.value),
            Comparison::Greater => values.count - values.count_to(self.value),
            Comparison::GreaterOrEqual => values.count - values.count_below(self.value),
        };
        Count::capped(good, values.count)
    }

    /// Should values be low?
    pub(in crate::analyse) fn is_upper(self) -> bool {
        matches!(self.comparison, Comparison::Less | Comparison::LessOrEqual)
    }

    /// How far `value` is on the good side, relative to the threshold; nothing for a threshold of 0.
    pub(super) fn headroom(self, value: f64) -> Option<f64> {
        let distance = if self.is_upper() { self.value - value } else { value - self.value };
        (self.value != 0.0).then(|| distance / self.value.abs())
    }
}
