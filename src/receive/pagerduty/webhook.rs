//! Webhooks v3: what happened to an incident, or was said about it.

use serde_json::Value as Json;

use super::SOURCE;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::receipt::{Receipt, Value};
use crate::receive::members::Members;
use crate::receive::{COMPONENT_UNKNOWN, Delivery, Draft, Follows, Given, Item, Received, Receiver, body, signature};

/// A subscription to PagerDuty's webhooks.
pub(in crate::receive) const RECEIVER: Receiver = Receiver {
    name: "pagerduty",
    paths: &["/hooks/pagerduty"],
    read,
    verify: Some(|secret, delivery| {
        signature::verify("pagerduty", SIGNATURE, "v1=", secret, delivery.body, delivery.header(SIGNATURE))
    }),
    ..Receiver::PLAIN
};

const SIGNATURE: &str = "X-PagerDuty-Signature";

/// Steps of an incident are incident receipts; anything else about one, also what PagerDuty has yet to invent, is a note.
fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = Json::Object(body::object(delivery.body)?);
    let event = Members::of("PagerDuty webhook", &document);
    let event_type = event.need("/event/event_type")?;
    let at = event.time("/event/occurred_at", given.received_at)?;
    let data_type = event.text("/event/data/type").unwrap_or_default();
    if event_type == "pagey.ping" || event_type.starts_with("service.") {
        return Ok(Received::nothing());
    }
    let receipt = match data_type {
        "incident" => incident(event, event_type, at)?,
        "incident_note" => note(event, event_type, at, event.need("/event/data/content")?),
        "incident_status_update" => note(event, event_type, at, event.need("/event/data/message")?),
        _ => note(event, event_type, at, &said(event, event_type)),
    };
    let follows = event.text("/event/data/incident/id").map(|id| Follows::reference(&reference(id)));
    let key = event.text("/event/id").map(|id| format!("pagerduty:{id}"));
    Ok(Received::of(vec![Item::Receipt(Draft::new(receipt).with_key(key).following(follows))]))
}

fn incident(event: Members<'_>, event_type: &str, at: Timestamp) -> Result<Receipt> {
    let status = match event.need("/event/data/status")? {
        "acknowledged" => "acknowledged",
        "resolved" => "resolved",
        _ => "open",
    };
    let urgency = event.text("/event/data/urgency");
    let component = event.text("/event/data/service/summary").unwrap_or(COMPONENT_UNKNOWN);
    let mut receipt = Receipt::new("incident", at, component)
        .with("reference", Value::text(reference(event.need("/event/data/id")?)))
        .with("status", Value::text(status))
        .with("severity", Value::text(if urgency == Some("low") { "warning" } else { "critical" }))
        .with("source", Value::text(SOURCE))
        .with_text("summary", event.text("/event/data/title"))
        .with_text("actor", event.text("/event/agent/summary"))
        .with_text("url", event.text("/event/data/html_url"));
    receipt.label("event_type", event_type);
    for (label, pointer) in [
        ("priority", "/event/data/priority/summary"),
        ("urgency", "/event/data/urgency"),
        ("incident_key", "/event/data/incident_key"),
    ] {
        if let Some(text) = event.text(pointer) {
            receipt.label(label, text);
        }
    }
    let assignees = event.at("/event/data/assignees").and_then(Json::as_array).into_iter().flatten();
    let assignees: Vec<&str> = assignees.filter_map(|one| body::filled(one.get("summary"))).collect();
    if !assignees.is_empty() {
        receipt.label("assignees", &assignees.join(", "));
    }
    Ok(receipt)
}

fn note(event: Members<'_>, event_type: &str, at: Timestamp, message: &str) -> Receipt {
    let component = event.text("/event/data/service/summary").unwrap_or(COMPONENT_UNKNOWN);
    let mut receipt = Receipt::new("note", at, component)
        .with("message", Value::text(message))
        .with("source", Value::text(SOURCE))
        .with_text("reference", event.text("/event/data/incident/id").map(reference).as_deref())
        .with_text("actor", event.text("/event/agent/summary"))
        .with_text("url", event.first(&["/event/data/incident/html_url", "/event/data/html_url"]));
    receipt.label("event_type", event_type);
    if let Some(title) = event.text("/event/data/incident/summary") {
        receipt.label("title", title);
    }
    receipt
}

/// An event in words: its type, whom or what it is about, and what was said with it.
fn said(event: Members<'_>, event_type: &str) -> String {
    let about = event.first(&["/event/data/user/summary", "/event/data/summary", "/event/data/name"]);
    let message = event.first(&["/event/data/message", "/event/data/state"]);
    let parts = [Some(event_type), about, message].into_iter().flatten();
    parts.collect::<Vec<_>>().join(": ")
}

fn reference(id: &str) -> String {
    format!("pagerduty-{id}")
}
