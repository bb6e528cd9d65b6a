//! A series as a line of numbers: one value for each step of a window.

use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use chrono::TimeDelta;
use serde::Deserialize;

use super::Kind;
use super::rollup::{Rollup, step as rise};
use super::store::Slot;
use crate::clock::Timestamp;
use crate::error::Error;

/// Which number tells a step.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub enum Statistic {
    /// How many values.
    Count,
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The smallest.
    Min,
    /// The largest.
    Max,
    /// The one told last.
    Last,
    /// By how much a counter rose, or what a delta added.
    Increase,
    /// The same for each second.
    Rate,
    /// The value that this share of all values do not exceed.
    Quantile(f64),
}

impl Statistic {
    /// What one wants to see of a series when one does not say.
    pub fn of(kind: Kind) -> Self {
        match kind {
            Kind::Gauge | Kind::Distribution => Self::Mean,
            Kind::Counter | Kind::Delta => Self::Rate,
        }
    }
}

impl fmt::Display for Statistic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "count",
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::Min => "min",
            Self::Max => "max",
            Self::Last => "last",
            Self::Increase => "increase",
            Self::Rate => "rate",
            // Rounded, because 0.999 times 100 is not 99.9.
            Self::Quantile(share) => return write!(f, "p{}", (share * 1e8).round() / 1e6),
        })
    }
}

impl TryFrom<String> for Statistic {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|error: Error| error.in_a_line())
    }
}

impl FromStr for Statistic {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let percentile = || Some(text.strip_prefix('p')?.parse::<f64>().ok()? / 100.0);
        Ok(match text {
            "count" => Self::Count,
            "sum" => Self::Sum,
            "mean" => Self::Mean,
            "min" => Self::Min,
            "max" => Self::Max,
            "last" => Self::Last,
            "increase" => Self::Increase,
            "rate" => Self::Rate,
            _ => Self::Quantile(percentile().filter(|share| (0.0..=1.0).contains(share)).ok_or_else(|| {
                Error::invalid(format!("stat=\"{text}\" is no statistic")).hint(
                    "ask for count, sum, mean, min, max, last, increase, rate, or a percentile such as p50 or p99.9",
                )
            })?),
        })
    }
}

/// The statistic of each step of `window` that has values, by the time the step begins. Steps shorter than a slot are as
/// long as the slot.
#[expect(clippy::cast_precision_loss, reason = "seconds and counts are far below 2^53")]
pub fn steps(slots: &[Slot], window: &Range<Timestamp>, seconds: u32, statistic: Statistic) -> Vec<(Timestamp, f64)> {
    let mut values = Vec::new();
    let mut before: Option<f64> = None;
    let mut place = 0;
    while place < slots.len() {
        let first = &slots[place];
        let start = beginning(first.start, window.start, seconds);
        let mut whole = first.rollup.clone();
        let mut last = first;
        place += 1;
        while let Some(slot) = slots.get(place).filter(|slot| beginning(slot.start, window.start, seconds) == start) {
            let shift = u32::try_from(slot.start.since(first.start).num_milliseconds()).unwrap_or(u32::MAX);
            whole.merge(&slot.rollup, shift);
            last = slot;
            place += 1;
        }
        let covered = i64::from(last.tier.milliseconds() / 1_000).max(i64::from(seconds));
        values.extend(value(&whole, before, statistic, covered as f64).map(|value| (start, value)));
        if let Rollup::Total(total) = &whole {
            before = Some(total.last);
        }
    }
    values
}

/// The statistic of each slot that has it. A counter's rate is told over the time since its reading before, so that one
/// that is read less often than every minute has the same rate; its first reading has none.
pub fn each(slots: &[Slot], statistic: Statistic) -> Vec<(&Slot, f64)> {
    let mut before: Option<(Timestamp, f64)> = None;
    let told = slots.iter().filter_map(|slot| {
        let length = TimeDelta::milliseconds(i64::from(slot.tier.milliseconds()));
        let (reading, length) = match &slot.rollup {
            Rollup::Total(total) => {
                let (at, reading) = before.replace((slot.start, total.last)).unzip();
                if statistic == Statistic::Rate && at.is_none() {
                    return None;
                }
                let length = at.map_or(length, |at| slot.start.since(at));
                (reading, length)
            }
            Rollup::Values(_) => (None, length),
        };
        Some((slot, value(&slot.rollup, reading, statistic, length.as_seconds_f64().max(1.0))?))
    });
    told.collect()
}

/// The statistic of each minute that has values. The first reading of a counter does not tell by how much it rose.
pub fn minutes(slots: &[Slot], statistic: Statistic) -> Vec<(Timestamp, f64)> {
    let is_counter = slots.first().is_some_and(|first| matches!(first.rollup, Rollup::Total(_)));
    let untold = usize::from(is_counter && statistic == Statistic::Increase);
    each(slots, statistic).into_iter().skip(untold).map(|(slot, value)| (slot.start, value)).collect()
}

/// When the step that `at` lies in begins: steps are counted from the beginning of the window.
fn beginning(at: Timestamp, from: Timestamp, seconds: u32) -> Timestamp {
    let length = i64::from(seconds) * 1_000_000;
    let since = (at.micros() - from.micros()).div_euclid(length) * length;
    Timestamp::from_micros(from.micros() + since).unwrap_or(at)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn value(rollup: &Rollup, before: Option<f64>, statistic: Statistic, seconds: f64) -> Option<f64> {
    let increase = match rollup {
        Rollup::Total(total) => before.map_or(0.0, |before| rise(before, total.first)) + total.increase,
        Rollup::Values(values) => values.sum,
    };
    Some(match (statistic, rollup) {
        (Statistic::Increase, _) => increase,
        (Statistic::Rate, _) => increase / seconds,
        (Statistic::Last, Rollup::Total(total)) => total.last,
        (_, Rollup::Total(_)) => return None,
        (Statistic::Count, Rollup::Values(values)) => values.count as f64,
        (Statistic::Sum, Rollup::Values(values)) => values.sum,
        (Statistic::Mean, Rollup::Values(values)) => values.mean(),
        (Statistic::Min, Rollup::Values(values)) => values.min,
        (Statistic::Max, Rollup::Values(values)) => values.max,
        (Statistic::Last, Rollup::Values(values)) => values.last,
        (Statistic::Quantile(share), Rollup::Values(values)) => values.quantile(share),
    })
}
