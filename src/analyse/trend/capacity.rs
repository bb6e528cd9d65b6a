//! Growth that compounds, and the room it needs.

use serde::Serialize;

/// Compound growth per period, as ratios: 0.02 is 2 %.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Growth {
    /// From the first value to the last.
    pub observed: f64,
    /// Of the exponential that fits all values best; steadier when values are noisy.
    pub fitted: Option<f64>,
}

/// Room above the projection: the ratio of seed 2 (500 k of capacity for 355 k users).
pub const HEADROOM: f64 = 1.41;

/// Growth per period from `first` to `last`; nothing unless both are above 0.
pub fn growth(first: f64, last: f64, periods: f64) -> Option<f64> {
    (first > 0.0 && last > 0.0 && periods > 0.0).then(|| (last / first).powf(1.0 / periods) - 1.0)
}

/// `value` after growing for so many periods.
pub fn compound(value: f64, growth: f64, periods: f64) -> f64 {
    value * (1.0 + growth).powf(periods)
}

/// Capacity to have ready for a projected demand.
pub fn needed(projected: f64) -> f64 {
    projected * HEADROOM
}

/// How much less than `before` is `after`, in percent; nothing when it was 0 before.
pub fn reduction_percent(before: f64, after: f64) -> Option<f64> {
    (before != 0.0).then(|| (before - after) / before * 100.0)
}
