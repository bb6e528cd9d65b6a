//! Notifications of Argo CD and Argo Rollouts. Their body is the user's template, so naze takes the resource itself:
//! `{"app": {{toJson .app}}}` or `{"event": "completed", "rollout": {{toJson .rollout}}}`. `examples/argocd` has templates
//! for rollouts, and for applications those that send events to `/events`; use one way or the other, since the same sync
//! told both ways is two receipts.

mod application;
mod rollout;

use serde_json::Value as Json;

use super::members::Members;
use super::{Delivery, Given, Item, Received, Receiver, body};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::receipt::{Receipt, Value};

/// The `webhook` service of Argo's notifications.
pub(super) const RECEIVER: Receiver = Receiver { name: SOURCE, paths: &["/hooks/argocd"], read, ..Receiver::PLAIN };

const SOURCE: &str = "argocd";

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let document = Json::Object(body::object(delivery.body)?);
    let notification = Members::of("notification", &document);
    let drafts = match (notification.at("/app"), notification.at("/rollout")) {
        (Some(app), _) => application::read(Members::of("app", app), notification, given.received_at)?,
        (None, Some(rollout)) => {
            let event = notification.text("/event");
            rollout::read(Members::of("rollout", rollout), event, given.received_at)?.into_iter().collect()
        }
        (None, None) => {
            return Err(Error::invalid("the body has neither app nor rollout")
                .hint("make the body {\"app\": {{toJson .app}}}, or use the templates of examples/argocd"));
        }
    };
    if drafts.is_empty() {
        return Ok(Received::nothing());
    }
    Ok(Received::of(drafts.into_iter().map(Item::Receipt).collect()))
}

/// A step of a deployment, as both kinds of resource tell it.
fn deployment(resource: Members<'_>, name: &str, status: &str, at: Timestamp) -> Receipt {
    let mut receipt = Receipt::new("deployment", at, name)
        .with("status", Value::text(status))
        .with_text("environment", resource.first(&["/spec/destination/namespace", "/metadata/namespace"]));
    let labels = [
        ("cluster", resource.first(&["/spec/destination/name", "/spec/destination/server"])),
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
