//! What happens when nobody answers an alert, or a critical andon.

use std::collections::BTreeSet;

use chrono::TimeDelta;

use super::{Engine, SELF};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::query::Row;
use crate::receipt::{Receipt, ReceiptId, Value};
use crate::record::{Recorded, Window};
use crate::report::one_line;

/// What began longer ago is history.
const BEGAN_WITHIN: TimeDelta = TimeDelta::hours(24);
/// Of each, looked at in one round.
const WAITING_MAX: usize = 1_000;
/// Of each, escalated in one round.
const ESCALATED_MAX: usize = 100;
const RECEIPTS_MAX: usize = 100_000;
/// Severity of an andon that is escalated.
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
        let alerts = Waiting {
            what: fired,
            after: escalation.after(),
            escalation: escalation_of,
            kinds: &["alert", "remediation", "incident"],
            is_answered: answers,
            same: &["name", "fingerprint"],
        };
        self.escalate(alerts, now)
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
            is_long && row.text("severity") == Some(CRITICAL)
        };
        let andons = Waiting {
            what: rows.iter().filter(is_due).filter_map(|row| row.receipt("event")).collect(),
            after,
            escalation: escalation_of_andon,
            kinds: &["andon"],
            is_answered: is_escalation_of,
            same: &["reference"],
        };
        self.escalate(andons, now)
    }

    fn escalate(&self, waiting: Waiting, now: Timestamp) -> Result<usize> {
        let Waiting { what, after, escalation, kinds, is_answered, same } = waiting;
        let mut waiting = Vec::new();
        for began in what.into_iter().take(WAITING_MAX) {
            let began = self.receipt(began)?;
            let Some(told) = escalation(&began, after) else { continue };
            if self.index.get(told.id(&self.vocabulary))?.is_none() {
                waiting.push((began, told));
            }
        }
        let Some((first, _)) = waiting.first() else { return Ok(0) };
        let window = Window { from: first.occurred_at(), to: now.just_after() };
        let (since, _) = self.index.of_kinds(kinds, window, RECEIPTS_MAX)?;
        waiting.retain(|(began, _)| !since.iter().any(|told| is_answered(told, began)));
        // Of what begins again and again, the first speaks for all.
        let mut named = BTreeSet::new();
        waiting.retain(|(began, _)| {
            let texts: Vec<_> = same.iter().map(|field| began.receipt.text(field).map(str::to_owned)).collect();
            named.insert((began.receipt.component().map(str::to_owned), texts))
        });
        waiting.truncate(ESCALATED_MAX);
        for (_, told) in &waiting {
            self.record_own(told.clone())?;
        }
        Ok(waiting.len())
    }
}

/// What may have to be escalated.
struct Waiting {
    /// What began, oldest first.
    what: Vec<ReceiptId>,
    /// How long it may go unanswered.
    after: TimeDelta,
    /// What is recorded of it when nobody answered; nothing of what calls for no answer.
    escalation: fn(&Recorded, TimeDelta) -> Option<Receipt>,
    /// Kinds of receipts that may be an answer.
    kinds: &'static [&'static str],
    /// Is a receipt one?
    is_answered: fn(&Recorded, &Recorded) -> bool,
    /// Fields that are the same where it is the same that began again.
    same: &'static [&'static str],
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
    if pulled.severity() != Some(CRITICAL) {
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
