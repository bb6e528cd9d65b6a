//! What naze works out from receipts is kept as series, so that thresholds, objectives, trends and reviews see it.
#![expect(clippy::float_cmp, reason = "figures worked out by hand, and counts")]

use std::collections::BTreeSet;

use chrono::TimeDelta;
use naze::clock::Timestamp;
use naze::config::{Config, Metrics};
use naze::measure::read::{Statistic, each};
use naze::record::Window;
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze};

/// A naze whose every look is a new one, and that learns nothing.
fn naze() -> Naze {
    Naze::with(fresh(Config::in_memory()))
}

fn fresh(config: Config) -> Config {
    let mut config = Config { metrics: Metrics { cache_seconds: 0, ..naze::config::Metrics::default() }, ..config };
    config.learned.enabled = false;
    config
}

/// So many seconds from [`NOW`].
fn at(seconds: i64) -> Timestamp {
    NOW.parse::<Timestamp>().unwrap().checked_add(TimeDelta::seconds(seconds)).unwrap()
}

fn receipt(kind: &str, seconds: i64, more: Json) -> Json {
    let mut receipt = json!({"kind": kind, "occurredAt": at(seconds), "component": "checkout"});
    let Json::Object(more) = more else { panic!("{more} is no object") };
    receipt.as_object_mut().unwrap().extend(more);
    receipt
}

fn examine(naze: &Naze, seconds: i64) {
    naze.engine.examine(at(seconds)).unwrap();
}

/// The values of a metric that are kept, by component and time: each minute's last.
fn kept(naze: &Naze, metric: &str) -> Vec<(String, i64, f64)> {
    let found = naze.engine.series(|series| series.metric == metric && series.is_own());
    let mut told = Vec::new();
    for (number, known) in found {
        let slots = naze.engine.slots(number, Timestamp::MIN..Timestamp::MAX).unwrap();
        let values = each(&slots, Statistic::Last);
        let values = values.into_iter().map(|(slot, value)| (slot.start.since(at(0)).num_minutes(), value));
        told.extend(values.map(|(minute, value)| (known.series.component.clone(), minute, value)));
    }
    told
}

/// Two orders: done after half an hour, and after two and a half. A healthy day with six bad minutes.
fn production() -> Json {
    let order = |reference: &str, seconds: i64, status: &str| {
        receipt("workorder", seconds, json!({"reference": reference, "bucket": "cost", "status": status}))
    };
    json!([
        order("W1", -3_600, "created"),
        order("W1", -1_800, "done"),
        order("W2", -10_800, "created"),
        order("W2", -1_800, "done"),
        receipt("gate", -3_600, json!({"gateName": "unit", "pass": false, "sku": "a"})),
        receipt("gate", -3_500, json!({"gateName": "unit", "pass": true, "sku": "a"})),
        receipt("gate", -3_400, json!({"gateName": "unit", "pass": true, "sku": "b"})),
        receipt("gate", -3_300, json!({"gateName": "unit", "pass": true, "sku": "c"})),
        receipt("deployment", -3_600, json!({"status": "succeeded", "version": "1"})),
        receipt("deployment", -1_800, json!({"status": "failed", "version": "2"})),
        receipt("andon", -3_600, json!({"status": "opened", "level": "critical", "reference": "a1"})),
        receipt("andon", -2_400, json!({"status": "resolved", "reference": "a1"})),
        receipt("health", -36_060, json!({"state": "healthy", "component": "orders"})),
        receipt("health", -3_600, json!({"state": "unhealthy", "component": "orders"})),
        receipt("health", -3_240, json!({"state": "healthy", "component": "orders"})),
    ])
}

#[test]
fn shipped_objectives_are_told_from_receipts_alone() {
    let naze = naze();
    naze.record(&production());
    examine(&naze, -60);
    let slos = naze.get("/v1/slos").json();
    let attainment = |name: &str| {
        let all = slos["slos"].as_array().unwrap();
        let slo = all.iter().find(|slo| slo["name"] == name).unwrap_or_else(|| panic!("{name}: {slos:#}"));
        slo["objectives"][0]["attainment"].as_f64().unwrap()
    };
    assert_eq!(attainment("lead-time"), 0.5, "one of two orders was done within two hours");
    assert_eq!(attainment("quality-gates"), 0.75);
    assert_eq!(attainment("deployments"), 0.5);
    assert_eq!(attainment("andon-resolution"), 1.0, "20 minutes are less than four hours");
    // Six minutes of the ten hours that are known.
    assert!((attainment("uptime") - 0.99).abs() < 1e-6, "{}", attainment("uptime"));
    let lead = naze.engine.series(|series| series.metric == "tps_production_lead_time_seconds");
    assert_eq!(lead[0].1.unit.as_deref(), Some("s"));
    assert_eq!(lead[0].1.series.labels["bucket"], "cost");
    let names: BTreeSet<&str> =
        slos["slos"].as_array().unwrap().iter().map(|slo| slo["name"].as_str().unwrap()).collect();
    assert!(!names.contains("checkout-queue"), "nobody told of a queue: {names:?}");
}

#[test]
fn durations_are_kept_once_when_they_were_over_also_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let open = || Naze::with(fresh(Config::with_data(folder.path())));
    let durations = |naze: &Naze| -> Vec<(i64, u64, f64)> {
        let found = naze.engine.series(|series| series.metric == "tps_production_lead_time_seconds");
        let slots = naze.engine.slots(found[0].0, Timestamp::MIN..Timestamp::MAX).unwrap();
        let sums = each(&slots, Statistic::Sum).into_iter();
        sums.map(|(slot, sum)| (slot.start.since(at(0)).num_minutes(), slot.rollup.count(), sum)).collect()
    };
    let naze = open();
    naze.record(&production());
    examine(&naze, -60);
    examine(&naze, -30);
    assert_eq!(durations(&naze), [(-30, 2, 1_800.0 + 9_000.0)]);
    drop(naze);
    // What remembers how far the metrics came is lost: they are read from the ledger again.
    std::fs::remove_file(folder.path().join("metrics.postcard")).unwrap();
    let naze = open();
    examine(&naze, 0);
    assert_eq!(durations(&naze), [(-30, 2, 10_800.0)]);
    let done = |status: &str, seconds: i64| {
        receipt("workorder", seconds, json!({"reference": "W3", "bucket": "cost", "status": status}))
    };
    naze.record(&json!([done("created", -120), done("done", -60)]));
    // It stops before anybody looked.
    drop(naze);
    let naze = open();
    examine(&naze, 30);
    assert_eq!(durations(&naze), [(-30, 2, 10_800.0), (-1, 1, 60.0)]);
}

#[test]
fn a_threshold_of_what_receipts_tell_is_crossed() {
    let naze = naze();
    let requests: Vec<Json> = (-5..12)
        .map(|minute: i64| {
            json!({"metric": "tps_tracing_duration_seconds", "kind": "distribution", "component": "checkout",
                "occurredAt": at(minute * 60 + 10), "value": 0.1, "count": 20, "labels": {"endpoint": "/pay"}})
        })
        .collect();
    assert_eq!(naze.post("/v1/measurements", "application/json", json!(requests).to_string()).status, 201);
    naze.record(&json!([
        receipt("failure", -20, json!({"failureType": "Timeout", "count": 5})),
        receipt("failure", 270, json!({"failureType": "Timeout", "count": 5})),
        receipt("circuit", -60, json!({"state": "open"})),
    ]));
    for minute in 0..9 {
        examine(&naze, minute * 60 + 5);
    }
    naze.engine.watch_series(at(600)).unwrap();
    let crossings = naze.engine.index().of_kind("crossing", Window::ALL).unwrap();
    let crossed: BTreeSet<(&str, &str, &str)> = crossings
        .iter()
        .map(|crossing| {
            let text = |name: &str| crossing.receipt.text(name).unwrap_or_default();
            (crossing.receipt.component().unwrap(), text("metric"), text("severity"))
        })
        .collect();
    for crossing in [
        ("checkout", "tps_andon_error_rate", "critical"),
        ("checkout", "tps_jidoka_circuit_state", "critical"),
        ("naze", "tps_jidoka_circuit_open_ratio", "critical"),
    ] {
        assert!(crossed.contains(&crossing), "{crossing:?}: {crossed:?}");
    }
    let trends = naze.get(&format!("/v1/trends/tps_jidoka_circuit_open_ratio?at={}", at(600))).json();
    assert_eq!(trends["trends"][0]["component"], "naze");
    assert_eq!(trends["trends"][0]["trend"]["windows"][0]["summary"]["current"], 1.0, "{trends:#}");
}

#[test]
fn the_review_rests_on_what_receipts_told() {
    let naze = naze();
    let week_ago = |hours: i64| -(9 * 24 + 12) * 3_600 + hours * 3_600;
    naze.record(&json!([
        receipt("circuit", week_ago(0), json!({"state": "closed"})),
        receipt("failure", week_ago(1), json!({"failureType": "Timeout"})),
        receipt("alert", week_ago(1), json!({"name": "Slow", "status": "firing", "severity": "warning"})),
        receipt(
            "incident",
            week_ago(1),
            json!({"reference": "I1", "status": "open",
            "onset": at(week_ago(1) - 60), "detectedAt": at(week_ago(1))})
        ),
    ]));
    let missing = |naze: &Naze| -> String {
        let review = naze.get("/v1/reviews/2026-W10").json();
        let missing = review["missing"].as_array().unwrap().iter().map(|missing| missing["what"].as_str().unwrap());
        missing.filter(|what| what.contains("health score")).collect()
    };
    assert!(missing(&naze).contains("tps_jidoka_circuit_open_ratio"), "{}", missing(&naze));
    // From Monday, the second, to Sunday.
    for hours in (0..=7 * 24).step_by(6) {
        examine(&naze, -(8 * 24 + 12) * 3_600 + hours * 3_600);
    }
    let told = missing(&naze);
    assert!(!told.contains("tps_jidoka") && !told.contains("tps_andon"), "{told}");
    let score = naze.get("/v1/reviews/2026-W10").json()["health"]["score"].as_f64().unwrap();
    // The incident was noticed after 60 s, the failure by the alert at once: andon is 100 - 30 s / 30, jidoka 100.
    assert_eq!(score, 99.5);
}

#[test]
fn what_is_kept_keeps_nothing_alive() {
    let naze = naze();
    // Both are within five minutes at 11:58, and neither at 12:00.
    let request = json!([{"metric": "tps_tracing_duration_seconds", "kind": "distribution", "component": "checkout",
        "occurredAt": at(-330), "value": 0.1, "count": 10, "labels": {"endpoint": "/pay"}}]);
    assert_eq!(naze.post("/v1/measurements", "application/json", request.to_string()).status, 201);
    naze.record(&json!([receipt("failure", -290, json!({"failureType": "Timeout"}))]));
    examine(&naze, -120);
    let rate = || kept(&naze, "tps_andon_error_rate");
    assert_eq!(rate(), [("checkout".to_owned(), -2, 0.1)]);
    let page = naze.get("/metrics").text();
    assert!(!page.contains("tps_andon_error_rate{"), "a kept value is no measurement");
    // 11:54:30, when the request was: what is kept at 11:58 is no sample.
    assert!(page.contains("tps_last_sample_timestamp_seconds{source=\"checkout\"} 1773143670\n"), "{page}");
    examine(&naze, 0);
    assert_eq!(rate().len(), 1);
    // Of nothing but failures nobody can say how many circuits are open.
    let health = naze.get("/v1/health").json();
    let checkout = health["components"].as_array().unwrap().iter().find(|one| one["component"] == "checkout");
    assert_eq!(checkout.unwrap()["lastSampleAt"], json!(at(-330)), "{health:#}");
    let names: Vec<&str> =
        health["components"].as_array().unwrap().iter().map(|one| one["component"].as_str().unwrap()).collect();
    assert_eq!(names, ["checkout"], "naze alone writes about naze");
}

#[test]
fn a_value_is_told_when_it_changes_and_else_now_and_then() {
    let naze = naze();
    let open = |reference: &str, seconds: i64| {
        receipt("andon", seconds, json!({"status": "opened", "level": "warning", "reference": reference}))
    };
    examine(&naze, -900);
    assert_eq!(kept(&naze, "tps_andon_open"), [], "no andon was ever told of: that none is open is no fact");
    naze.record(&json!([open("a1", -800)]));
    for seconds in (-720..0).step_by(30) {
        examine(&naze, seconds);
    }
    let warnings = || -> Vec<(i64, f64)> {
        let all = kept(&naze, "tps_andon_open").into_iter();
        all.filter(|(.., value)| *value > 0.0).map(|(_, minute, value)| (minute, value)).collect()
    };
    assert_eq!(warnings(), [(-12, 1.0), (-9, 1.0), (-6, 1.0), (-3, 1.0)]);
    naze.record(&json!([open("a2", -10)]));
    examine(&naze, 30);
    // Up to the last look it was 1.
    assert_eq!(warnings()[4..], [(-1, 1.0), (0, 2.0)]);
    // A counter begins at the look before it counted.
    let opened: Vec<(i64, f64)> =
        kept(&naze, "tps_andon_triggers_total").into_iter().map(|(_, at, value)| (at, value)).collect();
    assert_eq!(opened, [(-15, 0.0), (-12, 1.0), (-9, 1.0), (-6, 1.0), (-3, 1.0), (-1, 1.0), (0, 2.0)]);
}

#[test]
fn what_a_series_tells_itself_is_not_told_twice() {
    let naze = naze();
    let sample = |metric: &str, value: f64| json!({"metric": metric, "component": "checkout", "occurredAt": at(-30), "value": value});
    let samples = json!([sample("tps_andon_error_rate", 0.02), sample("tps_kanban_queue_depth", 7.0)]);
    assert_eq!(naze.post("/v1/measurements", "application/json", samples.to_string()).status, 201);
    naze.record(&json!([receipt("failure", -30, json!({"failureType": "Timeout"}))]));
    examine(&naze, 0);
    assert_eq!(kept(&naze, "tps_andon_error_rate"), []);
    assert_eq!(kept(&naze, "tps_kanban_queue_depth"), []);
    assert_eq!(kept(&naze, "tps_jidoka_failure_rate"), [("checkout".to_owned(), 0, 1.0)]);
}

#[test]
fn the_page_tells_how_objectives_are_kept() {
    let naze = naze();
    naze.record(&production());
    examine(&naze, -60);
    let page = naze.get("/metrics").text();
    let told = |name: &str| -> f64 {
        let line = page.lines().find(|line| line.starts_with(name));
        line.unwrap_or_else(|| panic!("{name}: {page}")).rsplit_once(' ').unwrap().1.parse().unwrap()
    };
    assert_eq!(told("tps_kaizen_slo_attainment{slo=\"quality-gates\"}"), 0.75);
    // A quarter was bad of a twentieth that may be.
    let budget = told("tps_kaizen_error_budget_remaining_ratio{slo=\"quality-gates\"}");
    assert!((budget + 4.0).abs() < 1e-9, "{budget}");
    assert_eq!(told("tps_kaizen_slo_attainment_weekly{slo=\"quality-gates\",week=\"current\"}"), 0.75);
    assert!(!page.contains("week=\"previous\""), "nothing is known of the week before");
    // Kept, too: a threshold is held against each. An objective of attainments is none of them.
    examine(&naze, -30);
    let attained = kept(&naze, "tps_kaizen_slo_attainment");
    assert!(attained.contains(&("naze".to_owned(), -1, 0.75)), "{attained:?}");
    let page = naze.get("/metrics").text();
    assert!(!page.contains("{slo=\"attainment\"}"), "{page}");
    let slos = naze.get("/v1/slos").json();
    let attainment = slos["slos"].as_array().unwrap().iter().find(|slo| slo["name"] == "attainment").unwrap();
    assert_eq!(attainment["objectives"][0]["state"], "missed", "{attainment:#}");
}

#[test]
fn the_page_tells_where_metrics_are_heading() {
    let naze = naze();
    // The vector A of the specification: milliseconds 30, 7 and 1 days ago, and now.
    let sample = |days: i64, value: f64| {
        json!({"metric": "kanban_latency_p99_ms", "component": "orders", "value": value,
            "occurredAt": at(-days * 86_400), "unit": "ms"})
    };
    let samples = json!([sample(30, 150.0), sample(7, 145.0), sample(1, 142.0), sample(0, 150.0)]);
    assert_eq!(naze.post("/v1/measurements", "application/json", samples.to_string()).status, 201);
    examine(&naze, 0);
    let page = naze.get("/metrics").text();
    let told = |metric: &str, window: &str| -> Option<f64> {
        let name = format!("{metric}{{metric=\"tps_kanban_latency_p99_seconds\",window=\"{window}\"}} ");
        page.lines().find_map(|line| line.strip_prefix(&name)).map(|value| value.parse().unwrap())
    };
    let slope = told("tps_kaizen_slope_per_day", "30d").unwrap() * 1_000.0;
    assert!((slope + 0.1367).abs() < 0.000_1, "{slope}");
    let deviation = told("tps_kaizen_relative_deviation", "30d").unwrap();
    assert!((deviation - 0.022).abs() < 0.000_5, "{deviation}");
    assert_eq!(told("tps_kaizen_slope_per_day", "24h"), None, "two values are no line");
    assert_eq!(kept(&naze, "tps_kaizen_slope_per_day"), [], "there are no trends of trends");
}

/// An hour of failures on the Saturday before: one receipt a minute, a look half a minute later, and a sender that counts the
/// same. In its middle somebody improves something.
fn told_twice(naze: &Naze) -> i64 {
    let saturday = -3 * 86_400;
    let mut total = 0;
    let mut samples = Vec::new();
    for minute in 0..60 {
        let start = saturday + minute * 60;
        let count = if minute < 30 { 60 } else { 30 } + 6 * (minute % 2);
        naze.record(&json!([receipt("failure", start + 10, json!({"failureType": "Timeout", "count": count}))]));
        total += count;
        samples.push(json!({"metric": "tps_jidoka_failures_total", "kind": "counter", "component": "checkout",
            "occurredAt": at(start + 20), "value": total}));
        examine(naze, start + 30);
    }
    assert_eq!(naze.post("/v1/measurements", "application/json", json!(samples).to_string()).status, 201);
    naze.record(&json!([receipt(
        "improvement",
        saturday + 1_800,
        json!({"title": "retry", "status": "done", "metric": "tps_jidoka_failures_total"})
    )]));
    naze.engine.watch_series(at(saturday + 3_700)).unwrap();
    saturday
}

#[test]
fn what_a_sender_and_receipts_count_alike_is_not_pooled_twice() {
    let naze = naze();
    told_twice(&naze);
    let log = naze.get("/v1/kaizen?effect=30m").json();
    let compared = &log["entries"][0]["measured"];
    let mean = |side: &str| (compared[side]["mean"].as_f64().unwrap() * 100.0).round() / 100.0;
    // 63 and 33 a minute, told as a rate.
    assert_eq!([mean("control"), mean("canary")], [1.05, 0.55], "{log:#}");
}

#[test]
fn a_review_tells_of_the_same_failures_once_and_a_new_type_crosses_once() {
    let naze = naze();
    told_twice(&naze);
    let review = naze.get("/v1/reviews/2026-W10").json();
    let trends = review["trends"].as_array().unwrap().iter();
    let of_failures: BTreeSet<&str> = trends
        .map(|trend| trend["metric"].as_str().unwrap())
        .filter(|metric| metric.contains("failure") || metric.contains("error"))
        .collect();
    assert_eq!(of_failures, BTreeSet::from(["tps_jidoka_failures_total"]));
    let crossings = naze.engine.index().of_kind("crossing", Window::ALL).unwrap();
    let first: Vec<&str> = crossings
        .iter()
        .filter(|crossing| crossing.receipt.text("rule").is_some_and(|rule| rule.starts_with("first in")))
        .filter(|crossing| crossing.receipt.first("status").is_none())
        .map(|crossing| crossing.receipt.text("metric").unwrap())
        .collect();
    assert_eq!(first, ["naze_failures"]);
}
