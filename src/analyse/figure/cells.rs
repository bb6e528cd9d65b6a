//! A window of series as equally long cells, each with one number.

use std::ops::Range;

use chrono::TimeDelta;

use super::Line;
use crate::clock::{Timestamp, minute_of};
use crate::measure::Kind;
use crate::measure::read::{Statistic, steps};
use crate::measure::rollup::Rollup;
use crate::measure::store::Slot;

/// The shortest cell, in seconds.
pub(super) const MINUTE: u32 = 60;
/// Most cells of a window.
const CELLS_MAX: i64 = 4_320;

/// The mean of each cell that has values; of counters and deltas, their rate.
pub(super) struct Cells {
    start: Timestamp,
    /// How long each is.
    pub(super) seconds: u32,
    pub(super) means: Vec<Option<f64>>,
}

impl Cells {
    /// Cells of `seconds`, or so long that there are not too many of them, and that each holds a slot.
    pub(super) fn of(lines: &[Line], kind: Kind, window: Range<Timestamp>, seconds: u32) -> Self {
        // Series are told by the minute, so what happened in one happened at its beginning.
        let window = minute_of(window.start)..window.end;
        let within = |slot: &&Slot| window.contains(&slot.start);
        let slots = || lines.iter().flat_map(|line| line.slots.iter().filter(within));
        let longest = slots().map(|slot| slot.tier.milliseconds() / 1_000).max().unwrap_or(MINUTE);
        let length = window.end.since(window.start).num_seconds().max(1);
        let bounded = (length / CELLS_MAX / i64::from(MINUTE) + 1) * i64::from(MINUTE);
        let seconds =
            if length / i64::from(seconds) < CELLS_MAX { seconds } else { u32::try_from(bounded).unwrap_or(u32::MAX) };
        let mut cells = Self { start: window.start, seconds: seconds.max(longest), means: Vec::new() };
        let count = (length - 1) / i64::from(cells.seconds) + 1;
        cells.means = vec![None; usize::try_from(count).unwrap_or_default()];
        match kind {
            Kind::Counter => cells.add_counters(lines, &window),
            _ => cells.add_values(slots().map(|slot| (slot.start, &slot.rollup)), kind),
        }
        cells
    }

    fn add_counters(&mut self, lines: &[Line], window: &Range<Timestamp>) {
        for line in lines {
            let place = |time: Timestamp| line.slots.partition_point(|slot| slot.start < time);
            let slots = &line.slots[place(window.start)..place(window.end)];
            for (time, rate) in steps(slots, window, self.seconds, Statistic::Rate) {
                if let Some(cell) = self.place(time).and_then(|place| self.means.get_mut(place)) {
                    *cell = Some(cell.unwrap_or_default() + rate);
                }
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn add_values<'a>(&mut self, slots: impl Iterator<Item = (Timestamp, &'a Rollup)>, kind: Kind) {
        let mut sums = vec![(0.0, 0_u64); self.means.len()];
        for (start, rollup) in slots {
            let Rollup::Values(values) = rollup else { continue };
            if let Some(sum) = self.place(start).and_then(|place| sums.get_mut(place)) {
                *sum = (sum.0 + values.sum, sum.1 + values.count);
            }
        }
        let seconds = f64::from(self.seconds);
        let told = |(sum, count): (f64, u64)| if kind == Kind::Delta { sum / seconds } else { sum / count as f64 };
        self.means = sums.into_iter().map(|sum| (sum.1 > 0).then(|| told(sum))).collect();
    }

    fn place(&self, time: Timestamp) -> Option<usize> {
        usize::try_from(time.since(self.start).num_seconds() / i64::from(self.seconds)).ok()
    }

    fn time(&self, place: usize) -> Timestamp {
        let seconds = i64::try_from(place).unwrap_or(i64::MAX).saturating_mul(i64::from(self.seconds));
        self.start.checked_add(TimeDelta::seconds(seconds)).unwrap_or(Timestamp::MAX)
    }

    /// Cells with values, by the time they begin.
    pub(super) fn known(&self) -> impl Iterator<Item = (Timestamp, f64)> {
        self.means.iter().enumerate().filter_map(|(place, value)| Some((self.time(place), (*value)?)))
    }

    /// Cells with values, by seconds since the start.
    pub(super) fn points(&self) -> Vec<(f64, f64)> {
        self.known().map(|(time, value)| (time.since(self.start).as_seconds_f64(), value)).collect()
    }

    /// The cells that end before a moment or at it, and those that begin then or later.
    pub(super) fn split(&self, at: Timestamp) -> (&[Option<f64>], &[Option<f64>]) {
        let place = self.place(at).unwrap_or_default().min(self.means.len());
        let (before, rest) = self.means.split_at(place);
        (before, if self.time(place) < at { rest.get(1..).unwrap_or_default() } else { rest })
    }

    /// How many of the times lie in each cell.
    pub(super) fn counts(&self, times: &[Timestamp]) -> Vec<f64> {
        let mut counts = vec![0.0; self.means.len()];
        for time in times {
            if let Some(count) = self.place(*time).and_then(|place| counts.get_mut(place)) {
                *count += 1.0;
            }
        }
        counts
    }
}
