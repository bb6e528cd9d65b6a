//! Recommendations that rest on series, and those of objectives that naze evaluates itself.

use std::fmt::Write as _;
use std::ops::Range;

use naze::config::Config;
use serde_json::{Value as Json, json};

use super::{CHECKOUT, PATH, receipt, recommended};
use crate::common::{NOW, Naze};

const WEEK: u32 = 7 * 24 * 60;

/// Samples of a series, one for each of these minutes before noon.
struct Told {
    series: Json,
    minutes_ago: Range<u32>,
    value: f64,
}

fn gauge(metric: &str, labels: &Json, minutes_ago: Range<u32>, value: f64) -> Told {
    let series = json!({"metric": metric, "component": CHECKOUT, "kind": "gauge", "labels": labels});
    Told { series, minutes_ago, value }
}

fn of_kind(kind: &str, metric: &str, minutes_ago: Range<u32>, value: f64) -> Told {
    Told { series: json!({"metric": metric, "component": CHECKOUT, "kind": kind}), minutes_ago, value }
}

#[track_caller]
fn measure(naze: &Naze, told: &[Told]) {
    let noon = chrono::DateTime::parse_from_rfc3339(NOW).unwrap();
    let mut body = String::new();
    for told in told {
        for minutes_ago in told.minutes_ago.clone() {
            let mut one = told.series.clone();
            one["value"] = json!(told.value);
            one["occurredAt"] = json!((noon - chrono::TimeDelta::minutes(i64::from(minutes_ago))).to_rfc3339());
            writeln!(body, "{one}").unwrap();
        }
    }
    let reply = naze.post("/v1/measurements", "application/x-ndjson", body);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// What was found, by type.
#[track_caller]
fn found(naze: &Naze, id: &str) -> Vec<Json> {
    let found = recommended(naze, PATH).into_iter();
    found.filter(|recommendation| recommendation["type"] == id).collect()
}

/// Each recommendation that rests on series: what makes it fire, what it says it found, and what just does not.
type Case = (&'static str, Vec<Told>, Json, Vec<Told>);

fn last(metric: &str, value: f64) -> Vec<Told> {
    vec![gauge(metric, &json!({"queue": "in"}), 1..6, value)]
}

/// Six hours of a latency and a queue, so many times as high as in the six hours before; far below any limit.
fn risen(latency: f64, queue: f64) -> Vec<Told> {
    let both = |minutes_ago: Range<u32>, latency: f64, queue: f64| {
        [
            of_kind("distribution", "tps_kanban_latency_seconds", minutes_ago.clone(), 0.02 * latency),
            gauge("tps_kanban_queue_depth", &json!({"queue": "in"}), minutes_ago, 20.0 * queue),
        ]
    };
    [both(361..721, 1.0, 1.0), both(1..361, latency, queue)].into_iter().flatten().collect()
}

pub(super) fn ids() -> Vec<&'static str> {
    cases().into_iter().map(|(id, ..)| id).chain(["error_budget_exhausted"]).collect()
}

fn cases() -> Vec<Case> {
    let wip = |current: f64| {
        let bucket = json!({"bucket": "cost"});
        vec![gauge("tps_kanban_wip_current", &bucket, 1..6, current), gauge("tps_kanban_wip_limit", &bucket, 1..6, 5.0)]
    };
    let whole = |share: f64| vec![gauge("tps_kanban_wip_utilization", &json!({"bucket": "overall"}), 1..6, share)];
    let dead = |now: f64| {
        [(11..16, 3.0), (1..11, now)].map(|(ago, value)| gauge("kanban_dlq_depth", &json!({}), ago, value)).into()
    };
    let slower = |now: f64| {
        [(WEEK + 1..WEEK + 16, 1.0), (1..16, now)]
            .map(|(ago, value)| of_kind("distribution", "tps_tracing_duration_seconds", ago, value))
            .into()
    };
    // Errors of a hundred requests each minute.
    let errors = |errors: u32| {
        let duration = |_| of_kind("distribution", "tps_tracing_duration_seconds", 1..5, 0.01);
        let error = |_| of_kind("delta", "tps_tracing_error_traces_total", 1..5, 1.0);
        (0..100).map(duration).chain((0..errors).map(error)).collect()
    };
    let stopped = |minutes_ago: u32| {
        vec![gauge("a", &json!({}), 60..70, 1.0), gauge("b", &json!({}), minutes_ago..minutes_ago + 1, 1.0)]
    };
    // In each of the last five minutes of which it is known.
    let outliers = |count: f64| vec![of_kind("delta", "tps_kaizen_outliers_detected_total", 2..7, count)];
    let metric = |metric: &str| format!("{metric}{{queue=\"in\"}}");
    vec![
        (
            "worker_saturation",
            risen(1.15, 1.4),
            json!({"queueMetric": metric("tps_kanban_queue_depth"), "latencyPercent": 15, "queuePercent": 40}),
            risen(1.15, 1.25),
        ),
        (
            "queue_depth_goal",
            last("tps_kanban_queue_depth", 51.0),
            json!({"metric": metric("tps_kanban_queue_depth"), "value": 51, "threshold": 50}),
            last("tps_kanban_queue_depth", 50.0),
        ),
        (
            "queue_depth_elevated",
            last("queue_depth", 101.0),
            json!({"metric": metric("queue_depth"), "value": 101, "threshold": 100}),
            last("queue_depth", 100.0),
        ),
        (
            "latency_goal",
            last("kanban_latency_p99_ms", 128.0),
            json!({"metric": metric("kanban_latency_p99_ms"), "value": 0.128, "threshold": 0.1}),
            last("kanban_latency_p99_ms", 95.0),
        ),
        (
            "latency_elevated",
            last("tps_kanban_latency_p99_seconds", 0.512),
            json!({"metric": metric("tps_kanban_latency_p99_seconds"), "value": 0.512, "threshold": 0.5}),
            last("tps_kanban_latency_p99_seconds", 0.48),
        ),
        (
            "balance_goal",
            last("tps_heijunka_balance_coefficient", 0.75),
            json!({"metric": metric("tps_heijunka_balance_coefficient"), "value": 0.75, "threshold": 0.85}),
            last("tps_heijunka_balance_coefficient", 0.875),
        ),
        (
            "pool_utilization_high",
            last("tps_heijunka_pool_utilization", 0.875),
            json!({"metric": metric("tps_heijunka_pool_utilization"), "value": 0.875, "threshold": 0.85}),
            last("tps_heijunka_pool_utilization", 0.84),
        ),
        ("wip_limit_exceeded", wip(6.0), json!({"bucket": "cost", "value": 6, "threshold": 5}), wip(5.0)),
        ("wip_limit_exceeded", whole(1.1), json!({"bucket": "overall", "value": 1.1, "threshold": 1}), whole(1.0)),
        (
            "dlq_growing",
            dead(4.0),
            json!({"metric": "kanban_dlq_depth", "value": 1, "threshold": 0, "before": 3, "now": 4}),
            dead(3.0),
        ),
        (
            "latency_regression",
            slower(1.3),
            json!({"metric": "tps_tracing_duration_seconds", "value": 1.3, "threshold": 1.2, "before": 1, "now": 1.3}),
            slower(1.15),
        ),
        ("component_errors_high", errors(2), json!({"value": 0.02, "threshold": 0.01}), errors(1)),
        (
            "outliers_high",
            outliers(3.0),
            json!({"metric": "tps_kaizen_outliers_detected_total", "value": 15, "threshold": 10}),
            outliers(2.0),
        ),
        ("samples_stalled", stopped(6), json!({"value": 2, "metric": "a"}), stopped(4)),
    ]
}

/// Numbers to two digits: percentiles are right to 1 %.
fn rounded(found: &Json) -> Json {
    let round =
        |value: &Json| value.as_f64().map_or_else(|| value.clone(), |number| json!((number * 100.0).round() / 100.0));
    found
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, value)| (name.clone(), round(value)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

#[test]
fn each_fires_on_what_it_is_for_and_not_one_step_below() {
    for (id, fires, told, silent) in cases() {
        let naze = Naze::in_memory();
        measure(&naze, &fires);
        let of_id = found(&naze, id);
        assert_eq!(of_id.len(), 1, "{id}: {of_id:#?}");
        assert_eq!((rounded(&of_id[0]["found"]), &of_id[0]["component"]), (rounded(&told), &json!(CHECKOUT)), "{id}");
        let shown = naze.get(of_id[0]["show"].as_str().unwrap());
        assert_eq!((shown.status.as_u16(), shown.json()["rows"].as_array().map(Vec::len)), (200, Some(1)), "{id}");
        let naze = Naze::in_memory();
        measure(&naze, &silent);
        assert_eq!(found(&naze, id), Vec::<Json>::new(), "{id}");
    }
}

/// The limit of all buckets together is held against what is in progress in all of them, once naze has looked.
#[test]
fn more_in_progress_than_all_buckets_may_hold_together_is_advised_on() {
    for (limit, count) in [(10.0, 1), (11.0, 0)] {
        let naze = Naze::in_memory();
        let order = |(bucket, number): (&str, u32)| {
            receipt(
                "workorder",
                "11:50:00",
                &json!({"reference": format!("{bucket}-{number}"), "bucket": bucket,
                "status": "started"}),
            )
        };
        let orders = (0..6).map(|number| ("cost", number)).chain((0..5).map(|number| ("security", number)));
        naze.record(&json!(orders.map(order).collect::<Vec<_>>()));
        measure(&naze, &[gauge("tps_kanban_wip_limit", &json!({"bucket": "overall"}), 1..6, limit)]);
        naze.engine.examine(NOW.parse().unwrap()).unwrap();
        let advised = recommended(&naze, "/v1/recommendations?to=2026-03-10T12:01:00Z");
        let whole = advised.iter().filter(|one| one["type"] == "wip_limit_exceeded");
        let whole: Vec<&Json> = whole.map(|one| &one["found"]["bucket"]).collect();
        assert_eq!(whole, vec!["overall"; count], "a limit of {limit}: {advised:#?}");
    }
}

#[test]
fn one_that_rises_alone_or_every_week_tells_of_no_saturation() {
    let usual = risen(1.15, 1.4).into_iter().map(|told| {
        let Range { start, end } = told.minutes_ago;
        Told { minutes_ago: WEEK + start..WEEK + end, ..told }
    });
    let every_week = risen(1.15, 1.4).into_iter().chain(usual).collect();
    for (told, why) in [
        (risen(1.1, 1.4), "the latency did not rise by more than a tenth"),
        (risen(1.15, 0.9), "the queue fell"),
        (every_week, "it was as high a week ago"),
    ] {
        let naze = Naze::in_memory();
        measure(&naze, &told);
        assert_eq!(found(&naze, "worker_saturation"), Vec::<Json>::new(), "{why}");
    }
}

#[test]
fn what_a_goal_is_far_from_is_told_by_what_is_more_urgent() {
    for (metric, value, told) in
        [("queue_depth", 101.0, "queue_depth_elevated"), ("kanban_latency_p99_seconds", 0.6, "latency_elevated")]
    {
        let naze = Naze::in_memory();
        measure(&naze, &last(metric, value));
        let types: Vec<Json> = recommended(&naze, PATH).into_iter().map(|one| one["type"].clone()).collect();
        assert_eq!(types, [told]);
    }
    let naze = Naze::in_memory();
    measure(&naze, &last("queue_depth", 500.0));
    assert_eq!(recommended(&naze, PATH), Vec::<Json>::new(), "from here on its threshold is crossed");
}

/// The rows of SPEC §4.1 that thresholds of series decide, with their action.
const BY_THRESHOLD: [(u32, &str, &str, &str); 23] = [
    (10, "tps_kanban_queue_depth", "warning", "add workers"),
    (11, "queue_depth", "critical", "check whether workers are available, then add workers"),
    (12, "tps_kanban_workers_available", "critical", "page; restart or scale the workers"),
    (13, "tps_kanban_latency_p99_seconds", "warning", "investigate what is slow"),
    (14, "tps_kanban_dlq_depth", "warning", "investigate the failed items"),
    (16, "tps_kanban_queue_utilization", "warning", "add capacity"),
    (17, "kanban_queue_saturation", "critical", "add capacity, shed load"),
    (18, "kanban_wait_time_secs", "warning", "add workers"),
    (19, "tps_kanban_wip_utilization", "warning", "finish before starting more"),
    (20, "tps_andon_error_rate", "warning", "look at the top error types"),
    (21, "tps_andon_error_rate", "critical", "open an incident, fix the cause"),
    (34, "error_budget", "critical", "freeze risky changes"),
    (35, "tps_heijunka_pool_utilization", "warning", "watch capacity"),
    (37, "heijunka_load_balance_coeff", "warning", "rebalance the pools"),
    (39, "tps_heijunka_worker_utilization", "warning", "release workers"),
    (40, "heijunka_queue_variance", "warning", "level the input"),
    (42, "tps_tracing_duration_seconds", "warning", "check the slowest components"),
    (43, "tps_tracing_duration_ms", "critical", "optimise or scale"),
    (44, "tps_tracing_component_latency_seconds", "warning", "profile it or cache"),
    (50, "tps_observer_memory_ratio", "warning", "inspect the snapshot"),
    (50, "tps_observer_memory_bytes", "warning", "inspect the snapshot"),
    (51, "tps_observer_cpu_ratio", "warning", "inspect the snapshot"),
    (51, "cpu_usage_percent", "warning", "inspect the snapshot"),
];

pub(super) fn rows_by_threshold() -> Vec<u32> {
    BY_THRESHOLD.iter().map(|(row, ..)| *row).collect()
}

fn crossing(metric: &str, severity: &str) -> Json {
    let more = json!({"metric": metric, "value": 9, "threshold": 8, "direction": "up", "reference": "c1",
        "severity": severity});
    receipt("crossing", "11:00:00", &more)
}

#[test]
fn what_to_do_about_a_limit_depends_on_the_metric() {
    for (row, metric, severity, action) in BY_THRESHOLD {
        let naze = Naze::in_memory();
        naze.record(&json!([crossing(metric, severity)]));
        let of_id = found(&naze, &format!("threshold_crossed_{severity}"));
        assert_eq!(of_id.len(), 1, "row {row}");
        let priority = if severity == "critical" { "P1" } else { "P2" };
        assert_eq!((&of_id[0]["action"], &of_id[0]["priority"]), (&json!(action), &json!(priority)), "row {row}");
    }
    // What nobody said anything about.
    let naze = Naze::in_memory();
    naze.record(&json!([crossing("own_metric", "warning")]));
    let action = &found(&naze, "threshold_crossed_warning")[0]["action"];
    assert_eq!(action, "bring the metric back before it becomes critical");
    let own = json!({"metric": "own_metric", "warning": "> 1", "action": {"warning": "turn it off and on"}});
    let own = naze.send(
        axum::http::Request::put("/v1/thresholds/own")
            .header("content-type", "application/json")
            .body(own.to_string().into())
            .unwrap(),
    );
    assert_eq!(own.status, 201, "{}", own.text());
    assert_eq!(found(&naze, "threshold_crossed_warning")[0]["action"], "turn it off and on");
}

/// An objective of checkout that naze evaluates: good of a thousand requests each minute.
fn promised(good: &[(Range<u32>, f64)]) -> Naze {
    let folder = tempfile::tempdir().unwrap();
    let source =
        |metric: &str| format!("{{metricSource: {{type: naze, spec: {{metric: {metric}, component: checkout}}}}}}");
    let slo = format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: web}}\nspec:\n  service: checkout\n  \
         budgetingMethod: Occurrences\n  timeWindow: [{{duration: 30d, isRolling: true}}]\n  indicator: {{spec: \
         {{ratioMetric: {{counter: true, good: {}, total: {}}}}}}}\n  objectives: [{{target: 0.9}}]\n",
        source("good_total"),
        source("all_total")
    );
    std::fs::write(folder.path().join("slo.yaml"), slo).unwrap();
    let naze = Naze::with(Config { slos: Some(folder.path().to_owned()), ..Config::in_memory() });
    for (minutes_ago, good) in good {
        measure(
            &naze,
            &[
                of_kind("delta", "good_total", minutes_ago.clone(), *good),
                of_kind("delta", "all_total", minutes_ago.clone(), 1_000.0),
            ],
        );
    }
    naze
}

#[test]
fn objectives_that_naze_evaluates_are_advised_on() {
    let one = |naze: &Naze, id: &str| -> Option<Json> {
        let found = found(naze, id);
        assert!(found.len() <= 1, "{found:#?}");
        found.into_iter().next()
    };
    let well = promised(&[(1..11, 960.0)]);
    for id in ["slo_attainment_warning", "slo_attainment_critical", "error_budget_exhausted", "slo_missed_chronically"]
    {
        assert_eq!(one(&well, id), None, "{id}");
    }
    let badly = promised(&[(1..11, 940.0)]);
    let warned = one(&badly, "slo_attainment_warning").unwrap();
    assert_eq!((&warned["found"]["slo"], &warned["found"]["value"]), (&json!("web"), &json!(0.94)));
    assert_eq!(one(&badly, "error_budget_exhausted"), None);
    let spent = promised(&[(1..11, 850.0)]);
    assert_eq!(one(&spent, "slo_attainment_critical").unwrap()["found"]["value"], 0.85);
    let budget = one(&spent, "error_budget_exhausted").unwrap();
    assert_eq!((&budget["found"]["value"], &budget["component"]), (&json!(-0.5), &json!(CHECKOUT)));
    // Monday is the 9th: this week beside the last one.
    let falling = promised(&[(1..11, 950.0), (5 * 24 * 60..5 * 24 * 60 + 10, 961.0)]);
    let fell = one(&falling, "slo_degrading").unwrap();
    assert_eq!((&fell["found"]["before"], &fell["found"]["attainment"]), (&json!(0.961), &json!(0.95)));
    assert_eq!(one(&promised(&[(1..11, 951.0), (5 * 24 * 60..5 * 24 * 60 + 10, 961.0)]), "slo_degrading"), None);
    // Four hours, of which three missed it.
    let habit = promised(&[(5..6, 800.0), (65..66, 800.0), (125..126, 800.0), (185..186, 1_000.0)]);
    let chronic = one(&habit, "slo_missed_chronically").unwrap();
    assert_eq!((&chronic["found"]["value"], &chronic["found"]["evaluations"]), (&json!(3), &json!(4)));
    let action = chronic["action"].as_str().unwrap();
    assert!(action.starts_with("improve the system: the objective is missed most of the time"), "{action}");
    assert_eq!(chronic["because"], json!([]), "it rests on series, which its query shows");
}
