//! How is the system? Four scores with their mean, a colour for each of six principles, and what to do first.
//!
//! Readings are in base units. What was not measured is left out and named: a missing reading never counts as good.

mod colour;
mod condition;
mod decision;
mod outlook;
pub mod part;
mod reading;
mod score;

use serde::Serialize;

pub use colour::{Colour, Status};
pub use condition::{Alarm, Circuit, Condition, Finding, Report, Signs, State, worst};
pub use decision::Decision;
pub use outlook::{LOOKBACK, Outlook};
pub use score::{Coverage, Missing, Score, balance};

use crate::analyse::clamped::settled;
use crate::error::{Error, Result};
use crate::measure::crossing::Palette;

/// The six principles, in the order in which they are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Principle {
    /// Failures are found and the line is protected.
    Jidoka,
    /// Work is pulled, queues stay short.
    Kanban,
    /// Problems are visible as they occur.
    Andon,
    /// Promises are kept and get better.
    Kaizen,
    /// Load is level.
    Heijunka,
    /// Requests can be followed.
    Tracing,
}

/// All six, in their order.
pub const PRINCIPLES: [Principle; 6] = [
    Principle::Jidoka,
    Principle::Kanban,
    Principle::Andon,
    Principle::Kaizen,
    Principle::Heijunka,
    Principle::Tracing,
];

impl Principle {
    /// Its name in labels and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Jidoka => "jidoka",
            Self::Kanban => "kanban",
            Self::Andon => "andon",
            Self::Kaizen => "kaizen",
            Self::Heijunka => "heijunka",
            Self::Tracing => "tracing",
        }
    }
}

/// What was measured; what was not is `None`, and so is what is no finite number of at least 0.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Readings {
    /// Open circuits of all circuits.
    pub circuit_open_ratio: Option<f64>,
    /// Failures of the last minute.
    pub failures_per_minute: Option<f64>,
    /// Items waiting in the deepest queue.
    pub queue_depth: Option<f64>,
    /// 99th percentile from enqueued to finished.
    pub latency_p99_seconds: Option<f64>,
    /// Tasks finished in the last minute.
    pub throughput_per_minute: Option<f64>,
    /// Nothing arrived and nothing waits, so a low throughput is no fault.
    pub is_idle: bool,
    /// Alert firings of the last minute.
    pub alerts_per_minute: Option<f64>,
    /// Mean time from the start of a problem to its detection; `None` also when nothing had to be detected.
    pub mttd_seconds: Option<f64>,
    /// Failed requests of all requests.
    pub error_ratio: Option<f64>,
    /// Good events of all events of the service level objectives.
    pub slo_attainment: Option<f64>,
    /// Capacity in use of each pool, as a ratio.
    pub pool_utilizations: Vec<f64>,
    /// See [`balance`]; may be negative.
    pub balance: Option<f64>,
    /// 99th percentile of request durations.
    pub request_p99_seconds: Option<f64>,
    /// Mean duration of the slowest component.
    pub slowest_component_seconds: Option<f64>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// Mean of the scores that are known, 0 to 100; nothing when none is.
    pub overall: Option<f64>,
    /// Its band.
    pub band: Colour,
    /// Jidoka, Kanban, Andon, Heijunka.
    pub scores: Vec<Score>,
    /// How much of the four the overall score rests on.
    pub coverage: Coverage,
    /// All six principles.
    pub principles: Vec<Status>,
    /// What to do first.
    pub decision: Decision,
}

/// The metric of the scores.
pub(crate) const SCORE: &str = "tps_health_score";

/// Judges `readings` by the colours of `palette`. `target_throughput_per_minute` is what a busy queue should get done.
pub fn health(readings: &Readings, target_throughput_per_minute: f64, palette: &Palette) -> Result<Health> {
    if !(target_throughput_per_minute.is_finite() && target_throughput_per_minute > 0.0) {
        let message =
            format!("target_throughput is {target_throughput_per_minute}, which no throughput can be held to");
        return Err(Error::invalid(message).hint("give the tasks per minute a busy queue should finish, such as 10"));
    }
    let readings = readings.usable();
    let scores = score::scores(&readings, target_throughput_per_minute);
    let overall = score::overall(&scores);
    let principles = colour::statuses(&readings, palette);
    Ok(Health {
        overall,
        band: Colour::of(overall, SCORE, palette),
        coverage: Coverage::of(&scores),
        decision: decision::decide(&principles, &readings, palette),
        scores,
        principles,
    })
}

impl Readings {
    /// Without what is no measurement.
    fn usable(&self) -> Self {
        let known = |reading: Option<f64>| reading.filter(|value| value.is_finite() && *value >= 0.0);
        Self {
            circuit_open_ratio: known(self.circuit_open_ratio),
            failures_per_minute: known(self.failures_per_minute),
            queue_depth: known(self.queue_depth),
            latency_p99_seconds: known(self.latency_p99_seconds),
            throughput_per_minute: known(self.throughput_per_minute),
            is_idle: self.is_idle,
            alerts_per_minute: known(self.alerts_per_minute),
            mttd_seconds: known(self.mttd_seconds),
            error_ratio: known(self.error_ratio),
            slo_attainment: known(self.slo_attainment),
            pool_utilizations: self.pool_utilizations.iter().copied().filter_map(|value| known(Some(value))).collect(),
            balance: self.balance.filter(|value| value.is_finite()),
            request_p99_seconds: known(self.request_p99_seconds),
            slowest_component_seconds: known(self.slowest_component_seconds),
        }
    }

    /// Mean over the pools.
    #[expect(clippy::cast_precision_loss, reason = "nobody has 2^53 pools")]
    fn pool_utilization(&self) -> Option<f64> {
        let pools = &self.pool_utilizations;
        (!pools.is_empty()).then(|| settled(pools.iter().sum::<f64>() / pools.len() as f64))
    }
}
