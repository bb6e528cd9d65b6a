//! CloudEvents 1.0 (and 0.3) over HTTP, in binary, structured and batched mode, and the CDEvents in them.
//!
//! An event is a receipt when it is a CDEvent that changes, breaks or mends something, or when its type is
//! `dev.naze.<kind>` and its data is native JSON. All others are understood and ignored.

mod cdevent;
mod event;

use http::StatusCode;
use serde_json::Value as Json;

use self::event::Event;
use super::{Delivery, Draft, Given, Item, RECEIPTS_MAX, Received, Receiver, Reply, body};
use crate::error::{Error, Result};
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

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let media_type = delivery.media_type().to_ascii_lowercase();
    let events = if media_type.starts_with("application/cloudevents-batch") {
        match serde_json::from_str(body::text(delivery.body)?).map_err(|error| body::not_json(&error))? {
            Json::Array(events) if events.len() > RECEIPTS_MAX => return Err(body::too_many_receipts()),
            Json::Array(events) => events.into_iter().map(|event| Event::structured(event, "event")).collect(),
            other => {
                return Err(Error::invalid(format!("a batch is an array of events, not {}", body::type_of(&other)))
                    .hint("send one event as application/cloudevents+json"));
            }
        }
    } else if media_type.starts_with("application/cloudevents") {
        vec![Event::structured(Json::Object(body::object(delivery.body)?), "event")]
    } else if delivery.header("ce-specversion").is_some() {
        vec![Event::binary(delivery)]
    } else {
        return bare(delivery, given);
    };
    let mut received = Received::default();
    for event in events {
        match event.and_then(|event| item(&event, given)) {
            Ok(Some(item)) => received.items.push(item),
            Ok(None) => received.ignored += 1,
            Err(violation) => received.items.push(Item::Refused(vec![violation])),
        }
    }
    Ok(received)
}

/// A CDEvent without an envelope, as some tools post it.
fn bare(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = Json::Object(body::object(delivery.body)?);
    if document.get("context").is_none() {
        return Err(Error::invalid(
            "the request holds no CloudEvent: neither ce- headers nor application/cloudevents+json",
        )
        .hint("send binary, structured or batched CloudEvents, or a CDEvent as JSON"));
    }
    Ok(match cdevent::read(&document, given) {
        Ok(Some(draft)) => Received::of(vec![Item::Receipt(draft)]),
        Ok(None) => Received::nothing(),
        Err(violation) => Received::of(vec![Item::Refused(vec![violation])]),
    })
}

fn item(event: &Event, given: &Given<'_>) -> std::result::Result<Option<Item>, Violation> {
    if event.kind.starts_with("dev.cdevents.") {
        let data = event.data.as_ref().ok_or_else(|| fault("data", None, "a CDEvent is in the event's data"))?;
        let draft = cdevent::read(data, given)?;
        return Ok(draft.map(|draft| Item::Receipt(enrich(draft, event))));
    }
    let Some(kind) = event.kind.strip_prefix(OWN_TYPE) else { return Ok(None) };
    let Some(Json::Object(data)) = &event.data else {
        return Err(fault("data", None, "an event of naze's own types has a receipt as JSON data"));
    };
    let mut data = data.clone();
    data.entry("kind").or_insert_with(|| kind.into());
    if let Some(time) = event.text("time") {
        data.entry("occurredAt").or_insert_with(|| time.into());
    }
    Ok(Some(match read_json(&Json::Object(data), given.vocabulary) {
        Ok(receipt) => Item::Receipt(enrich(Draft::new(receipt), event)),
        Err(violations) => Item::Refused(violations),
    }))
}

/// What the envelope tells besides the data; source and id together are the event's name.
fn enrich(draft: Draft, event: &Event) -> Draft {
    let Draft { mut receipt, .. } = draft;
    if let Some((trace, span)) = event.text("traceparent").and_then(trace_context) {
        add(&mut receipt, "traceId", trace);
        add(&mut receipt, "spanId", span);
    }
    if let Some(correlation) = event.text("correlationid") {
        add(&mut receipt, "correlationId", correlation);
    }
    for name in ["causationid", "recordedtime", "sequence"] {
        if let Some(text) = event.text(name) {
            receipt.label(name, text);
        }
    }
    Draft::new(receipt).with_key(Some(key(&event.source, &event.id)))
}

fn add(receipt: &mut Receipt, field: &str, text: &str) {
    if receipt.first(field).is_none() {
        receipt.push(field, Value::text(text));
    }
}

/// Trace and span of a W3C `traceparent`.
fn trace_context(text: &str) -> Option<(&str, &str)> {
    let mut parts = text.split('-');
    let (version, trace, span) = (parts.next()?, parts.next()?, parts.next()?);
    let is_hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_set = |text: &str| text.bytes().any(|byte| byte != b'0');
    let is_good = is_hex(version, 2) && version != "ff" && is_hex(trace, 32) && is_hex(span, 16);
    (is_good && is_set(trace) && is_set(span)).then_some((trace, span))
}

fn key(source: &str, id: &str) -> String {
    format!("{SOURCE}:{source}#{id}")
}

fn fault(field: &str, value: Option<&str>, message: &str) -> Violation {
    body::violation(SOURCE, field, value, message.to_owned(), "see the CloudEvents specification, version 1.0")
}

/// A format of CloudEvents that naze does not read, such as Avro.
fn unsupported(delivery: &Delivery<'_>, told: std::result::Result<&super::Tally, &Error>) -> Option<Reply> {
    let media_type = delivery.media_type().to_ascii_lowercase();
    let is_other = media_type.starts_with("application/cloudevents") && !media_type.ends_with("+json");
    (told.is_err() && is_other).then(|| Reply {
        status: StatusCode::UNSUPPORTED_MEDIA_TYPE,
        headers: vec![("content-type", "application/problem+json".to_owned())],
        body: serde_json::json!({"type": "about:blank", "title": "Unsupported Media Type", "status": 415,
            "detail": format!("{media_type} is not read here: send the JSON format")})
        .to_string()
        .into_bytes(),
    })
}

/// The validation handshake of the webhook specification: whoever is let in may send as fast as it likes.
fn handshake(delivery: &Delivery<'_>) -> Reply {
    let mut headers = vec![("allow", "OPTIONS, POST".to_owned())];
    if let Some(origin) = delivery.header("webhook-request-origin") {
        headers.push(("webhook-allowed-origin", origin.to_owned()));
        headers.push(("webhook-allowed-rate", "*".to_owned()));
    }
    Reply { status: StatusCode::OK, headers, body: Vec::new() }
}
