//! What the principles are judged by: the latest values of the metrics that stand for them.

use chrono::TimeDelta;

use super::Engine;
use crate::analyse::health::{Readings, balance};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::measure::Kind;
use crate::measure::read::{Statistic, steps};

/// A value older than this is no reading any more.
const FRESH: TimeDelta = TimeDelta::minutes(5);
const FRESH_SECONDS: u32 = 300;
/// Value of a circuit's state that means open.
const OPEN: f64 = 2.0;

impl Engine {
    /// The readings at `at`, from series with the canonical names of their metrics.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn readings(&self, at: Timestamp) -> Result<Readings> {
        let latest = |metric: &str| self.latest(metric, at);
        let largest = |metric: &str| Ok::<_, crate::error::Error>(latest(metric)?.into_iter().reduce(f64::max));
        let mean = |metric: &str| Ok::<_, crate::error::Error>(mean(&latest(metric)?));
        let pools = latest("tps_heijunka_pool_utilization")?;
        let told_balance = mean("tps_heijunka_balance_coefficient")?;
        let told_circuits = largest("tps_jidoka_circuit_open_ratio")?;
        Ok(Readings {
            circuit_open_ratio: match told_circuits {
                Some(ratio) => Some(ratio),
                None => open_share(&latest("tps_jidoka_circuit_state")?),
            },
            failures_per_minute: largest("tps_jidoka_failure_rate")?,
            queue_depth: largest("tps_kanban_queue_depth")?,
            latency_p99_seconds: largest("tps_kanban_latency_seconds")?,
            throughput_per_minute: largest("tps_kanban_throughput_per_minute")?,
            is_idle: false,
            alerts_per_minute: largest("tps_andon_alerts_per_minute")?,
            mttd_seconds: mean("tps_andon_mttd_seconds")?,
            error_ratio: largest("tps_andon_error_rate")?,
            slo_attainment: latest("tps_kaizen_slo_attainment")?.into_iter().reduce(f64::min),
            balance: told_balance.or_else(|| balance(&pools)),
            pool_utilizations: pools,
            request_p99_seconds: largest("tps_tracing_duration_seconds")?,
            slowest_component_seconds: largest("tps_tracing_component_latency_seconds")?,
        })
    }

    /// The latest value of each series of a metric; of a distribution its 99th percentile.
    fn latest(&self, metric: &str, at: Timestamp) -> Result<Vec<f64>> {
        let window = ago(at, FRESH)..at.checked_add(TimeDelta::microseconds(1)).unwrap_or(at);
        let value = |number: u32, kind: Kind| -> Result<Option<f64>> {
            let statistic = if kind == Kind::Distribution { Statistic::Quantile(0.99) } else { Statistic::Last };
            let slots = self.slots(number, window.clone())?;
            Ok(steps(&slots, &window, FRESH_SECONDS, statistic).last().map(|(_, value)| *value))
        };
        let known = self.series(|series| series.metric == metric).into_iter();
        known.filter_map(|(number, known)| value(number, known.series.kind).transpose()).collect()
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 series")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

/// Share of circuits that are open.
#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 circuits")]
fn open_share(states: &[f64]) -> Option<f64> {
    let open = states.iter().filter(|state| **state == OPEN).count();
    (!states.is_empty()).then(|| open as f64 / states.len() as f64)
}
