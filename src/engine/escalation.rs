//! What happens when nobody answers an alert, or a critical andon.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{Engine, SELF};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::query::Row;
use crate::receipt::{Receipt, Value};
use crate::record::{Recorded, Window};
use crate::report::one_line;

/// What began longer ago is history.
const BEGAN_WITHIN: TimeDelta = TimeDelta::hours(24);
/// Of each, looked at in one round.
const WAITING_MAX: usize = 1_000;
/// Of each, escalated in one round.
const ESCALATED_MAX: usize = 100;
const RECEIPTS_MAX: usize = 100_000;
/// Level or severity of an andon that is escalated.
const CRITICAL: &str = "critical";
/// So much of a cause is said again.
const SUMMARY_CHARACTERS_MAX: usize = 500;

impl Engine {
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
            ("lookback", format!("{}s", BEGAN_WITHIN.num_seconds())),
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

    /// Escalates critical andons that nobody resolved in time, and tells how many. An andon is escalated once.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn escalate_andons(&self, now: Timestamp) -> Result<usize> {
        let escalation = &self.config.escalation;
        if !escalation.enabled {
            return Ok(0);
        }
        let after = escalation.andon_after();
        let given = [
            ("at", now.just_after().to_string()),
            ("minAge", format!("{}s", after.num_seconds())),
            ("lookback", format!("{}s", (BEGAN_WITHIN + after).num_seconds())),
            ("limit", self.config.limits.rows_max.to_string()),
        ];
        let rows = self.query("open_andons", given)?.rows;
        let is_due = |row: &Row<'_>| {
            let is_long = row.time("opened").is_some_and(|opened| now.since(opened) > after);
            is_long && row.text("level").is_none_or(|level| level == CRITICAL)
        };
        let open = rows.iter().filter(is_due);
        let mut waiting = Vec::new();
        for opened in open.filter_map(|row| row.receipt("event")).take(WAITING_MAX) {
            let opened = self.receipt(opened)?;
            let Some(told) = escalation_of_andon(&opened, after) else { continue };
            if self.index.get(told.id(&self.vocabulary))?.is_none() {
                waiting.push((opened, told));
            }
        }
        let Some((first, _)) = waiting.first() else { return Ok(0) };
        let window = Window { from: first.occurred_at(), to: now.just_after() };
        let (since, _) = self.index.of_kinds(&["andon"], window, RECEIPTS_MAX)?;
        waiting.retain(|(opened, _)| !since.iter().any(|told| is_escalation_of(told, opened)));
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

/// Did somebody escalate this pull?
fn is_escalation_of(told: &Recorded, opened: &Recorded) -> bool {
    told.receipt.text("status") == Some("escalated")
        && told.occurred_at() >= opened.occurred_at()
        && told.receipt.component() == opened.receipt.component()
        && told.receipt.text("reference") == opened.receipt.text("reference")
}

/// What is recorded of an andon that nobody resolved; nothing of one that is not critical. The same andon gives the same
/// receipt.
fn escalation_of_andon(opened: &Recorded, after: TimeDelta) -> Option<Receipt> {
    let (pulled, component) = (&opened.receipt, opened.receipt.component()?);
    if pulled.text("level").or(pulled.text("severity")) != Some(CRITICAL) {
        return None;
    }
    let cause = pulled.text("cause").map(|cause| format!(": {}", one_line(cause))).unwrap_or_default();
    let summary = format!("nobody resolved the andon of {component} within {} min{cause}", after.num_minutes());
    let mut told = Receipt::new("andon", opened.occurred_at().checked_add(after)?, component)
        .with("status", Value::text("escalated"))
        .with("summary", Value::text(summary.chars().take(SUMMARY_CHARACTERS_MAX).collect::<String>()))
        .with("source", Value::text(SELF))
        .with("causedBy", Value::Receipt(opened.id));
    for field in ["level", "severity", "reference", "cause", "sku", "stageName", "environment", "instance"] {
        if let Some(value) = pulled.first(field) {
            told.set(field, value.clone());
        }
    }
    Some(told)
}
