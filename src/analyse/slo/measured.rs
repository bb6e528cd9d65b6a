//! What was measured: counts and values, slice by slice, so that what is missing is known to be missing.

use serde::Serialize;

use crate::analyse::trend::nearest_rank;
use crate::error::{Error, Result};
use crate::slo::Threshold;

/// The parts of a whole whose share is known, and no more than that.
const PARTS: u64 = 1_000_000;

/// Good ones out of all.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Count {
    good: u64,
    total: u64,
}

impl Count {
    /// `good` ones out of `total`.
    pub fn new(good: u64, total: u64) -> Result<Self> {
        if good > total {
            let error = Error::invalid(format!("good is {good}, but total is only {total}"));
            return Err(error.hint("total counts all events, the good ones included"));
        }
        Ok(Self { good, total })
    }

    /// `good` ones out of `total`, as many as there can be.
    pub(super) fn capped(good: u64, total: u64) -> Self {
        Self { good: good.min(total), total }
    }

    /// The values on the good side of `threshold` out of all that are numbers.
    pub fn of_values(values: &[f64], threshold: Threshold) -> Self {
        values.iter().filter(|value| !value.is_nan()).map(|value| Self::one(threshold.is_good(*value))).sum()
    }

    /// One that is good, or not.
    pub(super) fn one(is_good: bool) -> Self {
        Self { good: u64::from(is_good), total: 1 }
    }

    /// A share of the parts of one whole.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "of a million"
    )]
    pub(super) fn share(ratio: f64) -> Self {
        Self::capped((ratio * PARTS as f64).round() as u64, PARTS)
    }

    /// How many were good.
    pub fn good(self) -> u64 {
        self.good
    }

    /// How many there were.
    pub fn total(self) -> u64 {
        self.total
    }

    /// How many were bad.
    pub fn bad(self) -> u64 {
        self.total - self.good
    }

    /// Share of good ones; nothing of nothing.
    #[expect(clippy::cast_precision_loss, reason = "nobody counts 2^53 events")]
    pub fn ratio(self) -> Option<f64> {
        (self.total > 0).then(|| self.good as f64 / self.total as f64)
    }
}

impl std::iter::Sum for Count {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, count| Self {
            good: sum.good.saturating_add(count.good),
            total: sum.total.saturating_add(count.total),
        })
    }
}

/// Slices as they count when each is good or not.
pub(super) fn judged(slices: &[Option<Count>], slice_target: f64) -> Vec<Option<Count>> {
    let is_good = |slice: Count| slice.ratio().is_none_or(|ratio| ratio >= slice_target);
    slices.iter().map(|slice| slice.map(|slice| Count::one(is_good(slice)))).collect()
}

/// Slices as they count when all weigh the same.
pub(super) fn levelled(slices: &[Option<Count>]) -> Vec<Option<Count>> {
    slices.iter().map(|slice| slice.map(|slice| slice.ratio().map_or(Count::default(), Count::share))).collect()
}

/// What was measured in one window. A slice of it that is `None` is a gap: nothing is known about it.
///
/// Outliers that should not count are for the caller to leave out.
#[derive(Debug, Clone, PartialEq)]
pub struct Measured {
    /// What was good, out of all.
    pub(super) count: Count,
    /// Share of it.
    pub(super) attainment: Option<f64>,
    /// The value that stands for the window.
    pub(super) value: Option<f64>,
    /// What divides good values from bad ones.
    pub(super) threshold: Option<Threshold>,
    /// Slices of the window.
    pub(super) slices: usize,
    /// Those that are gaps.
    pub(super) slices_missing: usize,
}

impl Measured {
    /// Events, counted in each slice: all of them weigh the same.
    pub fn events(slices: &[Option<Count>]) -> Self {
        let count: Count = slices.iter().flatten().copied().sum();
        Self::over(slices, count, count.ratio())
    }

    /// Slices of which a share of `slice_target` has to be good: all slices weigh the same. One without events is good,
    /// for nothing failed in it.
    pub fn timeslices(slices: &[Option<Count>], slice_target: f64) -> Self {
        Self::events(&judged(slices, slice_target))
    }

    /// The mean of the ratios of all slices that had events.
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 slices")]
    pub fn ratio_timeslices(slices: &[Option<Count>]) -> Self {
        let ratios: Vec<f64> = slices.iter().flatten().filter_map(|slice| slice.ratio()).collect();
        let mean = (!ratios.is_empty()).then(|| ratios.iter().sum::<f64>() / ratios.len() as f64);
        Self::over(slices, slices.iter().flatten().copied().sum(), mean)
    }

    /// One value for each slice, such as its mean or its peak: a slice is good when its value is. The last known value
    /// stands for the window.
    pub fn windows(values: &[Option<f64>], threshold: Threshold) -> Self {
        let known = |value: &Option<f64>| value.filter(|value| !value.is_nan());
        let slices: Vec<Option<Count>> =
            values.iter().map(|value| known(value).map(|value| Count::one(threshold.is_good(value)))).collect();
        Self { value: values.iter().rev().find_map(known), threshold: Some(threshold), ..Self::events(&slices) }
    }

    /// The values of single events. The percentile that `target` names stands for the window: at most 200 ms for 0.99
    /// of all is a P99 of at most 200 ms.
    pub fn values(values: &[f64], threshold: Threshold, target: f64) -> Self {
        let count = Count::of_values(values, threshold);
        let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
        sorted.sort_by(f64::total_cmp);
        if !threshold.is_upper() {
            sorted.reverse();
        }
        let value = (!sorted.is_empty()).then(|| nearest_rank(&sorted, target));
        Self { value, threshold: Some(threshold), ..Self::events(&[Some(count)]) }
    }

    /// With the value that stands for the window, and what divides good values from bad ones.
    #[must_use]
    pub(super) fn with_value(self, value: Option<f64>, threshold: Threshold) -> Self {
        Self { value, threshold: Some(threshold), ..self }
    }

    fn over(slices: &[Option<Count>], count: Count, attainment: Option<f64>) -> Self {
        let slices_missing = slices.iter().filter(|slice| slice.is_none()).count();
        Self { count, attainment, value: None, threshold: None, slices: slices.len(), slices_missing }
    }
}
