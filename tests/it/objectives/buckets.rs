//! Objectives whose metric is told in buckets, as a Prometheus client library shows it.

use std::fmt::Write as _;

use serde_json::json;

use super::{measure, naze, only, ratio, slo, status, threshold};
use crate::common::Naze;

/// A hundred requests a minute for an hour and a half, read every minute: 80 within 200 ms, 98 within a second, all
/// within five.
fn requests(naze: &Naze, metric: &str, component: &str) {
    in_buckets(naze, metric, component, &[("0.1", 50), ("0.2", 80), ("1", 98), ("5", 100), ("+Inf", 100)]);
}

/// A hundred requests a minute, by how many were within each bound.
fn in_buckets(naze: &Naze, metric: &str, component: &str, buckets: &[(&str, i64)]) {
    let mut text = String::new();
    for minutes in 0..=90 {
        let at = 1_773_144_000_000_i64 - (90 - minutes) * 60_000;
        for (bound, count) in buckets {
            let count = count * minutes;
            writeln!(text, "{metric}_bucket{{component=\"{component}\",le=\"{bound}\"}} {count} {at}").unwrap();
        }
        writeln!(text, "{metric}_sum{{component=\"{component}\"}} {} {at}", 30 * minutes).unwrap();
        writeln!(text, "{metric}_count{{component=\"{component}\"}} {} {at}", 100 * minutes).unwrap();
    }
    let reply = naze.post("/v1/measurements", "text/plain; version=0.0.4", text);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[test]
fn shipped_objectives_see_them() {
    let naze = Naze::in_memory();
    requests(&naze, "tps_tracing_duration_seconds", "checkout");
    let failed = json!({"metric": "tps_tracing_error_traces_total", "component": "checkout", "kind": "delta"});
    measure(&naze, &failed, [(3, 6.0)]);
    let names: Vec<String> = naze.get("/v1/slos").json()["slos"]
        .as_array()
        .unwrap()
        .iter()
        .map(|slo| slo["name"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(names, ["checkout-latency", "checkout-success"]);
    let latency = status(&naze, "checkout-latency");
    assert_eq!(latency["problems"], json!([]));
    let latency = &latency["objectives"][0];
    assert_eq!((&latency["good"], &latency["total"]), (&json!(400), &json!(500)));
    assert_eq!((&latency["state"], &latency["isComplete"]), (&json!("missed"), &json!(true)));
    // The 99th of a hundred is the first of two between 1 s and 5 s.
    assert_eq!(latency["value"], 3.0);
    let success = only(&naze, "checkout-success");
    assert_eq!((&success["good"], &success["total"]), (&json!(5_994), &json!(6_000)));
}

#[test]
fn what_lies_between_two_bounds_counts_as_bad() {
    let of = |name: &str, more: &str, objective: &str| {
        slo(name, "10m", &threshold(&format!("{{metric: request_seconds, component: shop{more}}}")), objective)
    };
    let slos = [
        of("between", "", "{op: lte, value: 0.7, target: 0.5}"),
        of("exact", "", "{op: lt, value: 1, target: 0.5}"),
        of("below", "", "{op: lte, value: 0.01, target: 0.5}"),
        of("slow", "", "{op: gte, value: 0.7, target: 0.01}"),
        of("beyond", "", "{op: gt, value: 60, target: 0.01}"),
        of("minutes", ", stat: p50", "{op: lte, value: 0.1, target: 0.9}"),
        of("mean", ", stat: mean", "{op: lte, value: 0.1, target: 0.9}"),
    ];
    let naze = naze(&slos.concat());
    requests(&naze, "request_seconds", "shop");
    let told = |name: &str| {
        let told = status(&naze, name);
        let objective = &told["objectives"][0];
        (objective["good"].as_u64(), objective["total"].as_u64(), told["problems"].clone())
    };
    let without = |limit: &str, from: &str| {
        let between = format!("what lies between {from} and {limit} counts as bad");
        json!([format!("request_seconds is told in buckets without a bound at {limit}: {between}")])
    };
    assert_eq!(told("between"), (Some(800), Some(1_000), without("0.7", "0.2")));
    assert_eq!(told("exact"), (Some(980), Some(1_000), json!([])));
    let all = "request_seconds is told in buckets, none of which ends on the good side of 0.01: all count as bad";
    assert_eq!(told("below"), (Some(0), Some(1_000), json!([all])));
    assert_eq!(told("slow"), (Some(20), Some(1_000), without("0.7", "1")));
    let all = "request_seconds is told in buckets, none of which ends on the good side of 60: all count as bad";
    assert_eq!(told("beyond"), (Some(0), Some(1_000), json!([all])));
    // One percentile for each minute.
    assert_eq!(told("minutes"), (Some(10), Some(10), json!([])));
    let (good, _, problems) = told("mean");
    assert_eq!(good, Some(0));
    assert!(problems[0].as_str().unwrap().starts_with("request_seconds is a histogram told in buckets"), "{problems}");
    assert_eq!(only(&naze, "mean")["state"], "unknown");
}

#[test]
fn values_and_buckets_of_one_component_count_once() {
    let naze = naze(&slo("all", "10m", &threshold("{metric: request_seconds}"), "{op: lte, value: 0.2, target: 0.9}"));
    let values = |component: &str| json!({"metric": "request_seconds", "component": component, "kind": "distribution"});
    requests(&naze, "request_seconds", "shop");
    requests(&naze, "request_seconds", "mail");
    measure(&naze, &values("mail"), (1..=10).map(|ago| (ago, 0.1)));
    // Older than the window: it tells buckets now.
    measure(&naze, &values("shop"), [(70, 0.1)]);
    let told = only(&naze, "all");
    assert_eq!((&told["good"], &told["total"]), (&json!(810), &json!(1_010)));
}

#[test]
fn a_histogram_without_a_bucket_of_all_values_counts_nothing() {
    let of = |name: &str, indicator: &str, objective: &str| slo(name, "10m", indicator, objective);
    let metric = "{metric: request_seconds, component: shop}";
    let ratio = ratio("good", "{metric: paid, component: shop}", metric);
    let quick = of("quick", &threshold(metric), "{op: lte, value: 1, target: 0.9}");
    let naze = naze(&[quick, of("paid", &ratio, "{target: 0.9}")].concat());
    in_buckets(&naze, "request_seconds", "shop", &[("0.2", 80), ("1", 98)]);
    let paid = json!({"metric": "paid", "component": "shop", "kind": "delta"});
    measure(&naze, &paid, (1..=10).map(|ago| (ago, 50.0)));
    let why =
        "request_seconds is told in buckets without one of all values (le=\"+Inf\"): nobody knows how many there were";
    for name in ["quick", "paid"] {
        let told = status(&naze, name);
        let objective = &told["objectives"][0];
        assert_eq!((&objective["state"], &objective["total"]), (&json!("unknown"), &json!(0)), "{told:#}");
        assert_eq!(told["problems"], json!([why]));
    }
}

#[test]
fn a_bound_that_was_converted_is_the_threshold() {
    let of = |name: &str, objective: &str| {
        slo(name, "10m", &threshold("{metric: request_seconds, component: shop}"), objective)
    };
    let slos = [of("quick", "{op: lte, value: 0.7, target: 0.5}"), of("slow", "{op: gte, value: 0.7, target: 0.01}")];
    // 700 times a thousandth, as a machine has it.
    for bound in ["0.7000000000000001", "0.6999999999999999"] {
        let naze = naze(&slos.concat());
        in_buckets(&naze, "request_seconds", "shop", &[("0.1", 50), (bound, 90), ("1", 98), ("+Inf", 100)]);
        for (name, good) in [("quick", 900), ("slow", 100)] {
            let told = status(&naze, name);
            assert_eq!(
                (&told["objectives"][0]["good"], &told["problems"]),
                (&json!(good), &json!([])),
                "{bound} {told:#}"
            );
        }
    }
}
