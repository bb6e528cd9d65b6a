//! What each threshold would have done in the past week, had it been there all along.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::held::{Lines, Subject};
use super::{Engine, Line, Origin};
use crate::analyse::limits::OBSERVED;
use crate::clock::{Timestamp, ago, minute_of};
use crate::error::Result;
use crate::measure::crossing::watched::{Rules, Turn};
use crate::measure::crossing::{Event, Learned, Watched};

/// Bounds on a rehearsal; what does not fit is left out.
const SERIES_MAX: usize = 5_000;
const TIME_MAX: Duration = Duration::from_secs(15);

/// A threshold, and what it would have done.
#[derive(Debug, Clone, PartialEq)]
pub struct Rehearsed {
    /// Where it is written.
    pub origin: Origin,
    /// The threshold.
    pub rule: String,
    /// Its metric, under the first of its names.
    pub metric: String,
    /// How many series it had values of.
    pub series: usize,
    /// How often it would have fired.
    pub firings: usize,
    /// For which share of the time that there were values of.
    pub beyond: f64,
    /// For how many hours there were, of all series.
    pub hours: f64,
    /// Series that it speaks of and that there was no time for.
    pub left_out: usize,
}

/// What all thresholds would have done.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rehearsal {
    /// Each of them.
    pub thresholds: Vec<Rehearsed>,
    /// Series that there was no time for.
    pub left_out: usize,
}

#[derive(Default)]
struct Tally {
    series: usize,
    firings: usize,
    minutes: usize,
    beyond: TimeDelta,
    left_out: usize,
}

impl Engine {
    /// Holds the past week of all kept series against all thresholds; nothing is recorded.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn rehearse(&self, now: Timestamp) -> Result<Rehearsal> {
        let started = Instant::now();
        let watching = self.watching();
        let learned = Learned { enabled: false, ..watching.learned.clone() };
        let mut tallies: BTreeMap<String, Tally> = BTreeMap::new();
        let mut lines = Lines::new(now);
        let (mut tried, mut left_out) = (0, 0);
        for (number, known) in self.series(|_| true) {
            let rules = Rules::of(&known, watching.thresholds(), &learned);
            if rules.thresholds().next().is_none() {
                continue;
            }
            if tried >= SERIES_MAX || started.elapsed() >= TIME_MAX {
                left_out += 1;
                for threshold in rules.thresholds() {
                    tallies.entry(threshold.to_string()).or_default().left_out += 1;
                }
                continue;
            }
            tried += 1;
            let line = Line::of_series(number, known);
            for (rule, tally) in self.rehearse_one(line, number, &rules, now, &mut lines)? {
                tallies.entry(rule).or_default().add(&tally);
            }
        }
        let thresholds = watching.origins().filter(|(_, threshold)| threshold.direction().is_some());
        let thresholds = thresholds.map(|(origin, threshold)| {
            let rule = threshold.to_string();
            let tally = tallies.get(&rule);
            let of = |tally: &Tally| Rehearsed::of(origin, &rule, &threshold.metric[0], tally);
            tally.map_or_else(|| of(&Tally::default()), of)
        });
        Ok(Rehearsal { thresholds: thresholds.collect(), left_out })
    }

    /// The same for one series, by rule.
    fn rehearse_one(
        &self,
        line: Line,
        number: u32,
        rules: &Rules<'_>,
        now: Timestamp,
        lines: &mut Lines,
    ) -> Result<Vec<(String, Tally)>> {
        let from = minute_of(ago(now, OBSERVED));
        let slots = self.minutes_of(number, from..now)?;
        let end = slots.last().map_or(from, |slot| slot.start);
        let subject = Subject { line, from, slots: &slots };
        let mut watched = Watched::default();
        let held = self.held(&subject, rules, &watched, lines)?;
        let events = watched.advance(&subject.line.known, None, &held, &slots, &mut |_| Ok(Vec::new()))?;
        let with_values = held.iter().filter(|one| !one.minutes.is_empty());
        let tallies = with_values.map(|one| {
            let rule = one.threshold.to_string();
            let own: Vec<&Event> = events.iter().map(|(_, event)| event).filter(|event| event.rule == rule).collect();
            (rule, Tally::of(one.minutes.len(), &own, end))
        });
        Ok(tallies.collect())
    }
}

impl Tally {
    /// `events` are all of one series, which has values up to `end`.
    fn of(minutes: usize, events: &[&Event], end: Timestamp) -> Self {
        let mut tally = Self { series: 1, minutes, ..Self::default() };
        let begun: BTreeSet<Timestamp> = events.iter().map(|event| event.since).collect();
        tally.firings = begun.len();
        for since in begun {
            let over = events.iter().find(|event| event.since == since && event.turn == Turn::Recovered);
            tally.beyond += over.map_or(end, |event| event.at).since(since);
        }
        tally
    }

    fn add(&mut self, other: &Self) {
        self.series += other.series;
        self.firings += other.firings;
        self.minutes += other.minutes;
        self.beyond += other.beyond;
        self.left_out += other.left_out;
    }
}

impl Rehearsed {
    #[expect(clippy::cast_precision_loss, reason = "minutes of a week are far below 2^53")]
    fn of(origin: &Origin, rule: &str, metric: &str, tally: &Tally) -> Self {
        let hours = tally.minutes as f64 / 60.0;
        let beyond = tally.beyond.as_seconds_f64() / 3_600.0;
        Self {
            origin: origin.clone(),
            rule: rule.to_owned(),
            metric: metric.to_owned(),
            series: tally.series,
            firings: tally.firings,
            beyond: if hours > 0.0 { (beyond / hours).min(1.0) } else { 0.0 },
            hours,
            left_out: tally.left_out,
        }
    }
}
