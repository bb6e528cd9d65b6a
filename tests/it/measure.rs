//! Samples in, series out: nothing is lost, nothing counts twice, and sums of parts are the sums of the whole.
#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::float_cmp,
    reason = "small counts, as numbers"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::TimeDelta;
use naze::clock::{Clock, Timestamp};
use naze::config::Config;
use naze::engine::Engine;
use naze::measure::rollup::Rollup;
use naze::measure::sketch::Sketch;
use naze::measure::store::Tier;
use naze::measure::{Kind, Point, Samples, Series};
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::common::{LOOPBACK, NOW, Naze, Reply, serve};

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn post(naze: &Naze, media_type: &str, body: &str) -> Reply {
    naze.post("/v1/measurements", media_type, body.to_owned())
}

/// The points of the only series that a path of `/v1/series` shows.
#[track_caller]
fn points(naze: &Naze, path: &str) -> Json {
    let reply = naze.get(&format!("/v1/series/{path}"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    let json = reply.json();
    assert_eq!(json["series"].as_array().unwrap().len(), 1, "{json}");
    json["series"][0]["points"].clone()
}

#[test]
fn measurements_in_json_are_read_back_by_the_minute() {
    let naze = Naze::in_memory();
    let told = |second: &str, value: f64| {
        json!({"metric": "queue_depth", "component": "orders", "value": value, "unit": "1", "labels": {"queue": "in"},
            "occurredAt": format!("2026-03-10T11:{second}Z")})
    };
    let body = json!([told("50:00", 10.0), told("50:30", 30.0), told("51:10", 5.0)]);
    let reply = post(&naze, "application/json", &body.to_string());
    assert_eq!((reply.status.as_u16(), reply.json()), (201, json!({"recorded": 3, "refused": 0, "problems": []})));
    let stat = |stat: &str| points(&naze, &format!("queue_depth?component=orders&label.queue=in&step=1m&stat={stat}"));
    let line = |first: f64, second: f64| json!([["2026-03-10T11:50:00Z", first], ["2026-03-10T11:51:00Z", second]]);
    assert_eq!(stat("mean"), line(20.0, 5.0));
    assert_eq!(stat("max"), line(30.0, 5.0));
    assert_eq!(stat("last"), line(30.0, 5.0));
    assert_eq!(stat("count"), line(2.0, 1.0));
    assert_eq!(points(&naze, "queue_depth?step=5m&stat=sum"), json!([["2026-03-10T11:50:00Z", 45.0]]));
    let known = naze.get("/v1/series?component=orders").json();
    assert_eq!(
        known["series"],
        json!([{"metric": "queue_depth", "component": "orders", "kind": "gauge", "unit": "1", "labels": {"queue": "in"},
            "stalledSince": null}])
    );
    let csv = naze.get_as("/v1/series/queue_depth?step=5m", "text/csv").text();
    assert_eq!(
        csv,
        "time,component,metric,value,unit,labels\n2026-03-10T11:50:00Z,orders,queue_depth,15,1,\"{\"\"queue\"\":\"\"in\"\"}\"\n"
    );
    assert_eq!(naze.get("/v1/series/queue_depth?component=nobody").status, 404);
    assert_eq!(naze.get("/v1/series/queue_depth?step=5s").status, 400);
    assert_eq!(naze.get("/v1/series/queue_depth?stat=median").status, 400);
    assert_eq!(naze.get("/v1/series/queue_depth?colour=red").status, 400);
}

#[test]
fn every_format_tells_the_same() {
    let csv = "time,component,metric,value,unit,queue\n2026-03-10T11:50:00Z,orders,queue_depth,10,1,in\n";
    let lines = "{\"metric\":\"queue_depth\",\"component\":\"orders\",\"value\":10,\"unit\":\"1\",\"labels\":{\"queue\":\"in\"},\"occurredAt\":\"2026-03-10T11:50:00Z\"}\n\n";
    let old = "# TYPE queue_depth gauge\nqueue_depth{queue=\"in\",component=\"orders\"} 10 1773143400000\n";
    let open = "# TYPE queue_depth gauge\n# UNIT queue_depth 1\nqueue_depth{component=\"orders\",queue=\"in\"} 10 1773143400.0 # {a=\"b\"} 3\n# EOF\n";
    for (media_type, body) in [
        ("text/csv", csv),
        ("application/x-ndjson", lines),
        ("text/plain; version=0.0.4", old),
        ("application/openmetrics-text; version=1.0.0", open),
    ] {
        let naze = Naze::in_memory();
        let reply = post(&naze, media_type, body);
        assert_eq!(reply.status, 201, "{media_type}: {}", reply.text());
        let shown = naze.get("/v1/series/queue_depth?step=1m").json();
        let series = &shown["series"][0];
        assert_eq!(
            (&series["component"], &series["labels"], &series["points"]),
            (&json!("orders"), &json!({"queue": "in"}), &json!([["2026-03-10T11:50:00Z", 10.0]])),
            "{media_type}"
        );
    }
}

#[test]
fn counters_give_rates_over_restarts_and_names_tell_them() {
    let naze = Naze::in_memory();
    let text = "http_requests_total{service=\"web\"} 100 1773143400000\n\
        http_requests_total{service=\"web\"} 160 1773143460000\n\
        http_requests_total{service=\"web\"} 30 1773143520000\n\
        http_requests_total{service=\"web\"} NaN 1773143530000\n";
    assert_eq!(post(&naze, "text/plain", text).json()["recorded"], 3);
    let minutes = ["2026-03-10T11:50:00Z", "2026-03-10T11:51:00Z", "2026-03-10T11:52:00Z"];
    let increases = points(&naze, "http_requests_total?step=1m&stat=increase");
    assert_eq!(increases, json!([[minutes[0], 0.0], [minutes[1], 60.0], [minutes[2], 30.0]]));
    let rates = points(&naze, "http_requests_total?step=1m");
    assert_eq!(rates, json!([[minutes[1], 1.0], [minutes[2], 0.5]]), "a rate, unless asked otherwise");
}

#[test]
fn a_counter_that_is_read_seldom_has_the_rate_of_one_that_is_read_often() {
    let naze = Naze::in_memory();
    let text = "jobs_total{service=\"seldom\"} 0 1773143400000\njobs_total{service=\"seldom\"} 600 1773143700000\n\
        jobs_total{service=\"often\"} 0 1773143400000\njobs_total{service=\"often\"} 120 1773143460000\n";
    assert_eq!(post(&naze, "text/plain", text).json()["recorded"], 4);
    assert_eq!(points(&naze, "jobs_total?component=seldom&step=1m"), json!([["2026-03-10T11:55:00Z", 2.0]]));
    assert_eq!(points(&naze, "jobs_total?component=often&step=1m"), json!([["2026-03-10T11:51:00Z", 2.0]]));
}

#[test]
fn a_step_of_many_months_tells_all_of_them() {
    let naze = Naze::in_memory();
    let mut text = String::new();
    // Every other day for 120 days, a counter by 10 and a gauge by one.
    for read in 0..61 {
        let day = at("2026-03-10T11:00:00Z").checked_add(TimeDelta::days(2 * (read - 60))).unwrap();
        let millis = day.micros() / 1_000;
        writeln!(text, "jobs_total{{service=\"web\"}} {} {millis}", 500 + 10 * read).unwrap();
        writeln!(text, "depth{{service=\"web\"}} {read} {millis}").unwrap();
    }
    assert_eq!(post(&naze, "text/plain", &text).json()["recorded"], 122);
    let whole = |metric: &str, stat: &str| {
        points(&naze, &format!("{metric}?from=2025-11-01T00:00:00Z&to=2026-03-10T12:00:00Z&step=365d&stat={stat}"))
    };
    for (metric, stat, value) in [
        ("jobs_total", "increase", 600.0),
        ("jobs_total", "last", 1_100.0),
        ("jobs_total", "rate", 600.0 / (120.0 * 86_400.0)),
        ("depth", "last", 60.0),
        ("depth", "count", 61.0),
    ] {
        assert_eq!(whole(metric, stat), json!([["2025-11-01T00:00:00Z", value]]), "{stat} of {metric}");
    }
}

#[test]
fn the_minute_that_is_not_over_has_no_rate_yet() {
    let naze = Naze::in_memory();
    let told = |time: &str| {
        json!({"metric": "tasks", "component": "orders", "kind": "delta", "value": 60.0,
            "occurredAt": format!("2026-03-10T11:{time}Z")})
    };
    post(&naze, "application/json", &json!([told("50:10"), told("51:10"), told("52:01")]).to_string());
    let rates = |to: &str, step: &str| {
        points(&naze, &format!("tasks?from=2026-03-10T11:50:00Z&to=2026-03-10T11:{to}Z&step={step}"))
    };
    let line = |values: &[f64]| {
        let minutes = (50..).zip(values).map(|(minute, value)| json!([format!("2026-03-10T11:{minute}:00Z"), value]));
        Json::Array(minutes.collect())
    };
    assert_eq!(rates("53:00", "1m"), line(&[1.0, 1.0, 1.0]));
    assert_eq!(rates("52:05", "1m"), line(&[1.0, 1.0]));
    assert_eq!(rates("52:05", "10m"), line(&[1.0]), "120 in two minutes");
    // The steps begin within a minute: 11:50:01, and 11:51:01 with one whole minute, 11:52.
    let apart = points(&naze, "tasks?from=2026-03-10T11:49:01Z&to=2026-03-10T11:53:30Z&step=2m");
    assert_eq!(apart, json!([["2026-03-10T11:49:01Z", 1.0], ["2026-03-10T11:51:01Z", 1.0]]));
    let current = |at: &str| {
        let trend = naze.get(&format!("/v1/trends/tasks?at=2026-03-10T11:{at}Z")).json();
        trend["trends"][0]["trend"]["windows"][0]["summary"]["current"].as_f64()
    };
    assert_eq!(current("52:05"), Some(1.0));
}

#[test]
fn a_window_in_the_future_is_empty() {
    let naze = Naze::in_memory();
    post(&naze, "application/json", r#"{"metric": "depth", "component": "orders", "value": 1}"#);
    naze.engine.examine(at(NOW)).unwrap();
    for path in ["depth?from=%2B2d&to=%2B3d", "depth?from=2026-05-01T00:00:00Z&to=2026-05-02T00:00:00Z"] {
        assert_eq!(points(&naze, path), json!([]), "{path}");
    }
    let trend = naze.get("/v1/trends/depth?at=2026-12-01T00:00:00Z");
    assert_eq!(trend.status, 200, "{}", trend.text());
    let windows = trend.json()["trends"][0]["trend"]["windows"].as_array().unwrap().clone();
    assert!(windows.iter().all(|window| window["summary"].is_null()), "{windows:?}");
}

#[test]
fn what_cannot_be_read_is_named_and_costs_nothing_else() {
    let naze = Naze::in_memory();
    let refused = |media_type: &str, body: &str| {
        let json = post(&naze, media_type, body).json();
        (
            json["recorded"].as_u64(),
            json["refused"].as_u64(),
            json["problems"][0].as_str().unwrap_or_default().to_owned(),
        )
    };
    let good = json!({"metric": "m", "value": 1});
    let mixed = json!([good, {"metric": "m", "value": "high"}]);
    assert_eq!(
        refused("application/json", &mixed.to_string()),
        (Some(1), Some(1), "[1].value: value must be a number".to_owned())
    );
    let cases = [
        ("application/json", "{\"metric\": \"m\"}", "needs a value"),
        ("application/json", "{\"value\": 1}", "needs a metric"),
        ("application/json", "{\"metric\": \"m\", \"value\": 1, \"occuredAt\": \"x\"}", "no such member"),
        ("application/json", "{\"metric\": \"m\", \"value\": 1, \"occurredAt\": \"yesterday\"}", "must be a time"),
        ("application/json", "{\"metric\": \"m\", \"value\": 1, \"kind\": \"guage\"}", "kind must be"),
        (
            "application/json",
            "{\"metric\": \"m\", \"value\": 1, \"occurredAt\": \"2026-03-10T14:00:00Z\"}",
            "not before",
        ),
        ("text/csv", "time,metric,value\nnow,m,1\n", "line 2.time"),
        ("text/plain", "m{a=\"b} 1\n", "does not end"),
        ("text/plain", "m one\n", "not a number"),
        ("application/x-ndjson", "{\"metric\": \n", "not JSON"),
    ];
    for (media_type, body, named) in cases {
        let reply = post(&naze, media_type, body);
        assert_eq!(reply.status, 422, "{body}: {}", reply.text());
        assert!(reply.text().contains(named), "{body}: {}", reply.text());
    }
    assert_eq!(post(&naze, "application/json", "3").status, 400);
    assert_eq!(post(&naze, "text/csv", "a,b\n1,2\n").status, 400);
    assert_eq!(post(&naze, "image/png", "x").status, 400);
}

#[test]
fn a_batch_sent_again_counts_once() {
    let naze = Naze::in_memory();
    let body = json!({"metric": "m", "component": "a", "value": 5, "occurredAt": "2026-03-10T11:50:00Z"}).to_string();
    for _ in 0..3 {
        assert_eq!(post(&naze, "application/json", &body).status, 201);
    }
    assert_eq!(points(&naze, "m?stat=count&step=1m"), json!([["2026-03-10T11:50:00Z", 1.0]]));
}

#[test]
fn too_many_values_of_a_label_become_other_and_counters_are_refused() {
    let mut config = Config::in_memory();
    config.measure.label_values_max = 3;
    config.measure.series_max = 6;
    let naze = Naze::with(config);
    let sample = |metric: &str, user: usize, kind: &str| {
        json!({"metric": metric, "component": "a", "value": 1, "kind": kind, "labels": {"user": user.to_string()},
            "occurredAt": "2026-03-10T11:50:00Z"})
    };
    let gauges: Vec<Json> = (0..10).map(|user| sample("level", user, "gauge")).collect();
    assert_eq!(post(&naze, "application/json", &json!(gauges).to_string()).json()["recorded"], 10);
    let users: Vec<String> = naze.get("/v1/series?metric=level").json()["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|series| series["labels"]["user"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(users, ["0", "1", "2", "other"]);
    assert_eq!(points(&naze, "level?label.user=other&stat=count&step=1m"), json!([["2026-03-10T11:50:00Z", 7.0]]));
    let counters: Vec<Json> = (0..10).map(|user| sample("requests_total", user, "counter")).collect();
    let reply = post(&naze, "application/json", &json!(counters).to_string());
    assert_eq!(
        (reply.status.as_u16(), &reply.json()["recorded"], &reply.json()["refused"]),
        (207, &json!(2), &json!(8))
    );
    assert!(reply.text().contains("no room for another series of requests_total"), "{}", reply.text());
}

#[test]
fn rules_drop_and_rename_series() {
    let rules = r#"
        [[measure.relabel]]
        source_labels = ["__name__"]
        regex = "go_.*|process_.*"
        action = "drop"
        [[measure.relabel]]
        regex = "replica|pod"
        action = "labeldrop"
        [[measure.relabel]]
        source_labels = ["namespace", "app"]
        separator = "/"
        regex = "(.+)/(.+)"
        target_label = "component"
        replacement = "$2.$1"
        action = "replace"
    "#;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("naze.toml");
    std::fs::write(&file, rules).unwrap();
    let naze = Naze::with(Config::read(&file).unwrap());
    let text = "go_threads 8\nup{namespace=\"shop\",app=\"cart\",replica=\"a\"} 1\n";
    assert_eq!(post(&naze, "text/plain", text).json()["recorded"], 1);
    let known = naze.get("/v1/series").json();
    let series = &known["series"];
    assert_eq!(series.as_array().unwrap().len(), 1);
    assert_eq!(
        (&series[0]["component"], &series[0]["labels"]),
        (&json!("cart.shop"), &json!({"namespace": "shop", "app": "cart"}))
    );
    std::fs::write(&file, "[[measure.relabel]]\nregex = \"(\"\naction = \"drop\"\n").unwrap();
    let error = Config::read(&file).unwrap_err().to_string();
    assert!(error.contains("regex"), "{error}");
}

fn series(kind: Kind) -> Series {
    Series { metric: "m".to_owned(), component: "a".to_owned(), kind, labels: BTreeMap::new() }
}

/// A naze whose clock stands at `now`, over what lies in `folder`.
fn engine(folder: &std::path::Path, now: &str) -> std::sync::Arc<Engine> {
    Engine::open(Config::with_data(folder), Clock::Fixed(at(now))).unwrap()
}

#[test]
fn old_minutes_become_hours_that_say_the_same_and_a_restart_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let points: Vec<Point> = (0..180)
        .map(|n| Point::once(at("2026-01-01T00:00:20Z").checked_add(chrono::TimeDelta::minutes(n)).unwrap(), n as f64))
        .collect();
    let kinds = [Kind::Gauge, Kind::Counter];
    {
        let young = engine(folder.path(), "2026-01-01T04:00:00Z");
        let samples = kinds.map(|kind| Samples { series: series(kind), unit: None, points: points.clone() });
        assert_eq!(young.measure("test", samples.to_vec()).unwrap().recorded, 360);
    }
    let window = at("2026-01-01T00:00:00Z")..at("2026-01-01T04:00:00Z");
    {
        let same = engine(folder.path(), "2026-01-01T05:00:00Z");
        let (number, known) = same.series(|series| series.kind == Kind::Gauge).remove(0);
        let slots = same.slots(number, window.clone()).unwrap();
        assert_eq!((known.series.metric.as_str(), slots.len(), slots[0].tier), ("m", 180, Tier::Minute));
    }
    let hours = {
        let later = engine(folder.path(), "2026-03-10T12:00:00Z");
        let number = |kind: Kind| later.series(|series| series.kind == kind)[0].0;
        // Whoever asks next waits until the recorder has done what was due at its start.
        let late = Samples {
            series: series(Kind::Delta),
            unit: None,
            points: vec![Point::once(at("2026-01-01T00:10:00Z"), 1.0)],
        };
        later.measure("test", vec![late]).unwrap();
        later
            .measure(
                "test",
                vec![Samples {
                    series: series(Kind::Delta),
                    unit: None,
                    points: vec![Point::once(at("2026-01-01T00:10:01Z"), 1.0)],
                }],
            )
            .unwrap();
        kinds.map(|kind| later.slots(number(kind), window.clone()).unwrap())
    };
    for slots in &hours {
        assert_eq!(
            slots.iter().map(|slot| (slot.tier, slot.start)).collect::<Vec<_>>(),
            [0, 1, 2].map(|hour| (Tier::Hour, at(&format!("2026-01-01T0{hour}:00:00Z"))))
        );
    }
    let Rollup::Values(second) = &hours[0][1].rollup else { panic!("a gauge has values") };
    assert_eq!((second.count, second.min, second.max, second.last), (60, 60.0, 119.0, 119.0));
    assert!((second.sum - f64::from((60..120).sum::<i32>())).abs() < 1e-9);
    assert!((second.quantile(0.5) - 89.0).abs() <= 0.9, "{}", second.quantile(0.5));
    let Rollup::Total(second) = &hours[1][1].rollup else { panic!("a counter has a total") };
    assert_eq!((second.first, second.last, second.increase), (60.0, 119.0, 59.0));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn quantiles_are_right_to_one_percent(values in prop::collection::vec(-1e6_f64..1e6, 1..300), share in 0.0_f64..=1.0) {
        let mut sorted = values.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = ((share * sorted.len() as f64).ceil() as usize).max(1);
        let exact = sorted[rank - 1];
        let (left, right) = values.split_at(values.len() / 2);
        let sketch = |values: &[f64]| {
            let mut sketch = Sketch::default();
            values.iter().for_each(|value| sketch.add(*value, 1));
            sketch
        };
        let mut merged = sketch(left);
        merged.merge(&sketch(right));
        let told = merged.quantile(share).unwrap();
        prop_assert!((told - exact).abs() <= exact.abs() * 0.010_000_1, "{told} for {exact}");
    }

    #[test]
    fn the_order_of_merging_does_not_matter(values in prop::collection::vec(0_u32..1_000, 2..30), shuffled in any::<prop::sample::Index>()) {
        let point = |value: f64| Point { at: at(NOW), value, count: 1 };
        for kind in [Kind::Gauge, Kind::Counter] {
            // A counter's readings rise, and each comes with its time.
            let mut total = 0.0;
            let rollups: Vec<Rollup> = (0..).zip(&values).map(|(place, value)| {
                total += f64::from(*value);
                let value = if kind == Kind::Counter { total } else { f64::from(*value) };
                Rollup::of(kind, &point(value), place * 1_000)
            }).collect();
            let merged = |order: &[usize]| {
                let mut whole = rollups[order[0]].clone();
                order[1..].iter().for_each(|place| whole.merge(&rollups[*place], 0));
                whole
            };
            let forwards: Vec<usize> = (0..rollups.len()).collect();
            let mut other = forwards.clone();
            other.rotate_left(shuffled.index(rollups.len()));
            let (one, two) = (merged(&forwards), merged(&other));
            if let (Rollup::Total(one), Rollup::Total(two)) = (&one, &two) {
                prop_assert_eq!((one.first, one.last, one.increase), (two.first, two.last, two.increase));
            } else {
                prop_assert_eq!(&one, &two);
            }
        }
    }
}

#[test]
fn a_kill_loses_no_acknowledged_sample() {
    let folder = tempfile::tempdir().unwrap();
    let http = reqwest::blocking::Client::new();
    let now = chrono::Utc::now().timestamp_millis();
    let mut acknowledged = 0_u64;
    for round in 0..3 {
        let (mut naze, url) = serve(folder.path(), LOOPBACK);
        for number in 0..(5 + round * 7) {
            let body: String = (0..500)
                .map(|n| {
                    format!(
                        "kills{{component=\"c{}\"}} {n} {}\n",
                        n % 50,
                        now - i64::from(round * 100_000 + number * 1_000 + n)
                    )
                })
                .collect();
            let sent = http.post(format!("{url}/v1/measurements")).header("content-type", "text/plain").body(body);
            assert_eq!(sent.send().unwrap().status(), 201);
            acknowledged += 500;
        }
        naze.kill();
    }
    let (_naze, url) = serve(folder.path(), LOOPBACK);
    let reply = reqwest::blocking::get(format!("{url}/v1/series/kills?from=-1h&to=%2B1h&step=3h&stat=count")).unwrap();
    let json: Json = serde_json::from_slice(&reply.bytes().unwrap()).unwrap();
    let counts = json["series"].as_array().unwrap().iter().flat_map(|series| series["points"].as_array().unwrap());
    let total: f64 = counts.map(|point| point[1].as_f64().unwrap()).sum();
    assert_eq!(total, acknowledged as f64);
}

#[test]
fn files_are_imported_and_shown_on_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let file = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
        folder.path().join(name).display().to_string()
    };
    let naze = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_naze"))
            .args(["--data", &data])
            .args(arguments)
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    };
    let csv = file(
        "m.csv",
        "time,component,metric,value,unit\n2026-03-10T11:50:00Z,orders,depth,10,1\n2026-03-10T11:50:30Z,orders,depth,x,1\n",
    );
    let (code, text) = naze(&["import", &csv]);
    assert_eq!(code, Some(3));
    assert_eq!(text, "1 recorded, 0 duplicate, 1 refused\nrefused: line 3.value: value must be a number\n");
    let prom = file("m.prom", "depth{component=\"cart\"} 3 1773143400000\n");
    assert_eq!(naze(&["import", &prom]).1, "1 recorded, 0 duplicate, 0 refused\n");
    let (code, text) = naze(&[
        "--format",
        "csv",
        "series",
        "depth",
        "from=2026-03-10T11:00:00Z",
        "to=2026-03-10T12:00:00Z",
        "step=1m",
    ]);
    assert_eq!(code, Some(0));
    assert_eq!(
        text,
        "time,component,metric,value,unit,labels\n2026-03-10T11:00:00Z,orders,depth,10,1,{}\n2026-03-10T11:00:00Z,cart,depth,3,,{}\n",
        "what is that old is kept by the hour"
    );
    let (_, listed) = naze(&["series", "component=cart"]);
    assert!(listed.contains("depth") && !listed.contains("orders"), "{listed}");
}

#[test]
fn a_trend_is_told_of_each_window_and_ends_where_it_is_asked() {
    let naze = Naze::in_memory();
    // Two days of a latency that climbs by a hundredth of itself an hour, then a day of rest at the top.
    let rows: String = (0..3 * 1_440)
        .map(|minute| {
            let time = at("2026-03-07T12:00:00Z").checked_add(chrono::TimeDelta::minutes(minute)).unwrap();
            let climbed = f64::from(u32::try_from(minute).unwrap().min(2_880)) / 60.0;
            format!(
                "{time},cart,latency,{},ms\n",
                100.0 + climbed + f64::from(u32::try_from(minute % 7).unwrap()) * 0.1
            )
        })
        .collect();
    let body = format!("time,component,metric,value,unit\n{rows}");
    assert_eq!(post(&naze, "text/csv", &body).json()["recorded"], 4_320);
    let verdicts = |query: &str| {
        let reply = naze.get(&format!("/v1/trends/latency?component=cart{query}"));
        assert_eq!(reply.status, 200, "{}", reply.text());
        let windows = reply.json()["trends"][0]["trend"]["windows"].clone();
        let verdict = |window: &Json| {
            (window["window"].as_str().unwrap().to_owned(), window["verdict"]["direction"].as_str().unwrap().to_owned())
        };
        windows.as_array().unwrap().iter().map(verdict).collect::<BTreeMap<String, String>>()
    };
    let rising = verdicts("&polarity=lower&at=2026-03-09T12:00:00Z");
    assert_eq!(rising["24h"], "degrading", "{rising:?}");
    assert_eq!(verdicts("&polarity=higher&at=2026-03-09T12:00:00Z")["24h"], "improving");
    assert_eq!(verdicts("&at=2026-03-09T12:00:00Z")["24h"], "rising");
    assert_eq!(verdicts("&polarity=lower")["24h"], "stable", "the last day rests");
    assert_eq!(verdicts("&at=2026-03-07T12:00:30Z")["24h"], "not_enough_data");
    for (query, named) in [("?polarity=up", "polarity"), ("?threshold=high", "threshold"), ("?horizon=long", "horizon")]
    {
        let reply = naze.get(&format!("/v1/trends/latency{query}"));
        assert_eq!(reply.status, 400);
        assert!(reply.text().contains(named), "{}", reply.text());
    }
    assert_eq!(naze.get("/v1/trends/nothing").status, 404);
}
