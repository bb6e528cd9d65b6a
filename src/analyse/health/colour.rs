//! Colours: the bands of the overall score, of a circuit, and of the six principles.

use serde::Serialize;

use super::{Outlook, PRINCIPLES, Principle, Readings};
use crate::analyse::clamped::settled;
use crate::clock::Timestamp;
use crate::measure::crossing::{Colours, Direction, Limit, Palette};

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
    /// The colour of a metric's value; grey without one.
    pub fn of(value: Option<f64>, metric: &str, palette: &Palette) -> Self {
        Self::by(value, palette.colours(metric).unwrap_or_default())
    }

    /// The colour of a value; grey without one.
    pub fn by(value: Option<f64>, colours: Colours) -> Self {
        let Some(value) = value else { return Self::Grey };
        let beyond = |limit: Option<Limit>| limit.is_some_and(|limit| limit.is_beyond(value));
        match colours {
            Colours { red, .. } if beyond(red) => Self::Red,
            Colours { orange, .. } if beyond(orange) => Self::Orange,
            Colours { yellow, .. } if beyond(yellow) => Self::Yellow,
            _ => Self::Green,
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
    pub thresholds: Colours,
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

/// All six, in their order.
pub(super) fn statuses(readings: &Readings, palette: &Palette) -> Vec<Status> {
    let values = [
        readings.circuit_open_ratio,
        readings.queue_depth,
        readings.error_ratio,
        readings.slo_attainment,
        readings.pool_utilization(),
        readings.request_p99_seconds,
    ];
    let row = |(principle, value): (Principle, Option<f64>)| {
        let (metric, unit) = principle.indicator();
        let colours = palette.colours(metric).unwrap_or_default();
        let mut colour = Colour::by(value, colours);
        // The average may hide a pool that is overloaded.
        let is_red = |pool: &f64| Colour::by(Some(*pool), colours) == Colour::Red;
        if principle == Principle::Heijunka && readings.pool_utilizations.iter().any(is_red) {
            colour = colour.max(Colour::Yellow);
        }
        Status {
            principle,
            metric,
            value,
            unit,
            thresholds: colours,
            colour,
            action: colour.action(),
            of_red_limit: value.zip(colours.red).map(|(value, red)| settled(share_of(red, value))),
            since: None,
            outlook: None,
        }
    };
    PRINCIPLES.into_iter().zip(values).map(row).collect()
}

impl Principle {
    /// The metric that stands for it, and its unit.
    fn indicator(self) -> (&'static str, &'static str) {
        match self {
            Self::Jidoka => ("tps_jidoka_circuit_open_ratio", "ratio"),
            Self::Kanban => ("tps_kanban_queue_depth", ""),
            Self::Andon => ("tps_andon_error_rate", "ratio"),
            Self::Kaizen => ("tps_kaizen_slo_attainment", "ratio"),
            Self::Heijunka => ("tps_heijunka_pool_utilization", "ratio"),
            Self::Tracing => ("tps_tracing_duration_seconds", "s"),
        }
    }
}

/// A value in units of its red limit; of a ratio that should be high, what is missing of it.
fn share_of(red: Limit, value: f64) -> f64 {
    match red.direction() {
        Direction::Up => value / red.value(),
        Direction::Down => (1.0 - value) / (1.0 - red.value()),
    }
}
