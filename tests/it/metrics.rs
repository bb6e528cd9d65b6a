//! `/metrics` tells what receipts and series say: counted once, over restarts, in base units, with few labels.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use naze::analyse::trend::Polarity;
use naze::config::{Config, Metrics};
use naze::export::prometheus::{METRICS, Type};
use serde_json::{Value as Json, json};

use crate::common::Naze;

mod buckets;
mod counted;
mod errors;
mod legacy;
mod senders;

/// A naze whose every scrape looks anew.
fn naze(config: Config) -> Naze {
    Naze::with(Config { metrics: Metrics { cache_seconds: 0, ..naze::config::Metrics::default() }, ..config })
}

fn in_folder(folder: &Path) -> Naze {
    naze(Config::with_data(folder))
}

/// All values by name and labels, as the scrape shows them.
fn scraped(naze: &Naze) -> BTreeMap<String, f64> {
    let text = naze.get("/metrics").text();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
        .collect()
}

#[track_caller]
fn assert_told(naze: &Naze, expected: &[(&str, f64)]) {
    let scraped = scraped(naze);
    for (name, value) in expected {
        let told = scraped.get(*name).copied();
        let near = told.is_some_and(|told| (told - value).abs() <= value.abs() * 1e-9);
        assert!(near, "{name}: {told:?}, not {value}\n{:#?}", of_metric(&scraped, name.split('{').next().unwrap()));
    }
}

fn of_metric<'a>(scraped: &'a BTreeMap<String, f64>, metric: &str) -> BTreeMap<&'a str, f64> {
    scraped.iter().filter(|(name, _)| name.starts_with(metric)).map(|(name, value)| (name.as_str(), *value)).collect()
}

/// An hour before [`crate::common::NOW`], and later.
fn receipt(kind: &str, time: &str, more: Json) -> Json {
    let mut receipt = json!({"kind": kind, "occurredAt": format!("2026-03-10T{time}Z"), "component": "checkout"});
    let Json::Object(more) = more else { panic!("{more} is no object") };
    receipt.as_object_mut().unwrap().extend(more);
    receipt
}

fn a_day() -> Json {
    json!([
        receipt("failure", "11:00:00", json!({"failureType": "Timeout", "count": 3})),
        receipt("failure", "11:59:30", json!({"failureType": "Timeout"})),
        receipt("failure", "11:59:50", json!({"failureType": "Refused", "count": 2})),
        receipt("circuit", "11:00:00", json!({"state": "open"})),
        receipt("circuit", "11:01:00", json!({"state": "half_open"})),
        receipt("circuit", "11:01:30", json!({"state": "open"})),
        receipt("circuit", "11:02:30", json!({"state": "half_open"})),
        receipt("circuit", "11:03:00", json!({"state": "closed"})),
        receipt("circuit", "11:30:00", json!({"state": "open", "component": "payment"})),
        receipt("rejection", "11:00:10", json!({"count": 40})),
        receipt("alert", "11:00:00", json!({"name": "Slow", "status": "firing", "severity": "warning"})),
        receipt("alert", "11:10:00", json!({"name": "Slow", "status": "resolved", "severity": "warning"})),
        receipt("alert", "11:59:30", json!({"name": "Down", "status": "firing", "severity": "critical"})),
        receipt("alert", "11:59:40", json!({"name": "Down", "status": "escalated", "severity": "critical"})),
        receipt("incident", "11:05:00", json!({"reference": "INC-1", "status": "open", "onset": "2026-03-10T11:00:00Z",
            "detectedAt": "2026-03-10T11:05:00Z"})),
        receipt("incident", "11:06:00", json!({"reference": "INC-1", "status": "resolved", "onset": "2026-03-10T11:00:00Z",
            "detectedAt": "2026-03-10T11:05:00Z"})),
        receipt("incident", "11:20:00", json!({"reference": "INC-2", "status": "open", "onset": "2026-03-10T11:10:00Z",
            "detectedAt": "2026-03-10T11:20:00Z"})),
        receipt("signal", "11:00:00", json!({"colour": "red"})),
        receipt("andon", "11:00:00", json!({"status": "opened", "level": "critical", "reference": "a1"})),
        receipt("andon", "11:20:00", json!({"status": "resolved", "reference": "a1"})),
        receipt("andon", "11:30:00", json!({"status": "opened", "level": "warning", "reference": "a2"})),
        receipt("slo", "11:00:00", json!({"sloName": "web", "good": 90, "total": 100, "met": false})),
        receipt("slo", "11:30:00", json!({"sloName": "web", "good": 100, "total": 100, "met": true})),
        {"kind": "slo", "occurredAt": "2026-03-04T11:00:00Z", "component": "checkout", "sloName": "web", "good": 99,
            "total": 100, "met": true},
        receipt("crossing", "11:00:00", json!({"metric": "latency", "value": 9, "deviation": 4.5, "direction": "up"})),
        receipt("crossing", "11:05:00", json!({"metric": "latency", "value": 2, "deviation": 3.5, "direction": "down",
            "status": "recovered"})),
        receipt("improvement", "11:00:00", json!({"title": "cache", "status": "done"})),
        receipt("scaling", "11:00:00", json!({"pool": "web", "direction": "up", "cost": 0.4})),
        receipt("burst", "11:00:00", json!({"pool": "web", "size": 200})),
        receipt("workorder", "10:00:00", json!({"reference": "W1", "bucket": "security", "status": "created"})),
        receipt("workorder", "10:10:00", json!({"reference": "W1", "bucket": "security", "status": "started"})),
        receipt("stage", "10:30:00", json!({"reference": "W1", "stageName": "testing", "durationSeconds": 100.0, "ok": true})),
        receipt("workorder", "11:59:40", json!({"reference": "W1", "bucket": "security", "status": "done"})),
        receipt("workorder", "11:00:00", json!({"reference": "W2", "bucket": "cost", "status": "started"})),
        receipt("gate", "11:00:00", json!({"gateName": "unit", "pass": false, "sku": "a-1"})),
        receipt("gate", "11:10:00", json!({"gateName": "unit", "pass": true, "sku": "a-1"})),
        receipt("gate", "11:20:00", json!({"gateName": "unit", "pass": true, "sku": "b-1"})),
        receipt("deployment", "11:00:00", json!({"status": "started", "version": "1"})),
        receipt("deployment", "11:01:00", json!({"status": "succeeded", "version": "1"})),
        receipt("deployment", "11:30:00", json!({"status": "failed", "version": "2"})),
        receipt("health", "00:00:00", json!({"state": "healthy"})),
        receipt("health", "11:00:00", json!({"state": "unhealthy"})),
        receipt("health", "11:06:00", json!({"state": "degraded"})),
        receipt("health", "08:00:00", json!({"state": "unhealthy", "component": "search"})),
        receipt("health", "08:01:00", json!({"state": "healthy", "component": "search"})),
        receipt("health", "09:00:00", json!({"state": "unhealthy", "component": "search"})),
        receipt("health", "09:02:00", json!({"state": "healthy", "component": "search"})),
        receipt("maintenance", "11:00:00", json!({"done": true, "due": "2026-03-10T12:00:00Z"})),
        receipt("maintenance", "11:00:00", json!({"done": false, "due": "2026-03-10T11:30:00Z", "component": "payment"})),
        receipt("backup", "11:00:00", json!({"ok": true})),
        receipt("backup", "11:30:00", json!({"ok": false})),
        receipt("validation", "11:00:00", json!({"ok": false, "violations": 2})),
        receipt("remediation", "11:00:00", json!({"alertName": "Slow", "action": "restart", "result": "succeeded"})),
        receipt("recommendation", "11:00:00", json!({"priority": "P2", "title": "t", "action": "a", "recommendationType": "queue"})),
    ])
}

const DAY: &[(&str, f64)] = &[
    ("tps_jidoka_circuit_state{component=\"checkout\"}", 0.0),
    ("tps_jidoka_circuit_state{component=\"payment\"}", 1.0),
    ("tps_jidoka_circuit_open_ratio", 0.5),
    ("tps_jidoka_circuit_opens_total{component=\"checkout\"}", 2.0),
    ("tps_jidoka_failures_total{component=\"checkout\"}", 6.0),
    ("tps_jidoka_failures_total{component=\"payment\"}", 0.0),
    ("tps_jidoka_failure_rate{component=\"checkout\"}", 3.0),
    ("tps_jidoka_failure_types_total{type=\"Timeout\"}", 4.0),
    // Open at 11:00, closed for good at 11:03.
    ("tps_jidoka_recovery_time_seconds{component=\"checkout\"}", 180.0),
    ("tps_jidoka_requests_rejected_total{component=\"checkout\"}", 40.0),
    ("tps_jidoka_halfopen_success_rate{component=\"checkout\"}", 0.5),
    ("tps_andon_errors_total{service=\"checkout\",type=\"Refused\"}", 2.0),
    ("tps_andon_alerts_total{name=\"Slow\",severity=\"warning\"}", 1.0),
    ("tps_andon_alerts_per_minute", 1.0),
    ("tps_andon_alert_types", 2.0),
    ("tps_andon_critical_alerts", 1.0),
    // Of incidents 300 and 600; what failed at 11:59:30 was noticed at once.
    ("tps_andon_mttd_seconds{service=\"checkout\"}", 300.0),
    ("tps_andon_signals_total{colour=\"red\",component=\"checkout\"}", 1.0),
    ("tps_andon_open{severity=\"critical\"}", 0.0),
    ("tps_andon_open{severity=\"warning\"}", 1.0),
    ("tps_andon_resolution_time_seconds", 1200.0),
    ("tps_andon_triggers_total{type=\"critical\"}", 1.0),
    ("tps_andon_escalations_total{severity=\"critical\"}", 1.0),
    ("tps_kaizen_slo_attainment{slo=\"web\"}", 0.95),
    ("tps_kaizen_slo_attainment_weekly{slo=\"web\",week=\"current\"}", 0.95),
    ("tps_kaizen_slo_attainment_weekly{slo=\"web\",week=\"previous\"}", 0.99),
    ("tps_kaizen_recommendations_total{type=\"queue\"}", 1.0),
    ("tps_kaizen_improvements_total", 1.0),
    ("tps_heijunka_scaling_events_total{direction=\"up\",pool=\"web\"}", 1.0),
    ("tps_heijunka_scaling_events_total{direction=\"down\",pool=\"web\"}", 0.0),
    ("tps_heijunka_burst_detected_total{pool=\"web\"}", 1.0),
    ("tps_heijunka_scaling_cost_total{pool=\"web\"}", 0.4),
    ("tps_kanban_wip_current{bucket=\"security\"}", 0.0),
    ("tps_kanban_wip_current{bucket=\"cost\"}", 1.0),
    ("tps_kanban_pull_signal_latency_seconds_sum{bucket=\"security\"}", 600.0),
    // From 10:00:00 to 11:59:40.
    ("tps_production_lead_time_seconds_sum{bucket=\"security\"}", 7180.0),
    ("tps_production_lead_time_seconds_bucket{bucket=\"security\",le=\"6840\"}", 0.0),
    ("tps_production_lead_time_seconds_bucket{bucket=\"security\",le=\"7200\"}", 1.0),
    ("tcps_production_lead_time_ms_bucket{bucket=\"security\",le=\"7200000\"}", 1.0),
    ("tps_production_lead_time_p90_seconds{bucket=\"security\"}", 7180.0),
    ("tcps_production_lead_time_p90{bucket=\"security\"}", 7_180_000.0),
    ("tps_production_throughput_per_minute{bucket=\"security\"}", 1.0),
    ("tps_production_work_orders_completed_total{bucket=\"security\",stage=\"testing\"}", 1.0),
    ("tps_production_cycle_time_seconds{stage=\"testing\"}", 100.0),
    ("tps_production_stage_duration_seconds_bucket{stage=\"testing\",le=\"600\"}", 1.0),
    ("tps_production_deployment_success_ratio", 0.5),
    ("tps_quality_gate_pass_rate", 2.0 / 3.0),
    ("tps_quality_first_pass_yield", 0.5),
    ("tps_quality_defect_rate", 0.5),
    // Unhealthy six minutes of the twelve hours known.
    ("tps_tpm_uptime_ratio{component=\"checkout\"}", 1.0 - 6.0 / 720.0),
    ("tps_tpm_mtbf_seconds{component=\"search\"}", 3600.0),
    ("tps_tpm_mttr_seconds{component=\"search\"}", 90.0),
    ("tps_tpm_maintenance_compliance_ratio", 0.5),
    ("tps_tpm_last_maintenance_timestamp_seconds", 1_773_140_400.0),
    ("tps_component_health{component=\"checkout\"}", 1.0),
    ("tps_persistence_last_backup_timestamp_seconds", 1_773_140_400.0),
    ("tps_ontology_valid", 0.0),
    ("tps_alert_remediations_total{action=\"restart\",result=\"succeeded\"}", 1.0),
    ("tps_receipts_total{kind=\"gate\"}", 3.0),
    ("tps_receipts_total{kind=\"burst\"}", 1.0),
    ("tps_receipts_total{kind=\"note\"}", 0.0),
    // 100 - (50 % open x 2 + 3 failures x 0.5), clamped.
    ("tps_health_score{pillar=\"jidoka\"}", 0.0),
    // 100 - (1 alert x 10 + 300 s / 30).
    ("tps_health_score{pillar=\"andon\"}", 80.0),
    ("tps_health_score{pillar=\"overall\"}", 40.0),
];

#[test]
fn receipts_tell_every_principle() {
    let naze = naze(Config::in_memory());
    naze.record(&a_day());
    assert_told(&naze, DAY);
    let types: BTreeSet<&str> = METRICS.iter().map(|metric| metric.told_by).collect();
    assert!(types.contains("series"));
    // Whatever receipts tell is told after such a day, apart from what needs series as well.
    let scraped = scraped(&naze);
    let absent: Vec<&str> = METRICS
        .iter()
        .filter(|metric| !metric.told_by.contains("series") && of_metric(&scraped, metric.name).is_empty())
        .map(|metric| metric.name)
        .collect();
    assert_eq!(absent, Vec::<&str>::new());
}

#[test]
fn counts_outlive_the_process_and_the_file_that_remembers_them() {
    let folder = tempfile::tempdir().unwrap();
    let remembered = folder.path().join("metrics.postcard");
    let naze = in_folder(folder.path());
    naze.record(&a_day());
    assert_told(&naze, DAY);
    let refused = naze.post("/v1/receipts", "application/json", json!({"kind": "failure"}).to_string());
    assert_eq!(refused.status, 422);
    assert_told(&naze, &[("tps_receipts_invalid_total{kind=\"failure\"}", 1.0)]);
    let before = of_tps(&naze);
    drop(naze);
    let naze = in_folder(folder.path());
    assert_eq!(of_tps(&naze), before, "after a restart");
    naze.record(&json!([receipt("failure", "11:00:01", json!({"failureType": "Timeout"}))]));
    assert_told(&naze, &[("tps_jidoka_failures_total{component=\"checkout\"}", 7.0)]);
    drop(naze);
    for damage in [&b""[..], b"\x01\x02\x03", &[255; 4_000]] {
        std::fs::write(&remembered, damage).unwrap();
        assert_told(&in_folder(folder.path()), &[("tps_jidoka_failures_total{component=\"checkout\"}", 7.0)]);
    }
    std::fs::remove_file(&remembered).unwrap();
    assert_told(&in_folder(folder.path()), &[("tps_jidoka_failures_total{component=\"checkout\"}", 7.0)]);
}

fn of_tps(naze: &Naze) -> BTreeMap<String, f64> {
    // naze's own latencies are those of the process.
    let is_told = |name: &str| (name.contains("tps_") || name.contains("tcps_")) && !name.starts_with("tps_self_");
    scraped(naze).into_iter().filter(|(name, _)| is_told(name)).collect()
}

#[test]
fn the_latencies_of_naze_itself_are_told_from_the_start_and_measured_where_the_work_is() {
    let naze = naze(Config::in_memory());
    let count = |name: &str| scraped(&naze)[&format!("tps_self_{name}_seconds_count")].to_string();
    let counts = || ["log", "metric_update", "alert_response", "trace_export", "diagnostics"].map(count);
    assert_eq!(counts(), ["0"; 5]);
    naze.record(&json!([receipt("failure", "11:00:00", json!({"failureType": "Timeout"}))]));
    assert_eq!(counts(), ["1", "0", "0", "0", "0"]);
    naze.record(&json!([receipt(
        "alert",
        "11:00:00",
        json!({"name": "Slow", "status": "firing", "severity": "warning"})
    )]));
    assert_eq!(counts(), ["2", "0", "1", "0", "0"]);
    let sample = r#"{"metric": "m", "component": "a", "value": 1}"#;
    assert_eq!(naze.post("/v1/measurements", "application/json", sample).status, 201);
    assert_eq!(counts(), ["2", "1", "1", "0", "0"]);
    assert_eq!(naze.get("/v1/why?component=checkout").status, 200);
    assert_eq!(counts(), ["2", "1", "1", "0", "1"]);
    assert_eq!(naze.get("/v1/health").status, 200);
    assert_eq!(counts(), ["2", "1", "1", "0", "2"]);
    let told = scraped(&naze);
    for name in ["log", "metric_update", "alert_response", "diagnostics"] {
        let (sum, count) = (told[&format!("tps_self_{name}_seconds_sum")], count(name));
        assert!(
            sum > 0.0 && told[&format!("tps_self_{name}_seconds_bucket{{le=\"+Inf\"}}")].to_string() == count,
            "{name}: {sum}"
        );
        // What is promised of each is a bound of its buckets.
        let promised = match name {
            "log" => "0.1",
            "metric_update" => "0.05",
            "alert_response" => "5",
            _ => "2",
        };
        assert!(told.contains_key(&format!("tps_self_{name}_seconds_bucket{{le=\"{promised}\"}}")), "{name}");
    }
}

#[test]
fn what_is_remembered_of_another_ledger_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let other = tempfile::tempdir().unwrap();
    let elsewhere = in_folder(other.path());
    elsewhere.record(&a_day());
    elsewhere.get("/metrics");
    drop(elsewhere);
    std::fs::copy(other.path().join("metrics.postcard"), folder.path().join("metrics.postcard")).unwrap();
    let naze = in_folder(folder.path());
    naze.record(&json!([receipt("failure", "11:00:00", json!({"failureType": "Timeout"}))]));
    assert_told(
        &naze,
        &[("tps_jidoka_failures_total{component=\"checkout\"}", 1.0), ("tps_receipts_total{kind=\"gate\"}", 0.0)],
    );
}

#[test]
fn a_fact_told_again_or_corrected_counts_once() {
    let naze = naze(Config::in_memory());
    let failure = receipt("failure", "11:00:00", json!({"failureType": "Timeout"}));
    let id = naze.record(&json!([failure]))["receipts"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(naze.post("/v1/receipts", "application/json", json!([failure]).to_string()).status, 200);
    naze.record(&json!([receipt("failure", "11:00:05", json!({"failureType": "Timeout", "supersedes": id}))]));
    assert_told(
        &naze,
        &[("tps_jidoka_failures_total{component=\"checkout\"}", 1.0), ("tps_receipts_total{kind=\"failure\"}", 2.0)],
    );
}

#[test]
fn nothing_that_is_counted_lacks_a_value_in_a_quiet_world() {
    for naze in [naze(Config::in_memory()), Naze::in_world("quiet")] {
        let scraped = scraped(&naze);
        let absent: Vec<&str> = METRICS
            .iter()
            .filter(|metric| metric.holds != Type::Gauge && of_metric(&scraped, metric.name).is_empty())
            .map(|metric| metric.name)
            .collect();
        assert_eq!(absent, Vec::<&str>::new());
        for zero in
            ["tps_andon_critical_alerts", "tps_andon_alerts_per_minute", "tps_andon_open{severity=\"critical\"}"]
        {
            assert_eq!(scraped.get(zero), Some(&0.0), "{zero}");
        }
    }
}

#[test]
fn a_label_has_a_hundred_values_and_other() {
    let naze = naze(Config::in_memory());
    let failures: Vec<Json> = (0..150)
        .map(|number| {
            receipt(
                "failure",
                "11:59:59",
                json!({"failureType": format!("T{number}"), "component": format!("c{number}")}),
            )
        })
        .collect();
    naze.record(&json!(failures));
    let scraped = scraped(&naze);
    for metric in ["tps_jidoka_failures_total", "tps_jidoka_failure_types_total"] {
        let told = of_metric(&scraped, metric);
        assert_eq!((told.len(), told.values().sum::<f64>()), (101, 150.0), "{metric}");
        assert_eq!(told.iter().find(|(name, _)| name.contains("\"other\"")).map(|(_, count)| *count), Some(50.0));
    }
    assert_eq!(of_metric(&scraped, "tps_jidoka_failure_rate").len(), 101);
    let never = ["user_id", "request_id", "sku_id", "work_order_id", "trace_id"];
    assert!(METRICS.iter().all(|metric| metric.labels.iter().all(|label| !never.contains(label))));
}

fn measured(naze: &Naze, samples: &Json) {
    let reply = naze.post("/v1/measurements", "application/json", samples.to_string());
    assert_eq!(reply.status, 201, "{}", reply.text());
}

fn sample(metric: &str, time: &str, value: f64, more: Json) -> Json {
    let mut sample =
        json!({"metric": metric, "component": "orders", "value": value, "occurredAt": format!("2026-03-10T{time}Z")});
    let Json::Object(more) = more else { panic!("{more} is no object") };
    sample.as_object_mut().unwrap().extend(more);
    sample
}

#[test]
fn a_source_that_fell_silent_ages_in_sight_for_a_day() {
    let naze = naze(Config::in_memory());
    let depth = |time: &str| {
        let sample =
            json!([{"metric": "tps_kanban_queue_depth", "component": "orders", "value": 3, "occurredAt": time}]);
        assert_eq!(naze.post("/v1/measurements", "application/json", sample.to_string()).status, 201);
    };
    let last = "tps_last_sample_timestamp_seconds{source=\"orders\"}";
    // NOW is noon.
    depth("2026-03-09T11:00:00Z");
    assert!(!scraped(&naze).contains_key(last), "what is silent for longer than a day has gone");
    depth("2026-03-10T09:00:00Z");
    let told = scraped(&naze);
    assert!((told[last] - 1_773_133_200.0).abs() < 1e-3, "{}", told[last]);
    assert!(!told.contains_key("tps_kanban_queue_depth{queue=\"orders\"}"), "the level itself is old");
}

#[test]
fn series_tell_levels_spreads_and_what_follows_from_them() {
    let folder = tempfile::tempdir().unwrap();
    let naze = in_folder(folder.path());
    let queue = json!({"labels": {"queue": "in"}});
    let latency = |time: &str, milliseconds: f64| {
        sample(
            "tps_kanban_latency_ms",
            time,
            milliseconds,
            json!({"labels": {"queue": "in"}, "kind": "distribution", "unit": "ms"}),
        )
    };
    let duration = |second: u32| {
        let more =
            json!({"labels": {"endpoint": "/pay"}, "kind": "distribution", "unit": "s", "component": "checkout"});
        sample("tps_tracing_duration_seconds", &format!("11:58:{second:02}"), 0.5, more)
    };
    let samples = json!([
        sample("queue_depth", "11:57:00", 10.0, queue.clone()),
        sample("queue_depth", "11:58:00", 30.0, queue.clone()),
        sample("tps_kanban_queue_depth", "11:40:00", 900.0, json!({"labels": {"queue": "stale"}})),
        latency("11:58:00", 100.0),
        latency("11:58:10", 100.0),
        latency("11:58:20", 400.0),
        latency("03:00:00", 4000.0),
        sample("tps_kanban_throughput_total", "11:57:00", 100.0, json!({"labels": {"queue": "in"}, "kind": "counter"})),
        sample("tps_kanban_throughput_total", "11:59:00", 160.0, json!({"labels": {"queue": "in"}, "kind": "counter"})),
        sample("tps_heijunka_workers_active", "11:59:00", 3.0, json!({"labels": {"pool": "web"}})),
        sample("tps_heijunka_workers_idle", "11:59:00", 1.0, json!({"labels": {"pool": "web"}})),
        sample("tps_heijunka_pool_utilization", "11:59:00", 0.8, json!({"labels": {"pool": "api", "worker": "a"}})),
        sample("tps_heijunka_pool_utilization", "11:59:00", 1.0, json!({"labels": {"pool": "api", "worker": "b"}})),
        sample("tps_heijunka_pool_utilization", "11:59:00", 1.2, json!({"labels": {"pool": "api", "worker": "c"}})),
        sample("cpu_usage_percent", "11:59:00", 42.0, json!({})),
        sample("tps_kanban_wip_limit", "11:59:00", 4.0, json!({"labels": {"bucket": "cost"}})),
        duration(1),
        duration(2),
        duration(3),
        duration(4),
    ]);
    measured(&naze, &samples);
    measured(&naze, &samples);
    naze.record(&json!([
        receipt("failure", "11:58:00", json!({"failureType": "Timeout"})),
        receipt("workorder", "11:00:00", json!({"reference": "W2", "bucket": "cost", "status": "started"})),
    ]));
    let expected = [
        ("tps_kanban_queue_depth{queue=\"in\"}", 30.0),
        ("tps_heijunka_queue_depth_stddev{queue=\"in\"}", 10.0),
        ("tps_kanban_latency_seconds_count{queue=\"in\"}", 4.0),
        ("tps_kanban_latency_seconds_sum{queue=\"in\"}", 4.6),
        ("tps_kanban_latency_seconds_bucket{queue=\"in\",le=\"0.1\"}", 2.0),
        ("tps_kanban_latency_seconds_bucket{queue=\"in\",le=\"0.5\"}", 3.0),
        ("tps_kanban_latency_ms_bucket{queue=\"in\",le=\"500\"}", 3.0),
        ("tps_kanban_latency_ms_sum{queue=\"in\"}", 4_600.0),
        ("tps_kanban_throughput_total{queue=\"in\"}", 160.0),
        // 60 in two minutes.
        ("tps_kanban_throughput_per_minute{queue=\"in\"}", 30.0),
        ("tps_heijunka_worker_utilization{pool=\"web\"}", 0.75),
        // The vector [8, 10, 12] of the specification.
        ("tps_heijunka_balance_coefficient{pool=\"api\"}", 1.0 - (2.0_f64 / 75.0).sqrt()),
        ("tps_observer_cpu_ratio", 0.42),
        ("tps_kanban_wip_utilization{bucket=\"cost\"}", 0.25),
        ("tps_tracing_requests_total{endpoint=\"/pay\"}", 4.0),
        ("tps_tracing_component_latency_seconds{component=\"checkout\"}", 0.5),
        ("tps_tracing_component_latency_ms{component=\"checkout\"}", 500.0),
        ("tps_andon_error_rate{service=\"checkout\"}", 0.25),
        ("tps_jidoka_success_rate{component=\"checkout\"}", 0.75),
        ("tps_last_sample_timestamp_seconds{source=\"orders\"}", 1_773_143_940.0),
    ];
    assert_told(&naze, &expected);
    let scraped = scraped(&naze);
    assert!(
        !scraped.contains_key("tps_kanban_queue_depth{queue=\"stale\"}"),
        "a level that nobody tells any more is unknown"
    );
    // 400 ms, right to 1 %.
    let p99 = scraped["tps_kanban_latency_p99_seconds{queue=\"in\"}"];
    assert!((p99 - 0.4).abs() <= 0.004, "{p99}");
    assert!((scraped["kanban_latency_p99_ms{queue=\"in\"}"] - p99 * 1_000.0).abs() < 1e-6);
    // More of the same series, and a restart: nothing is lost and nothing counts twice.
    measured(&naze, &json!([latency("11:59:00", 100.0)]));
    let more = [
        ("tps_kanban_latency_seconds_count{queue=\"in\"}", 5.0),
        ("tps_kanban_latency_seconds_bucket{queue=\"in\",le=\"0.1\"}", 3.0),
    ];
    assert_told(&naze, &more);
    drop(naze);
    assert_told(&in_folder(folder.path()), &more);
}

#[test]
fn an_answer_is_told_again_for_some_seconds() {
    let naze =
        Naze::with(Config { metrics: Metrics { cache_seconds: 3_600, ..Metrics::default() }, ..Config::in_memory() });
    let failures = "tps_jidoka_failures_total{component=\"other\"}";
    assert_told(&naze, &[(failures, 0.0), ("tps_receipts_total{kind=\"failure\"}", 0.0)]);
    naze.record(&json!([receipt("failure", "11:00:00", json!({"failureType": "Timeout"}))]));
    assert_told(&naze, &[("tps_receipts_total{kind=\"failure\"}", 0.0), ("naze_ledger_entries", 1.0)]);
}

#[test]
fn open_metrics_tells_the_same_samples() {
    let naze = naze(Config::in_memory());
    naze.record(&a_day());
    naze.record(&json!([receipt("failure", "11:00:02", json!({"failureType": "a \\ \"b\"\nc"}))]));
    // What an answer costs is counted in the next one.
    let samples = |text: &str| -> BTreeSet<String> {
        let lines = text.lines().filter(|line| !line.starts_with('#') && !line.starts_with("naze_http"));
        lines.map(str::to_owned).collect()
    };
    let prometheus = "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,\
                      text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
    let reply = naze.get_as("/metrics", prometheus);
    assert_eq!(reply.headers["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let open = reply.text();
    assert_eq!(samples(&open), samples(&naze.get("/metrics").text()));
    assert!(open.ends_with("\n# EOF\n") && open.matches("# EOF").count() == 1);
    assert!(open.contains("type=\"a \\\\ \\\"b\\\"\\nc\""), "a label's value is escaped");
    // Each sample stands under its family, and each family once.
    let (mut families, mut family) = (BTreeSet::new(), (String::new(), String::new()));
    for line in open.lines() {
        if let Some(told) = line.strip_prefix("# TYPE ") {
            let (name, kind) = told.split_once(' ').unwrap();
            assert!(families.insert(name.to_owned()), "{name} is told twice");
            family = (name.to_owned(), kind.to_owned());
        } else if let Some(told) = line.strip_prefix("# HELP ") {
            assert_eq!(told.split(' ').next(), Some(&*family.0));
        } else if !line.starts_with('#') {
            let suffix =
                line.split(['{', ' ']).next().unwrap().strip_prefix(&*family.0).unwrap_or_else(|| panic!("{line}"));
            let expected: &[&str] = match family.1.as_str() {
                "counter" => &["_total"],
                "gauge" => &[""],
                "histogram" => &["_bucket", "_sum", "_count"],
                other => panic!("{other}"),
            };
            assert!(expected.contains(&suffix), "{line} is no sample of a {}", family.1);
        }
    }
    assert!(families.contains("naze_receive") && families.contains("tps_production_lead_time_seconds"));
}

#[test]
fn promtool_finds_nothing_wrong_with_the_canonical_names() {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = promtool.spawn() else {
        eprintln!("SKIPPED: promtool is not installed; `scripts/setup test` installs it");
        return;
    };
    let naze = naze(Config::in_memory());
    naze.record(&a_day());
    // A sample of every metric that series tell, so that each is shown.
    let of_series = METRICS.iter().filter(|metric| metric.told_by.contains("series")).map(|metric| {
        let kind = match metric.holds {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram(_) => "distribution",
        };
        sample(metric.name, "11:59:00", 0.5, json!({"kind": kind}))
    });
    measured(&naze, &json!(of_series.collect::<Vec<_>>()));
    let text = naze.get("/metrics").text();
    let names: Vec<&str> = METRICS.iter().map(|metric| metric.name).collect();
    let legacy: Vec<&str> = METRICS.iter().filter_map(|metric| metric.milliseconds).collect();
    let of_family = |line: &str, names: &[&str]| {
        let named = line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ");
        let name = named.split([' ', '{']).next().unwrap();
        let family = ["_bucket", "_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        names.contains(&name) || names.contains(&family)
    };
    let shown: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let absent: Vec<&&str> = names.iter().filter(|name| !shown.contains(**name)).collect();
    assert_eq!(absent, Vec::<&&str>::new());
    let canonical: String =
        text.lines().filter(|line| !of_family(line, &legacy)).map(|line| format!("{line}\n")).collect();
    child.stdin.take().unwrap().write_all(canonical.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && complaints.is_empty(), "{complaints}");
}

#[test]
fn the_documentation_has_the_same_table() {
    let docs = include_str!("../../docs/metrics.md");
    let rows = docs.lines().filter(|line| line.starts_with("| `"));
    let quoted = |names: &[&str]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let table = METRICS.iter().map(|metric| {
        let holds = match metric.holds {
            Type::Counter => "counter",
            Type::Gauge => "gauge",
            Type::Histogram(_) => "histogram",
        };
        let legacy: Vec<&str> = metric.milliseconds.into_iter().chain(metric.also.iter().copied()).collect();
        let (labels, legacy) = (quoted(metric.labels), quoted(&legacy));
        let better = match metric.polarity {
            Some(Polarity::LowerIsBetter) => "lower",
            Some(Polarity::HigherIsBetter) => "higher",
            None => "",
        };
        let name = metric.name;
        format!(
            "| `{name}` | {holds} | {} | {better} | {labels} | {} | {} | {legacy} |",
            metric.unit, metric.told_by, metric.definition
        )
    });
    assert_eq!(rows.collect::<Vec<_>>(), table.collect::<Vec<_>>());
}

/// Dashboards and rules are tested against these series: they have to be told under the same names and labels.
#[test]
fn the_metrics_that_dashboards_are_tested_with_are_told() {
    let file = include_str!("../kit/metrics.txt");
    let series = file.lines().filter(|line| !line.starts_with('#')).map(|line| line.rsplit_once(' ').unwrap().0);
    let mut absent = Vec::new();
    for (kind, series) in series.map(|series| series.split_once(' ').unwrap()) {
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let labels: BTreeSet<&str> =
            labels.split("\",").filter_map(|label| label.split_once('=')).map(|(name, _)| name.trim()).collect();
        let Some(metric) = METRICS.iter().find(|metric| metric.name == name) else {
            absent.push(name);
            continue;
        };
        let holds = match metric.holds {
            Type::Counter => "c",
            Type::Gauge => "g",
            Type::Histogram(_) => "h",
        };
        assert_eq!((holds, metric.labels.iter().copied().collect()), (kind, labels), "{name}");
    }
    assert_eq!(absent, Vec::<&str>::new());
}
