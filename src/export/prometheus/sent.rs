//! Which series senders tell metrics with.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use super::series::{SILENT, before};
use super::table::{METRICS, Metric, Type};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::line::{Line, each_once, histograms};
use crate::measure::own::OUTLIERS;
use crate::measure::store::{Known, SeriesStore};
use crate::measure::{Series, histogram};

/// Series that one scrape reads, of all metrics together.
pub(super) const SERIES_MAX: usize = 10_000;

/// The metrics that series tell, by each of their names, with their places in the table.
static OF_SERIES: LazyLock<HashMap<&str, usize>> = LazyLock::new(|| {
    let metrics = METRICS.iter().enumerate().filter(|(_, metric)| metric.told_by.contains("series"));
    metrics.flat_map(|(place, metric)| metric.names().map(move |name| (name, place))).collect()
});

/// A series or histogram with the metric it tells.
pub(super) struct Told {
    pub(super) line: Line,
    pub(super) metric: &'static Metric,
    /// What its values have to be multiplied with to be in the metric's unit.
    pub(super) factor: f64,
}

impl Told {
    pub(super) fn series(&self) -> &Series {
        &self.line.known.series
    }
}

/// The series that senders tell metrics with, by metric and in the order in which they first came, so that those that
/// have a name keep it; and how many of each metric there is no room for. A component that tells a metric both in values
/// and in buckets counts by the values, unless they have been silent for a day.
pub(super) fn sent(store: &SeriesStore, now: Timestamp) -> Result<(Vec<Told>, BTreeMap<&'static str, usize>)> {
    let mut by_metric: BTreeMap<usize, (Vec<Line>, Parts)> = BTreeMap::new();
    let counts = |series: &Series| !series.is_own() || series.metric == OUTLIERS;
    for (number, known) in store.find(|series| place(series).is_some() && counts(series)) {
        match place(&known.series) {
            Some(Place::Whole(place)) => by_metric.entry(place).or_default().0.push(Line::of_series(number, known)),
            Some(Place::Part(place)) => by_metric.entry(place).or_default().1.push((number, known)),
            None => {}
        }
    }
    let is_told = |line: &Line| -> Result<bool> { Ok(!store.slots(line.number(), before(now, SILENT))?.is_empty()) };
    let mut lines = BTreeMap::new();
    for (place, (series, parts)) in by_metric {
        let mut all = each_once(series, histograms(parts, |_| true), is_told)?;
        all.sort_by_key(Line::number);
        lines.insert(place, all);
    }
    let weight = |lines: &Vec<Line>| lines.iter().map(Line::weight).sum();
    let share = share(lines.values().map(weight).collect(), SERIES_MAX);
    let (mut found, mut left_out) = (Vec::new(), BTreeMap::new());
    for (place, lines) in lines {
        let metric = &METRICS[place];
        let kept = within(&lines, share);
        if kept < lines.len() {
            left_out.insert(metric.name, lines.len() - kept);
        }
        found.extend(lines.into_iter().take(kept).map(|line| {
            let factor = metric.factor(&line.known);
            Told { line, metric, factor }
        }));
    }
    Ok((found, left_out))
}

/// Buckets and sums of histograms.
type Parts = Vec<(u32, Arc<Known>)>;

/// The place in the table of the metric that a series tells.
enum Place {
    Whole(usize),
    /// Told by the histogram that it is a part of.
    Part(usize),
}

fn place(series: &Series) -> Option<Place> {
    let name = series.metric.as_str();
    if let Some(place) = OF_SERIES.get(name) {
        return Some(Place::Whole(*place));
    }
    let place = *OF_SERIES.get(histogram::named(name)?)?;
    matches!(METRICS[place].holds, Type::Histogram(_)).then_some(Place::Part(place))
}

/// How many each may have so that all have at most `max` together, and those with few have all of theirs.
fn share(mut counts: Vec<usize>, max: usize) -> usize {
    counts.sort_unstable();
    let mut left = max;
    for (place, count) in counts.iter().enumerate() {
        let share = left / (counts.len() - place);
        if *count > share {
            return share;
        }
        left -= count;
    }
    max
}

/// How many of the first lines are told by at most `max` series.
fn within(lines: &[Line], max: usize) -> usize {
    let weights = lines.iter().scan(0, |sum, line| {
        *sum += line.weight();
        Some(*sum)
    });
    weights.take_while(|sum| *sum <= max).count()
}

/// A label of the metric, as the series has it; its component stands in for one that it lacks.
pub(super) fn value_of<'a>(series: &'a Series, label: &str) -> &'a str {
    match label {
        "component" => &series.component,
        _ => series.labels.get(label).map_or(&series.component, String::as_str),
    }
}
