//! Notifications of Argo CD and Argo Rollouts. Their body is the user's template, so naze takes the resource itself:
//! `{"app": {{toJson .app}}}` or `{"event": "completed", "rollout": {{toJson .rollout}}}`. `examples/argocd` ships such
//! templates, and those that send events to `/events` instead.

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
    let draft = match (notification.at("/app"), notification.at("/rollout")) {
        (Some(app), _) => application::read(Members::of("app", app), notification, given.received_at)?,
        (None, Some(rollout)) => {
            rollout::read(Members::of("rollout", rollout), notification.text("/event"), given.received_at)?
        }
        (None, None) => {
            return Err(Error::invalid("the body has neither app nor rollout")
                .hint("use the templates of examples/argocd: {\"app\": {{toJson .app}}}"));
        }
    };
    Ok(draft.map_or_else(Received::nothing, |draft| Received::of(vec![Item::Receipt(draft)])))
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

fn namespace<'a>(resource: Members<'a>) -> &'a str {
    resource.text("/metadata/namespace").unwrap_or_default()
}
