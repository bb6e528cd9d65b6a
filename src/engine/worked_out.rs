//! What is worked out from receipts, as series beside those of senders.
//!
//! The label [`OWN`] tells them apart: nothing that naze works out rests on them, so that none of them keeps itself alive.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard};

use chrono::TimeDelta;

use super::SELF;
use crate::clock::Timestamp;
use crate::export::prometheus::{Metric, Observation, Type};
use crate::measure::{Kind, OWN, Point, Samples, Series};

/// A value that stays the same is told again after this time: whoever reads a series takes older ones for gone.
const TOLD_AGAIN_AFTER: TimeDelta = TimeDelta::minutes(3);
/// Values of one look that are kept.
const VALUES_MAX: usize = 5_000;
/// Labels that name a component: the series is of it.
const COMPONENTS: [&str; 2] = ["component", "service"];

/// How far what was worked out is kept.
#[derive(Default)]
pub(super) struct WorkedOut(Mutex<Last>);

/// The last look.
#[derive(Default)]
pub(super) struct Last {
    looked: Looked,
    /// Entries of the ledger whose durations are kept.
    entries: Option<u64>,
}

/// One look at all values.
#[derive(Default)]
pub(super) struct Looked {
    at: Option<Timestamp>,
    values: HashMap<Series, Told>,
}

#[derive(Clone, Copy)]
struct Told {
    value: f64,
    at: Timestamp,
}

impl WorkedOut {
    pub(super) fn lock(&self) -> MutexGuard<'_, Last> {
        self.0.lock().expect("nobody panics while examining")
    }
}

impl Last {
    /// Entries of the ledger whose durations are kept; `None` when nobody said yet.
    pub(super) fn entries(&self) -> Option<u64> {
        self.entries
    }

    /// The look at `at` is on disk.
    pub(super) fn set(&mut self, looked: Looked, entries: u64) {
        *self = Self { looked, entries: Some(entries) };
    }

    /// Looks at all values; those that have to be told join the samples.
    pub(super) fn look<'a>(
        &self,
        values: impl Iterator<Item = (&'static Metric, &'a [String], f64)>,
        at: Timestamp,
        samples: &mut Vec<Samples>,
    ) -> Looked {
        let mut looked = Looked { at: Some(at), values: HashMap::new() };
        for (place, (metric, labels, value)) in values.enumerate() {
            if place >= VALUES_MAX {
                tracing::warn!(kept = VALUES_MAX, "too many values are worked out: the others are not kept as series");
                break;
            }
            let series = series(metric, labels);
            // Nothing was counted yet.
            if series.kind == Kind::Counter && value == 0.0 {
                continue;
            }
            let told = match self.looked.points(&series, value, at) {
                Ok(points) => {
                    samples.push(Samples { series: series.clone(), unit: unit(metric), points });
                    Told { value, at }
                }
                Err(told) => told,
            };
            looked.values.insert(series, told);
        }
        looked
    }
}

impl Looked {
    /// What tells that a series has this value now; `Err` with how it was told, when that will do.
    #[expect(clippy::float_cmp, reason = "the same fold over the same receipts gives the same number")]
    fn points(&self, series: &Series, value: f64, at: Timestamp) -> Result<Vec<Point>, Told> {
        let told = self.values.get(series).copied();
        if let Some(told) = told.filter(|told| told.value == value) {
            let is_due = at.since(told.at) >= TOLD_AGAIN_AFTER;
            return if is_due { Ok(vec![Point::once(at, value)]) } else { Err(told) };
        }
        // It stayed as it was up to the last look, and did not begin to change when it was last told.
        let before = told.map(|told| told.value).or((series.kind == Kind::Counter).then_some(0.0));
        let until = self.at.filter(|until| *until < at && told.is_none_or(|told| told.at < *until));
        let before = before.zip(until).map(|(value, until)| Point::once(until, value));
        Ok(before.into_iter().chain([Point::once(at, value)]).collect())
    }
}

/// A duration that a receipt told.
pub(super) fn observation(observed: &Observation) -> Samples {
    let metric = observed.metric();
    let points = vec![Point::once(observed.at, observed.value)];
    Samples { series: series(metric, &observed.labels), unit: unit(metric), points }
}

fn series(metric: &Metric, values: &[String]) -> Series {
    let (mut component, mut labels) = (SELF, BTreeMap::from([(OWN.0.to_owned(), OWN.1.to_owned())]));
    for (label, value) in metric.labels.iter().zip(values) {
        if COMPONENTS.contains(label) {
            component = value;
        } else {
            labels.insert((*label).to_owned(), value.clone());
        }
    }
    let kind = match metric.holds {
        Type::Counter => Kind::Counter,
        Type::Gauge => Kind::Gauge,
        Type::Histogram(_) => Kind::Distribution,
    };
    Series { metric: metric.name.to_owned(), component: component.to_owned(), kind, labels }
}

fn unit(metric: &Metric) -> Option<String> {
    (!metric.unit.is_empty()).then(|| metric.unit.to_owned())
}
