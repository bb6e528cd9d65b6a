//! Series as slices of a minute: what was good in each, out of all of it.

use std::ops::Range;

use chrono::TimeDelta;

use super::Count;
use crate::clock::Timestamp;
use crate::measure::Kind;
use crate::measure::read::{Statistic, each};
use crate::measure::rollup::Rollup;
use crate::measure::store::Slot;
use crate::slo::Threshold;

const MINUTE_MICROS: i64 = 60_000_000;
/// Silence of so many minutes lies between two samples; more of it is a gap.
const SILENCE_MINUTES: usize = 5;

/// What is known of each minute of a frame.
pub type Minutes<T> = Vec<Option<T>>;

/// Minutes side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Frame {
    /// When the first begins.
    pub start: Timestamp,
    /// How many.
    pub minutes: usize,
}

impl Frame {
    /// The whole minutes that `window` touches.
    pub fn of(window: &Range<Timestamp>) -> Self {
        let first = window.start.micros().div_euclid(MINUTE_MICROS);
        let end = (window.end.micros() + MINUTE_MICROS - 1).div_euclid(MINUTE_MICROS);
        let start = Timestamp::from_micros(first * MINUTE_MICROS).unwrap_or(Timestamp::MIN);
        Self { start, minutes: usize::try_from(end - first).unwrap_or_default() }
    }

    /// When the last minute ends.
    pub fn end(&self) -> Timestamp {
        let length = TimeDelta::minutes(i64::try_from(self.minutes).unwrap_or_default());
        self.start.checked_add(length).unwrap_or(Timestamp::MAX)
    }

    /// The minutes of a window, as far as they are in the frame.
    pub fn places(&self, window: &Range<Timestamp>) -> Range<usize> {
        let other = Self::of(window);
        let place = |time: Timestamp| {
            let minutes = (time.micros() - self.start.micros()).div_euclid(MINUTE_MICROS).max(0);
            usize::try_from(minutes).unwrap_or(self.minutes).min(self.minutes)
        };
        place(other.start)..place(other.end())
    }

    /// The minutes of a slot.
    fn minutes_of(&self, slot: &Slot) -> Range<usize> {
        let length = TimeDelta::milliseconds(i64::from(slot.tier.milliseconds()));
        self.places(&(slot.start..slot.start.checked_add(length).unwrap_or(Timestamp::MAX)))
    }

    /// One number for each minute; that of an hour holds for all its minutes, and the last one until the next sample.
    pub fn levels(&self, slots: &[Slot], statistic: Statistic) -> Minutes<f64> {
        self.levels_of(each(slots, statistic))
    }

    /// The same of numbers that were worked out for slots.
    pub fn levels_of(&self, told: Vec<(&Slot, f64)>) -> Minutes<f64> {
        let mut levels = vec![None; self.minutes];
        for (slot, value) in told {
            levels[self.minutes_of(slot)].fill(Some(value));
        }
        bridge(&mut levels, |level| level);
        levels
    }

    /// How many events each minute had, those of an hour all in its first. Slots from before the frame say where a
    /// counter stood.
    pub fn events(&self, slots: &[Slot], kind: Kind) -> Minutes<f64> {
        let statistic = if kind == Kind::Distribution { Statistic::Count } else { Statistic::Increase };
        let mut events = vec![None; self.minutes];
        for (slot, count) in each(slots, statistic) {
            self.add(&mut events, slot, if slot.start < self.start { 0.0 } else { count }, |a, b| a + b);
        }
        bridge(&mut events, |_| 0.0);
        events
    }

    /// The values of a distribution: good ones out of all.
    pub fn values(&self, slots: &[Slot], threshold: Threshold) -> Minutes<Count> {
        let mut counts = vec![None; self.minutes];
        for slot in slots.iter().filter(|slot| slot.start >= self.start) {
            if let Rollup::Values(values) = &slot.rollup {
                self.add(&mut counts, slot, threshold.count(values), |a, b| [a, b].into_iter().sum());
            }
        }
        bridge(&mut counts, |_| Count::default());
        counts
    }

    fn add<T: Copy + Default>(&self, sums: &mut [Option<T>], slot: &Slot, more: T, plus: impl Fn(T, T) -> T) {
        let places = self.minutes_of(slot);
        let first = places.start;
        for place in places {
            let sum = sums[place].unwrap_or_default();
            sums[place] = Some(if place == first { plus(sum, more) } else { sum });
        }
    }

    /// Slices of so many minutes each, by the clock; one is a gap when all of its minutes are.
    pub fn slices(&self, minutes: &[Option<Count>], length: usize) -> Vec<Option<Count>> {
        let before = usize::try_from(self.start.micros() / MINUTE_MICROS).unwrap_or_default() % length;
        let (first, rest) = minutes.split_at((length - before).min(minutes.len()));
        let sum = |slice: &[Option<Count>]| {
            slice.iter().any(Option::is_some).then(|| slice.iter().flatten().copied().sum::<Count>())
        };
        std::iter::once(first).chain(rest.chunks(length)).filter(|slice| !slice.is_empty()).map(sum).collect()
    }
}

/// Adds what another series tells of the same minutes.
pub fn add<T: Copy>(sums: &mut [Option<T>], more: &[Option<T>], plus: impl Fn(T, T) -> T) {
    for (sum, more) in sums.iter_mut().zip(more) {
        *sum = match (*sum, *more) {
            (Some(sum), Some(more)) => Some(plus(sum, more)),
            (sum, more) => sum.or(more),
        };
    }
}

/// Fills short silence after a sample.
fn bridge<T: Copy>(minutes: &mut [Option<T>], fill: impl Fn(T) -> T) {
    let mut place = 0;
    while place < minutes.len() {
        let silence = minutes[place..].iter().take_while(|minute| minute.is_none()).count();
        let before = place.checked_sub(1).and_then(|before| minutes[before]);
        if silence <= SILENCE_MINUTES && before.is_some() {
            minutes[place..place + silence].fill(before.map(&fill));
        }
        place += silence.max(1);
    }
}
