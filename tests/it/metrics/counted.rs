//! What counts as one: an outage, an alert, an improvement, a minute.

use naze::config::Config;
use serde_json::{Value as Json, json};

use super::{assert_told, measured, naze, of_metric, receipt, sample, scraped};
use crate::common::Naze;

#[track_caller]
fn assert_absent(naze: &Naze, metric: &str) {
    let scraped = scraped(naze);
    assert!(of_metric(&scraped, metric).is_empty(), "{:?}", of_metric(&scraped, metric));
}

fn check(naze: &Naze, name: &str) -> Json {
    let health = naze.get("/v1/health").json();
    health["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap().clone()
}

#[test]
fn an_outage_is_one_failure_until_it_is_over() {
    let naze = naze(Config::in_memory());
    let health = |time: &str, component: &str, state: &str| {
        receipt("health", time, json!({"component": component, "state": state}))
    };
    let circuit = |time: &str, component: &str, state: &str| {
        receipt("circuit", time, json!({"component": component, "state": state}))
    };
    naze.record(&json!([
        health("09:00:00", "orders", "unhealthy"),
        health("09:00:30", "orders", "unhealthy"),
        health("09:01:00", "orders", "unhealthy"),
        health("09:10:00", "orders", "healthy"),
        health("10:00:00", "orders", "unhealthy"),
        health("10:00:30", "orders", "unhealthy"),
        health("10:02:00", "orders", "degraded"),
        circuit("09:00:00", "payment", "open"),
        circuit("09:01:00", "payment", "half_open"),
        circuit("09:01:30", "payment", "open"),
        circuit("09:02:30", "payment", "half_open"),
        circuit("09:04:00", "payment", "closed"),
        circuit("11:00:00", "payment", "open"),
        circuit("11:01:00", "payment", "closed"),
        // Both tell of the same outage.
        health("09:00:00", "search", "unhealthy"),
        circuit("09:01:00", "search", "open"),
        health("09:05:00", "search", "healthy"),
        circuit("09:06:00", "search", "closed"),
    ]));
    let expected = [
        ("tps_tpm_mtbf_seconds{component=\"orders\"}", 3_600.0),
        // Ten minutes, and two.
        ("tps_tpm_mttr_seconds{component=\"orders\"}", 360.0),
        ("tps_tpm_mtbf_seconds{component=\"payment\"}", 7_200.0),
        // Four minutes, and one.
        ("tps_tpm_mttr_seconds{component=\"payment\"}", 150.0),
        ("tps_tpm_mttr_seconds{component=\"search\"}", 360.0),
    ];
    assert_told(&naze, &expected);
    assert!(!scraped(&naze).contains_key("tps_tpm_mtbf_seconds{component=\"search\"}"), "one outage has no distance");
}

#[test]
fn an_alert_for_information_is_not_counted() {
    let naze = naze(Config::in_memory());
    let alert = |name: &str, severity: &str| {
        receipt("alert", "11:59:30", json!({"name": name, "status": "firing", "severity": severity}))
    };
    naze.record(&json!([alert("CriticalAlertsActive", "info"), alert("Slow", "warning")]));
    assert_told(
        &naze,
        &[
            ("tps_andon_alerts_per_minute", 1.0),
            ("tps_andon_alert_types", 1.0),
            ("tps_andon_alerts_total{name=\"Slow\",severity=\"warning\"}", 1.0),
            ("tps_health_score{pillar=\"andon\"}", 90.0),
        ],
    );
    assert!(
        scraped(&naze).keys().all(|name| !(name.starts_with("tps_andon_alerts_total") && name.contains("\"info\"")))
    );
}

#[test]
fn an_improvement_is_counted_once_when_it_is_made() {
    let naze = naze(Config::in_memory());
    let improvement = |reference: &str, time: &str, status: &str, more: Json| {
        let mut improvement = receipt("improvement", time, more);
        improvement["title"] = json!(reference);
        improvement["reference"] = json!(reference);
        improvement["status"] = json!(status);
        improvement
    };
    let answer = naze.record(&json!([
        improvement("I1", "11:00:00", "proposed", json!({})),
        improvement("I2", "11:00:00", "planned", json!({})),
        improvement("I3", "11:00:00", "open", json!({})),
        improvement("I4", "11:00:00", "rejected", json!({})),
    ]));
    assert_told(&naze, &[("tps_kaizen_improvements_total", 0.0)]);
    let first = answer["receipts"][0]["id"].clone();
    naze.record(&json!([
        improvement("I1", "11:10:00", "done", json!({"supersedes": first})),
        improvement("I5", "11:10:00", "done", json!({})),
        improvement("I5", "11:20:00", "done", json!({"after": 4.0})),
        receipt("improvement", "11:20:00", json!({"title": "without a name"})),
    ]));
    assert_told(&naze, &[("tps_kaizen_improvements_total", 3.0)]);
}

#[test]
fn what_nobody_validated_is_not_called_valid() {
    let naze = naze(Config::in_memory());
    naze.record(&json!([receipt("failure", "11:00:00", json!({"failureType": "Timeout"}))]));
    assert_absent(&naze, "tps_ontology_valid");
    let ontology = check(&naze, "ontology");
    assert_eq!(ontology["state"], "unknown", "{ontology:#}");
    assert_eq!(ontology["details"], json!({"conforms": null, "violations": null}));
    let validation = |component: &str, time: &str, ok: bool, violations: u32| {
        receipt("validation", time, json!({"component": component, "ok": ok, "violations": violations}))
    };
    naze.record(&json!([
        validation("orders", "11:00:00", false, 7),
        validation("orders", "11:10:00", false, 2),
        validation("search", "11:10:00", false, 1),
        validation("payment", "11:10:00", true, 0),
    ]));
    assert_told(&naze, &[("tps_ontology_valid", 0.0)]);
    let ontology = check(&naze, "ontology");
    assert_eq!(ontology["details"], json!({"conforms": false, "violations": 3.0}));
    assert_eq!(ontology["state"], "unhealthy", "{ontology:#}");
}

#[test]
fn throughput_is_that_of_the_last_minute() {
    let naze = naze(Config::in_memory());
    let count = |queue: &str, time: &str, value: f64| {
        sample("tps_kanban_throughput_total", time, value, json!({"labels": {"queue": queue}, "kind": "counter"}))
    };
    let latency = |time: &str| {
        sample("tps_kanban_latency_seconds", time, 0.1, json!({"labels": {"queue": "told"}, "kind": "distribution"}))
    };
    measured(
        &naze,
        &json!([
            count("burst", "11:56:00", 100.0),
            count("burst", "11:58:30", 300.0),
            count("burst", "11:59:30", 310.0),
            // Read every two minutes: 60 in 120 s.
            count("rare", "11:57:00", 100.0),
            count("rare", "11:59:00", 160.0),
            latency("11:57:30"),
            latency("11:57:40"),
            latency("11:59:10"),
            latency("11:59:20"),
            latency("11:59:50"),
        ]),
    );
    assert_told(
        &naze,
        &[
            ("tps_kanban_throughput_per_minute{queue=\"burst\"}", 10.0),
            ("tps_kanban_throughput_per_minute{queue=\"rare\"}", 30.0),
            ("tps_kanban_throughput_per_minute{queue=\"told\"}", 3.0),
        ],
    );
}

#[test]
fn a_problem_is_noticed_by_the_alert_after_its_first_failure() {
    let naze = naze(Config::in_memory());
    let failure = |time: &str| receipt("failure", time, json!({"failureType": "Timeout"}));
    let alert = |time: &str, name: &str, severity: &str| {
        receipt("alert", time, json!({"name": name, "status": "firing", "severity": severity}))
    };
    for told in [
        // Noticed after 90 s; what fires later notices nothing new.
        failure("10:00:00"),
        failure("10:01:00"),
        alert("10:00:30", "Note", "info"),
        alert("10:01:30", "Slow", "warning"),
        alert("10:02:00", "Down", "critical"),
        // Noticed after 30 s.
        failure("11:00:00"),
        alert("11:00:30", "Slow", "warning"),
        // What failed long ago is not what this is about.
        failure("11:20:00"),
        alert("11:40:00", "Slow", "warning"),
    ] {
        naze.record(&json!([told]));
    }
    assert_told(&naze, &[("tps_andon_mttd_seconds{service=\"checkout\"}", 60.0)]);
}

#[test]
fn work_in_progress_is_told_of_every_bucket_and_held_against_the_limit_of_all() {
    let naze = naze(Config::in_memory());
    let order = |reference: &str, bucket: Option<&str>| {
        let mut order = receipt("workorder", "11:00:00", json!({"reference": reference, "status": "started"}));
        if let Some(bucket) = bucket {
            order["bucket"] = json!(bucket);
        }
        order
    };
    naze.record(&json!([order("W1", Some("cost")), order("W2", Some("cost")), order("W3", None)]));
    measured(
        &naze,
        &json!([sample("tps_kanban_wip_limit", "11:59:00", 2.0, json!({"labels": {"bucket": "overall"}}))]),
    );
    assert_told(
        &naze,
        &[
            ("tps_kanban_wip_current{bucket=\"cost\"}", 2.0),
            ("tps_kanban_wip_current{bucket=\"other\"}", 1.0),
            ("tps_kanban_wip_current{bucket=\"security\"}", 0.0),
            ("tps_kanban_wip_utilization{bucket=\"overall\"}", 1.5),
        ],
    );
    let kanban = check(&naze, "kanban");
    assert_eq!(kanban["state"], "unhealthy", "{kanban:#}");
    assert_eq!(kanban["details"]["wipCurrent"], 3.0);
    assert_eq!(kanban["details"]["utilization"], 1.5);
    assert_eq!(kanban["details"]["available"], -1.0);
}
