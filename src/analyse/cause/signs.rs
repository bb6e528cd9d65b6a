//! What a suspect shows by itself: deviation and its onset, telling events, blame by callers, word of humans.

use std::collections::{BTreeMap, BTreeSet};

use super::facts::{Fact, Facts, TOGETHER};
use super::{Proof, Term, Terms, sum};
use crate::clock::Timestamp;
use crate::receipt::ReceiptId;

const DEVIATION_WEIGHT: f64 = 1.2;
const DEVIATION_MAX: f64 = 5.0;
/// A deviation in another metric than the symptom's own.
const OTHER_METRIC_WEIGHT: f64 = 0.4;
const ONSET: f64 = 1.2;
const TOO_EARLY: f64 = -1.2;
const TOO_LATE: f64 = -0.8;
/// An event that nobody rated.
const UNRATED_WEIGHT: f64 = 0.5;
const BLAME_WEIGHT: f64 = 0.8;
/// Slowness is a weaker accusation than an error.
const SLOW_WEIGHT: f64 = 0.5;
/// A component most of whose failures blame one silent callee passes its signs on to it.
const PASSED_ON: f64 = -2.5;
const PASSED_ON_SHARE_MIN: f64 = 0.5;
const INHERITED_SHARE: f64 = 0.8;
const CONFIRMED: f64 = 8.0;
/// Receipts that one term cites at most.
const CITED_MAX: usize = 12;

pub(super) fn add(facts: &Facts<'_>, terms: &mut Terms<'_>) {
    add_deviation(facts, terms);
    add_rarity(facts, terms);
    add_blame(facts, terms);
    if facts.timed {
        add_passed_on(facts, terms);
    }
}

fn push(terms: &mut Terms<'_>, component: &str, term: Term) {
    if let Some(terms) = terms.get_mut(component).filter(|_| term.log_odds != 0.0 && !term.receipts.is_empty()) {
        terms.push(term);
    }
}

/// The crossing that speaks loudest, by size and by its onset.
fn add_deviation(facts: &Facts<'_>, terms: &mut Terms<'_>) {
    let mut best: BTreeMap<&str, (f64, f64, &Fact<'_>)> = BTreeMap::new();
    for fact in &facts.crossings {
        let deviation = deviation(facts, fact);
        let onset = onset(facts, fact.time);
        let current = best.get(fact.component).map_or(0.0, |(deviation, onset, _)| deviation + onset);
        if deviation + onset > current {
            best.insert(fact.component, (deviation, onset, fact));
        }
    }
    for (component, (deviation, onset, fact)) in best {
        let text = |field: &str| fact.receipt.text(field).unwrap_or_default();
        let number = |field: &str| fact.receipt.number(field).unwrap_or_default();
        let query = || Proof::new("crossings", around(facts, fact.time, component));
        push(
            terms,
            component,
            Term {
                name: "deviation",
                log_odds: deviation,
                statement: format!(
                    "{} of {component} went {} to {:.4} from {:.4}, {:.1} robust standard deviations",
                    text("metric"),
                    text("direction"),
                    number("value"),
                    number("baseline"),
                    number("deviation").abs()
                ),
                receipts: vec![fact.id],
                query: query(),
            },
        );
        push(
            terms,
            component,
            Term {
                name: "onset",
                log_odds: onset,
                statement: format!(
                    "{} of {component} began to deviate {} ({})",
                    text("metric"),
                    relative(facts, fact.time),
                    fact.time
                ),
                receipts: vec![fact.id],
                query: query(),
            },
        );
    }
}

fn deviation(facts: &Facts<'_>, fact: &Fact<'_>) -> f64 {
    // A crossing of a fixed threshold says no more than that it was crossed.
    let size = fact.receipt.number("deviation").map_or(3.0, f64::abs);
    let weight = if facts.is_symptom_metric(fact) { 1.0 } else { OTHER_METRIC_WEIGHT };
    (DEVIATION_WEIGHT * (1.0 + (size - 2.0).max(0.0) / 3.0).ln()).min(DEVIATION_MAX) * weight
}

fn onset(facts: &Facts<'_>, time: Timestamp) -> f64 {
    let lead = facts.onset.since(time);
    if lead.abs() <= TOGETHER {
        ONSET
    } else if lead > TOGETHER {
        // Without a stated onset the first sign may lie somewhat before the symptom's.
        let may_precede = facts.question.onset.is_none() && lead.num_minutes() < 60;
        if may_precede { ONSET / 2.0 } else { TOO_EARLY }
    } else if -lead > TOGETHER * 2 {
        TOO_LATE
    } else {
        0.0
    }
}

/// An event that only this component shows says more than one that all show.
fn add_rarity(facts: &Facts<'_>, terms: &mut Terms<'_>) {
    let mut shown: BTreeMap<&str, BTreeMap<String, (f64, ReceiptId)>> = BTreeMap::new();
    let own_failures = facts.failures.iter().filter(|fact| peer(fact).is_none());
    for fact in own_failures.chain(&facts.alerts) {
        let is_unrated = fact.receipt.kind() == "failure" && fact.receipt.text("severity").is_none();
        let weight = if is_unrated { UNRATED_WEIGHT } else { 1.0 };
        let seen = shown.entry(fact.component).or_default().entry(signature(fact)).or_insert((weight, fact.id));
        seen.0 = seen.0.max(weight);
    }
    let mut spread: BTreeMap<&str, u32> = BTreeMap::new();
    for signature in shown.values().flat_map(BTreeMap::keys) {
        *spread.entry(signature).or_default() += 1;
    }
    let components = u32::try_from(shown.len()).unwrap_or(u32::MAX);
    for (component, events) in &shown {
        let weigh = |name: &str, weight: f64| weight * (f64::from(components + 1) / f64::from(spread[name])).ln();
        let total: f64 = events.iter().map(|(name, (weight, _))| weigh(name, *weight)).sum();
        let mut loudest: Vec<_> = events.iter().map(|(name, (weight, id))| (weigh(name, *weight), name, *id)).collect();
        loudest.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(b.1)));
        let named: Vec<&str> = loudest.iter().take(3).map(|(_, name, _)| name.as_str()).collect();
        push(
            terms,
            component,
            Term {
                name: "rarity",
                log_odds: total.max(0.0).sqrt(),
                statement: format!(
                    "{component} shows {} kinds of events, first among them what few others show: {}",
                    events.len(),
                    named.join("; ")
                ),
                receipts: loudest.iter().take(CITED_MAX).map(|(.., id)| *id).collect(),
                query: Proof::new(
                    "events_around",
                    [
                        ("at", facts.onset.to_string()),
                        ("before", "1h".into()),
                        ("after", "1h".into()),
                        ("component", (*component).to_owned()),
                    ],
                ),
            },
        );
    }
}

/// What makes two events the same kind of event: name or type and message, without the parts that change.
fn signature(fact: &Fact<'_>) -> String {
    let text = |field: &str| fact.receipt.text(field).unwrap_or_default();
    if fact.receipt.kind() == "alert" {
        return format!("alert {}", text("name"));
    }
    let words = text("message").split_whitespace();
    let steady: Vec<&str> = words
        .map(|word| if word.len() >= 8 && word.chars().any(|c| c.is_ascii_digit()) { "#" } else { word })
        .collect();
    format!("{} {}", text("failureType"), steady.join(" ").chars().take(60).collect::<String>()).trim_end().to_owned()
}

fn add_blame(facts: &Facts<'_>, terms: &mut Terms<'_>) {
    let mut blamed: BTreeMap<&str, BTreeMap<&str, (f64, Vec<ReceiptId>)>> = BTreeMap::new();
    for fact in &facts.failures {
        let Some(callee) = peer(fact) else { continue };
        let is_slow = fact.receipt.text("failureType").is_some_and(|name| name.starts_with("slow"));
        let by = blamed.entry(callee).or_default().entry(fact.component).or_default();
        by.0 += count(fact) * if is_slow { SLOW_WEIGHT } else { 1.0 };
        by.1.push(fact.id);
    }
    for (callee, callers) in blamed {
        let weight: f64 = callers.values().map(|(count, _)| count.ln_1p()).sum();
        let names: Vec<&str> = callers.keys().copied().collect();
        push(
            terms,
            callee,
            Term {
                name: "blame",
                log_odds: BLAME_WEIGHT * weight.ln_1p(),
                statement: format!(
                    "{} failures of {} blame {callee}",
                    callers.values().map(|(_, ids)| ids.len()).sum::<usize>(),
                    names.join(", ")
                ),
                receipts: callers.values().flat_map(|(_, ids)| ids).take(CITED_MAX).copied().collect(),
                query: Proof::new(
                    "failures_by_peer",
                    [("at", facts.question.at.to_string()), ("lookback", "24h".into()), ("peer", callee.to_owned())],
                ),
            },
        );
    }
}

/// A silent callee (a managed service, a third party) shows itself only through its callers.
fn add_passed_on(facts: &Facts<'_>, terms: &mut Terms<'_>) {
    let tells_itself: BTreeSet<&str> = [&facts.failures, &facts.alerts, &facts.changes, &facts.crossings]
        .into_iter()
        .flatten()
        .map(|fact| fact.component)
        .collect();
    let since = facts.onset.checked_add(-TOGETHER).unwrap_or(facts.onset);
    let mut all: BTreeMap<&str, f64> = BTreeMap::new();
    let mut to: BTreeMap<(&str, &str), (f64, Vec<ReceiptId>)> = BTreeMap::new();
    for fact in facts.failures.iter().filter(|fact| fact.time >= since) {
        *all.entry(fact.component).or_default() += count(fact);
        if let Some(callee) = peer(fact) {
            let passed = to.entry((fact.component, callee)).or_default();
            passed.0 += count(fact);
            passed.1.push(fact.id);
        }
    }
    let mut inherited: BTreeMap<&str, Term> = BTreeMap::new();
    for ((caller, callee), (failures, ids)) in to {
        let share = failures / all[caller];
        if share < PASSED_ON_SHARE_MIN || tells_itself.contains(callee) {
            continue;
        }
        let statement = format!(
            "{:.0} % of the failures of {caller} since the onset blame {callee}, of which nothing else is known",
            share * 100.0
        );
        let query = || {
            Proof::new(
                "failures_by_peer",
                [("at", facts.question.at.to_string()), ("lookback", "24h".into()), ("peer", callee.to_owned())],
            )
        };
        let receipts: Vec<ReceiptId> = ids.into_iter().take(CITED_MAX).collect();
        let shown: f64 = terms
            .get(caller)
            .into_iter()
            .flatten()
            .filter(|term| matches!(term.name, "deviation" | "onset"))
            .map(|term| term.log_odds)
            .sum();
        let through = share * shown * INHERITED_SHARE;
        if through > inherited.get(callee).map_or(0.0, |term| term.log_odds) {
            let term = Term {
                name: "through",
                log_odds: through,
                statement: statement.clone(),
                receipts: receipts.clone(),
                query: query(),
            };
            inherited.insert(callee, term);
        }
        push(
            terms,
            caller,
            Term { name: "passed_on", log_odds: PASSED_ON * share, statement, receipts, query: query() },
        );
    }
    for (callee, term) in inherited {
        push(terms, callee, term);
    }
}

/// What humans confirmed or ruled out outweighs every sign.
pub(super) fn add_verdicts(facts: &Facts<'_>, terms: &mut Terms<'_>) {
    for note in &facts.notes {
        let about = note.receipt.first("incidentReceipt").and_then(crate::receipt::Value::as_receipt);
        if about.is_some() && about != facts.question.incident {
            continue;
        }
        let Some(cause) = note.receipt.component_field("causeComponent") else { continue };
        let (name, log_odds) = match note.receipt.text("verdict") {
            Some("confirmed") => ("confirmed", CONFIRMED),
            // Ruled out stays out, whatever it shows.
            Some("ruled_out") => ("ruled_out", -CONFIRMED - terms.get(cause).map_or(0.0, |terms| sum(terms).max(0.0))),
            _ => continue,
        };
        // People may say so after the moment that is asked about.
        let at = facts.question.at.max(note.time.just_after()).to_string();
        push(
            terms,
            cause,
            Term {
                name,
                log_odds,
                statement: format!("noted at {}: {}", note.time, note.receipt.text("message").unwrap_or_default()),
                receipts: vec![note.id],
                query: Proof::new("verdicts", [("at", at), ("cause", cause.to_owned())]),
            },
        );
    }
}

pub(super) fn peer<'a>(fact: &Fact<'a>) -> Option<&'a str> {
    fact.receipt.component_field("peer").filter(|peer| *peer != fact.component)
}

fn count(fact: &Fact<'_>) -> f64 {
    fact.receipt.number("count").unwrap_or(1.0)
}

pub(super) fn relative(facts: &Facts<'_>, time: Timestamp) -> String {
    let minutes = facts.minutes_from_onset(time);
    if minutes.abs() < 0.5 {
        "with the onset".into()
    } else if minutes < 0.0 {
        format!("{:.0} min before the onset", -minutes)
    } else {
        format!("{minutes:.0} min after the onset")
    }
}

fn around(facts: &Facts<'_>, time: Timestamp, component: &str) -> [(&'static str, String); 3] {
    let from = time.min(facts.onset).checked_add(-TOGETHER).unwrap_or(time);
    let to = time.max(facts.question.at).checked_add(chrono::TimeDelta::seconds(1)).unwrap_or(time);
    [("from", from.to_string()), ("to", to.to_string()), ("component", component.to_owned())]
}
