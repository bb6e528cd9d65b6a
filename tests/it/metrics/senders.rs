//! Several senders of one metric: each counts for itself, and of many the worst or the sum is told as `other`.

use naze::config::Config;
use serde_json::{Value as Json, json};

use super::{assert_told, in_folder, measured, naze, of_metric, receipt, sample, scraped};
use crate::common::Naze;

const THROUGHPUT: &str = "tps_kanban_throughput_total{queue=\"in\"}";

fn finished(sender: &str, time: &str, value: f64) -> Json {
    let more = json!({"labels": {"queue": "in", "instance": sender}, "kind": "counter"});
    sample("tps_kanban_throughput_total", time, value, more)
}

#[test]
fn a_sender_that_begins_anew_takes_nothing_from_the_sum() {
    let folder = tempfile::tempdir().unwrap();
    let naze = in_folder(folder.path());
    measured(&naze, &json!([finished("a", "11:50:00", 100.0), finished("b", "11:50:00", 1_000.0)]));
    assert_told(&naze, &[(THROUGHPUT, 1_100.0)]);
    measured(&naze, &json!([finished("a", "11:52:00", 160.0), finished("b", "11:52:00", 1_010.0)]));
    assert_told(&naze, &[(THROUGHPUT, 1_170.0)]);
    // It begins anew, once between two minutes and once within one.
    measured(&naze, &json!([finished("a", "11:54:00", 5.0), finished("a", "11:54:30", 2.0)]));
    assert_told(&naze, &[(THROUGHPUT, 1_177.0)]);
    // What comes late was counted by what came after it.
    measured(&naze, &json!([finished("b", "11:51:00", 1_005.0)]));
    assert_told(&naze, &[(THROUGHPUT, 1_177.0)]);
    drop(naze);
    assert_told(&in_folder(folder.path()), &[(THROUGHPUT, 1_177.0)]);
}

#[test]
fn a_sender_that_fell_silent_takes_nothing_from_the_sum() {
    let naze = naze(Config::in_memory());
    measured(&naze, &json!([finished("gone", "09:00:00", 40.0), finished("b", "11:59:00", 7.0)]));
    assert_told(&naze, &[(THROUGHPUT, 47.0)]);
}

#[test]
fn requests_that_a_sender_counts_itself_are_not_counted_by_their_durations_too() {
    let naze = naze(Config::in_memory());
    let labels = json!({"endpoint": "/pay"});
    let duration = |component: &str, count: u64| {
        let more =
            json!({"labels": labels, "kind": "distribution", "unit": "s", "component": component, "count": count});
        sample("tps_tracing_duration_seconds", "11:58:00", 0.1, more)
    };
    measured(
        &naze,
        &json!([
            duration("orders", 4),
            duration("search", 3),
            sample("tps_tracing_requests_total", "11:58:00", 5.0, json!({"labels": labels, "kind": "counter"})),
        ]),
    );
    assert_told(&naze, &[("tps_tracing_requests_total{endpoint=\"/pay\"}", 8.0)]);
}

fn depth(component: &str, queue: &str) -> Json {
    sample("tps_kanban_queue_depth", "11:59:00", 3.0, json!({"component": component, "labels": {"queue": queue}}))
}

#[test]
fn a_metric_of_very_many_series_takes_no_room_from_the_others() {
    let naze = naze(Config::in_memory());
    for component in ["orders", "billing"] {
        measured(&naze, &json!((0..900).map(|number| depth(component, &format!("q{number}"))).collect::<Vec<_>>()));
    }
    measured(
        &naze,
        &json!([
            sample("tps_heijunka_pool_utilization", "11:59:00", 0.5, json!({"labels": {"pool": "web"}})),
            sample("tps_observer_cpu_ratio", "11:59:00", 0.2, json!({})),
        ]),
    );
    let named = |naze: &Naze| -> Vec<String> {
        let scraped = scraped(naze);
        of_metric(&scraped, "tps_kanban_queue_depth").into_keys().map(str::to_owned).collect()
    };
    let before = named(&naze);
    assert_eq!(before.len(), 101);
    assert!(before.contains(&"tps_kanban_queue_depth{queue=\"other\"}".to_owned()));
    assert_told(
        &naze,
        &[
            ("tps_heijunka_pool_utilization{pool=\"web\"}", 0.5),
            ("tps_observer_cpu_ratio", 0.2),
            // 800 queues of each of the two.
            ("naze_metrics_folded", 1_600.0),
            ("naze_metrics_left_out", 0.0),
        ],
    );
    // A name that comes later takes none from those that have one.
    measured(&naze, &json!([depth("orders", "a")]));
    assert_eq!(named(&naze), before);
    assert_told(&naze, &[("naze_metrics_folded", 1_601.0)]);
}

#[test]
fn other_is_the_worst_of_those_that_it_stands_for() {
    let naze = naze(Config::in_memory());
    let workers = |number: u32, free: f64| {
        let more = json!({"labels": {"queue": format!("q{number}")}});
        sample("tps_kanban_workers_available", "11:59:00", free, more)
    };
    let of_pool = |number: u32, used: f64| {
        sample("tps_heijunka_pool_utilization", "11:59:00", used, json!({"labels": {"pool": format!("p{number}")}}))
    };
    let named = (0..100).flat_map(|number| [workers(number, 9.0), of_pool(number, 0.1)]);
    measured(&naze, &json!(named.collect::<Vec<_>>()));
    let mut samples = vec![workers(100, 5.0), workers(101, 0.0), workers(102, 7.0)];
    samples.extend([of_pool(100, 0.3), of_pool(101, 0.9), of_pool(102, 0.2)]);
    // Silent for an hour, and for a minute.
    let silent = |number: u32, time: &str| {
        sample("tps_observer_cpu_ratio", time, 0.1, json!({"component": format!("host{number:03}")}))
    };
    samples.extend((0..100).map(|number| silent(number, "11:59:30")));
    samples.extend([silent(100, "11:00:00"), silent(101, "11:59:00")]);
    measured(&naze, &json!(samples));
    let failures = (0..104).map(|number| {
        receipt("failure", "11:59:50", json!({"failureType": "Timeout", "component": format!("c{number:03}")}))
    });
    naze.record(&json!(failures.collect::<Vec<_>>()));
    let circuits = (0..103).map(|number| {
        let state = ["closed", "open", "half_open"][usize::try_from(number.max(99) - 99_i32).unwrap() % 3];
        receipt("circuit", "11:00:00", json!({"state": state, "component": format!("c{number:03}")}))
    });
    naze.record(&json!(circuits.collect::<Vec<_>>()));
    let scraped = scraped(&naze);
    let last = of_metric(&scraped, "tps_last_sample_timestamp_seconds");
    let oldest = last.values().copied().reduce(f64::min).unwrap();
    assert_told(
        &naze,
        &[
            ("tps_kanban_workers_available{queue=\"other\"}", 0.0),
            ("tps_heijunka_pool_utilization{pool=\"other\"}", 0.9),
            ("tps_last_sample_timestamp_seconds{source=\"other\"}", oldest),
            // One is open, one half-open, one closed.
            ("tps_jidoka_circuit_state{component=\"other\"}", 1.0),
            // A rate of several is their sum.
            ("tps_jidoka_failure_rate{component=\"other\"}", 4.0),
        ],
    );
}
