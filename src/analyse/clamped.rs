//! Numbers that are held within a range without hiding what they were.

use serde::Serialize;

/// A number held within its range, and what it was before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Clamped {
    /// Within the range.
    pub value: f64,
    /// As computed.
    pub raw: f64,
}

impl Clamped {
    /// `bounded`, what a formula gives when its factors are bounded, held within 0 to `max`, beside its `raw` result.
    pub(super) fn new(bounded: f64, raw: f64, max: f64) -> Self {
        Self { value: settled(bounded).clamp(0.0, max), raw: settled(raw) }
    }
}

/// `number` to nine decimals: sums of decimal fractions then meet the limit they are compared with.
pub(super) fn settled(number: f64) -> f64 {
    // The sum turns -0 into 0.
    (number * 1e9).round() / 1e9 + 0.0
}
