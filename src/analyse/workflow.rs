//! The clock of an incident: which steps of the work on it are done, which are due, and which are late.
//!
//! A step is done when a receipt says so: an incident's own receipt with `step` or `status`, or evidence that it was done,
//! such as a deployment that was rolled back.

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::Value as Json;

use crate::clock::Timestamp;
use crate::receipt::{Receipt, ReceiptId, Value};
use crate::record::Recorded;

/// What is known of an incident's work, as far as `at`.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Workflow {
    /// As of when.
    pub at: Timestamp,
    /// When the clock began.
    pub detected_at: Timestamp,
    /// Every step, in order.
    pub steps: Vec<Step>,
    /// The first step after those that are done.
    pub next: Option<StepName>,
    /// What happens when nobody answers.
    pub escalation: Escalation,
    /// What was changed in the hour before, latest first.
    pub changes: Vec<Json>,
    /// How what it depends on is.
    pub dependencies: Vec<Json>,
    /// Paths that show changes and dependencies again.
    pub show: Vec<String>,
}

/// A step of the work.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Which.
    pub name: StepName,
    /// What it is, in words.
    pub title: &'static str,
    /// By when it is to be done.
    pub due_at: Timestamp,
    /// When it was done.
    pub done_at: Option<Timestamp>,
    /// From the detection to that, in seconds.
    pub took_seconds: Option<f64>,
    /// How it stands.
    pub state: State,
    /// The receipt that says so.
    pub receipt: Option<ReceiptId>,
}

/// Names of steps, as `step` of an incident's receipt spells them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StepName {
    /// Somebody, or an alert, noticed.
    Detected,
    /// Somebody was called.
    Paged,
    /// Somebody answered.
    Acknowledged,
    /// What changed was found.
    ChangeFound,
    /// It was rolled back, scaled, or made bearable otherwise.
    Mitigated,
    /// The system is well again.
    Recovered,
    /// The incident was talked about.
    Reviewed,
    /// It cannot come again.
    FixedForGood,
    /// The next one will know what to do.
    RunbookUpdated,
}

/// How a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Done in time.
    Done,
    /// Done, but late.
    DoneLate,
    /// To be done.
    Due,
    /// To be done, and late.
    Late,
    /// Nothing tells that it was done, but a later step was.
    Skipped,
}

/// What happens when nobody answers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Escalation {
    /// When an unanswered alert is escalated.
    pub due_at: Timestamp,
    /// Is that over, without an answer?
    pub is_due: bool,
    /// When it was escalated.
    pub escalated_at: Option<Timestamp>,
    /// The receipt that says so.
    pub receipt: Option<ReceiptId>,
}

/// The steps: in words, and how many minutes after the detection they are due.
const STEPS: [(StepName, &str, i64); 9] = [
    (StepName::Detected, "the alert fires", 5),
    (StepName::Paged, "somebody is called", 5),
    (StepName::Acknowledged, "somebody answers", 30),
    (StepName::ChangeFound, "what changed is found", 30),
    (StepName::Mitigated, "it is rolled back or mitigated", 120),
    (StepName::Recovered, "the system is well again", 120),
    (StepName::Reviewed, "the incident is reviewed", 1_440),
    (StepName::FixedForGood, "it is fixed for good", 1_440),
    (StepName::RunbookUpdated, "the runbook is updated", 1_440),
];

/// What the clock is read from: the incident's receipts, and receipts near it.
#[derive(Debug, Clone)]
pub struct Told<'a> {
    /// The receipt that opened it.
    pub opened: &'a Recorded,
    /// Its later receipts, oldest first.
    pub updates: &'a [Recorded],
    /// Alerts, remediations, deployments, scalings and improvements of its component, and notes about it; oldest first.
    pub nearby: &'a [Recorded],
    /// When it was noticed.
    pub detected_at: Timestamp,
    /// How long an alert may go unanswered.
    pub escalate_after: TimeDelta,
}

/// Reads the clock at `at`.
pub fn workflow(
    told: &Told<'_>,
    at: Timestamp,
    changes: Vec<Json>,
    dependencies: Vec<Json>,
    show: Vec<String>,
) -> Workflow {
    let step = |(name, title, minutes): (StepName, &'static str, i64)| {
        // Detection itself is measured from the onset.
        let onset = told.opened.receipt.time("onset").filter(|_| name == StepName::Detected);
        let due_at = later(onset.unwrap_or(told.detected_at), TimeDelta::minutes(minutes));
        let done = told.done(name, at);
        let done_at = done.map(|(done_at, _)| done_at);
        Step {
            name,
            title,
            due_at,
            done_at,
            took_seconds: done_at.map(|done_at| done_at.since(told.detected_at).as_seconds_f64()),
            state: match done_at {
                Some(done_at) if done_at <= due_at => State::Done,
                Some(_) => State::DoneLate,
                None if at <= due_at => State::Due,
                None => State::Late,
            },
            receipt: done.map(|(_, receipt)| receipt),
        }
    };
    let mut steps = STEPS.map(step).to_vec();
    let begun = steps.iter().rposition(|step| step.done_at.is_some()).map_or(0, |last| last + 1);
    for step in steps[..begun].iter_mut().filter(|step| step.done_at.is_none()) {
        step.state = State::Skipped;
    }
    let is_answered = steps.iter().any(|step| step.name == StepName::Acknowledged && step.done_at.is_some());
    let due_at = later(told.detected_at, told.escalate_after);
    let escalated = told.first(told.nearby, at, |receipt| is(receipt, "alert", "status", "escalated"));
    Workflow {
        at,
        detected_at: told.detected_at,
        next: steps.get(begun).map(|step| step.name),
        escalation: Escalation {
            due_at,
            is_due: !is_answered && at >= due_at,
            escalated_at: escalated.map(|(at, _)| at),
            receipt: escalated.map(|(_, receipt)| receipt),
        },
        steps,
        changes,
        dependencies,
        show,
    }
}

type Done = (Timestamp, ReceiptId);

impl Told<'_> {
    fn done(&self, name: StepName, at: Timestamp) -> Option<Done> {
        let update = |wanted: &dyn Fn(&Receipt) -> bool| self.first(self.updates, at, wanted);
        let near = |wanted: &dyn Fn(&Receipt) -> bool| self.first(self.nearby, at, wanted);
        let status = |names: &[&str]| update(&|told| told.text("status").is_some_and(|status| names.contains(&status)));
        let step = |name: &str| update(&|told| told.text("step") == Some(name));
        match name {
            StepName::Detected => (self.detected_at <= at).then_some((self.detected_at, self.opened.id)),
            StepName::Paged => earliest([step("paged"), near(&is_page)]),
            StepName::Acknowledged => earliest([
                // Who mitigates has answered.
                status(&["acknowledged", "mitigated", "resolved"]),
                near(&|told| is(told, "alert", "status", "acknowledged")),
            ]),
            StepName::ChangeFound => earliest([
                step("change_found"),
                update(&|told| told.text("rootCause").is_some()),
                near(&|told| is(told, "note", "verdict", "confirmed")),
            ]),
            StepName::Mitigated => earliest([
                step("mitigated"),
                status(&["mitigated"]),
                near(&|told| is(told, "remediation", "result", "succeeded")),
                near(&|told| is(told, "deployment", "status", "rolled_back")),
                self.rolled_back(at),
                near(&|told| told.kind() == "scaling"),
            ]),
            StepName::Recovered => status(&["resolved"]),
            StepName::Reviewed => step("reviewed"),
            StepName::FixedForGood => earliest([
                step("fixed_for_good"),
                update(&|told| told.text("prevention").is_some()),
                near(&|told| told.kind() == "improvement" && self.is_about(told)),
            ]),
            StepName::RunbookUpdated => step("runbook_updated"),
        }
    }

    /// The first of `receipts` since the detection, and known at `at`, that is wanted.
    fn first(&self, receipts: &[Recorded], at: Timestamp, wanted: impl Fn(&Receipt) -> bool) -> Option<Done> {
        let found = receipts
            .iter()
            .find(|told| told.occurred_at() >= self.detected_at && told.occurred_at() <= at && wanted(&told.receipt))?;
        Some((found.occurred_at(), found.id))
    }

    /// A deployment of the version that an earlier one had replaced.
    fn rolled_back(&self, at: Timestamp) -> Option<Done> {
        let replaced: Vec<&str> = self.nearby.iter().filter_map(|told| told.receipt.text("previousVersion")).collect();
        self.first(self.nearby, at, |told| {
            let version = told.text("version");
            is(told, "deployment", "status", "succeeded")
                && version.is_some_and(|version| replaced.contains(&version))
                && version != told.text("previousVersion")
        })
    }

    fn is_about(&self, receipt: &Receipt) -> bool {
        let causes = receipt.fields().filter(|(name, _)| *name == "causedBy").flat_map(|(_, values)| values);
        let ours = |id: &ReceiptId| *id == self.opened.id || self.updates.iter().any(|update| update.id == *id);
        causes.into_iter().any(|cause| matches!(cause, Value::Receipt(id) if ours(id)))
    }
}

fn is(receipt: &Receipt, kind: &str, field: &str, value: &str) -> bool {
    receipt.kind() == kind && receipt.text(field) == Some(value)
}

/// A pager's own alert, an escalation, or a remedy that calls somebody.
fn is_page(receipt: &Receipt) -> bool {
    is(receipt, "alert", "status", "escalated")
        || (is(receipt, "alert", "source", "pagerduty") && receipt.text("status") == Some("firing"))
        || (receipt.kind() == "remediation"
            && receipt.text("action").is_some_and(|action| action.to_lowercase().contains("page")))
}

fn earliest<const N: usize>(done: [Option<Done>; N]) -> Option<Done> {
    done.into_iter().flatten().min()
}

fn later(at: Timestamp, by: TimeDelta) -> Timestamp {
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}
