//! What experiments showed when they were over, kept as a receipt: their minutes are gone later.

use std::time::{Duration, Instant};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::{Arm, Receipts};
use crate::analyse::compare::Compared;
use crate::analyse::experiment::{Baseline, Decision, Experiment, Findings};
use crate::clock::{Timestamp, ago};
use crate::engine::{Engine, Outcome, SELF, refusal};
use crate::error::{Context as _, Result};
use crate::receipt::{Receipt, Value};
use crate::receive::{Draft, Item, Received};
use crate::record::Recorded;
use crate::record::ledger::Source;

/// Samples of its last minutes may still come.
const LATE: TimeDelta = TimeDelta::minutes(10);
/// Bound on a round; what there is no time for is looked at in a later one.
const ROUND_TIME_MAX: Duration = Duration::from_secs(1);
/// What is compared: when one of these is told anew, it is another question.
const ASKED: [&str; 4] = ["metric", "statistic", "control", "canary"];

/// The document that the receipt is made from.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) baseline: Option<Baseline>,
    pub(super) compared: Compared,
}

/// Is it such a receipt? It names the one that it is the outcome of.
pub(super) fn is_kept(recorded: &Recorded) -> bool {
    recorded.receipt.text("source") == Some(SELF) && recorded.receipt.first("causedBy").is_some()
}

impl Receipts {
    /// The receipt that keeps what an experiment showed, if it is of this question.
    fn kept(&self, experiment: &Experiment) -> Option<&Recorded> {
        self.kept.iter().rev().filter(|_| self.has_series()).find(|kept| {
            let receipt = &kept.receipt;
            receipt.time("startsAt") == Some(experiment.starts_at)
                && receipt.time("endsAt") == Some(experiment.ends_at)
                && ASKED.iter().all(|field| receipt.first(field) == self.latest(field))
        })
    }

    /// Is an arm measured by series? Values that were sent stay where they are.
    fn has_series(&self) -> bool {
        [Arm::Control, Arm::Canary].into_iter().any(|arm| self.latest(arm.fields().1).is_none())
    }

    /// Is it over, and measured by series that are still kept by the minute?
    fn is_due(&self, experiment: &Experiment, minutes_from: Timestamp, now: Timestamp) -> bool {
        let is_over = experiment.ends_at <= ago(now, LATE) && experiment.starts_at >= minutes_from;
        self.has_series() && is_over && self.kept(experiment).is_none()
    }
}

impl Engine {
    /// Keeps what experiments showed that ended lately. Tells how many are new.
    ///
    /// # Errors
    /// As [`Engine::record`]; then a later round keeps them.
    pub fn keep_outcomes(&self, now: Timestamp) -> Result<usize> {
        let started = Instant::now();
        let minutes_from = self.config.measure.retention().minutes_from(now);
        // What was sent while naze was down comes a while after its start.
        let up_since = self.runs(now)?.up_since(now).unwrap_or(Timestamp::MIN);
        if up_since > ago(now, LATE) {
            return Ok(0);
        }
        let all = self.all_experiments()?.into_iter().map(|receipts| (receipts.experiment(), receipts));
        let mut due: Vec<_> =
            all.filter(|(experiment, receipts)| receipts.is_due(experiment, minutes_from, now)).collect();
        // One of which nothing was measured stays due: it holds up no later one.
        due.sort_by_key(|(experiment, _)| std::cmp::Reverse(experiment.ends_at));
        let (mut kept, mut failed) = (0, None);
        for (_, receipts) in due {
            if started.elapsed() > ROUND_TIME_MAX {
                break;
            }
            match self.judged_experiment(&receipts, now).and_then(|found| self.keep_outcome(&receipts, found)) {
                Ok(is_new) => kept += usize::from(is_new),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(kept), Err)
    }

    fn keep_outcome(&self, receipts: &Receipts, found: Findings) -> Result<bool> {
        let Some(compared) = found.compared else { return Ok(false) };
        let (experiment, statement) = (found.experiment, found.statement);
        let mut receipt = Receipt::new("experiment", experiment.ends_at, &experiment.component)
            .with("reference", Value::text(&experiment.reference))
            .with("hypothesis", Value::text(&experiment.hypothesis))
            .with("startsAt", Value::Time(experiment.starts_at))
            .with("endsAt", Value::Time(experiment.ends_at))
            .with("summary", Value::text(statement))
            .with("source", Value::text(SELF))
            .with("causedBy", Value::Receipt(receipts.told[0].id))
            .with_text("result", result(found.decision));
        if let Some(change) = compared.change_percent {
            receipt.push("actualPercent", Value::Number(change.value));
        }
        let mut key = format!("outcome {} {} {}", experiment.reference, experiment.starts_at, experiment.ends_at);
        for field in ASKED {
            if let Some(value) = receipts.latest(field) {
                receipt.push(field, value.clone());
                key.push_str(&format!(" {field}={}", value.as_text().unwrap_or_default()));
            }
        }
        let bytes =
            serde_json::to_vec(&Kept { baseline: found.baseline, compared }).internal("cannot write an outcome")?;
        let items = vec![Item::Receipt(Draft::new(receipt).with_key(Some(key)))];
        let source = Source { media_type: "application/json".to_owned(), bytes };
        let outcomes = self.record(SELF, Received { items, ..Received::default() }, source)?;
        match outcomes.into_iter().next() {
            Some(Outcome::Refused(violations)) => Err(refusal(&violations)),
            outcome => Ok(matches!(outcome, Some(Outcome::Recorded(_)))),
        }
    }

    /// What was kept of an experiment when it was over.
    pub(super) fn outcome(&self, receipts: &Receipts, experiment: &Experiment) -> Result<Option<Kept>> {
        let Some(recorded) = receipts.kept(experiment) else { return Ok(None) };
        let document = self.source_of(recorded)?.bytes;
        // A number without end is written as none: then it is worked out again while its minutes are there.
        Ok(serde_json::from_slice(&document).ok())
    }
}

fn result(decision: Decision) -> Option<&'static str> {
    match decision {
        Decision::Success => Some("success"),
        Decision::Marginal => Some("marginal"),
        Decision::Negative => Some("negative"),
        Decision::Running | Decision::NotEnoughData => None,
    }
}
