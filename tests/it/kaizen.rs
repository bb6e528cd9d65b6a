//! The Kaizen log: vectors F and G of the specification, effects that series show, corrections, and what is not known.
#![expect(clippy::float_cmp, reason = "figures that were rounded, and counts")]

use std::fmt::Write as _;

use naze::analyse::kaizen::compounded;
use serde_json::{Value as Json, json};

use crate::cli::{naze as command, text};
use crate::common::Naze;

fn improvement(at: &str, more: &Json) -> Json {
    let mut receipt = json!({"kind": "improvement", "occurredAt": at, "component": "checkout", "title": "t",
        "status": "done"});
    receipt.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    receipt
}

fn rounded(value: &Json) -> f64 {
    (value.as_f64().unwrap() * 10.0).round() / 10.0
}

/// F: 250, 230, 180, 95, 42 ms.
#[test]
fn steps_of_one_metric_add_up() {
    let naze = Naze::in_memory();
    let values = [250, 230, 180, 95, 42];
    let step = |place: usize| {
        let more = json!({"metric": "latency_ms", "baseline": values[place], "after": values[place + 1]});
        improvement(&format!("2026-03-0{}T10:00:00Z", place + 1), &more)
    };
    naze.record(&(0..4).map(step).collect());
    let log = naze.get("/v1/kaizen").json();
    let chain = &log["chains"][0];
    let steps: Vec<f64> =
        chain["steps"].as_array().unwrap().iter().map(|step| rounded(&step["changePercent"])).collect();
    assert_eq!(steps, [-8.0, -21.7, -47.2, -55.8]);
    assert_eq!(rounded(&chain["totalPercent"]), -83.2);
    // (42/250)^(1/4) is 0.6402.
    assert_eq!(rounded(&chain["percentPerStep"]), -36.0);
    assert_eq!(log["chains"].as_array().unwrap().len(), 1);
    assert_eq!(log["entries"][3]["notMeasured"], "there is no series of latency_ms of checkout");
}

/// G: one percent compounds.
/// An improvement may have a title and the hypothesis it is to prove.
#[test]
fn a_title_and_a_hypothesis_make_one_row() {
    let naze = Naze::in_memory();
    let more = json!({"hypothesis": "a cache halves it", "title": "cache"});
    let recorded = naze.record(&json!([improvement("2026-03-10T10:00:00Z", &more)]));
    for path in ["events_around?at=2026-03-10T10:00:00Z", "kaizen_effect"] {
        let rows = naze.get(&format!("/v1/queries/{path}")).json()["rows"].clone();
        assert_eq!(rows.as_array().unwrap().len(), 1, "{path}: {rows}");
        assert_eq!(
            (&rows[0]["event"], &rows[0]["subject"]),
            (&recorded["receipts"][0]["id"], &json!("cache")),
            "{path}"
        );
    }
}

#[test]
fn small_steps_compound() {
    let round = |steps| (compounded(1.0, steps) * 10.0).round() / 10.0;
    assert_eq!([5, 20, 52].map(round), [5.1, 22.0, 67.8]);
    assert_eq!(compounded(1.0, 250).round(), 1_103.0);
}

/// Queue depth by the minute: around 100 the day before noon of the 8th, around 80 the day after.
fn queue() -> String {
    let mut lines = String::new();
    for minute in 0..2_880 {
        let at =
            format!("2026-03-{:02}T{:02}:{:02}:00Z", 7 + (720 + minute) / 1_440, (12 + minute / 60) % 24, minute % 60);
        let value = if minute < 1_440 { 100 } else { 80 } + (minute * 7) % 5;
        let told = json!({"metric": "queue_depth", "component": "checkout", "value": value, "occurredAt": at});
        writeln!(lines, "{told}").unwrap();
    }
    lines
}

#[test]
fn the_effect_is_read_from_the_series_with_what_else_was_changed() {
    let naze = Naze::in_memory();
    assert_eq!(naze.post("/v1/measurements", "application/x-ndjson", queue()).json()["recorded"], 2_880);
    let change = |component: &str, at: &str| json!({"kind": "deployment", "occurredAt": at, "component": component, "status": "succeeded", "version": "3"});
    let told = naze.record(&json!([
        improvement(
            "2026-03-08T12:00:00Z",
            &json!({"metric": "queue_depth", "actor": "aiko", "title": "two workers more",
            "hypothesis": "workers are short", "action": "4 in place of 2", "reason": "they were"})
        ),
        change("checkout", "2026-03-08T15:00:00Z"),
        change("checkout", "2026-03-05T15:00:00Z"),
        change("search", "2026-03-08T15:00:00Z"),
        improvement("2026-03-10T11:55:00Z", &json!({"metric": "queue_depth", "title": "too new"})),
        improvement("2026-03-09T08:00:00Z", &json!({"metric": "queue_depth", "title": "later", "status": "proposed"})),
        improvement("2026-03-09T09:00:00Z", &json!({"title": "tidier"})),
    ]));
    let log = naze.get("/v1/kaizen").json();
    let first = &log["entries"][0];
    let measured = &first["measured"];
    assert_eq!(
        (&first["owner"], &first["why"], &measured["direction"], &measured["isComplete"]),
        (&json!("aiko"), &json!("they were"), &json!("improving"), &json!(true))
    );
    assert_eq!((&measured["control"]["mean"], &measured["canary"]["mean"]), (&json!(102.0), &json!(82.0)));
    assert_eq!(rounded(&measured["changePercent"]["value"]), -19.6);
    assert_eq!(measured["confounders"], json!([told["receipts"][1]["id"]]));
    for path in measured["show"].as_array().unwrap() {
        assert_eq!(naze.get(path.as_str().unwrap()).status, 200, "{path}");
    }
    let not_measured = |place: usize| log["entries"][place]["notMeasured"].as_str().unwrap().to_owned();
    assert_eq!(not_measured(1), "it is not made yet");
    assert_eq!(not_measured(2), "it names no metric");
    assert_eq!(not_measured(3), "the time before has 5 values, 10 are needed");
    assert_eq!(log["entries"].as_array().unwrap().len(), 4);
    let page = naze.get("/v1/kaizen?format=markdown").text();
    assert!(
        page.contains("two workers more") && page.contains("102 to 82 (-19.6 %, better, p = 0.000); 1 other changes"),
        "{page}"
    );
    assert!(page.contains("supposed: workers are short; changed: 4 in place of 2; why: they were"), "{page}");
    assert_eq!(naze.get("/v1/kaizen?component=search").json()["entries"], json!([]));
    assert_eq!(naze.get("/v1/kaizen?effect=30d").status, 400);
}

/// Append-only: a correction stands in the place of what it corrects, which stays.
#[test]
fn a_correction_supersedes_and_what_was_said_stays() {
    let naze = Naze::in_memory();
    let more = json!({"metric": "m", "baseline": 10, "after": 1});
    let first = naze.record(&improvement("2026-03-09T10:00:00Z", &more))["receipts"][0]["id"].clone();
    let id = first.as_str().unwrap();
    naze.record(&improvement(
        "2026-03-09T10:00:00Z",
        &json!({"metric": "m", "baseline": 10, "after": 9, "supersedes": id}),
    ));
    let entries = naze.get("/v1/kaizen").json()["entries"].clone();
    assert_eq!(entries.as_array().unwrap().len(), 1);
    assert_eq!(rounded(&entries[0]["changePercent"]), -10.0);
    assert_eq!(naze.get(&format!("/v1/receipts/{id}")).json()["after"], 1.0);
}

#[test]
fn the_command_adds_and_lists() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let added = command(&[
        "kaizen", "--data", &data, "add", "a cache", "--of", "checkout", "--metric", "latency", "--before", "250",
        "--after", "230", "--owner", "mika",
    ]);
    assert_eq!(added.status.code(), Some(0), "{}", text(&added.stderr));
    let shown = text(&command(&["kaizen", "--data", &data, "--component", "checkout"]).stdout);
    assert!(shown.contains("mika") && shown.contains("250 to 230 (-8.0 %)"), "{shown}");
    let refused = command(&["kaizen", "--data", &data, "add", "a cache", "--of", "checkout", "--effort", "XL"]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stdout).contains("effort must be S, M or L"), "{}", text(&refused.stdout));
}
