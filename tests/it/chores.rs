//! What a serving naze does without being asked, and how often.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use naze::chores::CHORES;
use naze::clock::Clock;
use naze::config::Config;
use naze::engine::Engine;
use serde_json::{Value as Json, json};

use crate::common::{LOOPBACK, Naze, serve};

/// SPEC S2.18, S3.4: the analysis and health every 30 s, alerts every 10 s.
#[test]
fn each_chore_has_the_rhythm_that_is_required() {
    let told: Vec<(&str, u64)> = CHORES.iter().map(|chore| (chore.name, chore.every.as_secs())).collect();
    let required = [
        ("end_episodes", 5),
        ("hold_newest", 5),
        ("refresh_health", 5),
        ("examine", 30),
        ("recommend", 30),
        ("escalate_alerts", 10),
        ("escalate_andons", 10),
        ("watch_series", 10),
        ("note_reversals", 60),
        ("keep_outcomes", 300),
    ];
    assert_eq!(told, required);
}

/// Ten days of a queue by the hour: it falls for nine of them, and rises on the last.
fn turned(now: DateTime<Utc>) -> String {
    let mut csv = "time,component,metric,value\n".to_owned();
    for hour in 0..240_u32 {
        let depth =
            1_000.0 - 3.0 * f64::from(hour.min(216)) + 5.0 * f64::from(hour.saturating_sub(216)) + f64::from(hour % 3);
        let time = now - TimeDelta::hours(i64::from(240 - hour));
        writeln!(csv, "{},orders,queue_depth,{depth}", time.to_rfc3339()).unwrap();
    }
    csv
}

/// The first round is at the start: what was recorded before shows each of these chores.
#[test]
fn a_serving_naze_does_its_chores_from_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let now = Utc::now();
    let hours_ago = |hours: i64| (now - TimeDelta::hours(hours)).to_rfc3339();
    {
        let engine = Engine::open(Config::with_data(folder.path().join("naze")), Clock::System).unwrap();
        let naze = Naze::of(engine);
        naze.record(&json!([
            {"kind": "circuit", "occurredAt": hours_ago(1), "component": "payment", "state": "open"},
            {"kind": "andon", "occurredAt": hours_ago(2), "component": "press", "status": "opened",
                "level": "critical", "reference": "a1"},
            {"kind": "alert", "occurredAt": hours_ago(2), "component": "search", "name": "Down", "status": "firing",
                "severity": "warning"},
        ]));
        assert_eq!(naze.post("/v1/measurements", "text/csv", turned(now)).status, 201);
    }
    let (_program, url) = serve(folder.path(), LOOPBACK);
    let get = |path: &str| -> Json {
        let answer = reqwest::blocking::get(format!("{url}{path}")).unwrap();
        serde_json::from_slice(&answer.bytes().unwrap()).unwrap()
    };
    // What happened at the same moment may be told in one entry.
    let is_told = |kind: &str, word: &str| {
        let told = get(&format!("/v1/timeline?from=-1d&kind={kind}"));
        told["entries"].to_string().contains(word)
    };
    let is_kept =
        || get("/v1/series?metric=naze_health_score")["series"].as_array().is_some_and(|found| !found.is_empty());
    let has_turned = || {
        let told = get("/v1/queries/crossings?metric=queue_depth");
        let rules = told["rows"].as_array().unwrap_or_else(|| panic!("{told}")).iter().map(|row| &row["rule"]);
        rules.into_iter().any(|rule| rule.as_str().unwrap().starts_with("trend reversal"))
    };
    let done: [(&str, &dyn Fn() -> bool); 5] = [
        ("examine", &is_kept),
        ("recommend", &|| is_told("recommendation", "recommendation")),
        ("escalate_alerts", &|| is_told("alert", "escalated")),
        ("escalate_andons", &|| is_told("andon", "escalated")),
        ("note_reversals", &has_turned),
    ];
    let begun = Instant::now();
    for (chore, is_done) in done {
        while !is_done() {
            assert!(begun.elapsed() < Duration::from_mins(1), "{chore} was not done");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
