//! The evidence, sorted into what the terms ask of it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::Question;
use crate::clock::Timestamp;
use crate::receipt::{Receipt, ReceiptId};
use crate::record::Recorded;

/// Things this close together happened together.
pub(super) const TOGETHER: TimeDelta = TimeDelta::minutes(5);

/// One receipt as a term sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fact<'a> {
    pub(super) id: ReceiptId,
    pub(super) time: Timestamp,
    pub(super) component: &'a str,
    pub(super) receipt: &'a Receipt,
}

/// Who calls or needs whom, with the receipts that show it.
pub(super) type Edges<'a> = BTreeMap<&'a str, BTreeMap<&'a str, ReceiptId>>;

/// Everything that is known as of the question.
pub(super) struct Facts<'a> {
    pub(super) question: &'a Question,
    pub(super) onset: Timestamp,
    /// Do the receipts differ in time at all? Some sources know no times.
    pub(super) timed: bool,
    pub(super) suspects: BTreeSet<&'a str>,
    pub(super) crossings: Vec<Fact<'a>>,
    pub(super) failures: Vec<Fact<'a>>,
    pub(super) alerts: Vec<Fact<'a>>,
    pub(super) changes: Vec<Fact<'a>>,
    pub(super) notes: Vec<Fact<'a>>,
    pub(super) callees: Edges<'a>,
    pub(super) callers: Edges<'a>,
    /// Steps from the symptom along calls.
    pub(super) downstream: BTreeMap<&'a str, usize>,
    /// Steps from the symptom against calls.
    pub(super) upstream: BTreeMap<&'a str, usize>,
}

impl<'a> Facts<'a> {
    pub(super) fn new(question: &'a Question, evidence: &'a [Recorded]) -> Self {
        let all = in_order(question, evidence);
        let of_kinds = |kinds: &[&str]| -> Vec<Fact<'a>> {
            all.iter().filter(|fact| kinds.contains(&fact.receipt.kind())).copied().collect()
        };
        let mut facts = Self {
            question,
            onset: question.at,
            timed: false,
            suspects: suspects(question, &all),
            // One with a status tells how a crossing ended.
            crossings: all
                .iter()
                .filter(|fact| fact.receipt.kind() == "crossing" && fact.receipt.text("status").is_none())
                .copied()
                .collect(),
            failures: of_kinds(&["failure"]),
            alerts: all
                .iter()
                .filter(|fact| fact.receipt.kind() == "alert" && fact.receipt.text("status") == Some("firing"))
                .copied()
                .collect(),
            changes: of_kinds(&["deployment", "change"]),
            notes: of_kinds(&["note"]),
            callees: Edges::new(),
            callers: Edges::new(),
            downstream: BTreeMap::new(),
            upstream: BTreeMap::new(),
        };
        let timed = [&facts.crossings, &facts.failures, &facts.alerts, &facts.changes];
        facts.timed = timed.into_iter().flatten().map(|fact| fact.time).collect::<BTreeSet<_>>().len() > 1;
        facts.onset = question.onset.unwrap_or_else(|| facts.first_sign());
        facts.add_edges(&all);
        facts.downstream = steps(&question.component, &facts.callees);
        facts.upstream = steps(&question.component, &facts.callers);
        facts
    }

    /// The first sign of the symptom itself.
    fn first_sign(&self) -> Timestamp {
        let symptom = self.question.component.as_str();
        let own: Vec<_> = self.crossings.iter().filter(|fact| fact.component == symptom).collect();
        let in_metric: Vec<_> = own.iter().filter(|fact| self.is_symptom_metric(fact)).collect();
        let crossed = if in_metric.is_empty() {
            own.iter().map(|fact| fact.time).min()
        } else {
            in_metric.iter().map(|fact| fact.time).min()
        };
        let failed = self
            .failures
            .iter()
            .chain(&self.alerts)
            .filter(|fact| fact.component == symptom && fact.receipt.text("severity") != Some("info"));
        crossed.into_iter().chain(failed.map(|fact| fact.time)).min().unwrap_or(self.question.at)
    }

    pub(super) fn is_symptom_metric(&self, fact: &Fact<'_>) -> bool {
        self.question.metric.is_some() && fact.receipt.text("metric") == self.question.metric.as_deref()
    }

    fn add_edges(&mut self, all: &[Fact<'a>]) {
        for fact in all {
            let field = match fact.receipt.kind() {
                "dependency" => "target",
                "failure" => "peer",
                _ => continue,
            };
            let Some(callee) = fact.receipt.component_field(field).filter(|callee| *callee != fact.component) else {
                continue;
            };
            self.callees.entry(fact.component).or_default().entry(callee).or_insert(fact.id);
            self.callers.entry(callee).or_default().entry(fact.component).or_insert(fact.id);
        }
    }

    /// Minutes from the onset, negative before it.
    #[expect(clippy::cast_precision_loss, reason = "minutes between times")]
    pub(super) fn minutes_from_onset(&self, time: Timestamp) -> f64 {
        time.since(self.onset).num_seconds() as f64 / 60.0
    }
}

/// As of the question, without what was superseded, by time and then id. What people say of the incident itself counts
/// whenever they say it.
fn in_order<'a>(question: &Question, evidence: &'a [Recorded]) -> Vec<Fact<'a>> {
    let said = |recorded: &Recorded| {
        let about = recorded.receipt.first("incidentReceipt").and_then(crate::receipt::Value::as_receipt);
        recorded.receipt.kind() == "note" && about.is_some() && about == question.incident
    };
    let known = || evidence.iter().filter(|recorded| recorded.occurred_at() <= question.at || said(recorded));
    let superseded: BTreeSet<ReceiptId> = known()
        .flat_map(|recorded| recorded.receipt.fields())
        .filter(|(name, _)| *name == "supersedes")
        .flat_map(|(_, values)| values.iter().filter_map(crate::receipt::Value::as_receipt))
        .collect();
    let mut all: Vec<Fact<'a>> = known()
        .filter(|recorded| !superseded.contains(&recorded.id))
        .filter_map(|recorded| {
            let component = recorded.receipt.component()?;
            Some(Fact { id: recorded.id, time: recorded.occurred_at(), component, receipt: &recorded.receipt })
        })
        .collect();
    all.sort_by_key(|fact| (fact.time, fact.id));
    all
}

fn suspects<'a>(question: &'a Question, all: &[Fact<'a>]) -> BTreeSet<&'a str> {
    let telling = ["alert", "change", "circuit", "crossing", "dependency", "deployment", "failure", "scaling", "burst"];
    let mut suspects = BTreeSet::from([question.component.as_str()]);
    for fact in all.iter().filter(|fact| telling.contains(&fact.receipt.kind())) {
        suspects.insert(fact.component);
        suspects.extend(["target", "peer"].iter().filter_map(|field| fact.receipt.component_field(field)));
    }
    let blamed = all.iter().filter(|fact| fact.receipt.kind() == "note");
    suspects.extend(blamed.filter_map(|fact| fact.receipt.component_field("causeComponent")));
    suspects
}

/// Breadth first: the steps from `start` to all that can be reached.
fn steps<'a>(start: &'a str, edges: &Edges<'a>) -> BTreeMap<&'a str, usize> {
    let mut steps = BTreeMap::from([(start, 0)]);
    let mut queue = std::collections::VecDeque::from([start]);
    while let Some(here) = queue.pop_front() {
        let next = steps[here] + 1;
        for there in edges.get(here).into_iter().flat_map(BTreeMap::keys) {
            if !steps.contains_key(there) {
                steps.insert(there, next);
                queue.push_back(there);
            }
        }
    }
    steps
}
