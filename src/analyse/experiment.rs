//! Did the experiment show what its hypothesis says? A canary held against a control, and what that means.

use serde::{Deserialize, Serialize};

use super::compare::Compared;
use crate::clock::Timestamp;
use crate::receipt::ReceiptId;

/// What an experiment is to show, as its receipts tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Experiment {
    /// Its name: `reference` of its receipts, else the id of the only one.
    pub reference: String,
    /// Where it takes place.
    pub component: String,
    /// Who answers for it.
    pub owner: Option<String>,
    /// What it is to show.
    pub hypothesis: String,
    /// What is done.
    pub action: Option<String>,
    /// Why that should help.
    pub reason: Option<String>,
    /// What is measured.
    pub metric: Option<String>,
    /// Which number of it.
    pub statistic: Option<String>,
    /// The change expected, in percent of the control.
    pub expected_percent: Option<f64>,
    /// When the canary began to run.
    pub starts_at: Timestamp,
    /// Until when it runs.
    pub ends_at: Timestamp,
    /// What somebody said of its outcome.
    pub told: Option<Told>,
    /// Its receipts, oldest first.
    pub receipts: Vec<ReceiptId>,
}

/// An outcome that somebody told.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// `success`, `marginal` or `negative`.
    pub result: Option<String>,
    /// The change they saw.
    pub actual_percent: Option<f64>,
    /// What surprised them, or whatever else they wrote.
    pub summary: Option<String>,
    /// The receipt that says so.
    pub receipt: ReceiptId,
}

/// How things were in the hour before.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Baseline {
    /// From when.
    pub from: Timestamp,
    /// Up to when.
    pub to: Timestamp,
    /// Mean.
    pub mean: f64,
    /// 95th percentile.
    pub p95: f64,
    /// 99th percentile.
    pub p99: f64,
    /// What happened in a minute, where the metric counts something.
    pub throughput_per_minute: Option<f64>,
}

/// What the evidence says of an experiment.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// The version of this form.
    pub version: u32,
    /// What was to be shown.
    pub experiment: Experiment,
    /// As of when.
    pub at: Timestamp,
    /// The hour before it began.
    pub baseline: Option<Baseline>,
    /// The canary against the control.
    pub compared: Option<Compared>,
    /// What that means.
    pub decision: Decision,
    /// One sentence with its numbers.
    pub statement: String,
    /// What to do now.
    pub next: &'static str,
    /// What is needed to say more.
    pub missing: Vec<String>,
    /// Paths that show the values again.
    pub show: Vec<String>,
}

/// What comes of an experiment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// At least the change expected, and not by chance.
    Success,
    /// Better but less than expected, or it may be chance.
    Marginal,
    /// Worse, and not by chance.
    Negative,
    /// It is not over.
    Running,
    /// Too little to tell.
    NotEnoughData,
}

impl Decision {
    /// Judges a change against the one expected; both in percent, and the sign of `expected` says which way is better.
    pub fn of(expected: f64, actual: f64, is_significant: bool) -> Self {
        // By this much a sum of floating-point numbers may be off.
        let hair = 1e-9 * expected.abs().max(1.0);
        let gain = actual * expected.signum();
        match (is_significant, gain) {
            (false, _) => Self::Marginal,
            (true, gain) if gain + hair >= expected.abs() => Self::Success,
            (true, gain) if gain < 0.0 => Self::Negative,
            (true, _) => Self::Marginal,
        }
    }

    /// What to do now.
    pub fn next(self) -> &'static str {
        match self {
            Self::Success => "roll out to all",
            Self::Marginal => "continue the canary, or revert: a person decides",
            Self::Negative => "roll back and investigate",
            Self::Running => "wait until it is over",
            Self::NotEnoughData => "gather what is missing",
        }
    }
}

/// What an experiment shows at `at`; `compared` says why there is nothing to compare where there is not.
pub fn findings(
    experiment: Experiment,
    at: Timestamp,
    baseline: Option<Baseline>,
    compared: Result<Compared, String>,
    show: Vec<String>,
) -> Findings {
    let mut missing = Vec::new();
    if experiment.expected_percent.is_none_or(|expected| expected == 0.0) {
        missing.push("expectedPercent: the change that is hoped for, below 0 if less is better".to_owned());
    }
    if let Err(why) = &compared {
        missing.push(why.clone());
    }
    let compared = compared.ok();
    let change = compared.as_ref().and_then(|compared| Some((compared, compared.change_percent?.value)));
    if compared.is_some() && change.is_none() {
        missing.push("the mean of the control is 0, of which nothing is a percentage".to_owned());
    }
    let decision = match (experiment.expected_percent.filter(|expected| *expected != 0.0), change) {
        (Some(_), _) if at < experiment.ends_at => Decision::Running,
        (Some(expected), Some((compared, actual))) => Decision::of(expected, actual, compared.is_significant),
        _ => Decision::NotEnoughData,
    };
    Findings {
        version: 1,
        statement: statement(&experiment, change, &missing),
        next: decision.next(),
        experiment,
        at,
        baseline,
        compared,
        decision,
        missing,
        show,
    }
}

fn statement(experiment: &Experiment, change: Option<(&Compared, f64)>, missing: &[String]) -> String {
    let Some((compared, actual)) = change else {
        return format!("not enough data: {}", missing.join("; "));
    };
    let expected =
        experiment.expected_percent.map_or_else(String::new, |expected| format!(", expected {expected:+} %"));
    let certainty = if compared.is_significant { "" } else { ": it may be chance" };
    let (test, p_value) = (compared.test, compared.p_value);
    let chance = if p_value < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p_value:.3}") };
    let metric = experiment.metric.as_deref().unwrap_or("the value");
    format!("{metric} changed by {actual:+.1} %{expected} ({test}, {chance}){certainty}")
}
