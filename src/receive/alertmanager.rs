//! Alertmanager's webhook: one `alert` receipt per alert and step of its life.
//!
//! Alertmanager sends a whole group again when one member changes, and all of it again after every `repeat_interval`. An
//! episode of an alert is its labels and its start; its firing and its end are one fact each, however often they come.

pub(super) mod api;
pub(super) mod events;

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json};
use sha2::{Digest, Sha256};

use super::body::{self, filled};
use super::{COMPONENT_UNKNOWN, ComponentMapping, Draft, Item, RECEIPTS_MAX, Received, Receiver};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::receipt::{Receipt, Value};
use crate::validate::Violation;
use crate::vocab::Vocabulary;

/// The webhook receiver of Alertmanager.
pub(super) const RECEIVER: Receiver = Receiver {
    name: SOURCE,
    paths: &["/hooks/alertmanager"],
    read: |delivery, given| alertmanager(delivery.body, given.received_at, given.mapping, given.vocabulary),
    ..Receiver::PLAIN
};

const RULE: &str = "alertmanager";
const SOURCE: &str = "alertmanager";
const NAME_UNKNOWN: &str = "unnamed alert";
/// Annotations that tell the alert in a sentence, best first.
const SUMMARIES: [&str; 3] = ["summary", "description", "message"];
const PRINCIPLES: [&str; 6] = ["jidoka", "kanban", "andon", "kaizen", "heijunka", "tracing"];
/// How Go writes a time that is not set.
const UNSET: &str = "0001-01-01T00:00:00";

/// Reads a webhook notification, of version 4 or any like it.
///
/// An alert is firing or resolved by its own status; without one, by its end and the status of the group. It occurred when
/// it began or ended, or at `received_at` when it does not say. Labels stay labels, annotations become labels that begin
/// with `annotation.`.
///
/// # Errors
/// `Invalid` when the body is no JSON object with an array `alerts`.
pub fn alertmanager(
    body: &[u8],
    received_at: Timestamp,
    mapping: &ComponentMapping,
    _vocabulary: &Vocabulary,
) -> Result<Received> {
    let dialect = Dialect { source: SOURCE, name: "Alertmanager", more: &|_, _| () };
    notification(&body::object(body)?, dialect, received_at, mapping)
}

/// A sender of notifications in Alertmanager's form.
#[derive(Clone, Copy)]
pub(super) struct Dialect<'a> {
    pub(super) source: &'static str,
    /// What people call it.
    pub(super) name: &'static str,
    /// Adds what only this sender tells of an alert.
    pub(super) more: &'a dyn Fn(&Map<String, Json>, &mut Draft),
}

/// Reads a notification of any sender that writes them as Alertmanager does.
pub(super) fn notification(
    notification: &Map<String, Json>,
    dialect: Dialect<'_>,
    received_at: Timestamp,
    mapping: &ComponentMapping,
) -> Result<Received> {
    let alerts = match notification.get("alerts") {
        Some(Json::Array(alerts)) => alerts,
        Some(other) => {
            return Err(Error::invalid(format!("alerts is {}, not an array", body::type_of(other)))
                .hint(format!("send {}'s own webhook payload, without a template around it", dialect.name)));
        }
        None => {
            return Err(Error::invalid(format!("the body has no alerts, so it is no {} notification", dialect.name))
                .hint(format!("send {}'s own webhook payload, with an array \"alerts\"", dialect.name)));
        }
    };
    if alerts.len() > RECEIPTS_MAX {
        return Err(body::too_many_receipts());
    }
    let group_resolved =
        filled(notification.get("status")).is_some_and(|status| status.eq_ignore_ascii_case("resolved"));
    let items = alerts.iter().enumerate().map(|(place, json)| {
        let read = Alert::read(json, received_at, group_resolved).map(|alert| {
            let mut draft = alert.draft(dialect.source, received_at, mapping);
            json.as_object().into_iter().for_each(|json| (dialect.more)(json, &mut draft));
            draft
        });
        read.map_or_else(|violation| Item::Refused(vec![at_place(violation, place)]), Item::Receipt)
    });
    Ok(Received {
        items: items.collect(),
        missing: notification.get("truncatedAlerts").and_then(|count| truncated(dialect.name, count)),
        ..Received::default()
    })
}

fn truncated(sender: &str, count: &Json) -> Option<String> {
    let count = count.as_u64().or_else(|| count.as_str()?.parse().ok()).filter(|count| *count > 0)?;
    Some(format!("{sender} left out {count} more alerts of the group; raise max_alerts of the webhook receiver"))
}

fn at_place(mut violation: Violation, place: usize) -> Violation {
    violation.field = violation.field.map(|field| format!("alerts[{place}]{field}"));
    violation
}

/// One alert, read and understood.
struct Alert<'a> {
    labels: BTreeMap<&'a str, String>,
    annotations: BTreeMap<&'a str, String>,
    status: String,
    starts_at: Option<Timestamp>,
    ends_at: Option<Timestamp>,
    fingerprint: String,
    url: Option<&'a str>,
}

impl<'a> Alert<'a> {
    fn read(json: &'a Json, received_at: Timestamp, group_resolved: bool) -> Result<Self, Violation> {
        let Json::Object(alert) = json else {
            return Err(fault("", json, "an alert is a JSON object", "send {\"status\": …, \"labels\": {…}, …}"));
        };
        let labels = texts(alert, "labels")?.ok_or_else(|| {
            body::violation(
                RULE,
                ".labels",
                None,
                "an alert needs labels".into(),
                "add \"labels\" with at least \"alertname\"",
            )
        })?;
        let annotations = texts(alert, "annotations")?.unwrap_or_default();
        let (starts_at, ends_at) = (time(alert, "startsAt")?, time(alert, "endsAt")?);
        let status = match alert.get("status") {
            Some(Json::String(status)) if !status.is_empty() => status.to_ascii_lowercase(),
            None | Some(Json::Null | Json::String(_)) => {
                let resolved = ends_at.map_or(group_resolved, |end| end <= received_at);
                if resolved { "resolved" } else { "firing" }.to_owned()
            }
            Some(other) => return Err(fault(".status", other, "status must be a text", "send firing or resolved")),
        };
        let fingerprint =
            filled(alert.get("fingerprint")).map_or_else(|| format!("{:016x}", fingerprint(&labels)), str::to_owned);
        Ok(Self {
            labels,
            annotations,
            status,
            starts_at,
            ends_at,
            fingerprint,
            url: filled(alert.get("generatorURL")),
        })
    }

    fn draft(&self, source: &str, received_at: Timestamp, mapping: &ComponentMapping) -> Draft {
        let is_resolved = self.status == "resolved";
        let occurred_at = if is_resolved { self.ends_at } else { self.starts_at }.unwrap_or(received_at);
        let component = mapping.component(|name| self.label(name));
        let severity_label = self.label("severity");
        let severity = severity_label.and_then(severity);
        let summary = SUMMARIES.into_iter().find(|name| self.annotations.contains_key(name));

        let mut receipt = Receipt::new("alert", occurred_at, component.as_deref().unwrap_or(COMPONENT_UNKNOWN))
            .with("name", Value::text(self.label("alertname").unwrap_or(NAME_UNKNOWN)))
            .with("status", Value::text(self.status.as_str()))
            .with("fingerprint", Value::text(self.fingerprint.as_str()))
            .with("source", Value::text(source))
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
        Draft::new(receipt).with_key(self.key(source, is_resolved))
    }

    fn label(&self, name: &str) -> Option<&str> {
        self.labels.get(name).map(String::as_str)
    }

    /// What an annotation or else a label says of a field.
    fn told(&self, name: &str) -> Option<&str> {
        self.annotations.get(name).map(String::as_str).or_else(|| self.label(name))
    }

    /// The step of the episode. Some senders give alerts with other labels the same fingerprint, so both count. Without a
    /// time no episode can be told from the next, and losing one is worse than recording one twice: no key then.
    fn key(&self, source: &str, is_resolved: bool) -> Option<String> {
        let end = self.ends_at.filter(|_| is_resolved);
        self.starts_at.or(end)?;
        let time = |at: Option<Timestamp>| at.map(|at| at.to_string()).unwrap_or_default();
        let (labels, start, end) = (self.hash_of_labels(), time(self.starts_at), time(end));
        Some(format!("{source}:{}:{labels}:{}:{start}:{end}", self.fingerprint, self.status))
    }

    fn hash_of_labels(&self) -> String {
        let mut hash = Sha256::new();
        for text in self.labels.iter().flat_map(|(name, value)| [*name, value]) {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hex::encode(&hash.finalize()[..16])
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
