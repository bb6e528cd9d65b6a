//! Declared thresholds: what the configuration says and what naze ships.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

use chrono::TimeDelta;
use serde::{Deserialize, Deserializer};

use super::Colours;
use super::condition::{Change, Condition};
use super::limit::{Direction, Limit};
use super::watch::{Bounds, Level};
use crate::measure::Series;
use crate::measure::own::told_first_in;
use crate::measure::read::Statistic;
use crate::measure::relabel::Anchored;
use crate::query::parse_duration;

/// How long a value has to be beyond a limit unless told otherwise.
const FOR_DEFAULT: TimeDelta = TimeDelta::minutes(5);
/// Further conditions of one threshold.
const CONDITIONS_MAX: usize = 4;
/// Longest look back of a threshold: values are kept by the minute for as long.
const BACK_MAX: TimeDelta = TimeDelta::days(28);
/// Longest time within which the same is not told again.
pub(crate) const COOLDOWN_MAX: TimeDelta = TimeDelta::days(30);
/// A text of a receipt has 512 characters at most, and a rule is told there, its parts with their values.
const RULE_CHARACTERS_MAX: usize = 448;

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
    /// Without it the value itself is held against the limits.
    pub change: Option<Change>,
    /// Only what was not beyond within this time before.
    pub first_in: Option<TimeDelta>,
    /// What else has to hold.
    pub and: Vec<Condition>,
    /// What to do when it is crossed.
    pub action: Action,
    /// People are not told again that it is crossed within this time.
    pub cooldown: Option<TimeDelta>,
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
    #[serde(deserialize_with = "Names::read")]
    metric: Vec<String>,
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
    #[serde(default, deserialize_with = "cooldown")]
    cooldown: Option<TimeDelta>,
    #[serde(default, deserialize_with = "look_back")]
    change_in: Option<TimeDelta>,
    #[serde(default, deserialize_with = "look_back")]
    first_in: Option<TimeDelta>,
    #[serde(default)]
    and: Vec<Condition>,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum Names {
    One(String),
    Several(Vec<String>),
}

impl Names {
    fn all(self) -> Vec<String> {
        match self {
            Self::One(name) => vec![name],
            Self::Several(names) => names,
        }
    }

    /// Reads at least one name.
    pub(super) fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
        let names = Self::deserialize(deserializer)?.all();
        if names.is_empty() || names.iter().any(String::is_empty) {
            return Err(serde::de::Error::custom("a threshold needs a metric: write its name"));
        }
        Ok(names)
    }
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

/// Reads `cooldown`.
fn cooldown<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TimeDelta>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let cooldown = parse_duration("cooldown", &text).map_err(|error| serde::de::Error::custom(error.in_a_line()))?;
    if cooldown > COOLDOWN_MAX {
        return Err(serde::de::Error::custom(format!(
            "cooldown = \"{text}\" is longer than what was told is known: write {}d at most",
            COOLDOWN_MAX.num_days()
        )));
    }
    Ok(Some(cooldown))
}

/// Reads `change_in` and `first_in`.
fn look_back<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<TimeDelta>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let back = parse_duration("a look back", &text).map_err(|error| serde::de::Error::custom(error.in_a_line()))?;
    if !(TimeDelta::minutes(1)..=BACK_MAX).contains(&back) {
        return Err(serde::de::Error::custom(format!("\"{text}\" is no look back: write 1m to 28d")));
    }
    Ok(Some(back))
}

impl TryFrom<Written> for Threshold {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let named = written.metric.join(", ");
        let steps = written.and.iter().map(|condition| condition.hysteresis).chain([written.hysteresis]);
        if let Some(wrong) = steps.into_iter().find(|step| !(step.is_finite() && *step >= 0.0)) {
            return Err(format!("hysteresis = {wrong} of {named} is wrong: write 0 or more, in the metric's unit"));
        }
        if let (Some(warning), Some(critical)) = (written.warning, written.critical)
            && warning.direction() != critical.direction()
        {
            return Err(format!(
                "warning \"{warning}\" and critical \"{critical}\" of {named} point to opposite sides"
            ));
        }
        if written.and.len() > CONDITIONS_MAX {
            return Err(format!("and of {named} has more than {CONDITIONS_MAX} conditions"));
        }
        let shares: Vec<bool> = [written.warning, written.critical].iter().flatten().map(Limit::is_percent).collect();
        let is_relative = shares.contains(&true);
        if is_relative && (written.change_in.is_none() || shares.contains(&false)) {
            return Err(format!(
                "limits of {named} in percent are of a change: write change_in, and % for all of them"
            ));
        }
        if let Some(condition) = written.and.iter().find(|condition| condition.limit.is_percent()) {
            return Err(format!(
                "limit \"{}\" in and of {named} is in percent: write it in the metric's unit",
                condition.limit
            ));
        }
        let is_plain = written.change_in.is_none() && written.first_in.is_none() && written.and.is_empty();
        let Written { yellow, orange, red, .. } = written;
        let colours = Colours { yellow, orange, red };
        // The limits of a change, or of several conditions, are none of the value alone.
        let colours = if is_plain { colours.or_of(written.warning, written.critical) } else { colours };
        colours.check().map_err(|wrong| format!("colours of {named}: {wrong}"))?;
        let threshold = Self {
            metric: written.metric,
            colours,
            component: written.component,
            labels: written.labels,
            statistic: written.statistic,
            warning: written.warning,
            critical: written.critical,
            hysteresis: written.hysteresis,
            beyond_for: written.beyond_for,
            action: written.action,
            cooldown: written.cooldown,
            change: written.change_in.map(|span| Change { span, is_relative }),
            first_in: written.first_in,
            and: written.and,
        };
        if threshold.to_string().chars().count() > RULE_CHARACTERS_MAX {
            return Err(format!(
                "the threshold of {named} is longer than {RULE_CHARACTERS_MAX} characters: \"{threshold}\""
            ));
        }
        Ok(threshold)
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
        // A threshold of what naze tells first, and of what it works out from that, is of the first.
        let first = told_first_in(&series.metric).filter(|_| series.is_own());
        let is_told_again = first.is_some_and(|first| self.metric.iter().any(|name| name == first));
        self.metric.contains(&series.metric)
            && !is_told_again
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

    /// Is it the value alone that is held against the limits?
    pub fn is_plain(&self) -> bool {
        self.change.is_none() && self.first_in.is_none() && self.and.is_empty()
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
            first_in: self.first_in,
        }
    }

    /// Does it say of colours alone? Then it does not say that no limits apply.
    fn is_of_colours(&self) -> bool {
        self.direction().is_none() && self.colours != Colours::default()
    }

    /// Those of `declared` that apply to the series: for each statistic and direction the first that speaks of it. One
    /// without limits says that none apply. Those of a change, of what is the first in a time, and with further conditions
    /// stand beside plain ones.
    pub fn applying<'a>(declared: impl Iterator<Item = &'a Self>, series: &Series) -> Vec<&'a Self> {
        let mut applying: Vec<&Self> = Vec::new();
        for threshold in declared.filter(|threshold| threshold.is_of(series) && !threshold.is_of_colours()) {
            let is_told = |known: &&Self| {
                known.statistic_of(series) == threshold.statistic_of(series)
                    && (known.direction().is_none()
                        || (known.direction() == threshold.direction() && known.is_like(threshold)))
            };
            if !applying.iter().any(is_told) {
                applying.push(threshold);
            }
        }
        applying.retain(|threshold| threshold.direction().is_some());
        applying
    }

    fn is_like(&self, other: &Self) -> bool {
        let of = |threshold: &Self| (threshold.change.map(|change| change.span), threshold.first_in);
        of(self) == of(other) && self.and.is_empty() == other.and.is_empty()
    }
}

/// The series that a threshold speaks of, as its rule tells them.
pub(super) fn matchers(component: Option<&Anchored>, labels: &BTreeMap<String, Anchored>) -> String {
    let component = component.iter().map(|component| format!("component=~\"{}\"", component.text()));
    let labels = labels.iter().map(|(name, value)| format!("{name}=~\"{}\"", value.text()));
    let matchers: Vec<String> = component.chain(labels).collect();
    if matchers.is_empty() { String::new() } else { format!("{{{}}}", matchers.join(", ")) }
}

impl Threshold {
    /// What is held against the limits.
    pub(super) fn subject(&self) -> String {
        let first = self.first_in.map_or_else(String::new, |first_in| format!("first in {} of ", span(first_in)));
        let change = self.change.map_or_else(String::new, |change| format!("{change} of "));
        let statistic = self.statistic.map_or_else(String::new, |statistic| format!("{statistic} of "));
        let matchers = matchers(self.component.as_ref(), &self.labels);
        format!("{first}{change}{statistic}{}{matchers}", self.metric[0])
    }
}

/// As receipts name it as their rule.
impl fmt::Display for Threshold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.subject())?;
        for (name, limit) in [("warning", self.warning), ("critical", self.critical)] {
            if let Some(limit) = limit {
                write!(f, " {name} {limit}")?;
            }
        }
        for condition in &self.and {
            write!(f, " and {condition}")?;
        }
        write!(f, " for {}", span(self.beyond_for))
    }
}

/// A span as it is written.
pub(super) fn span(span: TimeDelta) -> String {
    let whole = |seconds: i64| span.num_seconds() % seconds == 0 && !span.is_zero();
    if whole(86_400) {
        format!("{}d", span.num_days())
    } else if whole(60) {
        format!("{}m", span.num_minutes())
    } else {
        format!("{}s", span.num_seconds())
    }
}
