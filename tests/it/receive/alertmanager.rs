//! Alerts by the ways other than the webhook: the event recorder, and Prometheus itself.

use axum::body::Body;
use axum::http::{HeaderMap, Request, StatusCode};
use naze::clock::Timestamp;
use naze::config::{Config, Sender};
use naze::engine::Engine;
use naze::error::Result;
use naze::receive::{Delivery, Given, RECEIVERS, Received, active_alerts};
use naze::record::Window;
use naze::vocab::Vocabulary;
use serde_json::{Value as Json, json};

use super::{check_folder, check_payloads, mapping, received_at};
use crate::common::Naze;

/// Reads a document that arrives at `at`, as the receiver of this name does.
fn read_at(name: &str, body: &[u8], at: Timestamp) -> Result<Received> {
    let receiver = RECEIVERS.iter().find(|receiver| receiver.name == name).unwrap();
    let delivery = Delivery { path: receiver.paths[0], headers: &HeaderMap::new(), body };
    let (mapping, vocabulary) = (mapping(), Vocabulary::builtin());
    (receiver.read)(&delivery, &Given { received_at: at, mapping: &mapping, vocabulary: &vocabulary })
}

pub(super) fn read_as(name: &str, body: &[u8]) -> Result<Received> {
    read_at(name, body, received_at())
}

#[test]
fn events_give_the_expected_receipts() {
    check_folder("alertmanager-events", |_, body| read_as("alertmanager_events", body));
}

#[test]
fn alerts_of_prometheus_give_the_expected_receipts() {
    check_folder("alertmanager-api-v2", |_, body| read_as("alertmanager_api", body));
}

#[test]
fn what_prometheus_posts_gives_the_expected_receipts() {
    // After the end of the resolved ones, and before the promise of the others.
    let at = "2026-11-21T00:42:00Z".parse().unwrap();
    check_payloads("alertmanager-api-v2/post-by-prometheus", 5, |_, body| read_at("alertmanager_api", body, at));
}

#[test]
fn what_alertmanager_lists_gives_the_expected_receipts() {
    let (mapping, vocabulary) = (mapping(), Vocabulary::builtin());
    let given = Given { received_at: received_at(), mapping: &mapping, vocabulary: &vocabulary };
    check_payloads("alertmanager-api-v2/get", 1, |_, body| active_alerts(body, &given));
}

/// What a Prometheus sends; it is 12:00 at the naze that hears it.
fn alert(starts_at: &str, ends_at: &str) -> Json {
    json!({"labels": {"alertname": "HighErrorRate", "service": "checkout", "severity": "warning"},
        "annotations": {"summary": "Error ratio is 12%"}, "startsAt": at(starts_at), "endsAt": at(ends_at)})
}

fn at(time: &str) -> String {
    format!("2026-03-10T{time}Z")
}

#[track_caller]
fn post(naze: &Naze, alerts: &Json) {
    let reply = naze.post("/api/v2/alerts", "application/json", alerts.to_string());
    assert_eq!((reply.status, reply.text().as_str()), (StatusCode::OK, ""));
}

/// Status, start and end of every alert receipt, in the order of time.
fn told(engine: &Engine) -> Vec<String> {
    let time = |time: Option<Timestamp>| time.map(|time| time.to_string()[11..].to_owned()).unwrap_or_default();
    let alerts = engine.index().of_kind("alert", Window::ALL).unwrap().into_iter();
    alerts
        .map(|alert| {
            let receipt = alert.receipt;
            let end = time(receipt.time("endsAt"));
            format!("{} {}-{end}", receipt.text("status").unwrap(), time(receipt.time("startsAt")))
        })
        .collect()
}

#[test]
fn an_alert_sent_again_and_again_is_one_episode_with_one_end() {
    let naze = Naze::in_memory();
    for ends_at in ["12:01:00", "12:02:00", "12:03:00"] {
        post(&naze, &json!([alert("11:50:00.256", ends_at)]));
    }
    assert_eq!(told(&naze.engine), ["firing 11:50:00.256Z-"]);
    for _ in 0..3 {
        post(&naze, &json!([alert("11:50:00.256", "11:58:00.256")]));
    }
    let episode = ["firing 11:50:00.256Z-", "resolved 11:50:00.256Z-11:58:00.256Z"];
    assert_eq!(told(&naze.engine), episode);
    post(&naze, &json!([alert("11:59:00", "12:03:00")]));
    assert_eq!(told(&naze.engine).len(), 3, "a new start after the end is a new episode");
}

#[test]
fn a_pair_of_prometheus_and_a_restarted_one_tell_one_episode() {
    let naze = Naze::in_memory();
    post(&naze, &json!([alert("11:50:00", "12:04:00")]));
    post(&naze, &json!([alert("11:50:15", "12:04:15")]));
    post(&naze, &json!([{"labels": alert("", "")["labels"]}]));
    assert_eq!(told(&naze.engine), ["firing 11:50:00Z-"]);
    post(&naze, &json!([alert("11:50:15", "11:59:15")]));
    post(&naze, &json!([alert("11:50:00", "11:59:00")]));
    assert_eq!(told(&naze.engine), ["firing 11:50:00Z-", "resolved 11:50:00Z-11:59:15Z"]);
}

#[test]
fn an_alert_not_told_again_is_over_when_its_promise_has_passed() {
    let naze = Naze::in_memory();
    post(
        &naze,
        &json!([alert("11:50:00", "12:04:00"), {"labels": {"alertname": "NoEnd"}, "startsAt": at("11:51:00")}]),
    );
    let end = |time: &str| naze.engine.end_episodes(at(time).parse().unwrap()).unwrap();
    assert_eq!(end("12:03:59"), 0);
    post(&naze, &json!([alert("11:50:00", "12:06:00")]));
    assert_eq!(end("12:05:00"), 1, "no end means five minutes from now");
    assert_eq!(end("12:06:00"), 1);
    assert_eq!(end("12:30:00"), 0, "an episode ends once");
    let ends = ["resolved 11:51:00Z-12:05:00Z", "resolved 11:50:00Z-12:06:00Z"];
    assert_eq!(told(&naze.engine)[2..], ends);
    let last = naze.engine.index().of_kind("alert", Window::ALL).unwrap().pop().unwrap().receipt;
    assert_eq!(last.labels()["resolved.by"], "timeout");
    // Its sender was away, not the alert: it is told again with the start it had, and then its end.
    post(&naze, &json!([alert("11:50:00", "12:40:00")]));
    post(&naze, &json!([alert("11:50:00", "11:59:30")]));
    assert_eq!(told(&naze.engine).len(), 5, "the end that the sender tells is not lost");
}

#[test]
fn an_episode_followed_by_another_ends_with_its_promise() {
    let naze = Naze::in_memory();
    post(&naze, &json!([alert("11:00:00", "12:00:10")]));
    post(&naze, &json!([alert("12:00:20", "12:04:00")]));
    assert_eq!(told(&naze.engine), ["firing 11:00:00Z-", "resolved 11:00:00Z-12:00:10Z", "firing 12:00:20Z-"]);
}

#[test]
fn alerts_that_fired_when_naze_stopped_are_taken_up_again() {
    let folder = tempfile::tempdir().unwrap();
    let over = json!({"labels": {"alertname": "Over"}, "startsAt": at("11:40:00"), "endsAt": at("11:45:00")});
    let fires = json!({"labels": {"alertname": "Over"}, "startsAt": at("11:40:00"), "endsAt": at("12:45:00")});
    {
        let naze = Naze::in_folder(folder.path());
        post(&naze, &json!([fires, alert("11:50:00", "12:04:00")]));
        post(&naze, &json!([over]));
    }
    let naze = Naze::in_folder(folder.path());
    naze.engine.resume_alerts().unwrap();
    post(&naze, &json!([alert("11:50:15", "12:04:00")]));
    assert_eq!(told(&naze.engine).len(), 3, "the start of a second Prometheus is the episode's");
    assert_eq!(naze.engine.end_episodes(at("12:05:00").parse().unwrap()).unwrap(), 1);
    assert_eq!(told(&naze.engine).last().unwrap(), "resolved 11:50:00Z-12:05:00Z");
}

#[test]
fn an_alert_told_in_every_way_is_one_episode() {
    let naze = Naze::in_memory();
    let labels = |alert: &Json| -> Json {
        let pairs = alert["labels"].as_object().unwrap().iter();
        json!({"labels": pairs.map(|(key, value)| json!({"key": key, "value": value})).collect::<Vec<_>>()})
    };
    for (ends_at, status) in [("12:04:00", "firing"), ("11:58:00", "resolved")] {
        let told = alert("11:50:00.256", ends_at);
        post(&naze, &json!([told]));
        let mut notified = told.clone();
        notified["status"] = status.into();
        let event = json!({"labels": labels(&told), "startsAt": told["startsAt"], "endsAt": told["endsAt"],
            "resolved": status == "resolved"});
        let kind = if status == "firing" { "alertCreated" } else { "alertGrouped" };
        let event = if status == "firing" {
            json!({"alert": event})
        } else {
            json!({"alert": {"hash": "1", "details": event}})
        };
        for (path, body) in [
            ("/hooks/alertmanager", json!({"alerts": [notified]})),
            ("/hooks/alertmanager-events", json!([{"@timestamp": at("11:59:00"), "data": {kind: event}}])),
        ] {
            let reply = naze.post(path, "application/json", body.to_string());
            assert_eq!((reply.status, &reply.json()["duplicate"]), (StatusCode::OK, &json!(1)), "{}", reply.text());
        }
    }
    assert_eq!(told(&naze.engine).len(), 2);
}

#[test]
fn who_suppressed_an_alert_is_told_once_an_hour() {
    let naze = Naze::in_memory();
    let muted = |time: &str| {
        json!({"@timestamp": at(time), "data": {"inhibitionMutedAlert": {"inhibitingFingerprints": ["255"],
            "mutedAlert": {"labels": {"labels": [{"key": "alertname", "value": "Slow"}]}, "fingerprint": "1"}}}})
    };
    let batch = json!([muted("10:00:00"), muted("10:59:59"), muted("11:00:00")]);
    let reply = naze.post("/hooks/alertmanager-events", "application/json", batch.to_string()).json();
    assert_eq!((&reply["recorded"], &reply["duplicate"]), (&json!(2), &json!(1)));
    let id = reply["receipts"][0]["id"].as_str().unwrap();
    let receipt = naze.get(&format!("/v1/receipts/{id}")).json();
    assert_eq!((&receipt["status"], &receipt["inhibitedBy"]), (&json!("suppressed"), &json!("00000000000000ff")));
}

#[test]
fn an_inhibited_alert_names_the_alert_it_was_taken_for_a_consequence_of() {
    let naze = Naze::in_memory();
    let down = json!({"labels": {"alertname": "DatabaseDown", "service": "orders-db"}, "startsAt": at("11:40:00")});
    post(&naze, &json!([down, {"labels": {"alertname": "Other"}, "startsAt": at("11:40:00")}]));
    let found = naze.get("/v1/queries/alert_timeline?rule=DatabaseDown").json();
    let firing =
        naze.get(&format!("/v1/receipts/{}", found["rows"][0]["event"].as_str().unwrap().rsplit(':').next().unwrap()));
    let fingerprint = u64::from_str_radix(firing.json()["fingerprint"].as_str().unwrap(), 16).unwrap();
    let event = json!({"@timestamp": at("11:50:00"), "data": {"inhibitionMutedAlert": {
        "inhibitingFingerprints": [fingerprint.to_string()],
        "mutedAlert": {"labels": {"labels": [{"key": "alertname", "value": "Slow"}, {"key": "service", "value": "checkout"}]}}}}});
    assert_eq!(
        naze.post("/hooks/alertmanager-events", "application/json", event.to_string()).status,
        StatusCode::CREATED
    );
    let rows = naze.get("/v1/queries/inhibitions").json()["rows"].clone();
    let [row] = &rows.as_array().unwrap()[..] else { panic!("{rows}") };
    let told = ["component", "rule", "cause", "cause_rule", "fired"].map(|column| row[column].as_str().unwrap());
    assert_eq!(told, ["checkout", "Slow", "orders-db", "DatabaseDown", "2026-03-10T11:40:00Z"]);
}

#[test]
fn prometheus_hears_what_alertmanager_would_say() {
    let naze = Naze::in_memory();
    let send = |body: &str| {
        let reply = naze.post("/api/v2/alerts", "application/json", body.to_owned());
        (reply.status.as_u16(), reply.text())
    };
    assert_eq!(send("[]"), (200, String::new()));
    let (status, body) = send("{");
    assert_eq!((status, serde_json::from_str::<Json>(&body).unwrap()["code"].as_u64()), (400, Some(400)), "{body}");
    let wrong = json!([{"labels": {"alertname": "Backwards"}, "startsAt": at("11:00:00"), "endsAt": at("10:00:00")},
        alert("11:50:00", "12:04:00"), {"labels": {}}]);
    let (status, body) = send(&wrong.to_string());
    assert_eq!(status, 400);
    let refused = "startsAt must not be later than endsAt, got \"2026-03-10T11:00:00Z\"; an alert needs labels";
    assert_eq!(serde_json::from_str::<Json>(&body).unwrap(), refused);
    assert_eq!(told(&naze.engine), ["firing 11:50:00Z-"], "the good one is recorded");
    assert_eq!(naze.get("/-/ready").status, StatusCode::OK);
    assert_eq!(naze.get("/-/healthy").status, StatusCode::OK);
}

#[test]
fn prometheus_proves_itself_by_its_token() {
    let token = Sender { token: Some("s3cret".to_owned().into()), ..Sender::default() };
    let mut config = Config::in_memory();
    config.senders.insert("alertmanager_api".to_owned(), token);
    let naze = Naze::with(config);
    let send = |authorization: &str| {
        let request = Request::post("/api/v2/alerts").header("authorization", authorization);
        naze.send(request.header("content-type", "application/json").body(Body::from("[]")).unwrap()).status
    };
    assert_eq!(send("Bearer s3cret"), StatusCode::OK);
    assert_eq!(send("Bearer secret"), StatusCode::UNAUTHORIZED);
}
