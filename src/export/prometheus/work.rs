//! What events of tasks and workers tell: how tasks ended, dead letters that are held, workers at work and free.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::page::Page;
use super::recent::Sum;
use super::sent::{SERIES_MAX, value_of};
use super::series::{FRESH, before, level};
use super::spread::whole;
use super::table::metric;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::Series;
use crate::measure::rollup::Rollup;
use crate::measure::store::SeriesStore;
use crate::measure::told::{DEAD_LETTERS, TASK_FAILED, WORKER_ACTIVE};

/// For so long the word of a worker counts, and a dead letter is held if nobody measures how many are.
const WITHIN: TimeDelta = TimeDelta::days(7);
const DLQ: &str = "tps_kanban_dlq_depth";
const AVAILABLE: &str = "tps_kanban_workers_available";

/// Tasks that ended in the last minutes by component, and how many of them failed.
#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
pub(super) fn tasks(store: &SeriesStore, now: Timestamp) -> Result<BTreeMap<String, Sum>> {
    let mut tasks: BTreeMap<String, Sum> = BTreeMap::new();
    for (number, known) in store.find(|series| series.metric == TASK_FAILED).into_iter().take(SERIES_MAX) {
        if let Some(Rollup::Values(values)) = whole(&store.slots(number, before(now, FRESH))?) {
            let ended = tasks.entry(known.series.component.clone()).or_default();
            (ended.value, ended.count) = (ended.value + values.sum, ended.count + values.count as f64);
        }
    }
    Ok(tasks)
}

/// How many dead letters each queue holds whose depth nobody measures: those that came since somebody last did. Returns
/// whether there are such queues.
pub(super) fn dead_letters(store: &SeriesStore, page: &mut Page, now: Timestamp) -> Result<bool> {
    let is_measured = |page: &Page, queue: &str| page.labelled(DLQ).any(|(labels, _)| labels[0] == queue);
    let mut queues: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for (number, known) in store.find(|series| series.metric == DEAD_LETTERS).into_iter().take(SERIES_MAX) {
        let queue = value_of(&known.series, "queue");
        if !is_measured(page, queue) {
            queues.entry(queue.to_owned()).or_default().push(number);
        }
    }
    let measured = measured(store, &queues, now)?;
    for (queue, numbers) in &queues {
        let measured = measured.get(queue).copied();
        let mut held = measured.map_or(0.0, |(_, depth)| depth);
        for number in numbers {
            let slots = store.slots(*number, before(now, WITHIN))?;
            let later = slots.iter().filter(|slot| measured.is_none_or(|(at, _)| slot.start > at));
            held += later.filter_map(|slot| added(&slot.rollup)).sum::<f64>();
        }
        page.gauge(DLQ, &[queue], held);
    }
    Ok(!queues.is_empty())
}

/// The minute in which the dead letters of each of these queues were last measured, and how many they were.
fn measured<T>(
    store: &SeriesStore,
    queues: &BTreeMap<String, T>,
    now: Timestamp,
) -> Result<BTreeMap<String, (Timestamp, f64)>> {
    let mut last: BTreeMap<String, (Timestamp, f64)> = BTreeMap::new();
    if queues.is_empty() {
        return Ok(last);
    }
    let depth = metric(DLQ);
    let is_of_one = |series: &Series| queues.contains_key(value_of(series, "queue"));
    let found = store.find(|series| depth.is_told_by(series) && !series.is_own() && is_of_one(series));
    for (number, known) in found.into_iter().take(SERIES_MAX) {
        let Some(slot) = store.slots(number, before(now, WITHIN))?.pop() else { continue };
        let told = (slot.start, level(&slot.rollup));
        let last = last.entry(value_of(&known.series, "queue").to_owned()).or_insert(told);
        if told.0 >= last.0 {
            *last = told;
        }
    }
    Ok(last)
}

fn added(rollup: &Rollup) -> Option<f64> {
    match rollup {
        Rollup::Values(values) => Some(values.sum),
        Rollup::Total(_) => None,
    }
}

/// How many workers of each pool are at work, and how many are not, by the latest word of each; the latter are there for a
/// queue of the same name unless somebody measures how many are. Returns whether there are any.
pub(super) fn workers(store: &SeriesStore, page: &mut Page, now: Timestamp) -> Result<bool> {
    let mut pools: BTreeMap<String, [f64; 2]> = BTreeMap::new();
    for (number, known) in store.find(|series| series.metric == WORKER_ACTIVE).into_iter().take(SERIES_MAX) {
        let slots = store.slots(number, before(now, WITHIN))?;
        if let Some(active) = slots.last().map(|slot| level(&slot.rollup)) {
            let pool = pools.entry(value_of(&known.series, "pool").to_owned()).or_default();
            pool[usize::from(active > 0.0)] += 1.0;
        }
    }
    for (pool, [idle, active]) in &pools {
        page.gauge("tps_heijunka_workers_idle", &[pool], *idle);
        page.gauge("tps_heijunka_workers_active", &[pool], *active);
        if !page.labelled(AVAILABLE).any(|(labels, _)| labels[0] == *pool) {
            page.gauge(AVAILABLE, &[pool], *idle);
        }
    }
    Ok(!pools.is_empty())
}
