//! Values that stand out as a series: how many there were in a minute, by component and metric.

use std::collections::BTreeMap;

use super::{Engine, SELF};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::own::OUTLIERS;
use crate::measure::told::is_state;
use crate::measure::{Kind, OWN, Point, Samples, Series};

/// The label that names what stood out.
const METRIC: &str = "metric";

/// What was found: counts by component and metric, then by minute.
#[derive(Default)]
pub(super) struct Outliers(BTreeMap<(String, String), BTreeMap<Timestamp, u64>>);

impl Outliers {
    /// Can values of a series stand out? Those of a bucket and of a state cannot, and naze's own tell of others.
    pub(super) fn are_of(series: &Series) -> bool {
        !series.is_own() && !is_state(&series.metric) && !series.is_bucket()
    }

    pub(super) fn add(&mut self, series: &Series, found: Vec<(Timestamp, u64)>) {
        if found.is_empty() {
            return;
        }
        let minutes = self.0.entry((series.component.clone(), series.metric.clone())).or_default();
        for (minute, count) in found {
            *minutes.entry(minute).or_default() += count;
        }
    }
}

impl Engine {
    /// Puts what was found into series.
    ///
    /// # Errors
    /// `Unavailable` when the recorder is overloaded, `Internal` when the disk fails; then nothing is counted.
    pub(super) fn keep_outliers(&self, found: &Outliers) -> Result<()> {
        let samples: Vec<Samples> = found.0.iter().map(samples).collect();
        if samples.is_empty() { Ok(()) } else { self.measure(SELF, samples).map(drop) }
    }
}

fn samples(((component, metric), minutes): (&(String, String), &BTreeMap<Timestamp, u64>)) -> Samples {
    let labels = [(METRIC.to_owned(), metric.clone()), (OWN.0.to_owned(), OWN.1.to_owned())].into();
    let series = Series { metric: OUTLIERS.to_owned(), component: component.clone(), kind: Kind::Delta, labels };
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    let points = minutes.iter().map(|(at, count)| Point::once(*at, *count as f64)).collect();
    Samples { series, unit: Some("1".to_owned()), points }
}
