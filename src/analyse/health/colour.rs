//! Colours: the bands of the overall score, of a circuit, and of the six principles.

use serde::Serialize;

use super::{Outlook, PRINCIPLES, Principle, Readings};
use crate::analyse::clamped::settled;
use crate::clock::Timestamp;

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

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Orange => "orange",
            Self::Red => "red",
            Self::Grey => "grey",
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
    /// Unit of the reading, by UCUM; a share of a whole is a `ratio`.
    pub unit: &'static str,
    /// Which readings are yellow, and which are red.
    pub thresholds: Thresholds,
    /// Its colour; grey without a reading.
    pub colour: Colour,
    /// What to do about the colour.
    pub action: &'static str,
    /// The reading in units of its red limit, so that all six fit one chart: red begins above 1.
    pub of_red_limit: Option<f64>,
    /// Since when it has had this colour, as far as its past is known.
    pub since: Option<Timestamp>,
    /// Where it is heading; nothing without a past.
    pub outlook: Option<Outlook>,
}

/// Conditions for a colour, as they are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Thresholds {
    /// Readings that are yellow, unless they are red.
    pub yellow: &'static str,
    /// Readings that are red.
    pub red: &'static str,
}

/// Where a metric that should be low turns yellow and red.
struct Bands {
    yellow: f64,
    red: f64,
    shown: Thresholds,
}

const QUEUE_DEPTH: Bands = Bands::new(500.0, 1_000.0, ">= 500", "> 1000");
const ERROR_RATIO: Bands = Bands::new(0.005, 0.01, ">= 0.005", "> 0.01");
const POOL_UTILIZATION: Bands = Bands::new(0.70, 0.85, ">= 0.7", "> 0.85");
const REQUEST_P99_SECONDS: Bands = Bands::new(3.0, 5.0, ">= 3", "> 5");
const CIRCUITS: Thresholds = Thresholds { yellow: "> 0", red: "> 0.3" };
const ATTAINMENT: Thresholds = Thresholds { yellow: "<= 0.95", red: "< 0.9" };
/// Share of open circuits above which they are red; any open one is yellow.
const CIRCUITS_RED: f64 = 0.30;
/// Share of broken promises above which they are red.
const MISSED_RED: f64 = 0.10;

impl Bands {
    const fn new(yellow: f64, red: f64, yellow_shown: &'static str, red_shown: &'static str) -> Self {
        Self { yellow, red, shown: Thresholds { yellow: yellow_shown, red: red_shown } }
    }

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
    let pools = readings.pool_utilization();
    let values = [
        readings.circuit_open_ratio,
        readings.queue_depth,
        readings.error_ratio,
        readings.slo_attainment,
        pools,
        readings.request_p99_seconds,
    ];
    let row = |(principle, value): (Principle, Option<f64>)| {
        let colour = match principle {
            Principle::Heijunka => pool_colour(readings),
            _ => principle.colour(value),
        };
        let (metric, unit, thresholds) = principle.indicator();
        Status {
            principle,
            metric,
            value,
            unit,
            thresholds,
            colour,
            action: colour.action(),
            of_red_limit: value.map(|value| settled(principle.of_red_limit(value))),
            since: None,
            outlook: None,
        }
    };
    PRINCIPLES.into_iter().zip(values).map(row).collect()
}

impl Principle {
    /// The metric that stands for it, its unit, and where its colour changes.
    fn indicator(self) -> (&'static str, &'static str, Thresholds) {
        match self {
            Self::Jidoka => ("tps_jidoka_circuit_open_ratio", "ratio", CIRCUITS),
            Self::Kanban => ("tps_kanban_queue_depth", "", QUEUE_DEPTH.shown),
            Self::Andon => ("tps_andon_error_rate", "ratio", ERROR_RATIO.shown),
            Self::Kaizen => ("tps_kaizen_slo_attainment", "ratio", ATTAINMENT),
            Self::Heijunka => ("tps_heijunka_pool_utilization", "ratio", POOL_UTILIZATION.shown),
            Self::Tracing => ("tps_tracing_duration_seconds", "s", REQUEST_P99_SECONDS.shown),
        }
    }

    /// The colour of a reading by itself.
    pub(super) fn colour(self, value: Option<f64>) -> Colour {
        match self {
            Self::Jidoka => circuits(value),
            Self::Kanban => QUEUE_DEPTH.colour(value),
            Self::Andon => ERROR_RATIO.colour(value),
            Self::Kaizen => Colour::of_attainment(value),
            Self::Heijunka => POOL_UTILIZATION.colour(value),
            Self::Tracing => REQUEST_P99_SECONDS.colour(value),
        }
    }

    fn of_red_limit(self, value: f64) -> f64 {
        match self {
            Self::Jidoka => value / CIRCUITS_RED,
            Self::Kanban => value / QUEUE_DEPTH.red,
            Self::Andon => value / ERROR_RATIO.red,
            Self::Kaizen => (1.0 - value) / MISSED_RED,
            Self::Heijunka => value / POOL_UTILIZATION.red,
            Self::Tracing => value / REQUEST_P99_SECONDS.red,
        }
    }
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
