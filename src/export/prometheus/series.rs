//! What series tell: levels as they are now, totals and spreads since the first value that is kept, and what follows from
//! them.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use chrono::TimeDelta;

use super::lives::Lives;
use super::page::Page;
use super::recent::Sum;
use super::sent::{SERIES_MAX, Told, sent, value_of};
use super::spread::{Recent, increase, last_minute, recent, spread, whole};
use super::table::{METRICS, Metric, Type, metric};
use super::totals::{Histogram, OTHER};
use super::work;
use crate::analyse::health::balance;
use crate::analyse::health::part::OVERALL;
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::measure::Kind;
use crate::measure::read::{Statistic, steps};
use crate::measure::rollup::Rollup;
use crate::measure::store::{Known, SeriesStore, Slot};

/// A level is shown this long after it was told.
pub(super) const FRESH: TimeDelta = TimeDelta::minutes(5);
/// What was silent for longer has gone.
pub(super) const SILENT: TimeDelta = TimeDelta::hours(24);
/// Time of which the spread of a level is told.
const SPREAD: TimeDelta = TimeDelta::hours(1);

const LATENCY: &str = "tps_kanban_latency_seconds";
pub(super) const DURATION: &str = "tps_tracing_duration_seconds";
const POOL: &str = "tps_heijunka_pool_utilization";
const BALANCE: &str = "tps_heijunka_balance_coefficient";
const DEPTH: &str = "tps_kanban_queue_depth";
const THROUGHPUT: &str = "tps_kanban_throughput_per_minute";
const REQUESTS: &str = "tps_tracing_requests_total";
const ERRORS: &str = "tps_tracing_error_traces_total";

/// What series tell of the last minutes beside the metrics on the page.
#[derive(Default)]
pub(super) struct Lately {
    /// Requests that each component answered.
    answers: BTreeMap<String, Answers>,
    /// How long those of each component took, as far as that is told.
    took: BTreeMap<String, Sum>,
    /// Of these, those that failed, as far as spans tell.
    pub(super) failed: BTreeMap<String, f64>,
    /// Components that told a sample of a metric within a day.
    pub(super) components: BTreeSet<String>,
    /// Series of each metric for which there was no room.
    pub(super) left_out: BTreeMap<&'static str, usize>,
    /// Components that count the requests of an endpoint themselves, and the requests by their durations.
    counted: BTreeSet<(String, String)>,
    timed: BTreeMap<(String, String), f64>,
    /// 99th percentile of the slowest endpoint.
    pub(super) request_p99_seconds: Option<f64>,
    /// Items that each queue finished in the last 60 s, as far as their latencies are told.
    finished: BTreeMap<String, f64>,
    /// Tasks of each component that ended, and how many of them failed.
    tasks: BTreeMap<String, Sum>,
    /// Kinds of events that become series, of which there were some.
    pub(super) kinds: BTreeSet<&'static str>,
}

/// Requests of a component, by what tells them: both may tell the same ones.
#[derive(Default)]
struct Answers {
    timed: f64,
    counted: f64,
}

impl Lately {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn timed(&mut self, told: &Told, endpoint: &str, count: u64) {
        *self.timed.entry((told.series().component.clone(), endpoint.to_owned())).or_default() += count as f64;
    }

    /// How many requests each component answered that answered any.
    pub(super) fn answered(&self) -> impl Iterator<Item = (&str, f64)> {
        let answers = self.answers.iter().map(|(component, one)| (component.as_str(), one.timed.max(one.counted)));
        answers.filter(|(_, answered)| *answered > 0.0)
    }

    /// Tells what nobody counts but durations and latencies tell.
    fn tell(&self, page: &mut Page) {
        for (queue, finished) in &self.finished {
            if !page.labelled(THROUGHPUT).any(|(labels, _)| labels[0] == *queue) {
                page.gauge(THROUGHPUT, &[queue], *finished);
            }
        }
        for ((_, endpoint), count) in self.timed.iter().filter(|(one, _)| !self.counted.contains(*one)) {
            page.add(REQUESTS, &[endpoint], *count);
        }
        for (component, took) in &self.took {
            page.gauge_if("tps_tracing_component_latency_seconds", &[component], took.mean());
        }
    }

    /// Reads what events of tasks and workers became.
    fn work(&mut self, store: &SeriesStore, page: &mut Page, now: Timestamp) -> Result<()> {
        self.tasks = work::tasks(store, now)?;
        let has_dead_letters = work::dead_letters(store, page, now)?;
        self.kinds.extend((has_dead_letters || !self.tasks.is_empty()).then_some("task"));
        self.kinds.extend(work::workers(store, page, now)?.then_some("worker"));
        Ok(())
    }

    /// Requests of a component that failed in the last minutes, at least: as many as its spans tell of, or as failures that
    /// no trace tells of, which may be of the same requests. Where no span says how requests end, all failures.
    pub(super) fn failures(&self, component: &str, failures: Sum) -> f64 {
        self.failed.get(component).map_or(failures.count, |failed| failed.max(failures.value))
    }

    /// What each component tried in the last minutes that tried anything: requests that it answered and tasks that ended.
    pub(super) fn attempts(&self) -> BTreeMap<&str, f64> {
        let mut attempts: BTreeMap<&str, f64> = self.answered().collect();
        for (component, ended) in &self.tasks {
            *attempts.entry(component).or_default() += ended.count;
        }
        attempts
    }

    /// How many of these failed, at least: as many as spans and tasks tell of, or as failures, which may be of the same
    /// attempts.
    pub(super) fn failed_attempts(&self, component: &str, failures: Sum) -> f64 {
        let Some(tasks) = self.tasks.get(component) else { return self.failures(component, failures) };
        match self.failed.get(component) {
            Some(failed) => (failed + tasks.value).max(failures.value),
            None => tasks.value.max(failures.count),
        }
    }
}

/// Tells all metrics that series tell; `None` while it still reads the past of series.
pub(super) fn tell(store: &SeriesStore, page: &mut Page, now: Timestamp) -> Result<Option<Lately>> {
    let mut lately = Lately::default();
    let mut lives = Lives::of(store);
    let mut loads: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut newest: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut silent = Vec::new();
    let (found, left_out) = sent(store, now)?;
    lately.left_out = left_out;
    for told in found {
        let (series, number) = (told.series(), told.line.number());
        let labels: Vec<&str> = told.metric.labels.iter().map(|label| value_of(series, label)).collect();
        let slots = store.slots(number, before(now, FRESH))?;
        match slots.last().map(Slot::last_at) {
            // What naze counts itself is no sign of life.
            _ if series.is_own() => {}
            Some(last) => {
                let at = newest.entry(series.component.clone()).or_insert(last);
                *at = last.max(*at);
            }
            None => silent.push((number, Arc::clone(&told.line.known))),
        }
        if !told.metric.is_of_series() {
            page.is_measured(told.metric.name, &labels);
        }
        match told.metric.holds {
            Type::Gauge => {
                let last = level_of(&slots, series.kind).map(|level| level * told.factor);
                page.gauge_if(told.metric.name, &labels, last);
                if told.metric.name == POOL {
                    loads.entry(labels[0].to_owned()).or_default().extend(last);
                }
                if told.metric.name == DEPTH {
                    page.gauge_if("tps_heijunka_queue_depth_stddev", &labels, deviation(store, number, now)?);
                }
            }
            Type::Counter => {
                let Some(life) = lives.read(number)? else { return Ok(None) };
                page.add(told.metric.name, &labels, life.sum.max(0.0) * told.factor);
                counted_lately(store, page, &told, &labels, &slots, &mut lately, now)?;
            }
            Type::Histogram(bounds) if series.kind == Kind::Distribution => {
                let Some(spread) = spread(&mut lives, &told.line, told.factor, bounds)? else { return Ok(None) };
                if told.metric.name == DURATION {
                    lately.timed(&told, labels[0], spread.count);
                }
                page.histogram(told.metric.name, &labels, &spread);
                if let Some(recent) = recent(store, &told.line, told.factor, &slots, now)? {
                    spread_lately(page, &told, &labels, &recent, &mut lately);
                }
            }
            Type::Histogram(_) => {}
        }
    }
    for (pool, loads) in loads.iter().filter(|(_, loads)| loads.len() > 1) {
        page.gauge_if(BALANCE, &[pool], balance(loads));
    }
    lately.tell(page);
    let silent = last_of(store, silent.iter().filter(|(_, known)| !newest.contains_key(&known.series.component)), now)?;
    for (component, at) in newest.into_iter().chain(silent) {
        page.gauge("tps_last_sample_timestamp_seconds", &[&component], at.seconds());
        lately.components.insert(component);
    }
    for level in ["DEBUG", "INFO", "WARNING", "CRITICAL"] {
        page.add("tps_andon_log_messages_total", &[level], 0.0);
    }
    zeros(page);
    lately.work(store, page, now)?;
    ratios(page);
    Ok(Some(lately))
}

/// When each component told a sample last, of those whose series are silent: they have to age in sight, not to vanish.
fn last_of<'a>(
    store: &SeriesStore,
    silent: impl Iterator<Item = &'a (u32, Arc<Known>)>,
    now: Timestamp,
) -> Result<BTreeMap<String, Timestamp>> {
    let mut newest = BTreeMap::new();
    for (number, known) in silent {
        let last = store.slots(*number, before(now, SILENT))?.last().map(Slot::last_at);
        let known = newest.entry(known.series.component.clone()).or_insert(last);
        *known = last.max(*known);
    }
    Ok(newest.into_iter().filter_map(|(component, last)| Some((component, last?))).collect())
}

/// The fresh values of series that are named as a metric of receipts, for want of receipts.
pub(super) fn stand_in(store: &SeriesStore, name: &str, now: Timestamp) -> Result<Vec<f64>> {
    let metric = metric(name);
    if metric.told_by.contains("series") {
        return Ok(Vec::new());
    }
    let found = store.find(|series| metric.is_told_by(series) && !series.is_own()).into_iter().take(SERIES_MAX);
    let value = |(number, known): (u32, Arc<Known>)| {
        let slots = store.slots(number, before(now, FRESH))?;
        Ok(slots.last().map(|slot| level(&slot.rollup) * metric.factor(&known)))
    };
    found.filter_map(|known| value(known).transpose()).collect()
}

/// A total that nobody tells is nothing to worry about, and not unknown.
fn zeros(page: &mut Page) {
    let totals = METRICS.iter().filter(|metric| metric.is_of_series() && metric.holds == Type::Counter);
    for metric in totals.filter(|metric| metric.name != "tps_andon_log_messages_total") {
        page.add(metric.name, &[OTHER], 0.0);
    }
    page.histogram(LATENCY, &[OTHER], &empty(metric(LATENCY)));
    page.histogram(DURATION, &[OTHER, OTHER], &empty(metric(DURATION)));
}

fn empty(metric: &Metric) -> Histogram {
    Histogram { counts: vec![0; metric.bounds().len()], ..Histogram::default() }
}

/// A level as it was told last; the mean of the last minutes of what has many values.
pub(super) fn level_of(slots: &[Slot], kind: Kind) -> Option<f64> {
    match (kind, whole(slots)) {
        (Kind::Distribution, Some(Rollup::Values(values))) => Some(values.mean()),
        _ => slots.last().map(|slot| level(&slot.rollup)),
    }
}

/// The last value. What a sender takes for a counter by its name may be a level.
pub(super) fn level(rollup: &Rollup) -> f64 {
    match rollup {
        Rollup::Values(values) => values.last,
        Rollup::Total(total) => total.last,
    }
}

/// What the counts of the last minutes say.
fn counted_lately(
    store: &SeriesStore,
    page: &mut Page,
    told: &Told,
    labels: &[&str],
    slots: &[Slot],
    lately: &mut Lately,
    now: Timestamp,
) -> Result<()> {
    let (series, number) = (told.series(), told.line.number());
    let component = || series.component.clone();
    match told.metric.name {
        "tps_kanban_throughput_total" => page.add(THROUGHPUT, labels, last_minute(slots, now, series.kind)),
        REQUESTS => {
            lately.counted.insert((component(), labels[0].to_owned()));
            if matches!(series.kind, Kind::Counter | Kind::Delta) {
                lately.answers.entry(component()).or_default().counted += increase(store, number, now)?;
            }
        }
        ERRORS if !slots.is_empty() => {
            *lately.failed.entry(component()).or_default() += increase(store, number, now)?;
        }
        _ => {}
    }
    Ok(())
}

/// What the latencies of the last minutes say.
fn spread_lately(page: &mut Page, told: &Told, labels: &[&str], recent: &Recent, lately: &mut Lately) {
    match told.metric.name {
        LATENCY => {
            page.gauge_if("tps_kanban_latency_p50_seconds", labels, recent.median);
            page.gauge_if("tps_kanban_latency_p99_seconds", labels, recent.p99);
            *lately.finished.entry(labels[0].to_owned()).or_default() += recent.last_minute;
        }
        DURATION => {
            lately.request_p99_seconds = lately.request_p99_seconds.into_iter().chain(recent.p99).reduce(f64::max);
            let component = told.series().component.clone();
            lately.answers.entry(component.clone()).or_default().timed += recent.count;
            if let Some(value) = recent.sum {
                let took = lately.took.entry(component).or_default();
                (took.value, took.count) = (took.value + value, took.count + recent.count);
            }
        }
        _ => {}
    }
}

/// Standard deviation of a level's minutes in the last hour.
#[expect(clippy::cast_precision_loss, reason = "sixty minutes")]
fn deviation(store: &SeriesStore, number: u32, now: Timestamp) -> Result<Option<f64>> {
    let window = before(now, SPREAD);
    let slots = store.slots(number, window.clone())?;
    let minutes = steps(&slots, &window, 60, Statistic::Mean);
    let count = minutes.len() as f64;
    if minutes.len() < 2 {
        return Ok(None);
    }
    let mean = minutes.iter().map(|(_, value)| value).sum::<f64>() / count;
    let squares: f64 = minutes.iter().map(|(_, value)| (value - mean).powi(2)).sum();
    Ok(Some((squares / count).sqrt()))
}

/// What follows from metrics already on the page.
fn ratios(page: &mut Page) {
    let by_label = |page: &Page, metric: &str| -> BTreeMap<String, f64> {
        page.labelled(metric).map(|(labels, value)| (labels[0].clone(), value)).collect()
    };
    let idle = by_label(page, "tps_heijunka_workers_idle");
    for (pool, active) in by_label(page, "tps_heijunka_workers_active") {
        let workers = idle.get(&pool).map(|idle| active + idle).filter(|workers| *workers > 0.0);
        page.gauge_if("tps_heijunka_worker_utilization", &[&pool], workers.map(|workers| active / workers));
    }
    let current = by_label(page, "tps_kanban_wip_current");
    let all = current.values().copied().reduce(|a, b| a + b);
    for (bucket, limit) in by_label(page, "tps_kanban_wip_limit") {
        let orders = if bucket == OVERALL { all } else { current.get(&bucket).copied() };
        let used = orders.filter(|_| limit > 0.0).map(|orders| orders / limit);
        page.gauge_if("tps_kanban_wip_utilization", &[&bucket], used);
    }
}

/// The minutes of the last `span`, the present one among them.
pub(super) fn before(now: Timestamp, span: TimeDelta) -> Range<Timestamp> {
    ago(now, span)..now.just_after()
}
