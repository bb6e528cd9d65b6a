//! Which way is good for a metric: what trends, pages, reversals, improvements and advice judge by.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use chrono::{DateTime, TimeDelta, Utc};
use naze::analyse::trend::Polarity;
use naze::config::Config;
use naze::export::prometheus::METRICS;
use naze::measure::crossing::{Direction, Palette};
use naze::record::Window;
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze};

/// A value for each of so many `step`s before now, oldest first.
fn measure(naze: &Naze, metric: &str, step: TimeDelta, count: i32, value: impl Fn(f64) -> f64) {
    let now: DateTime<Utc> = NOW.parse().unwrap();
    let mut body = String::new();
    for place in 0..count {
        let at = (now - step * (count - place)).to_rfc3339();
        let sample = json!({"metric": metric, "component": "shop", "occurredAt": at, "value": value(f64::from(place))});
        writeln!(body, "{sample}").unwrap();
    }
    let reply = naze.post("/v1/measurements", "application/x-ndjson", body);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

fn rising(naze: &Naze, metric: &str) {
    measure(naze, metric, TimeDelta::minutes(1), 120, |minute| 10.0 + minute);
}

/// What the trend over an hour is called.
fn direction(naze: &Naze, metric: &str) -> Json {
    naze.get(&format!("/v1/trends/{metric}")).json()["trends"][0]["trend"]["windows"][0]["verdict"]["direction"].clone()
}

#[test]
fn a_metric_that_rises_is_judged_by_what_naze_knows_of_it() {
    let naze = Naze::in_memory();
    for (metric, judged) in [
        ("tps_kanban_queue_depth", "degrading"),
        ("tps_kanban_latency_p50_seconds", "degrading"),
        ("tps_tpm_mttr_seconds", "degrading"),
        ("tps_self_log_seconds", "degrading"),
        ("tps_kanban_throughput_per_minute", "improving"),
        ("tps_jidoka_success_rate", "improving"),
        ("tps_quality_first_pass_yield", "improving"),
        ("tps_quality_test_coverage_ratio", "improving"),
        ("tps_tpm_mtbf_seconds", "improving"),
        ("tps_ontology_valid", "improving"),
        // Legacy names, and the own name without its beginning.
        ("queue_depth", "degrading"),
        ("kanban_latency_p99_ms", "degrading"),
        ("jidoka_success_rate", "improving"),
        // What naze makes itself.
        ("naze_failures", "degrading"),
        ("naze_health_score", "improving"),
        // Neither way is good.
        ("tps_observer_processes", "rising"),
        ("tps_heijunka_worker_utilization", "rising"),
        ("tps_last_sample_timestamp_seconds", "rising"),
        ("jidoka_circuit_state", "rising"),
        ("nobody_knows", "rising"),
    ] {
        rising(&naze, metric);
        assert_eq!(direction(&naze, metric), judged, "{metric}");
    }
    assert_eq!(direction(&naze, "tps_kanban_queue_depth?polarity=higher"), "improving", "what is asked goes before");
    let page = naze.get("/trends?metric=tps_kanban_queue_depth").text();
    assert!(page.contains(">degrading<") && page.contains("Items that wait now; lower is better"), "{page}");
    let page = naze.get("/trends?metric=nobody_knows").text();
    assert!(page.contains(">rising<") && !page.contains("is better"), "{page}");
    let component = naze.get("/v1/components/shop?limit=50").json();
    let series = component["series"]["items"].as_array().unwrap();
    let throughput = series.iter().find(|one| one["metric"] == "tps_kanban_throughput_per_minute").unwrap();
    assert_eq!(throughput["trend"]["1h"]["direction"], "improving");
}

#[test]
fn a_threshold_tells_it_of_what_nobody_else_knows() {
    let thresholds = |metric: &str, limit: &str| format!("[[thresholds]]\nmetric = \"{metric}\"\n{limit}\n");
    let config = [
        thresholds("orders_waiting", "warning = \"> 1000\""),
        thresholds("disk_free", "warning = \"< 5\""),
        thresholds("phase", "critical = \"== 3\""),
        thresholds("tps_kanban_queue_depth", "warning = \"< 1\""),
    ];
    let naze = Naze::with(toml::from_str::<Config>(&config.concat()).unwrap());
    for (metric, judged) in [
        ("orders_waiting", "degrading"),
        ("disk_free", "improving"),
        ("phase", "rising"),
        ("tps_kanban_queue_depth", "degrading"),
    ] {
        rising(&naze, metric);
        assert_eq!(direction(&naze, metric), judged, "{metric}");
    }
}

/// A threshold on the good side would make one and the same value better and worse.
#[test]
fn the_table_and_the_thresholds_that_naze_ships_are_of_one_mind() {
    let mut between = BTreeSet::new();
    for metric in METRICS {
        let colours = metric.names().find_map(|name| Palette::shipped().colours(name));
        let Some((_, limit)) = colours.and_then(|colours| colours.limits().next()) else { continue };
        let told = match limit.direction() {
            Direction::Up => Polarity::LowerIsBetter,
            Direction::Down => Polarity::HigherIsBetter,
        };
        match metric.polarity {
            Some(polarity) => assert_eq!(polarity, told, "{}", metric.name),
            None => {
                between.insert(metric.name);
            }
        }
    }
    // Little of it is waste, much of it leaves no room.
    assert_eq!(between, BTreeSet::from(["tps_heijunka_worker_utilization"]));
}

#[test]
fn what_turned_and_what_an_improvement_brought_is_judged_by_it_too() {
    let naze = Naze::in_memory();
    // Nine days better, one worse. The first has no threshold, the second no good way, and the third is concluded.
    let turned = |hour: f64| 1_000.0 + 3.0 * hour.min(216.0) - 5.0 * (hour - 216.0).max(0.0) + hour % 3.0;
    measure(&naze, "tps_kanban_throughput_per_minute", TimeDelta::hours(1), 240, turned);
    measure(&naze, "tps_observer_processes", TimeDelta::hours(1), 240, turned);
    measure(&naze, "naze_health_score", TimeDelta::hours(1), 240, turned);
    assert_eq!(naze.engine.note_reversals(NOW.parse().unwrap()).unwrap(), 1);
    let crossings = naze.engine.index().of_kind("crossing", Window::ALL).unwrap();
    let told = |field: &str| crossings.iter().filter_map(|one| one.receipt.text(field)).collect::<Vec<_>>();
    assert_eq!(told("metric"), ["tps_kanban_throughput_per_minute"]);
    assert!(told("rule")[0].ends_with("improving, 24h degrading"), "{:?}", told("rule"));

    let step = |minute: f64| if minute < 720.0 { 0.8 } else { 0.9 } + 0.001 * (minute * 7.0 % 5.0);
    measure(&naze, "tps_quality_first_pass_yield", TimeDelta::minutes(1), 1_440, step);
    naze.record(&json!([{"kind": "improvement", "occurredAt": "2026-03-10T00:00:00Z", "component": "shop",
        "title": "test earlier", "status": "done", "metric": "tps_quality_first_pass_yield"}]));
    let entry = naze.get("/v1/kaizen?effect=11h").json()["entries"][0].clone();
    assert_eq!(entry["measured"]["direction"], "improving", "{entry:#}");
}

#[test]
fn a_limit_is_advised_on_the_bad_side() {
    let naze = Naze::in_memory();
    for metric in ["tps_tpm_mtbf_seconds", "tps_tpm_mttr_seconds"] {
        measure(&naze, metric, TimeDelta::hours(1), 168, |hour| hour);
    }
    let limit = |metric: &str| {
        let told = naze.get(&format!("/v1/thresholds/advice/{metric}")).json();
        told["series"][0]["advice"]["limit"].clone()
    };
    // The 160th of 168 values from 0 and 15 % of it; the 9th lowest, less 15 % of it.
    assert_eq!((limit("tps_tpm_mttr_seconds"), limit("tps_tpm_mtbf_seconds")), (json!("> 183"), json!("< 6.8")));
}
