//! Failures as a series: how many there were in a minute, by component and type, so that thresholds can be of them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;

use super::{Engine, SELF};
use crate::clock::{Timestamp, ago, minute_of};
use crate::error::Result;
use crate::measure::own::FAILURES;
use crate::measure::{Kind, Point, Samples, Series};
use crate::receipt::Receipt;
use crate::record::Window;

/// The label that tells the type.
const TYPE: &str = "type";
/// Component and type.
type Sort = (String, String);

/// A failure as it is counted.
pub(super) struct Failed {
    sort: Sort,
    minute: Timestamp,
    count: f64,
}

impl Failed {
    /// What the receipt tells, if it tells a failure that was not told before.
    pub(super) fn of(receipt: &Receipt) -> Option<Self> {
        if receipt.kind() != "failure" || receipt.first("supersedes").is_some() {
            return None;
        }
        let sort = (receipt.component()?.to_owned(), receipt.text("failureType")?.to_owned());
        let count = receipt.number("count").unwrap_or(1.0);
        Some(Self { sort, minute: minute_of(receipt.occurred_at()?), count })
    }
}
/// Sorts that are counted between two rounds; more are left out, as labels have fewer values anyway.
const SORTS_MAX: usize = 10_000;
/// Without a series of failures those of so long are counted: they are not new.
const PAST: TimeDelta = TimeDelta::days(7);
/// Receipts that are read at a start.
const RECEIPTS_MAX: usize = 100_000;
const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// What was not put into series yet.
#[derive(Default)]
pub(super) struct Failures(Mutex<Counting>);

#[derive(Default)]
struct Counting {
    /// How many there were in each minute.
    counts: BTreeMap<Sort, BTreeMap<Timestamp, f64>>,
    /// The last minute of those that failed lately: the one after it is told as one without.
    failing: BTreeMap<Sort, Timestamp>,
    /// Were those counted that are recorded since the series ended?
    is_caught_up: bool,
}

impl Counting {
    fn add(&mut self, failed: Failed) {
        if self.counts.len() < SORTS_MAX || self.counts.contains_key(&failed.sort) {
            let minutes = self.counts.entry(failed.sort).or_default();
            *minutes.entry(failed.minute).or_default() += failed.count;
        }
    }

    /// What is known by now, with a zero after the last failures of each sort once that minute is over.
    fn take(&mut self, now: Timestamp) -> BTreeMap<Sort, BTreeMap<Timestamp, f64>> {
        let mut counts = std::mem::take(&mut self.counts);
        for (sort, minutes) in &counts {
            let last = minutes.last_key_value().map(|(last, _)| *last);
            let known = self.failing.get(sort).copied();
            self.failing.extend(last.max(known).map(|last| (sort.clone(), last)));
        }
        let over = |minute: Timestamp| minute.checked_add(MINUTE).filter(|next| *next < minute_of(now));
        for (sort, minute) in self.failing.extract_if(.., |_, minute| over(*minute).is_some()) {
            counts.entry(sort).or_default().extend(over(minute).map(|next| (next, 0.0)));
        }
        counts
    }
}

impl Failures {
    /// Counts what was recorded; before the first round nothing, which finds it in the index.
    pub(super) fn count(&self, recorded: impl Iterator<Item = Failed>) {
        let mut counting = self.counting();
        if counting.is_caught_up {
            recorded.for_each(|failed| counting.add(failed));
        }
    }

    fn counting(&self) -> MutexGuard<'_, Counting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Puts what was counted into series.
    ///
    /// # Errors
    /// `Unavailable` when the recorder is overloaded, `Internal` when the disk fails; then it is not counted.
    pub(super) fn keep_failures(&self, now: Timestamp) -> Result<()> {
        let is_caught_up = std::mem::replace(&mut self.failures.counting().is_caught_up, true);
        if !is_caught_up {
            self.catch_up_failures(now).inspect_err(|_| self.failures.counting().is_caught_up = false)?;
        }
        let counts = self.failures.counting().take(now);
        let samples: Vec<Samples> = counts.into_iter().map(samples).collect();
        if samples.is_empty() { Ok(()) } else { self.measure(SELF, samples).map(drop) }
    }

    /// After a start: failures since the series ended, and which sorts were failing then.
    fn catch_up_failures(&self, now: Timestamp) -> Result<()> {
        let mut ended = None;
        let mut failing = BTreeMap::new();
        for (number, known) in self.series(|series| series.metric == FAILURES) {
            let Some(last) = self.minutes_of(number, ago(now, PAST)..now)?.pop() else { continue };
            ended = ended.max(Some(last.start));
            let of_type = known.series.labels.get(TYPE).cloned().unwrap_or_default();
            failing.insert((known.series.component.clone(), of_type), last.start);
        }
        let from = ended.and_then(|ended| ended.checked_add(MINUTE)).unwrap_or(ago(now, PAST));
        let (found, _) = self.index.of_kinds(&["failure"], Window { from, to: now }, RECEIPTS_MAX)?;
        let mut counting = self.failures.counting();
        found.iter().filter_map(|recorded| Failed::of(&recorded.receipt)).for_each(|failed| counting.add(failed));
        counting.failing = failing;
        Ok(())
    }
}

fn samples(((component, of_type), minutes): (Sort, BTreeMap<Timestamp, f64>)) -> Samples {
    let labels = [(TYPE.to_owned(), of_type)].into();
    let series = Series { metric: FAILURES.to_owned(), component, kind: Kind::Delta, labels };
    let points = minutes.into_iter().map(|(at, count)| Point::once(at, count)).collect();
    Samples { series, unit: Some("1".to_owned()), points }
}
