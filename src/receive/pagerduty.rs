//! PagerDuty: the Events API, for whoever sends there now, and its webhooks, for what people did about it.

use http::StatusCode;
use serde_json::{Value as Json, json};

use super::members::Members;
use super::{COMPONENT_UNKNOWN, Delivery, Draft, Follows, Given, Item, Received, Receiver, Reply, body, signature};
use crate::error::{Error, Kind, Result};
use crate::receipt::{Receipt, Value};

/// Events API v2: naze in PagerDuty's place, or beside it.
pub(super) const EVENTS: Receiver = Receiver {
    name: "pagerduty_events",
    paths: &["/v2/enqueue", CHANGE_PATH],
    read: |delivery, given| match delivery.path {
        CHANGE_PATH => change(delivery, given),
        _ => event(delivery, given),
    },
    token_in_body: Some(|body| {
        let event: Json = serde_json::from_slice(body).ok()?;
        body::filled(event.get("routing_key")).map(str::to_owned)
    }),
    reply: Some(reply),
    ..Receiver::PLAIN
};

/// Webhooks v3.
pub(super) const WEBHOOK: Receiver = Receiver {
    name: "pagerduty",
    paths: &["/hooks/pagerduty"],
    read: webhook,
    verify: Some(|secret, delivery| {
        signature::verify("pagerduty", SIGNATURE, "v1=", secret, delivery.body, delivery.header(SIGNATURE))
    }),
    ..Receiver::PLAIN
};

const CHANGE_PATH: &str = "/v2/change/enqueue";
const SIGNATURE: &str = "X-PagerDuty-Signature";
const SOURCE: &str = "pagerduty";

/// An alert's step. Only a trigger says what it is about; the others name it by its `dedup_key`.
fn event(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = Json::Object(body::object(delivery.body)?);
    let event = Members::of("PagerDuty event", &document);
    let action = event.need("/event_action")?;
    let status = match action {
        "trigger" => "firing",
        "acknowledge" => "acknowledged",
        "resolve" => "resolved",
        other => {
            return Err(Error::invalid(format!("event_action \"{}\" is not known", body::clip(other)))
                .hint("known are trigger, acknowledge and resolve"));
        }
    };
    if status == "firing" {
        for member in ["/payload/summary", "/payload/source", "/payload/severity"] {
            event.need(member)?;
        }
    } else {
        event.need("/dedup_key")?;
    }
    let at = event.time("/payload/timestamp", given.received_at)?;
    let mut receipt = Receipt::new("alert", at, &component(event, given).unwrap_or(COMPONENT_UNKNOWN.to_owned()))
        .with("name", Value::text(event.first(&["/payload/class", "/payload/summary"]).unwrap_or("event")))
        .with("status", Value::text(status))
        .with("source", Value::text(SOURCE))
        .with_text("fingerprint", event.text("/dedup_key"))
        .with_text("severity", event.text("/payload/severity").map(severity))
        .with_text("summary", event.text("/payload/summary"))
        .with_text("instance", event.text("/payload/source"))
        .with_text("url", event.first(&["/client_url", "/links/0/href"]));
    for (label, pointer) in [("client", "/client"), ("group", "/payload/group"), ("class", "/payload/class")] {
        if let Some(text) = event.text(pointer) {
            receipt.label(label, text);
        }
    }
    details(event, &mut receipt);
    let follows = event.text("/dedup_key").filter(|_| status != "firing").map(Follows::fingerprint);
    // Without a time of its own, a second trigger cannot be told from the same one sent again.
    let key = event
        .text("/dedup_key")
        .zip(event.text("/payload/timestamp"))
        .map(|(dedup, time)| format!("pagerduty_events:{action}:{time}:{dedup}"));
    Ok(Received::of(vec![Item::Receipt(Draft::new(receipt).with_key(key).following(follows))]))
}

/// Something was built, deployed or switched.
fn change(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = Json::Object(body::object(delivery.body)?);
    let event = Members::of("PagerDuty change event", &document);
    let summary = event.need("/payload/summary")?;
    let at = event.time("/payload/timestamp", given.received_at)?;
    let source = event.text("/payload/source");
    let component = component(event, given).or(source.map(str::to_owned));
    let mut receipt = Receipt::new("change", at, &component.unwrap_or(COMPONENT_UNKNOWN.to_owned()))
        .with("changeType", Value::text("other"))
        .with("key", Value::text(source.unwrap_or(summary)))
        .with("summary", Value::text(summary))
        .with("source", Value::text(SOURCE))
        .with_text("url", event.text("/links/0/href"));
    details(event, &mut receipt);
    let key = event.text("/payload/timestamp").map(|time| format!("pagerduty_events:change:{time}:{summary}"));
    Ok(Received::of(vec![Item::Receipt(Draft::new(receipt).with_key(key))]))
}

fn component(event: Members<'_>, given: &Given<'_>) -> Option<String> {
    let detail = |name: &str| body::filled(event.at("/payload/custom_details")?.get(name));
    let named = event.text("/payload/component").map(str::to_owned);
    named.or_else(|| given.mapping.component(detail)).or_else(|| event.text("/payload/source").map(str::to_owned))
}

fn details(event: Members<'_>, receipt: &mut Receipt) {
    for (name, value) in event.at("/payload/custom_details").and_then(Json::as_object).into_iter().flatten() {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        receipt.label(name, &text);
    }
}

fn severity(given: &str) -> &'static str {
    match given {
        "critical" | "error" => "critical",
        "warning" => "warning",
        _ => "info",
    }
}

/// What clients of the Events API look for.
fn reply(delivery: &Delivery<'_>, told: std::result::Result<&super::Tally, &Error>) -> Option<Reply> {
    let (status, answer) = match told {
        Ok(tally) if tally.refused.is_empty() => {
            let document: Option<Json> = serde_json::from_slice(delivery.body).ok();
            let key = document.as_ref().and_then(|event| body::filled(event.get("dedup_key")));
            let mut answer = json!({"status": "success", "message": "Event processed"});
            if let Some(key) = key {
                answer["dedup_key"] = key.into();
            }
            (StatusCode::ACCEPTED, answer)
        }
        Ok(tally) => (StatusCode::BAD_REQUEST, invalid(&tally.refused)),
        Err(error) if error.kind() == Kind::Invalid => (StatusCode::BAD_REQUEST, invalid(&[error.to_string()])),
        Err(_) => return None,
    };
    let headers = vec![("content-type", "application/json".to_owned())];
    Some(Reply { status, headers, body: answer.to_string().into_bytes() })
}

fn invalid(errors: &[String]) -> Json {
    json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors})
}

/// What happened to an incident, or was said about it.
fn webhook(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = Json::Object(body::object(delivery.body)?);
    let event = Members::of("PagerDuty webhook", &document);
    let event_type = event.need("/event/event_type")?;
    let at = event.time("/event/occurred_at", given.received_at)?;
    let receipt = match event.text("/event/data/type") {
        Some("incident") => incident(event, event_type, at)?,
        Some("incident_note") => note(event, at, event.need("/event/data/content")?),
        Some("incident_status_update") => note(event, at, event.need("/event/data/message")?),
        _ => return Ok(Received::nothing()),
    };
    let follows = event.text("/event/data/incident/id").map(|id| Follows::reference(&reference(id)));
    let key = event.text("/event/id").map(|id| format!("pagerduty:{id}"));
    Ok(Received::of(vec![Item::Receipt(Draft::new(receipt).with_key(key).following(follows))]))
}

fn incident(event: Members<'_>, event_type: &str, at: crate::clock::Timestamp) -> Result<Receipt> {
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
    for (label, pointer) in [("priority", "/event/data/priority/summary"), ("urgency", "/event/data/urgency")] {
        if let Some(text) = event.text(pointer) {
            receipt.label(label, text);
        }
    }
    Ok(receipt)
}

fn note(event: Members<'_>, at: crate::clock::Timestamp, message: &str) -> Receipt {
    let mut receipt = Receipt::new("note", at, COMPONENT_UNKNOWN)
        .with("message", Value::text(message))
        .with("source", Value::text(SOURCE))
        .with_text("actor", event.text("/event/agent/summary"))
        .with_text("url", event.text("/event/data/incident/html_url"));
    for (label, pointer) in [("incident", "/event/data/incident/id"), ("title", "/event/data/incident/summary")] {
        if let Some(text) = event.text(pointer) {
            receipt.label(label, text);
        }
    }
    receipt
}

fn reference(id: &str) -> String {
    format!("pagerduty-{id}")
}
