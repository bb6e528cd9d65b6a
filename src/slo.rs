//! Service level objectives: what is promised of a service, and how it is measured.

mod book;
mod window;

use std::collections::BTreeMap;
use std::fmt;

use chrono::NaiveDateTime;
use serde::{Serialize, Serializer};
use serde_json::Value as Json;

pub use self::book::{Book, Entry};
use self::window::WINDOW_DEFAULT;
use crate::analyse::slo::Phase;
use crate::clock::Timestamp;
use crate::measure::Series;
use crate::measure::read::Statistic;

/// What is promised of a service.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SloDefinition {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub display_name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// The service that makes the promise.
    pub service: String,
    /// Labels, each with one value or several.
    pub labels: BTreeMap<String, Vec<String>>,
    /// What is measured.
    pub indicator: Indicator,
    /// Over which time it is kept; `None` leaves that to whoever evaluates it.
    pub window: Option<TimeWindow>,
    /// What the budget is made of.
    pub budgeting: Budgeting,
    /// How much is promised, once or in steps.
    pub objectives: Vec<Objective>,
    /// Targets that grow until they are what is promised.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phases: Option<Phases>,
    /// Do values count that are far above all others?
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub counts_outliers: bool,
}

/// Targets that grow, as a service gets better.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Phases {
    /// When the first begins.
    pub start: Timestamp,
    /// In order.
    pub steps: Vec<Phase>,
}

/// What is promised, in a line.
impl fmt::Display for SloDefinition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let targets: Vec<String> = self.objectives.iter().map(|objective| objective.target.to_string()).collect();
        write!(f, "{} of {} over {}", targets.join(", "), self.service, self.window().span())
    }
}

impl SloDefinition {
    /// Its objectives by name; of several, each has its number.
    pub fn named(&self) -> impl Iterator<Item = (String, &Objective)> {
        (1..).zip(&self.objectives).map(|(number, objective)| {
            let is_single = self.objectives.len() == 1;
            (if is_single { self.name.clone() } else { format!("{}/{number}", self.name) }, objective)
        })
    }

    /// Over which time it is kept: 30 days unless it says otherwise.
    pub fn window(&self) -> &TimeWindow {
        self.window.as_ref().unwrap_or(&WINDOW_DEFAULT)
    }
}

/// What is measured.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Indicator {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Where its numbers come from.
    pub measure: Measure,
}

/// Where the numbers of an indicator come from.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
#[expect(clippy::large_enum_variant, reason = "an objective has one")]
pub enum Measure {
    /// Values that the threshold of an objective divides into good and bad ones.
    Values(Metric),
    /// Events of one quality out of all events.
    Ratio {
        /// What `events` counts.
        quality: Quality,
        /// Good or bad events.
        events: Metric,
        /// All events.
        total: Metric,
        /// Do both only ever grow?
        is_counter: bool,
    },
    /// A ratio that was computed already.
    Computed {
        /// Of which events it is the share.
        quality: Quality,
        /// The ratio.
        ratio: Metric,
    },
}

impl Measure {
    /// The metric without which nothing is known: all events, or the values themselves.
    pub fn whole(&self) -> &Metric {
        match self {
            Self::Values(metric) | Self::Ratio { total: metric, .. } | Self::Computed { ratio: metric, .. } => metric,
        }
    }
}

/// Of which kind events are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Quality {
    /// They keep the promise.
    Good,
    /// They break it.
    Bad,
}

/// A query to a source of metrics.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Metric {
    /// Name of the data source, if it has one.
    pub source: Option<String>,
    /// Kind of source, such as `Prometheus`.
    pub source_type: Option<String>,
    /// What the source is asked, in its own words.
    pub spec: Json,
    /// The series of naze that it is, when naze is the source.
    #[serde(skip)]
    pub selector: Option<Selector>,
}

/// Which series of naze a metric is, and which number tells a minute of them.
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    /// Name of the metric.
    pub metric: String,
    /// Of one component only.
    pub component: Option<String>,
    /// Labels that the series have, each with one of these values.
    pub labels: BTreeMap<String, Vec<String>>,
    /// What to read of each minute; `None` leaves that to the kind of the series.
    pub statistic: Option<Statistic>,
}

impl Selector {
    /// Is this one of them?
    pub fn has(&self, series: &Series) -> bool {
        let has_label = |(name, values): (&String, &Vec<String>)| {
            series.labels.get(name).is_some_and(|value| values.contains(value))
        };
        self.metric == series.metric
            && self.component.as_ref().is_none_or(|component| *component == series.component)
            && self.labels.iter().all(has_label)
    }
}

/// Over which time a promise is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum TimeWindow {
    /// The time before now.
    Rolling(Span),
    /// Windows side by side.
    Calendar {
        /// How long each is.
        span: Span,
        /// When the first of them began, on a clock of the zone.
        start: NaiveDateTime,
        /// IANA name of the zone.
        zone: String,
    },
}

/// A span of time as people tell it: a month has no fixed number of days.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// How many.
    pub count: u32,
    /// Of what.
    pub unit: Unit,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// `m`
    Minute,
    /// `h`
    Hour,
    /// `d`
    Day,
    /// `w`
    Week,
    /// `M`
    Month,
    /// `Q`
    Quarter,
    /// `Y`
    Year,
}

impl Unit {
    /// The unit that a letter stands for, in `OpenSLO`'s shorthand.
    pub fn from_letter(letter: char) -> Option<Self> {
        Some(match letter {
            'm' => Self::Minute,
            'h' => Self::Hour,
            'd' => Self::Day,
            'w' => Self::Week,
            'M' => Self::Month,
            'Q' => Self::Quarter,
            'Y' => Self::Year,
            _ => return None,
        })
    }

    fn letter(self) -> char {
        match self {
            Self::Minute => 'm',
            Self::Hour => 'h',
            Self::Day => 'd',
            Self::Week => 'w',
            Self::Month => 'M',
            Self::Quarter => 'Q',
            Self::Year => 'Y',
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", self.count, self.unit.letter())
    }
}

impl Serialize for Span {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// What the error budget is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Budgeting {
    /// Events: good ones out of all.
    Occurrences,
    /// Slices of time: those in which enough was good, out of all.
    Timeslices,
    /// Slices of time: the mean of their ratios.
    RatioTimeslices,
}

/// How much is promised.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Objective {
    /// Its name for people.
    pub display_name: Option<String>,
    /// Share of what has to be good, from 0 up to but not 1.
    pub target: f64,
    /// Which values are good, for [`Measure::Values`].
    pub threshold: Option<Threshold>,
    /// Share of a slice that has to be good for the slice to be, for [`Budgeting::Timeslices`].
    pub slice_target: Option<f64>,
    /// How long a slice is, for budgets of slices.
    pub slice: Option<Span>,
}

/// Which values are good.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Threshold {
    /// How a good value compares.
    pub comparison: Comparison,
    /// To what it is compared.
    pub value: f64,
}

/// How a value compares to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Comparison {
    /// `lt`
    Less,
    /// `lte`
    LessOrEqual,
    /// `gt`
    Greater,
    /// `gte`
    GreaterOrEqual,
}
