//! Tasks, workers, measurements, log entries, spans and snapshots are taken with the receipts, and become series.

use naze::config::{Config, Metrics};
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze};

fn naze() -> Naze {
    Naze::with(Config {
        metrics: Metrics { cache_seconds: 0, ..naze::config::Metrics::default() },
        ..Config::in_memory()
    })
}

fn told(kind: &str, time: &str, more: Json) -> Json {
    let mut told = json!({"kind": kind, "occurredAt": format!("2026-03-10T{time}Z"), "component": "orders"});
    let Json::Object(more) = more else { panic!("{more} is no object") };
    told.as_object_mut().unwrap().extend(more);
    told
}

#[track_caller]
fn assert_told(naze: &Naze, expected: &[(&str, f64)]) {
    let page = naze.get("/metrics").text();
    for (name, value) in expected {
        let line = page.lines().find_map(|line| line.strip_prefix(&format!("{name} ")));
        let told: f64 = line.unwrap_or_else(|| panic!("{name}\n{page}")).parse().unwrap();
        assert!((told - value).abs() <= value.abs() * 0.01, "{name}: {told}, not {value}");
    }
}

#[test]
fn tasks_tell_latency_waiting_time_and_throughput() {
    let naze = naze();
    let task = |time: &str, more: Json| {
        let mut task = told("task", time, more);
        task["queue"] = json!("in");
        task
    };
    let answer = naze.record(&json!([
        task("11:59:10", json!({"latencyMs": 100, "outcome": "ok"})),
        task("11:59:20", json!({"ms": 300})),
        task(
            "11:59:40",
            json!({"enqueuedAt": "2026-03-10T11:59:10Z", "startedAt": "2026-03-10T11:59:20Z",
            "finishedAt": "2026-03-10T11:59:40Z"})
        ),
        task("11:59:50", json!({"enqueued": "2026-03-10T11:59:10Z", "started": "2026-03-10T11:59:40Z"})),
        task("11:59:50", json!({"latencySeconds": 5, "outcome": "failed"})),
    ]));
    assert_eq!(answer["recorded"], 0);
    assert_eq!(answer["samples"], json!({"recorded": 13, "refused": 0, "problem": null}));
    assert_eq!(answer["receipts"][0], json!({"id": null, "outcome": "measured"}));
    assert_told(
        &naze,
        &[
            ("tps_kanban_latency_seconds_count{queue=\"in\"}", 4.0),
            ("tps_kanban_latency_seconds_sum{queue=\"in\"}", 0.1 + 0.3 + 30.0 + 5.0),
            // Ten seconds, and thirty.
            ("tps_kanban_wait_time_seconds{queue=\"in\"}", 20.0),
            ("tps_kanban_throughput_total{queue=\"in\"}", 3.0),
            ("tps_kanban_throughput_per_minute{queue=\"in\"}", 3.0),
            ("tps_receipts_total{kind=\"failure\"}", 0.0),
        ],
    );
}

#[test]
fn workers_are_counted_by_the_latest_word_of_each() {
    let naze = naze();
    let worker = |time: &str, worker: &str, status: &str| {
        told("worker", time, json!({"worker": worker, "pool": "web", "status": status}))
    };
    naze.record(&json!([
        worker("02:00:00", "a", "activated"),
        worker("11:00:00", "b", "activated"),
        worker("11:10:00", "c", "activated"),
        worker("11:20:00", "c", "deactivated"),
    ]));
    assert_told(
        &naze,
        &[
            ("tps_heijunka_workers_active{pool=\"web\"}", 2.0),
            ("tps_heijunka_workers_idle{pool=\"web\"}", 1.0),
            ("tps_heijunka_worker_utilization{pool=\"web\"}", 2.0 / 3.0),
            ("tps_kanban_workers_available{queue=\"web\"}", 1.0),
        ],
    );
    let measured = json!({"metric": "tps_kanban_workers_available", "value": 5, "labels": {"queue": "web"}});
    naze.record(&json!([told("measurement", "11:59:00", measured)]));
    assert_told(&naze, &[("tps_kanban_workers_available{queue=\"web\"}", 5.0)]);
}

fn task(time: &str, outcome: &str) -> Json {
    told("task", time, json!({"queue": "in", "latencyMs": 100, "outcome": outcome}))
}

#[test]
fn tasks_that_failed_lower_the_success_rate_and_are_no_receipts() {
    let naze = naze();
    let mut tasks = vec![task("11:58:00", "failed"), task("11:59:00", "dead_letter"), task("11:30:00", "failed")];
    tasks.extend((0..6).map(|second| task(&format!("11:58:0{second}"), "ok")));
    assert_eq!(naze.record(&json!(tasks))["recorded"], 0);
    let success = "tps_jidoka_success_rate{component=\"orders\"}";
    assert_told(
        &naze,
        &[
            (success, 0.75),
            ("tps_kanban_throughput_total{queue=\"in\"}", 6.0),
            ("tps_kanban_latency_seconds_count{queue=\"in\"}", 9.0),
            ("tps_jidoka_failures_total{component=\"orders\"}", 0.0),
            ("tps_receipts_total{kind=\"failure\"}", 0.0),
        ],
    );
    assert!(!naze.get("/metrics").text().contains("tps_andon_error_rate{"), "a task is no request");
    // Two failures may be those of the two tasks; of four they are two at most.
    let failures = |count: u32| json!([told("failure", "11:59:00", json!({"failureType": "Timeout", "count": count}))]);
    naze.record(&failures(2));
    assert_told(&naze, &[(success, 0.75)]);
    naze.record(&failures(2 + 2));
    assert_told(&naze, &[(success, 0.25)]);
}

#[test]
fn requests_and_tasks_are_attempts_together() {
    let naze = naze();
    let span = |status: &str| told("span", "11:59:00", json!({"name": "/pay", "durationMs": 50, "status": status}));
    // An error span is a failure too, and of a trace that nobody tells: it counts once.
    naze.record(&json!([
        span("ok"),
        span("ok"),
        span("ok"),
        span("error"),
        task("11:59:00", "ok"),
        task("11:59:10", "ok"),
        task("11:59:20", "ok"),
        task("11:59:30", "dead_letter"),
    ]));
    assert_told(
        &naze,
        &[("tps_andon_error_rate{service=\"orders\"}", 0.25), ("tps_jidoka_success_rate{component=\"orders\"}", 0.75)],
    );
}

#[test]
fn dead_letters_are_held_until_somebody_measures_that_they_are_not() {
    let naze = naze();
    let depth = "tps_kanban_dlq_depth{queue=\"in\"}";
    let measured = |time: &str, value: u32| {
        told("measurement", time, json!({"metric": "tps_kanban_dlq_depth", "value": value, "labels": {"queue": "in"}}))
    };
    naze.record(&json!([
        task("10:00:00", "dead_letter"),
        task("10:00:01", "dead_letter"),
        task("11:30:00", "dead_letter"),
        task("11:31:00", "failed"),
    ]));
    assert_told(&naze, &[(depth, 3.0)]);
    // Thresholds see it as well.
    naze.engine.examine(NOW.parse().unwrap()).unwrap();
    let kept = naze.engine.series(|series| series.metric == "tps_kanban_dlq_depth" && series.is_own());
    assert_eq!(kept.len(), 1);
    naze.record(&json!([measured("11:00:00", 1)]));
    assert_told(&naze, &[(depth, 2.0)]);
    naze.record(&json!([measured("11:59:00", 7), task("11:59:30", "dead_letter")]));
    assert_told(&naze, &[(depth, 7.0)]);
}

#[test]
fn measurements_logs_spans_and_snapshots_are_series_and_errors_are_receipts() {
    let naze = naze();
    let answer = naze.record(&json!([
        told("measurement", "11:59:00", json!({"metric": "queue_depth", "value": 12, "labels": {"queue": "in"}})),
        told("log", "11:59:00", json!({"level": "INFO", "message": "started"})),
        told(
            "log",
            "11:59:00",
            json!({"level": "ERROR", "message": "it broke", "traceId": "4bf92f3577b34da6a3ce929d0e0e4736"})
        ),
        told("failure", "11:59:00", json!({"failureType": "Timeout"})),
        told("span", "11:59:00", json!({"name": "/pay", "durationMs": 250, "status": "error"})),
        told("span", "11:59:00", json!({"name": "select", "parentSpanId": "00f067aa0ba902b7", "durationMs": 50})),
        told("diagnostics", "11:59:00", json!({"memoryBytes": 1000, "cpuRatio": 0.5, "diskUsedRatio": {"/": 0.7}})),
    ]));
    let outcomes: Vec<&str> =
        answer["receipts"].as_array().unwrap().iter().map(|one| one["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["measured", "measured", "recorded", "recorded", "recorded", "measured", "measured"]);
    assert_told(
        &naze,
        &[
            ("tps_kanban_queue_depth{queue=\"in\"}", 12.0),
            ("tps_andon_log_messages_total{level=\"INFO\"}", 1.0),
            ("tps_andon_log_messages_total{level=\"WARNING\"}", 1.0),
            ("tps_tracing_duration_seconds_count{component=\"orders\",endpoint=\"/pay\"}", 1.0),
            ("tps_tracing_error_traces_total{component=\"orders\"}", 1.0),
            ("tps_observer_memory_bytes", 1_000.0),
            ("tps_observer_disk_used_ratio{disk=\"/\"}", 0.7),
            ("tps_andon_errors_total{service=\"orders\",type=\"error log\"}", 1.0),
            ("tps_andon_errors_total{service=\"orders\",type=\"error span\"}", 1.0),
        ],
    );
    let log = naze.get(&format!("/v1/receipts/{}", answer["receipts"][2]["id"].as_str().unwrap())).json();
    assert_eq!((&log["message"], &log["traceId"]), (&json!("it broke"), &json!("4bf92f3577b34da6a3ce929d0e0e4736")));
}

#[test]
fn what_is_wrong_costs_that_object_only_and_is_named() {
    let naze = naze();
    let lines = [
        told("task", "11:59:00", json!({"queue": "in", "latencyMs": "fast"})),
        told("task", "11:59:00", json!({"queue": "in", "latncyMs": 3, "ms": 4})),
        told("task", "11:59:00", json!({"queue": "in"})),
        told("worker", "11:59:00", json!({"worker": "a", "status": "asleep"})),
        json!({"kind": "measurement", "metric": "m", "value": 1}),
        told("tusk", "11:59:00", json!({})),
        told("task", "11:59:00", json!({"ms": 4})),
    ];
    let body: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let reply = naze.post("/v1/receipts", "application/x-ndjson", body);
    assert_eq!(reply.status, 207, "{}", reply.text());
    let answer = reply.json();
    let details: Vec<&str> = answer["receipts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["problem"]["detail"].as_str().unwrap_or_else(|| one["outcome"].as_str().unwrap()))
        .collect();
    assert_eq!(
        details,
        [
            "latencyMs \"fast\" is not a number of milliseconds, 0 or more",
            "\"latncyMs\" is not a field of a task",
            "a task needs how long it took: latencyMs, or enqueuedAt with startedAt or finishedAt",
            "status \"asleep\" is not one of activated, deactivated",
            "component is missing; occurredAt is missing",
            "\"tusk\" is not a kind of receipt",
            "measured",
        ]
    );
    assert_eq!(answer["receipts"][1]["problem"]["violations"][0]["fix"], "did you mean \"latencyMs\"?");
    assert_eq!(naze.post("/v1/receipts", "application/json", lines[0].to_string()).status, 422);
    assert_eq!(naze.post("/v1/receipts", "application/json", lines[6].to_string()).status, 201);
}

#[test]
fn log_records_of_opentelemetry_are_counted_by_level() {
    let naze = naze();
    let record = |more: Json| {
        // 11:59:00.
        let mut record = json!({"timeUnixNano": "1773143940000000000", "body": {"stringValue": "told"}});
        record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        record
    };
    let records = json!([
        record(json!({"severityNumber": 5})),
        record(json!({"severityNumber": 9})),
        record(json!({"severityNumber": 10})),
        record(json!({"severityText": "WARN"})),
        record(json!({"severityNumber": 17})),
        record(json!({"severityNumber": 21})),
        record(json!({})),
    ]);
    let service = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]});
    let body = json!({"resourceLogs": [{"resource": service, "scopeLogs": [{"logRecords": records}]}]});
    assert_eq!(naze.post("/v1/logs", "application/json", body.to_string()).status, 200);
    assert_told(
        &naze,
        &[
            ("tps_andon_log_messages_total{level=\"DEBUG\"}", 1.0),
            ("tps_andon_log_messages_total{level=\"INFO\"}", 3.0),
            ("tps_andon_log_messages_total{level=\"WARNING\"}", 2.0),
            ("tps_andon_log_messages_total{level=\"CRITICAL\"}", 1.0),
            ("tps_andon_errors_total{service=\"shop\",type=\"error log\"}", 2.0),
        ],
    );
}
