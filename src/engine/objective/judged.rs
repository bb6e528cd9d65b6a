//! What of each minute was good, by the lines of an objective's metrics.

use std::collections::BTreeMap;
use std::ops::Range;

use chrono::TimeDelta;

use super::Problems;
use crate::analyse::slo::Count;
use crate::analyse::slo::frame::{Frame, Minutes, add};
use crate::analyse::slo::judge::{Divided, Judged, computed, ratio};
use crate::analyse::slo::report::Asked;
use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::engine::lines::lately;
use crate::error::Result;
use crate::measure::Kind;
use crate::measure::histogram::{self, is_up_to, quantiles};
use crate::measure::line::Kept;
use crate::measure::read::{Statistic, each};
use crate::measure::store::{Known, Slot};
use crate::slo::{Measure, Metric, Quality, Selector, Threshold};

/// Series that one metric of an objective may have; of more, some are left out, and the answer says so.
const SERIES_MAX: usize = 1_000;
/// How far before a window the last reading of a counter is looked for.
const READING_BEFORE: TimeDelta = TimeDelta::hours(2);

impl Engine {
    /// What was good of each minute of the frame.
    pub(super) fn judged(
        &self,
        measure: &Measure,
        asked: &Asked<'_>,
        frame: Frame,
        problems: &mut Problems,
    ) -> Result<Judged> {
        let minutes = match measure {
            Measure::Ratio { quality, events, total, .. } => {
                let events = self.events(events, asked, frame, problems)?;
                ratio(*quality, &events, &self.events(total, asked, frame, problems)?)
            }
            Measure::Computed { quality, ratio } => self.shares(*quality, ratio, asked, frame, problems)?,
            Measure::Values(metric) => return self.divided(metric, asked, frame, problems),
        };
        Ok(Judged::of(minutes))
    }

    /// How many events a metric tells of each minute, of all its series.
    fn events(
        &self,
        metric: &Metric,
        asked: &Asked<'_>,
        frame: Frame,
        problems: &mut Problems,
    ) -> Result<Minutes<f64>> {
        let mut sums = vec![None; frame.minutes];
        self.each_line(metric, asked, frame, problems, |known, _, read, problems| {
            let (slots, kind) = match read {
                Read::Series(slots) => (slots.as_slice(), known.series.kind),
                // The last bucket counts all.
                Read::Buckets(buckets) => {
                    (buckets.last().map_or(&[][..], |(_, slots)| slots.as_slice()), Kind::Counter)
                }
            };
            if kind == Kind::Gauge {
                problems.tell(format!(
                    "{} is a gauge, which counts no events: write it as thresholdMetric, or as raw when it is a ratio",
                    known.series.metric
                ));
                return;
            }
            add(&mut sums, &frame.events(slots, kind), |a, b| a + b);
        })?;
        Ok(sums)
    }

    /// A ratio that was computed already.
    fn shares(
        &self,
        quality: Quality,
        metric: &Metric,
        asked: &Asked<'_>,
        frame: Frame,
        problems: &mut Problems,
    ) -> Result<Minutes<Count>> {
        let mut sums = vec![None; frame.minutes];
        self.each_line(metric, asked, frame, problems, |known, selector, read, problems| {
            let Some(levels) = levels(frame, known, selector, read, problems) else { return };
            if let Some(level) = levels.iter().flatten().find(|level| !(0.0..=1.0).contains(*level)) {
                let metric = &known.series.metric;
                problems.tell(format!("{metric} was {level}, which is no share from 0 to 1, and does not count"));
            }
            add(&mut sums, &computed(quality, &levels), |a, b| [a, b].into_iter().sum());
        })?;
        Ok(sums)
    }

    /// Values that the objective's threshold divides.
    fn divided(&self, metric: &Metric, asked: &Asked<'_>, frame: Frame, problems: &mut Problems) -> Result<Judged> {
        let Some(threshold) = asked.objective.threshold else {
            return Ok(Judged::of(vec![None; frame.minutes]));
        };
        let mut divided = Divided::new(frame, frame.places(&asked.window), threshold, asked.counts_outliers);
        self.each_line(metric, asked, frame, problems, |known, selector, read, problems| {
            match (read, selector.statistic) {
                (Read::Series(slots), None) if known.series.kind == Kind::Distribution => {
                    divided.add_values(slots, asked.window.start);
                }
                (Read::Buckets(buckets), None) => {
                    let bound = divided.add_buckets(buckets, asked.window.start);
                    problems.extend(between(&known.series.metric, threshold, bound));
                }
                _ => levels(frame, known, selector, read, problems)
                    .into_iter()
                    .for_each(|levels| divided.add_levels(levels)),
            }
        })?;
        Ok(divided.judged(asked.objective.target))
    }

    /// Reads the lines of a metric one by one.
    fn each_line(
        &self,
        metric: &Metric,
        asked: &Asked<'_>,
        frame: Frame,
        problems: &mut Problems,
        mut visit: impl FnMut(&Known, &Selector, &Read, &mut Problems),
    ) -> Result<()> {
        let Some(selector) = &metric.selector else {
            let source = metric.source_type.as_deref().or(metric.source.as_deref()).unwrap_or_default();
            problems.tell(format!("its metric is measured by {source}, not by naze"));
            return Ok(());
        };
        let window: Range<Timestamp> = frame.start.checked_add(-READING_BEFORE).unwrap_or(Timestamp::MIN)..frame.end();
        let lately = lately(asked.window.end);
        let lately = asked.window.start.max(lately.start)..lately.end;
        let found = self.lines_told(&selector.metric, |series| selector.has(series), &lately)?;
        if found.is_empty() {
            problems.tell(format!("there is no series of {} with its component and labels", selector.metric));
        }
        if found.len() > SERIES_MAX {
            problems.tell(format!("{} has more than {SERIES_MAX} series: the others are left out", selector.metric));
        }
        for line in found.into_iter().take(SERIES_MAX) {
            let slots = |number: u32| self.slots(number, window.clone());
            let read = match &line.kept {
                Kept::Series(number) => Read::Series(slots(*number)?),
                Kept::Buckets(buckets) if !buckets.count_all() => {
                    problems.tell(format!(
                        "{} is told in buckets without one of all values (le=\"+Inf\"): nobody knows how many there were",
                        line.known.series.metric
                    ));
                    continue;
                }
                Kept::Buckets(buckets) => {
                    let of = |(bound, number): &(f64, u32)| Ok((*bound, slots(*number)?));
                    Read::Buckets(buckets.bounds.iter().map(of).collect::<Result<_>>()?)
                }
            };
            visit(&line.known, selector, &read, problems);
        }
        Ok(())
    }
}

/// What is kept of a line.
enum Read {
    /// Of a series.
    Series(Vec<Slot>),
    /// Of each bucket of a histogram by its bound, the smallest first.
    Buckets(Vec<(f64, Vec<Slot>)>),
}

/// One number for each minute; none of a histogram that has no such number.
fn levels(
    frame: Frame,
    known: &Known,
    selector: &Selector,
    read: &Read,
    problems: &mut Problems,
) -> Option<Minutes<f64>> {
    match (read, selector.statistic.unwrap_or(histogram::STATISTIC)) {
        (Read::Series(slots), _) => {
            Some(frame.levels(slots, selector.statistic.unwrap_or(Statistic::of(known.series.kind))))
        }
        (Read::Buckets(buckets), Statistic::Quantile(share)) => {
            let rises = |(bound, slots): &(f64, Vec<Slot>)| {
                let rises = each(slots, Statistic::Increase).into_iter();
                (*bound, rises.map(|(slot, rise)| (slot.start, rise)).collect())
            };
            let told: BTreeMap<Timestamp, f64> =
                quantiles(share, &buckets.iter().map(rises).collect::<Vec<_>>()).into_iter().collect();
            let (_, slots) = buckets.last()?;
            Some(frame.levels_of(slots.iter().filter_map(|slot| Some((slot, *told.get(&slot.start)?))).collect()))
        }
        (Read::Buckets(_), other) => {
            problems.tell(histogram::no_such(&known.series.metric, other).in_a_line());
            None
        }
    }
}

/// What a threshold that is no bound of the buckets costs.
fn between(metric: &str, threshold: Threshold, bound: Option<f64>) -> Option<String> {
    let value = threshold.value;
    match bound {
        Some(bound) if is_up_to(bound, value) && is_up_to(value, bound) => None,
        Some(bound) if bound.is_finite() => Some(format!(
            "{metric} is told in buckets without a bound at {value}: what lies between {bound} and {value} counts as bad"
        )),
        _ => Some(format!(
            "{metric} is told in buckets, none of which ends on the good side of {value}: all count as bad"
        )),
    }
}
