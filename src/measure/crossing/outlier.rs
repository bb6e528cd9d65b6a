//! Values that stand out: those more than three standard deviations above the mean of what a series was lately.
//!
//! Mean and deviation follow the series minute by minute, so that nothing of its past has to be read. What stands out is
//! taken for no more than the limit: it does not hide what comes after it, and what stays is usual after a day. What was
//! 0 all the time has no limit to be taken for, and follows what comes as it is.

use serde::{Deserialize, Serialize};

use crate::measure::rollup::Values;

/// Distance from the mean, in standard deviations.
const DISTANCE_SIGMA: f64 = 3.0;
/// Smallest standard deviation, as a share of the mean: sketches tell values apart to 2 %.
const SIGMA_MIN_SHARE: f64 = 0.05;
/// Minutes that a limit has to rest on, and that it rests on at most.
const MINUTES_MIN: u32 = 60;
const MINUTES_MAX: u32 = 1_440;

/// What a series was lately.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Lately {
    minutes: u32,
    mean: f64,
    variance: f64,
}

impl Lately {
    /// Takes the values of a minute; returns how many of them stand out.
    pub(super) fn take(&mut self, values: &Values) -> u64 {
        let limit = self.limit();
        self.follow(values.moments(self.most(limit)));
        values.count - values.count_to(limit)
    }

    /// Takes a minute that is one number, such as a rate; returns whether it stands out.
    pub(super) fn take_one(&mut self, value: f64) -> bool {
        let limit = self.limit();
        self.follow((value.min(self.most(limit)), 0.0));
        value > limit
    }

    fn limit(&self) -> f64 {
        if self.minutes < MINUTES_MIN {
            return f64::INFINITY;
        }
        self.mean + DISTANCE_SIGMA * self.variance.sqrt().max(SIGMA_MIN_SHARE * self.mean.abs())
    }

    /// What a value is taken for at most.
    fn most(&self, limit: f64) -> f64 {
        let was_nothing = self.mean == 0.0 && self.variance == 0.0;
        if was_nothing { f64::INFINITY } else { limit }
    }

    /// Mean and variance of a minute join those of the minutes before.
    fn follow(&mut self, (mean, variance): (f64, f64)) {
        let share = 1.0 / f64::from(self.minutes + 1);
        let distance = mean - self.mean;
        self.mean += share * distance;
        self.variance = (1.0 - share) * (self.variance + share * distance * distance) + share * variance;
        self.minutes = (self.minutes + 1).min(MINUTES_MAX);
    }
}
