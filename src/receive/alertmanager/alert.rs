//! One alert as Alertmanager and Prometheus tell it, whatever the envelope it comes in.
//!
//! All of them name an episode of an alert the same way: its labels and its start. So its firing and its end are one fact
//! each, whichever way they come.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use crate::clock::Timestamp;
use crate::receipt::{Receipt, Value};
use crate::receive::body::{self, filled};
use crate::receive::{COMPONENT_UNKNOWN, Cause, ComponentMapping, Draft, Follows};
use crate::validate::Violation;

pub(super) const RULE: &str = "alertmanager";
/// The family of Alertmanager itself.
pub(in crate::receive) const FAMILY: &str = "alertmanager";
const NAME_UNKNOWN: &str = "unnamed alert";
/// Annotations that tell the alert in a sentence, best first.
const SUMMARIES: [&str; 3] = ["summary", "description", "message"];
const PRINCIPLES: [&str; 6] = ["jidoka", "kanban", "andon", "kaizen", "heijunka", "tracing"];
/// How Go writes a time that is not set.
const UNSET: &str = "0001-01-01T00:00:00";

/// How the alerts of a document are read.
#[derive(Debug, Clone, Copy)]
pub(in crate::receive) struct Reading<'a> {
    pub(in crate::receive) source: &'static str,
    /// Senders that tell of the same alerts: theirs have the same keys.
    pub(in crate::receive) family: &'static str,
    pub(in crate::receive) received_at: Timestamp,
    pub(in crate::receive) mapping: &'a ComponentMapping,
    pub(in crate::receive) status: Status,
}

/// What says whether an alert fires.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::receive) enum Status {
    /// Its own `status`; without one, its end and the status of the group.
    Told { group_resolved: bool },
    /// Its end alone, which for a firing alert is a guess in the future.
    ByEnd,
    /// It fires, or its sender would not name it; its end is a guess.
    Firing,
}

/// Why Alertmanager tells nobody of an alert.
pub(in crate::receive) enum Muted {
    /// By the silence of this name.
    Silenced(String),
    /// By the alerts with these fingerprints.
    Inhibited(Vec<String>),
}

/// One alert, read and understood.
pub(in crate::receive) struct Alert<'a> {
    labels: BTreeMap<&'a str, String>,
    annotations: BTreeMap<&'a str, String>,
    pub(in crate::receive) status: String,
    pub(in crate::receive) starts_at: Option<Timestamp>,
    pub(in crate::receive) ends_at: Option<Timestamp>,
    fingerprint: String,
    url: Option<&'a str>,
}

impl<'a> Alert<'a> {
    pub(in crate::receive) fn read(json: &'a Json, reading: &Reading<'_>) -> Result<Self, Violation> {
        let Json::Object(alert) = json else {
            return Err(fault("", json, "an alert is a JSON object", "send {\"status\": …, \"labels\": {…}, …}"));
        };
        let labels = texts(alert, "labels")?.ok_or_else(no_labels)?;
        let annotations = texts(alert, "annotations")?.unwrap_or_default();
        let starts_at = time(alert, "startsAt")?;
        let ends_at = time(alert, "endsAt")?.filter(|_| reading.status != Status::Firing);
        let fingerprint =
            filled(alert.get("fingerprint")).map_or_else(|| format!("{:016x}", fingerprint(&labels)), str::to_owned);
        Ok(Self {
            labels,
            annotations,
            status: status(alert, ends_at, reading)?,
            starts_at,
            ends_at,
            fingerprint,
            url: filled(alert.get("generatorURL")),
        })
    }

    pub(in crate::receive) fn draft(&self, reading: &Reading<'_>) -> Draft {
        let is_resolved = self.is_resolved();
        let occurred_at = if is_resolved { self.ends_at } else { self.starts_at }.unwrap_or(reading.received_at);
        let component = reading.mapping.component(|name| self.label(name));
        let severity_label = self.label("severity");
        let severity = severity_label.and_then(severity);
        let summary = SUMMARIES.into_iter().find(|name| self.annotations.contains_key(name));

        let mut receipt = Receipt::new("alert", occurred_at, component.as_deref().unwrap_or(COMPONENT_UNKNOWN))
            .with("name", Value::text(self.label("alertname").unwrap_or(NAME_UNKNOWN)))
            .with("status", Value::text(self.status.as_str()))
            .with("fingerprint", Value::text(self.fingerprint.as_str()))
            .with("source", Value::text(reading.source))
            .with_text("severity", severity)
            .with_text("summary", summary.and_then(|name| self.annotations.get(name)).map(String::as_str))
            .with_text("url", self.url)
            .with_text("instance", self.label("instance"))
            .with_text("environment", self.label("environment").or_else(|| self.label("env")))
            .with_text("principle", self.label("principle").filter(|name| PRINCIPLES.contains(name)))
            .with_text("metric", self.told("metric"));
        for (field, at) in [("startsAt", self.starts_at), ("endsAt", self.ends_at)] {
            if let Some(at) = at {
                receipt.push(field, Value::Time(at));
            }
        }
        for field in ["value", "threshold"] {
            if let Some(number) = self.told(field).and_then(number) {
                receipt.push(field, Value::Number(number));
            }
        }
        for (name, text) in &self.labels {
            // A severity in other words than ours says more than the field does.
            if *name != "alertname" && !(*name == "severity" && severity == Some(text)) {
                receipt.label(name, text);
            }
        }
        for (name, text) in self.annotations.iter().filter(|(name, _)| Some(**name) != summary) {
            receipt.label(&format!("annotation.{name}"), text);
        }
        Draft::new(receipt).with_key(self.key(reading))
    }

    /// The receipt of its suppression. Alertmanager tells that again each time it looks: one fact an hour while it lasts.
    pub(in crate::receive) fn muted(mut self, by: &Muted, summary: &str, reading: &Reading<'_>) -> Draft {
        "suppressed".clone_into(&mut self.status);
        let (field, names, told) = match by {
            Muted::Silenced(silence) => ("silencedBy", std::slice::from_ref(silence), format!("silence:{silence}")),
            Muted::Inhibited(alerts) => ("inhibitedBy", alerts.as_slice(), format!("inhibited:{}", alerts.join(","))),
        };
        let mut receipt = self.draft(reading).receipt;
        receipt.set("occurredAt", Value::Time(reading.received_at));
        receipt.set("summary", Value::text(summary));
        names.iter().for_each(|name| receipt.push(field, Value::text(name.as_str())));
        let hour = reading.received_at.utc().format("%Y-%m-%dT%H");
        let key = format!("{}:suppressed:{told}:{hour}", self.identity(reading));
        let draft = Draft::new(receipt).with_key(Some(key));
        match by {
            Muted::Inhibited(alerts) if !alerts.is_empty() => {
                draft.caused_by(Cause::Latest(Follows::fingerprint(&alerts[0])))
            }
            _ => draft,
        }
    }

    pub(in crate::receive) fn is_resolved(&self) -> bool {
        self.status == "resolved"
    }

    pub(in crate::receive) fn has_labels(&self) -> bool {
        !self.labels.is_empty()
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    /// What an annotation or else a label says of a field.
    fn told(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).map(String::as_str).or_else(|| self.label(name))
    }

    /// The step of the episode. Without a time no episode can be told from the next, and losing one is worse than
    /// recording one twice: no key then.
    fn key(&self, reading: &Reading<'_>) -> Option<String> {
        let end = self.ends_at.filter(|_| self.is_resolved());
        self.starts_at.or(end)?;
        Some(key(&self.identity(reading), &self.status, self.starts_at, end))
    }

    /// What tells the alert from others, in all its episodes. Some senders give alerts with other labels the same
    /// fingerprint, so both count.
    pub(in crate::receive) fn identity(&self, reading: &Reading<'_>) -> String {
        let mut hash = Sha256::new();
        for text in self.labels.iter().flat_map(|(name, value)| [*name, value]) {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        format!("{}:{}:{}", reading.family, self.fingerprint, hex::encode(&hash.finalize()[..16]))
    }
}

/// The key of a step in the life of an alert.
pub(in crate::receive) fn key(
    identity: &str,
    status: &str,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
) -> String {
    let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
    format!("{identity}:{status}:{}:{}", time(starts_at), time(ends_at))
}

pub(in crate::receive) fn no_labels() -> Violation {
    body::violation(RULE, ".labels", None, "an alert needs labels".into(), "add \"labels\" with at least \"alertname\"")
}

fn status(alert: &Map<String, Json>, ends_at: Option<Timestamp>, reading: &Reading<'_>) -> Result<String, Violation> {
    let is_over = ends_at.map(|end| end <= reading.received_at);
    let named = |is_resolved: bool| if is_resolved { "resolved" } else { "firing" }.to_owned();
    let group_resolved = match reading.status {
        Status::Told { group_resolved } => group_resolved,
        Status::ByEnd => return Ok(named(is_over == Some(true))),
        Status::Firing => return Ok(named(false)),
    };
    match alert.get("status") {
        Some(Json::String(status)) if !status.is_empty() => Ok(status.to_ascii_lowercase()),
        None | Some(Json::Null | Json::String(_)) => Ok(named(is_over.unwrap_or(group_resolved))),
        Some(other) => Err(fault(".status", other, "status must be a text", "send firing or resolved")),
    }
}

/// Label texts; an empty label is the same as none, as in Prometheus.
fn texts<'a>(alert: &'a Map<String, Json>, member: &str) -> Result<Option<BTreeMap<&'a str, String>>, Violation> {
    let members = match alert.get(member) {
        None | Some(Json::Null) => return Ok(None),
        Some(Json::Object(members)) => members,
        Some(other) => {
            return Err(fault(
                &format!(".{member}"),
                other,
                &format!("{member} must be an object"),
                "send an object of texts",
            ));
        }
    };
    let mut texts = BTreeMap::new();
    for (name, value) in members {
        let text = match value {
            Json::String(text) => text.clone(),
            Json::Number(number) => number.to_string(),
            Json::Bool(truth) => truth.to_string(),
            Json::Null => continue,
            other => {
                let field = format!(".{member}.{name}");
                return Err(fault(&field, other, &format!("{member}.{name} must be a text"), "send it as a string"));
            }
        };
        if !text.is_empty() {
            texts.insert(name.as_str(), text);
        }
    }
    Ok(Some(texts))
}

fn time(alert: &Map<String, Json>, member: &str) -> Result<Option<Timestamp>, Violation> {
    let wrong = |json: &Json| {
        let message = format!("{member} must be a time");
        fault(&format!(".{member}"), json, &message, "send RFC 3339 with a zone, such as 2026-01-26T18:40:00Z")
    };
    match alert.get(member) {
        None | Some(Json::Null) => Ok(None),
        Some(Json::String(text)) if text.is_empty() || text.starts_with(UNSET) => Ok(None),
        Some(json @ Json::String(text)) => body::time(text).map(Some).ok_or_else(|| wrong(json)),
        Some(other) => Err(wrong(other)),
    }
}

fn fault(field: &str, value: &Json, message: &str, fix: &str) -> Violation {
    let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    body::violation(RULE, field, Some(&value), format!("{message}, got {}", body::clip(&value)), fix)
}

/// What rules in the wild call their severities.
fn severity(label: &str) -> Option<&'static str> {
    Some(match label.to_ascii_lowercase().as_str() {
        "critical" | "crit" | "page" | "error" | "fatal" | "severe" | "emergency" | "disaster" => "critical",
        "warning" | "warn" | "high" | "major" | "medium" | "moderate" | "minor" => "warning",
        "info" | "information" | "informational" | "notice" | "low" | "none" | "debug" => "info",
        _ => return None,
    })
}

fn number(text: &str) -> Option<f64> {
    text.trim().parse::<f64>().ok().filter(|number| number.is_finite())
}

/// Alertmanager's own: 64-bit FNV-1a over the labels by name, with 0xFF after each name and value.
fn fingerprint(labels: &BTreeMap<&str, String>) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let texts = labels.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    texts
        .flat_map(|text| text.iter().copied().chain([0xff]))
        .fold(OFFSET, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(PRIME))
}
