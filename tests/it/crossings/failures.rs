//! Failures are counted by component and type, and one of a type that was not seen for a week is told.

use std::path::Path;

use naze::config::Config;
use serde_json::json;

use super::{at, crossings, watch};
use crate::common::Naze;

fn open(folder: &Path) -> Naze {
    let mut config = Config::with_data(folder);
    config.learned.enabled = false;
    Naze::with(config)
}

fn fail(naze: &Naze, component: &str, of_type: &str, minutes: i64) {
    let failure = json!({"kind": "failure", "component": component, "failureType": of_type, "occurredAt": at(minutes)});
    let reply = naze.post("/v1/receipts", "application/json", json!([failure]).to_string());
    assert!(reply.status.is_success(), "{}", reply.text());
}

/// Each crossing as `<minutes from NOW> <component> <type> <turn>`.
fn told(naze: &Naze) -> Vec<String> {
    let tell = |receipt: &naze::receipt::Receipt| {
        assert_eq!(receipt.text("metric"), Some("naze_failures"));
        let minutes = receipt.occurred_at().unwrap().since(at(0)).num_minutes();
        let turn = receipt.text("status").or(receipt.text("severity")).unwrap();
        format!("{minutes} {} {} {turn}", receipt.component().unwrap(), receipt.labels()["type"])
    };
    crossings(naze).iter().map(tell).collect()
}

#[test]
fn a_new_type_is_told_once_and_ends_when_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let naze = open(folder.path());
    watch(&naze, -60);
    fail(&naze, "orders", "Timeout", -50);
    fail(&naze, "orders", "Timeout", -49);
    watch(&naze, -48);
    assert_eq!(told(&naze), ["-50 orders Timeout warning"]);
    watch(&naze, -47);
    watch(&naze, -46);
    assert_eq!(told(&naze), ["-50 orders Timeout warning", "-48 orders Timeout recovered"]);
    fail(&naze, "orders", "Timeout", -30);
    fail(&naze, "orders", "OutOfMemory", -30);
    fail(&naze, "billing", "Timeout", -30);
    (-29..-20).for_each(|minutes| watch(&naze, minutes));
    let mut later = told(&naze)[2..].to_vec();
    later.sort();
    assert_eq!(
        later,
        [
            "-29 billing Timeout recovered",
            "-29 orders OutOfMemory recovered",
            "-30 billing Timeout warning",
            "-30 orders OutOfMemory warning"
        ]
    );
    let crossing = &crossings(&naze)[0];
    assert_eq!(crossing.text("rule"), Some("first in 7d of increase of naze_failures warning > 0 for 0s"));
    let counted =
        naze.get(&format!("/v1/series/naze_failures?component=orders&label.type=Timeout&from={}&stat=sum", at(-60)));
    let points: Vec<f64> = counted.json()["series"][0]["points"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| point[1].as_f64().unwrap())
        .collect();
    assert_eq!(points, [1.0, 1.0, 0.0, 1.0, 0.0]);
}

#[test]
fn what_failed_within_a_week_is_not_new_also_to_a_naze_that_begins_to_count() {
    let folder = tempfile::tempdir().unwrap();
    let naze = open(folder.path());
    let days = |days: i64| days * 1_440;
    fail(&naze, "orders", "Timeout", days(-3));
    fail(&naze, "orders", "Refused", days(-9));
    fail(&naze, "orders", "Timeout", -20);
    fail(&naze, "orders", "Refused", -20);
    watch(&naze, -10);
    watch(&naze, -9);
    assert_eq!(told(&naze), ["-20 orders Refused warning", "-19 orders Refused recovered"]);
}

#[test]
fn a_restart_tells_nothing_twice_and_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    {
        let naze = open(folder.path());
        watch(&naze, -60);
        fail(&naze, "orders", "Timeout", -50);
        watch(&naze, -49);
    }
    {
        // Recorded, and stopped before it was counted.
        let naze = open(folder.path());
        fail(&naze, "orders", "Refused", -45);
    }
    let naze = open(folder.path());
    (-44..-40).for_each(|minutes| watch(&naze, minutes));
    assert_eq!(
        told(&naze),
        [
            "-50 orders Timeout warning",
            "-49 orders Timeout recovered",
            "-45 orders Refused warning",
            "-44 orders Refused recovered"
        ]
    );
    drop(naze);
    let naze = open(folder.path());
    fail(&naze, "orders", "Refused", -45);
    (-40..-35).for_each(|minutes| watch(&naze, minutes));
    assert_eq!(told(&naze).len(), 4, "{:?}", told(&naze));
}

#[test]
fn what_was_sent_twice_or_corrected_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let naze = open(folder.path());
    watch(&naze, -60);
    fail(&naze, "orders", "Timeout", -50);
    fail(&naze, "orders", "Timeout", -50);
    let first = naze.engine.index().of_kind("failure", naze::record::Window::ALL).unwrap()[0].id;
    naze.record(&json!([{"kind": "failure", "component": "orders", "failureType": "Timeout", "occurredAt": at(-50),
        "message": "after 3 s", "supersedes": first.to_string(), "count": 4}]));
    watch(&naze, -49);
    let counted = naze.get(&format!("/v1/series/naze_failures?from={}&stat=sum", at(-60))).json();
    assert_eq!(counted["series"][0]["points"][0][1], 1.0, "{counted}");
}

#[test]
fn failures_of_a_minute_that_are_counted_in_two_rounds_are_two() {
    let folder = tempfile::tempdir().unwrap();
    let naze = open(folder.path());
    watch(&naze, -60);
    for second in 0..3 {
        let occurred = at(-50).checked_add(chrono::TimeDelta::seconds(second)).unwrap();
        let failure =
            json!({"kind": "failure", "component": "orders", "failureType": "Timeout", "occurredAt": occurred});
        naze.record(&json!([failure]));
        watch(&naze, -50);
    }
    let counted = naze.get(&format!("/v1/series/naze_failures?from={}&stat=sum", at(-60))).json();
    assert_eq!(counted["series"][0]["points"][0][1], 3.0, "{counted}");
}
