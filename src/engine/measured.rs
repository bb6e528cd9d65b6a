//! Samples in, series out.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use super::defined::with_unit;
use super::{Engine, SELF};
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};
use crate::measure::archive;
use crate::measure::recorder::Measured;
use crate::measure::relabel::relabelled;
use crate::measure::store::{Known, Restored, Slot};
use crate::measure::{Samples, Series};
use crate::telemetry::Promise;

impl Engine {
    /// Keeps the samples of a document that came from `origin`. Blocks until they are on disk and can be read.
    ///
    /// # Errors
    /// `Unavailable` when the recorder is overloaded, `Internal` when the disk fails; then none are kept.
    pub fn measure(&self, origin: &str, samples: Vec<Samples>) -> Result<Measured> {
        let rules = &self.config.measure.relabel;
        let told: u64 = samples.iter().map(|samples| samples.points.len() as u64).sum();
        let kept: Vec<Samples> = samples
            .into_iter()
            .filter_map(|samples| Some(Samples { series: relabelled(rules, samples.series)?, ..samples }))
            .map(|samples| self.as_defined(samples))
            .collect();
        let wanted: u64 = kept.iter().map(|samples| samples.points.len() as u64).sum();
        self.telemetry.measured(origin, "ignored", told - wanted);
        if wanted == 0 {
            return Ok(Measured::default());
        }
        let started = Instant::now();
        let answer = self.recorder.record(kept, origin != SELF)?;
        let measured = answer.blocking_recv().internal("the recorder stopped before it answered")?;
        let measured = measured.map_err(|error| Error::new(error.kind(), error.to_string()))?;
        self.telemetry.took(Promise::MetricUpdate, started.elapsed());
        self.telemetry.measured(origin, "recorded", measured.recorded);
        self.telemetry.measured(origin, "refused", measured.refused);
        Ok(measured)
    }

    /// Takes back hours of series from a file of the archive.
    ///
    /// # Errors
    /// `Invalid` when it is no such file or broken; `Internal` when the disk fails.
    pub fn restore(&self, file: &[u8]) -> Result<Restored> {
        let (sha256, hours) = archive::read(file)?;
        self.series.restore(&sha256, &hours)
    }

    /// The series that `wanted` picks, with their numbers.
    pub fn series(&self, wanted: impl Fn(&Series) -> bool) -> Vec<(u32, Arc<Known>)> {
        let found = self.series.find(wanted);
        let watching = self.watching();
        if watching.metrics.is_empty() {
            return found;
        }
        found.into_iter().map(|(number, known)| (number, with_unit(&watching, known))).collect()
    }

    /// What is kept of a series in a window, oldest first.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn slots(&self, number: u32, window: Range<Timestamp>) -> Result<Vec<Slot>> {
        self.series.slots(number, window)
    }
}
