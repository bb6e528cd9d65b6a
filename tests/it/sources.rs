//! What real senders sent, under `../shared`, against snapshots that were read; and what all receivers have in common.

use std::fs;
use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request};
use naze::config::{Config, Secret};
use naze::receive::{Delivery, Given, Item, RECEIVERS, Received, Receiver};
use naze::vocab::Vocabulary;
use proptest::prelude::*;
use serde_json::{Value as Json, json};

use crate::common::{Naze, Reply};
use crate::receive::{assert_valid, crate_path, files, mapping, payloads, received_at, told};

pub(crate) fn receiver(name: &str) -> &'static Receiver {
    RECEIVERS.iter().find(|receiver| receiver.name == name).unwrap_or_else(|| panic!("no receiver {name}"))
}

pub(crate) fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let pair =
        |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap());
    pairs.iter().map(pair).collect()
}

pub(crate) fn read(receiver: &Receiver, path: &str, headers: &HeaderMap, body: &[u8]) -> naze::error::Result<Received> {
    let vocabulary = Vocabulary::builtin();
    let mapping = mapping();
    let given = Given { received_at: received_at(), mapping: &mapping, vocabulary: &vocabulary };
    (receiver.read)(&Delivery { path, headers, body }, &given)
}

/// Reads a request as it goes over the wire: its first line, its headers, an empty line, and the body.
pub(crate) fn read_http(name: &str, request: &[u8]) -> naze::error::Result<Received> {
    let text = std::str::from_utf8(request).unwrap();
    let (head, body) = text.split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let pairs: Vec<(&str, &str)> = head
        .lines()
        .skip(1)
        .map(|line| line.split_once(':').map(|(name, value)| (name, value.trim())).unwrap())
        .collect();
    let receiver = receiver(name);
    read(receiver, receiver.paths[0], &headers(&pairs), body.as_bytes())
}

/// Every payload of a folder, with what it becomes. `sent` says where it is posted and with which headers.
fn check_payloads(source: &str, sent: impl Fn(&Path) -> Option<(&'static str, &'static str, HeaderMap)>) {
    let Some(folder) = payloads(source) else { return };
    let mut all = String::new();
    for path in files(&folder) {
        let Some((name, at, headers)) = sent(&path) else { continue };
        let body = fs::read(&path).unwrap();
        let received = read(receiver(name), at, &headers, &body);
        if let Ok(received) = &received {
            let receipts: Vec<_> = received
                .items
                .iter()
                .filter_map(|item| match item {
                    Item::Receipt(draft) => Some(draft.receipt.clone()),
                    Item::Refused(_) => None,
                })
                .collect();
            assert_valid(&receipts);
        }
        let told = told(received);
        all += &format!("{}\n", path.strip_prefix(&folder).unwrap().display());
        for item in told["items"].as_array().into_iter().flatten() {
            all += &format!("  {item}\n");
        }
        for (name, rest) in told.as_object().unwrap().iter().filter(|(name, _)| *name != "items") {
            all += &format!("  {name}: {rest}\n");
        }
    }
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(format!("payloads of {source}"), all);
    });
}

fn as_json() -> HeaderMap {
    headers(&[("content-type", "application/json")])
}

fn is_json(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "json")
}

#[test]
fn grafana() {
    check_payloads("grafana", |path| is_json(path).then(|| ("grafana", "/hooks/grafana", as_json())));
}

#[test]
fn pagerduty() {
    check_payloads("pagerduty", |path| is_json(path).then(|| ("pagerduty", "/hooks/pagerduty", as_json())));
}

#[test]
fn github() {
    check_payloads("github", |path| {
        let folder = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let file = path.file_name().unwrap().to_str().unwrap();
        let event = if folder == "enterprise-server" { file.split('.').next().unwrap() } else { folder };
        let headers = headers(&[("content-type", "application/json"), ("x-github-event", event)]);
        is_json(path).then_some(("github", "/hooks/github", headers))
    });
}

#[test]
fn cdevents() {
    let is_event = |path: &Path| is_json(path) && !path.to_str().unwrap().contains("schema");
    check_payloads("cdevents", |path| is_event(path).then(|| ("cloudevents", "/events", as_json())));
}

#[test]
fn cloudevents() {
    let headers = headers(&[("content-type", "application/cloudevents+json")]);
    check_payloads("cloudevents", |path| {
        let is_event = is_json(path) && path.parent().unwrap().file_name().unwrap() != "schema";
        is_event.then(|| ("cloudevents", "/events", headers.clone()))
    });
}

#[test]
fn argocd() {
    // What Argo CD itself receives: posted here, it is refused as a whole.
    check_payloads("argocd", |path| is_json(path).then(|| ("argocd", "/hooks/argocd", as_json())));
}

#[test]
fn signatures_are_checked_over_the_raw_body() {
    let Some(folder) = payloads("") else { return };
    let vectors: Vec<Json> = serde_json::from_slice(&fs::read(folder.join("signatures.json")).unwrap()).unwrap();
    for vector in &vectors {
        let body = match vector["file"].as_str() {
            Some(file) => fs::read(folder.join(file)).unwrap(),
            None => vector["body"].as_str().unwrap().into(),
        };
        let pairs: Vec<(&str, &str)> = vector["headers"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
            .collect();
        let headers = headers(&pairs);
        let receiver = receiver(vector["format"].as_str().unwrap());
        let secret = Secret::from(vector["secret"].as_str().unwrap().to_owned());
        let delivery = Delivery { path: receiver.paths[0], headers: &headers, body: &body };
        let outcome = receiver.verify.unwrap()(secret.expose(), &delivery);
        assert_eq!(outcome.is_ok(), vector["valid"].as_bool().unwrap(), "{vector}");
    }
    assert!(vectors.len() >= 14, "{} signatures checked", vectors.len());
}

/// Payloads of all receivers and the bodies of the fixtures, whole, cut, and with bytes changed.
fn document() -> impl Strategy<Value = Vec<u8>> {
    let samples: Vec<Vec<u8>> = [
        r#"{"version":"1","alerts":[{"status":"firing","labels":{"alertname":"A"},"values":{"B":1.5},"startsAt":"2026-01-01T00:00:00Z"}]}"#,
        r#"{"ruleName":"r","state":"alerting","evalMatches":[{"metric":"m","value":3}],"tags":{"a":"b"}}"#,
        r#"{"event_action":"trigger","dedup_key":"k","payload":{"summary":"s","source":"h","severity":"error","timestamp":"2015-07-17T08:42:58.315+0000","custom_details":{"x":1}}}"#,
        r#"{"event":{"id":"1","event_type":"incident.triggered","data":{"type":"incident","id":"P","status":"triggered","service":{"summary":"shop"}}}}"#,
        r#"{"ref":"refs/heads/main","before":"a","after":"b","repository":{"name":"r","default_branch":"main"},"head_commit":{"message":"m"}}"#,
        r#"{"context":{"specversion":"0.5.1","id":"1","source":"/s","type":"dev.cdevents.service.deployed.0.3.0","timestamp":"2026-01-01T00:00:00Z","links":[{"linkType":"PATH","from":{"contextId":"0"}}]},"subject":{"id":"shop","content":{"environment":{"id":"prod"},"artifactId":"pkg:oci/shop@sha256%3A0b"}},"customData":{"a":1}}"#,
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"dev.naze.failure","time":"2026-01-01T00:00:00Z","data_base64":"eyJjb21wb25lbnQiOiJhIn0="}"#,
        r#"{"app":{"metadata":{"name":"shop"},"status":{"health":{"status":"Healthy"},"history":[{"revision":"a"}],"conditions":[{"message":"m"}],"operationState":{"phase":"Succeeded","startedAt":"2026-01-01T00:00:00Z"}}}}"#,
        r#"{"event":"aborted","rollout":{"metadata":{"name":"shop","generation":3,"annotations":{"rollout.argoproj.io/revision":"2"}},"spec":{"template":{"spec":{"containers":[{"image":"shop:1@sha256:0"}]}}},"status":{"abort":true,"conditions":[{"lastUpdateTime":"2026-01-01T00:00:00Z"}]}}}"#,
        r#"{"name":"shop","namespace":"n","phase":"Finalising","checksum":"c","metadata":{"eventMessage":"Promotion completed! ","eventType":"Normal","timestamp":"1773136800000"}}"#,
    ].map(|text| text.as_bytes().to_vec()).to_vec();
    let fixtures = ["cloudevents", "cdevents", "argocd", "flagger"].map(|source| {
        files(&crate_path("tests/receive").join(source)).into_iter().filter_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            text.split_once("\n\n").map(|(_, body)| body.as_bytes().to_vec()).filter(|body| !body.is_empty())
        })
    });
    let samples: Vec<Vec<u8>> = samples.into_iter().chain(fixtures.into_iter().flatten()).collect();
    let sample = prop::sample::select(samples);
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        sample.clone(),
        (sample, any::<prop::sample::Index>(), any::<u8>(), any::<bool>()).prop_map(|(mut body, place, byte, cut)| {
            let place = place.index(body.len());
            if cut {
                body.truncate(place)
            } else {
                body[place] = byte
            }
            body
        }),
    ]
}

fn media_type() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "application/json",
        "application/x-protobuf",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "",
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_receiver_panics_on_any_bytes(body in document(), media_type in media_type(), event in "[a-z_]{0,12}", header in "[ -~]{0,40}") {
        for receiver in RECEIVERS {
            let headers = headers(&[("content-type", media_type), ("x-github-event", &event), ("ce-id", &header),
                ("ce-type", &header), ("ce-source", &header), ("ce-specversion", "1.0"), ("content-encoding", "snappy"),
                ("x-grafana-alerting-timestamp", &header), ("x-pagerduty-signature", &header)]);
            for path in receiver.paths {
                // What it says is for other tests; that it says something at all is for this one.
                drop(read(receiver, path, &headers, &body));
                let delivery = Delivery { path, headers: &headers, body: &body };
                if let Some(verify) = receiver.verify {
                    prop_assert!(verify(b"secret", &delivery).is_err(), "{}", receiver.name);
                }
                if let Some(find) = receiver.token_in_body {
                    drop(find(&body));
                }
            }
        }
    }
}

pub(crate) fn post(naze: &Naze, path: &str, pairs: &[(&str, &str)], body: &str) -> Reply {
    let mut request = Request::post(path);
    for (name, value) in pairs {
        request = request.header(*name, *value);
    }
    naze.send(request.body(Body::from(body.to_owned())).unwrap())
}

pub(crate) fn all(naze: &Naze, kind: &str) -> Vec<Json> {
    let path = format!("/v1/queries/events_around?at=2026-03-10T10:00:00Z&before=1h&after=1h&kind={kind}");
    naze.get(&path).json()["rows"].as_array().unwrap().clone()
}

#[test]
fn pagerduty_events_are_answered_as_pagerduty_does_and_later_steps_find_their_trigger() {
    let naze = Naze::in_memory();
    let enqueue = |body: Json| naze.post("/v2/enqueue", "application/json", body.to_string());
    let trigger = json!({"routing_key": "r", "event_action": "trigger", "dedup_key": "disk/db1", "client": "Nagios",
        "payload": {"summary": "disk full on db1", "source": "db1", "severity": "error", "component": "orders-db",
            "class": "DiskFull", "timestamp": "2026-03-10T10:00:00.000+0000", "custom_details": {"free": "1 %"}}});
    let reply = enqueue(trigger.clone());
    assert_eq!(reply.status, 202);
    assert_eq!(reply.json(), json!({"status": "success", "message": "Event processed", "dedup_key": "disk/db1"}));
    assert_eq!(enqueue(trigger).status, 202, "the same trigger again");
    let naze = &naze;
    let resolve = enqueue(json!({"routing_key": "r", "event_action": "resolve", "dedup_key": "disk/db1"}));
    assert_eq!(resolve.status, 202, "{}", resolve.text());
    let timeline = naze.get("/v1/queries/alert_timeline?to=2026-03-10T13:00:00Z").json();
    let rows = timeline["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{timeline}");
    assert_eq!((&rows[0]["component"], &rows[0]["rule"]), (&json!("orders-db"), &json!("DiskFull")));
    assert_eq!(rows[0]["resolved"], "2026-03-10T12:00:00Z");

    let wrong =
        enqueue(json!({"routing_key": "r", "event_action": "trigger", "payload": {"summary": "s", "source": "h"}}));
    assert_eq!(wrong.status, 400);
    assert_eq!(wrong.json()["errors"], json!(["the PagerDuty event has no payload.severity"]));
    assert_eq!(enqueue(json!({"event_action": "acknowledge"})).status, 400, "which one?");

    let change = json!({"routing_key": "r", "payload": {"summary": "Build 7 deployed", "source": "ci",
        "timestamp": "2026-03-10T09:58:00Z", "custom_details": {"service": "checkout"}}});
    assert_eq!(naze.post("/v2/change/enqueue", "application/json", change.to_string()).status, 202);
    let changes = all(naze, "change");
    assert_eq!((&changes[0]["component"], &changes[0]["summary"]), (&json!("checkout"), &json!("Build 7 deployed")));
}

#[test]
fn the_routing_key_is_the_token_of_pagerduty_events() {
    let mut config = Config::in_memory();
    config.take_credentials(|name| (name == "NAZE_PAGERDUTY_EVENTS_TOKEN").then(|| "sesame".to_owned()));
    let naze = Naze::with(config);
    let status = |key: &str| {
        let event = json!({"routing_key": key, "event_action": "resolve", "dedup_key": "d"});
        naze.post("/v2/enqueue", "application/json", event.to_string()).status
    };
    assert_eq!(status("guess"), 401);
    assert_eq!(status("sesame"), 202);
}
