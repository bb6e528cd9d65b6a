//! Alertmanager's event recorder: what it did with the alerts, and which of them it kept to itself, and why.
//!
//! The events are protobuf as JSON: labels are lists, fingerprints are decimal. They have no id, come at least once and in
//! any order; an alert's episode names the fact.

use serde_json::{Map, Value as Json, json};

use super::{Alert, SOURCE, at_place};
use crate::error::Result;
use crate::receipt::Value;
use crate::receive::members::Members;
use crate::receive::{Delivery, Draft, Follows, Given, Item, RECEIPTS_MAX, Received, Receiver, body};
use crate::validate::Violation;

/// A webhook output of the event recorder.
pub(in crate::receive) const RECEIVER: Receiver =
    Receiver { name: "alertmanager_events", paths: &["/hooks/alertmanager-events"], read, ..Receiver::PLAIN };

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let events = match serde_json::from_str(body::text(delivery.body)?).map_err(|error| body::not_json(&error))? {
        Json::Array(events) if events.len() > RECEIPTS_MAX => return Err(body::too_many_receipts()),
        Json::Array(events) => events,
        event => vec![event],
    };
    let mut received = Received::default();
    for (place, event) in events.iter().enumerate() {
        match draft(Members::of("event", event), given) {
            Ok(Some(draft)) => received.items.push(Item::Receipt(draft)),
            Ok(None) => received.ignored += 1,
            Err(violation) => received.items.push(Item::Refused(vec![at_place(violation, place)])),
        }
    }
    Ok(received)
}

fn draft(event: Members<'_>, given: &Given<'_>) -> std::result::Result<Option<Draft>, Violation> {
    let at = event.text("/@timestamp").and_then(body::time).unwrap_or(given.received_at);
    let step = [
        ("/data/alertCreated/alert", "firing"),
        ("/data/alertResolved/alert", "resolved"),
        ("/data/silenceMutedAlert/mutedAlert", "suppressed"),
        ("/data/inhibitionMutedAlert/mutedAlert", "suppressed"),
    ];
    let Some((alert, status)) = step.iter().find_map(|(pointer, status)| Some((event.at(pointer)?, *status))) else {
        return Ok(None);
    };
    let mut alert = as_in_the_webhook(Members::of("alert", alert));
    alert["status"] = status.into();
    if status == "firing" {
        // An end that has not come yet is no end.
        alert["endsAt"] = Json::Null;
    }
    let mut draft = Alert::read(&alert, at, false)?.draft(SOURCE, at, given.mapping);
    if status == "suppressed" {
        draft.receipt.set("occurredAt", Value::Time(at));
    }
    if let Some(silence) = event.text("/data/silenceMutedAlert/silence/id") {
        draft.receipt.label("silenced_by", silence);
    }
    if let Some(comment) = event.text("/data/silenceMutedAlert/silence/comment") {
        draft.receipt.label("silence.comment", comment);
    }
    let inhibiting = event.at("/data/inhibitionMutedAlert/inhibitingFingerprints").and_then(Json::as_array);
    let inhibiting: Vec<String> = inhibiting.into_iter().flatten().filter_map(fingerprint).collect();
    if let Some(first) = inhibiting.first() {
        draft.receipt.label("inhibited_by", &inhibiting.join(" "));
        draft = draft.caused_by(Follows::fingerprint(first));
    }
    Ok(Some(draft))
}

/// The same alert in the words of the webhook.
fn as_in_the_webhook(alert: Members<'_>) -> Json {
    json!({
        "labels": pairs(alert.at("/labels")),
        "annotations": pairs(alert.at("/annotations")),
        "startsAt": alert.at("/startsAt"),
        "endsAt": alert.at("/endsAt"),
        "generatorURL": alert.first(&["/generatorUrl", "/generatorURL"]),
        "fingerprint": alert.at("/fingerprint").and_then(fingerprint),
    })
}

/// Labels as a map, from a list of keys and values, from such a list in a member `labels`, or from a map.
fn pairs(labels: Option<&Json>) -> Json {
    let list = labels.and_then(|labels| labels.get("labels").or(Some(labels)));
    let Some(Json::Array(list)) = list else { return labels.cloned().unwrap_or_else(|| Map::new().into()) };
    let pair = |pair: &Json| Some((body::filled(pair.get("key"))?.to_owned(), pair.get("value")?.clone()));
    Json::Object(list.iter().filter_map(pair).collect())
}

/// In hexadecimal, as the webhook has it.
fn fingerprint(decimal: &Json) -> Option<String> {
    let number = decimal.as_u64().or_else(|| decimal.as_str()?.parse().ok())?;
    Some(format!("{number:016x}"))
}
