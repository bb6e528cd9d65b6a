//! Dashboards of a user's own.

use std::process::Command;

use naze::export::dashboard::Dashboard;
use serde_json::Value as Json;

const CHECKOUT: &str = r#"
title = "Checkout"
description = "The promise of the checkout."
time_range = "7d"

[[panels]]
title = "P99 against the SLO"
type = "timeseries"
query = 'max(tps_kanban_latency_p99_seconds{queue="checkout"})'
legend = "P99"
unit = "s"
ylabel = "latency"
min = 0
max = 0.2
bands = { yellow = "> 0.15", red = "> 0.2" }
"#;

#[test]
fn a_dashboard_of_ones_own_becomes_grafana_json() {
    let json = Dashboard::read("checkout", CHECKOUT).unwrap().grafana();
    assert_eq!(json["uid"], "checkout");
    assert_eq!(json["title"], "Checkout");
    assert_eq!(json["time"]["from"], "now-7d");
    let panel = &json["panels"][0];
    assert_eq!(panel["type"], "timeseries");
    assert_eq!(panel["targets"][0]["expr"], "max(tps_kanban_latency_p99_seconds{queue=\"checkout\"})");
    let defaults = &panel["fieldConfig"]["defaults"];
    assert_eq!((defaults["min"].as_f64(), defaults["max"].as_f64()), (Some(0.0), Some(0.2)));
    assert_eq!(defaults["custom"]["axisLabel"], "latency");
    assert_eq!(defaults["thresholds"]["steps"][1]["color"], "yellow");
}

#[test]
fn the_range_is_a_day_unless_told() {
    let text = CHECKOUT.replace("time_range = \"7d\"", "");
    assert_eq!(Dashboard::read("checkout", &text).unwrap().grafana()["time"]["from"], "now-24h");
}

#[test]
fn faults_are_named_with_their_fix() {
    let faults = [
        ("title = \"Checkout\"", "title = \"\"", "title is empty"),
        ("time_range = \"7d\"", "time_range = \"week\"", "time_range \"week\" is no duration"),
        ("type = \"timeseries\"", "type = \"graph\"", "unknown variant `graph`, expected one of `gauge`"),
        ("max = 0.2", "maximum = 0.2", "unknown field `maximum`"),
        ("max = 0.2", "max = 0", "panel \"P99 against the SLO\": min 0 is not below max 0"),
        ("red = \"> 0.2\"", "red = \"high\"", "\"high\" is no limit; write an operator"),
        ("red = \"> 0.2\"", "red = \"> 0.1\"", "red has to lie beyond yellow"),
        ("red = \"> 0.2\"", "red = \"< 0.2\"", "red has to lie beyond yellow, in the same direction"),
        ("red = \"> 0.2\"", "rde = \"> 0.2\"", "bands are a metric, or { yellow"),
        (
            "{ yellow = \"> 0.15\", red = \"> 0.2\" }",
            "\"tps_kanban_queue_depht\"",
            "did you mean \"tps_kanban_queue_depth\"?",
        ),
        ("query = 'max(tps_kanban_latency_p99_seconds{queue=\"checkout\"})'", "", "it has 0 queries"),
        ("unit = \"s\"", "by = \"queue\"", "by: there is no variable \"queue\""),
        ("unit = \"s\"", "width = 25", "width 25 does not fit"),
    ];
    for (right, wrong, message) in faults {
        assert!(CHECKOUT.contains(right), "{right}");
        let error = Dashboard::read("checkout", &CHECKOUT.replace(right, wrong)).unwrap_err();
        assert!(error.to_string().contains(message), "{wrong}: {error}");
        assert!(!error.hints().is_empty(), "{wrong}: {error}");
    }
    let error = Dashboard::read("check out/../..", CHECKOUT).unwrap_err();
    assert!(error.to_string().contains("cannot be part of an address"), "{error}");
}

fn naze(arguments: &[&str]) -> (Option<i32>, String, String) {
    let ran = Command::new(env!("CARGO_BIN_EXE_naze")).arg("dashboards").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (ran.status.code(), text(&ran.stdout), text(&ran.stderr))
}

#[test]
fn the_command_lists_prints_and_writes_dashboards() {
    let folder = tempfile::tempdir().unwrap();
    let (code, listed, _) = naze(&[]);
    assert_eq!(code, Some(0));
    assert!(listed.contains("kaizen-overview") && listed.contains("TPS overview"), "{listed}");

    let out = folder.path().join("new/folder");
    assert_eq!(naze(&["--out", out.to_str().unwrap()]).0, Some(0));
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 9);
    let kanban: Json = serde_json::from_slice(&std::fs::read(out.join("kanban.json")).unwrap()).unwrap();
    assert_eq!(kanban["title"], "Kanban");

    let own = folder.path().join("checkout.toml");
    std::fs::write(&own, CHECKOUT).unwrap();
    let (code, printed, _) = naze(&[own.to_str().unwrap(), "--format", "json"]);
    assert_eq!(code, Some(0));
    assert_eq!(serde_json::from_str::<Json>(&printed).unwrap()["uid"], "checkout");

    std::fs::write(&own, CHECKOUT.replace("max = 0.2", "max = 0")).unwrap();
    let (code, _, complaint) = naze(&[own.to_str().unwrap()]);
    assert_eq!(code, Some(2));
    assert!(complaint.contains("min 0 is not below max 0") && complaint.contains("hint: swap them"), "{complaint}");
}
