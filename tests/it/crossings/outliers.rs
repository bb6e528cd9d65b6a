//! Values that stand out of their series are counted one by one, by the rule of three standard deviations.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::{at, configured, watch};
use crate::common::Naze;

/// Ten requests in each of these minutes from noon: `slow` of them take half a second, the others 100 to 109 ms.
fn requests(naze: &Naze, minutes: std::ops::Range<i64>, slow: u32) {
    let mut body = String::new();
    for minute in minutes {
        for number in 0..10 {
            let value = if number < slow { 0.5 } else { f64::from(100 + number) / 1_000.0 };
            let sample = json!({"metric": "request_seconds", "component": "orders", "kind": "distribution",
                "unit": "s", "value": value, "occurredAt": at(minute)});
            writeln!(body, "{sample}").unwrap();
        }
    }
    let reply = naze.post("/v1/measurements", "application/x-ndjson", body);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

fn naze() -> Naze {
    Naze::with(configured("[metrics]\ncache_seconds = 0\n[learned]\nenabled = false\n"))
}

fn counted(naze: &Naze, metric: &str) -> Option<f64> {
    let name = format!("tps_kaizen_outliers_detected_total{{metric=\"{metric}\"}} ");
    let page = naze.get("/metrics").text();
    page.lines().find_map(|line| line.strip_prefix(&name)).map(|count| count.parse().unwrap())
}

fn advised(naze: &Naze) -> Vec<Json> {
    let reply = naze.get("/v1/recommendations");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let all = reply.json()["recommendations"].as_array().unwrap().clone();
    all.into_iter().filter(|one| one["type"] == "outliers_high").collect()
}

#[test]
fn each_value_counts_and_more_than_ten_in_five_minutes_are_told() {
    let naze = naze();
    requests(&naze, -120..-6, 0);
    watch(&naze, 1);
    assert_eq!(counted(&naze, "request_seconds"), None, "nothing stood out");
    requests(&naze, -6..-2, 2);
    watch(&naze, 1);
    assert_eq!(counted(&naze, "request_seconds"), Some(8.0));
    assert_eq!(advised(&naze), Vec::<Json>::new());
    requests(&naze, -2..-1, 3);
    watch(&naze, 1);
    watch(&naze, 2);
    assert_eq!(counted(&naze, "request_seconds"), Some(11.0), "no minute counts twice");
    let advised = advised(&naze);
    assert_eq!(advised.len(), 1, "{advised:#?}");
    let metric = "tps_kaizen_outliers_detected_total{metric=\"request_seconds\",source=\"naze\"}";
    assert_eq!(advised[0]["found"]["metric"], metric);
    assert_eq!((&advised[0]["found"]["value"], &advised[0]["found"]["threshold"]), (&json!(11), &json!(10)));
    // Five whole minutes are looked at, whenever in a minute that is; of the one before this nothing is known yet.
    for (minute, second, found) in [(-1, 0, 1), (-1, 29, 1), (-1, 59, 1), (0, 0, 1), (0, 50, 1), (-2, 50, 0)] {
        let to = at(minute).checked_add(chrono::TimeDelta::seconds(second)).unwrap();
        let rows = naze.get(&format!("/v1/queries/outliers_high?to={to}")).json()["rows"].clone();
        assert_eq!(rows.as_array().unwrap().len(), found, "{to}: {rows}");
    }
}

#[test]
fn without_an_hour_of_past_nothing_stands_out_and_little_more_than_usual_does_not() {
    let naze = naze();
    requests(&naze, -50..-10, 0);
    requests(&naze, -10..0, 5);
    let level = |metric: &str, minute: i64, value: f64| json!({"metric": metric, "component": "orders", "value": value, "occurredAt": at(minute)});
    // It never moved; then once by 14 %, and once by 16 %.
    let flat = |metric: &str, last: f64| {
        (-120..0).map(|minute| level(metric, minute, if minute == -1 { last } else { 50.0 })).collect::<Vec<_>>()
    };
    let samples = [flat("steady", 57.0), flat("rising", 58.0)].concat();
    let reply = naze.post("/v1/measurements", "application/json", json!(samples).to_string());
    assert_eq!(reply.status, 201, "{}", reply.text());
    watch(&naze, 1);
    assert_eq!(counted(&naze, "request_seconds"), None);
    assert_eq!(counted(&naze, "steady"), None);
    assert_eq!(counted(&naze, "rising"), Some(1.0));
}

#[test]
fn what_stays_is_usual_after_a_day() {
    let naze = naze();
    let level = |minute: i64| {
        let value = if minute < -1_320 { 50.0 } else { 100.0 };
        json!({"metric": "depth", "component": "orders", "value": value, "occurredAt": at(minute)})
    };
    let samples: Vec<Json> = (-1_430..0).map(level).collect();
    let reply = naze.post("/v1/measurements", "application/json", json!(samples).to_string());
    assert_eq!(reply.status, 201, "{}", reply.text());
    watch(&naze, 1);
    let count = counted(&naze, "depth").unwrap();
    assert!((60.0..1_200.0).contains(&count), "{count} of 1320 minutes");
}

#[test]
fn what_was_nothing_at_first_becomes_usual_too() {
    let naze = naze();
    let level = |minute: i64| {
        let value = if minute < -1_370 { 0.0 } else { 100.0 };
        json!({"metric": "depth", "component": "orders", "value": value, "occurredAt": at(minute)})
    };
    let samples: Vec<Json> = (-1_430..-700).map(level).collect();
    assert_eq!(naze.post("/v1/measurements", "application/json", json!(samples).to_string()).status, 201);
    watch(&naze, 1);
    let count = counted(&naze, "depth").unwrap();
    assert!((1.0..60.0).contains(&count), "{count} of 670 minutes");
    let samples: Vec<Json> = (-700..0).map(level).collect();
    assert_eq!(naze.post("/v1/measurements", "application/json", json!(samples).to_string()).status, 201);
    watch(&naze, 1);
    assert_eq!(counted(&naze, "depth"), Some(count), "it is usual by now");
}

#[test]
fn outliers_of_a_minute_that_are_found_in_two_rounds_are_two() {
    let naze = naze();
    let level = |shard: &str, minute: i64, value: f64| json!({"metric": "depth", "component": "orders", "value": value, "occurredAt": at(minute), "labels": {"shard": shard}});
    let past: Vec<Json> =
        ["a", "b"].iter().flat_map(|shard| (-120..-1).map(|minute| level(shard, minute, 50.0))).collect();
    assert_eq!(naze.post("/v1/measurements", "application/json", json!(past).to_string()).status, 201);
    watch(&naze, 0);
    for shard in ["a", "b"] {
        let standing_out = json!([level(shard, -1, 900.0)]);
        assert_eq!(naze.post("/v1/measurements", "application/json", standing_out.to_string()).status, 201);
        watch(&naze, 1);
    }
    assert_eq!(counted(&naze, "depth"), Some(2.0));
}
