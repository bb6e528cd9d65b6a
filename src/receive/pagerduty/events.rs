//! Events API v2: naze in PagerDuty's place, or beside it.

use http::StatusCode;
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use super::SOURCE;
use crate::error::{Error, Kind, Result};
use crate::receipt::{Receipt, Value};
use crate::receive::members::Members;
use crate::receive::{
    COMPONENT_UNKNOWN, Delivery, Draft, Follows, Given, Item, Received, Receiver, Reply, Tally, body, title,
};

/// Alerts and changes as PagerDuty takes them.
pub(in crate::receive) const RECEIVER: Receiver = Receiver {
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

const CHANGE_PATH: &str = "/v2/change/enqueue";
/// PagerDuty allows longer summaries than a name may be.
const NAME_CHARACTERS_MAX: usize = 500;
const VERSIONS: [&str; 5] = ["version", "app_version", "image_tag", "tag", "release"];
const COMMITS: [&str; 6] = ["commit", "commit_sha", "commit_hash", "sha", "git_sha", "revision"];
const ENVIRONMENTS: [&str; 3] = ["environment", "env", "stage"];
const RESULTS: [&str; 5] = ["status", "state", "result", "outcome", "build_state"];

/// An alert's step. Only a trigger says what it is about; the others name it by its `dedup_key`. A trigger of an alert that
/// is open tells nothing new.
fn event(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = Json::Object(body::object(delivery.body)?);
    let event = Members::of("PagerDuty event", &document);
    let action = event.need("/event_action")?;
    let (status, unless): (_, &'static [&'static str]) = match action {
        "trigger" => ("firing", &["firing", "acknowledged"]),
        "acknowledge" => ("acknowledged", &["acknowledged"]),
        "resolve" => ("resolved", &["resolved"]),
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
    let given_key = event.text("/dedup_key");
    let dedup_key = given_key.map_or_else(|| made_key(delivery.body), str::to_owned);
    let at = event.time("/payload/timestamp", given.received_at)?;
    let name = event.first(&["/payload/class", "/payload/summary"]).unwrap_or("event");
    let mut receipt = Receipt::new("alert", at, &component(event, given).unwrap_or(COMPONENT_UNKNOWN.to_owned()))
        .with("name", Value::text(name.chars().take(NAME_CHARACTERS_MAX).collect::<String>()))
        .with("status", Value::text(status))
        .with("fingerprint", Value::text(dedup_key.as_str()))
        .with("source", Value::text(SOURCE))
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
    // Without a key of the sender, equal triggers are alerts of their own.
    let follows = given_key.map(|key| Follows::fingerprint(key).not_repeating(unless));
    let time = event.text("/payload/timestamp");
    let key = time.map(|time| format!("pagerduty_events:{action}:{time}:{dedup_key}"));
    Ok(Received::of(vec![Item::Receipt(Draft::new(receipt).with_key(key).following(follows))]))
}

/// The `dedup_key` of a trigger without one: the same for the answer and for the receipt.
fn made_key(body: &[u8]) -> String {
    hex::encode(&Sha256::digest(body)[..16])
}

/// Something was built, deployed or switched.
fn change(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = Json::Object(body::object(delivery.body)?);
    let event = Members::of("PagerDuty change event", &document);
    let summary = event.need("/payload/summary")?;
    let at = event.time("/payload/timestamp", given.received_at)?;
    let component = component(event, given).unwrap_or(COMPONENT_UNKNOWN.to_owned());
    let source = event.text("/payload/source");
    let version = detail(event, &VERSIONS);
    let environment = detail(event, &ENVIRONMENTS);
    let is_deployment = title::is_deployment(summary) || (version.is_some() && environment.is_some());
    let receipt = if is_deployment {
        let commit = detail(event, &COMMITS);
        let told = [summary, detail(event, &RESULTS).unwrap_or_default()];
        Receipt::new("deployment", at, &component)
            .with("status", Value::text(outcome(told)))
            .with_text("version", version.or(commit))
            .with_text("commit", commit)
    } else {
        let key: String = source.unwrap_or(summary).chars().take(NAME_CHARACTERS_MAX).collect();
        Receipt::new("change", at, &component).with("changeType", Value::text("other")).with("key", Value::text(key))
    };
    let mut receipt = receipt
        .with("summary", Value::text(summary))
        .with("source", Value::text(SOURCE))
        .with_text("environment", environment)
        .with_text("url", event.text("/links/0/href"));
    if let Some(source) = source {
        receipt.label("source", source);
    }
    details(event, &mut receipt);
    let key = event.text("/payload/timestamp").map(|time| format!("pagerduty_events:change:{time}:{summary}"));
    Ok(Received::of(vec![Item::Receipt(Draft::new(receipt).with_key(key))]))
}

/// How a deployment went, by what its sender says of it; silence means well.
fn outcome(told: [&str; 2]) -> &'static str {
    if told.into_iter().any(title::is_failure) {
        "failed"
    } else if told.into_iter().any(title::is_rollback) {
        "rolled_back"
    } else if told.into_iter().any(title::is_start) {
        "started"
    } else {
        "succeeded"
    }
}

fn component(event: Members<'_>, given: &Given<'_>) -> Option<String> {
    let detail = |name: &str| body::filled(event.at("/payload/custom_details")?.get(name));
    let named = event.text("/payload/component").map(str::to_owned);
    named.or_else(|| given.mapping.component(detail)).or_else(|| event.text("/payload/source").map(str::to_owned))
}

fn detail<'a>(event: Members<'a>, names: &[&str]) -> Option<&'a str> {
    let details = event.at("/payload/custom_details")?;
    names.iter().find_map(|name| body::filled(details.get(name)))
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
fn reply(delivery: &Delivery<'_>, told: std::result::Result<&Tally, &Error>) -> Option<Reply> {
    let (status, answer) = match told {
        Ok(tally) if tally.refused.is_empty() => (StatusCode::ACCEPTED, processed(delivery)),
        Ok(tally) => (StatusCode::BAD_REQUEST, invalid(&tally.refused)),
        Err(error) if error.kind() == Kind::Invalid => (StatusCode::BAD_REQUEST, invalid(&[error.to_string()])),
        Err(_) => return None,
    };
    let headers = vec![("content-type", "application/json".to_owned())];
    Some(Reply { status, headers, body: answer.to_string().into_bytes() })
}

fn processed(delivery: &Delivery<'_>) -> Json {
    if delivery.path == CHANGE_PATH {
        return json!({"status": "success", "message": "Change event processed"});
    }
    let event: Option<Json> = serde_json::from_slice(delivery.body).ok();
    let given = event.as_ref().and_then(|event| body::filled(event.get("dedup_key")));
    let dedup_key = given.map_or_else(|| made_key(delivery.body), str::to_owned);
    json!({"status": "success", "message": "Event processed", "dedup_key": dedup_key})
}

fn invalid(errors: &[String]) -> Json {
    json!({"status": "invalid event", "message": "Event object is invalid", "errors": errors})
}
