//! The answer: suspects in order, the verdict, why not the others, what is missing, and the chain of whys.

use std::collections::BTreeMap;

use super::change::{Weighed, describe};
use super::facts::Facts;
use super::topology::path;
use super::{Answer, Cause, Missing, Question, Step, Term, Terms, Verdict, WhyNot, sum};
use crate::receipt::ReceiptId;

/// Score from which a first suspect is worth naming.
const LIKELY_MIN: f64 = 1.5;
/// A lead that makes up for a change whose content only hints at what failed.
const CLEAR_LEAD: f64 = 3.0;
/// Runners-up that are told why they are not first.
const WHY_NOT_MAX: usize = 4;
/// Questions that a chain of whys asks at most.
const WHYS_MAX: usize = 5;

pub(super) fn compose(facts: &Facts<'_>, changes: &BTreeMap<&str, Weighed<'_>>, terms: Terms<'_>) -> Answer {
    let mut ranked: Vec<Cause> = terms.into_iter().map(|(component, terms)| cause(component, terms, changes)).collect();
    ranked.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.component.cmp(&b.component)));
    let verdict = verdict(facts, changes, &ranked);
    Answer {
        question: Question { onset: Some(facts.onset), ..facts.question.clone() },
        verdict,
        why_not: why_not(&ranked),
        missing: missing(facts, changes, &ranked, verdict),
        chain: ranked.first().map_or_else(Vec::new, |first| chain(facts, changes, first)),
        ranked,
    }
}

fn cause(component: &str, mut terms: Vec<Term>, changes: &BTreeMap<&str, Weighed<'_>>) -> Cause {
    let score = sum(&terms);
    terms.sort_by(|a, b| b.log_odds.abs().total_cmp(&a.log_odds.abs()).then_with(|| a.name.cmp(b.name)));
    let mut evidence: Vec<ReceiptId> = terms.iter().flat_map(|term| term.receipts.clone()).collect();
    evidence.sort_unstable();
    evidence.dedup();
    let change = changes.get(component);
    let loudest = terms.iter().find(|term| term.log_odds > 0.0).map(|term| term.statement.clone());
    Cause {
        component: component.to_owned(),
        score,
        receipt: change.map(|weighed| weighed.fact.id),
        summary: change
            .map(|weighed| describe(&weighed.fact))
            .or(loudest)
            .unwrap_or_else(|| format!("nothing speaks for {component}")),
        terms,
        evidence,
    }
}

fn verdict(facts: &Facts<'_>, changes: &BTreeMap<&str, Weighed<'_>>, ranked: &[Cause]) -> Verdict {
    let Some(first) = ranked.first() else { return Verdict::Inconclusive };
    if first.terms.iter().any(|term| term.name == "confirmed") {
        return Verdict::Confirmed;
    }
    let is_tied = ranked.get(1).is_some_and(|second| second.score >= first.score);
    if first.score < LIKELY_MIN || is_tied {
        return Verdict::Inconclusive;
    }
    // Where changes are recorded, one that fits is expected of a cause; a change that merely came before is not blamed.
    let change = changes.get(first.component.as_str());
    let leads_clearly = ranked.get(1).is_none_or(|second| first.score - second.score >= CLEAR_LEAD);
    let blames_another = first.terms.iter().any(|term| term.name == "passed_on");
    let is_carried =
        change.is_some_and(|weighed| weighed.fits() || (weighed.hints() && leads_clearly && !blames_another));
    if facts.changes.is_empty() || is_carried { Verdict::Likely } else { Verdict::Inconclusive }
}

fn why_not(ranked: &[Cause]) -> Vec<WhyNot> {
    let Some((first, others)) = ranked.split_first() else { return Vec::new() };
    let runners_up = others.iter().filter(|other| other.terms.iter().any(|term| term.log_odds > 0.0)).take(WHY_NOT_MAX);
    // What humans ruled out stays visible, wherever it ranks.
    let ruled_out = others.iter().filter(|other| other.terms.iter().any(|term| term.name == "ruled_out"));
    let mut told: Vec<&Cause> = runners_up.collect();
    told.extend(ruled_out.filter(|cause| !told.contains(cause)).collect::<Vec<_>>());
    told.into_iter()
        .map(|other| {
            let against =
                other.terms.iter().filter(|term| term.log_odds < 0.0).max_by(|a, b| b.log_odds.total_cmp(&a.log_odds));
            let lacking = first.terms.iter().find(|term| {
                term.log_odds > 0.0 && !other.terms.iter().any(|own| own.name == term.name && own.log_odds > 0.0)
            });
            let weaker = first.terms.iter().find(|term| term.log_odds > 0.0);
            let (statement, receipts) = match (against, lacking, weaker) {
                (Some(term), ..) => (term.statement.clone(), term.receipts.clone()),
                (None, Some(term), _) => (
                    format!("unlike for {}, nothing shows {} for it: {}", first.component, term.name, term.statement),
                    term.receipts.clone(),
                ),
                (None, None, Some(term)) => (
                    format!("its signs are weaker than those of {}: {}", first.component, term.statement),
                    term.receipts.clone(),
                ),
                (None, None, None) => ("nothing speaks for it".to_owned(), Vec::new()),
            };
            WhyNot { component: other.component.clone(), statement, receipts, against: first.score - other.score }
        })
        .collect()
}

fn missing(
    facts: &Facts<'_>,
    changes: &BTreeMap<&str, Weighed<'_>>,
    ranked: &[Cause],
    verdict: Verdict,
) -> Vec<Missing> {
    let mut missing = Vec::new();
    let mut note = |what: String, next: String| missing.push(Missing { what, next });
    let symptom = &facts.question.component;
    let at = facts.question.at;
    if facts.crossings.is_empty() && facts.failures.is_empty() && facts.alerts.is_empty() {
        note(
            format!("nothing is known to have failed or deviated before {at}"),
            "/v1/queries/data_gaps?from=-24h shows which senders went silent; widen the window with window=7d"
                .to_string(),
        );
    }
    if facts.callees.is_empty() {
        note(
            "no dependencies are known, so a victim cannot be told from a cause".into(),
            format!("record dependency receipts: {{\"kind\":\"dependency\",\"component\":\"{symptom}\",\"target\":…}}"),
        );
    }
    if facts.changes.is_empty() {
        note(
            "no deployments or changes are recorded".into(),
            "point CI at POST /v1/receipts, or GitHub at /hooks/github".into(),
        );
    }
    if let (Verdict::Inconclusive, Some(first), false) = (verdict, ranked.first(), facts.changes.is_empty())
        && !changes.get(first.component.as_str()).is_some_and(Weighed::fits)
    {
        note(
            format!("no recorded change explains {}, the first suspect", first.component),
            format!(
                "look at what is not recorded (a provider, a certificate, a quota, load), then note it: {{\"kind\":\"note\",\"verdict\":\"confirmed\",\"causeComponent\":\"{}\",\"component\":\"{symptom}\",\"message\":…}}",
                first.component
            ),
        );
    }
    missing
}

fn chain(facts: &Facts<'_>, changes: &BTreeMap<&str, Weighed<'_>>, first: &Cause) -> Vec<Step> {
    let symptom = &facts.question.component;
    let mut steps: Vec<Step> = Vec::new();
    let mut ask = |question: String, because: String, component: &str, receipts: Vec<ReceiptId>| {
        steps.push(Step { number: steps.len() + 1, question, because, component: component.to_owned(), receipts });
    };
    let what = facts.question.summary.clone().unwrap_or_else(|| format!("{symptom} is in trouble"));
    let mut question = format!("Why: {what}?");
    let way = path(facts, &first.component);
    for (caller, callee, id) in way.iter().skip(way.len().saturating_sub(WHYS_MAX - 2)) {
        ask(question, format!("{caller} depends on {callee}"), callee, vec![*id]);
        question = format!("Why did {callee} fail {caller}?");
    }
    if let Some(sign) =
        first.terms.iter().find(|term| term.log_odds > 0.0 && !matches!(term.name, "path" | "change" | "content"))
    {
        ask(question, sign.statement.clone(), &first.component, sign.receipts.clone());
        question = format!("Why did {} do that?", first.component);
    }
    if let Some(weighed) = changes.get(first.component.as_str()) {
        let fits =
            if weighed.fits() { "" } else { " (it came before, but nothing it touched is known to have failed)" };
        ask(question, format!("{}{fits}", describe(&weighed.fact)), &first.component, vec![weighed.fact.id]);
    }
    steps
}
