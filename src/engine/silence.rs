//! Series that fell silent: told of each that is shown, and of a component that tells nothing any more.

use std::collections::HashMap;
use std::iter;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::TimeDelta;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};

use super::{Engine, Line, SELF};
use crate::analyse::silence::{Gap, Listener, REGULAR, Runs, SILENCE, gaps, stalled_since};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::measure::own::{SAMPLE_AGE, UP};
use crate::measure::read::{Statistic, Steps};
use crate::measure::store::{Known, Slot};
use crate::measure::{Kind, Point, Samples, Series};

/// How far back naze looks for when it ran and for the last value of a series.
const LOOKBACK: TimeDelta = TimeDelta::hours(24);
/// Before its last value a series has to be regular for some time.
const BEFORE: TimeDelta = TimeDelta::minutes(30);
const MINUTE: TimeDelta = TimeDelta::minutes(1);
/// The age of a component's last sample is told from silence on for so long, and when there is another.
const TOLD_UNTIL: TimeDelta = TimeDelta::hours(1);

type Values = Vec<(Timestamp, f64)>;

/// A window is read in parts of so many seconds, which fit a processor's cache,
const PART_SECONDS: i64 = 7 * 86_400;
/// or longer ones: from the year 1 on there would be too many.
const PARTS_MAX: i64 = 100;

/// What is known of the components that tell samples.
#[derive(Default)]
pub(super) struct Heard(Mutex<Hearing>);

#[derive(Default)]
struct Hearing {
    components: HashMap<String, Component>,
    is_caught_up: bool,
}

#[derive(Default)]
struct Component {
    /// The last minute with a sample.
    newest: Option<Timestamp>,
    /// It told samples while they were fresh.
    is_live: bool,
    /// It is late, and this is whether it used to be regular.
    late: Option<bool>,
}

impl Heard {
    fn hearing(&self) -> MutexGuard<'_, Hearing> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// When naze ran in the time before `now` that matters.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn runs(&self, now: Timestamp) -> Result<Runs> {
        self.runs_in(ago(now, LOOKBACK)..after(now, MINUTE))
    }

    fn runs_in(&self, window: Range<Timestamp>) -> Result<Runs> {
        let own = self.series(|series| series.metric == UP && series.component == SELF);
        own.first().map_or(Ok(Runs::default()), |(number, _)| Ok(Runs::of(&self.minutes_of(*number, window)?)))
    }

    /// Since when a line has been silent, though naze runs; `runs` are those up to `now`.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn stalled_since(&self, line: &Line, now: Timestamp, runs: &Runs) -> Result<Option<Timestamp>> {
        if line.known.series.is_own() || runs.up_since(now).is_none() {
            return Ok(None);
        }
        let number = line.number();
        let last = self.watched(number)?.seen.unwrap_or(ago(now, LOOKBACK)).min(now);
        let slots = self.minutes_of(number, ago(last, BEFORE)..after(now, MINUTE))?;
        Ok(stalled_since(&slots, now, runs))
    }

    /// What [`Engine::values`] tells of a window, and the gaps of the line in it. Reads on rayon's threads, so call it
    /// from a thread that may block.
    ///
    /// # Errors
    /// As [`Engine::values`].
    pub fn values_and_gaps(
        &self,
        line: &Line,
        window: &Range<Timestamp>,
        step: u32,
        statistic: Option<Statistic>,
    ) -> Result<(Values, Vec<Gap>)> {
        let until = window.end.min(self.clock.now());
        let mut listener = Listener::default();
        let mut steps = Steps::new(window, step, statistic.unwrap_or(line.statistic()));
        let before = ago(window.start, BEFORE)..window.start;
        let parts: Vec<Range<Timestamp>> = iter::once(before).chain(parts(window, step)).collect();
        // Read once for both, and side by side: a month of minutes is most of what a trend costs.
        for side_by_side in parts.chunks(rayon::current_num_threads()) {
            let read = side_by_side.par_iter().map(|part| self.slots(line.number(), part.clone()));
            let slots: Vec<Vec<Slot>> = read.collect::<Result<_>>()?;
            for (part, slots) in side_by_side.iter().zip(&slots) {
                listener.hear(&slots[..slots.partition_point(|slot| slot.start < until)]);
                if line.is_series() && part.start >= window.start {
                    steps.take(slots);
                }
            }
        }
        let mut gaps = listener.gaps(until);
        gaps.retain(|gap| gap.to.is_none_or(|to| to > window.start));
        for gap in &mut gaps {
            let (from, to) = (gap.from, gap.to.unwrap_or(until));
            gap.naze_down = self.runs_in(ago(from, REGULAR)..after(to, REGULAR))?.was_down(from, to);
        }
        let values = if line.is_series() { steps.values } else { self.values(line, window, step, statistic)? };
        Ok((values, gaps))
    }

    /// Notes up to which minute series were looked at.
    pub(super) fn hear(&self, looked_at: impl Iterator<Item = (Arc<Known>, Option<Timestamp>)>) {
        let mut hearing = self.heard.hearing();
        for (known, seen) in looked_at.filter(|(known, _)| !known.series.is_own()) {
            let component = hearing.components.entry(known.series.component.clone()).or_default();
            component.newest = component.newest.max(seen);
        }
    }

    /// Tells how old the last sample of each component is that is late, and of each that is no longer.
    ///
    /// # Errors
    /// `Unavailable` when the recorder is overloaded, `Internal` when the disk fails; the next round tries again.
    pub(super) fn tell_silence(&self, now: Timestamp) -> Result<()> {
        let runs = self.runs(now)?;
        let Some(up_since) = runs.up_since(now) else { return Ok(()) };
        self.catch_up_hearing(now, &runs)?;
        let mut ages = Vec::new();
        let mut hearing = self.heard.hearing();
        for (name, component) in &mut hearing.components {
            let Some(newest) = component.newest else { continue };
            let age = |newest: Timestamp| now.since(after(newest, MINUTE));
            let unheard = |newest: Timestamp| age(newest).min(now.since(up_since));
            if age(newest) <= REGULAR {
                component.is_live = true;
                if component.late.take() == Some(true) {
                    ages.push(samples(name, now, age(newest)));
                }
            } else if component.is_live && unheard(newest) > REGULAR {
                if component.late.is_none() {
                    let (last, was_regular) = self.last_heard(name, newest, now)?;
                    component.newest = Some(last);
                    component.late = (age(last) > REGULAR).then_some(was_regular);
                }
                let newest = component.newest.unwrap_or(newest);
                let is_told = (SILENCE..=TOLD_UNTIL).contains(&unheard(newest));
                if component.late == Some(true) && is_told {
                    ages.push(samples(name, now, age(newest)));
                }
            }
        }
        drop(hearing);
        if ages.is_empty() { Ok(()) } else { self.measure(SELF, ages).map(drop) }
    }

    /// After a start: up to when components told samples, and which of them were late already.
    fn catch_up_hearing(&self, now: Timestamp, runs: &Runs) -> Result<()> {
        if self.heard.hearing().is_caught_up {
            return Ok(());
        }
        let seen = self.series.seen()?;
        self.hear(seen.into_iter().map(|(number, seen)| (self.series.known(number), seen)));
        let told = self.series(|series| series.metric == SAMPLE_AGE);
        let mut hearing = self.heard.hearing();
        for (number, known) in told {
            let slots = self.minutes_of(number, ago(now, LOOKBACK * 30)..after(now, MINUTE))?;
            let is_late = slots.last().is_some_and(|slot| last(slot) > REGULAR.as_seconds_f64());
            if is_late && let Some(component) = hearing.components.get_mut(&known.series.component) {
                (component.is_live, component.late) = (true, Some(true));
            }
        }
        // Those that told samples until naze stopped are expected to go on.
        for component in hearing.components.values_mut() {
            let told_until = component.newest.map(|newest| after(newest, SILENCE));
            component.is_live |= runs.ended_before().is_some_and(|ended| told_until >= Some(ended));
        }
        hearing.is_caught_up = true;
        Ok(())
    }

    /// The last minute with a sample of a component, and whether a series of it was regular up to its last.
    fn last_heard(&self, component: &str, newest: Timestamp, now: Timestamp) -> Result<(Timestamp, bool)> {
        let (mut last, mut was_regular) = (newest, false);
        for (number, _) in self.series(|series| series.component == component && !series.is_own()) {
            let slots = self.minutes_of(number, ago(newest, BEFORE)..after(now, MINUTE))?;
            let Some(end) = slots.last() else { continue };
            last = last.max(end.start);
            // As if it stayed silent.
            let late = now.max(after(end.start, SILENCE + MINUTE * 2));
            was_regular |= gaps(&slots, late).last().is_some_and(|gap| gap.to.is_none());
        }
        Ok((last, was_regular))
    }
}

fn last(slot: &Slot) -> f64 {
    match &slot.rollup {
        crate::measure::rollup::Rollup::Values(values) => values.last,
        crate::measure::rollup::Rollup::Total(total) => total.last,
    }
}

fn after(at: Timestamp, span: TimeDelta) -> Timestamp {
    at.checked_add(span).unwrap_or(at)
}

fn samples(component: &str, now: Timestamp, age: TimeDelta) -> Samples {
    let (metric, component) = (SAMPLE_AGE.to_owned(), component.to_owned());
    let series = Series { metric, component, kind: Kind::Gauge, labels: std::collections::BTreeMap::new() };
    Samples { series, unit: Some("s".to_owned()), points: vec![Point::once(now, age.as_seconds_f64())] }
}

/// A window in parts of whole steps, about [`PARTS_MAX`] of them at most.
fn parts(window: &Range<Timestamp>, step: u32) -> impl Iterator<Item = Range<Timestamp>> {
    let step = i64::from(step.max(1));
    let end = window.end;
    let seconds = PART_SECONDS.max(end.since(window.start).num_seconds() / PARTS_MAX);
    let length = TimeDelta::seconds(step * (seconds / step).max(1));
    let first = Some(window.start).filter(|start| *start < end);
    iter::successors(first, move |start| start.checked_add(length).filter(|start| *start < end))
        .map(move |start| start..after(start, length).min(end))
}
