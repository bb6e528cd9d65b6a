//! Data that stalls: told of each series that is shown, and as a crossing of its component; never because naze was away.

use std::fmt::Write as _;
use std::path::Path;

use chrono::TimeDelta;
use naze::clock::Timestamp;
use naze::config::Config;
use naze::record::Window;
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze};

/// Minutes from [`NOW`].
fn at(minutes: i64) -> Timestamp {
    NOW.parse::<Timestamp>().unwrap().checked_add(TimeDelta::minutes(minutes)).unwrap()
}

fn open(folder: &Path) -> Naze {
    let mut config = Config::with_data(folder);
    config.learned.enabled = false;
    Naze::with(config)
}

fn feed(naze: &Naze, component: &str, minutes: impl Iterator<Item = i64>) {
    let mut csv = "time,component,metric,value\n".to_owned();
    minutes.for_each(|minutes| writeln!(csv, "{},{component},queue_depth,5", at(minutes)).unwrap());
    let reply = naze.post("/v1/measurements", "text/csv", csv);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// naze runs in these minutes, and looks at series as `naze serve` does.
fn run(naze: &Naze, minutes: impl IntoIterator<Item = i64>) {
    for minutes in minutes {
        naze.engine.examine(at(minutes)).unwrap();
        while naze.engine.watch_series(at(minutes).checked_add(TimeDelta::seconds(30)).unwrap()).unwrap() {}
    }
}

fn series(naze: &Naze, component: &str) -> Json {
    let listed = naze.get(&format!("/v1/series?metric=queue_depth&component={component}")).json();
    listed["series"][0].clone()
}

/// Each crossing as `<minutes from NOW> <component> <turn> <value>`.
fn crossings(naze: &Naze) -> Vec<String> {
    let all = naze.engine.index().of_kind("crossing", Window::ALL).unwrap();
    let tell = |recorded: &naze::record::Recorded| {
        let receipt = &recorded.receipt;
        assert_eq!(receipt.text("metric"), Some("naze_sample_age_seconds"));
        let minutes = receipt.occurred_at().unwrap().since(at(0)).num_minutes();
        let turn = receipt.text("status").or(receipt.text("severity")).unwrap();
        format!("{minutes} {} {turn} {}", receipt.component().unwrap(), receipt.number("value").unwrap())
    };
    all.iter().map(tell).collect()
}

#[test]
fn a_regular_series_without_a_value_for_five_minutes_is_stalled() {
    let folder = tempfile::tempdir().unwrap();
    let naze = open(folder.path());
    feed(&naze, "orders", -60..-20);
    feed(&naze, "billing", -60..-4);
    // Every ten minutes, and too few to tell.
    feed(&naze, "nightly", (-60..-20).step_by(10));
    feed(&naze, "new", -30..-25);
    assert_eq!(series(&naze, "orders")["stalledSince"], Json::Null, "naze does not run, so it cannot know");
    run(&naze, -60..1);
    assert_eq!(series(&naze, "orders")["stalledSince"], json!(at(-21)));
    for component in ["billing", "nightly", "new"] {
        assert_eq!(series(&naze, component)["stalledSince"], Json::Null, "{component}");
    }
    feed(&naze, "orders", -2..0);
    assert_eq!(series(&naze, "orders")["stalledSince"], Json::Null, "it is back");
    let shown = naze.get(&format!("/v1/series/queue_depth?component=orders&from={}", at(-60))).json();
    assert_eq!(shown["series"][0]["gaps"], json!([{"from": at(-21), "to": at(-2), "nazeDown": false}]), "{shown}");
    let trend = naze.get("/v1/trends/queue_depth?component=orders").json();
    assert_eq!(trend["trends"][0]["gaps"], shown["series"][0]["gaps"], "{trend}");
}

#[test]
fn a_window_from_the_first_year_on_tells_the_same_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let naze = open(folder.path());
    feed(&naze, "orders", -60..-20);
    run(&naze, -60..1);
    for from in ["0001-01-01T00:00:00Z", "1970-01-01T00:00:00Z", &at(-60).to_string()] {
        let shown = naze.get(&format!("/v1/series/queue_depth?from={from}&step=365d&stat=count")).json();
        let points = shown["series"][0]["points"].as_array().unwrap();
        let counts: Vec<&Json> = points.iter().map(|point| &point[1]).collect();
        assert_eq!(counts, [&json!(40.0)], "{shown}");
        assert_eq!(shown["series"][0]["gaps"], json!([{"from": at(-21), "to": null, "nazeDown": false}]), "{shown}");
    }
}

#[test]
fn pages_and_trends_say_it_in_a_word() {
    let folder = tempfile::tempdir().unwrap();
    let naze = open(folder.path());
    feed(&naze, "orders", -60..-20);
    run(&naze, -60..1);
    let page = naze.get("/trends?metric=queue_depth").text();
    assert!(page.contains("figure class=\"stalled\"") && page.contains(">stalled<"), "{page}");
    let trend = naze.get("/v1/trends/queue_depth").json();
    assert_eq!(trend["trends"][0]["stalledSince"], json!(at(-21)), "{trend}");
    feed(&naze, "orders", -20..0);
    let page = naze.get("/trends?metric=queue_depth").text();
    assert!(!page.contains("stalled<"), "{page}");
}

#[test]
fn a_restart_of_naze_is_no_silence_of_what_it_hears() {
    let folder = tempfile::tempdir().unwrap();
    let naze = open(folder.path());
    feed(&naze, "orders", -60..-30);
    run(&naze, -60..-30);
    drop(naze);
    let naze = open(folder.path());
    run(&naze, -3..1);
    assert_eq!(series(&naze, "orders")["stalledSince"], Json::Null, "it has been listening for three minutes only");
    feed(&naze, "orders", -2..0);
    let shown = naze.get(&format!("/v1/series/queue_depth?from={}", at(-60))).json();
    assert_eq!(shown["series"][0]["gaps"], json!([{"from": at(-31), "to": at(-2), "nazeDown": true}]), "{shown}");
    assert_eq!(crossings(&naze), [""; 0]);
}

#[test]
fn a_component_that_tells_nothing_any_more_is_a_crossing_until_it_does() {
    let folder = tempfile::tempdir().unwrap();
    let naze = open(folder.path());
    for minutes in -60..-40 {
        feed(&naze, "orders", [minutes].into_iter());
        run(&naze, minutes..=minutes);
    }
    run(&naze, -40..-36);
    assert_eq!(crossings(&naze), [""; 0], "four and a half minutes");
    run(&naze, -36..-20);
    // The minute of the last sample ended at -40; the next look after five minutes is half a minute after -35.
    assert_eq!(crossings(&naze), ["-35 orders critical 330"]);
    feed(&naze, "orders", -20..-15);
    run(&naze, -15..-12);
    let told = crossings(&naze);
    assert_eq!((told.len(), told[1].starts_with("-15 orders recovered ")), (2, true), "{told:?}");
}

#[test]
fn what_fell_silent_stays_told_once_over_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let naze = open(folder.path());
    for minutes in -90..-70 {
        feed(&naze, "orders", [minutes].into_iter());
        feed(&naze, "billing", [minutes].into_iter());
        run(&naze, minutes..=minutes);
    }
    drop(naze);
    // Both are silent after the start, and one comes back.
    let naze = open(folder.path());
    run(&naze, -60..-40);
    assert_eq!(crossings(&naze).len(), 2, "{:?}", crossings(&naze));
    drop(naze);
    let naze = open(folder.path());
    feed(&naze, "orders", -32..-28);
    run(&naze, -30..0);
    let told = crossings(&naze);
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told[2].contains("orders recovered"), "{told:?}");
}

#[test]
fn history_that_is_imported_is_not_expected_to_go_on() {
    let folder = tempfile::tempdir().unwrap();
    let naze = open(folder.path());
    run(&naze, -30..-20);
    feed(&naze, "orders", -600..-200);
    run(&naze, -20..0);
    assert_eq!(crossings(&naze), [""; 0]);
}
