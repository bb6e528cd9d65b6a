//! Runbooks for what is open now.

use chrono::TimeDelta;
use serde::Serialize;

use super::workflow::alerts_of;
use super::{Engine, Incident};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::receipt::ReceiptId;
use crate::record::Window;
use crate::runbook::{Book, Matched, Subject, open_alerts};

/// An alert that fired longer ago, and was never resolved, is forgotten.
const FIRED_WITHIN: TimeDelta = TimeDelta::days(30);
const RECEIPTS_MAX: usize = 100_000;
/// Open alerts of one answer.
const ALERTS_MAX: usize = 1_000;

/// An open alert with what to do about it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpenAlert {
    /// Its firing.
    pub receipt: ReceiptId,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub component: String,
    /// Since when.
    pub since: Timestamp,
    /// What to do, the narrowest pattern first; none when nobody wrote it down.
    pub runbooks: Vec<Matched>,
}

impl Engine {
    /// The runbooks.
    pub fn runbooks(&self) -> &Book {
        &self.runbooks
    }

    /// The alerts that are open at `at`, latest first, each with its runbooks.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn open_alerts(&self, at: Timestamp) -> Result<Vec<OpenAlert>> {
        let window = Window { from: ago(at, FIRED_WITHIN), to: at.just_after() };
        let (receipts, _) = self.index.of_kinds(&["alert"], window, RECEIPTS_MAX)?;
        let open = open_alerts(&receipts).into_iter().take(ALERTS_MAX).map(|alert| OpenAlert {
            receipt: alert.id,
            name: alert.receipt.text("name").unwrap_or_default().to_owned(),
            component: alert.receipt.component().unwrap_or_default().to_owned(),
            since: alert.occurred_at(),
            runbooks: self.runbooks.matching(&Subject::of_alert(alert), at),
        });
        Ok(open.collect())
    }

    /// The runbooks for an incident, by its metric, component and alerts.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn runbooks_of(&self, incident: &Incident, at: Timestamp) -> Result<Vec<Matched>> {
        let mut subject = Subject {
            kind: Some("incident".to_owned()),
            metric: incident.opened.receipt.text("metric").map(str::to_owned),
            component: incident.opened.receipt.component().map(str::to_owned),
            alerts: Vec::new(),
        };
        for alert in alerts_of(incident) {
            let Some(alert) = self.index.get(alert)? else { continue };
            subject.alerts.extend(alert.receipt.text("name").map(str::to_owned));
            if subject.metric.is_none() {
                subject.metric = alert.receipt.text("metric").map(str::to_owned);
            }
        }
        Ok(self.runbooks.matching(&subject, at))
    }
}
