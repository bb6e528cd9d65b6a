//! Crossings of the series that naze keeps: declared thresholds and what the past makes usual, held against every minute.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};

use super::held::{Lines, Subject};
use super::outliers::Outliers;
use super::{Engine, Line, Outcome, SELF, Watching};
use crate::clock::{Timestamp, ago, minute_of};
use crate::error::Result;
use crate::measure::crossing::watched::{Rules, Turn};
use crate::measure::crossing::{Event, Watched};
use crate::measure::read::{Statistic, minutes};
use crate::measure::store::{Known, Slot, Tier};
use crate::receipt::{Receipt, Value};
use crate::receive::Draft;

/// A minute is looked at when it has been over for this long: senders tell it in batches.
const LATE_MAX: TimeDelta = TimeDelta::seconds(30);
/// What is older is part of the past when it comes.
const BACKLOG_MAX: TimeDelta = TimeDelta::hours(24);
/// Minutes may lie ahead of this clock by as much as the recorder takes.
const AHEAD_MAX: TimeDelta = TimeDelta::hours(1);
/// Bounds on a round; what is left is for the next.
const ROUND_SERIES_MAX: usize = 10_000;
const ROUND_EVENTS_MAX: usize = 1_000;
const ROUND_TIME_MAX: Duration = Duration::from_secs(10);
/// How series stand is kept when something happened, and else after this time: it can be found again from there.
const KEPT_EVERY: TimeDelta = TimeDelta::minutes(15);

/// The series that are followed.
#[derive(Default)]
pub(super) struct Following {
    /// Where the next round begins; held while one is under way.
    next: Mutex<u32>,
    /// What is watched for as of the last round: when it is another, what is not watched for any more ends.
    watching: Mutex<Option<Arc<Watching>>>,
    series: Mutex<HashMap<u32, Followed>>,
    /// The minute in which it was last told who is silent.
    silence: Mutex<Option<Timestamp>>,
}

#[derive(Clone)]
struct Followed {
    watched: Watched,
    /// Up to where it is on disk.
    kept: Option<Timestamp>,
}

impl Followed {
    fn is_to_be_kept(&self) -> bool {
        self.kept.is_none_or(|kept| self.watched.seen > kept.checked_add(KEPT_EVERY))
    }
}

/// What a round found.
struct Round {
    looked_at: usize,
    followed: Vec<(u32, Followed)>,
    found: Vec<(Arc<Known>, Event)>,
    outliers: Outliers,
    /// Series with minutes that are not over.
    waiting: Vec<u32>,
    lines: Lines,
}

impl Round {
    fn new(now: Timestamp) -> Self {
        Self {
            looked_at: 0,
            followed: Vec::new(),
            found: Vec::new(),
            outliers: Outliers::default(),
            waiting: Vec::new(),
            lines: Lines::new(now),
        }
    }
}

impl Engine {
    /// Holds the minutes that came since the last call against thresholds and the past, and records what crossed them.
    /// Says whether it stopped at one of its bounds, with more to look at.
    ///
    /// # Errors
    /// As [`Engine::record`]; then the next call tries again.
    pub fn watch_series(&self, now: Timestamp) -> Result<bool> {
        let mut next = self.following.next.lock().expect("nobody panics in a round");
        self.keep_failures(now)?;
        self.touch_beyond()?;
        self.series.set_over(over(now));
        let numbers = self.series.take_touched(*next, ROUND_SERIES_MAX);
        let round =
            self.keep(self.look_at(&numbers, now)).inspect_err(|_| self.series.touch(numbers.iter().copied()))?;
        let (looked_at, left) = numbers.split_at(round.looked_at);
        self.series.touch(left.iter().copied());
        self.series.touch_later(round.waiting.into_iter());
        self.hear(round.followed.iter().map(|(number, one)| (self.series.known(*number), one.watched.seen)));
        *next = looked_at.last().map_or(0, |number| number.saturating_add(1));
        self.followed().extend(round.followed);
        let silence = self.following.silence.lock().expect("nobody panics while telling").replace(minute_of(now));
        if silence != Some(minute_of(now)) {
            self.tell_silence(now)?;
        }
        Ok(!left.is_empty() || looked_at.len() == ROUND_SERIES_MAX)
    }

    /// After a start, and whenever something else is watched for, series that are beyond a limit are looked at even if they
    /// have no new values.
    fn touch_beyond(&self) -> Result<()> {
        let watching = self.watching();
        let mut known = self.following.watching.lock().expect("nobody panics while comparing");
        if !known.as_ref().is_some_and(|known| Arc::ptr_eq(known, &watching)) {
            self.series.touch(self.series.beyond()?.into_iter());
            *known = Some(watching);
        }
        Ok(())
    }

    /// Records what was found, then puts on disk up to where: should that fail, the same is found under the same names.
    fn keep(&self, mut round: Round) -> Result<Round> {
        self.record_crossings(&round.found)?;
        let due = || round.followed.iter().filter(|(_, one)| one.is_to_be_kept());
        if due().next().is_some() {
            self.series.keep_watched(due().map(|(number, one)| (*number, &one.watched)))?;
        }
        for (_, one) in round.followed.iter_mut().filter(|(_, one)| one.is_to_be_kept()) {
            one.kept = one.watched.seen;
        }
        self.keep_outliers(&round.outliers)?;
        Ok(round)
    }

    fn look_at(&self, numbers: &[u32], now: Timestamp) -> Round {
        let started = Instant::now();
        let mut round = Round::new(now);
        for number in numbers {
            if round.found.len() >= ROUND_EVENTS_MAX || started.elapsed() >= ROUND_TIME_MAX {
                break;
            }
            round.looked_at += 1;
            // A series that cannot be read costs the others nothing.
            if let Err(error) = self.look_at_one(*number, now, &mut round) {
                tracing::error!(%error, series = number, "cannot look for crossings of a series");
            }
        }
        round
    }

    fn look_at_one(&self, number: u32, now: Timestamp, round: &mut Round) -> Result<()> {
        let mut one = self.follow(number)?;
        let over = over(now);
        let from = one.watched.seen.unwrap_or(Timestamp::MIN).max(minute_of(ago(now, BACKLOG_MAX)));
        let slots = self.minutes_of(number, from..now.checked_add(AHEAD_MAX).unwrap_or(now))?;
        let (slots, later) = slots.split_at(slots.partition_point(|slot| slot.start < over));
        if !later.is_empty() {
            round.waiting.push(number);
        }
        let known = self.with_unit(self.series.known(number));
        let watching = self.watching();
        let rules = Rules::of(&known, watching.thresholds(), &watching.learned);
        let statistic = Statistic::of(known.series.kind);
        let mut past = |window: Range<Timestamp>| Ok(minutes(&self.minutes_of(number, window)?, statistic));
        let withdrawn = one.watched.withdraw(&rules, now);
        let mut events: Vec<_> = withdrawn.into_iter().map(|event| (Arc::clone(&known), event)).collect();
        let subject = Subject { line: Line::of_series(number, Arc::clone(&known)), from, slots };
        let held = self.held(&subject, &rules, &one.watched, &mut round.lines)?;
        let outliers = if Outliers::are_of(&known.series) { one.watched.outliers(&known, slots) } else { Vec::new() };
        events.extend(one.watched.advance(&known, rules.learned, &held, slots, &mut past)?);
        if !events.is_empty() || !outliers.is_empty() {
            one.kept = None;
        }
        round.outliers.add(&known.series, outliers);
        round.found.extend(events);
        round.followed.push((number, one));
        Ok(())
    }

    pub(super) fn minutes_of(&self, number: u32, window: Range<Timestamp>) -> Result<Vec<Slot>> {
        let mut slots = self.series.slots(number, window)?;
        slots.retain(|slot| slot.tier == Tier::Minute);
        Ok(slots)
    }

    fn record_crossings(&self, found: &[(Arc<Known>, Event)]) -> Result<()> {
        if found.is_empty() {
            return Ok(());
        }
        let outcomes = self.record_drafts(SELF, found.iter().map(|(known, event)| draft(known, event)).collect())?;
        for outcome in outcomes {
            if let Outcome::Refused(violations) = outcome {
                tracing::error!(?violations, "a crossing was refused");
            }
        }
        Ok(())
    }

    fn follow(&self, number: u32) -> Result<Followed> {
        if let Some(one) = self.followed().get(&number) {
            return Ok(one.clone());
        }
        let watched = self.series.watched(number)?.unwrap_or_default();
        Ok(Followed { kept: watched.seen, watched })
    }

    /// How a series stands to its limits.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn watched(&self, number: u32) -> Result<Watched> {
        self.follow(number).map(|one| one.watched)
    }

    fn followed(&self) -> MutexGuard<'_, HashMap<u32, Followed>> {
        self.following.series.lock().expect("nobody panics while holding the followed series")
    }
}

/// Minutes before this one are over.
fn over(now: Timestamp) -> Timestamp {
    minute_of(ago(now, LATE_MAX))
}

/// The receipt of a crossing, under a name that it has again when the same minutes are looked at again.
fn draft(known: &Known, event: &Event) -> Draft {
    let series = &known.series;
    let mut hash = Sha256::new();
    for part in [&*series.metric, &*series.component, &*event.rule, &*event.since.to_string()] {
        hash.update(part);
        hash.update([0]);
    }
    for (name, value) in &series.labels {
        hash.update(format!("{name}\0{value}\0"));
    }
    let reference = format!("crossing-{}", &hex::encode(hash.finalize())[..16]);
    let key = format!("{reference} {}", event.turn.name());
    let mut receipt = Receipt::new("crossing", event.at, &series.component)
        .with("metric", Value::text(&series.metric))
        .with("value", Value::Number(event.value))
        .with("threshold", Value::Number(event.threshold))
        .with("direction", Value::text(event.direction.name()))
        .with("rule", Value::text(&event.rule))
        .with("reference", Value::text(reference))
        .with("source", Value::text(SELF))
        .with_text("unit", if event.is_percent { Some("%") } else { known.unit.as_deref() });
    if let Some(before) = event.before {
        receipt.push("baseline", Value::Number(before));
    } else if let Some(usual) = event.usual {
        receipt.push("baseline", Value::Number(usual.median));
        receipt.push("deviation", Value::Number(usual.deviation(event.value)));
    }
    match event.turn {
        Turn::Crossed(severity) => receipt = receipt.with_text("severity", severity),
        over => receipt.push("status", Value::text(over.name())),
    }
    event.conditions.iter().for_each(|condition| receipt.push("condition", Value::text(condition)));
    for (name, value) in &series.labels {
        receipt.label(name, value);
    }
    Draft::new(receipt).with_key(Some(key))
}
