//! Notifications of Grafana before version 8: one rule each, without the time or the labels of an alert.

use serde_json::Value as Json;

use super::SOURCE;
use crate::error::{Error, Result};
use crate::receipt::{Receipt, Value};
use crate::receive::members::Members;
use crate::receive::{Draft, Follows, Given, Item, Received, body};

/// A rule is told again while it fires, and a resolved one without what it was about: both go on with what was told first.
pub(super) fn read(document: &Json, given: &Given<'_>) -> Result<Received> {
    let rule = Members::of("Grafana notification", document);
    let name = rule.need("/ruleName")?;
    let state = rule.need("/state")?;
    let status = match state {
        "alerting" | "no_data" => "firing",
        "ok" => "resolved",
        "paused" | "pending" => return Ok(Received::nothing()),
        other => {
            return Err(Error::invalid(format!("state \"{}\" is not known", body::clip(other)))
                .hint("known are alerting, no_data, ok, paused and pending"));
        }
    };
    let matches = rule.at("/evalMatches").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let tags = || [rule.at("/tags")].into_iter().flatten().chain(matches.iter().filter_map(|one| one.get("tags")));
    let tag = |name: &str| tags().find_map(|tags| body::filled(tags.get(name)));
    let component = given.mapping.component(tag).unwrap_or_else(|| name.to_owned());
    let organisation = rule.at("/orgId").and_then(Json::as_i64).unwrap_or(1);
    let number = rule.at("/ruleId").and_then(Json::as_i64).map_or_else(|| name.to_owned(), |id| id.to_string());
    let fingerprint = format!("{SOURCE}-rule-{organisation}-{number}");
    let mut receipt = Receipt::new("alert", given.received_at, &component)
        .with("name", Value::text(name))
        .with("status", Value::text(status))
        .with("fingerprint", Value::text(fingerprint.as_str()))
        .with("source", Value::text(SOURCE))
        .with_text("summary", rule.first(&["/message", "/title"]))
        .with_text("url", rule.text("/ruleUrl"))
        .with_label("state", state)
        .with_label("orgId", &organisation.to_string());
    if let [only] = matches {
        receipt = receipt.with_text("metric", body::filled(only.get("metric")));
        if let Some(value) = only.get("value").and_then(Json::as_f64) {
            receipt.push("value", Value::Number(value));
        }
    }
    for one in matches {
        if let Some((metric, value)) = body::filled(one.get("metric")).zip(one.get("value").and_then(Json::as_f64)) {
            receipt.label(&format!("value.{metric}"), &value.to_string());
        }
    }
    for (name, text) in tags().filter_map(Json::as_object).flatten() {
        if let Some(text) = body::filled(Some(text)) {
            receipt.label(name, text);
        }
    }
    let follows = Follows::fingerprint(&fingerprint).not_repeating(match status {
        "firing" => &["firing"],
        _ => &["resolved"],
    });
    Ok(Received::of(vec![Item::Receipt(Draft::new(receipt).following(Some(follows)))]))
}
