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
use super::table::{METRICS, Metric, Type, metric};
use super::totals::{Histogram, OTHER};
use crate::analyse::health::balance;
use crate::analyse::health::part::OVERALL;
use crate::clock::{Timestamp, ago, minute_of};
use crate::error::Result;
use crate::measure::Kind;
use crate::measure::read::{Statistic, each, steps};
use crate::measure::rollup::Rollup;
use crate::measure::store::{Known, Lifetime, SeriesStore, Slot};

/// A level is shown this long after it was told.
pub(super) const FRESH: TimeDelta = TimeDelta::minutes(5);
/// What was silent for longer has gone.
const SILENT: TimeDelta = TimeDelta::hours(24);
/// Time of which the spread of a level is told.
const SPREAD: TimeDelta = TimeDelta::hours(1);
const MINUTE_SECONDS: f64 = 60.0;
/// Whether a worker is at work, as it says when that changes; for so long it counts.
const WORKER: &str = "worker_active";
const WORKER_WITHIN: TimeDelta = TimeDelta::days(7);

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
    /// Requests that each component answered, and how long they took.
    pub(super) requests: BTreeMap<String, Sum>,
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
}

impl Lately {
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn timed(&mut self, told: &Told, endpoint: &str, count: u64) {
        *self.timed.entry((told.known.series.component.clone(), endpoint.to_owned())).or_default() += count as f64;
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
        for (component, answered) in &self.requests {
            page.gauge_if("tps_tracing_component_latency_seconds", &[component], answered.mean());
        }
    }

    /// Requests of a component that failed in the last minutes, at least: as many as its spans tell of, or as failures that
    /// no trace tells of, which may be of the same requests. Where no span says how requests end, all failures.
    pub(super) fn failures(&self, component: &str, failures: Sum) -> f64 {
        self.failed.get(component).map_or(failures.count, |failed| failed.max(failures.value))
    }
}

/// Tells all metrics that series tell; `None` while it still reads the past of series.
pub(super) fn tell(store: &SeriesStore, page: &mut Page, now: Timestamp) -> Result<Option<Lately>> {
    let mut lately = Lately::default();
    let mut lives = Lives::of(store);
    let mut loads: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    let mut newest: BTreeMap<String, Timestamp> = BTreeMap::new();
    let mut silent = Vec::new();
    let (found, left_out) = sent(store);
    lately.left_out = left_out;
    for told in found {
        let labels: Vec<&str> = told.metric.labels.iter().map(|label| value_of(&told.known.series, label)).collect();
        let slots = store.slots(told.number, before(now, FRESH))?;
        match slots.last().map(Slot::last_at) {
            Some(last) => {
                let at = newest.entry(told.known.series.component.clone()).or_insert(last);
                *at = last.max(*at);
            }
            None => silent.push((told.number, Arc::clone(&told.known))),
        }
        if !told.metric.is_of_series() {
            page.is_measured(told.metric.name, &labels);
        }
        match told.metric.holds {
            Type::Gauge => {
                let last = level_of(&slots, told.known.series.kind).map(|level| level * told.factor);
                page.gauge_if(told.metric.name, &labels, last);
                if told.metric.name == POOL {
                    loads.entry(labels[0].to_owned()).or_default().extend(last);
                }
                if told.metric.name == DEPTH {
                    page.gauge_if("tps_heijunka_queue_depth_stddev", &labels, spread(store, told.number, now)?);
                }
            }
            Type::Counter => {
                let Some(life) = lives.read(told.number)? else { return Ok(None) };
                page.add(told.metric.name, &labels, life.sum.max(0.0) * told.factor);
                counted_lately(page, &told, &labels, &slots, &mut lately, now);
            }
            Type::Histogram(bounds) if told.known.series.kind == Kind::Distribution => {
                let Some(life) = lives.read(told.number)? else { return Ok(None) };
                let spread = histogram(&life, told.factor, bounds);
                if told.metric.name == DURATION {
                    lately.timed(&told, labels[0], spread.count);
                }
                page.histogram(told.metric.name, &labels, &spread);
                spread_lately(page, &told, &labels, &slots, &mut lately, now);
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
    workers(store, page, now)?;
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

/// How many workers of each pool are at work, and how many are not, by the latest word of each.
fn workers(store: &SeriesStore, page: &mut Page, now: Timestamp) -> Result<()> {
    let mut pools: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for (number, known) in store.find(|series| series.metric == WORKER).into_iter().take(SERIES_MAX) {
        let slots = store.slots(number, before(now, WORKER_WITHIN))?;
        if let Some(active) = slots.last().and_then(|slot| level(&slot.rollup)) {
            let pool = pools.entry(value_of(&known.series, "pool").to_owned()).or_default();
            pool[usize::from(active > 0.0)] += 1.0;
        }
    }
    for (pool, [idle, active]) in pools {
        page.gauge("tps_heijunka_workers_idle", &[&pool], idle);
        page.gauge("tps_heijunka_workers_active", &[&pool], active);
    }
    Ok(())
}

/// The fresh values of series that are named as a metric of receipts, for want of receipts.
pub(super) fn stand_in(store: &SeriesStore, name: &str, now: Timestamp) -> Result<Vec<f64>> {
    let metric = metric(name);
    if metric.told_by.contains("series") {
        return Ok(Vec::new());
    }
    let found = store.find(|series| series.metric == name && !series.is_own()).into_iter().take(SERIES_MAX);
    let value = |(number, _): (u32, Arc<Known>)| {
        let slots = store.slots(number, before(now, FRESH))?;
        Ok(slots.last().and_then(|slot| level(&slot.rollup)))
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
        _ => slots.last().and_then(|slot| level(&slot.rollup)),
    }
}

fn level(rollup: &Rollup) -> Option<f64> {
    match rollup {
        Rollup::Values(values) => Some(values.last),
        Rollup::Total(_) => None,
    }
}

/// What the counts of the last minutes say.
fn counted_lately(page: &mut Page, told: &Told, labels: &[&str], slots: &[Slot], lately: &mut Lately, now: Timestamp) {
    let kind = told.known.series.kind;
    match told.metric.name {
        "tps_kanban_throughput_total" => page.add(THROUGHPUT, labels, last_minute(slots, now, kind)),
        REQUESTS => drop(lately.counted.insert((told.known.series.component.clone(), labels[0].to_owned()))),
        ERRORS if !slots.is_empty() => {
            let failed: f64 = each(slots, Statistic::Increase).iter().map(|(_, count)| count).sum();
            *lately.failed.entry(told.known.series.component.clone()).or_default() += failed;
        }
        _ => {}
    }
}

/// How all values were spread; `factor` brings them to the unit of the bounds.
pub(super) fn histogram(life: &Lifetime, factor: f64, bounds: &[f64]) -> Histogram {
    let counts = bounds.iter().map(|bound| life.sketch.count_to(bound / factor)).collect();
    Histogram { counts, sum: life.sum * factor, count: life.count }
}

/// What the latencies of the last minutes say.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn spread_lately(page: &mut Page, told: &Told, labels: &[&str], slots: &[Slot], lately: &mut Lately, now: Timestamp) {
    let Some(Rollup::Values(values)) = whole(slots) else { return };
    match told.metric.name {
        LATENCY => {
            page.gauge("tps_kanban_latency_p50_seconds", labels, values.quantile(0.50) * told.factor);
            page.gauge("tps_kanban_latency_p99_seconds", labels, values.quantile(0.99) * told.factor);
            *lately.finished.entry(labels[0].to_owned()).or_default() +=
                last_minute(slots, now, told.known.series.kind);
        }
        DURATION => {
            let p99 = values.quantile(0.99) * told.factor;
            lately.request_p99_seconds = lately.request_p99_seconds.into_iter().chain([p99]).reduce(f64::max);
            let answered = lately.requests.entry(told.known.series.component.clone()).or_default();
            answered.value += values.sum * told.factor;
            answered.count += values.count as f64;
        }
        _ => {}
    }
}

fn whole(slots: &[Slot]) -> Option<Rollup> {
    let (first, others) = slots.split_first()?;
    let mut whole = first.rollup.clone();
    for slot in others {
        let shift = slot.start.since(first.start).num_milliseconds();
        whole.merge(&slot.rollup, u32::try_from(shift).unwrap_or(u32::MAX));
    }
    Some(whole)
}

/// How many there were in the last 60 s: a part of this minute and the rest of the one before. A counter that is read less
/// often goes on as it did when it was last read.
fn last_minute(slots: &[Slot], now: Timestamp, kind: Kind) -> f64 {
    let this = minute_of(now);
    let elapsed = (now.seconds() - this.seconds()) / MINUTE_SECONDS;
    if kind == Kind::Counter {
        let rates = each(slots, Statistic::Rate);
        let (latest, before) = (rates.last(), rates.iter().rev().find(|(slot, _)| slot.start < this));
        let rate = |told: Option<&(&Slot, f64)>| told.or(latest).map_or(0.0, |(_, rate)| *rate);
        return MINUTE_SECONDS * (rate(latest) * elapsed + rate(before) * (1.0 - elapsed));
    }
    let statistic = if kind == Kind::Distribution { Statistic::Count } else { Statistic::Sum };
    let share = |start: Timestamp| match this.since(start).num_seconds() {
        ..=0 => 1.0,
        60 => 1.0 - elapsed,
        _ => 0.0,
    };
    each(slots, statistic).into_iter().map(|(slot, count)| count * share(slot.start)).sum()
}

/// Standard deviation of a level's minutes in the last hour.
#[expect(clippy::cast_precision_loss, reason = "sixty minutes")]
fn spread(store: &SeriesStore, number: u32, now: Timestamp) -> Result<Option<f64>> {
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
