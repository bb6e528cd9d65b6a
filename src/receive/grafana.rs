//! Grafana's alerting webhook: Alertmanager's notification with more members, and the form it had before version 8.

mod legacy;
mod readings;

use serde_json::{Map, Value as Json};

use self::readings::Reading;
use super::alertmanager::{self, Dialect};
use super::{COMPONENT_UNKNOWN, Delivery, Draft, Given, Received, Receiver, body, signature};
use crate::error::Result;
use crate::receipt::{Receipt, Value};

/// Grafana's contact point "webhook".
pub(super) const RECEIVER: Receiver =
    Receiver { name: SOURCE, paths: &["/hooks/grafana"], read, verify: Some(verify), ..Receiver::PLAIN };

const SOURCE: &str = "grafana";
const SIGNATURE: &str = "X-Grafana-Alerting-Signature";
/// Grafana has no name for it, so whoever sets the contact point up has to choose this one.
const TIMESTAMP: &str = "X-Grafana-Alerting-Timestamp";

/// The signature is over the body, or over time and body when Grafana sends the time along.
fn verify(secret: &[u8], delivery: &Delivery<'_>) -> Result<()> {
    let signed = match delivery.header(TIMESTAMP) {
        Some(time) => [time.as_bytes(), b":", delivery.body].concat(),
        None => delivery.body.to_vec(),
    };
    signature::verify(SOURCE, SIGNATURE, "", secret, &signed, delivery.header(SIGNATURE))
        .map_err(|error| error.hint(format!("if the contact point sends a timestamp, its header must be {TIMESTAMP}")))
}

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = body::object(delivery.body)?;
    if !document.contains_key("alerts") && document.contains_key("ruleName") {
        return legacy::read(&Json::Object(document), given);
    }
    let organisation = document.get("orgId").and_then(Json::as_i64);
    let more = |alert: &Map<String, Json>, draft: &mut Draft| {
        add_readings(alert, &mut draft.receipt, given);
        add_places(alert, &mut draft.receipt);
        tell_blindness(alert, &mut draft.receipt);
        if let Some(organisation) = organisation {
            draft.receipt.label("orgId", &organisation.to_string());
            // Fingerprints are of labels, which two organisations may share.
            draft.key = draft.key.take().map(|key| format!("{key}:{organisation}"));
        }
    };
    alertmanager::notification(
        &document,
        Dialect { source: SOURCE, name: "Grafana", more: &more },
        given.received_at,
        given.mapping,
    )
}

/// What the rule's queries and expressions gave, each under its name.
fn add_readings(alert: &Map<String, Json>, receipt: &mut Receipt, given: &Given<'_>) {
    let told = readings::of_text(body::filled(alert.get("valueString")).unwrap_or_default());
    let mut values = readings::values(alert.get("values"));
    if values.is_empty() {
        values = told.iter().filter_map(|reading| Some((reading.name?, reading.value))).collect();
        values.sort_by(|a, b| a.0.cmp(b.0));
    }
    for (name, value) in &values {
        receipt.label(&format!("value.{name}"), &value.to_string());
    }
    if receipt.first("value").is_none()
        && let Some(value) = readings::measured(&values, receipt.text("status") == Some("firing"))
    {
        receipt.push("value", Value::Number(value));
    }
    // A rule over several queries may drop the labels that say what they are about.
    if receipt.component() == Some(COMPONENT_UNKNOWN)
        && let Some(component) = given.mapping.component(|label| Reading::agreed(&told, label))
    {
        receipt.set("component", Value::Component(component));
    }
}

fn add_places(alert: &Map<String, Json>, receipt: &mut Receipt) {
    for member in ["dashboardURL", "panelURL", "imageURL"] {
        let Some(url) = body::filled(alert.get(member)) else { continue };
        receipt.label(member, url);
        if receipt.first("url").is_none() {
            receipt.push("url", Value::text(url));
        }
    }
}

/// `DatasourceNoData` and `DatasourceError` stand for a rule that could not be evaluated, with the labels and annotations
/// of that rule: nothing is known of the component then, so they neither repeat what the rule says nor are critical.
fn tell_blindness(alert: &Map<String, Json>, receipt: &mut Receipt) {
    let what = match receipt.text("name") {
        Some("DatasourceNoData") => "has no data",
        Some("DatasourceError") => "cannot be evaluated",
        _ => return,
    };
    let annotations = alert.get("annotations").and_then(Json::as_object);
    for (name, text) in annotations.into_iter().flatten() {
        if let Some(text) = body::filled(Some(text)) {
            receipt.label(&format!("annotation.{name}"), text);
        }
    }
    let error = receipt.labels().get("annotation.Error").map(|error| format!(": {error}")).unwrap_or_default();
    let rule = receipt.labels().get("rulename").map_or("an alert rule", String::as_str);
    let summary = format!("{rule} {what}{error}");
    receipt.set("summary", Value::text(summary));
    if let Some(severity) = receipt.text("severity").map(str::to_owned) {
        receipt.label("severity", &severity);
    }
    receipt.set("severity", Value::text("warning"));
}
