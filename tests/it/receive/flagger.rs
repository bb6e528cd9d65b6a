//! Flagger's webhooks, as its controller sends them.

use serde_json::{Value as Json, json};

use super::check_folder;
use crate::common::Naze;
use crate::sources::{all, read_http};

#[test]
fn webhooks_give_the_expected_receipts() {
    check_folder("flagger", |_, request| read_http("flagger", request));
}

/// An `event` webhook of the canary podinfo.
fn event(phase: &str, kind: &str, message: &str, millis: &str) -> Json {
    json!({"name": "podinfo", "namespace": "test", "phase": phase, "checksum": "85d557f47b",
        "metadata": {"eventMessage": message, "eventType": kind, "timestamp": millis}})
}

fn post(naze: &Naze, event: &Json) -> Json {
    let reply = naze.post("/hooks/flagger", "application/json", event.to_string());
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn times(naze: &Naze, kind: &str) -> Vec<String> {
    all(naze, kind).iter().map(|row| row["time"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_canary_starts_once_is_halted_and_taken_back() {
    let naze = Naze::in_memory();
    let steps = [
        ("Progressing", "Normal", "New revision detected! Scaling up podinfo.test", "1773136800000", 1),
        ("Progressing", "Normal", "Starting canary analysis for podinfo.test", "1773136830000", 0),
        ("Progressing", "Normal", "Advance podinfo.test canary weight 20", "1773136860000", 0),
        ("Progressing", "Warning", "Halt podinfo.test advancement success rate 69.17% < 99%", "1773136920000", 1),
        ("Progressing", "Warning", "podinfo-primary.test not ready", "1773136930000", 0),
        ("Failed", "Warning", "Canary failed! Scaling down podinfo.test", "1773136980000", 1),
    ];
    for (phase, kind, message, millis, recorded) in steps {
        assert_eq!(post(&naze, &event(phase, kind, message, millis))["recorded"], recorded, "{message}");
    }
    let again = event("Failed", "Warning", "Canary failed! Scaling down podinfo.test", "1773136980000");
    assert_eq!(post(&naze, &again)["duplicate"], 1, "a retry");
    assert_eq!(times(&naze, "deployment"), ["2026-03-10T10:00:00Z", "2026-03-10T10:03:00Z"]);
    assert_eq!(times(&naze, "gate"), ["2026-03-10T10:02:00Z"]);
    let failed = naze.get("/v1/queries/failed_checks?from=2026-03-10T09:00:00Z&to=2026-03-10T11:00:00Z").json();
    assert_eq!(failed["rows"][0]["subject"], "canary analysis");
}

#[test]
fn a_version_deployed_again_is_another_deployment() {
    let naze = Naze::in_memory();
    for millis in ["1773136800000", "1773137400000"] {
        let done = event("Finalising", "Normal", "Promotion completed! Scaling down podinfo.test", millis);
        assert_eq!(post(&naze, &done)["recorded"], 1);
    }
    assert_eq!(times(&naze, "deployment"), ["2026-03-10T10:00:00Z", "2026-03-10T10:10:00Z"]);
}

#[test]
fn gates_pass_and_what_cannot_be_read_does_not() {
    let naze = Naze::in_memory();
    for phase in ["Waiting", "Progressing", "WaitingPromotion", "Promoting"] {
        let gate = json!({"name": "podinfo", "namespace": "test", "phase": phase, "checksum": "c", "metadata": {}});
        assert_eq!(post(&naze, &gate), json!({"recorded": 0, "duplicate": 0, "refused": []}));
    }
    // A canary whose name no receipt can have still passes: evidence never stops a line.
    let long = json!({"name": "x".repeat(3_000), "namespace": "test", "phase": "Succeeded"});
    assert_eq!(post(&naze, &long)["refused"].as_array().unwrap().len(), 1);
    assert_eq!(naze.post("/hooks/flagger", "application/json", "{\"name\": 1}").status, 400);
}
