//! Where a series that told values all the time told none.

use chrono::TimeDelta;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::measure::store::{Slot, Tier};

/// No value for longer than this is silence.
pub const SILENCE: TimeDelta = TimeDelta::minutes(5);
/// A series is regular while its values come no farther apart.
pub const REGULAR: TimeDelta = TimeDelta::minutes(2);
/// So many minutes with values in a row show that it is.
const REGULAR_MIN: usize = 10;
/// Gaps of one answer; the latest are told.
pub const GAPS_MAX: usize = 100;

/// A time without values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Gap {
    /// The last value before it.
    pub from: Timestamp,
    /// The minute of the next value; nothing while there is none.
    pub to: Option<Timestamp>,
    /// naze did not run meanwhile, so that nobody can tell; [`Runs`] know.
    pub naze_down: bool,
}

/// When naze ran: a run after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Runs(Vec<(Timestamp, Timestamp)>);

impl Runs {
    /// By the minutes in which it said that it runs.
    pub fn of(slots: &[Slot]) -> Self {
        let mut runs: Vec<(Timestamp, Timestamp)> = Vec::new();
        for slot in slots {
            match runs.last_mut() {
                Some((_, until)) if slot.start.since(*until) <= REGULAR => *until = slot.last_at(),
                _ => runs.push((slot.start, slot.last_at())),
            }
        }
        Self(runs)
    }

    /// Since when it has been running without a break, if it runs at `now`.
    pub fn up_since(&self, now: Timestamp) -> Option<Timestamp> {
        let (since, until) = self.0.last()?;
        (now.since(*until) <= REGULAR).then_some(*since)
    }

    /// When the run before the present one ended.
    pub fn ended_before(&self) -> Option<Timestamp> {
        let [.., (_, until), _] = &self.0[..] else { return None };
        Some(*until)
    }

    /// Was it down for all of a time, but for what is no silence?
    pub fn was_down(&self, from: Timestamp, to: Timestamp) -> bool {
        let edges = self.0.windows(2).map(|pair| (Some(pair[0].1), Some(pair[1].0)));
        let before_the_first = self.0.first().map(|(since, _)| (None, Some(*since)));
        let after_the_last = self.0.last().map(|(_, until)| (Some(*until), None));
        let always = self.0.is_empty().then_some((None, None));
        let mut downs = edges.chain(before_the_first).chain(after_the_last).chain(always);
        let is_near = |one: Timestamp, other: Timestamp| one.since(other) <= SILENCE;
        downs.any(|(down, up)| {
            let is_apart = down.is_none_or(|down| down < to) && up.is_none_or(|up| up > from);
            is_apart && down.is_none_or(|down| is_near(down, from)) && up.is_none_or(|up| is_near(to, up))
        })
    }
}

/// The gaps of a series up to `now`, oldest first. Only minutes can tell of them.
pub fn gaps(slots: &[Slot], now: Timestamp) -> Vec<Gap> {
    let mut listener = Listener::default();
    listener.hear(slots);
    listener.gaps(now)
}

/// Finds the gaps of a series whose slots come in parts.
#[derive(Default)]
pub struct Listener {
    /// The last value.
    last_at: Option<Timestamp>,
    /// Minutes with values up to it.
    in_a_row: usize,
    gaps: Vec<Gap>,
}

impl Listener {
    /// Hears slots that follow those before.
    pub fn hear(&mut self, slots: &[Slot]) {
        for slot in slots.iter().filter(|slot| slot.tier == Tier::Minute) {
            self.silent_until(slot.start, Some(slot.start));
            self.last_at = Some(slot.last_at());
            self.in_a_row += 1;
        }
    }

    /// The gaps up to `now`, oldest first.
    pub fn gaps(mut self, now: Timestamp) -> Vec<Gap> {
        self.silent_until(now, None);
        self.gaps.drain(..self.gaps.len().saturating_sub(GAPS_MAX));
        self.gaps
    }

    /// From the last value until then there was none.
    fn silent_until(&mut self, until: Timestamp, to: Option<Timestamp>) {
        let Some(from) = self.last_at else { return };
        let silent = until.since(from);
        if silent > SILENCE && self.in_a_row >= REGULAR_MIN {
            self.gaps.push(Gap { from, to, naze_down: false });
        }
        if silent > REGULAR {
            self.in_a_row = 0;
        }
    }
}

/// Since when a series has been silent while naze could hear it.
pub fn stalled_since(slots: &[Slot], now: Timestamp, runs: &Runs) -> Option<Timestamp> {
    let up_since = runs.up_since(now)?;
    let last = gaps(slots, now).pop().filter(|gap| gap.to.is_none())?;
    (now.since(last.from.max(up_since)) > SILENCE).then_some(last.from)
}
