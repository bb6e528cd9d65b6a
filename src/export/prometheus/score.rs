//! What the health of the system rests on, from what is already on the page, and the scores that follow from it.

use super::page::Page;
use crate::analyse::health::{Health, Readings, balance};
use crate::error::Result;

/// Tells the scores.
pub(super) fn tell(page: &mut Page, health: &Health) {
    for score in &health.scores {
        page.gauge_if("tps_health_score", &[score.pillar.name()], score.score.map(|score| score.value));
    }
    page.gauge_if("tps_health_score", &["overall"], health.overall);
}

/// The readings. A count of nothing is a reading only when such things reach naze at all: `is_told` says which kinds of
/// receipts ever did. `stand_in` has the fresh values of series that are named as a metric of receipts.
pub(super) fn readings(
    page: &Page,
    is_told: impl Fn(&str) -> bool,
    stand_in: impl Fn(&str) -> Result<Vec<f64>>,
) -> Result<Readings> {
    let values = |metric: &str| {
        let told: Vec<f64> = page.values(metric).collect();
        if told.is_empty() { stand_in(metric) } else { Ok(told) }
    };
    let sum = |values: Vec<f64>| values.into_iter().reduce(|a, b| a + b);
    let largest = |values: Vec<f64>| values.into_iter().reduce(f64::max);
    let throughput_per_minute = sum(values("tps_kanban_throughput_per_minute")?);
    let waiting = sum(values("tps_kanban_queue_depth")?);
    let pool_utilizations = values("tps_heijunka_pool_utilization")?;
    let balance_told = mean(&values("tps_heijunka_balance_coefficient")?);
    let states = values("tps_jidoka_circuit_state")?;
    Ok(Readings {
        circuit_open_ratio: largest(values("tps_jidoka_circuit_open_ratio")?).or_else(|| open_share(&states)),
        failures_per_minute: sum(values("tps_jidoka_failure_rate")?)
            .filter(|rate| *rate > 0.0 || is_told("failure") || is_told("circuit")),
        queue_depth: largest(values("tps_kanban_queue_depth")?),
        latency_p99_seconds: largest(values("tps_kanban_latency_p99_seconds")?),
        // What arrives waits or is finished: where nothing does either, nothing arrived.
        is_idle: waiting == Some(0.0) && throughput_per_minute.unwrap_or_default() <= 0.0,
        throughput_per_minute,
        alerts_per_minute: largest(values("tps_andon_alerts_per_minute")?)
            .filter(|rate| *rate > 0.0 || is_told("alert")),
        mttd_seconds: mean(&values("tps_andon_mttd_seconds")?),
        error_ratio: largest(values("tps_andon_error_rate")?),
        slo_attainment: values("tps_kaizen_slo_attainment")?.into_iter().reduce(f64::min),
        balance: balance_told.or_else(|| balance(&pool_utilizations).filter(|_| pool_utilizations.len() > 1)),
        pool_utilizations,
        request_p99_seconds: None,
        slowest_component_seconds: largest(values("tps_tracing_component_latency_seconds")?),
    })
}

/// Value of a circuit's state that means open.
const OPEN: f64 = 1.0;

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
