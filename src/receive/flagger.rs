//! Flagger's event webhook: what becomes of a canary.

use serde_json::Value as Json;

use super::members::Members;
use super::{Delivery, Draft, Given, Item, Received, Receiver, body};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::receipt::{Receipt, Value};

/// A webhook of type `event` in a canary's analysis.
pub(super) const RECEIVER: Receiver = Receiver { name: SOURCE, paths: &["/hooks/flagger"], read, ..Receiver::PLAIN };

const SOURCE: &str = "flagger";

/// A canary starts, succeeds or is taken back; a warning on the way is an analysis that did not pass.
fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = Json::Object(body::object(delivery.body)?);
    let event = Members::of("Flagger event", &document);
    let (name, phase) = (event.need("/name")?, event.need("/phase")?);
    let namespace = event.text("/namespace");
    let checksum = event.text("/checksum").unwrap_or_default();
    let at = event
        .text("/metadata/timestamp")
        .and_then(|text| Timestamp::from_micros(text.parse::<i64>().ok()?.checked_mul(1_000)?));
    let at = at.unwrap_or(given.received_at);
    let message = event.text("/metadata/eventMessage");
    let is_warning = event.text("/metadata/eventType").is_some_and(|kind| kind.eq_ignore_ascii_case("warning"));
    let canary = format!("{SOURCE}:{}:{name}:{checksum}", namespace.unwrap_or_default());
    let (receipt, step) = match phase {
        // Flagger tells every step of the traffic; the canary started once.
        "Progressing" if !is_warning => (deployed(name, "started", checksum, at), "started".to_owned()),
        "Succeeded" => (deployed(name, "succeeded", checksum, at), "succeeded".to_owned()),
        "Failed" => (deployed(name, "rolled_back", checksum, at), "rolled_back".to_owned()),
        _ if is_warning => {
            let gate = Receipt::new("gate", at, name)
                .with("gateName", Value::text("canary analysis"))
                .with("pass", Value::Boolean(false));
            (gate, format!("halted:{at}"))
        }
        _ => return Ok(Received::nothing()),
    };
    let receipt = receipt
        .with("source", Value::text(SOURCE))
        .with_text("summary", message)
        .with_text("environment", namespace)
        .with_label("phase", phase);
    Ok(Received::of(vec![Item::Receipt(Draft::new(receipt).with_key(Some(format!("{canary}:{step}"))))]))
}

fn deployed(name: &str, status: &str, checksum: &str, at: Timestamp) -> Receipt {
    Receipt::new("deployment", at, name).with("status", Value::text(status)).with_text("version", Some(checksum))
}
