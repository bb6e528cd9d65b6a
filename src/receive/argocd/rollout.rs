//! A rollout of Argo Rollouts, in the state that a notification was sent for.

use serde_json::Value as Json;

use super::{deployment, namespace};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::receipt::Value;
use crate::receive::members::Members;
use crate::receive::{Draft, body};

const SOURCE: &str = "argo-rollouts";
/// Counts the changes of the pod template; a version that comes back has a new number.
const REVISION: &str = "/metadata/annotations/rollout.argoproj.io~1revision";

/// A rollout is a deployment of its own; one that was aborted has gone back to the version before. The resource may be
/// older than the event it was sent for, so a template that names the event knows better, and it happened just now.
pub(super) fn read(rollout: Members<'_>, event: Option<&str>, received_at: Timestamp) -> Result<Option<Draft>> {
    let name = rollout.need("/metadata/name")?;
    let is_aborted = rollout.at("/status/abort").and_then(Json::as_bool) == Some(true);
    let status = match event.map(|event| event.trim_start_matches("on-").trim_start_matches("rollout-")) {
        Some("updated") => "started",
        Some("completed") => "succeeded",
        Some("aborted") => "rolled_back",
        Some("degraded") => "failed",
        Some(_) => return Ok(None),
        None => match rollout.text("/status/phase") {
            _ if is_aborted => "rolled_back",
            Some("Degraded") => "failed",
            Some("Healthy") => "succeeded",
            Some("Progressing") => "started",
            _ => return Ok(None),
        },
    };
    let image = rollout.text("/spec/template/spec/containers/0/image");
    let hash = rollout.text("/status/currentPodHash");
    let at = if event.is_some() { received_at } else { happened(rollout, status).unwrap_or(received_at) };
    let mut receipt = deployment(rollout, name, status, at)
        .with_text("version", image.and_then(tag).or(hash))
        .with("source", Value::text(SOURCE))
        .with_text("summary", rollout.text("/status/message"));
    let generation = event.and(rollout.at("/metadata/generation")).map(Json::to_string);
    for (label, text) in
        [("podHash", hash), ("revision", rollout.text(REVISION)), ("generation", generation.as_deref())]
    {
        if let Some(text) = text {
            receipt.label(label, text);
        }
    }
    let key = episode(rollout, generation.as_deref().unwrap_or_default(), status);
    let key = key.map(|episode| format!("{SOURCE}:{}:{name}:{status}:{episode}", namespace(rollout)));
    Ok(Some(Draft::new(receipt).with_key(key)))
}

/// What tells one rollout from the next. An event may come with the status of the rollout before, but always with the
/// generation of its own; without an event the generation would make each change of scale a deployment.
fn episode(rollout: Members<'_>, generation: &str, status: &str) -> Option<String> {
    let revision = rollout.first(&[REVISION, "/status/currentPodHash"])?;
    let aborted_at = rollout.text("/status/abortedAt").filter(|_| status == "rolled_back").unwrap_or_default();
    Some(format!("{revision}:{generation}:{aborted_at}"))
}

/// When an abort, or the newest of the conditions, says that it happened.
fn happened(rollout: Members<'_>, status: &str) -> Option<Timestamp> {
    let aborted_at = rollout.text("/status/abortedAt").filter(|_| status == "rolled_back");
    if let Some(at) = aborted_at.and_then(body::time) {
        return Some(at);
    }
    let conditions = rollout.at("/status/conditions").and_then(Json::as_array)?;
    let times = conditions.iter().filter_map(|one| one.get("lastUpdateTime").and_then(Json::as_str));
    times.filter_map(body::time).max()
}

/// What follows the name of an image: its tag, or else its digest.
fn tag(image: &str) -> Option<&str> {
    let (name, digest) = image.split_once('@').map_or((image, None), |(name, digest)| (name, Some(digest)));
    let last = name.rsplit('/').next().unwrap_or(name);
    last.split_once(':').map(|(_, tag)| tag).or(digest)
}
