//! Where a suspect stands: on the way from the symptom or not, and whether something it calls explains it away.

use std::collections::BTreeMap;

use super::change::Weighed;
use super::facts::{Facts, TOGETHER};
use super::{Proof, Term, Terms};
use crate::clock::Timestamp;
use crate::receipt::ReceiptId;

const ON_THE_WAY: f64 = 1.0;
const CALLER: f64 = -0.5;
const ELSEWHERE: f64 = -1.5;
const EXPLAINED: f64 = -2.0;
/// Without times, an anomalous callee may as well be the victim.
const EXPLAINED_UNTIMED_SHARE: f64 = 0.5;
/// A callee explains a caller when it shows at least this share of the caller's signs.
const EXPLAINING_SHARE_MIN: f64 = 0.8;
/// A suspect with a change of its own that fits is not easily explained by others.
const EXPLAINED_WITH_CHANGE_SHARE: f64 = 0.25;

pub(super) fn add(
    facts: &Facts<'_>,
    strength: &BTreeMap<&str, f64>,
    changes: &BTreeMap<&str, Weighed<'_>>,
    terms: &mut Terms<'_>,
) {
    let first = first_signs(facts, terms);
    let names: Vec<&str> = terms.keys().copied().collect();
    for component in names {
        let place = place(facts, component);
        let explained = explained(facts, component, strength, &first, changes);
        terms.entry(component).or_default().extend(place.into_iter().chain(explained));
    }
}

/// When each suspect first showed something: its telling crossing, its failures, or failures that blame it.
fn first_signs<'a>(facts: &Facts<'a>, terms: &Terms<'a>) -> BTreeMap<&'a str, Timestamp> {
    let telling: Vec<ReceiptId> = terms
        .values()
        .flatten()
        .filter(|term| term.name == "deviation")
        .flat_map(|term| term.receipts.clone())
        .collect();
    let crossed =
        facts.crossings.iter().filter(|fact| telling.contains(&fact.id)).map(|fact| (fact.component, fact.time));
    let failed = facts.failures.iter().map(|fact| (super::signs::peer(fact).unwrap_or(fact.component), fact.time));
    let mut first = BTreeMap::new();
    for (component, time) in crossed.chain(failed) {
        let earliest = first.entry(component).or_insert(time);
        *earliest = time.min(*earliest);
    }
    first
}

fn place(facts: &Facts<'_>, component: &str) -> Option<Term> {
    let symptom = facts.question.component.as_str();
    let own_edges: Vec<ReceiptId> = [&facts.callees, &facts.callers]
        .into_iter()
        .filter_map(|edges| edges.get(symptom))
        .flat_map(BTreeMap::values)
        .copied()
        .take(5)
        .collect();
    if component == symptom || own_edges.is_empty() {
        return None;
    }
    let (log_odds, statement, receipts) = if let Some(steps) = facts.downstream.get(component) {
        (
            ON_THE_WAY,
            format!("{symptom} depends on {component}, {steps} calls away"),
            path(facts, component).into_iter().map(|(.., id)| id).collect(),
        )
    } else if facts.upstream.contains_key(component) {
        (CALLER, format!("{component} calls {symptom}, not the other way round"), own_edges)
    } else {
        (ELSEWHERE, format!("no known call leads from {symptom} to {component}"), own_edges)
    };
    let query = Proof::new("dependencies", [("at", facts.question.at.to_string()), ("lookback", "90d".into())]);
    Some(Term { name: "path", log_odds, statement, receipts, query })
}

/// The shortest way from the symptom to `component` along calls: caller, callee, receipt.
pub(super) fn path<'a>(facts: &Facts<'a>, component: &str) -> Vec<(&'a str, &'a str, ReceiptId)> {
    let mut way = Vec::new();
    let mut here = component;
    while let Some(steps) = facts.downstream.get(here).filter(|steps| **steps > 0) {
        let callers = facts.callers.get_key_value(here);
        let caller = callers.and_then(|(here, callers)| {
            let nearer = callers.iter().find(|(caller, _)| facts.downstream.get(*caller) == Some(&(steps - 1)));
            nearer.map(|(caller, id)| (*caller, *here, *id))
        });
        let Some(edge) = caller else { break };
        way.push(edge);
        here = edge.0;
    }
    way.reverse();
    way
}

fn explained(
    facts: &Facts<'_>,
    component: &str,
    strength: &BTreeMap<&str, f64>,
    first: &BTreeMap<&str, Timestamp>,
    changes: &BTreeMap<&str, Weighed<'_>>,
) -> Option<Term> {
    let own = *strength.get(component).filter(|own| **own > 0.0)?;
    let began_in_time = |callee: &str| match (first.get(callee), first.get(component)) {
        (Some(callee), Some(own)) => own.checked_add(TOGETHER).is_none_or(|latest| *callee <= latest),
        (callee, _) => callee.is_some(),
    };
    let callees = facts.callees.get(component)?.iter();
    let explaining = callees
        .filter(|(callee, _)| !facts.timed || began_in_time(callee))
        .map(|(callee, id)| ((strength.get(callee).copied().unwrap_or(0.0) / own).min(1.0), *callee, *id))
        .filter(|(share, ..)| *share > EXPLAINING_SHARE_MIN);
    let (share, callee, edge) = explaining.max_by(|a, b| a.0.total_cmp(&b.0).then_with(|| b.1.cmp(a.1)))?;
    let untimed = if facts.timed { 1.0 } else { EXPLAINED_UNTIMED_SHARE };
    let has_change = changes.get(component).is_some_and(Weighed::fits);
    Some(Term {
        name: "explained",
        log_odds: EXPLAINED * share * untimed * if has_change { EXPLAINED_WITH_CHANGE_SHARE } else { 1.0 },
        statement: format!(
            "{component} calls {callee}, which shows as much and no later: {component} may be its victim"
        ),
        receipts: vec![edge],
        query: Proof::new(
            "dependency_status",
            [("at", facts.question.at.to_string()), ("component", component.to_owned())],
        ),
    })
}
