//! Which series senders tell metrics with.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use super::table::{METRICS, Metric};
use crate::measure::Series;
use crate::measure::store::{Known, SeriesStore};

/// Series that one scrape reads, of all metrics together.
pub(super) const SERIES_MAX: usize = 10_000;

/// The metrics that series tell, by each of their names, with their places in the table.
static OF_SERIES: LazyLock<HashMap<&str, usize>> = LazyLock::new(|| {
    let metrics = METRICS.iter().enumerate().filter(|(_, metric)| metric.told_by.contains("series"));
    metrics.flat_map(|(place, metric)| metric.names().map(move |name| (name, place))).collect()
});

/// A series with the metric it tells.
pub(super) struct Told {
    pub(super) number: u32,
    pub(super) known: Arc<Known>,
    pub(super) metric: &'static Metric,
    /// What its values have to be multiplied with to be in the metric's unit.
    pub(super) factor: f64,
}

/// The series that senders tell metrics with, by metric and in the order in which they first came, so that those that
/// have a name keep it; and how many of each metric there is no room for.
pub(super) fn sent(store: &SeriesStore) -> (Vec<Told>, BTreeMap<&'static str, usize>) {
    let mut by_metric: BTreeMap<usize, Vec<(u32, Arc<Known>)>> = BTreeMap::new();
    for (number, known) in store.find(|series| OF_SERIES.contains_key(series.metric.as_str()) && !series.is_own()) {
        by_metric.entry(OF_SERIES[known.series.metric.as_str()]).or_default().push((number, known));
    }
    let share = share(by_metric.values().map(Vec::len).collect(), SERIES_MAX);
    let (mut found, mut left_out) = (Vec::new(), BTreeMap::new());
    for (place, series) in by_metric {
        let metric = &METRICS[place];
        if series.len() > share {
            left_out.insert(metric.name, series.len() - share);
        }
        found.extend(series.into_iter().take(share).map(|(number, known)| {
            let factor = metric.factor(&known);
            Told { number, known, metric, factor }
        }));
    }
    (found, left_out)
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

/// A label of the metric, as the series has it; its component stands in for one that it lacks.
pub(super) fn value_of<'a>(series: &'a Series, label: &str) -> &'a str {
    match label {
        "component" => &series.component,
        _ => series.labels.get(label).map_or(&series.component, String::as_str),
    }
}
