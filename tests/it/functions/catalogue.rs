//! Canned queries over series.

use serde_json::{Value as Json, json};

use super::{feed, rows, time, told};
use crate::common::Naze;

/// One column of rows.
fn column(rows: &[Json], name: &str) -> Vec<Json> {
    rows.iter().map(|row| row[name].clone()).collect()
}

/// Six usual hours, then the metrics of the vector of SPEC §8: of what a step at some minute makes of the mean of the six
/// hours that follow.
fn slow_checkout() -> Naze {
    let naze = Naze::in_memory();
    let step = |series: &str, usual: f64, at: i64, then: f64| {
        feed(&naze, told("gauge", series, 0..720, |minute| if minute < at { usual } else { then }));
    };
    // (4 of 6 hours at 160: 140), (2 of 6 at 28: 16), never, (3 of 6 at 260: 180), (5 of 6 at 244: 220)
    step("latency_ms{component=\"checkout\"}", 100.0, 480, 160.0);
    step("queue_depth{component=\"checkout\"}", 10.0, 600, 28.0);
    step("workers{component=\"checkout\"}", 8.0, 720, 8.0);
    step("query_ms{component=\"database\",table=\"orders\"}", 100.0, 540, 260.0);
    step("call_ms{component=\"bank\"}", 100.0, 420, 244.0);
    let needs = |target: &str, external: bool| json!({"kind": "dependency", "occurredAt": time(0), "component": "checkout", "target": target, "external": external});
    naze.record(&json!([needs("database", false), needs("bank", true)]));
    naze
}

#[test]
fn what_else_changed_is_ranked_and_only_an_earlier_dependency_could_be_the_cause() {
    let naze = slow_checkout();
    let found = rows(&naze, "what_else_changed?metric=latency_ms&component=checkout&at=2026-03-10T12:00:00Z");
    assert_eq!(column(&found, "metric"), ["call_ms", "query_ms{table=\"orders\"}", "queue_depth", "workers"]);
    assert_eq!(column(&found, "changePercent"), [120, 80, 60, 0]);
    assert_eq!(column(&found, "relation"), ["dependency", "dependency", "itself", "itself"]);
    assert_eq!(column(&found, "first"), [json!(time(420)), json!(time(540)), json!(time(600)), Json::Null]);
    assert_eq!(column(&found, "lead"), [json!("PT1H"), json!("-PT1H"), json!("-PT2H"), Json::Null]);
    assert_eq!(column(&found, "couldBeCause"), [true, false, false, false]);
}

#[test]
fn magnitude_and_order_without_a_path_are_no_proof() {
    let naze = slow_checkout();
    // Larger and earlier than anything else, and nobody's dependency; and one that depends on checkout.
    feed(&naze, told("gauge", "crawl_ms{component=\"search\"}", 0..720, |at| if at < 390 { 10.0 } else { 100.0 }));
    feed(&naze, told("gauge", "render_ms{component=\"web\"}", 0..720, |at| if at < 400 { 10.0 } else { 90.0 }));
    naze.record(&json!({"kind": "dependency", "occurredAt": time(0), "component": "web", "target": "checkout"}));
    let found = rows(&naze, "what_else_changed?metric=latency_ms&component=checkout&at=2026-03-10T12:00:00Z");
    assert_eq!(column(&found[..3], "component"), ["search", "web", "bank"]);
    assert_eq!(column(&found[..3], "relation"), [Json::Null, json!("dependent"), json!("dependency")]);
    assert_eq!(column(&found[..3], "couldBeCause"), [false, false, true]);
}

#[test]
fn without_a_metric_in_question_there_is_no_lead_and_no_cause() {
    let naze = slow_checkout();
    let found = rows(&naze, "what_else_changed?at=2026-03-10T12:00:00Z");
    assert_eq!(column(&found, "changePercent"), [120, 80, 60, 40, 0]);
    assert!(found.iter().all(|row| row["lead"].is_null() && row["couldBeCause"] == false), "{found:?}");
}

#[test]
fn series_beyond_the_bound_are_the_far_ones_and_counted() {
    let naze = slow_checkout();
    let many: String = (0..2_000).map(|n| format!("noise{{component=\"a{n:04}\"}} 1 1773100800000\n")).collect();
    feed(&naze, format!("# TYPE noise gauge\n{many}"));
    let path = "/v1/queries/what_else_changed?metric=latency_ms&component=checkout&at=2026-03-10T12:00:00Z";
    let answer = naze.get(path).json();
    assert_eq!(answer["seriesLeftOut"], 5);
    assert_eq!(answer["rows"].as_array().unwrap().len(), 4, "the neighbourhood is looked at first: {answer}");
}

/// What naze is told by hand and what it measures stand side by side.
#[test]
fn a_metric_without_series_is_told_by_its_crossings() {
    let naze = slow_checkout();
    let crossing = |component: &str, metric: &str, minute: i64, value: f64| {
        json!({"kind": "crossing", "occurredAt": time(minute), "component": component, "metric": metric, "value": value,
            "threshold": 50.0, "direction": "up", "baseline": 40.0})
    };
    naze.record(&json!([crossing("bank", "queue_length", 410, 140.0), crossing("bank", "call_ms", 425, 244.0)]));
    let found = rows(&naze, "what_else_changed?metric=latency_ms&component=checkout&at=2026-03-10T12:00:00Z");
    assert_eq!(column(&found[..2], "metric"), ["queue_length", "call_ms"]);
    assert_eq!(column(&found[..2], "changePercent"), [250, 120], "of the crossing; of the series");
    assert_eq!(column(&found[..2], "crossings"), [1, 1]);
    assert_eq!(column(&found[..2], "first"), [time(410), time(420)]);
    assert_eq!(column(&found[..2], "couldBeCause"), [true, true]);
}

#[test]
fn a_deployment_is_followed_by_what_changed_and_by_nothing_else() {
    let naze = Naze::in_memory();
    // Minutes that scatter without memory: 0 … 9 in a mixed order.
    let noise = |at: i64| [0.0, 9.0, 1.0, 8.0, 2.0, 7.0, 3.0, 6.0, 4.0, 5.0][usize::try_from(at % 10).unwrap()];
    feed(
        &naze,
        told("gauge", "memory_mb{component=\"cart\"}", 0..180, |at| noise(at) + if at < 120 { 195.5 } else { 295.5 }),
    );
    feed(&naze, told("gauge", "threads{component=\"cart\"}", 0..180, |at| noise(at) + 20.0));
    feed(
        &naze,
        told("gauge", "sessions{component=\"cart\"}", 0..180, |at| noise(at) + if at < 120 { 995.5 } else { 1_025.5 }),
    );
    feed(&naze, told("gauge", "young{component=\"cart\"}", 113..180, |at| if at < 120 { 1.0 } else { 50.0 }));
    feed(&naze, told("gauge", "memory_mb{component=\"other\"}", 0..180, |at| if at < 120 { 1.0 } else { 2.0 }));
    feed(
        &naze,
        told("counter", "errors_total{component=\"cart\"}", 0..180, |at| {
            f64::from(i32::try_from(if at < 120 { at } else { 120 + (at - 120) * 13 }).unwrap())
        }),
    );
    naze.record(&json!([
        {"kind": "failure", "occurredAt": time(125), "component": "cart", "failureType": "OutOfMemory", "count": 3},
    ]));
    let path = "deployment_regression?component=cart&at=2026-03-10T02:00:00Z";
    let found = rows(&naze, path);
    assert_eq!(column(&found, "subject"), ["OutOfMemory", "errors_total", "memory_mb"]);
    assert_eq!(column(&found, "aspect"), ["failure", "metric", "metric"]);
    assert_eq!((&found[2]["meanBefore"], &found[2]["meanAfter"]), (&json!(200), &json!(300)));
    assert_eq!(found[2]["changePercent"], 50);
    assert!(found[2]["pValue"].as_f64().unwrap() < 1e-9, "{}", found[2]);
    // One an hour long from its first reading to its last is 1 a minute, the other 13.
    assert_eq!(found[1]["changePercent"], 1_200);
    let small = rows(&naze, &format!("{path}&changeMin=1"));
    assert_eq!(
        column(&small, "subject"),
        ["OutOfMemory", "errors_total", "memory_mb", "sessions"],
        "3 % is told when asked for"
    );
    assert_eq!(small[3]["changePercent"], 3);
}

/// Twenty minutes high in every three hours.
#[test]
fn crossings_are_correlated_with_what_goes_along() {
    let naze = Naze::in_memory();
    let is_high = |at: i64| at % 180 >= 90 && at % 180 < 110;
    feed(&naze, told("gauge", "depth{component=\"orders\"}", 0..720, |at| if is_high(at) { 50.0 } else { 10.0 }));
    let crossing = |n: i64| {
        json!({"kind": "crossing", "occurredAt": time(180 * n + 90), "component": "orders", "metric": "depth", "value": 50.0,
            "threshold": 20.0, "direction": "up", "baseline": 10.0})
    };
    let change = |n: i64, minute: i64| json!({"kind": "change", "occurredAt": time(180 * n + minute), "component": "orders", "changeType": "config", "key": format!("{n}-{minute}")});
    let failure = |n: i64, minute: i64| json!({"kind": "failure", "occurredAt": time(180 * n + minute), "component": "orders", "failureType": "E", "message": format!("{n}-{minute}")});
    // Failures in the very spans in which it is high; changes twenty minutes before, and two beside a crossing.
    let all = (0..4).flat_map(|n| [crossing(n), change(n, 70), change(n, 80), failure(n, 91), failure(n, 101)]);
    naze.record(&Json::Array(all.chain([change(0, 95), change(1, 95)]).collect()));
    let found = rows(
        &naze,
        "crossing_correlation?metric=depth&component=orders&from=2026-03-10T00:00:00Z&to=2026-03-10T12:00:00Z",
    );
    let of =
        |kind: &str| found.iter().find(|row| row["kind"] == kind).unwrap_or_else(|| panic!("no {kind}: {found:?}"));
    let is_near = |found: &Json, expected: f64| (found.as_f64().unwrap() - expected).abs() < 1e-12;
    // 72 spans, 8 of them high, and failures in just these.
    assert!(is_near(&of("failure")["pearson"], 1.0) && is_near(&of("failure")["spearman"], 1.0), "{}", of("failure"));
    assert_eq!(of("failure")["lag"], "PT0S");
    // Changes in 10 spans, 2 of them high: with x and y of 0 and 1, r = (72 × 2 - 10 × 8) / √(10 × 62 × 8 × 64).
    let expected = 64.0 / 317_440.0_f64.sqrt();
    assert!(is_near(&of("change")["pearson"], expected), "{} is not {expected}", of("change"));
    assert!(is_near(&of("change")["spearman"], expected), "of 0 and 1 both are the same");
    assert_eq!(of("change")["lag"], "PT20M", "two spans later those of minutes 70 and 80 meet the rise");
}

#[test]
fn an_improvement_is_measured_where_nobody_told_its_effect() {
    let naze = Naze::in_memory();
    let noise = |at: i64| [0.0, 9.0, 1.0, 8.0, 2.0, 7.0, 3.0, 6.0, 4.0, 5.0][usize::try_from(at % 10).unwrap()];
    feed(
        &naze,
        told("gauge", "build_seconds{component=\"ci\"}", 0..240, |at| noise(at) + if at < 120 { 395.5 } else { 295.5 }),
    );
    let improvement = |title: &str, more: Json| {
        let mut told = json!({"kind": "improvement", "occurredAt": time(120), "component": "ci", "title": title, "metric": "build_seconds"});
        told.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        told
    };
    naze.record(&json!([
        improvement("cache", json!({"status": "done"})),
        improvement("by hand", json!({"status": "done", "baseline": 10.0, "after": 8.0})),
    ]));
    let found = rows(&naze, "kaizen_effect?from=2026-03-10T00:00:00Z&to=2026-03-10T04:00:00Z&span=2h");
    let of = |subject: &str| found.iter().find(|row| row["subject"] == subject).unwrap();
    assert_eq!(
        (&of("cache")["before"], &of("cache")["after"], &of("cache")["changePercent"]),
        (&json!(400), &json!(300), &json!(-25))
    );
    assert!(of("cache")["pValue"].as_f64().unwrap() < 1e-9);
    assert_eq!(
        (&of("by hand")["before"], &of("by hand")["changePercent"]),
        (&json!(10), &json!(-20)),
        "what was told counts"
    );
}

#[test]
fn latency_of_dependencies_and_the_slowest_come_from_series() {
    let naze = Naze::in_memory();
    naze.record(&json!([
        {"kind": "dependency", "occurredAt": time(0), "component": "checkout", "target": "bank", "external": true},
        {"kind": "dependency", "occurredAt": time(0), "component": "checkout", "target": "database", "external": false},
    ]));
    // Usual for an hour, then double; the counters of a histogram are calls, not latency.
    feed(
        &naze,
        told("gauge", "call_latency_ms{component=\"bank\"}", 600..720, |at| if at < 660 { 100.0 } else { 200.0 }),
    );
    feed(
        &naze,
        told("counter", "call_duration_count{component=\"database\"}", 600..720, |at| {
            f64::from(i32::try_from(at * at).unwrap())
        }),
    );
    let found = rows(&naze, "dependency_status?component=checkout&at=2026-03-10T12:00:00Z");
    assert_eq!(column(&found, "dependency"), ["bank", "database"]);
    assert_eq!(column(&found, "latencyChangePercent"), [json!(100), Json::Null]);
    let slow = rows(&naze, "slowest_components?to=2026-03-10T12:00:00Z");
    assert_eq!(column(&slow, "metric"), ["call_latency_ms"]);
    // Right to 1 %: half are 100, half are 200.
    for (share, value) in [("p50", 100.0), ("p95", 200.0), ("p99", 200.0)] {
        let told = slow[0][share].as_f64().unwrap();
        assert!((told / value - 1.0).abs() < 0.01, "{share} is {told}");
    }
    assert_eq!(slow[0]["crossings"], 0);
}
