//! Objectives from files, kept or not by the series of naze: every expected figure is worked out by hand.

mod buckets;
mod files;
mod forms;
mod judging;
mod rules;
mod windows;

use std::fmt::Write as _;

use naze::config::Config;
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze};

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
        indicator: {{spec: {indicator}}}\n  objectives: [{objective}]\n"
    )
}

fn source(spec: &str) -> String {
    format!("{{metricSource: {{type: naze, spec: {spec}}}}}")
}

fn ratio(quality: &str, events: &str, total: &str) -> String {
    format!("{{ratioMetric: {{counter: true, {quality}: {}, total: {}}}}}", source(events), source(total))
}

fn threshold(spec: &str) -> String {
    format!("{{thresholdMetric: {}}}", source(spec))
}

const BAD: &str = "{metric: http_requests_total, component: checkout, labels: {code: [\"500\", 503]}}";
const ALL: &str = "{metric: http_requests_total, component: checkout}";

fn requests(kind: &str, code: &str) -> Json {
    json!({"metric": "http_requests_total", "component": "checkout", "kind": kind, "labels": {"code": code}})
}

/// Samples of one series, by minutes before noon.
fn measure(naze: &Naze, series: &Json, points: impl IntoIterator<Item = (u32, f64)>) {
    let mut body = String::new();
    for (minutes_ago, value) in points {
        let noon = chrono::DateTime::parse_from_rfc3339(NOW).unwrap();
        let mut one = series.clone();
        one["value"] = json!(value);
        one["occurredAt"] = json!((noon - chrono::TimeDelta::minutes(i64::from(minutes_ago))).to_rfc3339());
        writeln!(body, "{one}").unwrap();
    }
    let reply = naze.post("/v1/measurements", "application/x-ndjson", body);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// The answer for one objective.
#[track_caller]
fn status(naze: &Naze, name: &str) -> Json {
    let reply = naze.get(&format!("/v1/slos/{name}"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()["slo"].clone()
}

/// The first objective of an answer.
#[track_caller]
fn only(naze: &Naze, name: &str) -> Json {
    status(naze, name)["objectives"][0].clone()
}
