//! Published incidents with known causes: the floors that the ranking must not fall below.
//!
//! Ties count against us, and no answer is read before the question is answered.

use std::path::Path;

use naze::analyse::cause::{Answer, Question, Verdict, why};
use naze::clock::Timestamp;
use naze::measure::crossing::{Sample, crossings};
use naze::receipt::{Receipt, read_json};
use naze::record::Recorded;
use naze::vocab::Vocabulary;
use serde_json::Value as Json;

use crate::common::shared;

struct Score {
    cases: f64,
    first: f64,
    average_of_five: f64,
    empty: f64,
    abstained: f64,
}

fn recorded(receipt: Receipt) -> Recorded {
    let vocabulary = Vocabulary::builtin();
    let recorded_at = receipt.occurred_at().unwrap();
    Recorded { id: receipt.id(&vocabulary), receipt, recorded_at, position: 0, source: [0; 32], key: None }
}

fn ask(folder: &Path) -> Answer {
    let vocabulary = Vocabulary::builtin();
    let incident: Json = serde_json::from_slice(&std::fs::read(folder.join("incident.json")).unwrap()).unwrap();
    let time = |name: &str| incident[name].as_str().map(|time| time.parse::<Timestamp>().unwrap());
    let text = |name: &str| incident["symptom"][name].as_str().map(str::to_owned);
    let at = time("detectedAt").unwrap();
    let lines = std::fs::read_to_string(folder.join("receipts.ndjson")).unwrap();
    let mut evidence: Vec<Recorded> = lines
        .lines()
        .map(|line| recorded(read_json(&serde_json::from_str(line).unwrap(), &vocabulary).unwrap()))
        .collect();
    if let Ok(mut reader) = csv::Reader::from_path(folder.join("measurements.csv")) {
        let samples: Vec<Sample> = reader
            .deserialize::<(Timestamp, String, String, f64, Option<String>)>()
            .map(|row| {
                let (time, component, metric, value, unit) = row.unwrap();
                Sample { time, component, metric, value, unit }
            })
            .collect();
        evidence.extend(crossings(&samples, at).into_iter().map(recorded));
    }
    let question = Question {
        component: text("component").unwrap(),
        metric: text("metric"),
        summary: text("summary"),
        onset: time("onset"),
        at,
        incident: None,
    };
    why(&question, &evidence)
}

/// Rank of the best right answer, counting every equal score before it.
fn rank(answer: &Answer, right: &[&str]) -> Option<usize> {
    let best = answer
        .ranked
        .iter()
        .filter(|cause| right.contains(&&*cause.component))
        .map(|cause| cause.score)
        .max_by(f64::total_cmp)?;
    Some(1 + answer.ranked.iter().filter(|cause| cause.score >= best && !right.contains(&&*cause.component)).count())
}

fn score(dataset: &Path) -> Score {
    let mut score = Score { cases: 0.0, first: 0.0, average_of_five: 0.0, empty: 0.0, abstained: 0.0 };
    for entry in std::fs::read_dir(dataset).unwrap() {
        let folder = entry.unwrap().path();
        if !folder.is_dir() {
            continue;
        }
        let answer = ask(&folder);
        let truth: Json = serde_json::from_slice(&std::fs::read(folder.join("answer.json")).unwrap()).unwrap();
        let right: Vec<&str> =
            truth["components"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
        let abstains = answer.verdict == Verdict::Inconclusive;
        if right.is_empty() {
            score.empty += 1.0;
            score.abstained += f64::from(u8::from(abstains));
            continue;
        }
        score.cases += 1.0;
        let rank = rank(&answer, &right).unwrap_or(usize::MAX);
        score.first += f64::from(u8::from(rank == 1));
        score.average_of_five += (1..=5).map(|k| f64::from(u8::from(rank <= k))).sum::<f64>() / 5.0;
    }
    score
}

#[track_caller]
fn check(dataset: &str, first_min: f64, average_of_five_min: f64) {
    let Some(folder) = shared(&format!("data/cases/{dataset}")) else { return };
    let score = score(&folder);
    let (first, average) = (score.first / score.cases, score.average_of_five / score.cases);
    println!(
        "{dataset}: AC@1 {first:.3}, Avg@5 {average:.3}, abstained {} of {} without a cause",
        score.abstained, score.empty
    );
    assert!(first >= first_min && average >= average_of_five_min, "{dataset}: AC@1 {first:.3}, Avg@5 {average:.3}");
    assert!(score.abstained >= score.empty, "{dataset}: a change was blamed where none is guilty");
}

#[test]
fn petshop() {
    check("petshop", 0.55, 0.85);
}

#[test]
fn rootcausebench() {
    check("rootcausebench", 0.99, 0.99);
}

#[test]
fn tvdiag() {
    check("tvdiag_train", 0.40, 0.65);
}
