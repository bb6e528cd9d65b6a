//! One reading of every `tps_*` metric, as it is kept until it is delivered.

use prometheus::proto::{MetricFamily, MetricType};
use serde::{Deserialize, Serialize};

use super::prometheus::{METRICS, Metric};
use crate::clock::Timestamp;

/// All metrics at one moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Microseconds since 1970.
    at: i64,
    /// When the totals began, in the same form; `None` when that is not known.
    since: Option<i64>,
    /// What was read.
    pub readings: Vec<Reading>,
}

/// One metric under one set of labels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Canonical name.
    pub metric: String,
    /// Labels, by name.
    pub labels: Vec<(String, String)>,
    /// What was read.
    pub value: Value,
}

/// What a reading says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A total that never falls.
    Counter(f64),
    /// A level.
    Gauge(f64),
    /// How values were spread.
    Histogram(Histogram),
}

/// How values were spread over buckets.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Histogram {
    /// Upper bounds of the buckets; the last bucket has none.
    pub bounds: Vec<f64>,
    /// Values at or below each bound.
    pub cumulative: Vec<u64>,
    /// Sum of all values.
    pub sum: f64,
    /// Number of all values.
    pub count: u64,
}

/// A number under a name, as tools take it that have no histograms.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// The metric's name; of a histogram with `_bucket`, `_count` or `_sum` behind it.
    pub name: String,
    /// Labels, `le` among them for a bucket.
    pub labels: Vec<(String, String)>,
    /// The number.
    pub value: f64,
    /// Is it a total, rather than a level?
    pub is_total: bool,
}

impl Snapshot {
    /// Takes the canonical metrics and those of a user's own out of what `/metrics` shows at the time `at`.
    pub fn of(families: &[MetricFamily], at: Timestamp, since: Option<Timestamp>) -> Self {
        let readings = families.iter().filter(|family| is_sent(family.name())).flat_map(readings).collect();
        Self { at: at.micros(), since: since.map(Timestamp::micros), readings }
    }

    /// When it was taken.
    pub fn at(&self) -> Timestamp {
        Timestamp::from_micros(self.at).unwrap_or(Timestamp::MIN)
    }

    /// When the totals began.
    pub fn since(&self) -> Option<Timestamp> {
        self.since.and_then(Timestamp::from_micros)
    }

    /// Levels, and by how much totals grew since `before`. What did not grow is left out; without a snapshot before it,
    /// nothing is known to have grown.
    pub fn growth(&self, before: Option<&Self>) -> Vec<Reading> {
        let earlier: std::collections::HashMap<_, _> =
            before.iter().flat_map(|before| &before.readings).map(|reading| (reading.name(), &reading.value)).collect();
        let growth = |reading: &Reading| {
            let value = match &reading.value {
                Value::Gauge(_) => return Some(reading.clone()),
                value => value.grown_from(before.map(|_| earlier.get(&reading.name()).copied())?)?,
            };
            Some(Reading { value, ..reading.clone() })
        };
        self.readings.iter().filter_map(growth).collect()
    }
}

impl Reading {
    fn name(&self) -> (&str, &[(String, String)]) {
        (&self.metric, &self.labels)
    }

    /// What the table says of its metric.
    pub fn known(&self) -> Option<&'static Metric> {
        known(&self.metric)
    }

    /// The numbers it consists of.
    pub fn points(&self) -> Vec<Point> {
        let point = |suffix: &str, value: f64, is_total: bool| Point {
            name: format!("{}{suffix}", self.metric),
            labels: self.labels.clone(),
            value,
            is_total,
        };
        match &self.value {
            Value::Counter(total) => vec![point("", *total, true)],
            Value::Gauge(level) => vec![point("", *level, false)],
            Value::Histogram(told) => {
                let bounds = told.bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
                let counts = told.cumulative.iter().copied().chain([told.count]);
                let bucket = |(bound, count)| {
                    let mut bucket = point("_bucket", as_float(count), true);
                    bucket.labels.push(("le".to_owned(), bound));
                    bucket
                };
                let mut points: Vec<Point> = bounds.zip(counts).map(bucket).collect();
                points.extend([point("_sum", told.sum, true), point("_count", as_float(told.count), true)]);
                points
            }
        }
    }
}

impl Value {
    /// By how much it is more than `before`; all of it, when it began anew or is new. `None` when it did not grow.
    fn grown_from(&self, before: Option<&Self>) -> Option<Self> {
        match (self, before) {
            (Self::Counter(now), Some(Self::Counter(then))) if now >= then => {
                (now > then).then_some(Self::Counter(now - then))
            }
            (Self::Counter(now), _) => (*now > 0.0).then_some(Self::Counter(*now)),
            (Self::Histogram(now), Some(Self::Histogram(then))) if now.follows(then) => now.less(then),
            (Self::Histogram(now), _) => (now.count > 0).then(|| self.clone()),
            (Self::Gauge(_), _) => Some(self.clone()),
        }
    }
}

impl Histogram {
    fn follows(&self, then: &Self) -> bool {
        self.bounds == then.bounds
            && self.count >= then.count
            && self.cumulative.iter().zip(&then.cumulative).all(|(now, then)| now >= then)
    }

    fn less(&self, then: &Self) -> Option<Value> {
        let cumulative = self.cumulative.iter().zip(&then.cumulative).map(|(now, then)| now - then).collect();
        let count = self.count - then.count;
        // Sums of the same values in another order may differ in the last digit.
        let sum = (self.sum - then.sum).max(0.0);
        (count > 0).then(|| Value::Histogram(Self { bounds: self.bounds.clone(), cumulative, sum, count }))
    }

    /// How many values fell into each bucket; the last one has no upper bound.
    pub fn counts(&self) -> Vec<u64> {
        let ends = self.cumulative.iter().copied().chain([self.count]);
        let starts = [0].into_iter().chain(self.cumulative.iter().copied());
        ends.zip(starts).map(|(end, start)| end.saturating_sub(start)).collect()
    }
}

fn known(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| metric.name == name)
}

/// Legacy names tell the same again, and naze's own figures are of nobody else.
fn is_sent(name: &str) -> bool {
    let is_legacy = METRICS.iter().any(|metric| metric.milliseconds == Some(name));
    known(name).is_some() || !(is_legacy || name.starts_with("naze_"))
}

fn readings(family: &MetricFamily) -> impl Iterator<Item = Reading> {
    family.get_metric().iter().filter_map(|shown| {
        let labels = shown.get_label().iter().map(|pair| (pair.name().to_owned(), pair.value().to_owned())).collect();
        let value = match family.get_field_type() {
            MetricType::COUNTER => Value::Counter(shown.get_counter().get_value()),
            MetricType::GAUGE => Value::Gauge(shown.get_gauge().get_value()),
            MetricType::HISTOGRAM => {
                let told = shown.get_histogram();
                Value::Histogram(Histogram {
                    bounds: told.get_bucket().iter().map(prometheus::proto::Bucket::upper_bound).collect(),
                    cumulative: told.get_bucket().iter().map(prometheus::proto::Bucket::cumulative_count).collect(),
                    sum: told.get_sample_sum(),
                    count: told.get_sample_count(),
                })
            }
            MetricType::SUMMARY | MetricType::UNTYPED => return None,
        };
        let is_finite = match &value {
            Value::Counter(number) | Value::Gauge(number) => number.is_finite(),
            Value::Histogram(told) => told.sum.is_finite(),
        };
        is_finite.then(|| Reading { metric: family.name().to_owned(), labels, value })
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
fn as_float(count: u64) -> f64 {
    count as f64
}
