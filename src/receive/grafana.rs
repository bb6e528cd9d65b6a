//! Grafana's alerting webhook: Alertmanager's notification with more members, and the form it had before version 8.

use serde_json::{Map, Value as Json};

use super::alertmanager::{self, Dialect};
use super::members::Members;
use super::{Delivery, Draft, Given, Item, Received, Receiver, body, signature};
use crate::error::Result;
use crate::receipt::{Receipt, Value};

/// Grafana's contact point "webhook".
pub(super) const RECEIVER: Receiver =
    Receiver { name: SOURCE, paths: &["/hooks/grafana"], read, verify: Some(verify), ..Receiver::PLAIN };

const SOURCE: &str = "grafana";
const SIGNATURE: &str = "x-grafana-alerting-signature";
const TIMESTAMP: &str = "x-grafana-alerting-timestamp";

/// The signature is over the body, or over time and body when Grafana sends the time along.
fn verify(secret: &[u8], delivery: &Delivery<'_>) -> Result<()> {
    let signed = match delivery.header(TIMESTAMP) {
        Some(time) => [time.as_bytes(), b":", delivery.body].concat(),
        None => delivery.body.to_vec(),
    };
    signature::verify(SOURCE, SIGNATURE, "", secret, &signed, delivery.header(SIGNATURE))
}

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = body::object(delivery.body)?;
    if document.contains_key("alerts") || !document.contains_key("ruleName") {
        let dialect = Dialect { source: SOURCE, name: "Grafana", more: told_besides };
        return alertmanager::notification(&document, dialect, given.received_at, given.mapping);
    }
    legacy(&Json::Object(document), given)
}

/// What Grafana tells of an alert besides what Alertmanager does: the values it evaluated and where to look.
fn told_besides(alert: &Map<String, Json>, receipt: &mut Receipt) {
    let mut values: Vec<(&str, f64)> = alert
        .get("values")
        .and_then(Json::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(name, value)| Some((name.as_str(), value.as_f64()?)))
        .collect();
    values.sort_by(|a, b| a.0.cmp(b.0));
    for (name, value) in &values {
        receipt.label(&format!("value.{name}"), &value.to_string());
    }
    // With one value there is no doubt which one is meant.
    if let [(_, value)] = values[..]
        && receipt.first("value").is_none()
    {
        receipt.push("value", Value::Number(value));
    }
    for member in ["dashboardURL", "panelURL"] {
        if let Some(url) = body::filled(alert.get(member)) {
            receipt.label(member, url);
        }
    }
}

/// One rule a notification, without labels or an episode's start.
fn legacy(document: &Json, given: &Given<'_>) -> Result<Received> {
    let rule = Members::of("Grafana notification", document);
    let name = rule.need("/ruleName")?;
    let status = match rule.text("/state") {
        Some("ok") => "resolved",
        Some("paused" | "pending") => return Ok(Received::nothing()),
        _ => "firing",
    };
    let tag = |name: &str| rule.at("/tags").and_then(|tags| body::filled(tags.get(name)));
    let component = given.mapping.component(tag).unwrap_or_else(|| name.to_owned());
    let metric = document.pointer("/evalMatches/0");
    let mut receipt = Receipt::new("alert", given.received_at, &component)
        .with("name", Value::text(name))
        .with("status", Value::text(status))
        .with("source", Value::text(SOURCE))
        .with_text("summary", rule.first(&["/message", "/title"]))
        .with_text("url", rule.text("/ruleUrl"))
        .with_text("metric", metric.and_then(|metric| body::filled(metric.get("metric"))));
    if let Some(value) = metric.and_then(|metric| metric.get("value")?.as_f64()) {
        receipt.push("value", Value::Number(value));
    }
    if let Some(state) = rule.text("/state") {
        receipt.label("state", state);
    }
    for (name, text) in rule.at("/tags").and_then(Json::as_object).into_iter().flatten() {
        if let Some(text) = text.as_str() {
            receipt.label(name, text);
        }
    }
    Ok(Received::of(vec![Item::Receipt(Draft::new(receipt))]))
}
