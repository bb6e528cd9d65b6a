//! `deployment` and `deployment_status`: both become `deployment` receipts.

use super::{Payload, SOURCE};
use crate::error::Result;
use crate::receipt::{Receipt, Value};
use crate::receive::{Item, Received, body};

const RULE: &str = "github";

impl Payload<'_> {
    pub(super) fn deployment(&self) -> Result<Received> {
        let number = self.members.number("/deployment/id")?;
        let receipt = self.deployed("started", "created", "/deployment")?;
        self.received(receipt, "deployment", &number.to_string())
    }

    pub(super) fn deployment_status(&self) -> Result<Received> {
        let number = self.members.number("/deployment_status/id")?;
        let state = self.members.need("/deployment_status/state")?;
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
        let receipt = self.deployed(status, state, "/deployment_status")?.with_label("state", state);
        self.received(receipt, "deployment_status", &number.to_string())
    }

    /// The receipt of a deployment that is `status` in our words and `state` in GitHub's, told by the member at `told`.
    fn deployed(&self, status: &str, state: &str, told: &str) -> Result<Receipt> {
        let members = self.members;
        let of_status = |member: &str| members.text(&format!("{told}/{member}"));
        let component = self.component()?;
        let full_name = self.full_name()?;
        let environment = of_status("environment").or_else(|| members.text("/deployment/environment"));
        let reference = members.need("/deployment/ref")?;
        let actor =
            of_status("creator/login").or_else(|| members.first(&["/deployment/creator/login", "/sender/login"]));
        let url = of_status("target_url")
            .or_else(|| of_status("log_url"))
            .or_else(|| members.first(&["/workflow_run/html_url", "/repository/html_url"]));
        let place = environment.unwrap_or("an unnamed environment");
        let at = members.time(&format!("{told}/updated_at"), self.received_at);
        let at = if of_status("created_at").is_some() {
            members.time(&format!("{told}/created_at"), self.received_at)
        } else {
            at
        };
        let mut receipt = Receipt::new("deployment", at?, &component)
            .with("status", Value::text(status))
            .with("version", Value::text(reference))
            .with("source", Value::text(SOURCE))
            .with("summary", Value::text(format!("{full_name} {reference} to {place}: {state}")))
            .with_text("commit", members.text("/deployment/sha"))
            .with_text("environment", environment)
            .with_text("actor", actor)
            .with_text("url", url)
            .with_label("repository", full_name)
            .with_label("deployment_id", &members.number("/deployment/id")?.to_string());
        let description = of_status("description").or_else(|| members.text("/deployment/description"));
        for (label, text) in [
            ("task", members.text("/deployment/task")),
            ("workflow", members.first(&["/workflow/name", "/workflow_run/name"])),
            ("description", description),
        ] {
            if let Some(text) = text {
                receipt.label(label, text);
            }
        }
        Ok(receipt)
    }
}
