//! Flagger's webhooks: what becomes of a canary.
//!
//! The `event` webhook tells the story. Its messages say which step it is: the phase beside them is the one before, so a
//! promotion that completed comes as `Finalising`. All other webhooks are gates without a message. They are answered with
//! 200 and record nothing, except the end that a `post-rollout` webhook tells. Never point a `rollback` webhook here:
//! Flagger takes any 200 as the order to roll back.

use http::StatusCode;
use serde_json::Value as Json;

use super::members::Members;
use super::{Delivery, Draft, Given, Item, Received, Receiver, Reply, Tally, body};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::receipt::{Receipt, Value};

/// Webhooks in a canary's analysis.
pub(super) const RECEIVER: Receiver =
    Receiver { name: SOURCE, paths: &["/hooks/flagger"], read, reply: Some(reply), ..Receiver::PLAIN };

const SOURCE: &str = "flagger";

/// What a webhook tells of a canary.
enum Step {
    /// A step of the deployment, by its status.
    Deployed(&'static str),
    /// The analysis found the canary wanting.
    Halted,
}

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = Json::Object(body::object(delivery.body)?);
    let event = Members::of("Flagger webhook", &document);
    let (name, phase) = (event.need("/name")?, event.need("/phase")?);
    let message = event.text("/metadata/eventMessage");
    let Some(step) = message.map_or_else(|| ended(phase), told) else { return Ok(Received::nothing()) };
    let namespace = event.text("/namespace");
    let checksum = event.text("/checksum");
    let told_at = event.text("/metadata/timestamp").and_then(milliseconds);
    let at = told_at.unwrap_or(given.received_at);
    let (receipt, status) = match step {
        Step::Deployed(status) => {
            let receipt =
                Receipt::new("deployment", at, name).with("status", Value::text(status)).with_text("version", checksum);
            (receipt, status)
        }
        Step::Halted => {
            let receipt = Receipt::new("gate", at, name)
                .with("gateName", Value::text("canary analysis"))
                .with("pass", Value::Boolean(false));
            (receipt, "halted")
        }
    };
    let receipt = receipt
        .with("source", Value::text(SOURCE))
        .with_text("summary", message)
        .with_text("environment", namespace)
        .with_label("phase", phase);
    // A version that is deployed again has the checksum it had before; the time tells one canary from the next.
    let when = told_at.map(|at| at.to_string()).unwrap_or_default();
    let (namespace, checksum) = (namespace.unwrap_or_default(), checksum.unwrap_or_default());
    let key = format!("{SOURCE}:{namespace}:{name}:{checksum}:{status}:{when}");
    Ok(Received::of(vec![Item::Receipt(Draft::new(receipt).with_key(Some(key)))]))
}

/// The step that a message of the `event` webhook tells; the many others, such as each shift of traffic, change nothing.
fn told(message: &str) -> Option<Step> {
    let steps = [
        ("New revision detected", Step::Deployed("started")),
        ("Promotion completed", Step::Deployed("succeeded")),
        ("Canary failed", Step::Deployed("rolled_back")),
        ("Halt", Step::Halted),
        ("Rolling back", Step::Halted),
    ];
    steps.into_iter().find(|(beginning, _)| message.starts_with(beginning)).map(|(_, step)| step)
}

/// The end that a webhook without a message tells.
fn ended(phase: &str) -> Option<Step> {
    match phase {
        "Succeeded" => Some(Step::Deployed("succeeded")),
        "Failed" => Some(Step::Deployed("rolled_back")),
        _ => None,
    }
}

fn milliseconds(text: &str) -> Option<Timestamp> {
    Timestamp::from_micros(text.parse::<i64>().ok()?.checked_mul(1_000)?)
}

/// Flagger goes on at 200 to 202 only: what could be read lets the canary pass, recorded or not.
fn reply(_: &Delivery<'_>, told: std::result::Result<&Tally, &Error>) -> Option<Reply> {
    let tally = told.ok()?;
    Some(Reply {
        status: StatusCode::OK,
        headers: vec![("content-type", "application/json".to_owned())],
        body: serde_json::json!({"recorded": tally.recorded, "duplicate": tally.duplicate, "refused": tally.refused})
            .to_string()
            .into_bytes(),
    })
}
