//! How much a series remembers: an autoregressive model, its order chosen by AIC, and the autocorrelation it implies.
//!
//! A fitted model instead of the raw sample autocorrelations, because those of hundreds of lags are mostly noise, and
//! picking the significant ones misses the many small ones that add up.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "lags are small"
)]

/// Autocorrelations of lags `1..n` of a series with holes, whose values have mean 0.
pub(super) fn fitted(values: &[Option<f64>]) -> Vec<f64> {
    let n = values.iter().flatten().count();
    let order_max = ((10.0 * (n.max(1) as f64).log10()) as usize).min(n / 8);
    let sample = sample(values, order_max, n);
    let model = levinson(&sample, n);
    let mut lags: Vec<f64> = Vec::with_capacity(values.len());
    for lag in 1..values.len() {
        let next = if lag <= model.len() {
            sample[lag]
        } else {
            model.iter().enumerate().map(|(back, weight)| weight * lags[lag - 2 - back]).sum()
        };
        lags.push(next);
    }
    if model.is_empty() { vec![0.0; lags.len()] } else { lags }
}

/// Autocorrelations of lags `0..=order_max`.
fn sample(values: &[Option<f64>], order_max: usize, n: usize) -> Vec<f64> {
    let covariance = |lag: usize| -> f64 {
        values.iter().zip(&values[lag..]).filter_map(|(a, b)| Some((*a)? * (*b)?)).sum::<f64>() / n.max(1) as f64
    };
    let whole = covariance(0);
    (0..=order_max).map(|lag| if whole > 0.0 { covariance(lag) / whole } else { 0.0 }).collect()
}

/// Weights of the autoregressive model with the least AIC, by Levinson and Durbin.
fn levinson(correlation: &[f64], n: usize) -> Vec<f64> {
    let (mut best, mut best_aic) = (Vec::new(), 0.0);
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
        let aic = n as f64 * error.ln() + 2.0 * order as f64;
        if aic < best_aic {
            (best, best_aic) = (weights.clone(), aic);
        }
    }
    best
}

/// By how much autocorrelation widens the variance of Mann–Kendall's S: equation 15 of Hamed and Rao (1998). Never
/// below 1, so that a series that swings back and forth does not count as more points than it has.
pub(super) fn hamed_rao(correlation: &[f64], n: usize) -> f64 {
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
