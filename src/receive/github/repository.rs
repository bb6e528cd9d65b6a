//! What happens in a repository before anything is deployed: pushes, releases, workflow runs.

use super::{Payload, SOURCE};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::receipt::{Receipt, Value};
use crate::receive::Received;

impl Payload<'_> {
    /// A push changes what the default branch holds; other branches and tags run nowhere yet.
    pub(super) fn push(&self) -> Result<Received> {
        let members = self.members;
        let (branch, after) = (members.need("/ref")?, members.need("/after")?);
        let default = members.first(&["/repository/default_branch", "/repository/master_branch"]);
        let is_default = branch.strip_prefix("refs/heads/").is_some_and(|name| Some(name) == default);
        if !is_default || after.bytes().all(|byte| byte == b'0') {
            return Ok(Received::nothing());
        }
        let at = members.time("/head_commit/timestamp", self.received_at)?;
        let message = members.text("/head_commit/message").and_then(|message| message.lines().next());
        let receipt = self
            .change(branch, at)?
            .with_text("from", members.text("/before"))
            .with("to", Value::text(after))
            .with_text("summary", message)
            .with_text("actor", members.first(&["/pusher/name", "/sender/login"]))
            .with_text("url", members.text("/compare"));
        self.received(receipt, "push", &format!("{branch}:{after}"))
    }

    /// A release is told several times; when it is published everybody can have it.
    pub(super) fn release(&self) -> Result<Received> {
        let members = self.members;
        if members.need("/action")? != "published" {
            return Ok(Received::nothing());
        }
        let number = members.number("/release/id")?;
        let tag = members.need("/release/tag_name")?;
        let receipt = self
            .change("release", members.time("/release/published_at", self.received_at)?)?
            .with("to", Value::text(tag))
            .with("summary", Value::text(members.text("/release/name").unwrap_or(tag)))
            .with_text("actor", members.first(&["/release/author/login", "/sender/login"]))
            .with_text("url", members.text("/release/html_url"));
        self.received(receipt, "release", &number.to_string())
    }

    /// A run that ended well or badly; one that was cancelled or skipped proves nothing.
    pub(super) fn workflow_run(&self) -> Result<Received> {
        let members = self.members;
        let ok = match members.text("/workflow_run/conclusion") {
            Some("success") => true,
            Some("failure" | "timed_out" | "startup_failure") => false,
            _ => return Ok(Received::nothing()),
        };
        if members.need("/action")? != "completed" {
            return Ok(Received::nothing());
        }
        let number = members.number("/workflow_run/id")?;
        let attempt = members.number("/workflow_run/run_attempt").unwrap_or(1);
        let ended = members.time("/workflow_run/updated_at", self.received_at)?;
        let started = members.time("/workflow_run/run_started_at", ended)?;
        let name = members.first(&["/workflow_run/name", "/workflow/name"]).unwrap_or("workflow");
        let full_name = self.full_name()?;
        let conclusion = members.need("/workflow_run/conclusion")?;
        let mut receipt = Receipt::new("stage", ended, &self.component()?)
            .with("stageName", Value::text(name))
            .with("ok", Value::Boolean(ok))
            .with("source", Value::text(SOURCE))
            .with("summary", Value::text(format!("{full_name} {name}: {conclusion}")))
            .with_text("actor", members.first(&["/workflow_run/actor/login", "/sender/login"]))
            .with_text("url", members.text("/workflow_run/html_url"))
            .with_label("repository", full_name);
        if started < ended {
            receipt.push("durationSeconds", Value::Number(ended.since(started).as_seconds_f64()));
        }
        for (label, pointer) in [("branch", "/workflow_run/head_branch"), ("commit", "/workflow_run/head_sha")] {
            if let Some(text) = members.text(pointer) {
                receipt.label(label, text);
            }
        }
        self.received(receipt, "workflow_run", &format!("{number}:{attempt}"))
    }

    fn change(&self, key: &str, at: Timestamp) -> Result<Receipt> {
        let change = Receipt::new("change", at, &self.component()?)
            .with("changeType", Value::text("other"))
            .with("key", Value::text(key))
            .with("source", Value::text(SOURCE));
        Ok(change.with_label("repository", self.full_name()?))
    }
}
