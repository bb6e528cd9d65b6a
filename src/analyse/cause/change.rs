//! Changes: when they came, and whether what they touched is what failed.
//!
//! Senders may put `files`, `diff` and `state` (`merged` for what is not yet deployed) into the labels of a change.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;

use super::facts::{Fact, Facts};
use super::signs::relative;
use super::text::{concepts, is_inert, words};
use super::{Proof, Term, Terms};
use crate::clock::Timestamp;
use crate::receipt::ReceiptId;

/// Clocks of different senders differ by this much.
const CLOCK_SKEW: TimeDelta = TimeDelta::minutes(1);
/// A component whose first sign comes this soon after a change follows it.
const FOLLOWS_WITHIN: TimeDelta = TimeDelta::minutes(15);
/// Failures of the hour before the onset tell what failed.
const SYMPTOM_LOOKBACK: TimeDelta = TimeDelta::hours(1);
const RECENCY: f64 = 0.8;
const RECENCY_LOSS: f64 = 0.4;
const AFTER_ONSET: f64 = -3.0;
const FOLLOWED: f64 = 1.0;
const INERT: f64 = -2.0;
const SHARED_WORDS_WEIGHT: f64 = 0.35;
const SHARED_WORDS_MAX: f64 = 2.5;
const SHARED_CONCEPT: f64 = 0.7;
const SHARED_CONCEPTS_MAX: f64 = 2.0;
/// A diff that only moves lines changes little.
const MOVED_SHARE_MIN: f64 = 0.75;
/// Content from which a change is more than a coincidence in time.
const CONTENT_MIN: f64 = 2.0;
/// Content below which its time counts for less: something is deployed before most outages.
const CONTENT_HINT_MIN: f64 = 0.5;
const COINCIDENCE_SHARE: f64 = 0.4;

/// The change of a component that fits best.
pub(super) struct Weighed<'a> {
    pub(super) fact: Fact<'a>,
    timing: f64,
    content: f64,
    shared: Vec<String>,
    concepts: Vec<&'static str>,
    symptoms: Vec<ReceiptId>,
}

impl Weighed<'_> {
    /// Does what it touched speak of what failed?
    pub(super) fn fits(&self) -> bool {
        self.content >= CONTENT_MIN
    }

    /// Does it at least hint at what failed?
    pub(super) fn hints(&self) -> bool {
        self.content >= CONTENT_HINT_MIN
    }

    fn total(&self) -> f64 {
        self.timing + self.content
    }
}

/// What a change says about itself.
struct Content {
    all: BTreeSet<String>,
    touched: BTreeSet<String>,
    moved_share: f64,
    inert: bool,
}

/// For each component with a change, the one that fits best, when any fits at all.
pub(super) fn weigh<'a>(facts: &Facts<'a>) -> BTreeMap<&'a str, Weighed<'a>> {
    let contents: Vec<Content> = facts.changes.iter().map(content).collect();
    let mut spread: BTreeMap<&str, u32> = BTreeMap::new();
    for word in contents.iter().flat_map(|content| &content.all) {
        *spread.entry(word).or_default() += 1;
    }
    let (symptom_words, symptoms) = symptom_words(facts);
    let symptom_concepts = concepts(&symptom_words);
    let changes = u32::try_from(contents.len()).unwrap_or(u32::MAX);
    let mut best: BTreeMap<&str, Weighed<'a>> = BTreeMap::new();
    for (fact, content) in facts.changes.iter().zip(&contents) {
        let own_name: BTreeSet<String> = words(fact.component).collect();
        let shared: Vec<&String> =
            content.all.intersection(&symptom_words).filter(|word| !own_name.contains(*word)).collect();
        let words_weight: f64 =
            shared.iter().map(|word| (f64::from(changes + 1) / f64::from(spread[word.as_str()])).ln()).sum();
        let shared_concepts: Vec<&str> = concepts(&content.touched).intersection(&symptom_concepts).copied().collect();
        let concepts_weight = f64::from(u32::try_from(shared_concepts.len()).unwrap_or(u32::MAX)) * SHARED_CONCEPT;
        let mut weight =
            (words_weight * SHARED_WORDS_WEIGHT).min(SHARED_WORDS_MAX) + concepts_weight.min(SHARED_CONCEPTS_MAX);
        if content.inert {
            weight += INERT;
        }
        if content.moved_share > MOVED_SHARE_MIN {
            weight -= content.moved_share;
        }
        let timing = timing(facts, fact);
        let is_coincidence = timing > 0.0 && weight < CONTENT_HINT_MIN;
        let weighed = Weighed {
            fact: *fact,
            timing: if is_coincidence { timing * COINCIDENCE_SHARE } else { timing },
            content: weight,
            shared: shared.into_iter().take(6).cloned().collect(),
            concepts: shared_concepts,
            symptoms: symptoms.clone(),
        };
        // Facts come in order of time: of two that weigh the same, the later one is blamed.
        if best.get(fact.component).is_none_or(|other| weighed.total() >= other.total()) {
            best.insert(fact.component, weighed);
        }
    }
    best.retain(|_, weighed| weighed.total() > 0.0);
    best
}

pub(super) fn add<'a>(facts: &Facts<'a>, changes: &BTreeMap<&'a str, Weighed<'a>>, terms: &mut Terms<'a>) {
    for (component, weighed) in changes {
        let query = || {
            let at = facts.question.at.checked_add(TimeDelta::seconds(1)).unwrap_or(facts.question.at);
            let hours = at.since(weighed.fact.time).num_hours() + 1;
            Proof::new(
                "changes_before",
                [("at", at.to_string()), ("lookback", format!("{hours}h")), ("component", (*component).to_owned())],
            )
        };
        let timing = Term {
            name: "change",
            log_odds: weighed.timing,
            statement: format!(
                "{}, {} ({})",
                describe(&weighed.fact),
                relative(facts, weighed.fact.time),
                weighed.fact.time
            ),
            receipts: vec![weighed.fact.id],
            query: query(),
        };
        let content = Term {
            name: "content",
            log_odds: weighed.content,
            statement: describe_content(weighed),
            receipts: std::iter::once(weighed.fact.id).chain(weighed.symptoms.iter().copied().take(5)).collect(),
            query: query(),
        };
        let added = [timing, content].into_iter().filter(|term| term.log_odds != 0.0);
        if let Some(terms) = terms.get_mut(*component) {
            terms.extend(added);
        }
    }
}

fn describe_content(weighed: &Weighed<'_>) -> String {
    let mut parts = Vec::new();
    if !weighed.shared.is_empty() {
        parts.push(format!("it speaks of {}, as the symptoms do", weighed.shared.join(", ")));
    }
    if !weighed.concepts.is_empty() {
        parts.push(format!("it touches {}", weighed.concepts.join(", ")));
    }
    if parts.is_empty() { "nothing it touched is known to be what failed".into() } else { parts.join("; ") }
}

/// One change in words, without its author: no person is a cause.
pub(super) fn describe(fact: &Fact<'_>) -> String {
    let text = |field: &str| fact.receipt.text(field);
    let what = if fact.receipt.kind() == "deployment" {
        let version = text("version").or_else(|| text("commit")).unwrap_or("a version");
        format!("{} was deployed to {} ({})", version, fact.component, text("status").unwrap_or("unknown"))
    } else {
        format!(
            "{} of {} changed ({})",
            text("key").unwrap_or("something"),
            fact.component,
            text("changeType").unwrap_or("other")
        )
    };
    match text("summary") {
        Some(summary) => format!("{what}: {summary}"),
        None => what,
    }
}

fn timing(facts: &Facts<'_>, fact: &Fact<'_>) -> f64 {
    let is_merged_only = fact.receipt.labels().get("state").is_some_and(|state| state == "merged")
        || fact.receipt.text("key").is_some_and(|key| key.starts_with("commit/"));
    let base = match (fact.receipt.kind(), fact.receipt.text("status")) {
        ("deployment", Some("succeeded")) => 1.5,
        ("deployment", Some("failed")) => 0.5,
        ("deployment", Some("rolled_back")) => -1.0,
        ("deployment", _) => 1.0,
        _ if is_merged_only => -0.5,
        _ => 0.7,
    };
    let in_skew = fact.time.checked_add(-CLOCK_SKEW).unwrap_or(fact.time);
    let own_signs = facts
        .crossings
        .iter()
        .chain(&facts.failures)
        .filter(|sign| sign.component == fact.component)
        .map(|sign| sign.time);
    let own_signs: Vec<Timestamp> = own_signs.collect();
    let next_sign =
        own_signs.iter().copied().filter(|time| *time >= in_skew).chain([facts.onset]).min().unwrap_or(facts.onset);
    let minutes_to_sign = minutes(next_sign, fact.time).max(0.0);
    let recency = RECENCY - RECENCY_LOSS * (1.0 + minutes_to_sign / 10.0).ln();
    let was_broken = own_signs.iter().any(|time| *time < in_skew);
    let until = fact.time.checked_add(FOLLOWS_WITHIN).unwrap_or(fact.time);
    let is_followed = own_signs.iter().any(|time| *time >= in_skew && *time <= until);
    let follow = match (was_broken, is_followed) {
        (true, _) => -FOLLOWED,
        (false, true) => FOLLOWED,
        (false, false) => 0.0,
    };
    let too_late = facts.onset.checked_add(CLOCK_SKEW).is_some_and(|latest| fact.time > latest);
    base + recency + follow + if too_late { AFTER_ONSET } else { 0.0 }
}

#[expect(clippy::cast_precision_loss, reason = "minutes between times")]
fn minutes(later: Timestamp, earlier: Timestamp) -> f64 {
    later.since(earlier).num_seconds() as f64 / 60.0
}

/// The words of what failed, and the receipts they come from.
fn symptom_words(facts: &Facts<'_>) -> (BTreeSet<String>, Vec<ReceiptId>) {
    let since = facts.onset.checked_add(-SYMPTOM_LOOKBACK).unwrap_or(facts.onset);
    let told: Vec<&Fact<'_>> = facts.failures.iter().filter(|fact| fact.time >= since).chain(&facts.alerts).collect();
    let mut found = BTreeSet::new();
    for field in ["message", "failureType", "summary", "metric", "name"] {
        found.extend(told.iter().filter_map(|fact| fact.receipt.text(field)).flat_map(words));
    }
    let question = facts.question;
    found.extend([&question.summary, &question.metric].into_iter().flatten().flat_map(|text| words(text)));
    let connected =
        |fact: &&Fact<'_>| facts.downstream.contains_key(fact.component) || facts.upstream.contains_key(fact.component);
    found.extend(
        facts.crossings.iter().filter(connected).filter_map(|fact| fact.receipt.text("metric")).flat_map(words),
    );
    (found, told.iter().map(|fact| fact.id).collect())
}

fn content(fact: &Fact<'_>) -> Content {
    let label = |key: &str| fact.receipt.labels().get(key).map_or("", String::as_str);
    let key = fact.receipt.text("key").filter(|key| !key.starts_with("commit/")).unwrap_or_default();
    let summary = fact.receipt.text("summary").unwrap_or_default();
    let values: Vec<&str> = ["from", "to"].iter().filter_map(|field| fact.receipt.text(field)).collect();
    let (mut removed, mut added, mut context): (Bag, Bag, BTreeSet<String>) = Default::default();
    for line in label("diff").lines() {
        match line.as_bytes() {
            [b'-', rest @ ..] if !rest.starts_with(b"--") => {
                words(line).for_each(|word| *removed.entry(word).or_default() += 1);
            }
            [b'+', rest @ ..] if !rest.starts_with(b"++") => {
                words(line).for_each(|word| *added.entry(word).or_default() += 1);
            }
            _ => context.extend(words(line)),
        }
    }
    let net = |bag: &Bag, other: &Bag| -> BTreeSet<String> {
        bag.iter()
            .filter(|(word, count)| other.get(*word).is_none_or(|other| other < count))
            .map(|(word, _)| word.clone())
            .collect()
    };
    let kept: u32 = removed.iter().map(|(word, count)| added.get(word).copied().unwrap_or(0).min(*count)).sum();
    let lost: u32 = removed.values().sum();
    let mut touched: BTreeSet<String> = net(&removed, &added).into_iter().chain(net(&added, &removed)).collect();
    touched.extend(words(&format!("{summary} {key} {} {}", label("files"), values.join(" "))));
    let mut all = touched.clone();
    all.extend(removed.into_keys().chain(added.into_keys()).chain(context));
    Content {
        all,
        touched,
        moved_share: if lost == 0 { 0.0 } else { f64::from(kept) / f64::from(lost) },
        inert: is_inert(label("files")),
    }
}

/// Words with how often they occur.
type Bag = BTreeMap<String, u32>;
