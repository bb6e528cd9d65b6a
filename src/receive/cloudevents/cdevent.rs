//! CDEvents 0.3 to 0.6: what continuous delivery does to the running system.
//!
//! A type is `dev.cdevents.<subject>.<predicate>.<version>`; subject and predicate tell what it means, whatever the version.

use serde_json::Value as Json;

use crate::clock::Timestamp;
use crate::receipt::{Receipt, Value};
use crate::receive::members::Members;
use crate::receive::{COMPONENT_UNKNOWN, Cause, Draft, body};
use crate::validate::Violation;

const RULE: &str = "cdevents";
/// Links of one event that are kept.
const LINKS_MAX: usize = 100;

type Read<T> = Result<T, Violation>;

/// The receipt of a `CDEvent`; `None` for those that say nothing of the running system or the way to it.
pub(super) fn read(document: &Json, received_at: Timestamp) -> Read<Option<Draft>> {
    let members = Members::of("CDEvent", document);
    let at = members
        .time("/context/timestamp", received_at)
        .map_err(|error| violation("context.timestamp", members.text("/context/timestamp"), error.message()))?;
    let event = Cdevent { members, at };
    let event_type = event.need("/context/type")?;
    let mut words = event_type.strip_prefix(super::CDEVENT_TYPE).unwrap_or_default().split('.');
    let (subject, predicate) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let receipt = match (subject, predicate) {
        ("service", "deployed" | "upgraded") => event.deployment("succeeded")?,
        ("service", "rolledback") => event.deployment("rolled_back")?,
        ("service", "removed" | "published") => event.change(event.id()?, &format!("service {predicate}")),
        ("environment", "created" | "modified" | "deleted") => event.environment(predicate)?,
        ("change", "merged") => event.merge()?,
        ("incident", "detected") => event.incident("open")?.with("detectedAt", Value::Time(at)),
        ("incident", "reported") => event.incident("open")?,
        ("incident", "resolved") => event.incident("resolved")?,
        ("pipelinerun" | "taskrun" | "build", "finished") => event.run(subject)?,
        ("artifact", "packaged" | "published" | "signed") => event.artifact(predicate)?,
        ("artifact", "deleted") => {
            let artifact = event.id()?;
            event
                .change(name_of(artifact).as_deref().unwrap_or(artifact), "artifact deleted")
                .with_label("artifact", artifact)
        }
        ("testsuiterun" | "testcaserun", "finished") => match event.outcome() {
            Some(pass) => event.test(subject, pass)?,
            None => return Ok(None),
        },
        ("approval", "closed") => match members.text("/subject/content/decision") {
            Some("approved") => event.approval(true)?,
            Some("rejected" | "denied") => event.approval(false)?,
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    Ok(Some(event.with_context(receipt)))
}

struct Cdevent<'a> {
    members: Members<'a>,
    at: Timestamp,
}

impl<'a> Cdevent<'a> {
    fn need(&self, pointer: &str) -> Read<&'a str> {
        self.members.need(pointer).map_err(|error| violation(&pointer[1..].replace('/', "."), None, error.message()))
    }

    fn id(&self) -> Read<&'a str> {
        self.need("/subject/id")
    }

    fn content(&self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|name| self.members.text(&format!("/subject/content/{name}")))
    }

    fn receipt(&self, kind: &str, component: &str) -> Receipt {
        Receipt::new(kind, self.at, component)
            .with_text("environment", self.content(&["environment/id"]))
            .with_text("url", self.content(&["uri", "url", "ticketURI", "approvalDetailsUrl"]))
    }

    fn deployment(&self, status: &str) -> Read<Receipt> {
        let component = self.id()?;
        self.need("/subject/content/environment/id")?;
        let artifact = self.need("/subject/content/artifactId")?;
        Ok(self
            .receipt("deployment", component)
            .with("status", Value::text(status))
            .with_text("version", version_of(artifact).as_deref())
            .with("summary", Value::text(format!("{component}: {}", status.replace('_', " "))))
            .with_label("artifact", artifact))
    }

    fn change(&self, component: &str, key: &str) -> Receipt {
        self.receipt("change", component)
            .with("changeType", Value::text("infrastructure"))
            .with("key", Value::text(key))
            .with_text("summary", self.content(&["name", "description"]))
    }

    fn environment(&self, predicate: &str) -> Read<Receipt> {
        let mut receipt = self.change(self.id()?, &format!("environment {predicate}"));
        receipt.set("environment", Value::text(self.id()?));
        Ok(receipt)
    }

    fn merge(&self) -> Read<Receipt> {
        let repository = self.content(&["repository/id"]).or_else(|| self.members.text("/subject/source"));
        Ok(self
            .receipt("change", repository.unwrap_or(COMPONENT_UNKNOWN))
            .with("changeType", Value::text("other"))
            .with("key", Value::text(self.id()?))
            .with_text("summary", self.content(&["description"])))
    }

    fn incident(&self, status: &str) -> Read<Receipt> {
        let component =
            self.content(&["service/id"]).map_or_else(|| self.need("/subject/content/environment/id"), Ok)?;
        let receipt = self
            .receipt("incident", component)
            .with("reference", Value::text(self.id()?))
            .with("status", Value::text(status))
            .with_text("summary", self.content(&["description"]));
        Ok(match self.content(&["artifactId"]) {
            Some(artifact) => receipt.with_label("artifact", artifact),
            None => receipt,
        })
    }

    /// A run is one of many, so it is its pipeline, task or artifact that names the component.
    fn run(&self, subject: &str) -> Read<Receipt> {
        let artifact = self.content(&["artifactId"]);
        let named = self.content(&["pipelineName", "taskName"]).map(str::to_owned);
        let component = named.or_else(|| artifact.and_then(name_of)).unwrap_or_else(|| COMPONENT_UNKNOWN.to_owned());
        let mut receipt = self
            .receipt("stage", &component)
            .with("stageName", Value::text(subject))
            .with_text("summary", self.content(&["errors", "reason"]))
            .with_label("run", self.id()?);
        if let Some(ok) = self.outcome() {
            receipt.push("ok", Value::Boolean(ok));
        }
        for (label, text) in [
            ("outcome", self.content(&["outcome"])),
            ("artifact", artifact),
            ("pipelinerun", self.content(&["pipelineRun/id"])),
        ] {
            if let Some(text) = text {
                receipt.label(label, text);
            }
        }
        Ok(receipt)
    }

    fn artifact(&self, predicate: &str) -> Read<Receipt> {
        let artifact = self.id()?;
        Ok(self
            .receipt("stage", name_of(artifact).as_deref().unwrap_or(artifact))
            .with("stageName", Value::text(format!("artifact {predicate}")))
            .with("ok", Value::Boolean(true))
            .with_text("actor", self.content(&["user"]))
            .with_label("artifact", artifact))
    }

    fn test(&self, subject: &str, pass: bool) -> Read<Receipt> {
        let id = self.id()?;
        let about = if subject == "testsuiterun" { "testSuite" } else { "testCase" };
        let name = self.content(&[&format!("{about}/name"), &format!("{about}/id")]);
        let environment = self.content(&["environment/id"]);
        Ok(self
            .receipt("gate", environment.unwrap_or(COMPONENT_UNKNOWN))
            .with("gateName", Value::text(name.unwrap_or(id)))
            .with("pass", Value::Boolean(pass))
            .with_text("severity", (!pass).then(|| self.severity()).flatten())
            .with_text("summary", self.content(&["reason"]))
            .with_label("run", id))
    }

    fn approval(&self, pass: bool) -> Read<Receipt> {
        let receipt = self
            .receipt("gate", COMPONENT_UNKNOWN)
            .with("gateName", Value::text("approval"))
            .with("pass", Value::Boolean(pass))
            .with("reference", Value::text(self.id()?))
            .with_text("actor", self.content(&["responder"]));
        Ok(match self.content(&["resourceTargetUrl"]) {
            Some(target) => receipt.with_label("target", target),
            None => receipt,
        })
    }

    fn severity(&self) -> Option<&'static str> {
        Some(match self.content(&["severity"])? {
            "critical" | "high" => "critical",
            "medium" => "warning",
            _ => "info",
        })
    }

    /// Did it end well? `None` when it was cancelled, or does not say.
    fn outcome(&self) -> Option<bool> {
        match self.content(&["outcome"])? {
            "success" | "pass" => Some(true),
            "failure" | "fail" | "error" => Some(false),
            _ => None,
        }
    }

    /// What the event's context tells: the chain it belongs to, and the events it came from. Links of a path, and those
    /// that triggered it, are causes; what other relations mean is the sender's to know.
    fn with_context(&self, receipt: Receipt) -> Draft {
        let members = self.members;
        let receipt = receipt
            .with_text("correlationId", members.text("/context/chainId"))
            .with_text("source", members.text("/context/source"));
        let mut draft = Draft::new(receipt);
        let links = members.at("/context/links").and_then(Json::as_array);
        for (place, link) in links.into_iter().flatten().take(LINKS_MAX).enumerate() {
            let link = Members::of("link", link);
            let Some(event) = link.first(&["/target/contextId", "/from/contextId"]) else { continue };
            let kind = link.first(&["/linkKind", "/linkType"]).unwrap_or("link").to_ascii_lowercase();
            draft.receipt.label(&format!("link.{}.{kind}", place + 1), event);
            if link.text("/from/contextId").is_some() || kind == "trigger" {
                draft.causes.push(Cause::Event(event.to_owned()));
            }
        }
        for (name, value) in members.at("/customData").and_then(Json::as_object).into_iter().flatten() {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            draft.receipt.label(&format!("custom.{name}"), &text);
        }
        draft
    }
}

/// Name and version of a package URL, `pkg:type/namespace/name@version?qualifiers#subpath`.
fn package(artifact: &str) -> (&str, Option<&str>) {
    let bare = artifact.split(['?', '#']).next().unwrap_or(artifact);
    let last = bare.rsplit('/').next().unwrap_or(bare);
    last.split_once('@').map_or((last, None), |(name, version)| (name, Some(version)))
}

fn name_of(artifact: &str) -> Option<String> {
    body::percent_decoded(package(artifact).0).filter(|name| !name.is_empty())
}

fn version_of(artifact: &str) -> Option<String> {
    package(artifact).1.and_then(body::percent_decoded)
}

pub(super) fn violation(field: &str, value: Option<&str>, message: &str) -> Violation {
    body::violation(RULE, field, value, message.to_owned(), "send the CDEvent as its specification has it")
}
