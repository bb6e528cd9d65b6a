//! Histograms as client libraries of Prometheus show them: buckets that are counters, and their sum.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::Request;
use naze::config::Config;
use prost::Message;
use serde_json::{Value as Json, json};

use super::{assert_told, measured, naze, receipt, sample};
use crate::common::Naze;
use crate::export::remote_write::{Label, Sample, TimeSeries, WriteRequest};

/// [`crate::common::NOW`] in milliseconds since 1970.
const NOON: i64 = 1_773_144_000_000;
const BOUNDS: [&str; 7] = ["0.1", "0.2", "0.5", "1", "5", "10", "+Inf"];

/// A histogram of `labels` in `OpenMetrics`, read at so many seconds before noon.
fn exposed(metric: &str, labels: &str, readings: &[(i64, [u32; 7], f64)]) -> String {
    let mut text = format!("# TYPE {metric} histogram\n");
    for (ago, counts, sum) in readings {
        let at = NOON / 1_000 - ago;
        for (bound, count) in BOUNDS.iter().zip(counts) {
            writeln!(text, "{metric}_bucket{{{labels},le=\"{bound}\"}} {count} {at}").unwrap();
        }
        writeln!(text, "{metric}_sum{{{labels}}} {sum} {at}\n{metric}_count{{{labels}}} {} {at}", counts[6]).unwrap();
    }
    text
}

fn post(naze: &Naze, families: &[String]) {
    let text = families.concat() + "# EOF\n";
    let reply = naze.post("/v1/measurements", "application/openmetrics-text; version=1.0.0", text);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// A hundred requests in the last minutes, after a hundred before: 80 within 200 ms, 98 within a second, two within five.
fn requests(component: &str) -> String {
    exposed(
        "tps_tracing_duration_seconds",
        &format!("component=\"{component}\",endpoint=\"/pay\""),
        &[(360, [100, 100, 100, 100, 100, 100, 100], 5.0), (60, [150, 180, 190, 198, 200, 200, 200], 25.0)],
    )
}

fn principle(naze: &Naze, name: &str) -> Json {
    let health = naze.get("/v1/health").json();
    health["principles"].as_array().unwrap().iter().find(|one| one["principle"] == name).unwrap().clone()
}

#[test]
fn durations_in_buckets_are_requests_percentiles_and_a_colour() {
    let naze = naze(Config::in_memory());
    assert_eq!(principle(&naze, "tracing")["colour"], "grey");
    post(&naze, &[requests("checkout")]);
    let labels = "component=\"checkout\",endpoint=\"/pay\"";
    let bucket = |bound: &str| format!("tps_tracing_duration_seconds_bucket{{{labels},le=\"{bound}\"}}");
    let expected = [
        // Nobody told how many took 50 ms, or three seconds: of the latter those within one are sure.
        (bucket("0.05"), 0.0),
        (bucket("0.1"), 150.0),
        (bucket("0.2"), 180.0),
        (bucket("3"), 198.0),
        (bucket("5"), 200.0),
        (bucket("+Inf"), 200.0),
        (format!("tps_tracing_duration_seconds_count{{{labels}}}"), 200.0),
        (format!("tps_tracing_duration_seconds_sum{{{labels}}}"), 25.0),
        (format!("tps_tracing_duration_ms_bucket{{{labels},le=\"100\"}}"), 150.0),
        ("tps_tracing_requests_total{endpoint=\"/pay\"}".to_owned(), 200.0),
        // 20 s of the last hundred.
        ("tps_tracing_component_latency_seconds{component=\"checkout\"}".to_owned(), 0.2),
        ("tps_andon_error_rate{service=\"checkout\"}".to_owned(), 0.0),
        ("tps_last_sample_timestamp_seconds{source=\"checkout\"}".to_owned(), 1_773_143_940.0),
        ("tps_jidoka_failures_total{component=\"checkout\"}".to_owned(), 0.0),
    ];
    assert_told(&naze, &expected.each_ref().map(|(name, value)| (name.as_str(), *value)));
    // The 99th of a hundred is the first of the two between 1 s and 5 s: halfway.
    let tracing = principle(&naze, "tracing");
    assert_eq!((&tracing["value"], &tracing["colour"]), (&json!(3.0), &json!("yellow")));

    naze.record(&json!([receipt("failure", "11:59:00", json!({"failureType": "Timeout", "count": 2}))]));
    assert_told(
        &naze,
        &[
            ("tps_andon_error_rate{service=\"checkout\"}", 0.02),
            ("tps_jidoka_success_rate{component=\"checkout\"}", 0.98),
        ],
    );
    let andon = principle(&naze, "andon");
    assert_eq!((&andon["value"], &andon["colour"]), (&json!(0.02), &json!("red")));
}

#[test]
fn a_component_that_tells_values_and_buckets_counts_once() {
    let naze = naze(Config::in_memory());
    let value = |component: &str, time: &str, count: u32| {
        let more = json!({"labels": {"endpoint": "/pay"}, "kind": "distribution", "unit": "s", "count": count,
            "component": component});
        sample("tps_tracing_duration_seconds", time, 0.1, more)
    };
    measured(&naze, &json!([value("checkout", "11:58:00", 4)]));
    // Its values ended two days ago.
    let mut ended = value("search", "11:58:00", 7);
    ended["occurredAt"] = json!("2026-03-08T11:58:00Z");
    measured(&naze, &json!([ended]));
    post(&naze, &[requests("checkout"), requests("search"), requests("orders")]);
    naze.record(&json!([
        receipt("failure", "11:59:00", json!({"failureType": "Timeout"})),
        receipt("failure", "11:59:00", json!({"failureType": "Timeout", "component": "orders"})),
    ]));
    let count =
        |component: &str| format!("tps_tracing_duration_seconds_count{{component=\"{component}\",endpoint=\"/pay\"}}");
    assert_told(
        &naze,
        &[
            (count("checkout").as_str(), 4.0),
            (count("search").as_str(), 200.0),
            (count("orders").as_str(), 200.0),
            ("tps_tracing_requests_total{endpoint=\"/pay\"}", 404.0),
            ("tps_andon_error_rate{service=\"checkout\"}", 0.25),
            ("tps_andon_error_rate{service=\"orders\"}", 0.01),
        ],
    );
}

#[test]
fn requests_that_are_only_counted_are_requests_too() {
    let naze = naze(Config::in_memory());
    let counted = |component: &str, time: &str, value: f64| {
        let more = json!({"labels": {"endpoint": "/pay"}, "kind": "counter", "component": component});
        sample("tps_tracing_requests_total", time, value, more)
    };
    measured(&naze, &json!([counted("orders", "11:53:00", 100.0), counted("orders", "11:59:00", 150.0)]));
    // Counted and timed, they are the same requests; fewer are timed than counted.
    measured(&naze, &json!([counted("checkout", "11:53:00", 0.0), counted("checkout", "11:59:00", 200.0)]));
    post(&naze, &[requests("checkout")]);
    let failure =
        |component: &str| receipt("failure", "11:59:00", json!({"failureType": "Timeout", "component": component}));
    naze.record(&json!([failure("orders"), failure("checkout")]));
    assert_told(
        &naze,
        &[
            ("tps_andon_error_rate{service=\"orders\"}", 0.02),
            ("tps_jidoka_success_rate{component=\"orders\"}", 0.98),
            ("tps_andon_error_rate{service=\"checkout\"}", 0.005),
        ],
    );
}

/// A series of the queue `in` with two readings, six minutes and one minute before noon.
fn written(metric: &str, bound: Option<&str>, readings: [f64; 2]) -> TimeSeries {
    let named = [("__name__", metric), ("queue", "in"), ("service", "orders")];
    let labels = named.into_iter().chain(bound.map(|bound| ("le", bound)));
    let label = |(name, value): (&str, &str)| Label { name: name.to_owned(), value: value.to_owned() };
    let sample = |(value, ago): (f64, i64)| Sample { value, timestamp: NOON - ago * 1_000 };
    TimeSeries {
        labels: labels.map(label).collect(),
        samples: readings.into_iter().zip([360, 60]).map(sample).collect(),
    }
}

#[test]
fn latencies_of_a_queue_by_remote_write_under_their_legacy_name() {
    let naze = naze(Config::in_memory());
    let bucket = |bound: &str, count: f64| written("tps_kanban_latency_ms_bucket", Some(bound), [10.0, 10.0 + count]);
    let timeseries = vec![
        bucket("100", 50.0),
        bucket("1000", 90.0),
        bucket("10000", 100.0),
        bucket("+Inf", 100.0),
        written("tps_kanban_latency_ms_sum", None, [500.0, 60_500.0]),
    ];
    let message = WriteRequest { timeseries }.encode_to_vec();
    let body = snap::raw::Encoder::new().compress_vec(&message).unwrap();
    let request = Request::post("/api/v1/write")
        .header("content-type", "application/x-protobuf")
        .header("content-encoding", "snappy");
    assert_eq!(naze.send(request.body(Body::from(body)).unwrap()).status, 204);
    assert_told(
        &naze,
        &[
            ("tps_kanban_latency_seconds_bucket{queue=\"in\",le=\"0.1\"}", 60.0),
            ("tps_kanban_latency_seconds_bucket{queue=\"in\",le=\"1\"}", 100.0),
            ("tps_kanban_latency_seconds_count{queue=\"in\"}", 110.0),
            ("tps_kanban_latency_seconds_sum{queue=\"in\"}", 60.5),
            ("tps_kanban_latency_p50_seconds{queue=\"in\"}", 0.1),
            // Nine of the last ten, between 1 s and 10 s.
            ("tps_kanban_latency_p99_seconds{queue=\"in\"}", 9.1),
            ("kanban_latency_p99_ms{queue=\"in\"}", 9_100.0),
            // 100 in five minutes.
            ("tps_kanban_throughput_per_minute{queue=\"in\"}", 20.0),
        ],
    );
    let health = naze.get("/v1/health").json();
    assert_eq!(health["metrics"]["tps_kanban_latency_p99_seconds"], 9.1, "{health:#}");
}

/// A histogram costs a scrape as much as its buckets.
#[test]
fn very_many_histograms_are_bounded_by_their_buckets() {
    let naze = naze(Config::in_memory());
    for component in ["checkout", "search"] {
        let told = |number: u32| {
            let labels = format!("component=\"{component}\",endpoint=\"/{number}\"");
            exposed("tps_tracing_duration_seconds", &labels, &[(60, [1, 1, 1, 1, 1, 1, 1], 0.1)])
        };
        post(&naze, &[(0..650).map(told).collect()]);
    }
    // Of 1300 with seven buckets and a sum each, as many as have 10,000 series.
    assert_told(&naze, &[("naze_metrics_left_out", 50.0)]);
}
