//! Healthy, degraded or unhealthy, with the reason: what receipts and series say of one component, and the worst of all.

use chrono::TimeDelta;
use serde::Serialize;

use super::Colour;
use crate::clock::Timestamp;

/// How something is; the worst is greatest. What is unknown says nothing about the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Nothing tells.
    Unknown,
    /// Something tells of it, and nothing speaks against it.
    Healthy,
    /// It works, with something to look at.
    Degraded,
    /// It does not do what it should.
    Unhealthy,
}

impl State {
    /// The state of this name, as receipts of kind `health` have it.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name {
            "healthy" => Self::Healthy,
            "degraded" => Self::Degraded,
            "unhealthy" => Self::Unhealthy,
            _ => return None,
        })
    }

    /// What a colour says of health.
    pub fn of_colour(colour: Colour) -> Self {
        match colour {
            Colour::Grey => Self::Unknown,
            Colour::Green => Self::Healthy,
            Colour::Yellow | Colour::Orange => Self::Degraded,
            Colour::Red => Self::Unhealthy,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// A state that is more than a word.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// How it is.
    pub state: State,
    /// Why, the worst first; nothing when healthy.
    pub reason: Option<String>,
    /// Since when it has been so, if that is known.
    pub since: Option<Timestamp>,
}

/// Something that speaks against being healthy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// How bad it is.
    pub state: State,
    /// In a few words.
    pub what: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

impl Finding {
    /// A finding.
    pub fn new(state: State, what: impl Into<String>, since: Option<Timestamp>) -> Self {
        Self { state, what: what.into(), since }
    }
}

/// Findings that a reason names.
const NAMED_MAX: usize = 3;

impl Condition {
    /// Nothing is known, and this is why.
    pub fn unknown(reason: impl Into<String>) -> Self {
        Self { state: State::Unknown, reason: Some(reason.into()), since: None }
    }

    /// The worst of the findings, healthy without any.
    pub fn of(mut findings: Vec<Finding>) -> Self {
        findings.sort_by(|a, b| b.state.cmp(&a.state).then_with(|| a.since.cmp(&b.since)));
        let state = findings.first().map_or(State::Healthy, |worst| worst.state);
        let since = findings.iter().filter(|finding| finding.state == state).filter_map(|finding| finding.since).min();
        let mut named: Vec<String> = findings.iter().take(NAMED_MAX).map(|finding| finding.what.clone()).collect();
        if findings.len() > NAMED_MAX {
            named.push(format!("{} more", findings.len() - NAMED_MAX));
        }
        Self { state, reason: (!named.is_empty()).then(|| named.join("; ")), since }
    }
}

/// The worst of several; unknown only when all are.
pub fn worst(states: impl IntoIterator<Item = State>) -> State {
    states.into_iter().max().unwrap_or(State::Unknown)
}

/// State of a circuit breaker.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Circuit {
    /// Requests pass.
    Closed,
    /// Requests are refused.
    Open,
    /// Some requests pass, to see whether they succeed.
    HalfOpen,
}

/// An alert that fires, or an incident that is not resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Its name.
    pub name: String,
    /// Is it the most severe kind?
    pub is_critical: bool,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// What was last told of a component's health.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// How it said it was.
    pub state: State,
    /// Since when it has said so.
    pub since: Timestamp,
    /// Why, in its words.
    pub reason: Option<String>,
}

/// Everything that says how a component is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Signs {
    /// State of its circuit, and since when it has not been closed.
    pub circuit: Option<(Circuit, Option<Timestamp>)>,
    /// What it said of itself.
    pub report: Option<Report>,
    /// Alerts that fire for it.
    pub alerts: Vec<Alarm>,
    /// Incidents that show in it.
    pub incidents: Vec<Alarm>,
    /// Its failures of the last minute.
    pub failures_per_minute: f64,
    /// When it last sent a sample, if that was not long ago.
    pub last_sample_at: Option<Timestamp>,
}

/// After this time without a sample, whoever sent them has stopped.
const SILENT_AFTER: TimeDelta = TimeDelta::minutes(5);

impl Signs {
    /// How the component is at a moment.
    pub fn condition(&self, at: Timestamp) -> Condition {
        let mut findings = self.findings();
        let silence = self.last_sample_at.map(|last| at.since(last)).filter(|silence| *silence > SILENT_AFTER);
        findings.extend(silence.map(|silence| {
            let what = format!("it sent no sample for {} min", silence.num_minutes());
            Finding::new(State::Degraded, what, self.last_sample_at)
        }));
        let is_told = self.circuit.is_some() || self.report.is_some() || self.last_sample_at.is_some();
        if findings.is_empty() && !is_told {
            return Condition::unknown("nothing told lately how it is");
        }
        Condition::of(findings)
    }

    fn findings(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        match self.circuit {
            Some((Circuit::Open, since)) => {
                findings.push(Finding::new(State::Unhealthy, "its circuit is open", since));
            }
            Some((Circuit::HalfOpen, since)) => {
                findings.push(Finding::new(State::Degraded, "its circuit is half open", since));
            }
            Some((Circuit::Closed, _)) | None => {}
        }
        let report = self.report.as_ref().filter(|report| report.state > State::Healthy);
        findings.extend(report.map(|report| {
            let why = report.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            Finding::new(report.state, format!("it reports {}{why}", report.state.name()), Some(report.since))
        }));
        for (what, alarms) in [("alert", &self.alerts), ("incident", &self.incidents)] {
            findings.extend(alarms.iter().map(|alarm| {
                let state = if alarm.is_critical { State::Unhealthy } else { State::Degraded };
                Finding::new(state, format!("{what} {}", alarm.name), alarm.since)
            }));
        }
        if self.failures_per_minute > 0.0 {
            let what = format!("{} failures in the last minute", self.failures_per_minute);
            findings.push(Finding::new(State::Degraded, what, None));
        }
        findings
    }
}
