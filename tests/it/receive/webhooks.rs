//! Grafana, PagerDuty and GitHub: what each body becomes, and what becomes of bodies that belong together.

use axum::body::Body;
use axum::http::{HeaderMap, Request};
use naze::config::Config;
use naze::error::Result;
use naze::receive::{Delivery, Given, RECEIVERS, Received};
use naze::vocab::Vocabulary;
use serde_json::{Value as Json, json};

use super::{assert_valid, check_folder, crate_path, files, mapping, receipts, received_at};
use crate::common::{Naze, Reply};

fn read(receiver: &str, path: &str, body: &[u8]) -> Result<Received> {
    let receiver = RECEIVERS.iter().find(|one| one.name == receiver).unwrap();
    let (vocabulary, mapping) = (Vocabulary::builtin(), mapping());
    let given = Given { received_at: received_at(), mapping: &mapping, vocabulary: &vocabulary };
    (receiver.read)(&Delivery { path, headers: &HeaderMap::new(), body }, &given)
}

/// `enqueue.<case>.json` or `change.<case>.json`.
fn read_event(name: &str, body: &[u8]) -> Result<Received> {
    let path = if name.starts_with("change.") { "/v2/change/enqueue" } else { "/v2/enqueue" };
    read("pagerduty_events", path, body)
}

#[test]
fn grafana_notifications_give_the_expected_receipts() {
    check_folder("grafana", |_, body| read("grafana", "/hooks/grafana", body));
}

#[test]
fn pagerduty_webhooks_give_the_expected_receipts() {
    check_folder("pagerduty", |_, body| read("pagerduty", "/hooks/pagerduty", body));
}

#[test]
fn pagerduty_events_give_the_expected_receipts() {
    check_folder("pagerduty_events", |path, body| read_event(path.file_name().unwrap().to_str().unwrap(), body));
}

#[test]
fn what_is_read_keeps_the_rules_of_its_kind() {
    let mut checked = 0;
    for source in ["grafana", "pagerduty", "pagerduty_events"] {
        for path in files(&crate_path("tests/receive").join(source)) {
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.ends_with(".expected.json") {
                continue;
            }
            let body = std::fs::read(&path).unwrap();
            let received = match source {
                "pagerduty_events" => read_event(name, &body),
                _ => read(source, "", &body),
            };
            if let Ok(received) = received {
                assert_valid(&receipts(&received));
                checked += received.items.len();
            }
        }
    }
    assert!(checked >= 40, "{checked} receipts checked");
}

fn enqueue(naze: &Naze, event: &Json) -> Reply {
    naze.post("/v2/enqueue", "application/json", event.to_string())
}

fn trigger(payload: &Json) -> Json {
    json!({"routing_key": "r", "event_action": "trigger", "dedup_key": "disk/db1", "payload": payload})
}

/// Alerts as `<rule> <component> <severity> <resolved or ->`.
fn alerts(naze: &Naze) -> Vec<String> {
    let rows = naze.get("/v1/queries/alert_timeline?to=2026-03-11T00:00:00Z").json();
    let text = |row: &Json, column: &str| row[column].as_str().unwrap_or("-").to_owned();
    let row = |row: &Json| ["rule", "component", "severity", "resolved"].map(|column| text(row, column)).join(" ");
    rows["rows"].as_array().unwrap().iter().map(row).collect()
}

#[test]
fn a_trigger_without_a_time_is_one_alert_until_it_is_resolved() {
    let naze = Naze::in_memory();
    let event = trigger(&json!({"summary": "disk full", "source": "db1", "severity": "warning"}));
    let later = json!({"summary": "disk fuller", "source": "db1", "severity": "warning"});
    assert_eq!(enqueue(&naze, &event).status, 202);
    assert_eq!(enqueue(&naze, &trigger(&later)).status, 202);
    assert_eq!(alerts(&naze), ["disk full db1 warning -"], "told again in other words");
    let step = |action: &str| json!({"routing_key": "r", "event_action": action, "dedup_key": "disk/db1"});
    assert_eq!(enqueue(&naze, &step("acknowledge")).status, 202);
    assert_eq!(enqueue(&naze, &event).status, 202);
    assert_eq!(alerts(&naze), ["disk full db1 warning -"], "somebody is on it");
    assert_eq!(enqueue(&naze, &step("resolve")).status, 202);
    assert_eq!(enqueue(&naze, &step("resolve")).status, 202);
    assert_eq!(alerts(&naze), ["disk full db1 warning 2026-03-10T12:00:00Z"]);
    let receive = |outcome: &str| {
        let metrics = naze.get("/metrics").text();
        let line = format!("naze_receive_total{{outcome=\"{outcome}\",source=\"pagerduty_events\"}} ");
        metrics.lines().find_map(|given| given.strip_prefix(&line).map(str::to_owned))
    };
    assert_eq!(receive("recorded").as_deref(), Some("3"), "fired, acknowledged, resolved");
    assert_eq!(receive("duplicate").as_deref(), Some("3"));

    let other =
        json!({"summary": "disk gone", "source": "db2", "severity": "warning", "timestamp": "2026-03-10T11:00:00Z"});
    let mut other = trigger(&other);
    other["dedup_key"] = "disk/db2".into();
    enqueue(&naze, &other);
    other["payload"]["severity"] = "critical".into();
    other["payload"]["timestamp"] = "2026-03-10T11:10:00Z".into();
    other["payload"]["class"] = "DiskGone".into();
    enqueue(&naze, &other);
    assert_eq!(
        alerts(&naze)[..2],
        ["disk gone db2 warning -".to_owned(), "DiskGone db2 critical -".to_owned()],
        "a worse one is news, and says itself what it is"
    );
}

#[test]
fn an_event_of_a_key_that_fired_again_is_another_alert() {
    let naze = Naze::in_memory();
    let at = |minute: u32| {
        let time = format!("2026-03-10T11:{minute:02}:00Z");
        json!({"summary": "disk full", "source": "db1", "severity": "warning", "timestamp": time})
    };
    let resolve = |minute: u32| json!({"routing_key": "r", "event_action": "resolve", "dedup_key": "disk/db1", "payload": at(minute)});
    for event in [trigger(&at(0)), trigger(&at(5)), resolve(10), trigger(&at(20)), trigger(&at(0)), resolve(30)] {
        assert_eq!(enqueue(&naze, &event).status, 202);
    }
    assert_eq!(
        alerts(&naze),
        ["disk full db1 warning 2026-03-10T11:10:00Z", "disk full db1 warning 2026-03-10T11:30:00Z"]
    );
}

#[test]
fn a_trigger_without_a_key_is_given_one_that_resolves_it() {
    let naze = Naze::in_memory();
    let mut event = trigger(&json!({"summary": "cron failed", "source": "db1", "severity": "info"}));
    event.as_object_mut().unwrap().remove("dedup_key");
    let answer = enqueue(&naze, &event).json();
    let key = answer["dedup_key"].as_str().unwrap();
    assert_eq!(key.len(), 32, "{answer}");
    enqueue(&naze, &json!({"routing_key": "r", "event_action": "resolve", "dedup_key": key}));
    assert_eq!(alerts(&naze), ["cron failed db1 info 2026-03-10T12:00:00Z"]);
}

#[test]
fn change_events_are_answered_without_a_dedup_key() {
    let naze = Naze::in_memory();
    let change = json!({"routing_key": "r", "payload": {"summary": "flag on"}});
    let reply = naze.post("/v2/change/enqueue", "application/json", change.to_string());
    assert_eq!(reply.status, 202);
    assert_eq!(reply.json(), json!({"status": "success", "message": "Change event processed"}));
    let broken = naze.post("/v2/change/enqueue", "application/json", "{");
    assert_eq!(broken.status, 400);
    assert_eq!(broken.json()["status"], "invalid event");
}

#[test]
fn a_note_finds_the_component_of_its_incident() {
    let naze = Naze::in_memory();
    let send = |id: &str, event_type: &str, data: Json| {
        let event =
            json!({"event": {"id": id, "event_type": event_type, "occurred_at": "2026-03-10T11:00:00Z", "data": data}});
        let reply = naze.post("/hooks/pagerduty", "application/json", event.to_string());
        assert_eq!(reply.status, 201, "{}", reply.text());
        let receipt = reply.json()["receipts"][0]["id"].as_str().unwrap().to_owned();
        naze.get(&format!("/v1/receipts/{receipt}")).json()
    };
    let incident = json!({"type": "incident", "id": "P1", "status": "triggered", "title": "Slow", "service": {"summary": "checkout"}});
    send("1", "incident.triggered", incident);
    let note = json!({"type": "incident_note", "content": "restarted", "incident": {"id": "P1"}});
    let note = send("2", "incident.annotated", note);
    assert_eq!((&note["component"], &note["reference"]), (&json!("checkout"), &json!("pagerduty-P1")));
}

#[test]
fn a_rule_of_an_old_grafana_fires_once_and_ends_under_its_own_name() {
    let naze = Naze::in_memory();
    let send = |state: &str, matches: Json| {
        let rule = json!({"ruleId": 3, "orgId": 1, "ruleName": "Queue", "state": state, "evalMatches": matches});
        naze.post("/hooks/grafana", "application/json", rule.to_string()).json()
    };
    let matches = json!([{"metric": "depth", "value": 12, "tags": {"service": "orders"}}]);
    assert_eq!(send("alerting", matches.clone())["recorded"], 1);
    let mut grown = matches;
    grown[0]["value"] = 13.into();
    assert_eq!(send("alerting", grown)["duplicate"], 1, "a reminder");
    assert_eq!(send("ok", json!([]))["recorded"], 1);
    assert_eq!(alerts(&naze), ["Queue orders - 2026-03-10T12:00:00Z"]);
}

#[test]
fn the_same_labels_in_two_organisations_of_grafana_are_two_alerts() {
    let naze = Naze::in_memory();
    let send = |organisation: u32| {
        let alert = json!({"status": "firing", "labels": {"alertname": "Slow"}, "startsAt": "2026-03-10T11:00:00Z", "fingerprint": "f"});
        let body = json!({"version": "1", "orgId": organisation, "alerts": [alert]}).to_string();
        naze.send(Request::put("/hooks/grafana").body(Body::from(body)).unwrap()).json()
    };
    assert_eq!(send(1)["recorded"], 1);
    assert_eq!(send(1)["duplicate"], 1);
    assert_eq!(send(2)["recorded"], 1);
}

#[test]
fn a_rule_without_data_opens_no_incident() {
    let naze = Naze::in_memory();
    let send = |name: &str, service: &str| {
        let labels = json!({"alertname": name, "rulename": "Slow", "service": service, "severity": "critical"});
        let alert = json!({"status": "firing", "labels": labels, "startsAt": "2026-03-10T11:00:00Z"});
        let body = json!({"version": "1", "alerts": [alert]}).to_string();
        assert_eq!(naze.post("/hooks/grafana", "application/json", body).status, 201);
    };
    let open = || naze.get("/v1/queries/open_incidents").json()["rows"].as_array().unwrap().len();
    send("DatasourceNoData", "checkout");
    send("DatasourceError", "checkout");
    assert_eq!(open(), 0);
    send("Slow", "checkout");
    assert_eq!(open(), 1);
}

#[test]
fn a_signature_is_asked_for_as_soon_as_there_is_a_secret() {
    let mut config = Config::in_memory();
    config.take_credentials(|name| {
        name.ends_with("_SECRET").then(|| "sesame".to_owned()).filter(|_| !name.contains("EVENTS"))
    });
    let naze = Naze::with(config);
    let body = r#"{"event":{"id":"1","event_type":"pagey.ping","data":{"type":"ping"}}}"#;
    let send = |path: &str, header: &str, value: &str| {
        naze.send(Request::post(path).header(header, value).body(Body::from(body)).unwrap())
    };
    // printf '%s' "$body" | openssl dgst -sha256 -hmac sesame
    let signature = "60db1de1c8bac6933c0d1ad7f56420ed559691842b2095e1ee34dc9112c294dd";
    let wrong = "0".repeat(64);
    let rotated = format!("v1={wrong}, v1={signature}");
    assert_eq!(send("/hooks/pagerduty", "x-pagerduty-signature", &rotated).status, 200);
    assert_eq!(send("/hooks/pagerduty", "x-pagerduty-signature", &format!("v1={wrong}")).status, 403);
    assert_eq!(send("/hooks/pagerduty", "x-pagerduty-signature", signature).status, 403, "no scheme");
    let unsigned = send("/hooks/grafana", "x-other", "");
    assert_eq!(unsigned.status, 403);
    assert_eq!(unsigned.json()["detail"], "the header X-Grafana-Alerting-Signature is missing");
    assert_eq!(send("/hooks/grafana", "x-grafana-alerting-signature", signature).status, 400, "signed, but no alerts");
    let short = send("/hooks/grafana", "x-grafana-alerting-signature", "ab");
    assert_eq!(short.json()["detail"], "the header X-Grafana-Alerting-Signature is not 64 hexadecimal digits");
    assert_eq!(send("/hooks/github", "x-hub-signature-256", &format!("sha256={wrong}")).status, 403);
}
