//! How the system is, from receipts and samples in to answers out: every worked number of the requirements.
#![expect(clippy::float_cmp, reason = "numbers that are told as they were sent")]

mod component;
mod dashboards;
mod terminal;

use axum::http::StatusCode;
use naze::config::{Config, Health};
use serde_json::{Value as Json, json};

use crate::common::Naze;

/// A naze whose every scrape looks anew.
fn naze() -> Naze {
    with(Config::in_memory())
}

fn with(config: Config) -> Naze {
    Naze::with(Config {
        metrics: naze::config::Metrics { cache_seconds: 0, ..naze::config::Metrics::default() },
        ..config
    })
}

/// A receipt of the day that tests take place on; they take place at noon.
fn receipt(kind: &str, component: &str, time: &str, more: Json) -> Json {
    let mut receipt = json!({"kind": kind, "occurredAt": format!("2026-03-10T{time}Z"), "component": component});
    let Json::Object(more) = more else { panic!("{more} is no object") };
    receipt.as_object_mut().unwrap().extend(more);
    receipt
}

/// A sample of half a minute before noon, unless it says otherwise.
fn sample(metric: &str, value: f64, more: Json) -> Json {
    let mut sample =
        json!({"metric": metric, "component": "shop", "occurredAt": "2026-03-10T11:59:30Z", "value": value});
    let Json::Object(more) = more else { panic!("{more} is no object") };
    sample.as_object_mut().unwrap().extend(more);
    sample
}

#[track_caller]
fn measure(naze: &Naze, samples: &[Json]) {
    let reply = naze.post("/v1/measurements", "application/json", Json::from(samples.to_vec()).to_string());
    assert!(reply.status.is_success(), "{}", reply.text());
}

#[track_caller]
fn health(naze: &Naze) -> Json {
    let reply = naze.get("/v1/health");
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text());
    reply.json()
}

/// Circuits of which so many are open.
fn circuits(open: usize, all: usize) -> Vec<Json> {
    let state = |place: usize| if place < open { "open" } else { "closed" };
    (0..all).map(|place| receipt("circuit", &format!("c{place}"), "11:00:00", json!({"state": state(place)}))).collect()
}

/// What makes the overview of the requirements: open 0 %, queue 450, errors 0.3 %, SLO 96.2 %, pools 62 %, P99 234 ms.
fn overview(naze: &Naze) {
    let slo = json!({"sloName": "shop", "good": 962, "total": 1000, "met": true});
    naze.record(&[circuits(0, 4), vec![receipt("slo", "shop", "11:30:00", slo)]].concat().into());
    measure(
        naze,
        &[
            sample("tps_kanban_queue_depth", 450.0, json!({"labels": {"queue": "orders"}})),
            sample("tps_andon_error_rate", 0.003, json!({"labels": {"service": "shop"}})),
            sample("tps_heijunka_pool_utilization", 0.62, json!({"labels": {"pool": "web"}})),
            sample("tps_tracing_duration_seconds", 0.234, json!({"kind": "distribution", "labels": {"endpoint": "/"}})),
        ],
    );
}

fn colours(health: &Json) -> Vec<&str> {
    health["principles"].as_array().unwrap().iter().map(|status| status["colour"].as_str().unwrap()).collect()
}

#[test]
fn the_overview_of_the_requirements_is_six_greens_from_receipts_and_samples() {
    let naze = naze();
    overview(&naze);
    let health = health(&naze);
    assert_eq!(colours(&health), ["green"; 6], "{health:#}");
    let kanban = &health["principles"][1];
    assert_eq!((&kanban["value"], &kanban["unit"]), (&json!(450.0), &json!("")));
    assert_eq!(kanban["thresholds"], json!({"yellow": ">= 500", "red": "> 1000"}));
    // A sketch keeps durations to two percent.
    assert!((health["principles"][5]["value"].as_f64().unwrap() - 0.234).abs() < 0.234 * 0.02, "{health:#}");
    assert_eq!(health["decision"], json!({"principle": null, "finding": "healthy", "action": "monitor", "unseen": []}));
}

#[test]
fn health_tells_what_was_measured_and_which_alerts_fire() {
    let naze = naze();
    let metrics = |health: &Json| -> Vec<(String, f64)> {
        let metrics = health["metrics"].as_object().unwrap().iter();
        metrics.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
    };
    let nothing = health(&naze);
    assert_eq!(metrics(&nothing), []);
    assert_eq!(nothing["metrics"]["tps_kanban_queue_depth"], Json::Null, "what was not measured is named");
    assert_eq!(nothing["alerts"], json!({"items": [], "truncated": false}));
    overview(&naze);
    let alert = |name: &str, time: &str, status: &str| {
        receipt("alert", "c0", time, json!({"name": name, "status": status, "severity": "critical"}))
    };
    naze.record(&json!([
        alert("Slow", "11:50:00", "firing"),
        alert("Down", "11:40:00", "firing"),
        alert("Down", "11:45:00", "resolved"),
        alert("Late", "11:55:00", "firing"),
    ]));
    let told = health(&naze);
    assert_eq!(told["metrics"]["tps_kanban_queue_depth"], 450.0);
    assert_eq!(told["metrics"]["tps_kaizen_slo_attainment"], 0.962);
    assert_eq!(told["metrics"]["tps_jidoka_circuit_open_ratio"], 0.0);
    assert_eq!(told["metrics"]["tps_kanban_latency_p99_seconds"], Json::Null);
    let firing = told["alerts"]["items"].as_array().unwrap();
    let named: Vec<_> = firing.iter().map(|alert| (&alert["rule"], &alert["component"], &alert["severity"])).collect();
    let critical = |name: &str| (json!(name), json!("c0"), json!("critical"));
    let expected = [critical("Late"), critical("Slow")];
    assert_eq!(named, expected.iter().map(|(a, b, c)| (a, b, c)).collect::<Vec<_>>());
    assert_eq!(told["status"], "unhealthy", "a component with a critical alert is the worst");
    assert!(told["at"].is_string() && told["components"].is_array());
}

/// Alerts are listed for 30 days: one that nobody clears is no less true after a week.
#[test]
fn an_alert_that_fires_for_weeks_is_told_wherever_alerts_are() {
    let naze = naze();
    let alert = |name: &str, day: &str, status: &str| {
        json!({"kind": "alert", "occurredAt": format!("2026-{day}T12:00:00Z"), "component": name.to_lowercase(),
            "name": name, "status": status, "severity": "critical"})
    };
    naze.record(&json!([
        alert("Forgotten", "02-07", "firing"),
        alert("Long", "02-09", "firing"),
        alert("Cleared", "02-20", "firing"),
        alert("Cleared", "03-01", "resolved"),
    ]));
    let rules = |rows: &Json| -> Vec<String> {
        rows.as_array().unwrap().iter().map(|row| row["rule"].as_str().unwrap().to_owned()).collect()
    };
    let health = health(&naze);
    assert_eq!(rules(&health["alerts"]["items"]), ["Long"], "{health:#}");
    assert_eq!(health["components"][0]["component"], "long", "{health:#}");
    assert_eq!((&health["components"][0]["state"], &health["status"]), (&json!("unhealthy"), &json!("unhealthy")));
    let components = naze.get("/v1/components").json();
    assert_eq!(components["components"][0]["component"], "long", "{components:#}");
    assert_eq!(rules(&naze.get("/v1/components/long").json()["openAlerts"]["items"]), ["Long"]);
    assert_eq!(rules(&naze.get("/v1/dashboard").json()["alerts"]["items"]), ["Long"]);
    assert_eq!(rules(&naze.get("/v1/queries/unanswered_alerts").json()["rows"]), ["Long"]);
}

#[test]
fn a_threshold_of_the_users_changes_the_colour_and_one_of_colours_is_held_against_nothing() {
    let thresholds = r#"
        [[thresholds]]
        metric = "tps_kanban_queue_depth"
        warning = ">= 100"
        critical = "> 400"
        [[thresholds]]
        metric = "tps_heijunka_pool_utilization"
        component = "one of many"
        warning = ">= 0.1"
        [[thresholds]]
        metric = "tps_andon_error_rate"
        yellow = "> 0.001"
    "#;
    let naze = with(toml::from_str(thresholds).unwrap());
    overview(&naze);
    let health = health(&naze);
    // What is said of one component says nothing of the whole.
    assert_eq!(colours(&health), ["green", "red", "yellow", "green", "green", "green"], "{health:#}");
    assert_eq!(health["principles"][1]["thresholds"], json!({"yellow": ">= 100", "red": "> 400"}));
    let listed = naze.get("/v1/thresholds?metric=tps_andon_error_rate&component=shop").json();
    let rule = &listed["thresholds"][0];
    assert_eq!((&rule["colours"], &rule["warning"]), (&json!({"yellow": "> 0.001", "red": null}), &Json::Null));
    assert_eq!(listed["thresholds"][1]["warning"], ">= 0.005", "{listed:#}");
    let applying = listed["series"][0]["thresholds"].to_string();
    assert!(applying.contains("tps_andon_error_rate warning >= 0.005"), "{applying}");
}

#[test]
fn nothing_is_unknown_and_never_green() {
    let naze = naze();
    let empty = health(&naze);
    assert_eq!(colours(&empty), ["grey"; 6]);
    assert_eq!((&empty["status"], &empty["band"], &empty["overall"]), (&json!("unknown"), &json!("grey"), &Json::Null));
    assert_eq!(empty["coverage"]["scored"], 0);
    assert_eq!(empty["decision"]["finding"], "unknown");
    // Of the checks, naze knows that its ledger is whole, but not that it is backed up.
    let states: Vec<&Json> = empty["checks"].as_array().unwrap().iter().map(|check| &check["state"]).collect();
    assert_eq!(states, ["unknown"; 6]);

    // A deployment tells nothing of circuits, failures or alerts.
    naze.record(&json!([receipt("deployment", "shop", "11:00:00", json!({"status": "succeeded", "version": "2"}))]));
    let told = health(&naze);
    assert_eq!(colours(&told), ["grey"; 6]);
    assert_eq!(told["coverage"]["scored"], 0, "{told:#}");
    assert_eq!(told["components"][0]["state"], "unknown");
    assert_eq!(told["components"][0]["reason"], "nothing told lately how it is");
    let metrics = naze.get("/metrics").text();
    assert!(!metrics.contains("tps_health_score{"), "a score of nothing");
}

/// Open circuits of 20, failures of the last minute, P99 in seconds, tasks a minute, alerts of the last minute, seconds to
/// detection, utilisations of two pools.
type Inputs = (usize, u64, f64, f64, u64, i64, [f64; 2]);

fn worked(naze: &Naze, (open, failures, p99, throughput, alerts, mttd, pools): Inputs) {
    let mut receipts = circuits(open, 20);
    // Elsewhere than the alerts: otherwise these would notice it.
    receipts.push(receipt("failure", "c19", "11:59:30", json!({"failureType": "Timeout", "count": failures})));
    for alert in 0..alerts {
        let fired = json!({"name": format!("A{alert}"), "status": "firing", "severity": "warning"});
        receipts.push(receipt("alert", "c0", "11:59:40", fired));
    }
    let onset = naze.engine.clock().now().checked_add(chrono::TimeDelta::seconds(-mttd - 600)).unwrap();
    receipts.push(receipt(
        "incident",
        "c0",
        "11:50:00",
        json!({"reference": "I1", "status": "resolved",
        "onset": onset, "detectedAt": "2026-03-10T11:50:00Z"}),
    ));
    naze.record(&receipts.into());
    let mut samples = vec![
        sample("tps_kanban_latency_p99_seconds", p99, json!({"labels": {"queue": "q"}})),
        sample("tps_kanban_throughput_per_minute", throughput, json!({"labels": {"queue": "q"}})),
    ];
    for (name, used) in ["a", "b"].iter().zip(pools) {
        samples.push(sample("tps_heijunka_pool_utilization", used, json!({"labels": {"pool": name}})));
    }
    measure(naze, &samples);
}

#[test]
fn the_worked_scores_come_out_of_receipts_and_samples_and_the_metrics_say_the_same() {
    // Utilisations whose mean is u and whose balance is b: u(1 ± (1 - b)).
    let examples: [(Inputs, [f64; 4], f64, &str, &str); 3] = [
        ((1, 2, 0.1, 10.0, 1, 60, [0.68, 0.92]), [89.0, 80.0, 88.0, 85.0], 85.5, "85.5", "green"),
        ((2, 4, 0.15, 9.0, 2, 90, [0.512, 0.768]), [78.0, 63.0, 77.0, 64.0], 70.5, "70.5", "yellow"),
        ((4, 5, 0.3, 8.0, 4, 120, [0.35, 0.65]), [57.5, 32.0, 56.0, 43.75], 47.3125, "47.31", "orange"),
    ];
    for (inputs, scores, overall, shown, band) in examples {
        let naze = naze();
        worked(&naze, inputs);
        let health = health(&naze);
        let found: Vec<f64> =
            health["scores"].as_array().unwrap().iter().map(|one| one["score"]["value"].as_f64().unwrap()).collect();
        for (found, expected) in found.iter().zip(scores) {
            assert!((found - expected).abs() < 1e-6, "{found}, not {expected}: {health:#}");
        }
        assert!((health["overall"].as_f64().unwrap() - overall).abs() < 1e-6);
        assert_eq!(health["band"], band);
        let metrics = naze.get("/metrics").text();
        let line = metrics.lines().find(|line| line.starts_with("tps_health_score{pillar=\"overall\"}")).unwrap();
        let told: f64 = line.rsplit_once(' ').unwrap().1.parse().unwrap();
        assert_eq!(Some(told), health["overall"].as_f64());
        // The page is of one mind with both.
        let told = format!("health {shown} of 100");
        assert!(naze.get("/").text().contains(&told), "{told}");
    }
}

#[test]
fn an_idle_queue_is_not_blamed_and_the_target_is_configured() {
    let kanban = |config: Config, depth: f64, throughput: f64| {
        let naze = with(config);
        measure(
            &naze,
            &[
                sample("tps_kanban_latency_p99_seconds", 0.1, json!({"labels": {"queue": "q"}})),
                sample("tps_kanban_throughput_per_minute", throughput, json!({"labels": {"queue": "q"}})),
                sample("tps_kanban_queue_depth", depth, json!({"labels": {"queue": "q"}})),
            ],
        );
        health(&naze)["scores"][1]["score"]["value"].as_f64()
    };
    assert_eq!(kanban(Config::in_memory(), 0.0, 0.0), Some(80.0), "nothing arrived and nothing waits");
    assert_eq!(kanban(Config::in_memory(), 1.0, 0.0), Some(0.0), "one waits, and nobody works");
    assert_eq!(kanban(Config::in_memory(), 1.0, 5.0), Some(40.0));
    let slow = Config { health: Health { target_throughput: 5.0 }, ..Config::in_memory() };
    assert_eq!(kanban(slow, 1.0, 5.0), Some(80.0));
}

#[test]
fn a_target_that_is_none_is_refused_where_it_is_configured() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("naze.toml");
    std::fs::write(&path, "[health]\ntarget_throughput = 0.0\n").unwrap();
    let error = Config::read(&path).unwrap_err();
    assert!(error.to_string().contains("health.target_throughput is 0"), "{error}");
    std::fs::write(&path, "[health]\ntarget_throughput = 25.5\n").unwrap();
    assert_eq!(Config::read(&path).unwrap().health.target_throughput, 25.5);
}

#[test]
fn the_worst_decides_and_the_first_in_the_flow_says_what_to_do() {
    let naze = naze();
    overview(&naze);
    assert_eq!(health(&naze)["status"], "healthy", "{:#}", health(&naze));
    // Late maintenance degrades, an open circuit is worse.
    naze.record(&json!([receipt(
        "maintenance",
        "c1",
        "11:00:00",
        json!({"done": false, "due": "2026-03-10T11:30:00Z"})
    ),]));
    let degraded = health(&naze);
    assert_eq!(
        (&degraded["status"], &degraded["reason"]),
        (&json!("degraded"), &json!("tpm: 0 % of maintenance was on time"))
    );
    naze.record(&json!([
        receipt("circuit", "c0", "11:40:00", json!({"state": "open", "reason": "timeouts"})),
        receipt("circuit", "c0", "11:45:00", json!({"state": "open"})),
    ]));
    let unhealthy = health(&naze);
    assert_eq!(unhealthy["status"], "unhealthy");
    assert_eq!(
        unhealthy["components"][0],
        json!({"component": "c0", "state": "unhealthy", "reason": "its circuit is open",
        "since": "2026-03-10T11:40:00Z", "circuit": "open", "lastSampleAt": null})
    );
    assert!(
        unhealthy["reason"].as_str().unwrap().starts_with("c0: its circuit is open; jidoka is yellow"),
        "{unhealthy:#}"
    );
    assert_eq!(unhealthy["decision"]["principle"], "jidoka");
    assert_eq!(unhealthy["decision"]["action"], "fix the component, then resume");
}

#[test]
fn a_circuit_told_by_series_alone_is_judged_by_its_code() {
    let naze = naze();
    let states: Vec<Json> = [("a", 1.0), ("b", 0.0), ("c", 2.0), ("d", 0.0)]
        .iter()
        .map(|(name, code)| sample("tps_jidoka_circuit_state", *code, json!({"component": name})))
        .collect();
    measure(&naze, &states);
    assert_eq!(health(&naze)["principles"][0]["value"], 0.25, "1 is open, 2 is half open");
}

#[test]
fn the_past_of_a_reading_says_since_when_and_where_it_is_heading() {
    let naze = naze();
    // Ever fewer waited until 10:00, then five more each minute.
    let past: Vec<Json> = (-1_320..120)
        .map(|minute: i32| {
            let value = 450.0 + if minute < 0 { -0.5 } else { 5.0 } * f64::from(minute);
            let from = naze.engine.clock().now().checked_add(chrono::TimeDelta::seconds(10 - 7_200)).unwrap();
            let at = from.checked_add(chrono::TimeDelta::minutes(i64::from(minute))).unwrap();
            json!({"metric": "naze_health_reading", "component": "naze", "occurredAt": at, "value": value,
                "labels": {"principle": "kanban"}})
        })
        .collect();
    measure(&naze, &past);
    measure(&naze, &[sample("tps_kanban_queue_depth", 1050.0, json!({"labels": {"queue": "orders"}}))]);
    let kanban = health(&naze)["principles"][1].clone();
    assert_eq!(kanban["colour"], "red");
    // 450 + 5 x 111 is the first above 1000: minute 111 is 11:51.
    assert_eq!(kanban["since"], "2026-03-10T11:51:00Z");
    assert_eq!(kanban["outlook"]["hour"]["direction"], "degrading", "{kanban:#}");
    assert_eq!(kanban["outlook"]["day"]["direction"], "improving", "{kanban:#}");
    assert_eq!(kanban["outlook"]["decision"], "page on-call");
    // What naze concludes is no evidence: nothing is learned of it.
    naze.engine.watch_series(naze.engine.clock().now()).unwrap();
    let crossings = naze.get("/v1/queries/crossings").json();
    assert_eq!(crossings["rows"], json!([]), "{crossings:#}");
}

#[test]
fn examining_keeps_readings_and_scores() {
    let naze = naze();
    overview(&naze);
    naze.engine.examine(naze.engine.clock().now()).unwrap();
    let series = naze.get("/v1/series/naze_health_reading?label.principle=kanban&to=%2B1m").json();
    let points = series["series"][0]["points"].as_array().unwrap();
    assert_eq!(points.last().unwrap()[1], 450.0, "{series:#}");
    let principles = naze.get("/v1/series?metric=naze_health_reading").json();
    assert_eq!(principles["series"].as_array().unwrap().len(), 6);
}
