//! The clock of an incident.

use chrono::TimeDelta;
use serde_json::Value as Json;

use super::{Engine, Incident};
use crate::analyse::workflow::{Told, Workflow, workflow};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::receipt::{ReceiptId, Value};
use crate::record::Window;

/// Kinds that tell what was done about an incident.
const KINDS: [&str; 5] = ["alert", "remediation", "deployment", "scaling", "improvement"];
/// How far around the detection those are looked for.
const BEFORE: TimeDelta = TimeDelta::hours(1);
const AFTER: TimeDelta = TimeDelta::days(7);
const RECEIPTS_MAX: usize = 100_000;
/// Changes and dependencies that are told.
const ROWS_MAX: usize = 20;

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
}

/// The receipts of an incident's alerts.
pub(super) fn alerts_of(incident: &Incident) -> Vec<ReceiptId> {
    let receipts = std::iter::once(&incident.opened).chain(&incident.updates);
    let alerts = receipts.flat_map(|told| told.receipt.fields()).filter(|(name, _)| *name == "alerts");
    let ids = alerts.flat_map(|(_, values)| values);
    ids.filter_map(|value| if let Value::Receipt(id) = value { Some(*id) } else { None }).collect()
}
