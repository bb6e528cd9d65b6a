//! Quantiles of many values in little space: counts of values in buckets that grow by 2 %, so that any quantile is right
//! to 1 %. Sketches of parts add up to the sketch of the whole.

use serde::{Deserialize, Serialize};

/// How much wider each bucket is than the one before.
const GROWTH: f64 = 1.02;
/// Added to the number of a bucket, so that buckets of positive values have positive numbers.
const OFFSET: i32 = 40_000;
/// Buckets of one sketch: values from a nanosecond to a year fit. More are joined with their neighbours, smallest first.
const BUCKETS_MAX: usize = 2_048;

/// How often values of each size were seen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Sketch(Vec<(i32, u64)>);

impl Sketch {
    /// One with these buckets and counts, in any order, of `count_max` values at most.
    ///
    /// # Errors
    /// Says that there are too many.
    pub(super) fn of(buckets: &[(i32, u64)], count_max: u64) -> Result<Self, String> {
        if buckets.len() > BUCKETS_MAX {
            return Err(format!("its sketch has more than {BUCKETS_MAX} buckets"));
        }
        let mut total = 0_u64;
        let mut sketch = Self::default();
        for (bucket, count) in buckets {
            total = total.saturating_add(*count);
            if total > count_max {
                return Err(format!("its sketch has more than {count_max} values"));
            }
            sketch.insert(*bucket, *count);
        }
        Ok(sketch)
    }

    /// How many values are in each bucket, the smallest first.
    pub(super) fn buckets(&self) -> &[(i32, u64)] {
        &self.0
    }

    /// Counts `value`, which is finite, `count` times.
    pub fn add(&mut self, value: f64, count: u64) {
        self.insert(bucket(value), count);
        self.keep_bound();
    }

    /// Counts all that `other` counted.
    pub fn merge(&mut self, other: &Self) {
        for (bucket, count) in &other.0 {
            self.insert(*bucket, *count);
        }
        self.keep_bound();
    }

    /// The value that `share` of all values do not exceed, by nearest rank; `None` without values.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a share of a count"
    )]
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let total: u64 = self.0.iter().map(|(_, count)| count).sum();
        let rank = ((share * total as f64).ceil() as u64).max(1);
        let mut seen = 0;
        self.0.iter().find_map(|(bucket, count)| {
            seen += count;
            (seen >= rank).then(|| middle(*bucket))
        })
    }

    /// Mean and variance of all values, those above `most` taken for that; right to 1 % of the values.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn moments(&self, most: f64) -> (f64, f64) {
        let values = || self.0.iter().map(|(bucket, count)| (middle(*bucket).min(most), *count as f64));
        let total: f64 = values().map(|(_, count)| count).sum();
        let mean = values().map(|(value, count)| value * count).sum::<f64>() / total;
        let squares: f64 = values().map(|(value, count)| (value - mean).powi(2) * count).sum();
        (mean, squares / total)
    }

    /// How many values are at most `bound`, which one may exceed by 2 %.
    pub fn count_to(&self, bound: f64) -> u64 {
        let last = bucket(bound);
        self.0.iter().take_while(|(bucket, _)| *bucket <= last).map(|(_, count)| count).sum()
    }

    /// How many values are below `bound`, of which those within 2 % may be missing.
    pub fn count_below(&self, bound: f64) -> u64 {
        let end = bucket(bound);
        self.0.iter().take_while(|(bucket, _)| *bucket < end).map(|(_, count)| count).sum()
    }

    fn insert(&mut self, bucket: i32, count: u64) {
        match self.0.binary_search_by_key(&bucket, |(bucket, _)| *bucket) {
            Ok(place) => self.0[place].1 = self.0[place].1.saturating_add(count),
            Err(place) => self.0.insert(place, (bucket, count)),
        }
    }

    fn keep_bound(&mut self) {
        if self.0.len() > BUCKETS_MAX {
            let surplus = self.0.len() - BUCKETS_MAX;
            let joined = self.0.drain(..surplus).fold(0, |sum: u64, (_, count)| sum.saturating_add(count));
            self.0[0].1 = self.0[0].1.saturating_add(joined);
        }
    }
}

/// Zero has a bucket of its own; negative values mirror positive ones.
#[expect(clippy::cast_possible_truncation, reason = "the logarithm of a finite number is small")]
fn bucket(value: f64) -> i32 {
    if value.abs() < f64::MIN_POSITIVE {
        return 0;
    }
    let size = (value.abs().ln() / GROWTH.ln()).ceil() as i32 + OFFSET;
    if value > 0.0 { size } else { -size }
}

fn middle(bucket: i32) -> f64 {
    if bucket == 0 {
        return 0.0;
    }
    let upper = GROWTH.powi(bucket.abs() - OFFSET);
    f64::from(bucket.signum()) * upper * 2.0 / (1.0 + GROWTH)
}
