//! Is a series another one after a moment? Mann–Whitney, its variance widened as far as neighbouring values are alike:
//! minutes of a metric are not independent, and the plain test takes its memory for change.

use statrs::distribution::{ContinuousCDF as _, Normal};

use super::autocorrelation::widening;
use super::kendall::centred_ranks;
use super::summary::median;
use crate::analyse::compare::mann_whitney;

/// Values that each side has to have.
const VALUES_MIN: usize = 8;

/// How likely values at even distances would differ so much before and after if nothing had changed; two-sided. Nothing
/// of fewer than eight values on a side.
pub fn shift(before: &[Option<f64>], after: &[Option<f64>]) -> Option<f64> {
    let [x, y] = [before, after].map(|cells| cells.iter().flatten().copied().collect::<Vec<f64>>());
    if x.len().min(y.len()) < VALUES_MIN {
        return None;
    }
    let normal = Normal::standard();
    let z = -normal.inverse_cdf(mann_whitney(&x, &y).p_value / 2.0);
    Some(2.0 * normal.sf(z / memory(before, after).sqrt()))
}

/// By how much the memory of the series widens the variance.
fn memory(before: &[Option<f64>], after: &[Option<f64>]) -> f64 {
    let rest = |cells: &[Option<f64>]| {
        let level = median(&mut cells.iter().flatten().copied().collect::<Vec<f64>>());
        cells.iter().map(|cell| cell.map(|value| value - level)).collect::<Vec<_>>()
    };
    widening(&centred_ranks(&[rest(before), rest(after)].concat()), 1)
}
