//! An objective that is missed again and again: always, or at certain times, and what can be done about it.

use std::collections::BTreeMap;

use chrono::{Datelike as _, Timelike as _, Weekday};
use serde::{Serialize, Serializer};

use super::{Count, check_target};
use crate::clock::Timestamp;
use crate::error::Result;

/// When it is missed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pattern {
    /// In most periods.
    Constant,
    /// At one hour of the day, UTC.
    Hour(u32),
    /// On one day of the week, UTC.
    Weekday(#[serde(serialize_with = "name")] Weekday),
}

/// A chronic miss.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Chronic {
    /// Periods that missed the target.
    pub missed: usize,
    /// Periods with a measurement.
    pub of: usize,
    /// When they are.
    pub pattern: Pattern,
    /// The highest lower target that most periods would have met.
    pub sustainable: Option<f64>,
    /// What can be done, in order.
    pub advice: Vec<String>,
}

/// Misses that make a habit.
const MISSES_MIN: usize = 3;
/// Share of periods that is "most".
const MOST: f64 = 0.8;
/// Share of missed periods from which misses are constant.
const CONSTANT_FROM: f64 = 0.5;
/// Targets people choose.
const LADDER: [f64; 10] = [0.9999, 0.9995, 0.999, 0.995, 0.99, 0.98, 0.97, 0.95, 0.90, 0.80];

/// Judges past periods, each with its beginning. Their order does not matter; those without events say nothing.
pub fn chronic(target: f64, periods: &[(Timestamp, Count)]) -> Result<Option<Chronic>> {
    check_target(target)?;
    let known: Vec<(Timestamp, f64)> =
        periods.iter().filter_map(|(from, count)| Some((*from, count.ratio()?))).collect();
    let missed: Vec<Timestamp> = known.iter().filter(|(_, ratio)| *ratio < target).map(|(from, _)| *from).collect();
    if missed.len() < MISSES_MIN {
        return Ok(None);
    }
    let all: Vec<Timestamp> = known.iter().map(|(from, _)| *from).collect();
    let pattern = if share(missed.len(), all.len()) >= CONSTANT_FROM {
        Some(Pattern::Constant)
    } else {
        let hour = standing_out(&all, &missed, |time| time.utc().hour()).map(Pattern::Hour);
        let day = || standing_out(&all, &missed, |time| time.utc().weekday().num_days_from_monday());
        hour.or_else(|| day().and_then(|day| Weekday::try_from(u8::try_from(day).ok()?).ok()).map(Pattern::Weekday))
    };
    Ok(pattern.map(|pattern| {
        let would_do = |lower: &&f64| {
            **lower < target && share(known.iter().filter(|(_, ratio)| ratio >= *lower).count(), known.len()) >= MOST
        };
        let sustainable = LADDER.iter().find(would_do).copied();
        let advice = advice(pattern, target, sustainable);
        Chronic { missed: missed.len(), of: known.len(), pattern, sustainable, advice }
    }))
}

/// The group of periods that has most misses and mostly misses.
fn standing_out(all: &[Timestamp], missed: &[Timestamp], group: impl Fn(&Timestamp) -> u32) -> Option<u32> {
    let sizes = |times: &[Timestamp]| {
        times.iter().fold(BTreeMap::<u32, usize>::new(), |mut sizes, time| {
            *sizes.entry(group(time)).or_default() += 1;
            sizes
        })
    };
    let of = sizes(all);
    sizes(missed).into_iter().find_map(|(group, count)| {
        let stands_out = count >= MISSES_MIN && share(count, missed.len()) >= MOST && share(count, of[&group]) >= MOST;
        stands_out.then_some(group)
    })
}

fn advice(pattern: Pattern, target: f64, sustainable: Option<f64>) -> Vec<String> {
    let improve = match pattern {
        Pattern::Constant => "improve the system: the objective is missed most of the time, so look for a bottleneck \
                              that is always there"
            .to_owned(),
        Pattern::Hour(hour) => format!("improve the system: look for what runs at {hour:02}:00 UTC"),
        Pattern::Weekday(day) => format!("improve the system: look for what is different on {day} (UTC)"),
    };
    let revise = match sustainable {
        Some(lower) => {
            format!("or enlarge the budget: a target of {lower} in place of {target} was met most of the time")
        }
        None => format!("or revise the objective: no usual target below {target} was met most of the time"),
    };
    vec![improve, revise]
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 periods")]
fn share(part: usize, of: usize) -> f64 {
    part as f64 / of as f64
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
fn name<S: Serializer>(day: &Weekday, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}
