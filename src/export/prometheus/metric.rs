//! What the table says of a metric.

use crate::analyse::trend::Polarity;
use crate::measure::Series;
use crate::measure::store::Known;

const CIRCUIT_STATE: &str = "tps_jidoka_circuit_state";
/// A legacy name of milliseconds that does not say so.
const IN_MILLISECONDS: &str = "kanban_latency_histogram";
/// Legacy names that say percent and hold ratios.
const RATIOS: [&str; 2] = ["coverage_percent", "uptime_percent"];
/// Neither way is good for these, and yet little of them is worse than much.
const LOW_IS_WORSE: [&str; 2] = ["tps_heijunka_worker_utilization", "tps_last_sample_timestamp_seconds"];

/// What a metric's values are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Type {
    /// A total that never falls.
    Counter,
    /// A level, measured or worked out on the scrape.
    Gauge,
    /// How values were spread over buckets with these bounds.
    Histogram(&'static [f64]),
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// Its canonical name.
    pub name: &'static str,
    /// What its values are.
    pub holds: Type,
    /// Unit of its values, by UCUM; none for counts.
    pub unit: &'static str,
    /// Which way is good; nothing where neither is: of states, moments, counts of work, and what should lie between.
    pub polarity: Option<Polarity>,
    /// Its labels.
    pub labels: &'static [&'static str],
    /// Kinds of receipts that tell it, `series`, or both.
    pub told_by: &'static str,
    /// What it means.
    pub definition: &'static str,
    /// The legacy name under which the same values are shown in milliseconds.
    pub milliseconds: Option<&'static str>,
    /// Other legacy names, under which series are taken for it.
    pub also: &'static [&'static str],
}

impl Metric {
    /// Bounds of its buckets.
    pub fn bounds(&self) -> &'static [f64] {
        if let Type::Histogram(bounds) = self.holds { bounds } else { &[] }
    }

    /// Kinds of receipts, and others, that tell it.
    pub(super) fn tellers(&self) -> impl Iterator<Item = &'static str> {
        self.told_by.split(", ")
    }

    /// Does the series tell it, under one of its names?
    pub fn is_told_by(&self, series: &Series) -> bool {
        self.names().any(|name| name == series.metric)
    }

    /// All its names, the canonical one first.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        [self.name].into_iter().chain(self.milliseconds).chain(self.also.iter().copied())
    }

    /// What values of a series that tells it have to be multiplied with. Legacy names and units that say so are converted
    /// to base units.
    pub fn factor(&self, known: &Known) -> f64 {
        let name = known.series.metric.as_str();
        let is_legacy = name != self.name;
        match (self.unit, known.unit.as_deref()) {
            ("s", Some("ms")) => 0.001,
            ("s", Some("s")) => 1.0,
            ("s", _) if self.milliseconds == Some(name) || name.ends_with("_ms") || IN_MILLISECONDS == name => 0.001,
            ("ratio", Some("%")) => 0.01,
            ("ratio", Some("1")) => 1.0,
            ("ratio", _) if RATIOS.contains(&name) => 1.0,
            ("ratio", _) if is_legacy && (name.ends_with("_percent") || name == "kanban_queue_saturation") => 0.01,
            ("By", Some("MiBy")) => 1_048_576.0,
            ("By", Some("By")) => 1.0,
            ("By", _) if name.ends_with("_mb") => 1_048_576.0,
            _ => 1.0,
        }
    }

    /// Is larger for the worse of two values.
    pub(super) fn badness(&self, value: f64) -> f64 {
        match self.polarity {
            // Open (1) is worse than half-open (2), and that than closed (0).
            None if self.name == CIRCUIT_STATE => -(value - 1.2).abs(),
            None if LOW_IS_WORSE.contains(&self.name) => -value,
            Some(Polarity::HigherIsBetter) => -value,
            Some(Polarity::LowerIsBetter) | None => value,
        }
    }

    /// Is it told by series alone?
    pub(super) fn is_of_series(&self) -> bool {
        self.told_by == "series"
    }
}

pub(super) const fn gauge(name: &'static str, labels: &'static [&'static str]) -> Metric {
    of(name, Type::Gauge, labels)
}

pub(super) const fn counter(name: &'static str, labels: &'static [&'static str]) -> Metric {
    of(name, Type::Counter, labels)
}

pub(super) const fn histogram(name: &'static str, labels: &'static [&'static str], bounds: &'static [f64]) -> Metric {
    let metric = of(name, Type::Histogram(bounds), labels);
    Metric { unit: "s", ..metric }
}

const fn of(name: &'static str, holds: Type, labels: &'static [&'static str]) -> Metric {
    let (unit, told_by, definition) = ("", "", "");
    Metric { name, holds, unit, polarity: None, labels, told_by, definition, milliseconds: None, also: &[] }
}

impl Metric {
    pub(super) const fn unit(self, unit: &'static str) -> Self {
        Self { unit, ..self }
    }

    /// The less the better.
    pub(super) const fn lower(self) -> Self {
        Self { polarity: Some(Polarity::LowerIsBetter), ..self }
    }

    /// The more the better.
    pub(super) const fn higher(self) -> Self {
        Self { polarity: Some(Polarity::HigherIsBetter), ..self }
    }

    pub(super) const fn told_by(self, told_by: &'static str, definition: &'static str) -> Self {
        Self { told_by, definition, ..self }
    }

    pub(super) const fn milliseconds(self, name: &'static str) -> Self {
        Self { milliseconds: Some(name), ..self }
    }

    pub(super) const fn also(self, also: &'static [&'static str]) -> Self {
        Self { also, ..self }
    }
}
