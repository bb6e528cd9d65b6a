//! Declared thresholds: what the configuration says and what naze ships.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use chrono::TimeDelta;
use serde::{Deserialize, Deserializer};

use super::Colours;
use super::limit::{Direction, Limit};
use super::watch::{Bounds, Level};
use crate::measure::Series;
use crate::measure::read::Statistic;
use crate::measure::relabel::Anchored;
use crate::query::parse_duration;

/// How long a value has to be beyond a limit unless told otherwise.
const FOR_DEFAULT: TimeDelta = TimeDelta::minutes(5);

/// What naze ships.
static SHIPPED: LazyLock<Vec<Threshold>> = LazyLock::new(|| {
    let file: File =
        toml::from_str(include_str!("../../../thresholds.toml")).expect("the shipped thresholds are valid");
    file.thresholds
});

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    thresholds: Vec<Threshold>,
}

/// Limits of a statistic of some series.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Written")]
pub struct Threshold {
    /// The metric, under each of its names.
    pub metric: Vec<String>,
    /// Which components; all without it.
    pub component: Option<Anchored>,
    /// Which values each of these labels may have.
    pub labels: BTreeMap<String, Anchored>,
    /// Which number of a minute; without it the one that is usual for the kind of the series.
    pub statistic: Option<Statistic>,
    /// What is worth a warning.
    pub warning: Option<Limit>,
    /// What is critical.
    pub critical: Option<Limit>,
    /// Where its values change colour.
    pub colours: Colours,
    /// By how much a value has to be back until the series has recovered.
    pub hysteresis: f64,
    /// How long it has to be beyond a limit.
    pub beyond_for: TimeDelta,
    /// What to do when it is crossed.
    pub action: Action,
}

/// What to do when a limit is crossed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    warning: Option<String>,
    critical: Option<String>,
}

impl Action {
    /// What to do about a crossing of this severity.
    pub fn of(&self, severity: &str) -> Option<&str> {
        match severity {
            "warning" => self.warning.as_deref(),
            "critical" => self.critical.as_deref(),
            _ => None,
        }
    }
}

/// A threshold as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    metric: Names,
    component: Option<Anchored>,
    #[serde(default)]
    labels: BTreeMap<String, Anchored>,
    statistic: Option<Statistic>,
    warning: Option<Limit>,
    critical: Option<Limit>,
    yellow: Option<Limit>,
    orange: Option<Limit>,
    red: Option<Limit>,
    #[serde(default)]
    hysteresis: f64,
    #[serde(rename = "for", default = "for_default", deserialize_with = "duration")]
    beyond_for: TimeDelta,
    #[serde(default)]
    action: Action,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    One(String),
    Several(Vec<String>),
}

fn for_default() -> TimeDelta {
    FOR_DEFAULT
}

/// Reads the value of `for`.
pub(super) fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<TimeDelta, D::Error> {
    let text = String::deserialize(deserializer)?;
    if text == "0s" {
        return Ok(TimeDelta::zero());
    }
    parse_duration("for", &text).map_err(|error| serde::de::Error::custom(error.in_a_line()))
}

impl TryFrom<Written> for Threshold {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let metric = match written.metric {
            Names::One(name) => vec![name],
            Names::Several(names) => names,
        };
        let named = metric.join(", ");
        if metric.is_empty() || metric.iter().any(String::is_empty) {
            return Err("a threshold needs a metric: write its name".to_owned());
        }
        let hysteresis = written.hysteresis;
        if !(hysteresis.is_finite() && hysteresis >= 0.0) {
            return Err(format!(
                "hysteresis = {hysteresis} of {named} is wrong: write 0 or more, in the metric's unit"
            ));
        }
        if let (Some(warning), Some(critical)) = (written.warning, written.critical)
            && warning.direction() != critical.direction()
        {
            return Err(format!(
                "warning \"{warning}\" and critical \"{critical}\" of {named} point to opposite sides"
            ));
        }
        let Written { yellow, orange, red, .. } = written;
        let colours = Colours { yellow, orange, red }.or_of(written.warning, written.critical);
        colours.check().map_err(|wrong| format!("colours of {named}: {wrong}"))?;
        Ok(Self {
            metric,
            colours,
            component: written.component,
            labels: written.labels,
            statistic: written.statistic,
            warning: written.warning,
            critical: written.critical,
            hysteresis,
            beyond_for: written.beyond_for,
            action: written.action,
        })
    }
}

impl Threshold {
    /// What naze ships.
    pub fn shipped() -> &'static [Self] {
        &SHIPPED
    }

    /// Does it speak of the series?
    pub fn is_of(&self, series: &Series) -> bool {
        let label = |name: &str| series.labels.get(name).map(String::as_str).unwrap_or_default();
        self.metric.contains(&series.metric)
            && self.component.as_ref().is_none_or(|component| component.is_match(&series.component))
            && self.labels.iter().all(|(name, value)| value.is_match(label(name)))
    }

    /// The number of a minute of the series.
    pub fn statistic_of(&self, series: &Series) -> Statistic {
        self.statistic.unwrap_or(Statistic::of(series.kind))
    }

    /// Which way a value goes that goes beyond it.
    pub fn direction(&self) -> Option<Direction> {
        self.critical.or(self.warning).map(|limit| limit.direction())
    }

    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            limits: [
                self.critical.map(|limit| (Level::Critical, limit)),
                self.warning.map(|limit| (Level::Warning, limit)),
            ],
            hysteresis: self.hysteresis,
            beyond_for: self.beyond_for,
            values_min: 1,
            back_for: TimeDelta::zero(),
        }
    }

    /// Does it say of colours alone? Then it does not say that no limits apply.
    fn is_of_colours(&self) -> bool {
        self.direction().is_none() && self.colours != Colours::default()
    }

    /// Those of `declared` that apply to the series: for each statistic and direction the first that speaks of it. One
    /// without limits says that none apply.
    pub fn applying<'a>(declared: impl Iterator<Item = &'a Self>, series: &Series) -> Vec<&'a Self> {
        let mut applying: Vec<&Self> = Vec::new();
        for threshold in declared.filter(|threshold| threshold.is_of(series) && !threshold.is_of_colours()) {
            let is_told = |known: &&Self| {
                known.statistic_of(series) == threshold.statistic_of(series)
                    && (known.direction().is_none() || known.direction() == threshold.direction())
            };
            if !applying.iter().any(is_told) {
                applying.push(threshold);
            }
        }
        applying.retain(|threshold| threshold.direction().is_some());
        applying
    }
}

/// As receipts name it as their rule.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let matchers = self.component.iter().map(|component| format!("component=~\"{}\"", component.text()));
        let labels = self.labels.iter().map(|(name, value)| format!("{name}=~\"{}\"", value.text()));
        let matchers: Vec<String> = matchers.chain(labels).collect();
        if let Some(statistic) = self.statistic {
            write!(f, "{statistic} of ")?;
        }
        f.write_str(&self.metric[0])?;
        if !matchers.is_empty() {
            write!(f, "{{{}}}", matchers.join(", "))?;
        }
        for (name, limit) in [("warning", self.warning), ("critical", self.critical)] {
            if let Some(limit) = limit {
                write!(f, " {name} {limit}")?;
            }
        }
        write!(f, " for {}", span(self.beyond_for))
    }
}

/// A span as it is written.
pub(super) fn span(span: TimeDelta) -> String {
    if span.num_seconds() % 60 == 0 && !span.is_zero() {
        format!("{}m", span.num_minutes())
    } else {
        format!("{}s", span.num_seconds())
    }
}
