//! From what a sender said to what is recorded of it.

use std::time::Instant;

use oxrdf::{Graph, NamedNode};

use super::Engine;
use super::failures::Failed;
use super::incident::is_critical_alert;
use crate::error::{Context as _, Error, Result};
use crate::receipt::{Receipt, ReceiptId, Value, write_json};
use crate::receive::{Cause, Draft, EVENT_LABEL, Item, Received};
use crate::record::ledger::Source;
use crate::record::writer::{Accepted, Written};
use crate::telemetry::Promise;
use crate::validate::{Report, Violation};
use crate::vocab::LABEL_PREFIX;

/// The source of receipts that naze itself issues.
pub(super) const SELF: &str = "naze";

/// What became of one receipt of a request, in the order it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// New, and on disk.
    Recorded(ReceiptId),
    /// It was there already, under this id.
    Duplicate(ReceiptId),
    /// Not recorded, with every rule it breaks.
    Refused(Vec<Violation>),
}

impl Engine {
    /// Validates and records what a document held. Blocks until everything accepted is on disk and can be queried.
    ///
    /// # Errors
    /// `Unavailable` when the writer is overloaded, `Internal` when the disk fails; then nothing new is recorded.
    pub fn record(&self, origin: &str, mut received: Received, source: Source) -> Result<Vec<Outcome>> {
        self.episodes().settle(&mut received);
        self.telemetry.received_bytes(origin, source.bytes.len());
        self.telemetry.received(origin, "ignored", received.ignored as u64);
        let started = Instant::now();
        let (items, unchanged) = self.only_changes(received.items);
        self.telemetry.received(origin, "ignored", unchanged);
        let is_empty = items.is_empty();
        let (mut outcomes, accepted) = self.validate(items)?;
        self.telemetry.validated(started.elapsed());
        let waiting: Vec<usize> = (0..outcomes.len()).filter(|place| outcomes[*place].is_none()).collect();
        let has_alert = accepted.iter().any(|accepted| accepted.receipt.kind() == "alert");
        let alerts: Vec<Accepted> =
            accepted.iter().filter(|accepted| is_critical_alert(&accepted.receipt)).cloned().collect();
        let failed: Vec<Option<Failed>> = accepted.iter().map(|accepted| Failed::of(&accepted.receipt)).collect();
        let written = if accepted.is_empty() { Vec::new() } else { self.write(accepted, source)? };
        for (place, written) in waiting.into_iter().zip(&written) {
            outcomes[place] = Some(match written {
                Written::Recorded(id) => Outcome::Recorded(*id),
                Written::Duplicate(id) => Outcome::Duplicate(*id),
            });
        }
        if written.iter().any(|written| matches!(written, Written::Recorded(_))) {
            self.live.tell(self.ledger.len()?);
        }
        if !is_empty {
            self.telemetry.took(Promise::Log, started.elapsed());
        }
        let is_new = |written: &Written| matches!(written, Written::Recorded(_));
        self.failures
            .count(failed.into_iter().zip(&written).filter_map(|(failed, told)| failed.filter(|_| is_new(told))));
        let new_alerts = alerts.into_iter().filter(|alert| written.contains(&Written::Recorded(alert.id)));
        for alert in new_alerts {
            self.follow_alert(&alert)?;
        }
        if has_alert {
            self.telemetry.took(Promise::AlertResponse, started.elapsed());
        }
        let outcomes: Vec<Outcome> = outcomes.into_iter().flatten().collect();
        for (name, matches) in [
            ("recorded", (|o: &&Outcome| matches!(o, Outcome::Recorded(_))) as fn(&&Outcome) -> bool),
            ("duplicate", |o| matches!(o, Outcome::Duplicate(_))),
            ("refused", |o| matches!(o, Outcome::Refused(_))),
        ] {
            self.telemetry.received(origin, name, outcomes.iter().filter(matches).count() as u64);
        }
        Ok(outcomes)
    }

    /// Leaves out what only says how things still are, and how often it did.
    fn only_changes(&self, items: Vec<Item>) -> (Vec<Item>, u64) {
        let now = self.clock.now();
        let all = items.len();
        let is_change = |item: &mut Item| match item {
            Item::Receipt(draft) => self.observations.is_change(draft, now),
            Item::Refused(_) => true,
        };
        let changes: Vec<Item> =
            items.into_iter().filter_map(|mut item| is_change(&mut item).then_some(item)).collect();
        let unchanged = (all - changes.len()) as u64;
        (changes, unchanged)
    }

    /// Splits items into refusals, in place, and accepted receipts, in order.
    fn validate(&self, items: Vec<Item>) -> Result<(Vec<Option<Outcome>>, Vec<Accepted>)> {
        let mut graph = Graph::new();
        let items: Vec<std::result::Result<(ReceiptId, Draft), Vec<Violation>>> = items
            .into_iter()
            .map(|item| match item {
                Item::Receipt(mut draft) => {
                    self.complete(&mut draft)?;
                    let id = draft.receipt.id(&self.vocabulary);
                    self.add_for_validation(&mut graph, &draft.receipt, &id.iri());
                    Ok(Ok((id, draft)))
                }
                Item::Refused(violations) => Ok(Err(violations)),
            })
            .collect::<Result<_>>()?;
        let report = self.shapes.validate(&graph)?;
        let mut accepted = Vec::new();
        let outcomes = items
            .into_iter()
            .map(|item| match item {
                Err(violations) => {
                    self.exporter.refused("other", self.clock.now());
                    Some(Outcome::Refused(violations))
                }
                Ok((id, draft)) => {
                    let violations: Vec<Violation> = report.violations_of(id.iri().as_ref().into()).cloned().collect();
                    if violations.is_empty() {
                        accepted.push(Accepted { id, receipt: draft.receipt, key: draft.key });
                        None
                    } else {
                        self.exporter.refused(draft.receipt.kind(), self.clock.now());
                        Some(Outcome::Refused(violations))
                    }
                }
            })
            .collect();
        Ok((outcomes, accepted))
    }

    /// Fills in what a receipt leaves to earlier ones.
    fn complete(&self, draft: &mut Draft) -> Result<()> {
        for cause in &draft.causes {
            let causes = match cause {
                Cause::Latest(with) => {
                    self.index.latest_with(with.field, &with.value)?.map(|latest| latest.id).into_iter().collect()
                }
                Cause::Event(event) => self.index.labelled(EVENT_LABEL, event)?,
            };
            causes.into_iter().for_each(|cause| draft.receipt.push("causedBy", Value::Receipt(cause)));
        }
        let Some(follows) = &draft.follows else { return Ok(()) };
        let Some(latest) = self.index.latest_with(follows.field, &follows.value)? else { return Ok(()) };
        let same_kind = latest.receipt.kind() == draft.receipt.kind();
        if same_kind && repeats(&draft.receipt, &latest.receipt, follows.unless) {
            draft.key = latest.key;
            draft.receipt = latest.receipt;
            return Ok(());
        }
        if same_kind && draft.receipt.text("status") == Some("firing") {
            // What begins an episode says itself what it is about.
            return Ok(());
        }
        for field in if same_kind { &["component", "name", "severity"][..] } else { &["component"] } {
            if let Some(value) = latest.receipt.first(field) {
                draft.receipt.set(field, value.clone());
            }
        }
        Ok(())
    }

    /// Labels are open-ended, so the closed shapes never see them.
    fn add_for_validation(&self, graph: &mut Graph, receipt: &Receipt, subject: &NamedNode) {
        for triple in receipt.triples(subject, &self.vocabulary) {
            if !triple.predicate.as_str().starts_with(LABEL_PREFIX) {
                graph.insert(&triple);
            }
        }
    }

    /// What is wrong with the receipts of a document, without recording anything.
    pub fn check(&self, received: Received) -> Result<Report> {
        let mut graph = Graph::new();
        for item in received.items {
            if let Item::Receipt(draft) = item {
                let id = draft.receipt.id(&self.vocabulary);
                self.add_for_validation(&mut graph, &draft.receipt, &id.iri());
            }
        }
        self.shapes.validate(&graph)
    }

    fn write(&self, accepted: Vec<Accepted>, source: Source) -> Result<Vec<Written>> {
        let answer = self.writer.write(accepted, source)?;
        let written = answer.blocking_recv().internal("the writer stopped before it answered")?;
        written.map_err(|error| Error::new(error.kind(), error.to_string()))
    }

    /// Records what naze itself says, with a document that tells the receipts.
    pub(super) fn record_drafts(&self, origin: &str, drafts: Vec<Draft>) -> Result<Vec<Outcome>> {
        let json =
            |receipt: &Receipt| serde_json::Value::Object(write_json(receipt, receipt.id(&self.vocabulary), &[]));
        let told: serde_json::Value = drafts.iter().map(|draft| json(&draft.receipt)).collect();
        let source = Source { media_type: "application/json".into(), bytes: told.to_string().into_bytes() };
        let items = drafts.into_iter().map(Item::Receipt).collect();
        self.record(origin, Received { items, ..Received::default() }, source)
    }

    /// Records a receipt that naze itself issues.
    pub fn record_own(&self, receipt: Receipt) -> Result<ReceiptId> {
        match self.record_drafts(SELF, vec![Draft::new(receipt)])?.into_iter().next() {
            Some(Outcome::Recorded(id) | Outcome::Duplicate(id)) => Ok(id),
            Some(Outcome::Refused(violations)) => Err(refusal(&violations)),
            None => Err(Error::internal("nothing was recorded")),
        }
    }
}

/// Does `told` tell no more than `latest` did?
fn repeats(told: &Receipt, latest: &Receipt, unless: &[&str]) -> bool {
    let same_severity = told.first("severity").is_none_or(|severity| latest.first("severity") == Some(severity));
    same_severity && latest.text("status").is_some_and(|status| unless.contains(&status))
}

/// The error a refused receipt of our own or of a single-receipt request gives.
pub fn refusal(violations: &[Violation]) -> Error {
    let messages: Vec<&str> = violations.iter().map(|violation| violation.message.as_str()).collect();
    violations.iter().fold(Error::invalid(messages.join("; ")), |error, violation| error.hint(violation.fix.clone()))
}
