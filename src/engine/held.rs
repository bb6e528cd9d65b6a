//! What is held against thresholds: values of a series or a histogram, by how much they changed, and what is beside them.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use chrono::TimeDelta;

use super::Engine;
use crate::clock::{Timestamp, ago, hour_of};
use crate::error::Result;
use crate::measure::Series;
use crate::measure::crossing::watched::Rules;
use crate::measure::crossing::{Change, Condition, HOLDS, Held, Minute, Threshold, Watched, latest};
use crate::measure::histogram::of_bucket;
use crate::measure::line::Line;
use crate::measure::read::{Statistic, minutes};
use crate::measure::store::{Known, Slot};

/// Series beside one that a condition looks at; more are left out.
const BESIDE_MAX: usize = 100;

/// Values by the minute or hour that they are of.
type Values = Vec<(Timestamp, f64)>;

/// Lines by the name of their metric: a round looks each name up once.
pub(super) struct Lines {
    now: Timestamp,
    known: HashMap<String, Arc<[Line]>>,
}

impl Lines {
    /// None yet, of a round at `now`.
    pub(super) fn new(now: Timestamp) -> Self {
        Self { now, known: HashMap::new() }
    }

    fn of(&mut self, engine: &Engine, metric: &str) -> Result<Arc<[Line]>> {
        if let Some(known) = self.known.get(metric) {
            return Ok(Arc::clone(known));
        }
        let lines: Arc<[Line]> = engine.lines(metric, |_| true, self.now)?.into();
        self.known.insert(metric.to_owned(), Arc::clone(&lines));
        Ok(lines)
    }

    /// The histogram that a series is the last bucket of.
    fn histogram(&mut self, engine: &Engine, series: &Series) -> Result<Option<Line>> {
        let Some((histogram, _)) = of_bucket(series) else { return Ok(None) };
        let lines = self.of(engine, &histogram.metric)?;
        Ok(lines.iter().find(|line| line.known.series == histogram).cloned())
    }
}

/// A series whose new minutes are looked at.
pub(super) struct Subject<'a> {
    pub(super) line: Line,
    /// The last minute that was looked at, or what stands for it.
    pub(super) from: Timestamp,
    /// From that minute on.
    pub(super) slots: &'a [Slot],
}

impl Subject<'_> {
    fn window(&self) -> Range<Timestamp> {
        let end = self.slots.last().map_or(self.from, |slot| slot.start);
        self.from..end.checked_add(TimeDelta::minutes(1)).unwrap_or(end)
    }
}

impl Engine {
    /// The new minutes of a series, for each threshold that applies to it.
    pub(super) fn held<'a>(
        &self,
        subject: &Subject<'_>,
        rules: &Rules<'a>,
        watched: &Watched,
        lines: &mut Lines,
    ) -> Result<Vec<Held<'a>>> {
        let mut held = Vec::new();
        for threshold in &rules.declared {
            let statistic = threshold.statistic_of(&subject.line.known.series);
            let values = minutes(subject.slots, statistic);
            held.push(self.hold(subject, &subject.line, threshold, values, watched, lines)?);
        }
        if !rules.of_histogram.is_empty()
            && let Some(histogram) = lines.histogram(self, &subject.line.known.series)?
        {
            for threshold in &rules.of_histogram {
                let statistic = threshold.statistic_of(&histogram.known.series);
                let values = self.minutes_of_line(&histogram, subject.window(), statistic)?;
                held.push(self.hold(subject, &histogram, threshold, values, watched, lines)?);
            }
        }
        Ok(held)
    }

    fn hold<'a>(
        &self,
        subject: &Subject<'_>,
        line: &Line,
        threshold: &'a Threshold,
        mut values: Values,
        watched: &Watched,
        lines: &mut Lines,
    ) -> Result<Held<'a>> {
        let window = subject.window();
        let statistic = threshold.statistic_of(&line.known.series);
        values.retain(|(at, _)| watched.seen.is_none_or(|seen| *at > seen));
        let told = match threshold.change {
            Some(change) => self.changes(line, &change, &values, statistic)?,
            None => values.into_iter().map(|(at, value)| (at, value, None)).collect(),
        };
        let mut beside = Vec::new();
        for condition in threshold.and.iter().filter(|_| !told.is_empty()) {
            beside.push(self.beside(&line.known, condition, &window, lines)?);
        }
        let minute = |(at, value, before): (Timestamp, f64, Option<f64>)| {
            let told = |(condition, lines): (&Condition, &Vec<Values>)| {
                let values: Vec<f64> = lines.iter().filter_map(|values| latest(values, at, HOLDS)).collect();
                condition.telling(values.into_iter())
            };
            Minute { at, value, before, beside: threshold.and.iter().zip(&beside).map(told).collect() }
        };
        let minutes = told.into_iter().map(minute).collect();
        let earlier = match threshold.first_in.filter(|_| !watched.is_held_against(threshold)) {
            Some(span) => self.minutes_of_line(line, ago(subject.from, span)..subject.from, statistic)?,
            None => Vec::new(),
        };
        Ok(Held { known: Arc::clone(&line.known), threshold, earlier, minutes })
    }

    /// By how much each value changed, and from what.
    fn changes(
        &self,
        line: &Line,
        change: &Change,
        values: &[(Timestamp, f64)],
        statistic: Statistic,
    ) -> Result<Vec<(Timestamp, f64, Option<f64>)>> {
        let ([(first, _), ..], Some((last, _))) = (values, values.last()) else { return Ok(Vec::new()) };
        let (first, last) = (ago(*first, change.span), ago(*last, change.span));
        let after = |at: Timestamp, span: TimeDelta| at.checked_add(span).unwrap_or(at);
        let before = if change.is_from_an_hour() {
            let hours = hour_of(first)..after(hour_of(last), TimeDelta::hours(1));
            self.values(line, &hours, 3_600, Some(statistic))?
        } else {
            self.minutes_of_line(line, ago(first, HOLDS)..after(last, TimeDelta::minutes(1)), statistic)?
        };
        let changes = change.of(values, &before).into_iter();
        Ok(changes.map(|(at, change, before)| (at, change, Some(before))).collect())
    }

    /// The values of each line that a condition of a threshold of `known` looks at.
    fn beside(
        &self,
        known: &Known,
        condition: &Condition,
        window: &Range<Timestamp>,
        lines: &mut Lines,
    ) -> Result<Vec<Values>> {
        let mut beside = Vec::new();
        for metric in &condition.metric {
            for line in lines.of(self, metric)?.iter().filter(|line| condition.joins(&known.series, &line.known.series))
            {
                if beside.len() < BESIDE_MAX {
                    let statistic = condition.statistic.unwrap_or(line.statistic());
                    beside.push(self.minutes_of_line(line, ago(window.start, HOLDS)..window.end, statistic)?);
                }
            }
        }
        Ok(beside)
    }
}
