//! Series that live in a Prometheus, read from a real one, and histograms that are told in buckets.

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use naze::clock::Timestamp;
use naze::config::{self, Config};
use naze::measure::histogram::{Bucket, quantile};
use serde_json::{Value as Json, json};

use crate::common::{Naze, Program, is_installed};
use crate::prometheus::{PATIENCE, free_port, start};

/// 2026-02-26T12:00:00Z, twelve days before the tests' now, in minutes.
const BEGIN: i64 = 29_535_120;
const DAYS: i64 = 12;

fn buckets(told: &[(f64, f64)]) -> Vec<Bucket> {
    told.iter().map(|(bound, count)| Bucket { bound: *bound, count: *count }).collect()
}

/// From Prometheus' own tests of `histogram_quantile`.
#[test]
#[expect(clippy::float_cmp, reason = "the same arithmetic")]
fn a_quantile_of_buckets_is_what_prometheus_says() {
    let positive = buckets(&[(0.1, 5.0), (0.2, 7.0), (1.0, 11.0), (f64::INFINITY, 12.0)]);
    let negative = buckets(&[(-0.2, 1.0), (-0.1, 2.0), (0.3, 2.0), (f64::INFINITY, 3.0)]);
    let told = |share, of: &[Bucket]| (quantile(share, of).unwrap() * 1e9).round() / 1e9;
    assert_eq!([0.2, 0.5, 0.8, 0.99].map(|share| told(share, &positive)), [0.048, 0.15, 0.72, 1.0]);
    assert_eq!([0.2, 0.5, 0.8].map(|share| told(share, &negative)), [-0.2, -0.15, 0.3]);
    let contradicting = buckets(&[(0.2, 3.0), (0.1, 5.0), (f64::INFINITY, 10.0)]);
    assert_eq!(told(0.25, &contradicting), 0.05);
    assert_eq!(quantile(0.5, &positive[..3]), None, "no bucket for all");
    assert_eq!(quantile(0.5, &positive[3..]), None, "no finite bucket");
    assert_eq!(quantile(0.5, &buckets(&[(1.0, 0.0), (f64::INFINITY, 0.0)])), None, "no values");
}

/// What the histogram counted each minute: mostly fast, and in the last three hours mostly slow.
fn counted(minute: i64) -> [f64; 4] {
    if minute < DAYS * 1_440 - 180 { [90.0, 98.0, 100.0, 100.0] } else { [10.0, 50.0, 96.0, 100.0] }
}

const BOUNDS: [&str; 4] = ["0.1", "0.5", "1.0", "+Inf"];

/// A depth that tells its minute, and a histogram, read half a minute into each minute.
fn exposition(minutes: std::ops::Range<i64>) -> String {
    let mut text = String::new();
    let mut totals = [1e6; 4];
    for minute in minutes {
        let at = (BEGIN + minute) * 60 + 30;
        writeln!(text, "queue_depth{{service=\"orders\",queue=\"in\"}} {} {at}", minute % 1_000).unwrap();
        for ((bound, total), counted) in BOUNDS.iter().zip(&mut totals).zip(counted(minute)) {
            *total += counted;
            writeln!(text, "wait_seconds_bucket{{service=\"orders\",le=\"{bound}\"}} {total} {at}").unwrap();
        }
    }
    text.push_str("# EOF\n");
    text
}

/// `None`, and a word about it, where it is not installed.
fn with_history(folder: &Path, port: u16, arguments: &[&str]) -> Option<Program> {
    if !is_installed("promtool") {
        return None;
    }
    if !folder.join("data").exists() {
        std::fs::write(folder.join("history.txt"), exposition(0..DAYS * 1_440)).unwrap();
        let made = Command::new("promtool")
            .args(["tsdb", "create-blocks-from", "openmetrics", "history.txt", "data"])
            .current_dir(folder)
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(made.success());
        std::fs::write(folder.join("prometheus.yml"), "{}").unwrap();
    }
    let own = [
        "--config.file=prometheus.yml".to_owned(),
        "--storage.tsdb.path=data".to_owned(),
        "--storage.tsdb.retention.time=10y".to_owned(),
        format!("--web.listen-address=127.0.0.1:{port}"),
    ];
    let arguments: Vec<String> = own.into_iter().chain(arguments.iter().map(|text| (*text).to_owned())).collect();
    let program = start("prometheus", folder, &arguments);
    let until = Instant::now() + PATIENCE;
    while !reqwest::blocking::get(format!("http://127.0.0.1:{port}/-/ready")).is_ok_and(|one| one.status().is_success())
    {
        assert!(Instant::now() < until, "Prometheus does not get ready");
        std::thread::sleep(Duration::from_millis(100));
    }
    Some(program)
}

fn naze_beside(port: u16) -> Naze {
    Naze::with(Config {
        prometheus: Some(config::Prometheus {
            url: format!("http://127.0.0.1:{port}"),
            token: None,
            timeout_seconds: 1,
            points_max: 500_000,
        }),
        ..Config::in_memory()
    })
}

fn line(naze: &Naze, path: &str) -> Json {
    let reply = naze.get(path);
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn refusal(naze: &Naze, path: &str) -> (u16, String) {
    let reply = naze.get(path);
    (reply.status.as_u16(), reply.json()["detail"].as_str().unwrap().to_owned())
}

#[test]
fn what_lives_in_prometheus_is_read_there() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let Some(mut prometheus) = with_history(folder.path(), port, &[]) else { return };
    let naze = naze_beside(port);

    let told = line(&naze, "/v1/series/queue_depth?from=2026-03-10T11:57:00Z&step=1m");
    assert_eq!(told["source"], "prometheus");
    let labels = json!({"queue": "in", "service": "orders"});
    let points =
        json!([["2026-03-10T11:57:00Z", 277.0], ["2026-03-10T11:58:00Z", 278.0], ["2026-03-10T11:59:00Z", 279.0]]);
    assert_eq!(
        told["series"],
        json!([{"metric": "queue_depth", "component": "orders", "kind": "gauge", "unit": null, "labels": labels, "points": points}])
    );

    // More points than Prometheus tells at once.
    let told = line(&naze, "/v1/series/queue_depth?from=-12d&step=1m&component=orders&label.queue=in");
    let points = told["series"][0]["points"].as_array().unwrap();
    let minutes: Vec<f64> = points.iter().map(|point| point[1].as_f64().unwrap()).collect();
    assert_eq!(minutes, (0..17_280).map(|minute| f64::from(minute % 1_000)).collect::<Vec<f64>>());
    assert_eq!(points[0][0], "2026-02-26T12:00:00Z");

    let trend = line(&naze, "/v1/trends/queue_depth");
    assert_eq!((&trend["source"], &trend["stepSeconds"]), (&json!("prometheus"), &json!(60)));
    let n = |window: usize| trend["trends"][0]["trend"]["windows"][window]["summary"]["n"].as_u64();
    assert_eq!([0, 1, 2, 3].map(n), [Some(60), Some(1_440), Some(10_080), Some(17_280)]);

    assert_eq!(refusal(&naze, "/v1/series/queue_depth?source=naze").0, 404);
    assert_eq!(refusal(&naze, "/v1/series/queue_depth?component=billing").0, 404);
    assert_eq!(refusal(&naze, "/v1/series/no%22}or_this").0, 404, "a name is data");
    let (status, why) = refusal(&naze, "/v1/series/queue_depth?label.a-b=c");
    assert_eq!((status, why.as_str()), (400, "Prometheus has no label named \"a-b\""));
    let (status, why) = refusal(&naze, "/v1/series/wait_seconds?stat=mean");
    assert_eq!((status, why.contains("told in buckets")), (400, true), "{why}");

    // Its own series come first.
    let own = json!({"metric": "queue_depth", "component": "orders", "value": 5, "occurredAt": "2026-03-10T11:58:00Z"});
    naze.post("/v1/measurements", "application/json", own.to_string());
    assert_eq!(line(&naze, "/v1/series/queue_depth")["source"], "naze");
    assert_eq!(line(&naze, "/v1/series/queue_depth?source=prometheus")["source"], "prometheus");

    prometheus.kill();
    let (status, why) = refusal(&naze, "/v1/trends/queue_depth?source=prometheus");
    assert_eq!((status, why.contains("Connection refused")), (503, true), "{why}");
    let limited = with_history(folder.path(), port, &["--query.max-samples=100"]);
    let (status, why) = refusal(&naze, "/v1/trends/queue_depth?source=prometheus");
    assert_eq!((status, why.contains("query processing would load too many samples")), (503, true), "{why}");
    drop(limited);
}

#[test]
fn a_prometheus_that_does_not_answer_is_not_waited_for_long() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let naze = naze_beside(silent.local_addr().unwrap().port());
    let (status, why) = refusal(&naze, "/v1/trends/queue_depth");
    assert_eq!((status, why.contains("it took too long")), (503, true), "{why}");
    let (status, why) = refusal(&Naze::in_memory(), "/v1/trends/queue_depth?source=prometheus");
    assert_eq!((status, why.as_str()), (400, "no Prometheus is configured"));
}

/// The buckets of the last six hours as naze's own series.
fn tell_buckets(naze: &Naze) {
    let mut told = Vec::new();
    let mut totals = [1e6; 4];
    for minute in DAYS * 1_440 - 360..DAYS * 1_440 {
        let at = Timestamp::from_micros(((BEGIN + minute) * 60 + 30) * 1_000_000).unwrap();
        for ((bound, total), counted) in BOUNDS.iter().zip(&mut totals).zip(counted(minute)) {
            *total += counted;
            told.push(
                json!({"metric": "wait_seconds_bucket", "kind": "counter", "component": "orders", "value": *total,
                "occurredAt": at, "labels": {"service": "orders", "le": bound}}),
            );
        }
    }
    let reply = naze.post("/v1/measurements", "application/json", Json::Array(told).to_string());
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// The last point before each of two moments, one in the fast time and one in the slow.
fn fast_and_slow(told: &Json) -> [f64; 2] {
    let points = told["series"][0]["points"].as_array().unwrap();
    ["2026-03-10T08:30:00Z", "2026-03-10T11:30:00Z"].map(|at| {
        let point = points.iter().find(|point| point[0] == at).unwrap_or_else(|| panic!("no point at {at}: {told}"));
        (point[1].as_f64().unwrap() * 1e6).round() / 1e6
    })
}

#[test]
#[expect(clippy::float_cmp, reason = "rounded to the same digits")]
fn percentiles_of_buckets_are_the_same_here_and_in_prometheus() {
    let naze = Naze::in_memory();
    tell_buckets(&naze);
    let path = "/v1/series/wait_seconds?from=-6h&step=5m";
    // Of 100: 98 below 0.5, so the 99th lies half-way from there to 1; then 96 below 1, so it is beyond all bounds.
    let own = line(&naze, path);
    assert_eq!((&own["source"], &own["series"][0]["kind"]), (&json!("naze"), &json!("distribution")));
    assert_eq!(own["series"][0]["labels"], json!({"service": "orders"}));
    assert_eq!(fast_and_slow(&own), [0.75, 1.0]);
    let median = line(&naze, &format!("{path}&stat=p50"));
    assert_eq!(fast_and_slow(&median), [0.055_556, 0.5]);
    let trend = line(&naze, "/v1/trends/wait_seconds?polarity=lower");
    let day = &trend["trends"][0]["trend"]["windows"][1];
    assert_eq!((&day["summary"]["min"], &day["summary"]["max"]), (&json!(0.75), &json!(1.0)));
    assert_eq!(day["changePoints"].as_array().unwrap().len(), 1, "{day}");
    let (status, _) = refusal(&naze, "/v1/series/wait_seconds?stat=mean");
    assert_eq!(status, 400);

    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let Some(_prometheus) = with_history(folder.path(), port, &[]) else { return };
    let beside = naze_beside(port);
    assert_eq!(fast_and_slow(&line(&beside, path)), [0.75, 1.0]);
    assert_eq!(fast_and_slow(&line(&beside, &format!("{path}&stat=p50"))), [0.055_556, 0.5]);
    let query = "histogram_quantile(0.9, rate(wait_seconds_bucket[5m]))&time=2026-03-10T11:35:00Z";
    let theirs = reqwest::blocking::get(format!("http://127.0.0.1:{port}/api/v1/query?query={query}")).unwrap();
    let theirs: Json = theirs.json().unwrap();
    let theirs: f64 = theirs["data"]["result"][0]["value"][1].as_str().unwrap().parse().unwrap();
    assert_eq!(fast_and_slow(&line(&naze, &format!("{path}&stat=p90")))[1], (theirs * 1e6).round() / 1e6);
}
