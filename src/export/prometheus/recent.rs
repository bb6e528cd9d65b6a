//! Sums over the last while, in little space: one for each second, minute or hour.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// Sums of the last `STEPS` steps of `STEP` seconds each.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Recent<const STEP: i64, const STEPS: i64>(BTreeMap<i64, Sum>);

/// The last five minutes by the second.
pub(super) type Seconds = Recent<1, 300>;
/// The last day by the minute.
pub(super) type Minutes = Recent<60, 1_440>;
/// The last thirty days by the hour.
pub(super) type Hours = Recent<3_600, 720>;

/// What was added up, and how many things it were.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Sum {
    pub(super) value: f64,
    pub(super) count: f64,
}

impl Sum {
    /// One thing of this size.
    pub(super) fn one(value: f64) -> Self {
        Self { value, count: 1.0 }
    }

    /// One thing that went well or did not.
    pub(super) fn outcome(is_good: bool) -> Self {
        Self::one(f64::from(u8::from(is_good)))
    }

    /// Size of a thing; the share of good outcomes. `None` of nothing.
    pub(super) fn mean(self) -> Option<f64> {
        (self.count > 0.0).then(|| self.value / self.count)
    }
}

impl<const STEP: i64, const STEPS: i64> Recent<STEP, STEPS> {
    /// Adds what happened at `at`, told at `told_at`: what was too long ago then is forgotten, and so is what had not
    /// happened yet.
    pub(super) fn add(&mut self, at: Timestamp, told_at: Timestamp, sum: Sum) {
        let now = step::<STEP>(told_at);
        while let Some(entry) = self.0.first_entry().filter(|entry| *entry.key() <= now - STEPS) {
            entry.remove();
        }
        let step = step::<STEP>(at);
        if step > now - STEPS && step <= now + STEPS {
            let told = self.0.entry(step).or_default();
            told.value += sum.value;
            told.count += sum.count;
        }
    }

    /// The sum of the last `seconds` before `now`, all of them when there are fewer.
    pub(super) fn last(&self, seconds: i64, now: Timestamp) -> Sum {
        let now = step::<STEP>(now);
        let first = now - (seconds / STEP).min(STEPS);
        self.0
            .range(first + 1..=now)
            .fold(Sum::default(), |sum, (_, told)| Sum { value: sum.value + told.value, count: sum.count + told.count })
    }

    /// The sum of all that is kept.
    pub(super) fn all(&self, now: Timestamp) -> Sum {
        self.last(STEP * STEPS, now)
    }
}

fn step<const STEP: i64>(at: Timestamp) -> i64 {
    at.micros().div_euclid(STEP * 1_000_000)
}
