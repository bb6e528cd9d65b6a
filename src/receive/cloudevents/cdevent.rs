//! CDEvents 0.3 to 0.6: what continuous delivery does to the running system.
//!
//! A type is `dev.cdevents.<subject>.<predicate>.<version>`; subject and predicate tell what it means, whatever the version.

use serde_json::Value as Json;

use super::key;
use crate::clock::Timestamp;
use crate::receipt::{Receipt, Value};
use crate::receive::members::Members;
use crate::receive::{COMPONENT_UNKNOWN, Draft, Given, body};
use crate::validate::Violation;

const RULE: &str = "cdevents";

/// The receipt of a CDEvent; `None` for those that change nothing in the running system.
pub(super) fn read(document: &Json, given: &Given<'_>) -> Result<Option<Draft>, Violation> {
    let event = Cdevent { members: Members::of("CDEvent", document) };
    let event_type = event.need("/context/type")?;
    let at = event.members.time("/context/timestamp", given.received_at);
    let at = at.map_err(|error| {
        violation("context.timestamp", event.members.text("/context/timestamp"), &error.to_string())
    })?;
    let mut words = event_type.strip_prefix("dev.cdevents.").unwrap_or_default().split('.');
    let (subject, predicate) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let receipt = match (subject, predicate) {
        ("service", "deployed" | "upgraded") => event.deployment("succeeded", at)?,
        ("service", "rolledback") => event.deployment("rolled_back", at)?,
        ("service", "removed") => event.change(event.need("/subject/id")?, "infrastructure", "service removed", at),
        ("environment", "created" | "modified" | "deleted") => {
            event.change(event.need("/subject/id")?, "infrastructure", &format!("environment {predicate}"), at)
        }
        ("change", "merged") => {
            let repository = event.members.first(&["/subject/content/repository/id", "/subject/source"]);
            event.change(repository.unwrap_or(COMPONENT_UNKNOWN), "other", event.need("/subject/id")?, at)
        }
        ("incident", "detected" | "reported") => event.incident("open", at)?,
        ("incident", "resolved") => event.incident("resolved", at)?,
        ("pipelinerun" | "taskrun" | "build", "finished") => match event.outcome() {
            Some(ok) => event.stage(subject, ok, at)?,
            None => return Ok(None),
        },
        ("testsuiterun" | "testcaserun", "finished") => match event.outcome() {
            Some(pass) => event.gate(subject, pass, at)?,
            None => return Ok(None),
        },
        _ => return Ok(None),
    };
    let name = event.members.text("/context/source").zip(event.members.text("/context/id"));
    Ok(Some(Draft::new(event.with_context(receipt)).with_key(name.map(|(source, id)| key(source, id)))))
}

struct Cdevent<'a> {
    members: Members<'a>,
}

impl<'a> Cdevent<'a> {
    fn need(&self, pointer: &str) -> Result<&'a str, Violation> {
        self.members.need(pointer).map_err(|error| violation(&pointer[1..].replace('/', "."), None, error.message()))
    }

    fn deployment(&self, status: &str, at: Timestamp) -> Result<Receipt, Violation> {
        let component = self.need("/subject/id")?;
        let artifact = self.members.text("/subject/content/artifactId");
        let environment = self.members.text("/subject/content/environment/id");
        let receipt = Receipt::new("deployment", at, component)
            .with("status", Value::text(status))
            .with_text("version", artifact.map(version_of))
            .with_text("environment", environment)
            .with("summary", Value::text(format!("{component}: {}", status.replace('_', " "))));
        Ok(match artifact {
            Some(artifact) => receipt.with_label("artifact", artifact),
            None => receipt,
        })
    }

    fn change(&self, component: &str, change_type: &str, key: &str, at: Timestamp) -> Receipt {
        let name = self.members.first(&["/subject/content/name", "/subject/content/description"]);
        Receipt::new("change", at, component)
            .with("changeType", Value::text(change_type))
            .with("key", Value::text(key))
            .with_text("summary", name)
            .with_text("environment", self.members.text("/subject/content/environment/id"))
            .with_text("url", self.members.first(&["/subject/content/uri", "/subject/content/url"]))
    }

    fn incident(&self, status: &str, at: Timestamp) -> Result<Receipt, Violation> {
        let members = self.members;
        let component = members.first(&["/subject/content/service/id", "/subject/content/environment/id"]);
        Ok(Receipt::new("incident", at, component.unwrap_or(COMPONENT_UNKNOWN))
            .with("reference", Value::text(self.need("/subject/id")?))
            .with("status", Value::text(status))
            .with_text("summary", members.text("/subject/content/description"))
            .with_text("environment", members.text("/subject/content/environment/id"))
            .with_text("url", members.text("/subject/content/ticketURI")))
    }

    fn stage(&self, subject: &str, ok: bool, at: Timestamp) -> Result<Receipt, Violation> {
        let id = self.need("/subject/id")?;
        let name = self.members.first(&["/subject/content/pipelineName", "/subject/content/taskName"]);
        Ok(Receipt::new("stage", at, name.unwrap_or(id))
            .with("stageName", Value::text(subject))
            .with("ok", Value::Boolean(ok))
            .with_text("summary", self.members.first(&["/subject/content/errors", "/subject/content/reason"]))
            .with_text("url", self.members.first(&["/subject/content/url", "/subject/content/uri"]))
            .with_label("run", id))
    }

    fn gate(&self, subject: &str, pass: bool, at: Timestamp) -> Result<Receipt, Violation> {
        let id = self.need("/subject/id")?;
        let content = "/subject/content";
        let about = if subject == "testsuiterun" { "testSuite" } else { "testCase" };
        let name = self.members.text(&format!("{content}/{about}/name"));
        let name = name.or_else(|| self.members.text(&format!("{content}/{about}/id")));
        let environment = self.members.text("/subject/content/environment/id");
        Ok(Receipt::new("gate", at, environment.unwrap_or(COMPONENT_UNKNOWN))
            .with("gateName", Value::text(name.unwrap_or(id)))
            .with("pass", Value::Boolean(pass))
            .with_text("environment", environment)
            .with_text("severity", (!pass).then(|| self.severity()).flatten())
            .with_text("summary", self.members.text("/subject/content/reason"))
            .with_label("run", id))
    }

    fn severity(&self) -> Option<&'static str> {
        Some(match self.members.text("/subject/content/severity")? {
            "critical" | "high" => "critical",
            "medium" => "warning",
            _ => "info",
        })
    }

    /// Did it end well? `None` when it was cancelled, or does not say.
    fn outcome(&self) -> Option<bool> {
        match self.members.text("/subject/content/outcome")? {
            "success" | "pass" => Some(true),
            "failure" | "fail" | "error" => Some(false),
            _ => None,
        }
    }

    /// What the event's context tells: the chain it belongs to, and the events it came from.
    fn with_context(&self, receipt: Receipt) -> Receipt {
        let members = self.members;
        let mut receipt = receipt
            .with_text("correlationId", members.text("/context/chainId"))
            .with_text("source", members.text("/context/source"));
        for link in members.at("/context/links").and_then(Json::as_array).into_iter().flatten() {
            let link = Members::of("link", link);
            if let Some(event) = link.first(&["/target/contextId", "/from/contextId"]) {
                let kind = link.first(&["/linkKind", "/linkType"]).unwrap_or("link").to_ascii_lowercase();
                receipt.label(&format!("link.{kind}"), event);
            }
        }
        for (name, value) in members.at("/customData").and_then(Json::as_object).into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            receipt.label(&format!("custom.{name}"), &text);
        }
        receipt
    }
}

/// The version in a package URL: what follows `@`, without qualifiers.
fn version_of(artifact: &str) -> &str {
    let bare = artifact.split(['?', '#']).next().unwrap_or(artifact);
    bare.rsplit_once('@').map_or(bare, |(_, version)| version)
}

fn violation(field: &str, value: Option<&str>, message: &str) -> Violation {
    body::violation(RULE, field, value, message.to_owned(), "send the CDEvent as its specification has it")
}
