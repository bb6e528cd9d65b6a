//! An application of Argo CD, in the state that a notification was sent for.

use serde_json::Value as Json;

use super::{SOURCE, deployment, namespace};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::receipt::{Receipt, Value};
use crate::receive::Draft;
use crate::receive::members::Members;

const REVISION: [&str; 3] = [
    "/status/operationState/syncResult/revision",
    "/status/operationState/syncResult/revisions/0",
    "/status/sync/revision",
];
const STARTED: &str = "/status/operationState/startedAt";
const FINISHED: &str = "/status/operationState/finishedAt";

/// What the state says: how the last sync went, whether health turned, and whether Argo CD can compare at all. Each is a
/// fact of its own, told again with every notification and recorded once. A release that leaves the application unhealthy
/// went out all the same.
pub(super) fn read(app: Members<'_>, notification: Members<'_>, received_at: Timestamp) -> Result<Vec<Draft>> {
    let name = app.need("/metadata/name")?;
    let health = app.text("/status/health/status");
    let mut drafts = Vec::new();
    if app.at("/metadata/deletionTimestamp").is_some() {
        drafts.push(deletion(app, name, received_at)?);
    } else {
        let step = match app.text("/status/operationState/phase") {
            Some("Failed" | "Error") => Some(("failed", FINISHED)),
            Some("Succeeded") if health == Some("Healthy") => Some(("succeeded", FINISHED)),
            Some("Running" | "Succeeded") => Some(("started", STARTED)),
            _ => None,
        };
        if let Some((status, told_at)) = step {
            drafts.push(sync(app, name, status, told_at, received_at)?);
        }
        if let Some(state @ ("Degraded" | "Missing")) = health {
            let state = if state == "Missing" { "unhealthy" } else { "degraded" };
            drafts.push(turned(app, name, state, received_at)?);
        }
        if app.text("/status/sync/status") == Some("Unknown") {
            drafts.push(unknown(app, name, received_at));
        }
    }
    let url = notification.text("/context/argocdUrl");
    let url = url.map(|url| format!("{}/applications/{name}", url.trim_end_matches('/')));
    let told = |draft: Draft| {
        let receipt = draft.receipt.with("source", Value::text(SOURCE)).with_text("url", url.as_deref());
        Draft { receipt, ..draft }
    };
    Ok(drafts.into_iter().map(told).collect())
}

/// A sync is known by when it started: the same revision may be synced again.
fn sync(app: Members<'_>, name: &str, status: &str, told_at: &str, received_at: Timestamp) -> Result<Draft> {
    let started_at = app.time(STARTED, received_at)?;
    let at = app.time(told_at, started_at)?;
    let revision = app.first(&REVISION);
    let actor = app.text("/status/operationState/operation/initiatedBy/username");
    let receipt = deployment(app, name, status, at)
        .with_text("version", revision)
        .with_text("previousVersion", previous(app, revision))
        .with_text("commit", revision)
        .with_text("actor", actor)
        .with_text("summary", app.text("/status/operationState/message"));
    let episode = app.first(&[STARTED, FINISHED]).unwrap_or_default();
    let key = format!("{SOURCE}:{}:{name}:{status}:{}:{episode}", namespace(app), revision.unwrap_or_default());
    Ok(Draft::new(receipt).with_key(Some(key)))
}

/// The newest revision in the history that is not the one now deployed.
fn previous<'a>(app: Members<'a>, revision: Option<&str>) -> Option<&'a str> {
    let history = app.at("/status/history").and_then(Json::as_array)?;
    let revisions = history.iter().rev().filter_map(|entry| entry.get("revision").and_then(Json::as_str));
    revisions.filter(|text| !text.is_empty()).find(|earlier| Some(*earlier) != revision)
}

/// Older versions of Argo CD do not say since when; then one revision turns once.
fn turned(app: Members<'_>, name: &str, state: &str, received_at: Timestamp) -> Result<Draft> {
    const SINCE: &str = "/status/health/lastTransitionTime";
    let receipt = Receipt::new("health", app.time(SINCE, received_at)?, name)
        .with("state", Value::text(state))
        .with_text("reason", app.first(&["/status/health/message", "/status/health/status"]))
        .with_text("details", conditions(app).as_deref())
        .with_text("environment", app.text("/spec/destination/namespace"));
    let episode = app.text(SINCE).or_else(|| app.first(&REVISION)).unwrap_or_default();
    let key = format!("{SOURCE}:{}:{name}:{state}:{episode}", namespace(app));
    Ok(Draft::new(receipt).with_key(Some(key)))
}

/// Argo CD cannot compare what runs with what should: nothing is broken yet, and nothing can be deployed.
fn unknown(app: Members<'_>, name: &str, received_at: Timestamp) -> Draft {
    let message =
        conditions(app).unwrap_or_else(|| "Argo CD cannot tell whether the application is in sync".to_owned());
    let episode = app.first(&["/status/conditions/0/lastTransitionTime", "/status/operationState/finishedAt"]);
    let at = episode.and_then(crate::receive::body::time).unwrap_or(received_at);
    let receipt = Receipt::new("signal", at, name)
        .with("colour", Value::text("yellow"))
        .with("message", Value::text(message))
        .with_text("environment", app.text("/spec/destination/namespace"));
    let key = episode.map(|episode| format!("{SOURCE}:{}:{name}:sync-unknown:{episode}", namespace(app)));
    Draft::new(receipt).with_key(key)
}

fn deletion(app: Members<'_>, name: &str, received_at: Timestamp) -> Result<Draft> {
    let at = app.time("/metadata/deletionTimestamp", received_at)?;
    let receipt = Receipt::new("change", at, name)
        .with("changeType", Value::text("infrastructure"))
        .with("key", Value::text("application deleted"))
        .with_text("environment", app.text("/spec/destination/namespace"));
    Ok(Draft::new(receipt).with_key(Some(format!("{SOURCE}:{}:{name}:deleted:{at}", namespace(app)))))
}

fn conditions(app: Members<'_>) -> Option<String> {
    let conditions = app.at("/status/conditions").and_then(Json::as_array)?;
    let messages: Vec<&str> = conditions.iter().filter_map(|one| one.get("message").and_then(Json::as_str)).collect();
    (!messages.is_empty()).then(|| messages.join("\n"))
}
