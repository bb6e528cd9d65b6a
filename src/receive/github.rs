//! GitHub's webhooks: deployments, pushes to the default branch, releases and workflow runs.

mod deployment;
mod repository;

use serde_json::Value as Json;

use super::body::{self, filled};
use super::members::Members;
use super::{ComponentMapping, Draft, Item, Received, Receiver, signature};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::receipt::Receipt;
use crate::vocab::Vocabulary;

/// GitHub's webhooks.
pub(super) const RECEIVER: Receiver = Receiver {
    name: SOURCE,
    paths: &["/hooks/github"],
    read: |delivery, given| {
        let event = delivery.header("x-github-event").unwrap_or_default();
        if event.is_empty() {
            return Err(Error::invalid("the header X-GitHub-Event is missing").hint("point a GitHub webhook here"));
        }
        let media_type = delivery.media_type();
        github(event, delivery.body, media_type, given.received_at, given.mapping, given.vocabulary)
    },
    verify: Some(|secret, delivery| {
        signature::verify(SOURCE, SIGNATURE, "sha256=", secret, delivery.body, delivery.header(SIGNATURE))
    }),
    ..Receiver::PLAIN
};

const SOURCE: &str = "github";
const SIGNATURE: &str = "X-Hub-Signature-256";

/// Reads one delivery: `event` is `X-GitHub-Event`, and `content_type` says whether the body is JSON or a form with JSON in
/// `payload`.
///
/// What GitHub numbers is named by its number, which names the fact better than `X-GitHub-Delivery` does: deliveries of
/// several webhooks tell it once. The component is what `deployment.payload` says in one of the mapping's labels, or else
/// the repository's name. Other events, and deployments that went inactive, record nothing.
///
/// # Errors
/// `Invalid` when the body is no JSON object or lacks a member that the event must have; names the member.
pub fn github(
    event: &str,
    body: &[u8],
    content_type: &str,
    received_at: Timestamp,
    mapping: &ComponentMapping,
    _vocabulary: &Vocabulary,
) -> Result<Received> {
    let document = document(body, content_type)?;
    let what = format!("{event} payload");
    let payload = Payload { members: Members::of(&what, &document), received_at, mapping };
    match event {
        "deployment" => payload.deployment(),
        "deployment_status" => payload.deployment_status(),
        "push" => payload.push(),
        "release" => payload.release(),
        "workflow_run" => payload.workflow_run(),
        _ => Ok(Received::nothing()),
    }
}

fn document(body: &[u8], content_type: &str) -> Result<Json> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return body::object(body).map(Json::Object);
    }
    let (_, json) = form_urlencoded::parse(body).find(|(name, _)| name == "payload").ok_or_else(|| {
        Error::invalid("the form has no field payload").hint("choose application/json as the webhook's content type")
    })?;
    body::object(json.as_bytes()).map(Json::Object)
}

/// One delivery of a webhook.
struct Payload<'a> {
    members: Members<'a>,
    received_at: Timestamp,
    mapping: &'a ComponentMapping,
}

impl Payload<'_> {
    /// The fact's number is its name at one GitHub; the repository's address tells github.com from Enterprise Server.
    fn received(&self, receipt: Receipt, what: &str, number: &str) -> Result<Received> {
        let address = self.members.first(&["/repository/html_url", "/repository/full_name"]);
        let repository = address.map_or_else(|| self.members.need("/repository/name"), Ok)?;
        let repository = repository.trim_start_matches("https://");
        let key = Some(format!("{SOURCE}:{what}:{repository}:{number}"));
        Ok(Received::of(vec![Item::Receipt(Draft::new(receipt).with_key(key))]))
    }

    fn full_name(&self) -> Result<&str> {
        let full_name = self.members.text("/repository/full_name");
        full_name.map_or_else(|| self.members.need("/repository/name"), Ok)
    }

    /// Whoever creates a deployment may say in its payload, an object or JSON in a text, what it deploys.
    fn component(&self) -> Result<String> {
        let given = self.members.at("/deployment/payload");
        let parsed = given.and_then(Json::as_str).and_then(|text| serde_json::from_str(text).ok());
        let told = parsed.as_ref().or(given);
        let named = told.and_then(|told: &Json| self.mapping.component_by_name(|name| filled(told.get(name))));
        named.map_or_else(|| self.members.need("/repository/name").map(str::to_owned), Ok)
    }
}
