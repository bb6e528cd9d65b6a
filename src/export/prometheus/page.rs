//! What one scrape shows: values of the metrics of the table, with their legacy names beside them.

use std::collections::{BTreeMap, BTreeSet};

use prometheus::proto::{Bucket, Counter, Gauge, LabelPair, Metric as Shown, MetricFamily, MetricType};

use super::table::{self, Metric, Type};
use super::totals::{Histogram, LABEL_VALUES_MAX, OTHER};

/// Values by metric and label values.
#[derive(Default)]
pub(super) struct Page {
    numbers: BTreeMap<&'static str, BTreeMap<Vec<String>, f64>>,
    histograms: BTreeMap<&'static str, BTreeMap<Vec<String>, Histogram>>,
    /// What a sender's series tells itself, of metrics that are worked out as well.
    measured: BTreeSet<(&'static str, Vec<String>)>,
}

impl Page {
    /// Tells a level. Of several with the same labels the largest is shown.
    pub(super) fn gauge(&mut self, metric: &str, labels: &[&str], value: f64) {
        self.merge(metric, labels, value, f64::max);
    }

    /// Tells a level, if there is one.
    pub(super) fn gauge_if(&mut self, metric: &str, labels: &[&str], value: Option<f64>) {
        if let Some(value) = value {
            self.gauge(metric, labels, value);
        }
    }

    /// Tells a count. Several with the same labels add up.
    pub(super) fn add(&mut self, metric: &str, labels: &[&str], value: f64) {
        self.merge(metric, labels, value, |a, b| a + b);
    }

    /// Tells how values were spread.
    pub(super) fn histogram(&mut self, metric: &str, labels: &[&str], told: &Histogram) {
        let values = self.histograms.entry(table::metric(metric).name).or_default();
        let labels = bounded(values, labels);
        values.entry(labels).or_default().merge(told);
    }

    fn merge(&mut self, metric: &str, labels: &[&str], value: f64, merge: impl Fn(f64, f64) -> f64) {
        if !value.is_finite() {
            return;
        }
        let values = self.numbers.entry(table::metric(metric).name).or_default();
        let labels = bounded(values, labels);
        values.entry(labels).and_modify(|told| *told = merge(*told, value)).or_insert(value);
    }

    /// Notes that a sender's series tells this itself.
    pub(super) fn is_measured(&mut self, metric: &'static str, labels: &[&str]) {
        self.measured.insert((metric, labels.iter().map(|label| (*label).to_owned()).collect()));
    }

    /// Everything that no series tells, with the values of its labels.
    pub(super) fn worked_out(&self) -> impl Iterator<Item = (&'static Metric, &[String], f64)> {
        let metrics = table::METRICS.iter().filter(|metric| !metric.is_of_series());
        let told = metrics.flat_map(|metric| {
            let values = self.numbers.get(metric.name).into_iter().flatten();
            values.map(move |(labels, value)| (metric, labels, *value))
        });
        told.filter(|(metric, labels, _)| !self.measured.contains(&(metric.name, (*labels).clone())))
            .map(|(metric, labels, value)| (metric, labels.as_slice(), value))
    }

    /// The values told of a metric.
    pub(super) fn values(&self, metric: &str) -> impl Iterator<Item = f64> {
        self.numbers.get(metric).into_iter().flat_map(|values| values.values().copied())
    }

    /// The values told of a metric, with their labels.
    pub(super) fn labelled(&self, metric: &str) -> impl Iterator<Item = (&[String], f64)> {
        let values = self.numbers.get(metric).into_iter().flatten();
        values.map(|(labels, value)| (labels.as_slice(), *value))
    }

    /// How many values were told of a metric with buckets, by one of its labels.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub(super) fn counts(&self, metric: &str, label: usize) -> BTreeMap<String, f64> {
        let mut counts = BTreeMap::new();
        for (labels, told) in self.histograms.get(metric).into_iter().flatten() {
            *counts.entry(labels[label].clone()).or_default() += told.count as f64;
        }
        counts
    }

    /// Everything told, under canonical and legacy names.
    pub(super) fn families(&self) -> Vec<MetricFamily> {
        let mut families = Vec::new();
        for metric in table::METRICS {
            let names = std::iter::once((metric.name, 1.0)).chain(metric.milliseconds.map(|name| (name, 1_000.0)));
            for (name, factor) in names {
                let shown = self.shown(metric, factor);
                if !shown.is_empty() {
                    families.push(family(metric, name, shown));
                }
            }
        }
        families
    }

    fn shown(&self, metric: &Metric, factor: f64) -> Vec<Shown> {
        let numbers = self.numbers.get(metric.name).into_iter().flatten();
        let numbers = numbers.map(|(labels, value)| {
            let mut shown = Shown::from_label(pairs(metric, labels));
            match metric.holds {
                Type::Counter => {
                    let mut counter = Counter::default();
                    counter.set_value(value * factor);
                    shown.set_counter(counter);
                }
                Type::Gauge | Type::Histogram(_) => {
                    let mut gauge = Gauge::default();
                    gauge.set_value(value * factor);
                    shown.set_gauge(gauge);
                }
            }
            shown
        });
        let histograms = self.histograms.get(metric.name).into_iter().flatten();
        let histograms = histograms.map(|(labels, told)| {
            let mut shown = Shown::from_label(pairs(metric, labels));
            shown.set_histogram(histogram(metric.bounds(), told, factor));
            shown
        });
        numbers.chain(histograms).collect()
    }
}

/// Each label shows its first hundred values and [`OTHER`].
fn bounded<T>(values: &BTreeMap<Vec<String>, T>, labels: &[&str]) -> Vec<String> {
    let is_known = |place: usize, label: &str| values.keys().any(|labels| labels[place] == label);
    let has_room = |place: usize| {
        let known = values.keys().map(|labels| labels[place].as_str()).filter(|label| *label != OTHER);
        known.collect::<BTreeSet<&str>>().len() < LABEL_VALUES_MAX
    };
    let are_few = values.len() < LABEL_VALUES_MAX;
    let name = |(place, label): (usize, &&str)| {
        let fits = are_few || is_known(place, label) || has_room(place);
        if fits { (*label).to_owned() } else { OTHER.to_owned() }
    };
    labels.iter().enumerate().map(name).collect()
}

fn family(metric: &Metric, name: &str, shown: Vec<Shown>) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(if name == metric.name {
        metric.definition.to_owned()
    } else {
        format!("{}, in milliseconds: the legacy name of {}", metric.definition, metric.name)
    });
    family.set_field_type(match metric.holds {
        Type::Counter => MetricType::COUNTER,
        Type::Gauge => MetricType::GAUGE,
        Type::Histogram(_) => MetricType::HISTOGRAM,
    });
    family.set_metric(shown);
    family
}

fn pairs(metric: &Metric, labels: &[String]) -> Vec<LabelPair> {
    let mut pairs: Vec<LabelPair> = metric
        .labels
        .iter()
        .zip(labels)
        .map(|(name, value)| {
            let mut pair = LabelPair::default();
            pair.set_name((*name).to_owned());
            pair.set_value(value.clone());
            pair
        })
        .collect();
    pairs.sort_by(|a, b| a.name().cmp(b.name()));
    pairs
}

fn histogram(bounds: &[f64], told: &Histogram, factor: f64) -> prometheus::proto::Histogram {
    let buckets = bounds.iter().zip(&told.counts).map(|(bound, count)| {
        let mut bucket = Bucket::default();
        // A bound in milliseconds is a whole number; multiplying may leave a trace of the seconds.
        bucket.set_upper_bound((bound * factor * 1e6).round() / 1e6);
        bucket.set_cumulative_count(*count);
        bucket
    });
    let mut histogram = prometheus::proto::Histogram::default();
    histogram.set_bucket(buckets.collect());
    histogram.set_sample_sum(told.sum * factor);
    histogram.set_sample_count(told.count);
    histogram
}
