//! Histograms told in buckets, and series that are told seldom, wherever lines are read.

use std::fmt::Write as _;

use chrono::TimeDelta;
use naze::analyse::trend::{Point, interval};
use naze::clock::Timestamp;
use naze::record::Window;
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze};

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn ago(span: TimeDelta) -> Timestamp {
    now().checked_add(-span).unwrap()
}

/// A histogram of one hundred values a reading, the readings `step` apart and the last of them at `end`: 98 lie in the
/// first bucket, and two in the one that `place` names of a reading.
pub(crate) struct Histogram<'a> {
    pub(crate) metric: &'a str,
    pub(crate) labels: &'a str,
    pub(crate) bounds: &'a [f64],
    pub(crate) step: TimeDelta,
    pub(crate) readings: i32,
    pub(crate) end: Timestamp,
}

impl Histogram<'_> {
    pub(crate) fn send(&self, naze: &Naze, place: impl Fn(i32) -> usize) {
        let Self { metric, labels, bounds, step, readings, end } = self;
        let mut counts = vec![0_u64; bounds.len() + 1];
        let mut text = String::new();
        for reading in 0..*readings {
            let place = place(reading);
            for (bucket, count) in counts.iter_mut().enumerate() {
                *count += if bucket >= place { 100 } else { 98 };
            }
            let at = end.checked_add(-*step * (readings - 1 - reading)).unwrap().micros() / 1_000;
            let names = bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
            for (bound, count) in names.zip(&counts) {
                writeln!(text, "{metric}_bucket{{{labels},le=\"{bound}\"}} {count} {at}").unwrap();
            }
            let all = counts[bounds.len()];
            writeln!(text, "{metric}_sum{{{labels}}} {} {at}\n{metric}_count{{{labels}}} {all} {at}", all / 20)
                .unwrap();
        }
        let reply = naze.post("/v1/measurements", "text/plain; version=0.0.4", text);
        assert_eq!(reply.status, 201, "{}", reply.text());
    }
}

fn by_the_minute(naze: &Naze, metric: &str) {
    Histogram {
        metric,
        labels: "component=\"checkout\",path=\"/pay\"",
        bounds: &[0.1, 0.16, 0.24],
        step: TimeDelta::minutes(1),
        readings: 120,
        end: ago(TimeDelta::minutes(1)),
    }
    .send(naze, |_| 2);
}

#[test]
fn pages_and_pictures_show_a_histogram() {
    let naze = Naze::in_memory();
    by_the_minute(&naze, "request_seconds");
    let page = naze.get("/trends?metric=request_seconds&range=1h").text();
    assert!(page.contains("request_seconds of checkout (path=/pay)") && !page.contains("No data"), "{page}");
    let list = naze.get("/trends").text();
    assert!(list.contains("metric=request_seconds&amp;") && !list.contains("request_seconds_bucket"), "{list}");
    let picture = naze.get("/v1/trends/request_seconds?format=svg&range=1h");
    assert_eq!(picture.status, 200, "{}", picture.text());
    assert!(picture.text().contains("request_seconds of checkout"), "{}", picture.text());
    let component = naze.get("/v1/components/checkout").json();
    let series = component["series"]["items"].as_array().unwrap();
    let names: Vec<&str> = series.iter().map(|one| one["metric"].as_str().unwrap()).collect();
    assert_eq!(names, ["request_seconds", "request_seconds_count", "request_seconds_sum"]);
    // Two of a hundred between 0.16 and 0.24: the 99th is halfway.
    assert!((series[0]["latest"]["value"].as_f64().unwrap() - 0.2).abs() < 1e-9, "{}", series[0]);
}

#[test]
fn what_an_improvement_did_to_a_histogram_is_told() {
    let naze = Naze::in_memory();
    Histogram {
        metric: "request_seconds",
        labels: "component=\"checkout\"",
        bounds: &[0.1, 0.16, 0.24],
        step: TimeDelta::minutes(1),
        readings: 120,
        end: ago(TimeDelta::minutes(1)),
    }
    .send(&naze, |reading| if reading < 60 { 2 } else { 1 });
    naze.record(&json!([{"kind": "improvement", "occurredAt": "2026-03-10T11:00:00Z", "component": "checkout",
        "title": "a cache", "status": "done", "metric": "request_seconds"}]));
    let entry = naze.get("/v1/kaizen?effect=1h").json()["entries"][0].clone();
    let change = entry["measured"]["changePercent"]["value"].as_f64();
    assert!((change.unwrap_or_else(|| panic!("{entry:#}")) + 35.0).abs() < 1e-6, "{entry:#}");
}

#[test]
fn a_histogram_turns_too() {
    let naze = Naze::in_memory();
    let bounds: Vec<f64> = (1..=50).map(|place| f64::from(place) / 5.0).collect();
    // It falls for nine days, and rises on the last.
    let place = |hour: i32| usize::try_from(49 - hour.min(216) / 6 + (hour - 216).max(0)).unwrap();
    Histogram {
        metric: "tps_tracing_duration_seconds",
        labels: "component=\"checkout\",endpoint=\"/pay\"",
        bounds: &bounds,
        step: TimeDelta::hours(1),
        readings: 240,
        end: ago(TimeDelta::hours(1)),
    }
    .send(&naze, place);
    assert_eq!(naze.engine.note_reversals(now()).unwrap(), 1);
    let crossings = naze.engine.index().of_kind("crossing", Window::ALL).unwrap();
    let told: Vec<_> =
        crossings.iter().map(|one| (one.receipt.text("metric"), one.receipt.text("direction"))).collect();
    assert_eq!(told, [(Some("tps_tracing_duration_seconds"), Some("up"))]);
    assert_eq!(naze.engine.note_reversals(now()).unwrap(), 0, "once a day");
}

#[test]
fn values_that_were_silent_for_a_day_yield_to_buckets() {
    let naze = Naze::in_memory();
    let value = |hours: i64| {
        json!({"metric": "request_seconds", "component": "checkout", "kind": "distribution", "value": 7.0,
            "occurredAt": ago(TimeDelta::hours(hours)).to_string()})
    };
    let send = |value: Json| naze.post("/v1/measurements", "application/json", value.to_string()).status;
    assert_eq!(send(value(25)), 201);
    by_the_minute(&naze, "request_seconds");
    let last = |path: &str, stat: &str| {
        let told = naze.get(&format!("{path}/request_seconds?{stat}")).json();
        let list = if path == "/v1/series" { "series" } else { "trends" };
        told[list].as_array().unwrap().iter().map(|line| line["labels"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(last("/v1/series", "from=-2d"), [json!({"path": "/pay"})], "the buckets");
    assert_eq!(last("/v1/trends", ""), [json!({"path": "/pay"})]);
    let latest = naze.get("/v1/trends/request_seconds").json()["trends"][0]["trend"]["windows"][0]["summary"].clone();
    assert!((latest["current"].as_f64().unwrap() - 0.2).abs() < 1e-9, "{latest}");
    // As of yesterday the values were not silent.
    assert_eq!(last("/v1/series", "from=2026-03-09T00:00:00Z&to=2026-03-09T12:00:00Z"), [json!({})]);
    assert_eq!(send(value(1)), 201);
    assert_eq!(last("/v1/series", "from=-2d"), [json!({})], "the values");
}

#[test]
fn a_series_that_is_told_every_five_minutes_has_a_heading() {
    let naze = Naze::in_memory();
    let mut body = String::new();
    for place in 0..288_i32 {
        let at = ago(TimeDelta::minutes(5) * (288 - place)).to_string();
        let value = 100 + place;
        let told = json!({"metric": "queue_depth", "component": "orders", "value": value, "occurredAt": at});
        writeln!(body, "{told}").unwrap();
    }
    assert_eq!(naze.post("/v1/measurements", "application/x-ndjson", body).status, 201);
    let component = naze.get("/v1/components/orders").json();
    let trend = &component["series"]["items"][0]["trend"];
    let directions = ["1h", "24h"].map(|window| trend[window]["direction"].as_str().unwrap());
    // 12 in 380 within the hour matter to nobody; the day doubles and more.
    assert_eq!(directions, ["stable", "degrading"], "{trend}");
    let whole = naze.get("/v1/trends/queue_depth").json();
    assert_eq!(whole["trends"][0]["trend"]["question"]["interval"], 300.0);
}

#[test]
fn the_interval_is_that_of_the_last_points() {
    let point = |at: Timestamp| Point { time: at, value: 1.0 };
    let hours = (0..720).rev().map(|hour| point(ago(TimeDelta::weeks(52) + TimeDelta::hours(hour))));
    let minutes = (0..120).rev().map(|minute| point(ago(TimeDelta::minutes(minute))));
    let points: Vec<Point> = hours.chain(minutes).collect();
    assert_eq!(interval(&points), TimeDelta::minutes(1), "though most points are an hour apart");
    assert_eq!(interval(&points[..720]), TimeDelta::hours(1));
    assert_eq!((interval(&points[..1]), interval(&[])), (TimeDelta::minutes(1), TimeDelta::minutes(1)));
}
