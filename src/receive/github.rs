//! GitHub's webhooks: `deployment` and `deployment_status` become `deployment` receipts.

use serde_json::{Map, Value as Json};

use super::body::{self, filled};
use super::{ComponentMapping, Draft, Item, Received, Receiver, signature};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::receipt::{Receipt, Value};
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
        signature::verify_github(secret, delivery.body, delivery.header("x-hub-signature-256"))
    }),
    reply: None,
    handshake: None,
};

const RULE: &str = "github";
const SOURCE: &str = "github";

/// Reads one delivery: `event` is `X-GitHub-Event`, and `content_type` says whether the body is JSON or a form with JSON in
/// `payload`.
///
/// A status has its own number at GitHub, which names the fact better than `X-GitHub-Delivery` does: deliveries of several
/// webhooks tell it once. The component
/// is what `deployment.payload` says in one of the mapping's labels, or else the repository's name. Other events, and
/// deployments that went inactive, record nothing.
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
    let payload = payload(body, content_type)?;
    let delivery = Delivery { event, payload: &payload, received_at, mapping };
    match event {
        "deployment" => delivery.deployment(),
        "deployment_status" => delivery.deployment_status(),
        _ => Ok(Received::nothing()),
    }
}

fn payload(body: &[u8], content_type: &str) -> Result<Map<String, Json>> {
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return body::object(body);
    }
    let (_, json) = form_urlencoded::parse(body).find(|(name, _)| name == "payload").ok_or_else(|| {
        Error::invalid("the form has no field payload").hint("choose application/json as the webhook's content type")
    })?;
    body::object(json.as_bytes())
}

/// One delivery of a webhook.
struct Delivery<'a> {
    event: &'a str,
    payload: &'a Map<String, Json>,
    received_at: Timestamp,
    mapping: &'a ComponentMapping,
}

impl Delivery<'_> {
    fn deployment(&self) -> Result<Received> {
        let number = self.number("/deployment/id")?;
        let receipt = self.receipt("started", "created", "/deployment")?;
        self.received(receipt, "deployment", number)
    }

    fn deployment_status(&self) -> Result<Received> {
        let number = self.number("/deployment_status/id")?;
        let state = self.need("/deployment_status/state")?;
        let status = match state {
            "success" => "succeeded",
            "failure" | "error" => "failed",
            "in_progress" | "pending" | "queued" | "waiting" => "started",
            "inactive" => return Ok(Received::nothing()),
            other => {
                let violation = body::violation(
                    RULE,
                    "deployment_status.state",
                    Some(other),
                    format!("deployment_status.state \"{}\" is not known", body::clip(other)),
                    "known are success, failure, error, in_progress, pending, queued, waiting and inactive",
                );
                return Ok(Received::of(vec![Item::Refused(vec![violation])]));
            }
        };
        let receipt = self.receipt(status, state, "/deployment_status")?.with_label("state", state);
        self.received(receipt, "deployment_status", number)
    }

    /// The receipt of a deployment that is `status` in our words and `state` in GitHub's, told by the member at `told`.
    fn receipt(&self, status: &str, state: &str, told: &str) -> Result<Receipt> {
        let of_status = |member: &str| self.text(&format!("{told}/{member}"));
        let repository = self.need("/repository/name")?;
        let full_name = self.text("/repository/full_name").unwrap_or(repository);
        let environment = of_status("environment").or_else(|| self.text("/deployment/environment"));
        let reference = self.need("/deployment/ref")?;
        let actor = of_status("creator/login").or_else(|| self.text("/deployment/creator/login"));
        let url = of_status("target_url")
            .or_else(|| of_status("log_url"))
            .or_else(|| self.text("/workflow_run/html_url"))
            .or_else(|| self.text("/repository/html_url"));
        let component = self.component().unwrap_or_else(|| repository.to_owned());
        let place = environment.unwrap_or("an unnamed environment");
        let mut receipt = Receipt::new("deployment", self.time(told)?, &component)
            .with("status", Value::text(status))
            .with("version", Value::text(reference))
            .with("source", Value::text(SOURCE))
            .with("summary", Value::text(format!("{full_name} {reference} to {place}: {state}")))
            .with_text("commit", self.text("/deployment/sha"))
            .with_text("environment", environment)
            .with_text("actor", actor.or_else(|| self.text("/sender/login")))
            .with_text("url", url)
            .with_label("repository", full_name)
            .with_label("deployment_id", &self.number("/deployment/id")?.to_string());
        let description = of_status("description").or_else(|| self.text("/deployment/description"));
        for (label, text) in [
            ("task", self.text("/deployment/task")),
            ("workflow", self.text("/workflow/name").or_else(|| self.text("/workflow_run/name"))),
            ("description", description),
        ] {
            if let Some(text) = text {
                receipt.label(label, text);
            }
        }
        Ok(receipt)
    }

    /// The fact's number is its name at one GitHub; the repository's address tells github.com from Enterprise Server.
    fn received(&self, receipt: Receipt, what: &str, number: u64) -> Result<Received> {
        let full_name = self.text("/repository/full_name");
        let repository =
            self.text("/repository/html_url").or(full_name).map_or_else(|| self.need("/repository/name"), Ok)?;
        let repository = repository.trim_start_matches("https://");
        let key = Some(format!("{SOURCE}:{what}:{repository}:{number}"));
        Ok(Received::of(vec![Item::Receipt(Draft { receipt, key })]))
    }

    /// Whoever creates a deployment may say in its payload, an object or JSON in a text, what it deploys.
    fn component(&self) -> Option<String> {
        let given = self.payload.get("deployment")?.get("payload")?;
        let parsed = given.as_str().and_then(|text| serde_json::from_str(text).ok());
        let given: &Json = parsed.as_ref().unwrap_or(given);
        self.mapping.component_by_name(|name| filled(given.get(name)))
    }

    fn time(&self, told: &str) -> Result<Timestamp> {
        let Some(text) = self.text(&format!("{told}/created_at")).or_else(|| self.text(&format!("{told}/updated_at")))
        else {
            return Ok(self.received_at);
        };
        body::time(text).ok_or_else(|| {
            let member = told.trim_start_matches('/');
            Error::invalid(format!("{member}.created_at \"{}\" is not a time", body::clip(text)))
                .hint("send RFC 3339, such as 2026-01-26T18:40:00Z")
        })
    }

    fn text(&self, pointer: &str) -> Option<&str> {
        filled(self.at(pointer))
    }

    fn need(&self, pointer: &str) -> Result<&str> {
        self.text(pointer).ok_or_else(|| self.missing(pointer))
    }

    fn number(&self, pointer: &str) -> Result<u64> {
        self.at(pointer).and_then(Json::as_u64).ok_or_else(|| self.missing(pointer))
    }

    fn at(&self, pointer: &str) -> Option<&Json> {
        let (first, rest) = pointer[1..].split_once('/')?;
        rest.split('/').try_fold(self.payload.get(first)?, |json, member| json.get(member))
    }

    fn missing(&self, pointer: &str) -> Error {
        let member = pointer[1..].replace('/', ".");
        Error::invalid(format!("the {} payload has no {member}", self.event))
            .hint("send GitHub's own payload; the webhook's page on GitHub shows it under Recent Deliveries")
    }
}
