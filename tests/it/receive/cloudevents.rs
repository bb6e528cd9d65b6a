//! CloudEvents in every mode, and CDEvents in and out of them.

use std::fs;

use axum::body::Body;
use axum::http::Request;
use naze::config::Config;
use serde_json::{Value as Json, json};

use super::{assert_valid, check_folder, files, payloads, receipts};
use crate::common::Naze;
use crate::sources::{headers, post, read, read_http, receiver};

#[test]
fn cloudevents_give_the_expected_receipts() {
    check_folder("cloudevents", |_, request| read_http("cloudevents", request));
}

#[test]
fn cdevents_give_the_expected_receipts() {
    check_folder("cdevents", |_, request| read_http("cloudevents", request));
}

#[test]
fn cloudevents_come_in_every_mode_and_once() {
    let naze = Naze::in_memory();
    let data = json!({"component": "checkout", "failureType": "Timeout"});
    let binary = [
        ("content-type", "application/json; charset=utf-8"),
        ("ce-specversion", "1.0"),
        ("ce-id", "\"1%20a\""),
        ("ce-source", "/tests"),
        ("ce-type", "dev.naze.failure"),
        ("ce-time", "2026-03-10T10:00:00Z"),
        ("ce-traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ];
    let first = post(&naze, "/events", &binary, &data.to_string());
    assert_eq!(first.status, 201, "{}", first.text());
    let id = first.json()["receipts"][0]["id"].as_str().unwrap().to_owned();
    let receipt = naze.get(&format!("/v1/receipts/{id}")).json();
    assert_eq!(receipt["traceId"], "0af7651916cd43dd8448eb211c80319c");
    assert_eq!(receipt["occurredAt"], "2026-03-10T10:00:00Z");

    let event = |id: &str| {
        json!({"specversion": "1.0", "id": id, "source": "/tests", "type": "dev.naze.failure",
            "time": "2026-03-10T10:01:00Z", "data": data})
    };
    let structured = [("content-type", "application/CloudEvents+json")];
    assert_eq!(post(&naze, "/events", &structured, &event("1 a").to_string()).json()["duplicate"], 1, "the same name");
    // Another id is another event, even when all else is the same.
    let batch = json!([event("2"), {"specversion": "1.0", "id": "3", "source": "/tests", "type": "com.example.other"},
        {"specversion": "1.0", "id": "4", "type": "dev.naze.failure"}, event("5")]);
    let reply = post(&naze, "/events", &[("content-type", "application/cloudevents-batch+json")], &batch.to_string());
    assert_eq!(reply.status, 207);
    let answer = reply.json();
    assert_eq!(
        (&answer["recorded"], &answer["duplicate"], &answer["refused"]),
        (&json!(2), &json!(0), &json!(1)),
        "{answer}"
    );
    assert_eq!(answer["receipts"][1]["problem"]["violations"][0]["message"], "the event has no source");
    assert_eq!(post(&naze, "/events", &[("content-type", "application/cloudevents-batch+json")], "[]").status, 200);

    let avro = post(&naze, "/events", &[("content-type", "application/cloudevents+avro")], "x");
    assert_eq!(avro.status, 415);
    let bad_header = [("ce-specversion", "1.0"), ("ce-id", "%C0%A0"), ("ce-source", "s"), ("ce-type", "t")];
    assert_eq!(post(&naze, "/events", &bad_header, "{}").status, 422);
    assert_eq!(post(&naze, "/events", &[("content-type", "application/json")], "{}").status, 400);
}

/// Each request of the feature file, with a type and a subject that make its message a note.
#[test]
fn the_conformance_requests_are_read_with_all_their_attributes() {
    let Some(folder) = payloads("cloudevents/conformance") else { return };
    let feature = fs::read_to_string(folder.join("http-protocol-binding.feature")).unwrap();
    let mut read = 0;
    for scenario in feature.split("Scenario Outline:").skip(1) {
        let request = scenario.split("\"\"\"").nth(1).unwrap();
        let examples = scenario.split("| contentType").nth(1).unwrap();
        for content_type in examples.lines().skip(1).filter_map(|line| line.split('|').nth(1)) {
            let request = request.trim().replace("\n        ", "\n").replace("<contentType>", content_type.trim());
            let request = request
                .replace("ce-type: com.example.someevent", "ce-type: dev.naze.note\nce-subject: shop")
                .replace("\"type\": \"com.example.someevent\"", "\"type\": \"dev.naze.note\", \"subject\": \"shop\"");
            let received = read_http("cloudevents", request.as_bytes()).unwrap();
            let receipts = receipts(&received);
            assert_valid(&receipts);
            assert_eq!(receipts[0].text("message"), Some("Hello World!"), "{request}");
            assert_eq!(receipts[0].component(), Some("shop"));
            assert_eq!(receipts[0].text("source"), Some("/mycontext/subcontext"));
            assert_eq!(receipts[0].occurred_at().unwrap().to_string(), "2018-04-05T03:56:24Z");
            assert_eq!(receipts[0].labels()["event.id"], "1234-1234-1234");
            read += 1;
        }
    }
    assert_eq!(read, 4);
}

/// In an envelope or out of it, a CDEvent is the same fact.
#[test]
fn a_cdevent_is_the_same_in_every_mode() {
    let Some(folder) = payloads("cdevents/conformance") else { return };
    let cloudevents = receiver("cloudevents");
    for path in files(&folder) {
        let body = fs::read(&path).unwrap();
        let event: Json = serde_json::from_slice(&body).unwrap();
        let context = |name: &str| event["context"][name].as_str().unwrap();
        let plain = read(cloudevents, "/events", &headers(&[("content-type", "application/json")]), &body).unwrap();
        let binary = headers(&[
            ("content-type", "application/json"),
            ("ce-specversion", "1.0"),
            ("ce-id", context("id")),
            ("ce-source", context("source")),
            ("ce-type", context("type")),
            ("ce-time", context("timestamp")),
        ]);
        assert_eq!(read(cloudevents, "/events", &binary, &body).unwrap(), plain, "{}", path.display());
        let envelope = json!({"specversion": "1.0", "id": context("id"), "source": context("source"),
            "type": context("type"), "data": event});
        for (media_type, document) in [
            ("application/cloudevents+json", envelope.clone()),
            ("application/cloudevents-batch+json", json!([envelope])),
            ("application/json", json!([event])),
        ] {
            let headers = headers(&[("content-type", media_type)]);
            let received = read(cloudevents, "/events", &headers, document.to_string().as_bytes()).unwrap();
            assert_eq!(received, plain, "{media_type} {}", path.display());
        }
    }
}

#[test]
fn the_conformance_events_are_all_told_though_they_share_their_ids_and_a_retry_is_none() {
    let Some(folder) = payloads("cdevents/conformance") else { return };
    let naze = Naze::in_memory();
    for outcome in ["recorded", "duplicate"] {
        let mut count = 0;
        for path in files(&folder) {
            let answer = naze.post("/events", "application/json", fs::read(&path).unwrap()).json();
            count += answer[outcome].as_u64().unwrap();
            assert_eq!(answer["refused"], 0, "{}", path.display());
        }
        assert_eq!(count, 14, "{outcome}");
    }
}

/// The types of CDEvents 0.5.1, with what each is to naze.
const TYPES: [(&str, &str); 46] = [
    ("artifact.deleted.0.2.0", "change"),
    ("artifact.downloaded.0.2.0", ""),
    ("artifact.packaged.0.3.0", "stage"),
    ("artifact.published.0.3.0", "stage"),
    ("artifact.signed.0.3.0", "stage"),
    ("branch.created.0.3.0", ""),
    ("branch.deleted.0.3.0", ""),
    ("build.finished.0.3.0", "stage"),
    ("build.queued.0.3.0", ""),
    ("build.started.0.3.0", ""),
    ("change.abandoned.0.3.0", ""),
    ("change.created.0.4.0", ""),
    ("change.merged.0.3.0", "change"),
    ("change.reviewed.0.3.0", ""),
    ("change.updated.0.3.0", ""),
    ("environment.created.0.3.0", "change"),
    ("environment.deleted.0.3.0", "change"),
    ("environment.modified.0.3.0", "change"),
    ("incident.detected.0.3.0", "incident"),
    ("incident.reported.0.3.0", "incident"),
    ("incident.resolved.0.3.0", "incident"),
    ("pipelinerun.finished.0.3.0", "stage"),
    ("pipelinerun.queued.0.3.0", ""),
    ("pipelinerun.started.0.3.0", ""),
    ("repository.created.0.3.0", ""),
    ("repository.deleted.0.3.0", ""),
    ("repository.modified.0.3.0", ""),
    ("service.deployed.0.3.0", "deployment"),
    ("service.published.0.3.0", "change"),
    ("service.removed.0.3.0", "change"),
    ("service.rolledback.0.3.0", "deployment"),
    ("service.upgraded.0.3.0", "deployment"),
    ("taskrun.finished.0.3.0", "stage"),
    ("taskrun.started.0.3.0", ""),
    ("testcaserun.finished.0.3.0", "gate"),
    ("testcaserun.queued.0.3.0", ""),
    ("testcaserun.skipped.0.2.0", ""),
    ("testcaserun.started.0.3.0", ""),
    ("testoutput.published.0.3.0", ""),
    ("testsuiterun.finished.0.3.0", "gate"),
    ("testsuiterun.queued.0.3.0", ""),
    ("testsuiterun.started.0.3.0", ""),
    ("ticket.closed.0.2.0", ""),
    ("ticket.created.0.2.0", ""),
    ("ticket.updated.0.2.0", ""),
    ("approval.closed.0.1.0", "gate"),
];

#[test]
fn every_type_of_cdevent_has_its_kind_whatever_its_version() {
    for (name, kind) in TYPES {
        let unversioned = name.split('.').take(2).collect::<Vec<_>>().join(".");
        for name in [name.to_owned(), format!("{unversioned}.0.1.0"), format!("{unversioned}.9.0.0-draft")] {
            let event = json!({
                "context": {"version": "0.3.0", "id": "1", "source": "/ci", "type": format!("dev.cdevents.{name}"),
                    "timestamp": "2026-03-10T10:00:00Z"},
                "subject": {"id": "subject", "type": "any", "content": {"environment": {"id": "prod"}, "outcome": "failure",
                    "artifactId": "pkg:oci/shop@sha256%3A0b", "decision": "rejected"}}});
            let headers = headers(&[("content-type", "application/json")]);
            let received = read(receiver("cloudevents"), "/events", &headers, event.to_string().as_bytes()).unwrap();
            let kinds: Vec<String> = receipts(&received).iter().map(|receipt| receipt.kind().to_owned()).collect();
            assert_eq!(kinds.concat(), kind, "{name}");
            assert_eq!(received.ignored, usize::from(kind.is_empty()), "{name}");
            assert_valid(&receipts(&received));
        }
    }
}

#[test]
fn the_types_are_those_of_the_schemas() {
    let Some(folder) = payloads("cdevents/schemas") else { return };
    let types = files(&folder).into_iter().filter_map(|path| {
        let schema: Json = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        let name = schema["properties"]["context"]["properties"]["type"]["enum"][0].as_str()?;
        Some(name.trim_start_matches("dev.cdevents.").to_owned())
    });
    let mut types: Vec<String> = types.collect();
    types.sort();
    let known: Vec<&str> = TYPES.iter().map(|(name, _)| *name).filter(|name| !name.starts_with("approval")).collect();
    assert_eq!(types, known);
}

#[test]
fn links_and_causations_lead_to_the_receipts_of_their_events() {
    let naze = Naze::in_memory();
    let cdevent = |id: &str, name: &str, source: &str, links: Json| {
        json!({"context": {"specversion": "0.5.1", "id": id, "source": source, "type": format!("dev.cdevents.{name}.0.3.0"),
                "timestamp": "2026-03-10T10:00:00Z", "links": links},
            "subject": {"id": "shop", "content": {"environment": {"id": "prod"}, "artifactId": "pkg:oci/shop@1",
                "outcome": "success", "pipelineName": "release"}}})
    };
    let send = |event: &Json| {
        let reply = naze.post("/events", "application/json", event.to_string());
        assert_eq!(reply.status, 201, "{}", reply.text());
        reply.json()["receipts"][0]["id"].as_str().unwrap().to_owned()
    };
    let causes = |id: &str| naze.get(&format!("/v1/receipts/{id}")).json()["causedBy"].clone();
    let merged = send(&cdevent("e1", "change.merged", "/git", json!([])));
    let run = send(&cdevent(
        "e2",
        "pipelinerun.finished",
        "/ci",
        json!([{"linkType": "PATH", "from": {"contextId": "e1"}}, {"linkType": "PATH", "from": {"contextId": "unheard-of"}},
            {"linkType": "RELATION", "linkKind": "TRIGGER", "target": {"contextId": "e1"}}]),
    ));
    assert_eq!(causes(&run), json!(merged), "of another source, and once");
    let related = json!([{"linkType": "RELATION", "linkKind": "CONTEXT", "target": {"contextId": "e1"}},
        {"linkType": "END", "from": {"contextId": "e2"}}]);
    let deployed = send(&cdevent("e3", "service.deployed", "/cd", related));
    assert_eq!(causes(&deployed), json!(run), "a relation of another kind is no cause");
    let failure = send(&json!({"specversion": "1.0", "id": "e4", "source": "/app", "type": "dev.naze.failure",
        "time": "2026-03-10T10:01:00Z", "subject": "shop", "causationid": "e3", "data": {"failureType": "Timeout"}}));
    assert_eq!(causes(&failure), json!(deployed));
}

#[test]
fn the_handshake_promises_only_what_it_is_asked_and_calls_nobody() {
    let naze = Naze::in_memory();
    let ask = Request::options("/events")
        .header("webhook-request-origin", "eventemitter.example.com")
        .header("webhook-request-callback", "http://127.0.0.1:9/confirm")
        .header("webhook-request-rate", "120");
    let handshake = naze.send(ask.body(Body::empty()).unwrap());
    assert_eq!((handshake.status.as_u16(), handshake.body.as_slice()), (200, &b""[..]));
    assert_eq!(handshake.headers["webhook-allowed-origin"], "eventemitter.example.com");
    assert_eq!(handshake.headers["webhook-allowed-rate"], "*");
    assert_eq!(handshake.headers["allow"], "OPTIONS, POST");
    let unasked = naze.send(Request::options("/events").body(Body::empty()).unwrap());
    assert!(!unasked.headers.contains_key("webhook-allowed-origin"));
}

#[test]
fn whoever_may_not_send_hears_that_first() {
    let mut config = Config::in_memory();
    config.take_credentials(|name| (name == "NAZE_CLOUDEVENTS_TOKEN").then(|| "sesame".to_owned()));
    let naze = Naze::with(config);
    let avro = [("content-type", "application/cloudevents+avro")];
    assert_eq!(post(&naze, "/events", &avro, "x").status, 401);
    assert_eq!(post(&naze, "/events?token=sesame", &avro, "x").status, 415);
    assert_eq!(post(&naze, "/events?token=sesame", &[("content-type", "text/plain")], "x").status, 415);
}
