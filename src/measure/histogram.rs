//! A histogram that is told in buckets: how many values were at or below each bound, and its quantiles.

use std::collections::BTreeMap;

use super::read::Statistic;
use super::{Kind, Series};
use crate::clock::Timestamp;
use crate::error::Error;

/// Buckets have the name of their histogram, and this after it.
pub const SUFFIX: &str = "_bucket";
/// The sum of all its values has this in its place.
pub const SUM: &str = "_sum";
/// What one wants to see of a histogram when one does not say.
pub const STATISTIC: Statistic = Statistic::Quantile(0.99);
/// The label that holds a bucket's bound.
pub const BOUND: &str = "le";

/// The histogram that a series is a bucket of, and the bucket's bound.
pub fn of_bucket(series: &Series) -> Option<(Series, f64)> {
    let metric = series.metric.strip_suffix(SUFFIX).filter(|_| series.kind == Kind::Counter)?;
    let mut labels = series.labels.clone();
    let bound = labels.remove(BOUND)?.parse().ok()?;
    let histogram =
        Series { metric: metric.to_owned(), component: series.component.clone(), kind: Kind::Distribution, labels };
    Some((histogram, bound))
}

/// The name of the histogram that a series with this name may be a bucket or the sum of.
pub fn named(part: &str) -> Option<&str> {
    part.strip_suffix(SUFFIX).or_else(|| part.strip_suffix(SUM))
}

/// The histogram that a series is the sum of all values of, if there is such a histogram.
pub fn of_sum(series: &Series) -> Option<Series> {
    let metric = series.metric.strip_suffix(SUM).filter(|_| series.kind == Kind::Counter)?;
    Some(Series { metric: metric.to_owned(), kind: Kind::Distribution, ..series.clone() })
}

/// Says that a histogram's buckets do not tell a statistic.
pub fn no_such(metric: &str, statistic: Statistic) -> Error {
    Error::invalid(format!("{metric} is a histogram told in buckets, which has no {statistic}"))
        .hint("ask for a percentile such as stat=p99; its _count and _sum are series of their own")
}

/// A quantile of each step, from the increase that each bucket had in it.
pub fn quantiles(share: f64, increases: &[(f64, Vec<(Timestamp, f64)>)]) -> Vec<(Timestamp, f64)> {
    let mut steps: BTreeMap<Timestamp, Vec<Bucket>> = BTreeMap::new();
    for (bound, increases) in increases {
        for (at, count) in increases {
            steps.entry(*at).or_default().push(Bucket { bound: *bound, count: *count });
        }
    }
    steps.into_iter().filter_map(|(at, buckets)| Some((at, quantile(share, &buckets)?))).collect()
}

/// How many values of a step were at or below `bound`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bucket {
    /// The label `le`; infinite for the last.
    pub bound: f64,
    /// How many, those of the buckets before among them.
    pub count: f64,
}

/// Bounds that differ by this share of them are the same one: it was converted from another unit.
const NEAR: f64 = 1e-9;

/// Is `low` at or below `high`, or no farther above it than a conversion makes it?
pub fn is_up_to(low: f64, high: f64) -> bool {
    low <= high || low - high <= NEAR * high.abs()
}

/// How many values are known to be at or below `value`: those up to the last bound that is not above it.
pub fn count_to(buckets: &[Bucket], value: f64) -> f64 {
    let within = buckets.iter().filter(|bucket| is_up_to(bucket.bound, value));
    within.map(|bucket| bucket.count).fold(0.0, f64::max)
}

/// The value that `share` of all values do not exceed, as Prometheus' `histogram_quantile` estimates it: on a straight
/// line through the bucket that it lies in. A value beyond the last finite bound is told as that bound. `None` of no
/// values, and without a bucket for all of them.
pub fn quantile(share: f64, buckets: &[Bucket]) -> Option<f64> {
    let mut buckets = buckets.to_vec();
    buckets.sort_by(|a, b| a.bound.total_cmp(&b.bound));
    let (all, finite) = buckets.split_last()?;
    if all.bound != f64::INFINITY || finite.is_empty() {
        return None;
    }
    // Buckets that were read at different moments may contradict each other.
    let mut counts: Vec<f64> = buckets.iter().map(|bucket| bucket.count).collect();
    (1..counts.len()).for_each(|place| counts[place] = counts[place].max(counts[place - 1]));
    let total = counts[finite.len()];
    if total <= 0.0 {
        return None;
    }
    let rank = share * total;
    let place = counts[..finite.len()].iter().position(|count| *count >= rank);
    let Some(place) = place else { return Some(finite[finite.len() - 1].bound) };
    let upper = finite[place].bound;
    if place == 0 && upper <= 0.0 {
        return Some(upper);
    }
    let (lower, below) = if place == 0 { (0.0, 0.0) } else { (finite[place - 1].bound, counts[place - 1]) };
    let within = counts[place] - below;
    // Only a rank of 0 finds an empty bucket.
    Some(if within > 0.0 { lower + (upper - lower) * (rank - below) / within } else { lower })
}
