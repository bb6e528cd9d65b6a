//! Metrics of a user's own at `/metrics`: what their series tell, with what is said of them.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::sync::Arc;

use prometheus::proto::{Counter, Gauge, LabelPair, Metric as Shown, MetricFamily, MetricType};

use super::lives::Lives;
use super::page::histogram_of;
use super::series::{FRESH, before, level_of};
use super::spread::spread;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::definition::{Definition, as_name};
use crate::measure::line::{Line, each_once, histograms};
use crate::measure::store::{Known, SeriesStore};
use crate::measure::{Kind, OWN, Series, histogram};

/// Series of all of them.
const SERIES_MAX: usize = 1_000;

/// A family for each definition that has series with values. The label of [`OWN`] keeps what comes back from being told
/// again.
pub(super) fn families<'a>(
    definitions: impl Iterator<Item = &'a Definition>,
    store: &SeriesStore,
    now: Timestamp,
) -> Result<Vec<MetricFamily>> {
    let mut left = SERIES_MAX;
    let mut lives = Lives::of(store);
    let mut families = Vec::new();
    for definition in definitions {
        let found = lines(definition, store);
        let mut shown = Vec::new();
        let mut told: BTreeSet<Vec<(String, String)>> = BTreeSet::new();
        for line in found.into_iter().take(left) {
            left -= 1;
            let labels = labels(&line.known);
            if let Some(values) = values(definition, &mut lives, store, &line, now)?
                && told.insert(labels.clone())
            {
                shown.push(values.under(labels));
            }
        }
        if !shown.is_empty() {
            families.push(family(definition, shown));
        }
    }
    Ok(families)
}

/// What a series tells now.
enum Values {
    Level(f64),
    Total(f64),
    Spread(prometheus::proto::Histogram),
}

/// The series of a metric, and where it is a distribution the histograms that are told in buckets.
fn lines(definition: &Definition, store: &SeriesStore) -> Vec<Line> {
    let found = store.find(|series| series.metric == definition.name && !series.is_own());
    let series = found.into_iter().map(|(number, known)| Line::of_series(number, known)).collect();
    let is_part = |series: &Series| histogram::named(&series.metric) == Some(&definition.name) && !series.is_own();
    let parts = if definition.kind == Kind::Distribution { store.find(is_part) } else { Vec::new() };
    let Ok(lines) = each_once(series, histograms(parts, |_| true), |_| Ok::<_, Infallible>(true));
    lines
}

fn values(
    definition: &Definition,
    lives: &mut Lives<'_>,
    store: &SeriesStore,
    line: &Line,
    now: Timestamp,
) -> Result<Option<Values>> {
    let (number, kind) = (line.number(), line.known.series.kind);
    Ok(match (definition.kind, kind) {
        (Kind::Distribution, Kind::Distribution) => {
            let told = spread(lives, line, 1.0, &definition.buckets)?;
            told.map(|told| Values::Spread(histogram_of(&definition.buckets, &told, 1.0)))
        }
        (Kind::Counter, Kind::Counter) | (Kind::Delta, Kind::Delta) => {
            lives.read(number)?.map(|life| Values::Total(life.sum.max(0.0)))
        }
        (Kind::Gauge, Kind::Gauge | Kind::Distribution) => {
            level_of(&store.slots(number, before(now, FRESH))?, kind).map(Values::Level)
        }
        // It is not what it was said to be; naze doctor says so.
        _ => None,
    })
}

impl Values {
    fn under(self, labels: Vec<(String, String)>) -> Shown {
        let pair = |(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name(name);
            pair.set_value(value);
            pair
        };
        let mut shown = Shown::from_label(labels.into_iter().map(pair).collect());
        match self {
            Self::Level(value) => {
                let mut gauge = Gauge::default();
                gauge.set_value(value);
                shown.set_gauge(gauge);
            }
            Self::Total(value) => {
                let mut counter = Counter::default();
                counter.set_value(value);
                shown.set_counter(counter);
            }
            Self::Spread(histogram) => shown.set_histogram(histogram),
        }
        shown
    }
}

fn family(definition: &Definition, shown: Vec<Shown>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(definition.family());
    let about = format!("in {}, {} is better", definition.unit, definition.polarity());
    family.set_help(match definition.description.as_str() {
        "" => about,
        description => format!("{description}; {about}"),
    });
    family.set_field_type(match definition.kind {
        Kind::Gauge => MetricType::GAUGE,
        Kind::Counter | Kind::Delta => MetricType::COUNTER,
        Kind::Distribution => MetricType::HISTOGRAM,
    });
    family.set_metric(shown);
    family
}

/// By name, each once.
fn labels(known: &Arc<Known>) -> Vec<(String, String)> {
    let own = [("component", known.series.component.as_str()), OWN];
    let mut labels: Vec<(String, String)> =
        own.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    for (name, value) in &known.series.labels {
        let name = as_name(name, "");
        if labels.iter().all(|(known, _)| *known != name) {
            labels.push((name, value.clone()));
        }
    }
    labels.sort();
    labels
}
