//! What the principles were judged by at a moment of the past, of which only series tell.

use chrono::TimeDelta;

use super::{Engine, Line};
use crate::analyse::health::{Health, Readings, health};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::measure::read::Statistic;
use crate::measure::{Kind, Series};

/// A value older than this is no reading any more.
const FRESH: TimeDelta = TimeDelta::minutes(5);
const FRESH_SECONDS: u32 = 300;

impl Engine {
    /// How the system was at `at`, from series with the canonical names of their metrics.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub(in crate::engine) fn health_then(&self, at: Timestamp) -> Result<Health> {
        let readings = Readings::of(|metric| {
            let told = self.latest(metric, at)?;
            let is_of_latencies = metric == "tps_kanban_latency_p99_seconds" && told.is_empty();
            if is_of_latencies { self.latest("tps_kanban_latency_seconds", at) } else { Ok(told) }
        })?;
        health(&readings, self.config.health.target_throughput, &self.watching().palette)
    }

    /// The latest value of each line of a metric; of a distribution its 99th percentile. Receipts go before series, as they
    /// do on the page of metrics.
    fn latest(&self, metric: &str, at: Timestamp) -> Result<Vec<f64>> {
        let told = self.latest_of(metric, at, Series::is_own)?;
        if told.is_empty() { self.latest_of(metric, at, |series| !series.is_own()) } else { Ok(told) }
    }

    fn latest_of(&self, metric: &str, at: Timestamp, wanted: impl Fn(&Series) -> bool) -> Result<Vec<f64>> {
        let window = ago(at, FRESH)..at.just_after();
        let value = |line: Line| -> Result<Option<f64>> {
            let is_distribution = line.known.series.kind == Kind::Distribution;
            let statistic = if is_distribution { Statistic::Quantile(0.99) } else { Statistic::Last };
            Ok(self.values(&line, &window, FRESH_SECONDS, Some(statistic))?.last().map(|(_, value)| *value))
        };
        let lines = self.lines_told(metric, wanted, &window)?.into_iter();
        lines.filter_map(|line| value(line).transpose()).collect()
    }
}
