//! Measuring: raw samples become series, and what stands out of them becomes crossings, the part of a metric that is
//! evidence.

pub mod crossing;

use std::collections::BTreeMap;

use crate::clock::Timestamp;

/// One reading of one series.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Name of the metric, such as `http_request_duration_seconds`.
    pub metric: String,
    /// Labels of the series; `component` is what the series belongs to.
    pub labels: BTreeMap<String, String>,
    /// When it was read.
    pub at: Timestamp,
    /// What was read.
    pub reading: Reading,
}

/// What a sample says.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// A level, such as a temperature or a queue's length.
    Gauge(f64),
    /// A total since some start; it falls only when its process starts anew.
    Counter(f64),
    /// What was added since the reading before.
    Increment(f64),
    /// How values were spread.
    Histogram(Histogram),
}

/// Values counted by size.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    /// Whether the counts are totals since some start, or what was added since the reading before.
    pub cumulative: bool,
    /// How many values.
    pub count: u64,
    /// Their sum, when it is known.
    pub sum: Option<f64>,
    /// Upper bound of each bucket, ascending, and how many values lie in it, those of smaller buckets left out.
    pub buckets: Vec<(f64, u64)>,
}
