//! The health scores, from what is already on the page.

use super::page::Page;
use crate::analyse::health::{Principle, Readings, health};

/// Completions per minute that are enough for a busy queue.
const THROUGHPUT_TARGET: f64 = 10.0;

pub(super) fn tell(page: &mut Page) {
    let Ok(health) = health(&readings(page), THROUGHPUT_TARGET) else {
        unreachable!("the target is a positive number");
    };
    for score in health.scores {
        let pillar = match score.pillar {
            Principle::Jidoka => "jidoka",
            Principle::Kanban => "kanban",
            Principle::Andon => "andon",
            Principle::Kaizen => "kaizen",
            Principle::Heijunka => "heijunka",
            Principle::Tracing => "tracing",
        };
        page.gauge_if("tps_health_score", &[pillar], score.score.map(|score| score.value));
    }
    page.gauge_if("tps_health_score", &["overall"], health.overall);
}

/// What the scores rest on. Failures without any circuit are judged as if none was open.
fn readings(page: &Page) -> Readings {
    let sum = |metric: &str| page.values(metric).reduce(|a, b| a + b);
    let largest = |metric: &str| page.values(metric).reduce(f64::max);
    let failures_per_minute = sum("tps_jidoka_failure_rate");
    let throughput_per_minute = sum("tps_kanban_throughput_per_minute");
    let waiting = sum("tps_kanban_queue_depth");
    Readings {
        circuit_open_ratio: largest("tps_jidoka_circuit_open_ratio").or(failures_per_minute.map(|_| 0.0)),
        failures_per_minute,
        queue_depth: largest("tps_kanban_queue_depth"),
        latency_p99_seconds: largest("tps_kanban_latency_p99_seconds"),
        is_idle: throughput_per_minute.unwrap_or_default() <= 0.0 && waiting.unwrap_or_default() <= 0.0,
        throughput_per_minute,
        alerts_per_minute: largest("tps_andon_alerts_per_minute"),
        mttd_seconds: mean(page, "tps_andon_mttd_seconds"),
        pool_utilizations: page.values("tps_heijunka_pool_utilization").collect(),
        balance: mean(page, "tps_heijunka_balance_coefficient"),
        ..Readings::default()
    }
}

#[expect(clippy::cast_precision_loss, reason = "few values")]
fn mean(page: &Page, metric: &str) -> Option<f64> {
    let values: Vec<f64> = page.values(metric).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}
