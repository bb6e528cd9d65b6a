//! What series tell of a week: its health and where metrics went.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::TimeDelta;

use crate::analyse::health::{Colour, Coverage, Health, SCORE};
use crate::analyse::kaizen::change_percent;
use crate::analyse::review::{HealthOfWeek, Missing, TrendOfWeek};
use crate::analyse::trend::{Direction, Point, Question, Summary, trend};
use crate::clock::Timestamp;
use crate::engine::pooled::path;
use crate::engine::{Engine, Line};
use crate::error::Result;
use crate::measure::crossing::Palette;
use crate::measure::own;
use crate::measure::read::Statistic;
use crate::measure::store::Known;
use crate::measure::{Kind, Series};
use crate::record::Window;
use crate::slo::Selector;

/// Health is looked at this often.
const HEALTH_EVERY: TimeDelta = TimeDelta::hours(6);
const HOUR_SECONDS: u32 = 3_600;
/// Series of each sort that a review tells of.
const LATENCIES_MAX: usize = 8;
const QUEUES_MAX: usize = 4;
const OTHERS_MAX: usize = 8;

/// Scores of a window with what they rest on.
pub(super) struct Scores {
    moments: Vec<(Timestamp, Health)>,
}

impl Scores {
    fn known(&self) -> Vec<(Timestamp, f64)> {
        self.moments.iter().filter_map(|(at, health)| Some((*at, health.overall?))).collect()
    }

    fn mean(&self) -> Option<f64> {
        let scores: Vec<f64> = self.known().into_iter().map(|(_, score)| score).collect();
        Summary::of(&scores).map(|summary| summary.mean)
    }

    /// Metrics that were missing at every moment.
    fn missing(&self) -> BTreeSet<&'static str> {
        let of = |coverage: &Coverage| -> BTreeSet<&'static str> {
            coverage.missing.iter().flat_map(|pillar| pillar.metrics.iter().copied()).collect()
        };
        let mut all = self.moments.iter().map(|(_, health)| of(&health.coverage));
        let first = all.next().unwrap_or_default();
        all.fold(first, |missing, more| missing.intersection(&more).copied().collect())
    }
}

/// A week's health beside that of the week before.
pub(super) fn told(
    scores: &Scores,
    before: &Scores,
    window: Window,
    palette: &Palette,
    missing: &mut Vec<Missing>,
) -> HealthOfWeek {
    let known = scores.known();
    let lowest = known.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1).then(a.0.cmp(&b.0)));
    let score = scores.mean();
    let gone = scores.missing();
    if !gone.is_empty() {
        let names: Vec<&str> = gone.iter().copied().collect();
        let what = format!("the health score rests on less than four pillars: nobody measured {}", names.join(", "));
        missing.push(Missing { what, show: Some("/v1/series".to_owned()) });
    }
    let metrics = [
        "tps_jidoka_circuit_open_ratio",
        "tps_jidoka_failure_rate",
        "tps_kanban_latency_seconds",
        "tps_kanban_throughput_per_minute",
        "tps_andon_alerts_per_minute",
        "tps_heijunka_pool_utilization",
    ];
    let read = metrics.into_iter().filter(|metric| score.is_some() && !gone.contains(metric));
    HealthOfWeek {
        score,
        band: Colour::of(score, SCORE, palette),
        lowest: lowest.map(|(_, score)| score),
        lowest_at: lowest.map(|(at, _)| at),
        scored: known.len(),
        moments: scores.moments.len(),
        previous: before.mean(),
        show: read.map(|metric| path(&of_metric(metric, None), window)).collect(),
    }
}

fn of_metric(metric: &str, component: Option<&str>) -> Selector {
    Selector {
        metric: metric.to_owned(),
        component: component.map(str::to_owned),
        labels: BTreeMap::new(),
        statistic: None,
    }
}

/// Latencies first, then queues, then what has a threshold; of anything else a review does not tell. What counts how often
/// or how long something was, such as the `_count` and `_sum` of a histogram, is no latency.
fn sort(series: &Series, has_threshold: bool) -> Option<(usize, usize)> {
    let is_level = matches!(series.kind, Kind::Gauge | Kind::Distribution);
    let has = |parts: [&str; 2]| is_level && parts.iter().any(|part| series.metric.contains(part));
    if has(["latency", "duration"]) {
        Some((0, LATENCIES_MAX))
    } else if has(["queue_depth", "queue_length"]) {
        Some((1, QUEUES_MAX))
    } else {
        has_threshold.then_some((2, OTHERS_MAX))
    }
}

impl Engine {
    /// Health through a window.
    pub(super) fn health_of(&self, window: Window) -> Result<Scores> {
        let next = |at: &Timestamp| at.checked_add(HEALTH_EVERY).filter(|at| *at <= window.to);
        let moments = std::iter::successors(next(&window.from), next);
        let moments = moments.map(|at| Ok((at, self.health_then(at)?)));
        Ok(Scores { moments: moments.collect::<Result<_>>()? })
    }

    /// What a metric of a component usually was, minute by minute; nothing when it is not kept.
    pub(super) fn usual(&self, metric: &str, component: &str, window: Window) -> Result<Option<Summary>> {
        let line = self.pooled(&of_metric(metric, Some(component)), window)?;
        let minutes = line.and_then(|line| line.minutes().ok());
        let values = minutes.map(|minutes| minutes.into_iter().map(|(_, value)| value).collect::<Vec<f64>>());
        Ok(values.and_then(|values| Summary::of(&values)))
    }

    /// Where metrics went in a window, latencies and queues first.
    pub(super) fn trends_of(
        &self,
        window: Window,
        before: Window,
        missing: &mut Vec<Missing>,
    ) -> Result<Vec<TrendOfWeek>> {
        let watching = self.watching();
        let thresholds: BTreeSet<&str> =
            watching.thresholds().flat_map(|threshold| &threshold.metric).map(String::as_str).collect();
        let sort_of = |series: &Series| sort(series, thresholds.contains(series.metric.as_str()));
        let found = self.all_lines(|series| !own::is_again(series) && sort_of(series).is_some(), window.to)?;
        let mut found: Vec<(usize, usize, Line)> = found
            .into_iter()
            .filter_map(|line| sort_of(&line.known.series).map(|(sort, max)| (sort, max, line)))
            .collect();
        // What is measured goes before what naze works out.
        found.sort_by(|a, b| {
            let series = |one: &(usize, usize, Line)| Arc::clone(&one.2.known);
            let (a_known, b_known) = (series(a), series(b));
            let place = |sort: usize, known: &Known| (sort, known.series.is_own());
            place(a.0, &a_known).cmp(&place(b.0, &b_known)).then_with(|| a_known.series.cmp(&b_known.series))
        });
        let mut trends = Vec::new();
        for same in found.chunk_by(|a, b| a.0 == b.0) {
            let max = same[0].1;
            if same.len() > max {
                let what = format!("trends of {} more series like {}", same.len() - max, same[0].2.known.series.metric);
                missing.push(Missing { what, show: Some("/v1/series".to_owned()) });
            }
            for (_, _, line) in same.iter().take(max) {
                trends.push(self.trend_of(line, window, before)?);
            }
        }
        for (sort, name) in [(0, "latency"), (1, "queue depth")] {
            if !found.iter().any(|series| series.0 == sort) {
                let what = format!("no series of a {name} is kept");
                missing.push(Missing { what, show: Some("/v1/series".to_owned()) });
            }
        }
        for trend in trends.iter().filter(|trend| trend.direction == Direction::NotEnoughData) {
            let what = format!("{} of {}: {}", trend.metric, trend.component, trend.statement);
            missing.push(Missing { what, show: Some(trend.show.clone()) });
        }
        Ok(trends)
    }

    fn trend_of(&self, line: &Line, window: Window, before: Window) -> Result<TrendOfWeek> {
        let (known, series) = (&line.known, &line.known.series);
        let statistic = match series.kind {
            Kind::Distribution => Statistic::Quantile(0.99),
            kind => Statistic::of(kind),
        };
        let whole = before.from..window.to;
        let values = self.values(line, &whole, HOUR_SECONDS, Some(statistic))?;
        let points: Vec<Point> = values.into_iter().map(Point::from).collect();
        let mean = |window: Window| {
            let values = points.iter().filter(|point| window.contains(point.time)).map(|point| point.value);
            Summary::of(&values.collect::<Vec<f64>>()).map(|summary| summary.mean)
        };
        let polarity = self.polarity(&series.metric);
        let interval = TimeDelta::seconds(i64::from(HOUR_SECONDS));
        let question = Question { at: window.to, interval, polarity, threshold: None, horizon: None };
        let verdict = trend(&question, &points).windows.swap_remove(WEEK).verdict;
        let selector = Selector {
            labels: series.labels.iter().map(|(name, value)| (name.clone(), vec![value.clone()])).collect(),
            statistic: Some(statistic),
            ..of_metric(&series.metric, Some(&series.component))
        };
        let (current, previous) = (mean(window), mean(before));
        Ok(TrendOfWeek {
            metric: series.metric.clone(),
            component: series.component.clone(),
            labels: series.labels.clone(),
            unit: known.unit.clone(),
            statistic: statistic.to_string(),
            direction: verdict.direction,
            statement: verdict.statement,
            mean: current,
            previous,
            change_percent: current.zip(previous).and_then(|(now, before)| change_percent(before, now)),
            show: path(&selector, window),
        })
    }
}

/// Place of the seven days among [`crate::analyse::trend::WINDOWS`].
const WEEK: usize = 2;
