//! What happens in a repository before anything is deployed: pushes, releases, workflow runs.

use std::collections::BTreeSet;

use chrono::TimeDelta;
use serde_json::Value as Json;

use super::{Payload, SOURCE};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::receipt::{Receipt, Value};
use crate::receive::{Received, title};

/// Files of a push that are told; more of them say no more about it.
const FILES_MAX: usize = 200;

impl Payload<'_> {
    /// A push changes what the default branch holds, which is not yet what runs; other branches and tags run nowhere.
    pub(super) fn push(&self) -> Result<Received> {
        let members = self.members;
        let (branch, after) = (members.need("/ref")?, members.need("/after")?);
        let default = members.first(&["/repository/default_branch", "/repository/master_branch"]);
        let is_default = branch.strip_prefix("refs/heads/").is_some_and(|name| Some(name) == default);
        if !is_default || is_nothing(after) {
            return Ok(Received::nothing());
        }
        let message = members.text("/head_commit/message").and_then(|message| message.lines().next());
        let mut receipt = self
            .change(branch, self.pushed_at()?)?
            .with_text("from", members.text("/before").filter(|before| !is_nothing(before)))
            .with("to", Value::text(after))
            .with_text("summary", message)
            .with_text("actor", members.first(&["/pusher/name", "/sender/login"]))
            .with_text("url", members.text("/compare"))
            .with_label("state", "merged");
        let files = self.files();
        if !files.is_empty() {
            receipt.label("files", &files.into_iter().take(FILES_MAX).collect::<Vec<_>>().join("\n"));
        }
        self.received(receipt, "push", &format!("{branch}:{after}"))
    }

    /// A commit may be older than its push by any time.
    fn pushed_at(&self) -> Result<Timestamp> {
        let seconds = self.members.at("/repository/pushed_at").and_then(Json::as_i64);
        let pushed_at = seconds.and_then(|seconds| {
            let since = TimeDelta::try_seconds(seconds)?;
            Timestamp::from_micros(0)?.checked_add(since)
        });
        pushed_at.map_or_else(|| self.members.time("/head_commit/timestamp", self.received_at), Ok)
    }

    fn files(&self) -> BTreeSet<&str> {
        let commits = self.members.at("/commits").and_then(Json::as_array).into_iter().flatten();
        let lists = commits.flat_map(|commit| ["added", "removed", "modified"].map(|list| commit.get(list)));
        lists.flatten().filter_map(Json::as_array).flatten().filter_map(Json::as_str).collect()
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

    /// A run that ended well or badly; one that was cancelled or skipped proves nothing. A run that deploys, by its name,
    /// is a deployment: not everybody tells GitHub of them in its own terms.
    pub(super) fn workflow_run(&self) -> Result<Received> {
        let members = self.members;
        let conclusion = members.text("/workflow_run/conclusion").unwrap_or_default();
        let ok = match conclusion {
            "success" => true,
            "failure" | "timed_out" | "startup_failure" => false,
            _ => return Ok(Received::nothing()),
        };
        if members.need("/action")? != "completed" {
            return Ok(Received::nothing());
        }
        let number = members.number("/workflow_run/id")?;
        let attempt = members.number("/workflow_run/run_attempt").unwrap_or(1);
        let ended = members.time("/workflow_run/updated_at", self.received_at)?;
        let name = members.first(&["/workflow_run/name", "/workflow/name"]).unwrap_or("workflow");
        let full_name = self.full_name()?;
        let receipt = if self.deploys(name) {
            self.deployed_by_run(name, ok, ended)?
        } else {
            self.checked_by_run(name, ok, ended)?
        };
        let mut receipt = receipt
            .with("source", Value::text(SOURCE))
            .with("summary", Value::text(format!("{full_name} {name}: {conclusion}")))
            .with_text("actor", members.first(&["/workflow_run/actor/login", "/sender/login"]))
            .with_text("url", members.text("/workflow_run/html_url"))
            .with_label("repository", full_name);
        for (label, pointer) in [
            ("branch", "/workflow_run/head_branch"),
            ("commit", "/workflow_run/head_sha"),
            ("title", "/workflow_run/display_title"),
        ] {
            if let Some(text) = members.text(pointer) {
                receipt.label(label, text);
            }
        }
        self.received(receipt, "workflow_run", &format!("{number}:{attempt}"))
    }

    /// What runs for a pull request reaches nobody but its author.
    fn deploys(&self, name: &str) -> bool {
        let trigger = self.members.text("/workflow_run/event").unwrap_or_default();
        title::is_deployment(name) && !trigger.starts_with("pull_request")
    }

    fn deployed_by_run(&self, name: &str, ok: bool, ended: Timestamp) -> Result<Receipt> {
        let commit = self.members.text("/workflow_run/head_sha");
        let status = match ok {
            false => "failed",
            true if title::is_rollback(name) => "rolled_back",
            true => "succeeded",
        };
        let receipt = Receipt::new("deployment", ended, &self.component()?).with("status", Value::text(status));
        Ok(receipt.with_text("version", commit).with_text("commit", commit))
    }

    fn checked_by_run(&self, name: &str, ok: bool, ended: Timestamp) -> Result<Receipt> {
        let started = self.members.time("/workflow_run/run_started_at", ended)?;
        let mut receipt = Receipt::new("stage", ended, &self.component()?)
            .with("stageName", Value::text(name))
            .with("ok", Value::Boolean(ok));
        if started < ended {
            receipt.push("durationSeconds", Value::Number(ended.since(started).as_seconds_f64()));
        }
        Ok(receipt)
    }

    fn change(&self, key: &str, at: Timestamp) -> Result<Receipt> {
        let change = Receipt::new("change", at, &self.component()?)
            .with("changeType", Value::text("other"))
            .with("key", Value::text(key))
            .with("source", Value::text(SOURCE));
        Ok(change.with_label("repository", self.full_name()?))
    }
}

/// How git writes a commit that is not there.
fn is_nothing(commit: &str) -> bool {
    commit.bytes().all(|byte| byte == b'0')
}
