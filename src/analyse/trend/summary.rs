//! The plain numbers of a window.
#![expect(clippy::cast_precision_loss, reason = "counts of points fit 53 bits")]

use serde::{Deserialize, Serialize};

/// What a set of values looks like. Percentiles are nearest rank, the standard deviation is the population's.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// How many values.
    pub n: usize,
    /// The last one.
    pub current: f64,
    /// Arithmetic mean.
    pub mean: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Population standard deviation.
    pub stddev: f64,
    /// 50th percentile.
    pub p50: f64,
    /// 90th percentile.
    pub p90: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// `(current - mean) / mean`; nothing when the mean is 0.
    pub relative_deviation: Option<f64>,
}

impl Summary {
    /// Of values in order of time; nothing of no values.
    pub fn of(values: &[f64]) -> Option<Self> {
        let current = *values.last()?;
        let mean = mean(values);
        let [p50, p90, p95, p99] = percentiles(values, [0.50, 0.90, 0.95, 0.99]);
        Some(Self {
            n: values.len(),
            current,
            mean,
            min: values.iter().copied().fold(f64::INFINITY, f64::min),
            max: values.iter().copied().fold(f64::NEG_INFINITY, f64::max),
            stddev: variance(values, mean).sqrt(),
            p50,
            p90,
            p95,
            p99,
            relative_deviation: (mean != 0.0).then(|| (current - mean) / mean),
        })
    }
}

pub(super) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The population's variance.
pub(super) fn variance(values: &[f64], mean: f64) -> f64 {
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / values.len() as f64
}

/// The value at index `ceil(share * n)`, counted from 1, of values in order, of which there is at least one.
pub(in crate::analyse) fn nearest_rank(sorted: &[f64], share: f64) -> f64 {
    sorted[place_of(share, sorted.len())]
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
fn place_of(share: f64, count: usize) -> usize {
    // A hair less, because 0.95 * 100 is 95.00000000000001 for a machine.
    let rank = (share * count as f64 - 1e-9).ceil() as usize;
    rank.clamp(1, count) - 1
}

/// Nearest ranks for shares in order, of at least one value. Each is looked for above the one before, which takes a
/// fraction of the time that putting all values in order does.
fn percentiles<const N: usize>(values: &[f64], shares: [f64; N]) -> [f64; N] {
    let mut own = values.to_vec();
    let mut settled = 0;
    shares.map(|share| {
        let place = place_of(share, own.len());
        if place >= settled {
            own[settled..].select_nth_unstable_by(place - settled, f64::total_cmp);
            settled = place + 1;
        }
        own[place]
    })
}

/// The middle value, or the mean of the two middle ones; 0 of none.
pub(super) fn median(values: &mut [f64]) -> f64 {
    if values.is_empty() {
        return 0.0;
    }
    let middle = values.len() / 2;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let upper = *upper;
    if below.len() < middle || values.len() % 2 == 1 {
        return upper;
    }
    let lower = values[..middle].iter().copied().fold(f64::NEG_INFINITY, f64::max);
    f64::midpoint(lower, upper)
}

/// Median and median absolute deviation.
pub(super) fn median_and_mad(values: &[f64]) -> (f64, f64) {
    let mut own = values.to_vec();
    let centre = median(&mut own);
    own.iter_mut().for_each(|value| *value = (*value - centre).abs());
    (centre, median(&mut own))
}
