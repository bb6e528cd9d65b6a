//! Thresholds with further conditions: all of them have to hold at once.

use std::fmt::Write as _;

use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use naze::config::Config;
use naze::report::title_of;
use serde_json::json;

use super::{at, configured, crossings, told, watch};
use crate::common::Naze;

const BOTH: &str = r#"
    [[thresholds]]
    metric = "queue_depth"
    warning = "> 100"
    hysteresis = 10
    and = [{ metric = "latency_ms", statistic = "max", limit = "> 500", hysteresis = 50 }]
"#;

fn config(thresholds: &str) -> Config {
    configured(&format!("default_thresholds = false\n{thresholds}\n[learned]\nenabled = false\n"))
}

/// Values of a metric of a component and a queue, each by its minutes from now.
fn feed(naze: &Naze, metric: &str, [component, queue]: [&str; 2], values: impl IntoIterator<Item = (i64, f64)>) {
    let mut csv = "time,component,metric,value,queue\n".to_owned();
    for (minutes, value) in values {
        writeln!(csv, "{},{component},{metric},{value},{queue}", at(minutes)).unwrap();
    }
    let reply = naze.post("/v1/measurements", "text/csv", csv);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

const IN: [&str; 2] = ["orders", "in"];

#[test]
fn both_have_to_be_beyond_at_once_for_five_minutes() {
    let naze = Naze::with(config(BOTH));
    // Each of them alone for ten minutes, and together from -10 on.
    feed(&naze, "queue_depth", IN, (-40..-4).map(|minutes| (minutes, if minutes < -20 { 150.0 } else { 120.0 })));
    let latency = |minutes: i64| if minutes >= -10 { 650.0 } else { 200.0 };
    feed(&naze, "latency_ms", IN, (-40..-4).map(|minutes| (minutes, latency(minutes))));
    let second = |seconds: i64| at(-10).checked_add(TimeDelta::seconds(seconds)).unwrap();
    naze.engine.watch_series(second(4 * 60 + 59)).unwrap();
    assert!(told(&naze).is_empty(), "4:59 is pending: {:?}", told(&naze));
    // The fifth minute is over at 5:00, and looked at half a minute later.
    naze.engine.watch_series(second(5 * 60 + 30)).unwrap();
    assert_eq!(told(&naze), ["-10 warning up 120"]);
    let crossing = &crossings(&naze)[0];
    let conditions: Vec<&str> = crossing.texts("condition").collect();
    assert_eq!(conditions, ["max of latency_ms 650 (> 500)", "queue_depth 120 (> 100)"]);
    assert_eq!(
        title_of(crossing),
        "queue_depth crossed 100 upward: max of latency_ms 650 (> 500) and queue_depth 120 (> 100)"
    );
    assert_eq!(crossing.text("rule"), Some("queue_depth warning > 100 and max of latency_ms > 500 for 5m"));
}

#[test]
fn a_minute_in_which_one_does_not_hold_begins_the_time_anew() {
    let naze = Naze::with(config(BOTH));
    feed(&naze, "queue_depth", IN, (-20..-4).map(|minutes| (minutes, 150.0)));
    feed(&naze, "latency_ms", IN, (-20..-4).map(|minutes| (minutes, if minutes == -10 { 500.0 } else { 600.0 })));
    feed(&naze, "queue_depth", ["billing", "in"], (-20..-10).map(|minutes| (minutes, 150.0)));
    feed(&naze, "latency_ms", ["billing", "in"], (-16..-10).map(|minutes| (minutes, 600.0)));
    watch(&naze, 0);
    let told: Vec<_> =
        crossings(&naze).iter().map(|one| (one.component().unwrap().to_owned(), one.occurred_at().unwrap())).collect();
    assert_eq!(told, [("orders".to_owned(), at(-20)), ("billing".to_owned(), at(-16))]);

    let naze = Naze::with(config(BOTH));
    feed(&naze, "queue_depth", IN, (-9..0).map(|minutes| (minutes, 150.0)));
    feed(&naze, "latency_ms", IN, (-9..0).map(|minutes| (minutes, if minutes % 4 == 0 { 500.0 } else { 600.0 })));
    watch(&naze, 1);
    assert!(crossings(&naze).is_empty());
}

#[test]
fn it_is_over_when_one_of_them_is_back_by_its_own_hysteresis() {
    let naze = Naze::with(config(BOTH));
    feed(&naze, "queue_depth", IN, (-30..0).map(|minutes| (minutes, 150.0)));
    // 470 is no longer beyond, and not back by 50.
    let latency = |minutes: i64| match minutes {
        ..-20 => 600.0,
        -20..-10 => 470.0,
        _ => 450.0,
    };
    feed(&naze, "latency_ms", IN, (-30..0).map(|minutes| (minutes, latency(minutes))));
    watch(&naze, 1);
    assert_eq!(told(&naze), ["-30 warning up 150", "-10 recovered down 150"]);
    let over = &crossings(&naze)[1];
    assert_eq!(over.texts("condition").next(), Some("max of latency_ms 450 (> 500)"));

    let naze = Naze::with(config(BOTH));
    feed(&naze, "queue_depth", IN, (-30..0).map(|minutes| (minutes, if minutes < -10 { 150.0 } else { 90.0 })));
    feed(&naze, "latency_ms", IN, (-30..0).map(|minutes| (minutes, 600.0)));
    watch(&naze, 1);
    assert_eq!(told(&naze), ["-30 warning up 150", "-10 recovered down 90"]);
}

#[test]
fn a_condition_that_nobody_measures_neither_holds_nor_ends_anything() {
    let naze = Naze::with(config(BOTH));
    feed(&naze, "queue_depth", IN, (-60..-40).map(|minutes| (minutes, 150.0)));
    watch(&naze, -30);
    assert!(told(&naze).is_empty());
    feed(&naze, "queue_depth", IN, (-30..0).map(|minutes| (minutes, 150.0)));
    // Every three minutes, and then no more.
    feed(&naze, "latency_ms", IN, [-30, -27, -24, -21].map(|minutes| (minutes, 600.0)));
    watch(&naze, 1);
    assert_eq!(told(&naze), ["-30 warning up 150"], "a value counts for five minutes");
}

#[test]
fn what_has_to_be_the_same_is_the_component_or_what_on_names() {
    let on = |on: &str| {
        format!(
            "[[thresholds]]\nmetric = \"queue_depth\"\nwarning = \"> 100\"\n\
             and = [{{ metric = \"latency_ms\", limit = \"> 500\"{on} }}]\n"
        )
    };
    let crossed = |thresholds: &str| {
        let naze = Naze::with(config(thresholds));
        feed(&naze, "queue_depth", ["orders", "in"], (-20..0).map(|minutes| (minutes, 150.0)));
        feed(&naze, "queue_depth", ["orders", "out"], (-20..0).map(|minutes| (minutes, 150.0)));
        feed(&naze, "latency_ms", ["orders", "out"], (-20..0).map(|minutes| (minutes, 600.0)));
        feed(&naze, "latency_ms", ["gateway", "in"], (-20..0).map(|minutes| (minutes, 600.0)));
        feed(&naze, "latency_ms", ["gateway", "out"], (-20..0).map(|minutes| (minutes, 90.0)));
        watch(&naze, 1);
        let mut queues: Vec<String> = crossings(&naze).iter().map(|one| one.labels()["queue"].clone()).collect();
        queues.sort();
        queues
    };
    assert_eq!(crossed(&on("")), ["in", "out"], "any series of the component");
    assert_eq!(crossed(&on(", on = [\"component\", \"queue\"]")), ["out"]);
    assert_eq!(crossed(&on(", on = [\"queue\"], labels = { queue = \"in\" }")), ["in"], "of whatever component");
    assert_eq!(crossed(&on(", on = [\"region\"]")), [""; 0], "a label that neither has is not the same");
}

#[test]
fn it_stands_beside_the_plain_ones_and_is_declared_like_them() {
    let naze = Naze::with(configured("[learned]\nenabled = false\n"));
    let document = json!({"metric": "queue_depth", "warning": "> 100", "for": "2m",
        "and": [{"metric": "latency_ms", "limit": "> 500"}]});
    let put = Request::put("/v1/thresholds/slow").body(Body::from(document.to_string())).unwrap();
    assert_eq!(naze.send(put).status, 201);
    feed(&naze, "queue_depth", IN, (-20..0).map(|minutes| (minutes, if minutes < -10 { 150.0 } else { 2_000.0 })));
    feed(&naze, "latency_ms", IN, (-20..0).map(|minutes| (minutes, 600.0)));
    watch(&naze, 1);
    assert_eq!(told(&naze), ["-20 warning up 150", "-10 critical up 2000"]);
    let shown = naze.get("/v1/thresholds?metric=queue_depth").json();
    assert_eq!(shown["thresholds"][0]["and"], json!(["latency_ms > 500"]), "{shown}");
    assert_eq!(shown["series"][0]["thresholds"].as_array().unwrap().len(), 2, "{shown}");
    let many = json!({"metric": "m", "warning": "> 1", "and": vec![json!({"metric": "n", "limit": "> 1"}); 5]});
    let put = Request::put("/v1/thresholds/many").body(Body::from(many.to_string())).unwrap();
    let refused = naze.send(put);
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("and of m has more than 4 conditions"), "{}", refused.text());
}
