//! Which limit suits a series, and thresholds that are doubtful.

use chrono::TimeDelta;
use naze::analyse::limits::{Advice, advise};
use naze::analyse::trend::Polarity;
use naze::clock::Timestamp;
use naze::config::Config;
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze};

/// A value for each of so many hours before now, oldest first.
fn hourly(hours: i64, value: impl Fn(i64) -> f64) -> Vec<(Timestamp, f64)> {
    let now: Timestamp = NOW.parse().unwrap();
    (0..hours).map(|hour| (now.checked_add(TimeDelta::hours(hour - hours)).unwrap(), value(hour))).collect()
}

#[test]
fn a_limit_is_fifteen_percent_beyond_what_is_usual_in_a_week() {
    // 1 to 160 in some order: the 152nd is the 95th percentile, the 9th lowest what 95 % reach.
    let values = hourly(168, |hour| f64::from(u8::try_from((hour * 53) % 160 + 1).unwrap()));
    let Advice { usual, limit, statement, values: count } = advise(&values[..160], Polarity::LowerIsBetter, 15.0);
    assert_eq!((count, usual, limit), (160, None, None), "{statement}");
    assert_eq!(statement, "not enough data: a limit rests on a week, and there are 160 values over 6.6 days");

    let values = hourly(168, |hour| f64::from(u8::try_from(hour).unwrap()));
    let upper = advise(&values, Polarity::LowerIsBetter, 15.0);
    // Rank 160 of 168, from 0; 159 and 15 % of it.
    assert_eq!((upper.usual, upper.limit.as_deref()), (Some(159.0), Some("> 183")));
    assert_eq!(
        upper.statement,
        "95 % of the values of a week were at or below 159: warn at \"> 183\", 15 % beyond, and look again after a week"
    );
    let lower = advise(&values, Polarity::HigherIsBetter, 20.0);
    assert_eq!((lower.usual, lower.limit.as_deref()), (Some(8.0), Some("< 6.4")));
    let below_zero = advise(&hourly(168, |_| -10.0), Polarity::LowerIsBetter, 10.0);
    assert_eq!(below_zero.limit.as_deref(), Some("> -9"));
}

fn measure(naze: &Naze, metric: &str, value: impl Fn(i64) -> f64) {
    let points = hourly(168, value).into_iter();
    let told: Vec<Json> = points
        .map(|(at, value)| json!({"metric": metric, "component": "orders", "value": value, "occurredAt": at}))
        .collect();
    assert_eq!(naze.post("/v1/measurements", "application/json", Json::Array(told).to_string()).status, 201);
}

#[test]
fn advice_is_given_and_doubts_are_told() {
    let config = "[[thresholds]]\nmetric = \"queue_dpeth\"\nwarning = \"> 5\"\n";
    let Config { thresholds, .. } = toml::from_str(config).unwrap();
    let naze = Naze::with(Config { thresholds, ..Config::in_memory() });
    measure(&naze, "queue_depth", |hour| f64::from(u8::try_from(hour).unwrap()));
    measure(&naze, "tps_quality_gate_pass_rate", |_| 0.97);

    let told = naze.get("/v1/thresholds/advice/queue_depth").json();
    assert_eq!(told["series"][0]["advice"]["limit"], "> 183", "{told}");
    assert_eq!(
        told["series"][0]["thresholds"],
        json!(["tps_kanban_queue_depth warning >= 500 critical > 1000 for 5m"])
    );
    let wider = naze.get("/v1/thresholds/advice/queue_depth?margin=20%25&polarity=higher").json();
    assert_eq!(wider["series"][0]["advice"]["limit"], "< 6.4", "{wider}");
    assert_eq!(naze.get("/v1/thresholds/advice/queue_depth?margin=lots").status, 400);
    assert_eq!(naze.get("/v1/thresholds/advice/nothing").status, 404);

    let doubts = naze.get("/v1/thresholds").json()["doubts"].clone();
    let problems: Vec<&str> = doubts.as_array().unwrap().iter().map(|one| one["problem"].as_str().unwrap()).collect();
    assert_eq!(problems[0], "no series is named queue_dpeth");
    assert!(problems[1].starts_with("\"< 0.95\" is what the objective ") && problems.len() == 2, "{problems:?}");
}

#[test]
fn a_limit_that_equals_a_promise_is_doubted_where_it_is_declared() {
    let naze = Naze::with(Config::in_memory());
    let put = |path: &str, document: &str| {
        naze.send(axum::http::Request::put(path).body(axum::body::Body::from(document.to_owned())).unwrap())
    };
    let objective = "apiVersion: openslo/v1
kind: SLO
metadata: {name: depth}
spec:
  service: orders
  budgetingMethod: Occurrences
  timeWindow: [{duration: 1d, isRolling: true}]
  indicator:
    spec: {thresholdMetric: {metricSource: {type: naze, spec: {metric: queue_depth, component: orders}}}}
  objectives: [{op: lte, value: 50, target: 0.9}]
";
    let declared = put("/v1/slos/depth", objective);
    assert_eq!((declared.status.as_u16(), declared.json()), (201, json!({"doubts": []})));
    measure(&naze, "queue_depth", |_| 7.0);
    let good = put("/v1/thresholds/good", r#"{"metric": "queue_depth", "warning": "> 45"}"#);
    assert_eq!((good.status.as_u16(), good.json()), (201, json!({"doubts": []})));
    for status in [201, 200] {
        let limit = format!(r#"{{"metric": "queue_depth", "warning": "> 50", "for": "{status}s"}}"#);
        let equal = put("/v1/thresholds/equal", &limit);
        assert_eq!(equal.status, status);
        let doubts = &equal.json()["doubts"];
        assert_eq!(doubts[0]["problem"], "\"> 50\" is what the objective depth promises", "{doubts}");
        assert!(doubts[0]["fix"].as_str().unwrap().contains("before it is broken"), "{doubts}");
    }
    let again = put("/v1/slos/depth", &objective.replace("value: 50", "value: 45"));
    assert_eq!(again.status, 200);
    assert!(again.text().contains("queue_depth warning > 45 for 5m"), "{}", again.text());
    let both = put(
        "/v1/thresholds/both",
        r#"{"metric": "queue_depth", "warning": "> 1", "and": [{"metric": "latncy", "limit": "> 1"}]}"#,
    );
    assert_eq!(both.json()["doubts"][0]["problem"], "no series is named latncy");
    let text = "request_seconds_bucket{component=\"orders\",le=\"+Inf\"} 3\n";
    assert_eq!(naze.post("/v1/measurements", "text/plain", text).status, 201);
    let mean = put("/v1/thresholds/mean", r#"{"metric": "request_seconds", "warning": "> 1"}"#);
    assert_eq!(
        mean.json()["doubts"][0]["problem"],
        "request_seconds is a histogram told in buckets, which has percentiles only"
    );
    let p99 = put("/v1/thresholds/p99", r#"{"metric": "request_seconds", "statistic": "p99", "warning": "> 1"}"#);
    assert_eq!(p99.json(), json!({"doubts": []}));
}

#[test]
fn the_doctor_doubts_a_limit_that_equals_a_promise() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("naze.toml");
    std::fs::write(&config, "[[thresholds]]\nmetric = \"tps_quality_gate_pass_rate\"\nwarning = \"< 0.95\"\n").unwrap();
    let told = std::process::Command::new(env!("CARGO_BIN_EXE_naze"))
        .args(["doctor", "--format", "json", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    assert!(told.status.success(), "a doubt is no failure: {told:?}");
    let lines = String::from_utf8(told.stdout).unwrap();
    let doubts: Vec<Json> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .filter(|one: &Json| one["status"] == "warn")
        .collect();
    assert_eq!(doubts.len(), 1, "{lines}");
    assert!(doubts[0]["detail"].as_str().unwrap().contains("\"< 0.95\" is what the objective "), "{lines}");
}
