//! How much a series remembers: an autoregressive model, its order chosen by BIC, and the autocorrelation it implies.
//!
//! A fitted model instead of the raw sample autocorrelations, because those of hundreds of lags are mostly noise, and
//! picking the significant ones misses the many small ones that add up.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lags are small"
)]

/// By how much the memory of a series widens the variance of Mann–Kendall's S. `values` are what is left beside
/// so many straight `lines`, with mean 0; holes are no values.
pub(super) fn widening(values: &[Option<f64>], lines: usize) -> f64 {
    let n = values.iter().flatten().count();
    let order_max = ((10.0 * (n.max(1) as f64).log10()) as usize).min(n / 8);
    let sample = sample(values, order_max, n);
    let first = hamed_rao(&implied(&sample, values.len(), n), n);
    // Each line took some of the memory with it: a level and a slope, each worth `widening / n` of the variance.
    let taken = 2.0 * lines as f64 * first / n as f64;
    let restored: Vec<f64> = sample.iter().map(|rho| (rho + taken) / (1.0 + taken)).collect();
    if first > 1.0 { hamed_rao(&implied(&restored, values.len(), n), n) } else { first }
}

/// Autocorrelations of lags `1..cells` that the model fitted to those of the first lags implies.
fn implied(sample: &[f64], cells: usize, n: usize) -> Vec<f64> {
    let model = levinson(sample, n);
    let mut lags: Vec<f64> = vec![1.0];
    for lag in 1..cells {
        lags.push(if lag <= model.len() {
            sample[lag]
        } else {
            model.iter().enumerate().map(|(back, weight)| weight * lags[lag - 1 - back]).sum()
        });
    }
    lags.split_off(1)
}

/// Autocorrelations of lags `0..=order_max`.
fn sample(values: &[Option<f64>], order_max: usize, n: usize) -> Vec<f64> {
    let covariance = |lag: usize| -> f64 {
        values.iter().zip(&values[lag..]).filter_map(|(a, b)| Some((*a)? * (*b)?)).sum::<f64>() / n.max(1) as f64
    };
    let whole = covariance(0);
    (0..=order_max).map(|lag| if whole > 0.0 { covariance(lag) / whole } else { 0.0 }).collect()
}

/// Weights of the autoregressive model with the least BIC, by Levinson and Durbin.
fn levinson(correlation: &[f64], n: usize) -> Vec<f64> {
    let (mut best, mut best_bic) = (Vec::new(), 0.0);
    let mut weights: Vec<f64> = Vec::new();
    let mut error = 1.0;
    for order in 1..correlation.len() {
        let known: f64 = weights.iter().enumerate().map(|(back, weight)| weight * correlation[order - 1 - back]).sum();
        let reflection = (correlation[order] - known) / error;
        let mirrored: Vec<f64> = weights.iter().rev().copied().collect();
        weights.iter_mut().zip(mirrored).for_each(|(weight, other)| *weight -= reflection * other);
        weights.push(reflection);
        error *= 1.0 - reflection * reflection;
        if error <= 0.0 || error.is_nan() {
            break;
        }
        let bic = n as f64 * error.ln() + (n as f64).ln() * order as f64;
        if bic < best_bic {
            (best, best_bic) = (weights.clone(), bic);
        }
    }
    best
}

/// Equation 15 of Hamed and Rao (1998). Never
/// below 1, so that a series that swings back and forth does not count as more points than it has.
fn hamed_rao(correlation: &[f64], n: usize) -> f64 {
    let n = n as f64;
    let sum: f64 = correlation
        .iter()
        .enumerate()
        .map(|(place, rho)| {
            let lag = place as f64 + 1.0;
            (n - lag) * (n - lag - 1.0) * (n - lag - 2.0).max(0.0) * rho
        })
        .sum();
    (1.0 + 2.0 * sum / (n * (n - 1.0) * (n - 2.0))).max(1.0)
}
