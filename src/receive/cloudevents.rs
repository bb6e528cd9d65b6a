//! CloudEvents 1.0 (and 0.3) over HTTP, in binary, structured and batched mode, and the CDEvents in them.
//!
//! An event is a receipt when it is a CDEvent that changes, breaks or mends something, when its type is
//! `dev.naze.<kind>`, or when its data is native JSON of a known kind, whatever its type. All others are understood and
//! ignored. Events without an envelope's media type, and CDEvents without an envelope, are read as plain JSON too.

mod cdevent;
mod event;

use http::StatusCode;
use serde_json::{Map, Value as Json};

use self::event::Event;
use super::{Cause, Delivery, Draft, EVENT_LABEL, Given, Item, RECEIPTS_MAX, Received, Receiver, Reply, Tally, body};
use crate::error::{Error, Kind, Result};
use crate::receipt::{Receipt, Value, read_json};
use crate::validate::Violation;

/// Events of any source that speaks CloudEvents, and bare CDEvents.
pub(super) const RECEIVER: Receiver = Receiver {
    name: SOURCE,
    paths: &["/events"],
    read,
    reply: Some(unsupported),
    handshake: Some(handshake),
    ..Receiver::PLAIN
};

const SOURCE: &str = "cloudevents";
/// Events of this type carry a receipt of naze's own as data.
const OWN_TYPE: &str = "dev.naze.";
/// Events of this type carry a `CDEvent` as data.
const CDEVENT_TYPE: &str = "dev.cdevents.";

/// Where the event is: in the headers around the body, or in the body.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Binary,
    Structured,
    Batched,
    /// JSON that does not say that it is a `CloudEvent`, as some tools post it.
    Plain,
    /// A format that naze does not read, such as Avro.
    Foreign,
}

fn mode(delivery: &Delivery<'_>) -> Mode {
    let media_type = delivery.media_type().to_ascii_lowercase();
    let format = media_type.rsplit_once('+').map(|(_, format)| format);
    if let Some(rest) = media_type.strip_prefix("application/cloudevents") {
        return match (rest.starts_with("-batch"), format) {
            (_, Some(format)) if format != "json" => Mode::Foreign,
            (true, _) => Mode::Batched,
            (false, _) => Mode::Structured,
        };
    }
    if ["ce-specversion", "ce-id", "ce-source", "ce-type"].iter().any(|name| delivery.headers.contains_key(*name)) {
        return Mode::Binary;
    }
    let is_json = matches!(media_type.as_str(), "" | "application/json" | "text/json") || format == Some("json");
    if is_json { Mode::Plain } else { Mode::Foreign }
}

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let mut received = Received::default();
    for event in events(delivery)? {
        match event.and_then(|event| item(&event, given)) {
            Ok(Some(item)) => received.items.push(item),
            Ok(None) => received.ignored += 1,
            Err(violation) => received.items.push(Item::Refused(vec![violation])),
        }
    }
    Ok(received)
}

fn events(delivery: &Delivery<'_>) -> Result<Vec<std::result::Result<Event, Violation>>> {
    let mode = mode(delivery);
    match mode {
        Mode::Binary => return Ok(vec![Event::binary(delivery)]),
        Mode::Foreign => {
            return Err(Error::invalid(format!("{} is not read here", body::clip(delivery.media_type())))
                .hint("send application/cloudevents+json, application/cloudevents-batch+json, or ce- headers"));
        }
        Mode::Structured | Mode::Batched | Mode::Plain => {}
    }
    match serde_json::from_str(body::text(delivery.body)?).map_err(|error| body::not_json(&error))? {
        Json::Array(events) if events.len() > RECEIPTS_MAX => Err(body::too_many_receipts()),
        Json::Array(events) => Ok(events.into_iter().map(Event::from_json).collect()),
        other if mode == Mode::Batched => {
            Err(Error::invalid(format!("a batch is an array of events, not {}", body::type_of(&other)))
                .hint("send one event as application/cloudevents+json"))
        }
        event if mode == Mode::Plain && event.get("specversion").is_none() && event.get("context").is_none() => {
            Err(Error::invalid("the request holds no CloudEvent: neither ce- headers nor application/cloudevents+json")
                .hint("send binary, structured or batched CloudEvents, or a CDEvent as JSON"))
        }
        event => Ok(vec![Event::from_json(event)]),
    }
}

fn item(event: &Event, given: &Given<'_>) -> std::result::Result<Option<Item>, Violation> {
    if event.kind.starts_with(CDEVENT_TYPE) {
        let data = event.data.as_ref().ok_or_else(|| fault("data", None, "a CDEvent is in the event's data"))?;
        let draft = cdevent::read(data, given.received_at)?;
        return Ok(draft.map(|draft| Item::Receipt(enrich(draft, event))));
    }
    let Some(data) = own(event, given)? else { return Ok(None) };
    Ok(Some(match read_json(&Json::Object(data), given.vocabulary) {
        Ok(receipt) => Item::Receipt(enrich(Draft::new(receipt), event)),
        Err(violations) => Item::Refused(violations),
    }))
}

/// The native JSON in an event, with what only the envelope tells.
fn own(event: &Event, given: &Given<'_>) -> std::result::Result<Option<Map<String, Json>>, Violation> {
    let kind = event.kind.strip_prefix(OWN_TYPE).and_then(|rest| rest.split('.').next());
    let mut data = match (&event.data, kind) {
        (Some(Json::Object(data)), _) => data.clone(),
        (_, Some(_)) => {
            return Err(fault("data", None, "an event of naze's own types has a receipt as JSON data"));
        }
        (_, None) => return Ok(None),
    };
    if let Some(kind) = kind {
        data.entry("kind").or_insert_with(|| kind.into());
    } else {
        let known = body::filled(data.get("kind")).and_then(|kind| given.vocabulary.kind(kind));
        if known.is_none() || !data.contains_key("component") {
            return Ok(None);
        }
    }
    let time = event.text("time").map_or_else(|| given.received_at.to_string(), str::to_owned);
    data.entry("occurredAt").or_insert_with(|| time.into());
    data.entry("source").or_insert_with(|| event.source.as_str().into());
    if let Some(subject) = event.text("subject") {
        data.entry("component").or_insert_with(|| subject.into());
    }
    Ok(Some(data))
}

/// What the envelope tells besides the data.
fn enrich(mut draft: Draft, event: &Event) -> Draft {
    let receipt = &mut draft.receipt;
    if let Some((trace, span)) = event.text("traceparent").and_then(trace_context) {
        add(receipt, "traceId", trace);
        add(receipt, "spanId", span);
    }
    if let Some(correlation) = event.text("correlationid") {
        add(receipt, "correlationId", correlation);
    }
    if let Some(severity) = severity(event) {
        add(receipt, "severity", severity);
    }
    for name in ["causationid", "recordedtime", "sequence"] {
        if let Some(text) = event.text(name) {
            receipt.label(name, text);
        }
    }
    receipt.label(EVENT_LABEL, &event.id);
    draft.causes.extend(event.text("causationid").map(|event| Cause::Event(event.to_owned())));
    draft.key = Some(key(event));
    draft
}

/// Source and id together are the event's name. Senders of CDEvents, the specification's own examples among them, give the
/// steps of one incident the same, so there subject and predicate count too: a retry has them all the same.
fn key(event: &Event) -> String {
    let name = event.kind.strip_prefix(CDEVENT_TYPE).unwrap_or_default();
    let step: Vec<&str> = name.split('.').take(2).filter(|word| !word.is_empty()).collect();
    let separator = if step.is_empty() { "" } else { "#" };
    format!("{SOURCE}:{}#{}{separator}{}", event.source, event.id, step.join("."))
}

fn add(receipt: &mut Receipt, field: &str, text: &str) {
    if receipt.first(field).is_none() {
        receipt.push(field, Value::text(text));
    }
}

/// The severity extension has OpenTelemetry's numbers, and texts for them.
fn severity(event: &Event) -> Option<&'static str> {
    match event.text("severitynumber").and_then(|number| number.parse().ok()) {
        Some(17..=24) => Some("critical"),
        Some(13..=16) => Some("warning"),
        Some(1..=12) => Some("info"),
        Some(0_u32 | 25..) | None => match event.text("severitytext")?.to_ascii_lowercase().as_str() {
            "fatal" | "critical" | "error" => Some("critical"),
            "warn" | "warning" => Some("warning"),
            "info" | "debug" | "trace" => Some("info"),
            _ => None,
        },
    }
}

/// Trace and span of a W3C `traceparent`.
pub(crate) fn trace_context(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.split('-');
    let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_set = |text: &str| text.bytes().any(|byte| byte != b'0');
    let is_good = is_hex(version, 2) && version != "ff" && is_hex(trace, 32) && is_hex(span, 16);
    (is_good && is_set(trace) && is_set(span)).then_some((trace, span))
}

fn fault(field: &str, value: Option<&str>, message: &str) -> Violation {
    body::violation(SOURCE, field, value, message.to_owned(), "see the CloudEvents specification, version 1.0")
}

fn unsupported(delivery: &Delivery<'_>, told: std::result::Result<&Tally, &Error>) -> Option<Reply> {
    let error = told.err().filter(|error| error.kind() == Kind::Invalid && mode(delivery) == Mode::Foreign)?;
    Some(Reply {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        headers: vec![("content-type", "application/problem+json".to_owned())],
        body: serde_json::json!({"type": "about:blank", "title": "Unsupported Media Type", "status": 415,
            "detail": error.message(), "hints": error.hints()})
        .to_string()
        .into_bytes(),
    })
}

/// The validation handshake of the webhook specification: whoever is let in may send as fast as it likes. A callback that
/// it names is never called, since that would let anyone make naze send requests.
fn handshake(delivery: &Delivery<'_>) -> Reply {
    let mut headers = vec![("allow", "OPTIONS, POST".to_owned())];
    if let Some(origin) = delivery.header("webhook-request-origin") {
        headers.push(("webhook-allowed-origin", origin.to_owned()));
        headers.push(("webhook-allowed-rate", "*".to_owned()));
    }
    Reply { status: StatusCode::OK, headers, body: Vec::new() }
}
