//! Mann–Kendall: do later values tend to be larger? Its variance is corrected for autocorrelation after Hamed and Rao.
#![expect(clippy::cast_precision_loss, reason = "ranks of a few hundred cells")]

use statrs::distribution::{ContinuousCDF, StudentsT};

use super::autocorrelation;

/// Outcome of the test.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Kendall {
    /// Two-sided probability of such a trend in a series without one.
    pub(super) p_value: f64,
    /// How many independent values the series is worth.
    pub(super) n_effective: f64,
}

/// Tests cells at even distances. `rest` is what is left of them beside `lines` straight lines, `freedom` the share of
/// their freedom that taking out the season left. Quadratic in the number of cells.
pub(super) fn test(cells: &[Option<f64>], rest: &[Option<f64>], lines: usize, freedom: f64) -> Kendall {
    let known: Vec<f64> = cells.iter().flatten().copied().collect();
    let n = known.len();
    let s: f64 = (1..n)
        .map(|later| known[..later].iter().map(|earlier| f64::from(sign(known[later] - earlier))).sum::<f64>())
        .sum();
    let factor = autocorrelation::widening(&centred_ranks(rest), lines) / freedom;
    let deviation = (variance(&known) * factor).sqrt();
    // One step of S towards zero, because S is whole and the curve is not.
    let z = if deviation > 0.0 { (s.abs() - 1.0).max(0.0) / deviation } else { 0.0 };
    let n_effective = n as f64 / factor;
    Kendall { p_value: two_sided(z, n_effective - 2.0), n_effective }
}

fn sign(difference: f64) -> i8 {
    i8::from(difference > 0.0) - i8::from(difference < 0.0)
}

/// Variance of S of independent values, ties taken into account.
fn variance(values: &[f64]) -> f64 {
    let weight = |n: f64| n * (n - 1.0) * (2.0 * n + 5.0);
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let ties: f64 = sorted.chunk_by(|a, b| a.total_cmp(b).is_eq()).map(|tied| weight(tied.len() as f64)).sum();
    (weight(values.len() as f64) - ties) / 18.0
}

/// Ranks around 0, tied values sharing theirs; holes stay holes.
pub(super) fn centred_ranks(values: &[Option<f64>]) -> Vec<Option<f64>> {
    let mut order: Vec<(f64, usize)> =
        values.iter().enumerate().filter_map(|(place, value)| Some(((*value)?, place))).collect();
    order.sort_by(|a, b| a.0.total_cmp(&b.0));
    let middle = (order.len() as f64 - 1.0) / 2.0;
    let mut ranks = vec![None; values.len()];
    let mut below = 0;
    for tied in order.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let rank = below as f64 + (tied.len() as f64 - 1.0) / 2.0 - middle;
        tied.iter().for_each(|(_, place)| ranks[*place] = Some(rank));
        below += tied.len();
    }
    ranks
}

/// Student's t instead of the normal, because the autocorrelation was itself estimated from few values.
fn two_sided(z: f64, degrees: f64) -> f64 {
    StudentsT::new(0.0, 1.0, degrees.max(1.0)).map_or(1.0, |t| 2.0 * t.sf(z))
}
