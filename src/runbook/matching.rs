//! Which runbook is for which alert.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Serialize;

use super::{Pattern, Runbook};
use crate::clock::Timestamp;
use crate::record::Recorded;

/// What a runbook is wanted for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Subject {
    /// `alert`, `incident` or another kind.
    pub kind: Option<String>,
    /// Names of its alerts.
    pub alerts: Vec<String>,
    /// The metric it shows in.
    pub metric: Option<String>,
    /// Where.
    pub component: Option<String>,
}

/// A runbook that is for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Matched {
    /// Its name.
    pub name: String,
    /// In a few words.
    pub title: String,
    /// What to do.
    pub steps: Vec<String>,
    /// When somebody last looked at it.
    pub updated: NaiveDate,
    /// Has nobody looked at it for half a year?
    pub is_stale: bool,
    /// Where all of it is.
    pub show: String,
}

impl Matched {
    pub(super) fn of(runbook: &Runbook, now: Timestamp) -> Self {
        Self {
            name: runbook.name.clone(),
            title: runbook.title.clone(),
            steps: runbook.steps.clone(),
            updated: runbook.updated,
            is_stale: runbook.is_stale(now),
            show: format!("/v1/runbooks/{}", runbook.name),
        }
    }
}

impl Subject {
    /// What a receipt of an alert is about.
    pub fn of_alert(alert: &Recorded) -> Self {
        let text = |field: &str| alert.receipt.text(field).map(str::to_owned);
        Self {
            kind: Some("alert".to_owned()),
            alerts: text("name").into_iter().collect(),
            metric: text("metric"),
            component: alert.receipt.component().map(str::to_owned),
        }
    }
}

impl Pattern {
    /// How many of its lists match, when none that is not empty does not.
    pub(super) fn fit(&self, subject: &Subject) -> Option<usize> {
        let one = |name: &Option<String>| name.iter().cloned().collect::<Vec<_>>();
        let lists = [
            (&self.kinds, one(&subject.kind)),
            (&self.alerts, subject.alerts.clone()),
            (&self.metrics, one(&subject.metric)),
            (&self.components, one(&subject.component)),
        ];
        let given: Vec<_> = lists.iter().filter(|(patterns, _)| !patterns.is_empty()).collect();
        let fits = |(patterns, names): &&&(&Vec<String>, Vec<String>)| {
            patterns.iter().any(|pattern| names.iter().any(|name| is_like(name, pattern)))
        };
        (given.iter().filter(fits).count() == given.len()).then_some(given.len())
    }
}

/// Does `name` look like `pattern`, in which `*` stands for any characters? Takes time in the product of their lengths.
fn is_like(name: &str, pattern: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = name.strip_prefix(first) else { return false };
    let mut parts: Vec<&str> = parts.collect();
    let Some(last) = parts.pop() else { return rest.is_empty() };
    for part in parts {
        let Some(place) = rest.find(part) else { return false };
        rest = &rest[place + part.len()..];
    }
    rest.ends_with(last)
}

/// The alerts among `receipts`, which are in order of time, that fire and have not been resolved, latest first.
pub fn open_alerts(receipts: &[Recorded]) -> Vec<&Recorded> {
    let mut open: BTreeMap<(&str, &str, &str), &Recorded> = BTreeMap::new();
    for told in receipts.iter().filter(|told| told.receipt.kind() == "alert") {
        let text = |field: &str| told.receipt.text(field).unwrap_or_default();
        let name = (told.receipt.component().unwrap_or_default(), text("name"), text("fingerprint"));
        match text("status") {
            "firing" => drop(open.insert(name, told)),
            "resolved" => drop(open.remove(&name)),
            _ => {}
        }
    }
    let mut open: Vec<&Recorded> = open.into_values().collect();
    open.sort_by_key(|told| (std::cmp::Reverse(told.occurred_at()), told.id));
    open
}
