//! What one scrape shows: values of the metrics of the table, with their legacy names beside them.

use std::collections::{BTreeMap, BTreeSet};

use prometheus::proto::{Bucket, Counter, Gauge, LabelPair, Metric as Shown, MetricFamily, MetricType};

use super::table::{self, Metric, Type};
use super::totals::{Histogram, Labelled};

/// Values by metric and label values; each label has its first hundred values, and `other`.
#[derive(Default)]
pub(super) struct Page {
    numbers: BTreeMap<&'static str, Labelled<Option<f64>>>,
    histograms: BTreeMap<&'static str, Labelled<Histogram>>,
    /// What a sender's series tells itself, of metrics that are worked out as well.
    measured: BTreeSet<(&'static str, Vec<String>)>,
    /// How many values of each metric were told as `other`, having a name of their own.
    folded: BTreeMap<&'static str, usize>,
}

impl Page {
    /// Tells a level. Of several with the same labels the worst is shown.
    pub(super) fn gauge(&mut self, metric: &str, labels: &[&str], value: f64) {
        let metric_of = table::metric(metric);
        let worse = |a: f64, b: f64| if metric_of.badness(b) > metric_of.badness(a) { b } else { a };
        self.merge(metric, labels, value, worse);
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
        let name = table::metric(metric).name;
        let values = self.histograms.entry(name).or_default();
        values.at(labels).merge(told);
        if !values.names(labels) {
            *self.folded.entry(name).or_default() += 1;
        }
    }

    fn merge(&mut self, metric: &str, labels: &[&str], value: f64, merge: impl Fn(f64, f64) -> f64) {
        if !value.is_finite() {
            return;
        }
        let name = table::metric(metric).name;
        let values = self.numbers.entry(name).or_default();
        let told = values.at(labels);
        *told = Some(told.map_or(value, |told| merge(told, value)));
        if !values.names(labels) {
            *self.folded.entry(name).or_default() += 1;
        }
    }

    /// How many values of each metric were told as `other`, having a name of their own.
    pub(super) fn folded(&self) -> &BTreeMap<&'static str, usize> {
        &self.folded
    }

    /// Notes that a sender's series tells this itself.
    pub(super) fn is_measured(&mut self, metric: &'static str, labels: &[&str]) {
        self.measured.insert((metric, labels.iter().map(|label| (*label).to_owned()).collect()));
    }

    /// Does a sender's series tell of this metric?
    pub(super) fn has_measured(&self, metric: &str) -> bool {
        self.measured.iter().any(|(name, _)| *name == metric)
    }

    /// Everything that no series tells, with the values of its labels.
    pub(super) fn worked_out(&self) -> impl Iterator<Item = (&'static Metric, &[String], f64)> {
        let metrics = table::METRICS.iter().filter(|metric| !metric.is_of_series());
        let told =
            metrics.flat_map(|metric| self.labelled(metric.name).map(move |(labels, value)| (metric, labels, value)));
        told.filter(|(metric, labels, _)| !self.measured.contains(&(metric.name, labels.to_vec())))
    }

    /// The values told of a metric.
    pub(super) fn values(&self, metric: &str) -> impl Iterator<Item = f64> {
        self.labelled(metric).map(|(_, value)| value)
    }

    /// The values told of a metric, with their labels.
    pub(super) fn labelled(&self, metric: &str) -> impl Iterator<Item = (&[String], f64)> {
        let values = self.numbers.get(metric).into_iter().flat_map(Labelled::bounded);
        values.filter_map(|(labels, value)| Some((labels, (*value)?)))
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
        let numbers = self.labelled(metric.name).map(|(labels, value)| {
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
        let histograms = self.histograms.get(metric.name).into_iter().flat_map(Labelled::bounded);
        let histograms = histograms.map(|(labels, told)| {
            let mut shown = Shown::from_label(pairs(metric, labels));
            shown.set_histogram(histogram_of(metric.bounds(), told, factor));
            shown
        });
        numbers.chain(histograms).collect()
    }
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

/// As it is shown, in buckets.
pub(super) fn histogram_of(bounds: &[f64], told: &Histogram, factor: f64) -> prometheus::proto::Histogram {
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
