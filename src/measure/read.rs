//! A series as a line of numbers: one value for each step of a window.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use serde::Deserialize;

use super::Kind;
use super::rollup::{Rollup, Values, step as rise};
use super::store::Slot;
use crate::clock::{Timestamp, minute_of};
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
/// long as the slot. A counter's rate is told over the time since its reading before, so that one that is read less often
/// than every step has the same rate; its first reading alone has none. The rate of other values is told over the minutes
/// of the step that the window leaves whole: the one that is not over yet has none.
pub fn steps(slots: &[Slot], window: &Range<Timestamp>, seconds: u32, statistic: Statistic) -> Vec<(Timestamp, f64)> {
    let mut steps = Steps::new(window, seconds, statistic);
    steps.take(slots);
    steps.values
}

/// [`steps`] of slots that come in parts.
pub struct Steps {
    from: Timestamp,
    /// End of the last whole minute.
    until: Timestamp,
    seconds: u32,
    teller: Teller,
    /// Those so far.
    pub values: Vec<(Timestamp, f64)>,
}

impl Steps {
    /// Of so many seconds each, counted from the beginning of `window`.
    pub fn new(window: &Range<Timestamp>, seconds: u32, statistic: Statistic) -> Self {
        let teller = Teller { statistic, before: None };
        Self { from: window.start, until: minute_of(window.end), seconds, teller, values: Vec::new() }
    }

    /// Adds the steps of slots that follow those before; parts begin where a step does.
    pub fn take(&mut self, slots: &[Slot]) {
        let (is_rate, until) = (self.teller.statistic == Statistic::Rate, self.until);
        let is_told = |slot: &&Slot| !is_rate || slot.start < until || matches!(slot.rollup, Rollup::Total(_));
        let mut slots = slots.iter().take_while(is_told).peekable();
        while let Some(first) = slots.next() {
            let start = beginning(first.start, self.from, self.seconds);
            let end_micros = start.micros() + i64::from(self.seconds) * 1_000_000;
            let mut step = self.teller.begin(first);
            let mut tier = first.tier;
            while let Some(slot) = slots.next_if(|slot| slot.start.micros() < end_micros) {
                step.add(slot, first.start);
                tier = slot.tier;
            }
            // The minute that a step begins within is of the step before.
            let covered = (minute_from(end_micros).min(until.micros()) - minute_from(start.micros())) / 1_000_000;
            let seconds = u32::try_from(covered).unwrap_or_default().max(tier.milliseconds() / 1_000);
            self.values.extend(self.teller.tell(&step, seconds).map(|value| (start, value)));
        }
    }
}

/// The statistic of each slot that has it.
pub fn each(slots: &[Slot], statistic: Statistic) -> Vec<(&Slot, f64)> {
    let mut teller = Teller { statistic, before: None };
    let told = slots.iter().filter_map(|slot| {
        let step = teller.begin(slot);
        Some((slot, teller.tell(&step, slot.tier.milliseconds() / 1_000)?))
    });
    told.collect()
}

/// The statistic of each minute that has values. What a counter rose by before its first reading is not known.
pub fn minutes(slots: &[Slot], statistic: Statistic) -> Vec<(Timestamp, f64)> {
    let is_counter = slots.first().is_some_and(|first| matches!(first.rollup, Rollup::Total(_)));
    let untold = usize::from(is_counter && statistic == Statistic::Increase);
    each(slots, statistic).into_iter().skip(untold).map(|(slot, value)| (slot.start, value)).collect()
}

/// Tells a statistic of one step after the other; it remembers where a counter stood.
struct Teller {
    statistic: Statistic,
    before: Option<Reading>,
}

impl Teller {
    fn begin<'a>(&self, slot: &'a Slot) -> Step<'a> {
        match &slot.rollup {
            Rollup::Total(total) => {
                let since = self.before.unwrap_or(Reading::of(slot.start, total.first, total.first_at));
                let mut step = Step::Counter { since, now: since, increase: 0.0 };
                step.add(slot, slot.start);
                step
            }
            Rollup::Values(values) => Step::Values(Cow::Borrowed(values)),
        }
    }

    fn tell(&mut self, step: &Step<'_>, seconds: u32) -> Option<f64> {
        match step {
            Step::Counter { since, now, increase } => {
                self.before = Some(*now);
                of_counter(self.statistic, now.value, *increase, now.since(*since))
            }
            Step::Values(values) => Some(of_values(self.statistic, values, f64::from(seconds))),
        }
    }
}

/// What the slots of a step tell together.
enum Step<'a> {
    Counter { since: Reading, now: Reading, increase: f64 },
    Values(Cow<'a, Values>),
}

impl Step<'_> {
    /// Adds a slot that follows those before, the first of which began at `start`.
    fn add(&mut self, slot: &Slot, start: Timestamp) {
        match (self, &slot.rollup) {
            (Self::Counter { now, increase, .. }, Rollup::Total(total)) => {
                *increase += rise(now.value, total.first) + total.increase;
                *now = Reading::of(slot.start, total.last, total.last_at);
            }
            (Self::Values(whole), Rollup::Values(values)) => {
                let shift = slot.start.since(start).num_milliseconds();
                whole.to_mut().merge(values, u32::try_from(shift).unwrap_or(u32::MAX));
            }
            // A series has one kind, so its roll-ups have one form.
            _ => {}
        }
    }
}

/// A counter as it was read once.
#[derive(Debug, Clone, Copy)]
struct Reading {
    /// Milliseconds since 1970.
    at: i64,
    value: f64,
}

impl Reading {
    fn of(start: Timestamp, value: f64, offset: u32) -> Self {
        Self { at: start.micros() / 1_000 + i64::from(offset), value }
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of a window are far below 2^53")]
    fn since(self, earlier: Self) -> f64 {
        (self.at - earlier.at) as f64 / 1e3
    }
}

/// When the first whole minute from then on begins.
fn minute_from(micros: i64) -> i64 {
    micros + (-micros).rem_euclid(60_000_000)
}

/// When the step that `at` lies in begins: steps are counted from the beginning of the window.
fn beginning(at: Timestamp, from: Timestamp, seconds: u32) -> Timestamp {
    let length = i64::from(seconds) * 1_000_000;
    let since = (at.micros() - from.micros()).div_euclid(length) * length;
    Timestamp::from_micros(from.micros() + since).unwrap_or(at)
}

fn of_counter(statistic: Statistic, last: f64, increase: f64, seconds: f64) -> Option<f64> {
    match statistic {
        Statistic::Increase => Some(increase),
        Statistic::Rate => (seconds > 0.0).then(|| increase / seconds),
        Statistic::Last => Some(last),
        _ => None,
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn of_values(statistic: Statistic, values: &Values, seconds: f64) -> f64 {
    match statistic {
        Statistic::Count => values.count as f64,
        Statistic::Sum | Statistic::Increase => values.sum,
        Statistic::Rate => values.sum / seconds,
        Statistic::Mean => values.mean(),
        Statistic::Min => values.min,
        Statistic::Max => values.max,
        Statistic::Last => values.last,
        Statistic::Quantile(share) => values.quantile(share),
    }
}
