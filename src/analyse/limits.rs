//! Which limit suits a series, and what is doubtful about those that are declared.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::trend::{Polarity, nearest_rank};
use crate::clock::Timestamp;
use crate::measure::crossing::{Direction, Limit, Threshold};
use crate::measure::histogram;
use crate::measure::read::Statistic;
use crate::slo::{Measure, Quality, SloDefinition};

/// How long a series is looked at.
pub const OBSERVED: TimeDelta = TimeDelta::days(7);
/// How far beyond the usual a limit lies, in percent, unless told otherwise.
pub const MARGIN_PERCENT: f64 = 15.0;
/// Of the week so much has to be there, from the first value to the last.
const OBSERVED_MIN: TimeDelta = TimeDelta::hours(160);
/// Fewest values.
const VALUES_MIN: usize = 100;
/// Share of values that a limit lies beyond.
const SHARE: f64 = 0.95;

/// A limit, and what it rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Advice {
    /// How many values were looked at.
    pub values: usize,
    /// The one that 95 % of them do not go beyond.
    pub usual: Option<f64>,
    /// As a threshold has it; nothing when there was too little to look at.
    pub limit: Option<String>,
    /// What to do, in a sentence.
    pub statement: String,
}

/// A limit `margin` percent beyond what 95 % of a week's values, in order of time, do not exceed; where higher is better,
/// below what 95 % of them exceed.
pub fn advise(values: &[(Timestamp, f64)], polarity: Polarity, margin: f64) -> Advice {
    let span = match values {
        [first, .., last] => last.0.since(first.0),
        _ => TimeDelta::zero(),
    };
    if values.len() < VALUES_MIN || span < OBSERVED_MIN {
        let statement = format!(
            "not enough data: a limit rests on a week, and there are {} values over {:.1} days",
            values.len(),
            span.as_seconds_f64() / 86_400.0
        );
        return Advice { values: values.len(), usual: None, limit: None, statement };
    }
    let mut sorted: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
    sorted.sort_by(f64::total_cmp);
    let (usual, sign, sides) = match polarity {
        Polarity::LowerIsBetter => (nearest_rank(&sorted, SHARE), 1.0, (">", "at or below")),
        Polarity::HigherIsBetter => {
            sorted.reverse();
            (nearest_rank(&sorted, SHARE), -1.0, ("<", "at or above"))
        }
    };
    let limit = rounded(usual + sign * usual.abs() * margin / 100.0);
    let limit = format!("{} {limit}", sides.0);
    let statement = format!(
        "95 % of the values of a week were {} {}: warn at \"{limit}\", {margin} % beyond, and look again after a week",
        sides.1,
        rounded(usual)
    );
    Advice { values: values.len(), usual: Some(usual), limit: Some(limit), statement }
}

/// To three digits: a limit is no measurement.
fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

/// What is doubtful about a threshold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doubt {
    /// The threshold.
    pub rule: String,
    /// What it is.
    pub problem: String,
    /// What to do.
    pub fix: String,
}

/// Thresholds of metrics that nobody sends, which guard nothing: the metric itself, or one of a further condition.
pub fn of_unknown_metrics<'a>(
    declared: impl IntoIterator<Item = &'a Threshold>,
    known: &BTreeSet<String>,
) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    for threshold in declared {
        let own = (&threshold.metric, threshold.statistic);
        let others = threshold.and.iter().map(|condition| (&condition.metric, condition.statistic));
        for (names, statistic) in [own].into_iter().chain(others) {
            if names.iter().any(|name| known.contains(name)) {
                continue;
            }
            let is_histogram = names.iter().any(|name| known.contains(&format!("{name}{}", histogram::SUFFIX)));
            let (problem, fix) = match statistic {
                Some(Statistic::Quantile(_)) if is_histogram => continue,
                _ if is_histogram => (
                    format!("{} is a histogram told in buckets, which has percentiles only", names.join(" or ")),
                    "write a statistic such as \"p99\"",
                ),
                _ => (
                    format!("no series is named {}", names.join(" or ")),
                    "mend the name, or send the metric; GET /v1/series lists those there are",
                ),
            };
            doubts.push(Doubt { rule: threshold.to_string(), problem, fix: fix.to_owned() });
        }
    }
    doubts
}

/// Thresholds that warn when a promise is broken, which is too late.
pub fn of_promises<'a>(
    declared: impl IntoIterator<Item = &'a Threshold>,
    promises: &[&SloDefinition],
    known: &BTreeSet<String>,
) -> Vec<Doubt> {
    let mut doubts = Vec::new();
    let is_held =
        |threshold: &&Threshold| threshold.is_plain() && threshold.metric.iter().any(|name| known.contains(name));
    for threshold in declared.into_iter().filter(is_held) {
        for promise in promises.iter().filter(|promise| is_of(threshold, promise)) {
            let mut limits = [threshold.warning, threshold.critical].into_iter().flatten();
            let bounds = || promise.objectives.iter().filter_map(|objective| bound(promise, objective));
            if let Some(limit) = limits.find(|limit| bounds().any(|bound| is_same(*limit, bound))) {
                doubts.push(Doubt {
                    rule: threshold.to_string(),
                    problem: format!("\"{limit}\" is what the objective {} promises", promise.name),
                    fix: "set the limit on the good side of the promise, to hear of it before it is broken".to_owned(),
                });
            }
        }
    }
    doubts
}

fn is_of(threshold: &Threshold, promise: &SloDefinition) -> bool {
    let selector = promise.indicator.measure.whole().selector.as_ref();
    selector.is_some_and(|selector| {
        threshold.metric.contains(&selector.metric)
            && (selector.statistic.is_none() || selector.statistic == threshold.statistic)
    })
}

/// A value of the metric beyond which the promise is broken, and the way it goes there.
fn bound(promise: &SloDefinition, objective: &crate::slo::Objective) -> Option<(Direction, f64)> {
    match (&promise.indicator.measure, objective.threshold) {
        (Measure::Values(_), Some(threshold)) => {
            Some((if threshold.is_upper() { Direction::Up } else { Direction::Down }, threshold.value))
        }
        (Measure::Computed { quality: Quality::Good, .. }, _) => Some((Direction::Down, objective.target)),
        (Measure::Computed { quality: Quality::Bad, .. }, _) => Some((Direction::Up, 1.0 - objective.target)),
        _ => None,
    }
}

fn is_same(limit: Limit, (direction, value): (Direction, f64)) -> bool {
    limit.direction() == direction && (limit.value() - value).abs() <= value.abs() * 1e-9
}
