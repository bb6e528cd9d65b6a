//! Is a series another one after a moment? Mann–Whitney, its variance widened as far as neighbouring values are alike:
//! minutes of a metric are not independent, and the plain test takes its memory for change.
#![expect(clippy::cast_precision_loss, reason = "counts of cells fit 53 bits")]

use statrs::distribution::{ContinuousCDF as _, Normal};

use super::autocorrelation::widening;
use super::kendall::centred_ranks;
use super::summary::median;

/// Values that each side has to have.
const VALUES_MIN: usize = 8;

/// How likely values at even distances would differ so much before and after if nothing had changed; two-sided. Nothing
/// of fewer than eight values on a side.
pub fn shift(before: &[Option<f64>], after: &[Option<f64>]) -> Option<f64> {
    let [n_before, n_after] = [before, after].map(|cells| cells.iter().flatten().count());
    if n_before.min(n_after) < VALUES_MIN {
        return None;
    }
    let ranks = centred_ranks(&[before, after].concat());
    let (n_before, n_after) = (n_before as f64, n_after as f64);
    let n = n_before + n_after;
    // Around 0, this is U less its mean; the spread of the ranks has the ties in it.
    let distance = ranks[..before.len()].iter().flatten().sum::<f64>().abs();
    let spread = ranks.iter().flatten().map(|rank| rank * rank).sum::<f64>();
    let deviation = (n_before * n_after * spread / (n * (n - 1.0)) * memory(before, after)).sqrt();
    // Half a step towards zero, because U is whole and the curve is not.
    let z = if deviation > 0.0 { (distance - 0.5).max(0.0) / deviation } else { 0.0 };
    Some(2.0 * Normal::standard().sf(z))
}

/// By how much the memory of the series widens the variance.
fn memory(before: &[Option<f64>], after: &[Option<f64>]) -> f64 {
    let rest = |cells: &[Option<f64>]| {
        let level = median(&mut cells.iter().flatten().copied().collect::<Vec<f64>>());
        cells.iter().map(|cell| cell.map(|value| value - level)).collect::<Vec<_>>()
    };
    widening(&centred_ranks(&[rest(before), rest(after)].concat()), 1)
}
