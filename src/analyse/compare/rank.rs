//! Mann–Whitney U: does one side tend to be larger, whatever the distribution?

use serde::{Deserialize, Serialize};
use statrs::distribution::{ContinuousCDF as _, Normal};

use super::count;

/// What the test says.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MannWhitney {
    /// Pairs in which the canary's value is the larger one; equal ones count half.
    pub u: f64,
    /// The same as a share of all pairs: 0.5 when neither side tends to be larger.
    pub superiority: f64,
    /// Two-sided probability by the normal approximation, with corrections for ties and continuity.
    pub p_value: f64,
}

/// Asks the test.
pub fn mann_whitney(control: &[f64], canary: &[f64]) -> MannWhitney {
    let (n, m) = (count(control), count(canary));
    // The sum turns -0 into 0, which it equals.
    let mut all: Vec<(f64, bool)> = control.iter().map(|value| (value + 0.0, false)).collect();
    all.extend(canary.iter().map(|value| (value + 0.0, true)));
    all.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut ranks_of_canary, mut ties, mut before) = (0.0, 0.0, 0.0);
    for equal in all.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let (width, of_canary) = equal
            .iter()
            .fold((0.0, 0.0), |(width, own), (_, is_canary)| (width + 1.0, own + f64::from(u8::from(*is_canary))));
        ranks_of_canary += of_canary * (before + f64::midpoint(width, 1.0));
        ties += width * (width * width - 1.0);
        before += width;
    }
    let u = ranks_of_canary - m * (m + 1.0) / 2.0;
    let (pairs, together) = (n * m, n + m);
    let variance = pairs / 12.0 * (together + 1.0 - ties / (together * (together - 1.0)));
    let distance = ((u - pairs / 2.0).abs() - 0.5).max(0.0);
    let p_value = match Normal::new(0.0, 1.0) {
        Ok(normal) if variance > 0.0 => 2.0 * normal.cdf(-distance / variance.sqrt()),
        // All values are equal.
        _ => 1.0,
    };
    MannWhitney { u, superiority: u / pairs, p_value: p_value.min(1.0) }
}
