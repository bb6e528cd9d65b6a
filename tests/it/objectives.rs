<<<<<<< HEAD
//! Objectives from files, kept or not by the series of naze: every expected figure is worked out by hand.
#![expect(clippy::float_cmp, clippy::cast_precision_loss, reason = "small counts, as numbers")]

mod files;
mod judging;
mod rules;
mod windows;

use std::fmt::Write as _;

use naze::config::Config;
=======
//! Objectives from files, kept or not by the series of naze: every figure is worked out by hand.

use std::fmt::Write as _;
use std::path::Path;

use naze::config::Config;
use naze::engine::Engine;
use naze::error::Kind;
use naze::measure::sketch::Sketch;
use naze::slo::Book;
>>>>>>> 5861261 (naze slo, rules for Prometheus from OpenSLO files, docs)
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze};

<<<<<<< HEAD
/// A naze that watches the objectives of one file.
fn naze(slos: &str) -> Naze {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("slos.yaml"), slos).unwrap();
    Naze::with(Config { slos: Some(folder.path().to_owned()), ..Config::in_memory() })
}

/// A document with an objective for events.
fn slo(name: &str, window: &str, indicator: &str, objective: &str) -> String {
    document(name, &format!("{{duration: {window}, isRolling: true}}"), "Occurrences", indicator, objective)
}

fn document(name: &str, window: &str, budgeting: &str, indicator: &str, objective: &str) -> String {
    format!(
        "---\napiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: checkout\n  \
        budgetingMethod: {budgeting}\n  timeWindow: [{window}]\n  \
=======
/// A folder with one file of objectives.
fn folder(slos: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("slos.yaml"), slos).unwrap();
    folder
}

fn naze(slos: &str) -> Naze {
    let folder = folder(slos);
    Naze::with(Config { slos: Some(folder.path().to_owned()), ..Config::in_memory() })
}

fn slo(name: &str, window: &str, indicator: &str, objective: &str) -> String {
    format!(
        "---\napiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: checkout\n  \
        budgetingMethod: Occurrences\n  timeWindow: [{{duration: {window}, isRolling: true}}]\n  \
>>>>>>> 5861261 (naze slo, rules for Prometheus from OpenSLO files, docs)
        indicator: {{spec: {indicator}}}\n  objectives: [{objective}]\n"
    )
}

fn source(spec: &str) -> String {
    format!("{{metricSource: {{type: naze, spec: {spec}}}}}")
}

fn ratio(quality: &str, events: &str, total: &str) -> String {
    format!("{{ratioMetric: {{counter: true, {quality}: {}, total: {}}}}}", source(events), source(total))
}

<<<<<<< HEAD
fn threshold(spec: &str) -> String {
    format!("{{thresholdMetric: {}}}", source(spec))
}

const BAD: &str = "{metric: http_requests_total, component: checkout, labels: {code: [\"500\", 503]}}";
const ALL: &str = "{metric: http_requests_total, component: checkout}";

fn requests(kind: &str, code: &str) -> Json {
    json!({"metric": "http_requests_total", "component": "checkout", "kind": kind, "labels": {"code": code}})
}

=======
>>>>>>> 5861261 (naze slo, rules for Prometheus from OpenSLO files, docs)
/// Samples of one series, by minutes before noon.
fn measure(naze: &Naze, series: &Json, points: impl IntoIterator<Item = (u32, f64)>) {
    let mut body = String::new();
    for (minutes_ago, value) in points {
<<<<<<< HEAD
        let noon = chrono::DateTime::parse_from_rfc3339(NOW).unwrap();
        let mut one = series.clone();
        one["value"] = json!(value);
        one["occurredAt"] = json!((noon - chrono::TimeDelta::minutes(i64::from(minutes_ago))).to_rfc3339());
=======
        let at =
            chrono::DateTime::parse_from_rfc3339(NOW).unwrap() - chrono::TimeDelta::minutes(i64::from(minutes_ago));
        let mut one = series.clone();
        one["value"] = json!(value);
        one["occurredAt"] = json!(at.to_rfc3339());
>>>>>>> 5861261 (naze slo, rules for Prometheus from OpenSLO files, docs)
        writeln!(body, "{one}").unwrap();
    }
    let reply = naze.post("/v1/measurements", "application/x-ndjson", body);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

<<<<<<< HEAD
/// The answer for one objective.
#[track_caller]
fn status(naze: &Naze, name: &str) -> Json {
=======
fn requests(code: &str) -> Json {
    json!({"metric": "http_requests_total", "component": "checkout", "kind": "counter", "labels": {"code": code}})
}

#[track_caller]
fn ask(naze: &Naze, name: &str) -> Json {
>>>>>>> 5861261 (naze slo, rules for Prometheus from OpenSLO files, docs)
    let reply = naze.get(&format!("/v1/slos/{name}"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["slo"].clone()
}

<<<<<<< HEAD
/// The first objective of an answer.
#[track_caller]
fn only(naze: &Naze, name: &str) -> Json {
    status(naze, name)["objectives"][0].clone()
=======
const BAD: &str = "{metric: http_requests_total, component: checkout, labels: {code: [\"500\", \"503\"]}}";
const ALL: &str = "{metric: http_requests_total, component: checkout}";

#[test]
fn counters_spend_a_budget() {
    let naze = naze(&slo("success", "1h", &ratio("bad", BAD, ALL), "{target: 0.99}"));
    // 100 requests a minute; of those of the last 10 minutes, 4 fail with 500 and 1 with 503.
    let line = |a_minute: f64, from: u32| {
        (0..=90).rev().map(move |ago| (ago, 1_000.0 + a_minute * f64::from(from.saturating_sub(ago))))
    };
    measure(&naze, &requests("200"), (0..=90).rev().map(|ago| (ago, f64::from(90 - ago) * 95.0)));
    measure(&naze, &requests("404"), (0..=90).rev().map(|ago| (ago, f64::from(90 - ago) * 5.0)));
    measure(&naze, &requests("500"), line(4.0, 11));
    measure(&naze, &requests("503"), line(1.0, 11));
    println!("{:#}", ask(&naze, "success"));
>>>>>>> 5861261 (naze slo, rules for Prometheus from OpenSLO files, docs)
}
