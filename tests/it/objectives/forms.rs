//! Objectives whose targets grow, and those in the short form in which they are registered.

use axum::http::Request;
use naze::config::Config;
use serde_json::{Value as Json, json};

use super::{measure, naze, only, slo, status, threshold};
use crate::cli::{naze as command, text};
use crate::common::{Naze, Reply};

fn phased(annotations: &str, objectives: &str) -> String {
    let text = slo("queue", "1h", &threshold("{metric: queue_depth}"), objectives);
    text.replace("{name: queue}", &format!("{{name: queue, annotations: {{{annotations}}}}}"))
}

const PROMISED: &str = "{op: lte, value: 50, target: 0.999}";

#[test]
fn a_target_grows_from_phase_to_phase() {
    let depth = json!({"metric": "queue_depth", "component": "checkout", "kind": "gauge"});
    for phases in ["weekly", "\"0.95, 7d 0.97, 14d 0.99, 21d 0.999\""] {
        let naze = naze(&phased(
            &format!("naze/phases: {phases}, naze/phases-from: \"2026-03-02\", naze/outliers: count"),
            PROMISED,
        ));
        // 58 of 60 are good: 0.9667, enough for the first week, not for the second.
        measure(&naze, &depth, (1..=60).rev().map(|ago| (ago, if ago == 30 || ago == 60 { 60.0 } else { 10.0 })));
        let told = only(&naze, "queue");
        assert_eq!((&told["target"], &told["state"], &told["total"]), (&json!(0.97), &json!("missed"), &json!(60)));
        let phase = json!({"number": 2, "of": 4, "promised": 0.999, "until": "2026-03-16T00:00:00Z"});
        assert_eq!(told["phase"], phase);
        let before = naze.get("/v1/slos/queue?at=2026-03-08T12:00:00Z").json()["slo"]["objectives"][0].clone();
        assert_eq!((&before["target"], &before["phase"]["number"]), (&json!(0.95), &json!(1)));
        let last = naze.get("/v1/slos/queue?at=2026-03-23T00:00:00Z").json()["slo"]["objectives"][0].clone();
        assert_eq!((&last["target"], &last["phase"]["until"]), (&json!(0.999), &Json::Null));
    }
    let plain = naze(&slo("queue", "1h", &threshold("{metric: queue_depth}"), PROMISED));
    assert_eq!(only(&plain, "queue")["phase"], Json::Null);
}

#[test]
fn phases_that_cannot_be_are_told() {
    let from = "naze/phases-from: \"2026-03-02\"";
    for (annotations, objectives, told) in [
        (format!("naze/phases: often, {from}"), PROMISED, "naze/phases \"often\" has no such form"),
        (format!("naze/phases: \"0.95, 7d 0.99\", {from}"), PROMISED, "promises something else than the last phase"),
        (format!("naze/phases: \"7d 0.95, 7d 0.999\", {from}"), PROMISED, "is wrong: a phase after 604800 s follows"),
        ("naze/phases: weekly".to_owned(), PROMISED, "naze/phases-from is missing"),
        (from.to_owned(), PROMISED, "naze/phases is missing"),
        ("naze/phases: weekly, naze/phases-from: soon".to_owned(), PROMISED, "naze/phases-from \"soon\" is no time"),
        ("naze/outlier: count".to_owned(), PROMISED, "naze/outlier \"count\" is not known"),
        (
            format!("naze/phases: weekly, {from}"),
            "{op: lte, value: 50, target: 0.999}, {op: lte, value: 90, target: 0.999}",
            "are several, but there are phases of one",
        ),
    ] {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("slo.yaml"), phased(&annotations, objectives)).unwrap();
        let config = Config { slos: Some(folder.path().to_owned()), ..Config::in_memory() };
        let error = naze::engine::Engine::open(config, naze::clock::Clock::System).err().unwrap().to_string();
        assert!(error.contains(told), "{annotations}: {error}");
    }
    let other = phased("team: \"checkout\"", PROMISED);
    assert_eq!(status(&naze(&other), "queue")["name"], "queue", "annotations of others are theirs");
}

#[test]
fn the_command_line_shows_the_phase() {
    let folder = tempfile::tempdir().unwrap();
    let slos = folder.path().join("slos");
    std::fs::create_dir(&slos).unwrap();
    std::fs::write(slos.join("slo.yaml"), phased("naze/phases: weekly, naze/phases-from: \"2026-03-02\"", PROMISED))
        .unwrap();
    let config = folder.path().join("naze.toml");
    std::fs::write(&config, format!("slos = {:?}\n", slos.display().to_string())).unwrap();
    let data = folder.path().join("data").display().to_string();
    let told =
        command(&["--config", &config.display().to_string(), "slo", "--data", &data, "--at", "2026-03-10T12:00:00Z"]);
    let told = text(&told.stdout);
    assert!(told.contains("2 of 4 until 2026-03-16T00:00:00Z, 99.9 % is promised"), "{told}");
}

fn register(naze: &Naze, name: &str, registration: &Json) -> Reply {
    let request = Request::put(format!("/v1/slos/{name}")).header("content-type", "application/json");
    naze.send(request.body(registration.to_string().into()).unwrap())
}

/// SPEC R8: `is_maximum: false` means at most, `true` at least.
#[test]
fn the_old_form_of_registration_is_read() {
    let naze = Naze::in_memory();
    let gauge = |metric: &str| json!({"metric": metric, "component": "checkout", "kind": "gauge"});
    measure(&naze, &gauge("latency_p99_ms"), (1..=5).map(|ago| (ago, 185.0)));
    measure(&naze, &gauge("success_rate"), (1..=60).map(|ago| (ago, 0.997)));
    let latency = json!({"name": "latency", "metric": "latency_p99_ms", "target": 200, "is_maximum": false,
        "window_secs": 300, "rationale": "who waits leaves"});
    assert_eq!(register(&naze, "latency", &latency).status, 201);
    let told = only(&naze, "latency");
    assert_eq!((&told["state"], &told["threshold"], &told["headroom"]), (&json!("met"), &json!(200.0), &json!(0.075)));
    assert_eq!((&told["target"], &told["total"]), (&json!(0.95), &json!(5)));
    assert_eq!(naze.get("/v1/slos/latency").json()["slo"]["window"], "5m");
    let success = json!({"name": "success", "metric": "success_rate", "target": 0.999, "is_maximum": true,
        "window_secs": 3600, "service": "checkout"});
    assert_eq!(register(&naze, "success", &success).status, 201);
    assert_eq!(only(&naze, "success")["state"], "missed");
    // The same in new words.
    let new = json!({"name": "new", "metric": "success_rate", "threshold": 0.995, "direction": "at_least",
        "objective": 0.99, "kind": "window", "window_secs": 3600});
    assert_eq!(register(&naze, "new", &new).status, 201);
    let told = only(&naze, "new");
    assert_eq!((&told["state"], &told["target"]), (&json!("met"), &json!(0.99)));
}

#[test]
fn a_registration_that_cannot_be_is_told() {
    let naze = Naze::in_memory();
    let whole = json!({"name": "x", "metric": "m", "target": 200, "is_maximum": false, "window_secs": 300});
    for (member, value, told) in [
        ("is_maximum", Json::Null, "[0].direction is missing"),
        ("is_maximum", json!("no"), "[0].is_maximum is a string, not true or false"),
        ("direction", json!("at_most"), "[0].is_maximum false stands beside direction"),
        ("target", Json::Null, "[0].threshold is missing"),
        ("threshold", json!(1), "[0].target 200 stands beside threshold"),
        ("objective", json!(99), "[0].objective 99 is not from 0 up to, but not, 1"),
        ("window_secs", json!(90), "[0].window_secs 90 is no whole number of minutes"),
        ("kind", json!("sometimes"), "[0].kind \"sometimes\" is not one of event, window"),
        ("is_maximun", json!(true), "[0].is_maximun is not a field"),
    ] {
        let mut wrong = whole.clone();
        wrong[member] = value;
        let reply = register(&naze, "x", &wrong);
        assert_eq!(reply.status, 400, "{member}: {}", reply.text());
        assert!(reply.text().contains(&told.replace('"', "\\\"")), "{member}: {}", reply.text());
    }
}
