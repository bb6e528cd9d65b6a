//! Colours: the bands of the overall score, of a circuit, and of the six principles.

use serde::Serialize;

use super::{Principle, Readings};
use crate::analyse::clamped::settled;

/// What is seen at a glance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Colour {
    /// All is well.
    Green,
    /// Degraded.
    Yellow,
    /// Several issues at once; only the overall score has this band.
    Orange,
    /// Broken.
    Red,
    /// Not known.
    Grey,
}

impl Colour {
    /// The band of an overall score. A boundary belongs to the better band.
    pub fn of_score(score: Option<f64>) -> Self {
        match score {
            None => Self::Grey,
            Some(score) if score >= 80.0 => Self::Green,
            Some(score) if score >= 60.0 => Self::Yellow,
            Some(score) if score >= 40.0 => Self::Orange,
            Some(_) => Self::Red,
        }
    }

    /// The colour of one circuit by the state its receipts give.
    pub fn of_circuit(state: &str) -> Self {
        match state {
            "closed" => Self::Green,
            "half_open" => Self::Yellow,
            "open" => Self::Red,
            _ => Self::Grey,
        }
    }

    /// The colour of a share of kept promises.
    pub fn of_attainment(attainment: Option<f64>) -> Self {
        match attainment {
            None => Self::Grey,
            Some(attainment) if attainment > 0.95 => Self::Green,
            Some(attainment) if attainment >= 0.90 => Self::Yellow,
            Some(_) => Self::Red,
        }
    }

    /// What an operator does about it.
    pub fn action(self) -> &'static str {
        match self {
            Self::Green => "monitor",
            Self::Yellow => "look at the trend",
            Self::Orange => "act on the several issues",
            Self::Red => "page on-call",
            Self::Grey => "find out why there is no data",
        }
    }
}

/// One principle at a glance.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Status {
    /// The principle.
    pub principle: Principle,
    /// The metric that stands for it.
    pub metric: &'static str,
    /// Its reading.
    pub value: Option<f64>,
    /// Its colour; grey without a reading.
    pub colour: Colour,
    /// What to do about the colour.
    pub action: &'static str,
    /// The reading in units of its red limit, so that all six fit one chart: red begins above 1.
    pub of_red_limit: Option<f64>,
}

/// Where a metric that should be low turns yellow and red.
struct Bands {
    yellow: f64,
    red: f64,
}

const QUEUE_DEPTH: Bands = Bands { yellow: 500.0, red: 1_000.0 };
const ERROR_RATIO: Bands = Bands { yellow: 0.005, red: 0.01 };
const POOL_UTILIZATION: Bands = Bands { yellow: 0.70, red: 0.85 };
const REQUEST_P99_SECONDS: Bands = Bands { yellow: 3.0, red: 5.0 };
/// Share of open circuits above which they are red; any open one is yellow.
const CIRCUITS_RED: f64 = 0.30;
/// Share of broken promises above which they are red.
const MISSED_RED: f64 = 0.10;

impl Bands {
    /// Yellow from `yellow`, red above `red`.
    fn colour(&self, value: Option<f64>) -> Colour {
        match value {
            None => Colour::Grey,
            Some(value) if value > self.red => Colour::Red,
            Some(value) if value >= self.yellow => Colour::Yellow,
            Some(_) => Colour::Green,
        }
    }
}

/// All six, in their order.
pub(super) fn statuses(readings: &Readings) -> Vec<Status> {
    use Principle::{Andon, Heijunka, Jidoka, Kaizen, Kanban, Tracing};
    let pools = readings.pool_utilization();
    let attainment = readings.slo_attainment;
    let row = |principle, metric, value: Option<f64>, colour: Colour, of_red_limit: Option<f64>| Status {
        principle,
        metric,
        value,
        colour,
        action: colour.action(),
        of_red_limit: of_red_limit.map(settled),
    };
    let low = |principle, metric, value: Option<f64>, bands: &Bands| {
        row(principle, metric, value, bands.colour(value), value.map(|value| value / bands.red))
    };
    let open = readings.circuit_open_ratio;
    let missed = attainment.map(|attainment| (1.0 - attainment) / MISSED_RED);
    vec![
        row(Jidoka, "tps_jidoka_circuit_open_ratio", open, circuits(open), open.map(|open| open / CIRCUITS_RED)),
        low(Kanban, "tps_kanban_queue_depth", readings.queue_depth, &QUEUE_DEPTH),
        low(Andon, "tps_andon_error_rate", readings.error_ratio, &ERROR_RATIO),
        row(Kaizen, "tps_kaizen_slo_attainment", attainment, Colour::of_attainment(attainment), missed),
        Status {
            colour: pool_colour(readings),
            action: pool_colour(readings).action(),
            ..low(Heijunka, "tps_heijunka_pool_utilization", pools, &POOL_UTILIZATION)
        },
        low(Tracing, "tps_tracing_duration_seconds", readings.request_p99_seconds, &REQUEST_P99_SECONDS),
    ]
}

fn circuits(open: Option<f64>) -> Colour {
    match open {
        None => Colour::Grey,
        Some(open) if open > CIRCUITS_RED => Colour::Red,
        Some(open) if open > 0.0 => Colour::Yellow,
        Some(_) => Colour::Green,
    }
}

/// The colour of the mean, but never green while one pool is red.
fn pool_colour(readings: &Readings) -> Colour {
    let mean = POOL_UTILIZATION.colour(readings.pool_utilization());
    let has_red = readings.pool_utilizations.iter().any(|pool| *pool > POOL_UTILIZATION.red);
    if has_red { mean.max(Colour::Yellow) } else { mean }
}
