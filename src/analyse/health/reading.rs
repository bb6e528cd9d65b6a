//! Readings from the values of metrics, whoever tells them.

use std::collections::BTreeMap;

use super::{Readings, balance};

/// Value of a circuit's state that means open.
const OPEN: f64 = 1.0;

impl Readings {
    /// What the `values` of metrics make, each named canonically and in its base unit.
    ///
    /// # Errors
    /// Those of `values`.
    pub fn of<E>(values: impl Fn(&str) -> Result<Vec<f64>, E>) -> Result<Self, E> {
        let sum = |metric| Ok::<_, E>(values(metric)?.into_iter().reduce(|a, b| a + b));
        let largest = |metric| Ok::<_, E>(values(metric)?.into_iter().reduce(f64::max));
        let throughput_per_minute = sum("tps_kanban_throughput_per_minute")?;
        let waiting = sum("tps_kanban_queue_depth")?;
        let pool_utilizations = values("tps_heijunka_pool_utilization")?;
        let told_balance = mean(&values("tps_heijunka_balance_coefficient")?);
        let circuits = values("tps_jidoka_circuit_state")?;
        Ok(Self {
            circuit_open_ratio: largest("tps_jidoka_circuit_open_ratio")?.or_else(|| open_share(&circuits)),
            failures_per_minute: sum("tps_jidoka_failure_rate")?,
            queue_depth: largest("tps_kanban_queue_depth")?,
            latency_p99_seconds: largest("tps_kanban_latency_p99_seconds")?,
            // What arrives waits or is finished: where nothing does either, nothing arrived.
            is_idle: waiting == Some(0.0) && throughput_per_minute.unwrap_or_default() <= 0.0,
            throughput_per_minute,
            alerts_per_minute: largest("tps_andon_alerts_per_minute")?,
            mttd_seconds: mean(&values("tps_andon_mttd_seconds")?),
            error_ratio: largest("tps_andon_error_rate")?,
            slo_attainment: values("tps_kaizen_slo_attainment")?.into_iter().reduce(f64::min),
            // One pool alone has nothing to be out of balance with.
            balance: told_balance.or_else(|| balance(&pool_utilizations).filter(|_| pool_utilizations.len() > 1)),
            pool_utilizations,
            request_p99_seconds: largest("tps_tracing_duration_seconds")?,
            slowest_component_seconds: largest("tps_tracing_component_latency_seconds")?,
        })
    }

    /// Each reading under the metric that tells it, in its base unit; `None` where nothing was measured.
    pub fn by_metric(&self) -> BTreeMap<&'static str, Option<f64>> {
        let usable = self.usable();
        BTreeMap::from([
            ("tps_jidoka_circuit_open_ratio", usable.circuit_open_ratio),
            ("tps_jidoka_failure_rate", usable.failures_per_minute),
            ("tps_kanban_queue_depth", usable.queue_depth),
            ("tps_kanban_latency_p99_seconds", usable.latency_p99_seconds),
            ("tps_kanban_throughput_per_minute", usable.throughput_per_minute),
            ("tps_andon_alerts_per_minute", usable.alerts_per_minute),
            ("tps_andon_mttd_seconds", usable.mttd_seconds),
            ("tps_andon_error_rate", usable.error_ratio),
            ("tps_kaizen_slo_attainment", usable.slo_attainment),
            ("tps_heijunka_pool_utilization", usable.pool_utilization()),
            ("tps_heijunka_balance_coefficient", usable.balance),
            ("tps_tracing_duration_seconds", usable.request_p99_seconds),
            ("tps_tracing_component_latency_seconds", usable.slowest_component_seconds),
        ])
    }
}

/// Share of circuits that are open.
#[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 circuits")]
fn open_share(states: &[f64]) -> Option<f64> {
    let open = states.iter().filter(|state| **state == OPEN).count();
    (!states.is_empty()).then(|| open as f64 / states.len() as f64)
}

#[expect(clippy::cast_precision_loss, reason = "few values")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
