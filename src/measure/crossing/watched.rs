//! A series that is followed minute by minute.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::band::Band;
use super::condition::{Standing, short};
use super::learned::{Basis, Learned, Past, Usual};
use super::limit::{Direction, Limit};
use super::outlier::Lately;
use super::threshold::{Threshold, span};
use super::watch::{Bounds, Excursion, Level, Step, Watch};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::Kind;
use crate::measure::histogram::of_bucket;
use crate::measure::read::{Statistic, each, minutes};
use crate::measure::rollup::Rollup;
use crate::measure::store::{Known, Slot};

/// What has been otherwise for so long is how it is.
const SETTLED_AFTER: TimeDelta = TimeDelta::hours(24);

/// What is held against a series.
#[derive(Debug, Clone)]
pub struct Rules<'a> {
    /// Declared thresholds that apply to it.
    pub declared: Vec<&'a Threshold>,
    /// Those of percentiles of the histogram whose last bucket it is.
    pub of_histogram: Vec<&'a Threshold>,
    /// Whether and how its past is.
    pub learned: Option<&'a Learned>,
}

impl<'a> Rules<'a> {
    /// Those of the series.
    pub fn of(known: &Known, declared: impl Iterator<Item = &'a Threshold> + Clone, learned: &'a Learned) -> Self {
        let is_learned = learned.enabled && !known.series.is_own() && !known.series.is_bucket();
        let is_quantile = |one: &&Threshold| matches!(one.statistic, Some(Statistic::Quantile(_)));
        let histogram = of_bucket(&known.series).filter(|(_, bound)| *bound == f64::INFINITY);
        let of_histogram = histogram.map(|(histogram, _)| Threshold::applying(declared.clone(), &histogram));
        Self {
            declared: Threshold::applying(declared, &known.series),
            of_histogram: of_histogram.unwrap_or_default().into_iter().filter(is_quantile).collect(),
            learned: is_learned.then_some(learned),
        }
    }

    /// Its thresholds and those of its histogram.
    pub fn thresholds(&self) -> impl Iterator<Item = &'a Threshold> {
        self.declared.iter().chain(&self.of_histogram).copied()
    }
}

/// A threshold, and what is held against it.
#[derive(Debug, Clone)]
pub struct Held<'a> {
    /// The series, or the histogram that it is a bucket of.
    pub known: Arc<Known>,
    /// What it is held against.
    pub threshold: &'a Threshold,
    /// What was told before anything was watched for, where that counts.
    pub earlier: Vec<(Timestamp, f64)>,
    /// What was told since the last minute that was looked at, oldest first.
    pub minutes: Vec<Minute>,
}

/// What is held against a threshold in a minute.
#[derive(Debug, Clone, PartialEq)]
pub struct Minute {
    /// When it begins.
    pub at: Timestamp,
    /// The value, or by how much it changed.
    pub value: f64,
    /// From what it changed.
    pub before: Option<f64>,
    /// The value of each further condition, where it is known.
    pub beside: Vec<Option<f64>>,
}

impl Held<'_> {
    /// How the worst of the further conditions stands.
    fn standing(&self, minute: &Minute) -> Standing {
        let standings = self.threshold.and.iter().zip(&minute.beside);
        let standings: Vec<Standing> = standings.map(|(condition, value)| condition.standing(*value)).collect();
        let is_any = |standing: Standing| standings.contains(&standing);
        if is_any(Standing::Back) {
            Standing::Back
        } else if is_any(Standing::Open) {
            Standing::Open
        } else {
            Standing::Holds
        }
    }

    /// Each condition with value and bound, where there is more to a threshold than a value.
    fn conditions(&self, event: &Event, minute: &Minute) -> Vec<String> {
        let threshold = self.threshold;
        if threshold.is_plain() {
            return Vec::new();
        }
        let mut limits = [threshold.critical, threshold.warning].into_iter().flatten();
        let limit = limits.find(|limit| limit.value().total_cmp(&event.threshold).is_eq());
        let limit = limit.map_or_else(String::new, |limit| format!(" ({limit})"));
        let unit = if event.is_percent { "%" } else { "" };
        let before = minute.before.map_or_else(String::new, |before| format!(", from {}", short(before)));
        let own = format!("{} {}{unit}{limit}{before}", threshold.subject(), short(event.value));
        let others = threshold.and.iter().zip(&minute.beside);
        [own].into_iter().chain(others.map(|(condition, value)| condition.told(*value))).collect()
    }
}

/// What is known of a series up to a minute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// The last minute that was looked at.
    pub seen: Option<Timestamp>,
    usual: Usual,
    lately: Lately,
    above: Watch,
    below: Watch,
    /// By the rule.
    declared: BTreeMap<String, Watch>,
}

/// A crossing, or the end of one.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it began.
    pub at: Timestamp,
    /// When the excursion that it belongs to began.
    pub since: Timestamp,
    /// What it is.
    pub turn: Turn,
    /// The rule that saw it.
    pub rule: String,
    /// The value that went farthest, or the first that was back.
    pub value: f64,
    /// What it crossed.
    pub threshold: f64,
    /// Which way.
    pub direction: Direction,
    /// What was usual, when that is known.
    pub usual: Option<Band>,
    /// Of a change, from what.
    pub before: Option<f64>,
    /// In percent of it.
    pub is_percent: bool,
    /// Each condition with its value when this became known, where there is more to the rule than a value.
    pub conditions: Vec<String>,
}

/// A step of an excursion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// It began, or became worse.
    Crossed(Option<&'static str>),
    /// It is over.
    Recovered,
    /// It has lasted for so long that it is usual now.
    Settled,
    /// What saw it is not held against the series any more.
    Withdrawn,
}

impl Turn {
    /// Tells the steps of an excursion apart.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crossed(severity) => severity.unwrap_or("crossed"),
            Self::Recovered => "recovered",
            Self::Settled => "settled",
            Self::Withdrawn => "withdrawn",
        }
    }
}

impl Event {
    fn ending(open: Excursion, turn: Turn, at: Timestamp, value: f64, usual: Option<Band>) -> Self {
        let Excursion { since, rule, threshold, direction, is_percent, .. } = open;
        Self {
            at,
            since,
            turn,
            rule,
            value,
            threshold,
            direction,
            usual,
            before: None,
            is_percent,
            conditions: Vec::new(),
        }
    }
}

impl Watched {
    /// What is usual for the series at present, and what that rests on.
    pub fn usual(&self) -> Option<(Band, Basis)> {
        self.usual.band
    }

    /// Since when it has been beyond each rule that it is beyond now.
    pub fn open(&self) -> impl Iterator<Item = (&str, Timestamp)> {
        let learned = [("above what is usual", &self.above), ("below what is usual", &self.below)];
        let declared = self.declared.iter().map(|(rule, watch)| (&**rule, watch));
        learned.into_iter().chain(declared).filter_map(|(rule, watch)| Some((rule, watch.open.as_ref()?.since)))
    }

    /// Ends at `now` what was seen by rules that do not hold any more.
    pub fn withdraw(&mut self, rules: &Rules<'_>, now: Timestamp) -> Vec<Event> {
        let declared: Vec<String> = rules.thresholds().map(ToString::to_string).collect();
        let gone = self.declared.extract_if(.., |rule, _| !declared.contains(rule));
        let mut gone: Vec<Watch> = gone.map(|(_, watch)| watch).collect();
        if rules.learned.is_none() {
            gone.extend([std::mem::take(&mut self.above), std::mem::take(&mut self.below)]);
        }
        let event = |watch: Watch| {
            let (last, open) = (watch.last?, watch.open?);
            Some(Event::ending(open, Turn::Withdrawn, now.max(last.0), last.1, None))
        };
        gone.into_iter().filter_map(event).collect()
    }

    /// Has it been held against the threshold?
    pub fn is_held_against(&self, threshold: &Threshold) -> bool {
        self.declared.contains_key(&threshold.to_string())
    }

    /// How many values stand out of each minute after the last one seen, where some do; [`Watched::advance`] takes the same
    /// minutes after that.
    pub fn outliers(&mut self, known: &Known, slots: &[Slot]) -> Vec<(Timestamp, u64)> {
        let (seen, kind) = (self.seen, known.series.kind);
        let mut found = Vec::new();
        for (slot, value) in each(slots, Statistic::of(kind)) {
            if seen.is_some_and(|seen| slot.start <= seen) {
                continue;
            }
            let count = match &slot.rollup {
                Rollup::Values(values) if matches!(kind, Kind::Gauge | Kind::Distribution) => self.lately.take(values),
                _ => u64::from(self.lately.take_one(value)),
            };
            found.extend((count > 0).then_some((slot.start, count)));
        }
        found
    }

    /// Takes the minutes after the last one seen. `slots` begin with that one, for counters to rise from; `past` tells
    /// earlier values by the usual statistic of the kind. Each event comes with what it is of.
    ///
    /// # Errors
    /// Those of `past`.
    pub fn advance(
        &mut self,
        known: &Arc<Known>,
        learned: Option<&Learned>,
        held: &[Held<'_>],
        slots: &[Slot],
        past: &mut Past<'_>,
    ) -> Result<Vec<(Arc<Known>, Event)>> {
        let mut events = Vec::new();
        let seen = self.seen;
        if let Some(learned) = learned {
            let values = minutes(slots, Statistic::of(known.series.kind));
            for (at, value) in values.into_iter().filter(|(at, _)| seen.is_none_or(|seen| *at > seen)) {
                self.usual.look(at, self.is_astir(), known.unit.as_deref(), learned.deviations, past)?;
                self.hold_against_past(at, value, learned, &mut events);
            }
        }
        let mut events: Vec<_> = events.into_iter().map(|event| (Arc::clone(known), event)).collect();
        for held in held {
            let told = self.hold(known, held).into_iter().map(|event| (Arc::clone(&held.known), event));
            events.extend(told);
        }
        self.seen = slots.last().map(|slot| slot.start).max(seen);
        events.sort_by_key(|(_, event)| event.at);
        Ok(events)
    }

    /// Holds minutes against a declared threshold.
    fn hold(&mut self, known: &Known, held: &Held<'_>) -> Vec<Event> {
        let (threshold, bounds) = (held.threshold, held.threshold.bounds());
        let rule = threshold.to_string();
        let mut watch = self.declared.remove(&rule).unwrap_or_default();
        held.earlier.iter().for_each(|(at, value)| watch.recall(*at, *value, &bounds));
        let is_usual =
            threshold.change.is_none() && threshold.statistic_of(&known.series) == Statistic::of(known.series.kind);
        let usual = self.usual.band.filter(|_| is_usual).map(|(band, _)| band);
        let mut events = Vec::new();
        for minute in &held.minutes {
            let about = About { rule: rule.clone(), usual };
            let told = (minute.at, minute.value, held.standing(minute));
            let Some(event) = about.event(&mut watch, told, &bounds) else { continue };
            let conditions = held.conditions(&event, minute);
            events.push(Event { before: minute.before, conditions, ..event });
        }
        self.declared.insert(rule, watch);
        events
    }

    fn is_astir(&self) -> bool {
        self.above.is_astir() || self.below.is_astir()
    }

    fn hold_against_past(&mut self, at: Timestamp, value: f64, learned: &Learned, events: &mut Vec<Event>) {
        let Some((band, basis)) = self.usual.band else { return };
        for (watch, limit) in [(&mut self.above, Limit::above(band.high)), (&mut self.below, Limit::below(band.low))] {
            let about = About { rule: rule(learned, basis), usual: Some(band) };
            let since = watch.open.as_ref().map(|open| open.since);
            let event = about.event(watch, (at, value, Standing::Holds), &learned.bounds(limit, &band));
            if let (Some(event), Some(since)) = (&event, since) {
                self.usual.left_out(since, event.at);
            }
            events.extend(event);
        }
        let open = [&self.above, &self.below].into_iter().find_map(|watch| watch.open.clone());
        if let Some(open) = open.filter(|open| at.since(open.since) >= SETTLED_AFTER) {
            (self.above, self.below) = (Watch::default(), Watch::default());
            self.usual.begin_anew(open.since);
            events.push(Event::ending(open, Turn::Settled, at, value, Some(band)));
        }
    }
}

/// As receipts name what is learned as their rule.
fn rule(learned: &Learned, basis: Basis) -> String {
    let basis = match basis {
        Basis::Recent => "the last 24h".to_owned(),
        Basis::Weeks(weeks) => format!("the same hour of {weeks} weeks"),
    };
    format!("median ± {} robust standard deviations of {basis} for {}", learned.deviations, span(learned.beyond_for))
}

/// What the events of a rule have in common.
struct About {
    rule: String,
    usual: Option<Band>,
}

impl About {
    fn event(self, watch: &mut Watch, told: (Timestamp, f64, Standing), bounds: &Bounds) -> Option<Event> {
        let before = watch.open.clone();
        let step = watch.step(told, bounds, &self.rule)?;
        let Self { rule, usual } = self;
        let (since, rule) = before.map_or((None, rule), |open| (Some(open.since), open.rule));
        let (at, turn, limit, value) = match step {
            Step::Crossed { level, limit, since, farthest } => {
                (since, Turn::Crossed(Level::severity(level)), limit, farthest)
            }
            Step::Recovered { limit, since, value } => (since, Turn::Recovered, limit, value),
        };
        Some(Event {
            at,
            since: since.unwrap_or(at),
            turn,
            rule,
            value,
            threshold: limit.value(),
            direction: if turn == Turn::Recovered { limit.direction().back() } else { limit.direction() },
            usual,
            before: None,
            is_percent: limit.is_percent(),
            conditions: Vec::new(),
        })
    }
}
