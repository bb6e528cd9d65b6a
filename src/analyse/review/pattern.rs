//! What goes wrong again and again.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde::Serialize;

use crate::receipt::ReceiptId;

/// Patterns that a team can do something about in a week.
const PATTERNS_MAX: usize = 5;
/// Receipts cited for one pattern.
const CITED_MAX: usize = 10;
/// An incident weighs as much as so many recurrences.
const INCIDENT_WEIGHT: usize = 5;
const CHANGE_WEIGHT: usize = 3;

/// Something that goes wrong again and again, or did so badly enough.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Pattern {
    /// How it was found.
    pub origin: Origin,
    /// A few words.
    pub title: String,
    /// One sentence with its numbers.
    pub statement: String,
    /// Where.
    pub component: String,
    /// How often: incidents, days, or changes followed by trouble.
    pub occurrences: usize,
    /// What helped last time.
    pub last_fix: Option<String>,
    /// The receipts it rests on, at most ten.
    pub receipts: Vec<ReceiptId>,
    /// A path that shows them again.
    pub show: String,
}

/// How a pattern was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The same cause of incidents.
    Incidents,
    /// Trouble soon after changes.
    AfterChanges,
    /// Failures and alerts that come again on other days.
    Recurring,
}

/// What an incident is blamed on.
#[derive(Debug, Clone, PartialEq)]
pub struct Blamed {
    /// Its name.
    pub incident: String,
    /// Where the cause lies.
    pub component: String,
    /// What it is: the root cause in the words of people, or what naze found.
    pub cause: String,
    /// Did people say so?
    pub is_told: bool,
    /// What ended the incident.
    pub fix: Option<String>,
    /// The receipts that say so.
    pub receipts: Vec<ReceiptId>,
    /// Path of the answer.
    pub show: String,
}

impl Pattern {
    pub(super) fn cited(mut receipts: Vec<ReceiptId>) -> Vec<ReceiptId> {
        receipts.sort_unstable();
        receipts.dedup();
        receipts.truncate(CITED_MAX);
        receipts
    }

    fn weight(&self) -> usize {
        self.occurrences
            * match self.origin {
                Origin::Incidents => INCIDENT_WEIGHT,
                Origin::AfterChanges => CHANGE_WEIGHT,
                Origin::Recurring => 1,
            }
    }
}

/// Incidents with the same component to blame, one pattern each.
pub fn of_incidents(blamed: &[Blamed]) -> Vec<Pattern> {
    let mut by_component: BTreeMap<&str, Vec<&Blamed>> = BTreeMap::new();
    for blame in blamed {
        by_component.entry(&blame.component).or_default().push(blame);
    }
    let patterns = by_component.into_iter().map(|(component, blamed)| {
        let names: Vec<&str> = blamed.iter().map(|blame| blame.incident.as_str()).collect();
        let told = blamed.iter().filter(|blame| blame.is_told).count();
        let causes: Vec<&str> = blamed.iter().map(|blame| blame.cause.as_str()).collect();
        Pattern {
            origin: Origin::Incidents,
            title: format!("{component} broke {}", if names.len() == 1 { "something" } else { "things repeatedly" }),
            statement: format!(
                "{} ({told} confirmed by people): {}; last: {}",
                incidents(names.len()),
                names.join(", "),
                causes[causes.len() - 1]
            ),
            component: component.to_owned(),
            occurrences: blamed.len(),
            last_fix: blamed.iter().rev().find_map(|blame| blame.fix.clone()),
            receipts: Pattern::cited(blamed.iter().flat_map(|blame| blame.receipts.clone()).collect()),
            show: blamed[blamed.len() - 1].show.clone(),
        }
    });
    patterns.collect()
}

fn incidents(count: usize) -> String {
    if count == 1 { "1 incident".to_owned() } else { format!("{count} incidents") }
}

/// The weightiest patterns, at most five.
pub fn strongest(mut patterns: Vec<Pattern>) -> Vec<Pattern> {
    patterns.sort_by(|a, b| {
        (Reverse(a.weight()), a.origin, &a.component, &a.title).cmp(&(
            Reverse(b.weight()),
            b.origin,
            &b.component,
            &b.title,
        ))
    });
    patterns.truncate(PATTERNS_MAX);
    patterns
}
