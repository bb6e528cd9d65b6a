//! What is recommended is recorded, once while it holds; trends that turned are found.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use naze::analyse::advise::{Advised, Recommendation};
use naze::clock::Timestamp;
use naze::config::Config;
use naze::record::Window;
use serde_json::{Value as Json, json};

use super::{CHECKOUT, cases, failures, ids, receipt};
use crate::common::Naze;

const ACTION: &str = "fix the component, then resume";

fn at(time: &str) -> Timestamp {
    format!("2026-03-10T{time}Z").parse().unwrap()
}

/// Receipts of a kind with this text in a field, by time.
fn recorded(naze: &Naze, kind: &str) -> Vec<Json> {
    let path = format!("/v1/timeline?from=2026-03-09T00:00:00Z&to=2026-03-12T00:00:00Z&kind={kind}");
    let timeline = naze.get(&path).json();
    let entries = timeline["entries"].as_array().unwrap().iter();
    entries.map(|entry| naze.get(&format!("/v1/receipts/{}", entry["id"].as_str().unwrap())).json()).collect()
}

#[test]
fn a_recommendation_is_recorded_once_while_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let mut naze = Naze::in_folder(folder.path());
    let opened = json!([receipt("circuit", "11:00:00", &json!({"state": "open"}))]);
    let evidence = ids(&naze.record(&opened))[0].clone();
    // The circuit, and the share of open ones: one of one.
    assert_eq!(naze.engine.recommend(at("11:01:00")).unwrap(), 2);
    assert_eq!(naze.engine.recommend(at("11:02:00")).unwrap(), 0);
    let all = recorded(&naze, "recommendation");
    let circuit = all.iter().find(|one| one["recommendationType"] == "circuit_open").unwrap();
    assert_eq!(
        (&circuit["priority"], &circuit["severity"], &circuit["component"], &circuit["action"], &circuit["evidence"]),
        (
            &json!("P1"),
            &json!("critical"),
            &json!(CHECKOUT),
            &json!("fix the component, then resume"),
            &json!(evidence)
        )
    );
    assert_eq!((&circuit["occurredAt"], &circuit["source"]), (&json!("2026-03-10T11:01:00Z"), &json!("naze")));
    let whole = all.iter().find(|one| one["recommendationType"] == "circuit_open_ratio_critical").unwrap();
    assert_eq!(whole["component"], "naze", "of the whole system naze speaks");
    // A new one comes beside them; those that hold are not told again, not even after a start.
    naze.record(&json!(failures(26)));
    drop(naze);
    naze = Naze::in_folder(folder.path());
    assert_eq!(naze.engine.recommend(at("11:59:00")).unwrap(), 1);
    // What was over and is back is new.
    naze.record(&json!([receipt("circuit", "11:59:10", &json!({"state": "closed"}))]));
    assert_eq!(naze.engine.recommend(at("11:59:20")).unwrap(), 0);
    naze.record(&json!([receipt("circuit", "11:59:30", &json!({"state": "open"}))]));
    assert_eq!(naze.engine.recommend(at("11:59:40")).unwrap(), 2);
    let metrics = naze.get("/metrics").text();
    assert!(metrics.contains("tps_kaizen_recommendations_total{type=\"circuit_open\"} 2"), "{metrics}");
}

/// Nobody gives a budget to the round that naze goes by itself.
#[test]
fn a_round_holds_the_cost_of_scaling_against_the_configured_budget() {
    let cost = |cost: f64| {
        let more = json!({"pool": "web", "direction": "up", "cost": cost});
        receipt("scaling", "11:00:00", &more)
    };
    let found = |budget: Option<f64>, told: f64| {
        let mut config = Config::in_memory();
        config.advice.scaling_cost_per_day = budget.unwrap_or(config.advice.scaling_cost_per_day);
        let naze = Naze::with(config);
        naze.record(&json!([cost(told)]));
        naze.engine.recommend(at("12:00:00")).unwrap();
        let all = naze.engine.index().of_kind("recommendation", Window::ALL).unwrap();
        let mut all = all.into_iter().map(|one| one.receipt);
        let reason = all.find(|one| one.text("recommendationType") == Some("scaling_cost_high"));
        let told = |path: &str| naze.get(path).json()["rows"].as_array().unwrap().len();
        let day = told("/v1/queries/scaling_cost_high");
        assert_eq!((reason.is_some(), told("/v1/queries/scaling_cost_high?from=-7d&budget=1")), (day == 1, 1));
        let week = super::recommended(&naze, "/v1/recommendations?from=-7d");
        let week = week.iter().filter(|one| one["type"] == "scaling_cost_high").count();
        (reason.map(|one| one.text("reason").unwrap().to_owned()), week)
    };
    assert_eq!(found(None, 100.0), (None, 0));
    // In a week it may cost seven times as much.
    let (reason, week) = found(None, 100.5);
    assert!(reason.as_ref().is_some_and(|reason| reason.contains("100.5") && reason.contains("100")), "{reason:?}");
    assert_eq!(week, 0);
    assert!(found(Some(20.0), 100.0).0.is_some());
    assert_eq!(found(Some(200.0), 150.0), (None, 0));
}

#[test]
fn pages_show_the_last_answer_while_it_is_fresh() {
    let naze = Naze::in_memory();
    naze.record(&json!([receipt("circuit", "11:00:00", &json!({"state": "open"}))]));
    naze.engine.recommend(at("11:59:00")).unwrap();
    naze.record(&json!([receipt("circuit", "11:10:00", &json!({"state": "open", "component": "search"}))]));
    let page = |path: &str| naze.get(path).text().contains("search");
    assert!(!page("/recommendations"), "a minute old");
    let advised = |query: &str| naze.get(&format!("/recommendations{query}")).text().matches(ACTION).count();
    assert_eq!((advised(""), advised("?component=checkout"), advised("?component=search")), (1, 1, 0));
    assert_eq!(advised("?component=search&range=7d"), 1, "what is asked otherwise is worked out");
    let told = naze.get("/v1/recommendations").text();
    assert!(told.contains("search"), "who asks for the data gets them as they are: {told}");
    naze.engine.recommend(at("12:00:00")).unwrap();
    assert!(page("/recommendations"));
    assert_eq!((advised(""), advised("?component=checkout"), advised("?component=search")), (2, 1, 1));
}

#[test]
fn what_is_picked_for_a_component_is_what_it_would_be_told() {
    let window = Window { from: at("00:00:00"), to: at("12:00:00") };
    let told = |advised: &Advised| -> Vec<String> {
        let one = |one: &Recommendation| format!("{} {:?} {:?}", one.query, one.found, one.because);
        advised.recommendations.iter().map(one).collect()
    };
    let mut compared = 0;
    for (id, fires, ..) in cases() {
        let naze = Naze::in_memory();
        naze.record(&json!(fires));
        let advise = |given| naze.engine.advise(window, &given).unwrap();
        let all = advise(BTreeMap::new());
        for name in all.recommendations.iter().filter_map(|one| one.component.as_ref()) {
            let own = told(&advise([("component".to_owned(), name.clone())].into()));
            assert_eq!(told(&all.of_component(name)), own, "{id}: {name}");
            compared += own.len();
        }
    }
    assert!(compared > 25, "{compared} recommendations");
}

/// Ten days of a queue by the hour: it falls for nine of them, and rises on the last.
fn turned(falls: f64, rises: f64) -> Naze {
    let naze = Naze::in_memory();
    let noon = chrono::DateTime::parse_from_rfc3339(crate::common::NOW).unwrap();
    let mut body = String::new();
    for hour in 0..240_u32 {
        let depth = 1_000.0 - falls * f64::from(hour.min(216)) + rises * f64::from(hour.saturating_sub(216));
        // Some noise.
        let depth = depth + f64::from(hour % 3);
        let time = noon - chrono::TimeDelta::hours(i64::from(240 - hour));
        let sample = json!({"metric": "queue_depth", "component": CHECKOUT, "kind": "gauge", "value": depth,
            "occurredAt": time.to_rfc3339(), "labels": {"queue": "in"}});
        writeln!(body, "{sample}").unwrap();
    }
    assert_eq!(naze.post("/v1/measurements", "application/x-ndjson", body).status, 201);
    naze
}

#[test]
fn a_trend_that_turned_is_recorded_once_a_day() {
    let naze = turned(3.0, 5.0);
    assert_eq!(naze.engine.note_reversals(at("12:00:00")).unwrap(), 1);
    assert_eq!(naze.engine.note_reversals(at("12:01:00")).unwrap(), 0);
    let crossing = &recorded(&naze, "crossing")[0];
    assert_eq!(
        (&crossing["metric"], &crossing["direction"], &crossing["severity"], &crossing["labels"]["queue"]),
        (&json!("queue_depth"), &json!("up"), &json!("warning"), &json!("in"))
    );
    let rule = crossing["rule"].as_str().unwrap();
    assert!(rule.starts_with("trend reversal: ") && rule.ends_with("improving, 24h degrading"), "{rule}");
    let path = "/v1/recommendations?to=2026-03-10T13:00:00Z";
    let advised = super::recommended(&naze, path);
    let types: Vec<&Json> = advised.iter().map(|one| &one["type"]).collect();
    assert!(types.contains(&&json!("trend_reversal")), "{types:?}");
    assert!(!types.contains(&&json!("threshold_crossed_warning")), "it is no limit: {types:?}");

    let better = turned(-3.0, -5.0);
    assert_eq!(better.engine.note_reversals(at("12:00:00")).unwrap(), 1);
    assert!(recorded(&better, "note")[0]["message"].as_str().unwrap().starts_with("queue_depth improves"));
    let steady = turned(3.0, -3.0);
    assert_eq!(steady.engine.note_reversals(at("12:00:00")).unwrap(), 0);
}
