//! Scores from 0 to 100, and what they do not rest on.

use serde::Serialize;

use super::{Principle, Readings};
use crate::analyse::Clamped;
use crate::analyse::clamped::settled;
use crate::analyse::trend::Summary;

/// The score of one pillar.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Score {
    /// Jidoka, Kanban, Andon or Heijunka.
    pub pillar: Principle,
    /// 0 to 100, beside the unclamped formula; nothing when a reading is missing.
    pub score: Option<Clamped>,
    /// Metrics without a reading.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<&'static str>,
}

/// How much the overall score rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// Pillars with a score.
    pub scored: usize,
    /// Pillars there are.
    pub of: usize,
    /// Those without a score.
    pub missing: Vec<Missing>,
}

/// A pillar that has no score.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// The pillar.
    pub pillar: Principle,
    /// Metrics that would give it one.
    pub metrics: Vec<&'static str>,
}

/// Utilisation from which pools count as fully used.
const FULL_UTILIZATION: f64 = 0.80;

/// How evenly `loads` are spread: 1 for equal ones, less the more they differ, possibly below 0. Nothing when there is
/// no load to spread.
pub fn balance(loads: &[f64]) -> Option<f64> {
    let loads = Summary::of(loads)?;
    (loads.mean > 0.0 && loads.stddev.is_finite()).then(|| 1.0 - loads.stddev / loads.mean)
}

/// The scores of all four pillars.
pub(super) fn scores(readings: &Readings, target_throughput_per_minute: f64) -> Vec<Score> {
    vec![jidoka(readings), kanban(readings, target_throughput_per_minute), andon(readings), heijunka(readings)]
}

/// The mean of what is known.
#[expect(clippy::cast_precision_loss, reason = "at most four scores")]
pub(super) fn overall(scores: &[Score]) -> Option<f64> {
    let known: Vec<f64> = scores.iter().filter_map(|score| score.score).map(|score| score.value).collect();
    (!known.is_empty()).then(|| settled(known.iter().sum::<f64>() / known.len() as f64))
}

impl Coverage {
    /// What is behind `scores`.
    pub(super) fn of(scores: &[Score]) -> Self {
        let missing = scores.iter().filter(|score| score.score.is_none());
        let missing: Vec<Missing> =
            missing.map(|score| Missing { pillar: score.pillar, metrics: score.missing.clone() }).collect();
        Self { scored: scores.len() - missing.len(), of: scores.len(), missing }
    }
}

fn jidoka(readings: &Readings) -> Score {
    let inputs = [
        ("tps_jidoka_circuit_open_ratio", readings.circuit_open_ratio),
        ("tps_jidoka_failure_rate", readings.failures_per_minute),
    ];
    Score::of(Principle::Jidoka, inputs, |[open, failures]| {
        let raw = 100.0 - (open * 100.0 * 2.0 + failures * 0.5);
        (raw, raw)
    })
}

fn kanban(readings: &Readings, target: f64) -> Score {
    let throughput = if readings.is_idle { Some(target) } else { readings.throughput_per_minute };
    let inputs = [
        ("tps_kanban_latency_p99_seconds", readings.latency_p99_seconds),
        ("tps_kanban_throughput_per_minute", throughput),
    ];
    Score::of(Principle::Kanban, inputs, |[p99, throughput]| {
        let (speed, share) = (100.0 - p99 * 1_000.0 / 5.0, throughput / target);
        (speed.max(0.0) * share.min(1.0), speed * share)
    })
}

fn andon(readings: &Readings) -> Score {
    // A system without problems has no time to detection: only the alerts are asked for.
    let inputs = [("tps_andon_alerts_per_minute", readings.alerts_per_minute)];
    Score::of(Principle::Andon, inputs, |[alerts]| {
        let raw = 100.0 - (alerts * 10.0 + readings.mttd_seconds.unwrap_or(0.0) / 30.0);
        (raw, raw)
    })
}

fn heijunka(readings: &Readings) -> Score {
    let inputs = [
        ("tps_heijunka_balance_coefficient", readings.balance),
        ("tps_heijunka_pool_utilization", readings.pool_utilization()),
    ];
    Score::of(Principle::Heijunka, inputs, |[balance, utilization]| {
        let share = utilization / FULL_UTILIZATION;
        (balance.max(0.0) * 100.0 * share.min(1.0), balance * 100.0 * share)
    })
}

impl Score {
    /// The score that `formula` makes of complete `inputs`: first with bounded factors, then without.
    fn of<const N: usize>(
        pillar: Principle,
        inputs: [(&'static str, Option<f64>); N],
        formula: impl Fn([f64; N]) -> (f64, f64),
    ) -> Self {
        let missing: Vec<&'static str> =
            inputs.iter().filter(|(_, value)| value.is_none()).map(|(name, _)| *name).collect();
        let score = missing.is_empty().then(|| {
            let (bounded, raw) = formula(inputs.map(|(_, value)| value.unwrap_or_default()));
            Clamped::new(bounded, raw, 100.0)
        });
        Self { pillar, score, missing }
    }
}
