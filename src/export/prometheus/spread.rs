//! How values were spread, ever and in the last minutes: values that are kept one by one, and buckets that count them.

use super::lives::Lives;
use super::series::{FRESH, before};
use super::totals::Histogram;
use crate::clock::{Timestamp, ago, minute_of};
use crate::error::Result;
use crate::measure::Kind;
use crate::measure::crossing::HOLDS;
use crate::measure::histogram::{Bucket, count_to, quantile};
use crate::measure::line::{Buckets, Kept, Line};
use crate::measure::read::{Statistic, each};
use crate::measure::rollup::Rollup;
use crate::measure::store::{Lifetime, SeriesStore, Slot};

const MINUTE_SECONDS: f64 = 60.0;

/// How all values of a line were spread; `factor` brings them to the unit of the bounds. `None` when there was no time left
/// to read them.
pub(super) fn spread(lives: &mut Lives<'_>, line: &Line, factor: f64, bounds: &[f64]) -> Result<Option<Histogram>> {
    let Buckets { bounds: parts, sum } = match &line.kept {
        Kept::Series(number) => return Ok(lives.read(*number)?.map(|life| of_values(&life, factor, bounds))),
        Kept::Buckets(buckets) => buckets,
    };
    let mut buckets = Vec::with_capacity(parts.len());
    for (bound, number) in parts {
        let Some(life) = lives.read(*number)? else { return Ok(None) };
        buckets.push(Bucket { bound: bound * factor, count: life.sum.max(0.0) });
    }
    let sum = match sum {
        None => 0.0,
        Some(number) => match lives.read(*number)? {
            None => return Ok(None),
            Some(life) => life.sum * factor,
        },
    };
    let counts = bounds.iter().map(|bound| whole_number(count_to(&buckets, *bound))).collect();
    Ok(Some(Histogram { counts, sum, count: whole_number(count_to(&buckets, f64::INFINITY)) }))
}

fn of_values(life: &Lifetime, factor: f64, bounds: &[f64]) -> Histogram {
    let counts = bounds.iter().map(|bound| life.sketch.count_to(bound / factor)).collect();
    Histogram { counts, sum: life.sum * factor, count: life.count }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, held at zero or above")]
fn whole_number(count: f64) -> u64 {
    count.round() as u64
}

/// The values of the last minutes.
pub(super) struct Recent {
    pub(super) count: f64,
    /// What they add up to, if that is told.
    pub(super) sum: Option<f64>,
    pub(super) median: Option<f64>,
    pub(super) p99: Option<f64>,
    /// How many came in the last 60 s.
    pub(super) last_minute: f64,
}

/// The values of a line in the last minutes, if there were any; `slots` are those of its number.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn recent(
    store: &SeriesStore,
    line: &Line,
    factor: f64,
    slots: &[Slot],
    now: Timestamp,
) -> Result<Option<Recent>> {
    let Buckets { bounds, sum } = match &line.kept {
        Kept::Series(_) => {
            let Some(Rollup::Values(values)) = whole(slots) else { return Ok(None) };
            return Ok(Some(Recent {
                count: values.count as f64,
                sum: Some(values.sum * factor),
                median: Some(values.quantile(0.50) * factor),
                p99: Some(values.quantile(0.99) * factor),
                last_minute: last_minute(slots, now, line.known.series.kind),
            }));
        }
        Kept::Buckets(buckets) => buckets,
    };
    let mut buckets = Vec::with_capacity(bounds.len());
    for (bound, number) in bounds {
        buckets.push(Bucket { bound: bound * factor, count: increase(store, *number, now)? });
    }
    let count = count_to(&buckets, f64::INFINITY);
    if count <= 0.0 {
        return Ok(None);
    }
    let sum = sum.map(|number| increase(store, number, now)).transpose()?;
    Ok(Some(Recent {
        count,
        sum: sum.map(|sum| sum * factor),
        median: quantile(0.50, &buckets),
        p99: quantile(0.99, &buckets),
        last_minute: last_minute(&since_before(store, line.number(), now)?, now, Kind::Counter),
    }))
}

/// By how much a counter rose in the last minutes, or what a delta added.
pub(super) fn increase(store: &SeriesStore, number: u32, now: Timestamp) -> Result<f64> {
    let from = ago(now, FRESH);
    let slots = since_before(store, number, now)?;
    Ok(each(&slots, Statistic::Increase).iter().filter(|(slot, _)| slot.start >= from).map(|(_, rise)| rise).sum())
}

/// The slots of the last minutes, and of some before them: a counter rises from the reading before.
fn since_before(store: &SeriesStore, number: u32, now: Timestamp) -> Result<Vec<Slot>> {
    store.slots(number, before(now, FRESH + HOLDS))
}

/// Slots as one.
pub(super) fn whole(slots: &[Slot]) -> Option<Rollup> {
    let (first, others) = slots.split_first()?;
    let mut whole = first.rollup.clone();
    for slot in others {
        let shift = slot.start.since(first.start).num_milliseconds();
        whole.merge(&slot.rollup, u32::try_from(shift).unwrap_or(u32::MAX));
    }
    Some(whole)
}

/// How many there were in the last 60 s: a part of this minute and the rest of the one before. A counter that is read less
/// often goes on as it did when it was last read.
pub(super) fn last_minute(slots: &[Slot], now: Timestamp, kind: Kind) -> f64 {
    let this = minute_of(now);
    let elapsed = (now.seconds() - this.seconds()) / MINUTE_SECONDS;
    if kind == Kind::Counter {
        let rates = each(slots, Statistic::Rate);
        let (latest, before) = (rates.last(), rates.iter().rev().find(|(slot, _)| slot.start < this));
        let rate = |told: Option<&(&Slot, f64)>| told.or(latest).map_or(0.0, |(_, rate)| *rate);
        return MINUTE_SECONDS * (rate(latest) * elapsed + rate(before) * (1.0 - elapsed));
    }
    let statistic = if kind == Kind::Distribution { Statistic::Count } else { Statistic::Sum };
    let share = |start: Timestamp| match this.since(start).num_seconds() {
        ..=0 => 1.0,
        60 => 1.0 - elapsed,
        _ => 0.0,
    };
    each(slots, statistic).into_iter().map(|(slot, count)| count * share(slot.start)).sum()
}
