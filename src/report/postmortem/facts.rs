//! What the evidence itself tells of an incident: when, how long, what was hit, how it was noticed.

use std::collections::BTreeMap;

use crate::analyse::cause::Answer;
use crate::clock::Timestamp;
use crate::receipt::{ReceiptId, Value};
use crate::record::Recorded;
use crate::report::document::{Block, Inline, cited, line, receipt};
use crate::report::{figure, moment, span, title_of};

/// Receipts cited for one claim.
const CITED_MAX: usize = 10;

/// When things were noticed and done.
pub(super) struct Times {
    onset: Option<Timestamp>,
    is_onset_stated: bool,
    pub(super) detected: Timestamp,
    acknowledged: Option<Timestamp>,
    mitigated: Option<Timestamp>,
    resolved: Option<Timestamp>,
}

impl Times {
    /// `updates` are in order.
    pub(super) fn new(opened: &Recorded, updates: &[&Recorded], answer: &Answer) -> Self {
        let when = |status: &str| {
            let told = updates.iter().find(|update| update.receipt.text("status") == Some(status));
            told.map(|update| update.occurred_at())
        };
        let detected = opened.receipt.time("detectedAt").unwrap_or_else(|| opened.occurred_at());
        let stated = opened.receipt.time("onset");
        Self {
            onset: stated.or(answer.question.onset).filter(|onset| *onset <= detected),
            is_onset_stated: stated.is_some(),
            detected,
            acknowledged: when("acknowledged"),
            mitigated: when("mitigated"),
            resolved: when("resolved"),
        }
    }

    pub(super) fn table(&self) -> Block {
        let row = |name: &str, time: Option<Timestamp>, measure: &str, from: Option<Timestamp>| {
            let took = time.zip(from).map_or_else(|| "unknown".to_owned(), |(time, from)| span(time.since(from)));
            vec![
                line(name),
                line(time.map_or_else(|| "unknown".to_owned(), moment)),
                line(measure),
                line(if measure.is_empty() { String::new() } else { took }),
            ]
        };
        let onset = if self.is_onset_stated { "Onset" } else { "Onset (proposed)" };
        let rows = vec![
            row(onset, self.onset, "", None),
            row("Detected", Some(self.detected), "TTD", self.onset),
            row("Acknowledged", self.acknowledged, "TTA", Some(self.detected)),
            row("Mitigated", self.mitigated, "TTM", self.onset),
            row("Resolved", self.resolved, "TTR", self.onset),
        ];
        Block::Table { head: ["Moment", "Time (UTC)", "Measure", "Took"].map(str::to_owned).to_vec(), rows }
    }

    /// Did it happen while the incident lasted?
    fn during(&self, recorded: &Recorded) -> bool {
        let time = recorded.occurred_at();
        time >= self.onset.unwrap_or(self.detected) && self.resolved.is_none_or(|end| time <= end)
    }
}

/// How long, which components, which alerts.
pub(super) fn impact(times: &Times, evidence: &[&Recorded]) -> Vec<Vec<Inline>> {
    let lasted = match (times.onset, times.resolved) {
        (_, None) => "not over, or its end is not recorded".to_owned(),
        (None, Some(_)) => "unknown, for its onset is not known".to_owned(),
        (Some(onset), Some(end)) => span(end.since(onset)),
    };
    let mut failures: BTreeMap<&str, (f64, ReceiptId)> = BTreeMap::new();
    let mut alerts: BTreeMap<&str, (f64, ReceiptId)> = BTreeMap::new();
    for recorded in evidence.iter().filter(|recorded| times.during(recorded)) {
        let told = &recorded.receipt;
        let (found, name, count) = match (told.kind(), told.text("status")) {
            ("failure", _) => (&mut failures, told.component(), told.number("count").unwrap_or(1.0)),
            ("alert", Some("firing")) => (&mut alerts, told.text("name"), 1.0),
            _ => continue,
        };
        found.entry(name.unwrap_or("?")).or_insert((0.0, recorded.id)).0 += count;
    }
    vec![
        line(format!("Lasted: {lasted}")),
        counted("Components that failed", &failures),
        counted("Alerts that fired", &alerts),
    ]
}

/// Names with how often, and the first receipt of each.
fn counted(what: &str, found: &BTreeMap<&str, (f64, ReceiptId)>) -> Vec<Inline> {
    if found.is_empty() {
        return line(format!("{what}: none recorded"));
    }
    let names: Vec<String> = found.iter().map(|(name, (count, _))| format!("{name} (×{})", figure(*count))).collect();
    let first: Vec<ReceiptId> = found.values().map(|(_, id)| *id).take(CITED_MAX).collect();
    cited(format!("{what}: {}", names.join(", ")), &first)
}

/// The first sign against the moment somebody knew.
pub(super) fn detection(opened: &Recorded, times: &Times, evidence: &[&Recorded]) -> Vec<Vec<Inline>> {
    let first = evidence.iter().find(|recorded| {
        let is_after = times.onset.is_none_or(|onset| recorded.occurred_at() >= onset);
        is_after && recorded.occurred_at() <= times.detected && is_anomalous(recorded)
    });
    let onset = match times.onset {
        Some(onset) if times.is_onset_stated => format!("Onset, as stated: {}", moment(onset)),
        Some(onset) => format!("Onset, proposed from the first anomalous evidence: {}", moment(onset)),
        None => "Onset: unknown".to_owned(),
    };
    let sign = first.map_or_else(
        || line("First sign: nothing anomalous is recorded before the detection"),
        |first| {
            let told =
                format!("First sign: {} {} ", first.receipt.component().unwrap_or("?"), title_of(&first.receipt));
            vec![Inline::Text(told), receipt(first.id)]
        },
    );
    let alerts: Vec<ReceiptId> = opened
        .receipt
        .fields()
        .filter(|(name, _)| *name == "alerts")
        .flat_map(|(_, values)| values)
        .filter_map(|value| if let Value::Receipt(id) = value { Some(*id) } else { None })
        .take(CITED_MAX)
        .collect();
    let by = if alerts.is_empty() { "" } else { ", by alerts" };
    let took = times.onset.map_or_else(|| "unknown".to_owned(), |onset| span(times.detected.since(onset)));
    vec![
        line(onset),
        sign,
        cited(format!("Detected: {}{by}", moment(times.detected)), &alerts),
        line(format!("Time to detect (TTD): {took}")),
    ]
}

/// Evidence that something was not as it should be.
fn is_anomalous(recorded: &Recorded) -> bool {
    let told = &recorded.receipt;
    let is = |field: &str, values: &[&str]| told.text(field).is_some_and(|value| values.contains(&value));
    match told.kind() {
        "crossing" => told.text("status").is_none(),
        "failure" | "rejection" | "burst" => true,
        "alert" => is("status", &["firing", "escalated"]),
        "circuit" => is("state", &["open", "half_open"]),
        "health" => is("state", &["degraded", "unhealthy"]),
        "signal" => is("colour", &["yellow", "red"]),
        "slo" => matches!(told.first("met"), Some(Value::Boolean(false))),
        _ => false,
    }
}
