//! Measuring: samples become series, rolled up per minute and later per hour; what stands out of them becomes a crossing,
//! the part of a metric that is evidence.
//!
//! Series are not triples: a year of minutes of one metric is half a million of them. They live in an embedded table
//! ([`store`]) beside the ledger, written by one thread ([`recorder`]) as durably as receipts are.

pub mod archive;
pub mod crossing;
pub mod definition;
pub mod histogram;
pub mod line;
pub mod own;
pub mod read;
pub mod recorder;
pub mod relabel;
pub mod rollup;
pub mod selector;
pub mod sketch;
pub mod store;
pub mod told;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// What a series is of. Samples of the same metric, component, labels and kind are one series.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Series {
    /// Name of the metric, such as `http_request_duration_seconds`.
    pub metric: String,
    /// What was measured.
    pub component: String,
    /// How its values are to be read.
    pub kind: Kind,
    /// Whatever else tells it from other series.
    pub labels: BTreeMap<String, String>,
}

/// The label by which series that naze makes itself are told from those of senders, and its value.
pub const OWN: (&str, &str) = ("source", "naze");

impl Series {
    /// Does naze make it itself, of what it was told? Then it is no evidence beside that.
    pub fn is_own(&self) -> bool {
        let (label, name) = OWN;
        own::is_own(&self.metric) || self.labels.get(label).is_some_and(|value| value == name)
    }

    /// Is it a bucket of a histogram? That is a level of nothing, and counts what its neighbours count.
    pub fn is_bucket(&self) -> bool {
        self.labels.contains_key(histogram::BOUND)
    }
}

/// How the values of a series are to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A level, such as the length of a queue.
    Gauge,
    /// A total since some start; it falls only when its process starts anew.
    Counter,
    /// What came in addition since the last value.
    Delta,
    /// Single values of a distribution, such as the duration of each request.
    Distribution,
}

impl Kind {
    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "gauge" => Self::Gauge,
            "counter" => Self::Counter,
            "delta" => Self::Delta,
            "distribution" | "histogram" => Self::Distribution,
            _ => return None,
        })
    }
}

/// One value of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Point {
    /// When it held.
    pub at: Timestamp,
    /// The value, never infinite and never NaN.
    pub value: f64,
    /// How many times it was seen; more than once only in a distribution.
    pub count: u64,
}

impl Point {
    /// A value seen once.
    pub fn once(at: Timestamp, value: f64) -> Self {
        Self { at, value, count: 1 }
    }
}

/// Values of one series, as a document tells them.
#[derive(Debug, Clone, PartialEq)]
pub struct Samples {
    /// What they are of.
    pub series: Series,
    /// Unit by UCUM, such as `s`, `By` or `1`.
    pub unit: Option<String>,
    /// In any order.
    pub points: Vec<Point>,
}
