//! Argo CD and Argo Rollouts notifications. Their body is the user's template, so naze takes the resource itself:
//! `{"app": {{toJson .app}}}` or `{"rollout": {{toJson .rollout}}}`. `examples/argocd` ships such templates, and one that
//! sends CDEvents to `/events`.

use serde_json::Value as Json;

use super::members::Members;
use super::{Delivery, Draft, Given, Item, Received, Receiver, body};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::receipt::{Receipt, Value};

/// The `webhook` service of Argo CD's notifications.
pub(super) const RECEIVER: Receiver = Receiver { name: SOURCE, paths: &["/hooks/argocd"], read, ..Receiver::PLAIN };

const SOURCE: &str = "argocd";

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = Json::Object(body::object(delivery.body)?);
    let draft = match (document.get("app"), document.get("rollout")) {
        (Some(app), _) => application(Members::of("application", app), given.received_at)?,
        (None, Some(rollout)) => self::rollout(Members::of("rollout", rollout), given.received_at)?,
        (None, None) => {
            return Err(Error::invalid("the body has neither app nor rollout")
                .hint("use the templates of examples/argocd: {\"app\": {{toJson .app}}}"));
        }
    };
    Ok(draft.map_or_else(Received::nothing, |draft| Received::of(vec![Item::Receipt(draft)])))
}

/// A sync that ended is a deployment; an application whose health turned is told as its health.
fn application(app: Members<'_>, received_at: Timestamp) -> Result<Option<Draft>> {
    let name = app.need("/metadata/name")?;
    let health = app.text("/status/health/status");
    let revision = app.first(&["/status/operationState/syncResult/revision", "/status/sync/revision"]);
    let status = match (app.text("/status/operationState/phase"), health) {
        (Some("Failed" | "Error"), _) => "failed",
        (_, Some("Degraded" | "Missing" | "Unknown")) => return self::health(app, name, received_at).map(Some),
        (Some("Succeeded"), Some("Healthy")) => "succeeded",
        (Some("Running"), _) => "started",
        _ => return Ok(None),
    };
    let at = app.first(&["/status/operationState/finishedAt", "/status/operationState/startedAt"]).and_then(body::time);
    let at = at.unwrap_or(received_at);
    let receipt = deployment(app, name, status, revision, at)
        .with_text("commit", revision)
        .with_text("summary", app.text("/status/operationState/message"));
    let key = format!("{SOURCE}:{}:{name}:{status}:{}:{at}", namespace(app), revision.unwrap_or_default());
    Ok(Some(Draft::new(receipt).with_key(Some(key))))
}

fn health(app: Members<'_>, name: &str, received_at: Timestamp) -> Result<Draft> {
    let at = app.time("/status/health/lastTransitionTime", received_at)?;
    let state = if app.text("/status/health/status") == Some("Missing") { "unhealthy" } else { "degraded" };
    let receipt = Receipt::new("health", at, name)
        .with("state", Value::text(state))
        .with("source", Value::text(SOURCE))
        .with_text("reason", app.first(&["/status/health/message", "/status/health/status"]))
        .with_text("environment", app.text("/spec/destination/namespace"));
    Ok(Draft::new(receipt))
}

/// A rollout is a deployment of its own; one that was aborted has gone back to the version before.
fn rollout(rollout: Members<'_>, received_at: Timestamp) -> Result<Option<Draft>> {
    let name = rollout.need("/metadata/name")?;
    let status = match (rollout.at("/status/abort").and_then(Json::as_bool), rollout.text("/status/phase")) {
        (Some(true), _) => "rolled_back",
        (_, Some("Degraded")) => "failed",
        (_, Some("Healthy")) => "succeeded",
        (_, Some("Progressing")) => "started",
        _ => return Ok(None),
    };
    let version = rollout.first(&["/status/currentPodHash", "/status/updatedReplicas"]);
    let receipt =
        deployment(rollout, name, status, version, received_at).with_text("summary", rollout.text("/status/message"));
    let key = version.map(|version| format!("rollouts:{}:{name}:{status}:{version}", namespace(rollout)));
    Ok(Some(Draft::new(receipt).with_key(key)))
}

fn deployment(resource: Members<'_>, name: &str, status: &str, version: Option<&str>, at: Timestamp) -> Receipt {
    let mut receipt = Receipt::new("deployment", at, name)
        .with("status", Value::text(status))
        .with_text("version", version)
        .with("source", Value::text(SOURCE))
        .with_text("environment", resource.first(&["/spec/destination/namespace", "/metadata/namespace"]));
    let labels = [
        ("repository", resource.first(&["/spec/source/repoURL", "/spec/sources/0/repoURL"])),
        ("image", resource.first(&["/status/summary/images/0", "/spec/template/spec/containers/0/image"])),
    ];
    for (label, text) in labels {
        if let Some(text) = text {
            receipt.label(label, text);
        }
    }
    receipt
}

fn namespace(resource: Members<'_>) -> &str {
    resource.text("/metadata/namespace").unwrap_or_default()
}
