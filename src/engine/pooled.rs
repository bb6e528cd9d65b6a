//! Several series as one line of minutes: what a metric was, whoever measured it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Engine;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::read::{Statistic, minutes, steps};
use crate::measure::store::{Known, Slot};
use crate::measure::{Kind, Series};
use crate::receipt::percent_encode;
use crate::record::Window;
use crate::slo::Selector;

/// Series that one line is made of; of more, the others are left out.
const SERIES_MAX: usize = 100;

/// The series that a selector picks, read in a window.
pub(super) struct Pooled {
    kind: Kind,
    statistic: Statistic,
    /// Of counters one list for each, of all others one list together.
    slots: Vec<Vec<Slot>>,
    window: Window,
}

impl Engine {
    /// Reads what `selector` picks; nothing when it picks no series.
    pub(super) fn pooled(&self, selector: &Selector, window: Window) -> Result<Option<Pooled>> {
        let found: Vec<(u32, Arc<Known>)> = self.series(|series| selector.has(series));
        let Some((_, first)) = found.first() else { return Ok(None) };
        let kind = first.series.kind;
        let statistic = selector.statistic.unwrap_or(Statistic::of(kind));
        let of_kind = found.iter().filter(|(_, known)| known.series.kind == kind).take(SERIES_MAX);
        let read = of_kind.map(|(number, known)| Ok((&known.series, self.slots(*number, window.from..window.to)?)));
        let read = measured(read.collect::<Result<_>>()?);
        let slots = if kind == Kind::Counter { read } else { vec![merged(read)] };
        Ok(Some(Pooled { kind, statistic, slots, window }))
    }
}

impl Pooled {
    /// The value of each minute that has one; counters add up.
    pub(super) fn minutes(&self) -> Vec<(Timestamp, f64)> {
        let mut sums: BTreeMap<Timestamp, f64> = BTreeMap::new();
        for (at, value) in self.slots.iter().flat_map(|slots| minutes(slots, self.statistic)) {
            *sums.entry(at).or_default() += value;
        }
        sums.into_iter().collect()
    }

    /// The value of each step of so many seconds; counters add up.
    pub(super) fn steps(&self, seconds: u32, statistic: Statistic) -> Vec<(Timestamp, f64)> {
        let window = self.window.from..self.window.to;
        let mut sums: BTreeMap<Timestamp, f64> = BTreeMap::new();
        for (at, value) in self.slots.iter().flat_map(|slots| steps(slots, &window, seconds, statistic)) {
            *sums.entry(at).or_default() += value;
        }
        sums.into_iter().collect()
    }

    /// Are its values kept one by one, so that it has percentiles of its own?
    pub(super) fn is_distribution(&self) -> bool {
        self.kind == Kind::Distribution
    }

    /// Does it count something, so that a rate means something?
    pub(super) fn counts(&self) -> bool {
        self.kind != Kind::Gauge
    }
}

/// The slots of each, without what naze works out of a component where a sender tells the same metric of it: both count the
/// same.
fn measured(read: Vec<(&Series, Vec<Slot>)>) -> Vec<Vec<Slot>> {
    let sent = read.iter().filter(|(series, slots)| !series.is_own() && !slots.is_empty());
    let sent: BTreeSet<&str> = sent.map(|(series, _)| series.component.as_str()).collect();
    let is_left_out = |series: &Series| series.is_own() && sent.contains(series.component.as_str());
    read.into_iter().filter(|(series, _)| !is_left_out(series)).map(|(_, slots)| slots).collect()
}

/// The slots of several series as those of one.
fn merged(read: Vec<Vec<Slot>>) -> Vec<Slot> {
    let mut together: BTreeMap<Timestamp, Slot> = BTreeMap::new();
    for slot in read.into_iter().flatten() {
        match together.get_mut(&slot.start) {
            Some(known) => known.rollup.merge(&slot.rollup, 0),
            None => drop(together.insert(slot.start, slot)),
        }
    }
    together.into_values().collect()
}

/// Path that shows the values of a selector again.
pub(super) fn path(selector: &Selector, window: Window) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    if let Some(component) = &selector.component {
        pairs.append_pair("component", component);
    }
    for (name, values) in &selector.labels {
        for value in values {
            pairs.append_pair(&format!("label.{name}"), value);
        }
    }
    if let Some(statistic) = selector.statistic {
        pairs.append_pair("stat", &statistic.to_string());
    }
    pairs.append_pair("from", &window.from.to_string()).append_pair("to", &window.to.to_string());
    format!("/v1/series/{}?{}", percent_encode(&selector.metric).replace('/', "%2F"), pairs.finish())
}
