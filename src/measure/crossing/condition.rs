//! What else has to hold for a threshold to be crossed, and what of a value is held against it.

use std::collections::BTreeMap;
use std::fmt;

use chrono::TimeDelta;
use serde::Deserialize;

use super::limit::Limit;
use super::threshold::{Names, matchers, span};
use crate::clock::Timestamp;
use crate::measure::Series;
use crate::measure::read::Statistic;
use crate::measure::relabel::Anchored;

/// A value counts until the next one comes, but no longer.
pub const HOLDS: TimeDelta = TimeDelta::minutes(5);
/// The name that stands for the component among labels.
const COMPONENT: &str = "component";

/// A limit of another metric that has to be passed in the same minute.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// The metric, under each of its names.
    #[serde(deserialize_with = "Names::read")]
    pub metric: Vec<String>,
    /// Which values each of these labels may have.
    #[serde(default)]
    pub labels: BTreeMap<String, Anchored>,
    /// Which number of a minute; without it the one that is usual for the kind of the series.
    pub statistic: Option<Statistic>,
    /// What has to be passed.
    pub limit: Limit,
    /// By how much a value has to be back until the condition does not hold.
    #[serde(default)]
    pub hysteresis: f64,
    /// What has to be the same of both series: `component`, or names of labels.
    #[serde(default = "on_component")]
    pub on: Vec<String>,
}

fn on_component() -> Vec<String> {
    vec![COMPONENT.to_owned()]
}

/// How a condition stands in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    Holds,
    /// Not passed, or not known.
    Open,
    /// Back by the hysteresis.
    Back,
}

impl Condition {
    /// Does it speak of `other` where `series` is held against the threshold?
    pub fn joins(&self, series: &Series, other: &Series) -> bool {
        let is_same = |name: &String| match name.as_str() {
            COMPONENT => series.component == other.component,
            label => series.labels.get(label).is_some_and(|value| other.labels.get(label) == Some(value)),
        };
        let label = |name: &str| other.labels.get(name).map(String::as_str).unwrap_or_default();
        self.metric.contains(&other.metric)
            && self.on.iter().all(is_same)
            && self.labels.iter().all(|(name, value)| value.is_match(label(name)))
    }

    /// The value that counts of those of several series.
    pub fn telling(&self, values: impl Iterator<Item = f64> + Clone) -> Option<f64> {
        let passed = values.clone().filter(|value| self.limit.is_beyond(*value));
        let farther = |one: f64, other: f64| self.limit.direction().farther(one, other);
        passed.reduce(farther).or_else(|| values.reduce(farther))
    }

    pub(super) fn standing(&self, value: Option<f64>) -> Standing {
        match value {
            Some(value) if self.limit.is_beyond(value) => Standing::Holds,
            Some(value) if self.limit.is_back(value, self.hysteresis) => Standing::Back,
            _ => Standing::Open,
        }
    }

    /// With its value.
    pub(super) fn told(&self, value: Option<f64>) -> String {
        let value = value.map_or_else(|| "unknown".to_owned(), |value| short(value).to_string());
        format!("{} {value} ({})", self.subject(), self.limit)
    }

    fn subject(&self) -> String {
        let statistic = self.statistic.map_or_else(String::new, |statistic| format!("{statistic} of "));
        format!("{statistic}{}{}", self.metric[0], matchers(None, &self.labels))
    }
}

/// As a part of the rule.
impl fmt::Display for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.subject(), self.limit)?;
        if self.on != on_component() {
            write!(f, " on ({})", self.on.join(", "))?;
        }
        Ok(())
    }
}

/// By how much a value changed: from that of a minute before, or from that of the same hour of a day before.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Change {
    /// From how long before.
    pub span: TimeDelta,
    /// Told in percent of the value before.
    pub is_relative: bool,
}

impl Change {
    /// From a day on a minute alone says little, and the hour that it lies in is looked at.
    pub fn is_from_an_hour(&self) -> bool {
        self.span >= TimeDelta::days(1)
    }

    /// The change of each value from the one before, where that is known. `before` are values of minutes, or of hours.
    pub fn of(&self, values: &[(Timestamp, f64)], before: &[(Timestamp, f64)]) -> Vec<(Timestamp, f64, f64)> {
        let holds = if self.is_from_an_hour() { TimeDelta::hours(1) - TimeDelta::microseconds(1) } else { HOLDS };
        let change = |(at, value): &(Timestamp, f64)| {
            let before = latest(before, at.checked_add(-self.span)?, holds)?;
            let change = value - before;
            if !self.is_relative {
                return Some((*at, change, before));
            }
            (before != 0.0).then(|| (*at, change / before.abs() * 100.0, before))
        };
        values.iter().filter_map(change).collect()
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "change in {}", span(self.span))
    }
}

/// To six digits, for people to read.
pub(super) fn short(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}

/// The last value at `at` or before it, not older than `holds`.
pub fn latest(values: &[(Timestamp, f64)], at: Timestamp, holds: TimeDelta) -> Option<f64> {
    let place = values.partition_point(|(told, _)| *told <= at).checked_sub(1)?;
    let (told, value) = values[place];
    (at.since(told) <= holds).then_some(value)
}
