//! The clock of an incident, and what happens when nobody answers an alert.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::Value as Json;

use super::{Engine, Incident, SELF};
use crate::analyse::workflow::{Told, Workflow, workflow};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::receipt::{Receipt, ReceiptId, Value};
use crate::record::{Recorded, Window};

/// Kinds that tell what was done about an incident.
const KINDS: [&str; 5] = ["alert", "remediation", "deployment", "scaling", "improvement"];
/// How far around the detection those are looked for.
const BEFORE: TimeDelta = TimeDelta::hours(1);
const AFTER: TimeDelta = TimeDelta::days(7);
const RECEIPTS_MAX: usize = 100_000;
/// Changes and dependencies that are told.
const ROWS_MAX: usize = 20;
/// Alerts that fired longer ago are history.
const FIRED_WITHIN: TimeDelta = TimeDelta::hours(24);
/// Alerts looked at in one round.
const WAITING_MAX: usize = 1_000;
/// Alerts escalated in one round.
const ESCALATED_MAX: usize = 100;

impl Engine {
    /// How the work on an incident stands at `at`.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn workflow(&self, incident: &Incident, at: Timestamp) -> Result<Workflow> {
        let detected_at = incident.detected_at();
        let end = detected_at.checked_add(AFTER).unwrap_or(detected_at).min(at);
        let window = Window { from: ago(detected_at, BEFORE), to: end.just_after() };
        let (mut nearby, _) = self.index.of_kinds(&KINDS, window, RECEIPTS_MAX)?;
        let component = incident.opened.receipt.component();
        nearby.retain(|told| told.receipt.component() == component);
        nearby.extend(self.index.with("incidentReceipt", &Value::Receipt(incident.opened.id))?);
        nearby.sort_by_key(|told| (told.occurred_at(), told.id));
        let onset = incident.opened.receipt.time("onset").unwrap_or(detected_at);
        let (changes, show_changes) = self.told("changes_before", &[("at", onset.to_string())])?;
        let about = [("at", detected_at.to_string()), ("component", component.unwrap_or_default().to_owned())];
        let (dependencies, show_dependencies) = self.told("dependency_status", &about)?;
        let told = Told {
            opened: &incident.opened,
            updates: &incident.updates,
            nearby: &nearby,
            detected_at,
            escalate_after: self.config.escalation.after(),
        };
        Ok(workflow(&told, at, changes, dependencies, vec![show_changes, show_dependencies]))
    }

    /// Rows of a canned query, and the path that shows them.
    fn told(&self, query: &str, given: &[(&str, String)]) -> Result<(Vec<Json>, String)> {
        let pairs = form_urlencoded::Serializer::new(String::new()).extend_pairs(given).finish();
        let limit = ("limit", ROWS_MAX.to_string());
        let rows = self.query(query, given.iter().cloned().chain([limit]))?.rows;
        Ok((rows.to_json(&self.vocabulary), format!("/v1/queries/{query}?{pairs}")))
    }

    /// Escalates alerts that nobody answered in time, and tells how many. An alert is escalated once.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn escalate_alerts(&self, now: Timestamp) -> Result<usize> {
        let escalation = &self.config.escalation;
        if !escalation.enabled {
            return Ok(0);
        }
        let given = [
            ("at", ago(now, escalation.after()).to_string()),
            ("lookback", format!("{}s", FIRED_WITHIN.num_seconds())),
            ("limit", self.config.limits.rows_max.to_string()),
        ];
        // Asked as of when the time to answer began: an answer since then is looked for below.
        let fired = self.query("unanswered_alerts", given)?.rows.receipts("event");
        let mut waiting = Vec::new();
        for firing in fired.into_iter().take(WAITING_MAX) {
            let firing = self.receipt(firing)?;
            let Some(told) = escalation_of(&firing, escalation.after()) else { continue };
            if self.index.get(told.id(&self.vocabulary))?.is_none() {
                waiting.push((firing, told));
            }
        }
        let Some((first, _)) = waiting.first() else { return Ok(0) };
        let window = Window { from: first.occurred_at(), to: now.just_after() };
        let (since, _) = self.index.of_kinds(&["alert", "remediation", "incident"], window, RECEIPTS_MAX)?;
        waiting.retain(|(firing, _)| !since.iter().any(|told| answers(told, firing)));
        // Of an alert that fires again and again, the first firing speaks for all.
        let mut named = BTreeSet::new();
        waiting.retain(|(firing, _)| {
            let text = |field: &str| firing.receipt.text(field).map(str::to_owned);
            named.insert((firing.receipt.component().map(str::to_owned), text("name"), text("fingerprint")))
        });
        waiting.truncate(ESCALATED_MAX);
        for (_, told) in &waiting {
            self.record_own(told.clone())?;
        }
        Ok(waiting.len())
    }
}

/// Did somebody do something about an alert since it fired? Who takes up the incident has heard its alert; who answers one
/// instance of an alert has not heard the others.
fn answers(told: &Recorded, firing: &Recorded) -> bool {
    let (at, told, fired) = (told.occurred_at(), &told.receipt, &firing.receipt);
    let is = |field: &str, values: &[&str]| told.text(field).is_some_and(|value| values.contains(&value));
    at >= firing.occurred_at()
        && told.component() == fired.component()
        && match told.kind() {
            "alert" => {
                let [told_of, fired_of] = [told, fired].map(|alert| alert.text("fingerprint"));
                told.text("name") == fired.text("name")
                    && told_of.zip(fired_of).is_none_or(|(told, fired)| told == fired)
                    && is("status", &["acknowledged", "resolved", "escalated", "suppressed"])
            }
            "remediation" => told.text("alertName") == fired.text("name"),
            _ => is("status", &["acknowledged", "mitigated", "resolved"]),
        }
}

/// What is recorded of an alert that nobody answered; nothing of one that calls for no answer. The same alert gives the
/// same receipt.
fn escalation_of(firing: &Recorded, after: TimeDelta) -> Option<Receipt> {
    let fired = &firing.receipt;
    if fired.text("severity") == Some("info") {
        return None;
    }
    let (name, component) = (fired.text("name")?, fired.component()?);
    let at = firing.occurred_at().checked_add(after)?;
    let summary = format!("nobody answered {name} within {} min", after.num_minutes());
    let mut told = Receipt::new("alert", at, component)
        .with("name", Value::text(name))
        .with("status", Value::text("escalated"))
        .with("summary", Value::text(summary))
        .with("source", Value::text(SELF))
        .with("causedBy", Value::Receipt(firing.id));
    for field in ["severity", "fingerprint", "metric", "value", "threshold", "environment", "instance"] {
        if let Some(value) = fired.first(field) {
            told.set(field, value.clone());
        }
    }
    Some(told)
}

/// The receipts of an incident's alerts.
pub(super) fn alerts_of(incident: &Incident) -> Vec<ReceiptId> {
    let receipts = std::iter::once(&incident.opened).chain(&incident.updates);
    let alerts = receipts.flat_map(|told| told.receipt.fields()).filter(|(name, _)| *name == "alerts");
    let ids = alerts.flat_map(|(_, values)| values);
    ids.filter_map(|value| if let Value::Receipt(id) = value { Some(*id) } else { None }).collect()
}
