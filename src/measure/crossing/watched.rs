//! A series that is followed minute by minute.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::band::Band;
use super::learned::{Basis, Learned, Past, Usual};
use super::limit::{Direction, Limit};
use super::threshold::{Threshold, span};
use super::watch::{Bounds, Excursion, Level, Step, Watch};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::histogram;
use crate::measure::read::{Statistic, minutes};
use crate::measure::store::{Known, Slot};

/// What has been otherwise for so long is how it is.
const SETTLED_AFTER: TimeDelta = TimeDelta::hours(24);
/// What naze itself concludes from other series is no evidence beside them.
pub const JUDGEMENT_PREFIX: &str = "naze_health_";

/// What is held against a series.
#[derive(Debug, Clone)]
pub struct Rules<'a> {
    /// Declared thresholds that apply to it.
    pub declared: Vec<&'a Threshold>,
    /// Whether and how its past is.
    pub learned: Option<&'a Learned>,
}

impl<'a> Rules<'a> {
    /// Those of the series.
    pub fn of(known: &Known, declared: impl Iterator<Item = &'a Threshold>, learned: &'a Learned) -> Self {
        let is_own = known.series.metric.starts_with(JUDGEMENT_PREFIX);
        // A bucket of a histogram is no level of anything.
        let is_bucket = known.series.labels.contains_key(histogram::BOUND);
        let is_learned = learned.enabled && !is_own && !is_bucket;
        Self { declared: Threshold::applying(declared, &known.series), learned: is_learned.then_some(learned) }
    }
}

/// What is known of a series up to a minute.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Watched {
    /// The last minute that was looked at.
    pub seen: Option<Timestamp>,
    usual: Usual,
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
        let Excursion { since, rule, threshold, direction, .. } = open;
        Self { at, since, turn, rule, value, threshold, direction, usual }
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
        let declared: Vec<String> = rules.declared.iter().map(ToString::to_string).collect();
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

    /// Takes the minutes after the last one seen. `slots` begin with that one, for counters to rise from; `past` tells
    /// earlier values by the usual statistic of the kind.
    ///
    /// # Errors
    /// Those of `past`.
    pub fn advance(
        &mut self,
        known: &Known,
        rules: &Rules<'_>,
        slots: &[Slot],
        past: &mut Past<'_>,
    ) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        let seen = self.seen;
        let new = |statistic: Statistic| {
            let values = minutes(slots, statistic).into_iter();
            values.filter(move |(at, _)| seen.is_none_or(|seen| *at > seen))
        };
        if let Some(learned) = rules.learned {
            for (at, value) in new(Statistic::of(known.series.kind)) {
                self.usual.look(at, self.is_astir(), known.unit.as_deref(), learned.deviations, past)?;
                self.hold_against_past(at, value, learned, &mut events);
            }
        }
        for threshold in &rules.declared {
            let rule = threshold.to_string();
            let mut watch = self.declared.remove(&rule).unwrap_or_default();
            let statistic = threshold.statistic_of(&known.series);
            let usual = self.usual.band.filter(|_| statistic == Statistic::of(known.series.kind)).map(|(band, _)| band);
            for (at, value) in new(statistic) {
                let about = About { rule: rule.clone(), usual };
                events.extend(about.event(&mut watch, at, value, &threshold.bounds()));
            }
            self.declared.insert(rule, watch);
        }
        self.seen = slots.last().map(|slot| slot.start).max(seen);
        events.sort_by_key(|event| event.at);
        Ok(events)
    }

    fn is_astir(&self) -> bool {
        self.above.is_astir() || self.below.is_astir()
    }

    fn hold_against_past(&mut self, at: Timestamp, value: f64, learned: &Learned, events: &mut Vec<Event>) {
        let Some((band, basis)) = self.usual.band else { return };
        for (watch, limit) in [(&mut self.above, Limit::above(band.high)), (&mut self.below, Limit::below(band.low))] {
            let about = About { rule: rule(learned, basis), usual: Some(band) };
            let since = watch.open.as_ref().map(|open| open.since);
            let event = about.event(watch, at, value, &learned.bounds(limit, &band));
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
    fn event(self, watch: &mut Watch, at: Timestamp, value: f64, bounds: &Bounds) -> Option<Event> {
        let before = watch.open.clone();
        let step = watch.step(at, value, bounds, &self.rule)?;
        let Self { rule, usual } = self;
        let (since, rule) = before.map_or((None, rule), |open| (Some(open.since), open.rule));
        Some(match step {
            Step::Crossed { level, limit, since: at, farthest } => Event {
                at,
                since: since.unwrap_or(at),
                turn: Turn::Crossed(Level::severity(level)),
                rule,
                value: farthest,
                threshold: limit.value(),
                direction: limit.direction(),
                usual,
            },
            Step::Recovered { limit, since: at, value } => Event {
                at,
                since: since.unwrap_or(at),
                turn: Turn::Recovered,
                rule,
                value,
                threshold: limit.value(),
                direction: limit.direction().back(),
                usual,
            },
        })
    }
}
