//! Incidents: opened by people or by critical alerts, and found again by their reference.

use chrono::TimeDelta;

use super::{Engine, SELF};
use crate::analyse::cause::Question;
use crate::clock::{Timestamp, ago};
use crate::error::{Error, Result};
use crate::receipt::{Receipt, ReceiptId, Value};
use crate::record::writer::Accepted;
use crate::record::{Recorded, Window};

/// Incidents of one answer.
pub(super) const INCIDENTS_MAX: usize = 1_000;
/// How much of what came before and after belongs to an incident's story.
const BEFORE: TimeDelta = TimeDelta::hours(2);
const AFTER: TimeDelta = TimeDelta::hours(2);
/// Longest story.
const STORY_MAX: TimeDelta = TimeDelta::days(7);
/// An alert of this severity opens an incident.
const SEVERITY: &str = "critical";

/// An incident: the receipt that opened it and those that told of it later, in order of time.
#[derive(Debug, Clone)]
pub struct Incident {
    /// Its name, as in `reference`.
    pub reference: String,
    /// The receipt that opened it.
    pub opened: Recorded,
    /// Later receipts with the same reference.
    pub updates: Vec<Recorded>,
}

impl Incident {
    /// All its receipts, in order of time.
    pub fn receipts(&self) -> impl Iterator<Item = &Recorded> {
        [&self.opened].into_iter().chain(&self.updates)
    }

    /// When it was told of last.
    pub fn told_at(&self) -> Timestamp {
        self.updates.last().unwrap_or(&self.opened).occurred_at()
    }

    /// The latest text of a field, in the updates or where it was opened.
    pub fn latest(&self, field: &str) -> Option<&str> {
        let newest_first = self.updates.iter().rev().chain([&self.opened]);
        newest_first.into_iter().find_map(|recorded| recorded.receipt.text(field))
    }

    /// What the incident asks: as of its detection, or of the last word about it.
    pub fn question(&self) -> Question {
        let opened = &self.opened.receipt;
        let last = self.updates.last().map(Recorded::occurred_at);
        let detected = self.detected_at();
        Question {
            component: opened.component().unwrap_or_default().to_owned(),
            metric: opened.text("metric").map(str::to_owned),
            summary: opened.text("summary").map(str::to_owned),
            onset: opened.time("onset"),
            at: last.map_or(detected, |last| last.max(detected)),
            incident: Some(self.opened.id),
        }
    }

    /// When it was noticed.
    pub fn detected_at(&self) -> Timestamp {
        self.opened.receipt.time("detectedAt").unwrap_or_else(|| self.opened.occurred_at())
    }

    /// The time of its story: from some time before the first sign to some time after the last word, but not beyond the
    /// present, nor the first week. The story of an incident that nobody closed is how it began.
    pub fn story(&self, now: Timestamp) -> Window {
        let opened = &self.opened.receipt;
        let signs = [opened.time("onset"), opened.time("detectedAt"), opened.occurred_at()];
        let ended = self.told_at();
        let from = ago(signs.into_iter().flatten().min().unwrap_or(ended), BEFORE);
        let ends = [ended.checked_add(AFTER), Some(now.max(ended).just_after()), from.checked_add(STORY_MAX)];
        Window { from, to: ends.into_iter().flatten().min().unwrap_or(ended) }
    }
}

/// Does the receipt open an incident, or end the one it opened?
pub(super) fn is_critical_alert(receipt: &Receipt) -> bool {
    receipt.kind() == "alert" && receipt.text("severity") == Some(SEVERITY)
}

impl Engine {
    /// A critical alert that fires for a component without an open incident opens one; when it resolves, the incident it
    /// opened is resolved with it.
    pub(super) fn follow_alert(&self, alert: &Accepted) -> Result<()> {
        let (Some(component), Some(at)) = (alert.receipt.component(), alert.receipt.occurred_at()) else {
            return Ok(());
        };
        match alert.receipt.text("status") {
            Some("firing") => self.open_incident(alert, component, at),
            Some("resolved") => self.resolve_incidents(alert, component, at),
            _ => Ok(()),
        }
    }

    fn open_incident(&self, alert: &Accepted, component: &str, at: Timestamp) -> Result<()> {
        // An incident opened by a human a moment later is the same trouble.
        let until = at.checked_add(TimeDelta::days(1)).unwrap_or(at);
        if !self.open_references(component, until)?.is_empty() {
            return Ok(());
        }
        let name = alert.receipt.text("name").unwrap_or("alert");
        let summary = alert.receipt.text("summary").unwrap_or(name);
        let incident = Receipt::new("incident", at, component)
            .with("reference", Value::text(format!("inc-{}", &alert.id.to_string()[..8])))
            .with("status", Value::text("open"))
            .with("severity", Value::text(SEVERITY))
            .with("summary", Value::text(summary))
            .with("detectedAt", Value::Time(at))
            .with("alerts", Value::Receipt(alert.id))
            .with("causedBy", Value::Receipt(alert.id))
            .with("source", Value::text(SELF))
            .with_text("metric", alert.receipt.text("metric"));
        self.record_own(incident).map(drop)
    }

    /// Only what naze opened, and nobody has taken up, ends with its alert.
    fn resolve_incidents(&self, alert: &Accepted, component: &str, at: Timestamp) -> Result<()> {
        for reference in self.open_references(component, at)? {
            let incident = self.incident(&reference)?;
            let opened = &incident.opened.receipt;
            let is_ours = opened.text("source") == Some(SELF) && incident.updates.is_empty();
            let Some(Value::Receipt(cause)) = opened.first("alerts").filter(|_| is_ours) else { continue };
            if self.receipt(*cause)?.receipt.text("name") != alert.receipt.text("name") {
                continue;
            }
            let update = Receipt::new("incident", at, component)
                .with("reference", Value::text(reference))
                .with("status", Value::text("resolved"))
                .with("severity", Value::text(SEVERITY))
                .with("summary", Value::text("its alert resolved"))
                .with("alerts", Value::Receipt(alert.id))
                .with("source", Value::text(SELF));
            self.record_own(update)?;
        }
        Ok(())
    }

    /// References of the component's incidents that are open at `at`.
    fn open_references(&self, component: &str, at: Timestamp) -> Result<Vec<String>> {
        let given = [("at", at.to_string()), ("component", component.to_owned())];
        let rows = self.query("open_incidents", given)?.rows;
        Ok(rows.texts("reference"))
    }

    /// The incident with this reference, or whose receipt has this id.
    pub fn incident(&self, name: &str) -> Result<Incident> {
        let reference = match name.parse::<ReceiptId>() {
            Ok(id) => self.index.get(id)?.and_then(|recorded| recorded.receipt.text("reference").map(str::to_owned)),
            Err(_) => Some(name.to_owned()),
        };
        let unknown =
            || Error::not_found(format!("there is no incident \"{name}\"")).hint("GET /v1/incidents lists them");
        let reference = reference.ok_or_else(unknown)?;
        self.incident_of(reference)?.ok_or_else(unknown)
    }

    pub(super) fn incident_of(&self, reference: String) -> Result<Option<Incident>> {
        let receipts = self.index.with("reference", &Value::text(&reference))?;
        let mut receipts = receipts.into_iter().filter(|recorded| recorded.receipt.kind() == "incident");
        let Some(opened) = receipts.next() else { return Ok(None) };
        Ok(Some(Incident { reference, opened, updates: receipts.collect() }))
    }

    /// The incidents that were told of last before a moment or on its day, by when they were opened, newest first; and
    /// whether there are more.
    pub fn incidents_before(&self, end: Timestamp) -> Result<(Vec<Incident>, bool)> {
        let (references, truncated) = self.index.newest_texts("incident", "reference", end, INCIDENTS_MAX)?;
        let mut incidents = Vec::new();
        for reference in references {
            incidents.extend(self.incident_of(reference)?);
        }
        newest_first(&mut incidents);
        Ok((incidents, truncated))
    }
}

/// By when they were opened.
pub(super) fn newest_first(incidents: &mut [Incident]) {
    incidents.sort_by(|a, b| {
        b.opened.occurred_at().cmp(&a.opened.occurred_at()).then_with(|| a.reference.cmp(&b.reference))
    });
}
