//! Several lines as one of minutes: what a metric was, whoever measured it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::{Engine, Line};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::histogram::{no_such, quantiles};
use crate::measure::line::Buckets;
use crate::measure::read::{Statistic, minutes, steps};
use crate::measure::store::Slot;
use crate::measure::{Kind, Series};
use crate::receipt::percent_encode;
use crate::record::Window;
use crate::slo::Selector;

/// Lines that one is made of; of more, the others are left out.
const LINES_MAX: usize = 100;

/// The values of some steps, by when they begin.
type Values = Vec<(Timestamp, f64)>;

/// The lines that a selector picks, read in a window.
pub(super) struct Pooled {
    metric: String,
    kind: Kind,
    statistic: Statistic,
    read: Read,
    window: Window,
}

/// What is kept of them.
enum Read {
    /// Of counters one list for each series, of all others one list together.
    Series(Vec<Vec<Slot>>),
    /// Of histograms the slots of their buckets, by the bounds that all of them have, the smallest first; and of their sums.
    Buckets { bounds: Vec<(f64, Vec<Vec<Slot>>)>, sums: Vec<Vec<Slot>> },
}

impl Engine {
    /// Reads what `selector` picks; nothing when it picks no line.
    pub(super) fn pooled(&self, selector: &Selector, window: Window) -> Result<Option<Pooled>> {
        let found = self.lines(&selector.metric, |series| selector.has(series), window.to)?;
        let Some(first) = found.first() else { return Ok(None) };
        let (kind, is_series) = (first.known.series.kind, first.is_series());
        let statistic = selector.statistic.unwrap_or(first.statistic());
        let is_alike = |line: &&Line| line.known.series.kind == kind && line.is_series() == is_series;
        let alike: Vec<&Line> = found.iter().filter(is_alike).take(LINES_MAX).collect();
        let span = window.from..window.to;
        let read = if is_series { self.of_series(kind, &alike, &span)? } else { self.of_buckets(&alike, &span)? };
        Ok(Some(Pooled { metric: selector.metric.clone(), kind, statistic, read, window }))
    }

    fn of_series(&self, kind: Kind, lines: &[&Line], window: &Range<Timestamp>) -> Result<Read> {
        let read = lines.iter().map(|line| Ok((&line.known.series, self.slots(line.number(), window.clone())?)));
        let read = measured(read.collect::<Result<_>>()?);
        Ok(Read::Series(if kind == Kind::Counter { read } else { vec![merged(read)] }))
    }

    fn of_buckets(&self, lines: &[&Line], window: &Range<Timestamp>) -> Result<Read> {
        let all: Vec<&Buckets> = lines.iter().filter_map(|line| line.buckets()).collect();
        let read = |numbers: Vec<u32>| -> Result<Vec<Vec<Slot>>> {
            numbers.into_iter().map(|number| self.slots(number, window.clone())).collect()
        };
        let number = |buckets: &Buckets, bound: f64| {
            buckets.bounds.iter().find(|(own, _)| own.total_cmp(&bound).is_eq()).map(|(_, number)| *number)
        };
        let mut bounds = Vec::new();
        for (bound, _) in all.first().map_or(&[][..], |first| &first.bounds) {
            let numbers: Option<Vec<u32>> = all.iter().map(|buckets| number(buckets, *bound)).collect();
            if let Some(numbers) = numbers {
                bounds.push((*bound, read(numbers)?));
            }
        }
        let sums: Option<Vec<u32>> = all.iter().map(|buckets| buckets.sum).collect();
        Ok(Read::Buckets { bounds, sums: read(sums.unwrap_or_default())? })
    }
}

impl Pooled {
    /// The value of each minute that has one; counters add up.
    ///
    /// # Errors
    /// `Invalid` when a histogram has no such statistic.
    pub(super) fn minutes(&self) -> Result<Values> {
        self.told(self.statistic, minutes)
    }

    /// The value of each step of so many seconds; counters add up.
    ///
    /// # Errors
    /// `Invalid` when a histogram has no such statistic.
    pub(super) fn steps(&self, seconds: u32, statistic: Statistic) -> Result<Values> {
        let window = self.window.from..self.window.to;
        self.told(statistic, |slots, statistic| steps(slots, &window, seconds, statistic))
    }

    fn told(&self, statistic: Statistic, tell: impl Fn(&[Slot], Statistic) -> Values) -> Result<Values> {
        let (bounds, sums) = match &self.read {
            Read::Series(lists) => return Ok(added(lists.iter().flat_map(|slots| tell(slots, statistic)))),
            Read::Buckets { bounds, sums } => (bounds, sums),
        };
        let rises = |lists: &[Vec<Slot>]| added(lists.iter().flat_map(|slots| tell(slots, Statistic::Increase)));
        let all = bounds.last().filter(|(bound, _)| *bound == f64::INFINITY).map_or(&[][..], |(_, lists)| lists);
        match statistic {
            Statistic::Quantile(share) => {
                let rises: Vec<_> = bounds.iter().map(|(bound, lists)| (*bound, rises(lists))).collect();
                Ok(quantiles(share, &rises))
            }
            Statistic::Count => Ok(rises(all)),
            Statistic::Mean if !sums.is_empty() => {
                let counts: BTreeMap<Timestamp, f64> =
                    rises(all).into_iter().filter(|(_, count)| *count > 0.0).collect();
                Ok(rises(sums).into_iter().filter_map(|(at, sum)| Some((at, sum / counts.get(&at)?))).collect())
            }
            other => Err(no_such(&self.metric, other)),
        }
    }

    /// Are its values known one by one or by buckets, so that it has percentiles of its own?
    pub(super) fn is_distribution(&self) -> bool {
        self.kind == Kind::Distribution
    }

    /// Does it count something, so that a rate means something?
    pub(super) fn counts(&self) -> bool {
        self.kind != Kind::Gauge
    }
}

/// Values of the same time as one.
fn added(values: impl Iterator<Item = (Timestamp, f64)>) -> Values {
    let mut sums: BTreeMap<Timestamp, f64> = BTreeMap::new();
    for (at, value) in values {
        *sums.entry(at).or_default() += value;
    }
    sums.into_iter().collect()
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
