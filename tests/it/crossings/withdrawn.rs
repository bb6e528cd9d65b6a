//! A crossing ends when what it crossed is not watched for any more, and says so.

use axum::body::Body;
use axum::http::Request;
use naze::config::Config;

use super::{configured, crossings, feed, told, watch};
use crate::common::Naze;

const LIMIT: &str = "[[thresholds]]\nmetric = \"queue_depth\"\nwarning = \"> 100\"\n";

fn config(thresholds: &str) -> Config {
    configured(&format!("default_thresholds = false\n{thresholds}\n[learned]\nenabled = false\n"))
}

fn deep(naze: &Naze) {
    feed(naze, "queue_depth", (-20..-10).map(|minutes| (minutes, 150.0)));
    watch(naze, -10);
    assert_eq!(told(naze), ["-20 warning up 150"]);
}

#[track_caller]
fn is_withdrawn(naze: &Naze, minutes: i64) {
    watch(naze, minutes);
    watch(naze, minutes + 1);
    assert_eq!(told(naze), ["-20 warning up 150".to_owned(), format!("{minutes} withdrawn up 150")]);
    let all = crossings(naze);
    assert_eq!(all[0].text("reference"), all[1].text("reference"), "they are one excursion");
    assert_eq!(all[0].text("rule"), all[1].text("rule"));
    assert_eq!(all[1].number("threshold"), Some(100.0));
    let shown = naze.get("/v1/thresholds?metric=queue_depth").json();
    assert_eq!(shown["series"][0]["beyond"], serde_json::json!([]), "{shown}");
}

#[test]
fn by_a_reload_though_no_value_comes_any_more() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("naze.toml");
    std::fs::write(&path, format!("default_thresholds = false\n{LIMIT}\n[learned]\nenabled = false\n")).unwrap();
    let naze = Naze::with(Config::read(&path).unwrap());
    deep(&naze);
    watch(&naze, -9);
    assert_eq!(told(&naze).len(), 1, "silence is no end");
    std::fs::write(&path, "default_thresholds = false\n[learned]\nenabled = false\n").unwrap();
    naze.engine.reload().unwrap();
    is_withdrawn(&naze, 5);
}

#[test]
fn by_taking_back_what_was_declared() {
    let naze = Naze::with(config(""));
    let declared = r#"{"metric": "queue_depth", "warning": "> 100"}"#;
    let put = Request::put("/v1/thresholds/depth").body(Body::from(declared)).unwrap();
    assert_eq!(naze.send(put).status, 201);
    deep(&naze);
    let delete = Request::delete("/v1/thresholds/depth").body(Body::empty()).unwrap();
    assert_eq!(naze.send(delete).status, 204);
    is_withdrawn(&naze, 4);
}

#[test]
fn by_another_that_goes_before_it() {
    let naze = Naze::with(config(LIMIT));
    deep(&naze);
    let other = r#"{"metric": "queue_depth", "warning": "> 140"}"#;
    let put = Request::put("/v1/thresholds/depth").body(Body::from(other)).unwrap();
    assert_eq!(naze.send(put).status, 201);
    is_withdrawn(&naze, 2);
    feed(&naze, "queue_depth", (-10..-4).map(|minutes| (minutes, 160.0)));
    watch(&naze, 4);
    assert_eq!(told(&naze)[1..], ["-10 warning up 160", "2 withdrawn up 150"], "the other one counts from then on");
}

#[test]
fn by_a_restart_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let with = |thresholds: &str| Config { data: Some(folder.path().to_owned()), ..config(thresholds) };
    deep(&Naze::with(with(LIMIT)));
    {
        let naze = Naze::with(with(LIMIT));
        watch(&naze, -7);
        assert_eq!(told(&naze).len(), 1, "with it nothing ends");
    }
    is_withdrawn(&Naze::with(with("")), 6);
    let naze = Naze::with(with(""));
    watch(&naze, 9);
    assert_eq!(told(&naze).len(), 2, "it is told once");
}

#[test]
fn what_is_learned_ends_with_the_learning() {
    let folder = tempfile::tempdir().unwrap();
    let with = |enabled: bool| {
        let mut config = Config::with_data(folder.path());
        config.learned.enabled = enabled;
        config
    };
    let naze = Naze::with(with(true));
    feed(&naze, "sessions", (-200..0).map(|minutes| (minutes, if minutes < -20 { 100.0 } else { 300.0 })));
    watch(&naze, 0);
    assert_eq!(told(&naze), ["-20 crossed up 300"]);
    drop(naze);
    let naze = Naze::with(with(false));
    watch(&naze, 3);
    assert_eq!(told(&naze), ["-20 crossed up 300", "3 withdrawn up 300"]);
    let all = crossings(&naze);
    assert_eq!(all[0].text("reference"), all[1].text("reference"));
}
