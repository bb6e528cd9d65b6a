//! Thresholds that are crossed: people hear when it begins, when it becomes worse, and when it is over, by severity and once.

use std::fmt::Write as _;

use chrono::TimeDelta;
use naze::clock::Timestamp;
use naze::config::Config;
use naze::export::push::Pushing;
use serde_json::{Value as Json, json};

use super::notices::{ENQUEUE, KEY, SLACK, bodies, pagerduty, slack, wait_for, webhook};
use super::tool::Tool;
use crate::common::{NOW, Naze};

const THRESHOLD: &str = "default_thresholds = false\n[learned]\nenabled = false\n[[thresholds]]\n\
     metric = [\"tps_kanban_queue_depth\", \"queue_depth\"]\nwarning = \">= 500\"\ncritical = \"> 1000\"\n\
     hysteresis = 50\naction = { warning = \"add workers\" }\n";

/// Minutes from noon, when all tests take place.
fn at(minutes: i64) -> Timestamp {
    NOW.parse::<Timestamp>().unwrap().checked_add(TimeDelta::minutes(minutes)).unwrap()
}

/// A naze that pushes, with nothing recorded before.
fn pushing(toml: &str) -> (Naze, Pushing) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("naze.toml");
    std::fs::write(&file, toml).unwrap();
    let naze = Naze::with(Config::read(&file).unwrap());
    let pushing = naze::export::push::start(&naze.engine).unwrap();
    (naze, pushing)
}

fn hook(name: &str, tool: &Tool, more: &str) -> String {
    format!("[exports.{name}]\nkind = \"webhook\"\nurl = \"{}/alerts\"\n{more}\n", tool.url)
}

/// Depths of a queue of `orders` by the minute, and a look at them.
fn watch(naze: &Naze, depths: impl Fn(i64) -> f64) {
    let mut csv = "time,component,metric,value,queue\n".to_owned();
    for minutes in -60..0 {
        writeln!(csv, "{},orders,queue_depth,{},in", at(minutes), depths(minutes)).unwrap();
    }
    assert_eq!(naze.post("/v1/measurements", "text/csv", csv).status, 201);
    let now = at(0).checked_add(TimeDelta::seconds(30)).unwrap();
    while naze.engine.watch_series(now).unwrap() {}
}

/// Beyond the warning, beyond the critical limit, and back.
fn worse(minutes: i64) -> f64 {
    match minutes {
        ..-50 => 10.0,
        -50..-40 => 550.0,
        -40..-30 => 1_200.0,
        _ => 440.0,
    }
}

fn andon(naze: &Naze) {
    naze.record(&json!([{"kind": "andon", "occurredAt": at(0), "component": "line", "status": "opened",
        "level": "critical", "reference": "marker"}]));
}

/// `<alert> <status> <severity>` of each notice before that of the andon, once that has come.
#[track_caller]
fn told(tool: &Tool, naze: &Naze) -> Vec<String> {
    andon(naze);
    let is_marker = |body: &Json| body["alerts"][0]["labels"]["alertname"] == "andon";
    super::eventually(
        "the andon",
        |bodies: &Vec<Json>| bodies.last().is_some_and(is_marker),
        || bodies(tool, "/alerts"),
    );
    let tell = |body: &Json| {
        let alert = &body["alerts"][0];
        let text = |json: &Json| json.as_str().unwrap().to_owned();
        [&alert["labels"]["alertname"], &alert["status"], &alert["labels"]["severity"]].map(text).join(" ")
    };
    let mut all: Vec<String> = bodies(tool, "/alerts").iter().map(tell).collect();
    all.pop();
    all
}

#[test]
fn a_crossing_is_told_when_it_begins_becomes_worse_and_is_over() {
    let (all, silent) = (Tool::start(webhook), Tool::start(webhook));
    let (chat, pager) = (Tool::start(slack), Tool::start(pagerduty));
    let (naze, pushing) = pushing(&format!(
        "{THRESHOLD}{}{}[exports.chat]\nkind = \"slack\"\nurl = \"{}/services\"\ntoken = \"{SLACK}\"\n\
         severities = [\"warning\"]\n[exports.pager]\nkind = \"pagerduty\"\nurl = \"{}\"\ntoken = \"{KEY}\"\n",
        hook("all", &all, ""),
        hook("silent", &silent, "crossings = false"),
        chat.url,
        pager.url
    ));
    watch(&naze, worse);
    assert_eq!(told(&silent, &naze), Vec::<String>::new(), "whose Alertmanager tells them can turn them off");
    let hooked = wait_for(&all, "/alerts", 4);
    let alerts: Vec<&Json> = hooked[..3].iter().map(|body| &body["alerts"][0]).collect();
    let of = |field: &str| -> Vec<&Json> { alerts.iter().map(|alert| &alert[field]).collect() };
    assert_eq!(of("status"), ["firing", "firing", "resolved"]);
    assert!(of("fingerprint").iter().all(|one| *one == of("fingerprint")[0]), "one episode: {alerts:#?}");
    assert_eq!(of("startsAt"), [&json!(at(-50)); 3], "it began with the first minute beyond");
    assert_eq!(alerts[2]["endsAt"], json!(at(-30)));
    let labels = &alerts[1]["labels"];
    assert_eq!(
        (&labels["alertname"], &labels["component"], &labels["severity"], &labels["queue"]),
        (&json!("queue_depth"), &json!("orders"), &json!("critical"), &json!("in"))
    );
    let annotations = &alerts[0]["annotations"];
    assert_eq!(annotations["summary"], "WARNING: queue_depth of orders");
    assert_eq!(
        (&annotations["metric"], &annotations["value"], &annotations["threshold"], &annotations["action"]),
        (&json!("queue_depth"), &json!("550"), &json!("500"), &json!("add workers"))
    );
    assert_eq!(annotations["rule"], "tps_kanban_queue_depth warning >= 500 critical > 1000 for 5m");
    assert_eq!(annotations["description"], "queue_depth crossed 500 upward: 550");
    // Nobody said what to do when it is critical: what is recommended about such limits.
    assert_eq!(alerts[1]["annotations"]["action"], "page; bring the metric back below its limit");
    assert_eq!(alerts[2]["annotations"]["action"], Json::Null);

    // Beginning and end at the pager are of the critical step; chat, which hears of warnings alone, hears of the end too.
    let events = wait_for(&pager, ENQUEUE, 2);
    let actions: Vec<&Json> = events[..2].iter().map(|event| &event["event_action"]).collect();
    assert_eq!(
        (actions, &events[0]["dedup_key"]),
        (vec![&json!("trigger"), &json!("resolve")], &events[1]["dedup_key"])
    );
    let details = &events[0]["payload"]["custom_details"];
    assert_eq!((&details["value"], &details["threshold"]), (&json!("1200"), &json!("1000")));
    let messages = wait_for(&chat, &format!("/services/{SLACK}"), 2);
    assert!(
        messages[0]["text"].as_str().unwrap().starts_with("WARNING: queue_depth of orders: queue_depth crossed 500")
    );
    assert!(messages[0].to_string().contains("*Action*\\nadd workers"), "{}", messages[0]);
    assert!(messages[1]["text"].as_str().unwrap().starts_with("RESOLVED: queue_depth of orders"), "{}", messages[1]);
    pushing.stop();
}

#[test]
fn what_is_merely_unusual_or_was_found_elsewhere_is_not_told() {
    let tool = Tool::start(webhook);
    let (naze, pushing) = pushing(&hook("all", &tool, ""));
    let crossing = |more: Json| {
        let mut crossing = json!({"kind": "crossing", "occurredAt": at(-5), "component": "orders", "metric": "m",
            "value": 2, "threshold": 1, "direction": "up"});
        crossing.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        crossing
    };
    naze.record(&json!([
        crossing(json!({"source": "naze", "reference": "crossing-learned"})),
        crossing(json!({"source": "naze", "reference": "crossing-learned", "status": "recovered"})),
        crossing(
            json!({"source": "naze", "severity": "warning", "rule": "trend reversal: 7d improving, 24h degrading"})
        ),
        crossing(json!({"source": "other", "severity": "critical", "reference": "crossing-other"})),
        // An end without a beginning.
        crossing(json!({"source": "naze", "reference": "crossing-gone", "status": "recovered"})),
    ]));
    assert_eq!(told(&tool, &naze), Vec::<String>::new());
    pushing.stop();
}

/// Alertmanager has told people, unless its alert is about something else, over, or not as bad.
#[test]
fn what_an_alert_has_told_is_not_told_again() {
    let alert = |minutes: i64, status: &str, more: Json| {
        let mut alert = json!({"kind": "alert", "occurredAt": at(minutes), "component": "orders", "name": "Deep",
            "status": status, "severity": "critical", "metric": "tps_kanban_queue_depth", "fingerprint": "f"});
        alert.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        alert
    };
    let firing = |more: Json| vec![alert(-45, "firing", more)];
    let all = ["queue_depth firing warning", "queue_depth firing critical", "queue_depth resolved warning"];
    let critical = ["queue_depth firing critical", "queue_depth resolved critical"];
    let scraped = json!({"component": "tps-system", "labels": {"queue": "in", "job": "tps-system"}});
    // Not all that tell of an end name the metric again, or the instance.
    let mut bare = alert(-44, "resolved", json!({}));
    let mut without = |field: &str| {
        bare.as_object_mut().unwrap().remove(field);
        [firing(json!({})), vec![bare.clone()]].concat()
    };
    let (without_metric, without_instance) = (without("metric"), without("fingerprint"));
    let other = alert(-44, "resolved", json!({"fingerprint": "g"}));
    for (alerts, expected) in [
        (without_metric, &all[..]),
        (without_instance, &all[..]),
        ([firing(json!({})), vec![other]].concat(), &all[..0]),
        (firing(json!({})), &all[..0]),
        (firing(scraped), &all[..0]),
        (firing(json!({"component": "tps-system", "labels": {"queue": "out"}})), &all[..]),
        (firing(json!({"metric": "queue_age"})), &all[..]),
        (firing(json!({"severity": "warning"})), &critical[..]),
        ([firing(json!({})), vec![alert(-44, "resolved", json!({}))]].concat(), &all[..]),
    ] {
        let tool = Tool::start(webhook);
        let (naze, pushing) = pushing(&format!("{THRESHOLD}{}", hook("all", &tool, "")));
        naze.record(&json!(alerts));
        watch(&naze, worse);
        assert_eq!(told(&tool, &naze), expected, "{alerts:?}");
        pushing.stop();
    }
}

#[test]
fn a_threshold_has_a_cooldown_of_its_own() {
    // Ten minutes beyond, ten back, twice.
    let twice = |minutes: i64| if matches!(minutes, -50..-40 | -30..-20) { 600.0 } else { 10.0 };
    let episode = ["queue_depth firing warning", "queue_depth resolved warning"];
    for (cooldown, expected) in [("", 4), ("cooldown = \"19m\"\n", 4), ("cooldown = \"1h\"\n", 2)] {
        let tool = Tool::start(webhook);
        let (naze, pushing) = pushing(&format!("{THRESHOLD}{cooldown}{}", hook("all", &tool, "")));
        watch(&naze, twice);
        assert_eq!(told(&tool, &naze), [episode, episode].concat()[..expected], "{cooldown}");
        pushing.stop();
    }
}

#[test]
fn a_crossing_that_goes_on_when_it_has_cooled_down_is_told_then() {
    // Ten minutes beyond, ten back, and then beyond for good.
    let for_good = |minutes: i64| if matches!(minutes, -50..-40 | -30..) { 600.0 } else { 10.0 };
    let all = ["queue_depth firing warning", "queue_depth resolved warning", "queue_depth firing warning"];
    for (cooldown, expected) in [("49m", 3), ("51m", 2)] {
        let tool = Tool::start(webhook);
        let (naze, pushing) = pushing(&format!("{THRESHOLD}cooldown = \"{cooldown}\"\n{}", hook("all", &tool, "")));
        watch(&naze, for_good);
        wait_for(&tool, "/alerts", expected);
        assert_eq!(told(&tool, &naze), all[..expected], "{cooldown}");
        let begun = bodies(&tool, "/alerts")[expected - 1]["alerts"][0]["startsAt"].clone();
        assert_eq!(begun, json!(at(if expected == 3 { -30 } else { -50 })), "{cooldown}");
        pushing.stop();
    }
}
