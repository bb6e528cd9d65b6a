//! Why did it break? Every suspect is scored by a sum of named terms in natural-log odds, and each term cites the
//! receipts it rests on: the explanation is the computation.
//!
//! What the terms stand on (DESIGN §7): a cause deviates newly, at the onset; a caller whose callee deviates as early is
//! a victim; callers blame their callee; what only this component shows is telling; and a change counts by when it came
//! and by what it touched, never by recency alone.

mod answer;
mod change;
mod facts;
mod signs;
mod text;
mod topology;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::clock::Timestamp;
use crate::receipt::ReceiptId;
use crate::record::Recorded;
use facts::Facts;

/// What is asked.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// Component that shows the symptom.
    pub component: String,
    /// Metric that shows it.
    pub metric: Option<String>,
    /// The symptom in words.
    pub summary: Option<String>,
    /// When it began, if known.
    pub onset: Option<Timestamp>,
    /// Answer as of here; later evidence is not looked at.
    pub at: Timestamp,
    /// The incident it is about.
    pub incident: Option<ReceiptId>,
}

/// How sure the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// A human said so.
    Confirmed,
    /// The evidence points to the first suspect.
    Likely,
    /// There is too little evidence to name a cause.
    Inconclusive,
}

/// The answer: suspects in order, why the others are not first, and what would tell more.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// What was asked, with the onset that was assumed.
    pub question: Question,
    /// How sure the answer is.
    pub verdict: Verdict,
    /// Suspects, the likeliest first.
    pub ranked: Vec<Cause>,
    /// What speaks against the runners-up.
    pub why_not: Vec<WhyNot>,
    /// Evidence that is missing, and how to get it.
    pub missing: Vec<Missing>,
    /// From the symptom to the cause, one step a line.
    pub chain: Vec<Step>,
}

/// A suspect.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// The component.
    pub component: String,
    /// Sum of its terms, natural-log odds.
    pub score: f64,
    /// The change that is blamed, when one is.
    pub receipt: Option<ReceiptId>,
    /// One sentence.
    pub summary: String,
    /// What the score is made of.
    pub terms: Vec<Term>,
    /// All receipts the terms rest on.
    pub evidence: Vec<ReceiptId>,
}

/// One reason for or against a suspect.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Term {
    /// Its name: `deviation`, `onset`, `rarity`, `blame`, `passed_on`, `path`, `explained`, `change`, `content` …
    pub name: &'static str,
    /// What it adds, natural-log odds.
    pub log_odds: f64,
    /// The reason in plain words, with its numbers.
    pub statement: String,
    /// What it rests on.
    pub receipts: Vec<ReceiptId>,
    /// A canned query that shows these receipts again.
    pub query: Proof,
}

/// A canned query with its parameters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Id in the catalogue.
    pub id: &'static str,
    /// Parameters by name.
    pub params: BTreeMap<String, String>,
}

/// Why a runner-up is not first.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WhyNot {
    /// The runner-up.
    pub component: String,
    /// What speaks against it.
    pub statement: String,
    /// What that rests on.
    pub receipts: Vec<ReceiptId>,
    /// How far it is behind the first, natural-log odds.
    pub against: f64,
}

/// Evidence that is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What is not known.
    pub what: String,
    /// What to do or ask next.
    pub next: String,
}

/// One step from the symptom towards the cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    /// From 1.
    pub number: usize,
    /// The why of this step.
    pub question: String,
    /// Its answer.
    pub because: String,
    /// The component the answer leads to.
    pub component: String,
    /// What the answer rests on.
    pub receipts: Vec<ReceiptId>,
}

/// Terms of every suspect.
type Terms<'a> = BTreeMap<&'a str, Vec<Term>>;

/// Ranks the suspects. The order of `evidence` does not matter.
pub fn why(question: &Question, evidence: &[Recorded]) -> Answer {
    let facts = Facts::new(question, evidence);
    let mut terms: Terms<'_> = facts.suspects.iter().map(|name| (*name, Vec::new())).collect();
    signs::add(&facts, &mut terms);
    // What a caller passes on to a silent callee it has shown all the same.
    let shown = |terms: &[Term]| {
        terms.iter().filter(|term| term.name != "passed_on").map(|term| term.log_odds).sum::<f64>().max(0.0)
    };
    let strength: BTreeMap<&str, f64> = terms.iter().map(|(name, terms)| (*name, shown(terms))).collect();
    let changes = change::weigh(&facts);
    topology::add(&facts, &strength, &changes, &mut terms);
    change::add(&facts, &changes, &mut terms);
    signs::add_verdicts(&facts, &mut terms);
    answer::compose(&facts, &changes, terms)
}

fn sum(terms: &[Term]) -> f64 {
    terms.iter().map(|term| term.log_odds).sum()
}

impl Proof {
    fn new<const N: usize>(id: &'static str, params: [(&str, String); N]) -> Self {
        Self { id, params: params.into_iter().map(|(name, value)| (name.to_owned(), value)).collect() }
    }

    /// Path and query that ask for it over HTTP.
    pub fn path(&self) -> String {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.params).finish();
        format!("/v1/queries/{}?{query}", self.id)
    }
}
