//! Where the metrics of naze's table are heading: the plain numbers of each, looked at now and then.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use chrono::TimeDelta;

use super::Engine;
use crate::analyse::trend::{Summary, WINDOWS, slope};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::export::prometheus::{Heading, METRICS, Metric, Type};
use crate::measure::Kind;
use crate::measure::read::{Statistic, steps};

/// A metric is looked at again after this time.
const EVERY: TimeDelta = TimeDelta::minutes(5);
/// After this time a round ends; the next one goes on with those that waited longest.
const ROUND_MAX: Duration = Duration::from_millis(200);
/// Series of one metric that are read; of more, the others are left out.
const SERIES_MAX: usize = 20;
/// Values of a window: one for each step of it.
const STEPS: i64 = 720;
const STEP_MIN_SECONDS: i64 = 60;
/// What has no value that is better or worse, or is no level of anything.
const UNITS_LEFT_OUT: [&str; 2] = ["code", "unit/day"];

/// What was found, by metric.
#[derive(Default)]
pub(super) struct Headings(Mutex<BTreeMap<&'static str, Found>>);

struct Found {
    at: Timestamp,
    windows: Vec<Heading>,
}

impl Headings {
    /// All that was found.
    pub(super) fn told(&self) -> Vec<Heading> {
        self.lock().values().flat_map(|found| found.windows.clone()).collect()
    }

    /// Metrics that are to be looked at, those first that waited longest.
    fn due(&self, at: Timestamp) -> Vec<&'static Metric> {
        let found = self.lock();
        let seen = |metric: &Metric| found.get(metric.name).map(|found| found.at);
        let is_due = |metric: &&Metric| has_heading(metric) && seen(metric).is_none_or(|seen| at.since(seen) >= EVERY);
        let mut due: Vec<&'static Metric> = METRICS.iter().filter(is_due).collect();
        due.sort_by_key(|metric| seen(metric));
        due
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, Found>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine {
    /// Looks where metrics are heading at `at`, as many as fit into a round.
    pub(super) fn look_ahead(&self, at: Timestamp) -> Result<()> {
        let started = Instant::now();
        for metric in self.headings.due(at) {
            let windows = self.heading_of(metric, at)?;
            self.headings.lock().insert(metric.name, Found { at, windows });
            if started.elapsed() > ROUND_MAX {
                break;
            }
        }
        Ok(())
    }

    /// The mean of all series of a metric, through every window.
    fn heading_of(&self, metric: &'static Metric, at: Timestamp) -> Result<Vec<Heading>> {
        let end = at.checked_add(TimeDelta::microseconds(1)).unwrap_or(at);
        let window = |seconds: i64| ago(at, TimeDelta::seconds(seconds))..end;
        let mut sums: Vec<BTreeMap<Timestamp, (f64, f64)>> = vec![BTreeMap::new(); WINDOWS.len()];
        for (number, known) in self.series(|series| metric.is_told_by(series)).into_iter().take(SERIES_MAX) {
            let statistic = match known.series.kind {
                Kind::Distribution => Statistic::Quantile(0.99),
                kind => Statistic::of(kind),
            };
            let (_, longest) = WINDOWS[WINDOWS.len() - 1];
            let slots = self.slots(number, window(longest))?;
            for ((_, seconds), sums) in WINDOWS.iter().zip(&mut sums) {
                let window = window(*seconds);
                let first = slots.partition_point(|slot| slot.start < window.start);
                let step = u32::try_from((seconds / STEPS).max(STEP_MIN_SECONDS)).unwrap_or(u32::MAX);
                for (start, value) in steps(&slots[first..], &window, step, statistic) {
                    let sum = sums.entry(start).or_default();
                    *sum = (sum.0 + value * metric.factor(&known), sum.1 + 1.0);
                }
            }
        }
        let headings = WINDOWS.iter().zip(sums).map(|((name, seconds), sums)| {
            let means: Vec<_> = sums.into_iter().map(|(start, (sum, count))| (start, sum / count)).collect();
            heading(metric.name, name, &window(*seconds), &means)
        });
        Ok(headings.collect())
    }
}

/// A level, or how values were spread.
fn has_heading(metric: &Metric) -> bool {
    let is_time = metric.name.ends_with("_timestamp_seconds");
    metric.holds != Type::Counter && !is_time && !UNITS_LEFT_OUT.contains(&metric.unit) && metric.name != DEVIATION
}

/// A trend of trends says nothing.
const DEVIATION: &str = "tps_kaizen_relative_deviation";

fn heading(metric: &'static str, name: &'static str, window: &Range<Timestamp>, means: &[(Timestamp, f64)]) -> Heading {
    let values: Vec<f64> = means.iter().map(|(_, value)| *value).collect();
    let days = |at: Timestamp| (at.seconds() - window.start.seconds()) / 86_400.0;
    let places: Vec<(f64, f64)> = means.iter().map(|(at, value)| (days(*at), *value)).collect();
    Heading {
        metric,
        window: name,
        relative_deviation: Summary::of(&values).and_then(|summary| summary.relative_deviation),
        slope_per_day: slope(&places),
    }
}
