//! What real senders sent, under `../shared`, against snapshots that were read; and what all receivers have in common.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Request};
use naze::clock::Timestamp;
use naze::config::Config;
use naze::measure::Samples;
use naze::receive::{Delivery, Given, Item, RECEIVERS, Received, Receiver};
use naze::secret::Secret;
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
        let mut body = fs::read(&path).unwrap();
        if path.extension().is_some_and(|extension| extension == "gz") {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&*body).read_to_end(&mut plain).unwrap();
            body = plain;
        }
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
        let samples = received.as_ref().map(|received| received.samples.clone()).unwrap_or_default();
        let told = told(received);
        all += &format!("{}\n", path.strip_prefix(&folder).unwrap().display());
        for item in told["items"].as_array().into_iter().flatten() {
            all += &format!("  {item}\n");
        }
        for Samples { series, unit, points } in samples {
            let points: Vec<String> =
                points.iter().map(|point| format!("{} × {} at {}", point.value, point.count, point.at)).collect();
            let unit = unit.unwrap_or_default();
            all += &format!(
                "  {:?} {} {} {:?} {unit}: {}\n",
                series.kind,
                series.metric,
                series.component,
                series.labels,
                points.join(", ")
            );
        }
        for (name, rest) in told.as_object().unwrap().iter().filter(|(name, _)| *name != "items") {
            all += &format!("  {name}: {rest}\n");
        }
    }
    insta::with_settings!({snapshot_path => "../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!(format!("payloads of {}", source.replace('/', " ")), all);
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
        r#"{"version":"1","orgId":2,"alerts":[{"status":"firing","labels":{"alertname":"DatasourceError"},"values":null,"valueString":"[ var='A' labels={service=x, a=b} value=1.5 ], [ var='B' labels={} value=1 ]"}]}"#,
        r#"{"routing_key":"r","payload":{"summary":"Deployed 7","custom_details":{"version":"7","environment":"p"}}}"#,
        r#"{"action":"completed","workflow_run":{"id":1,"name":"Deploy","conclusion":"success","head_sha":"a"},"repository":{"name":"r"}}"#,
        r#"{"event":{"id":"1","event_type":"incident.triggered","data":{"type":"incident","id":"P","status":"triggered","service":{"summary":"shop"}}}}"#,
        r#"{"ref":"refs/heads/main","before":"a","after":"b","repository":{"name":"r","default_branch":"main"},"head_commit":{"message":"m"}}"#,
        r#"{"context":{"specversion":"0.5.1","id":"1","source":"/s","type":"dev.cdevents.service.deployed.0.3.0","timestamp":"2026-01-01T00:00:00Z","links":[{"linkType":"PATH","from":{"contextId":"0"}}]},"subject":{"id":"shop","content":{"environment":{"id":"prod"},"artifactId":"pkg:oci/shop@sha256%3A0b"}},"customData":{"a":1}}"#,
        r#"{"specversion":"1.0","id":"1","source":"/s","type":"dev.naze.failure","time":"2026-01-01T00:00:00Z","data_base64":"eyJjb21wb25lbnQiOiJhIn0="}"#,
        r#"{"app":{"metadata":{"name":"shop"},"status":{"health":{"status":"Healthy"},"history":[{"revision":"a"}],"conditions":[{"message":"m"}],"operationState":{"phase":"Succeeded","startedAt":"2026-01-01T00:00:00Z"}}}}"#,
        r#"{"event":"aborted","rollout":{"metadata":{"name":"shop","generation":3,"annotations":{"rollout.argoproj.io/revision":"2"}},"spec":{"template":{"spec":{"containers":[{"image":"shop:1@sha256:0"}]}}},"status":{"abort":true,"conditions":[{"lastUpdateTime":"2026-01-01T00:00:00Z"}]}}}"#,
        r#"{"name":"shop","namespace":"n","phase":"Finalising","checksum":"c","metadata":{"eventMessage":"Promotion completed! ","eventType":"Normal","timestamp":"1773136800000"}}"#,
        "time,component,metric,value,unit,queue\n2026-03-10T11:50:00Z,orders,queue_depth,10,1,in\n",
        "# TYPE m counter\nm_total{a=\"b\\n\",c=\"d\"} 1.5e3 1773143400000 # {x=\"y\"} 3\n# EOF\n",
        r#"[{"metric":"m","value":1.5,"component":"a","occurredAt":"2026-01-01T00:00:00Z","kind":"delta","labels":{"a":1},"count":3}]"#,
    ].map(|text| text.as_bytes().to_vec()).to_vec();
    let fixtures = ["cloudevents", "cdevents", "argocd", "flagger"].map(|source| {
        files(&crate_path("tests/receive").join(source)).into_iter().filter_map(|path| {
            let text = fs::read_to_string(path).unwrap();
            text.split_once("\n\n").map(|(_, body)| body.as_bytes().to_vec()).filter(|body| !body.is_empty())
        })
    });
    // A series `m` with one sample, as remote write has it.
    let message = b"\n\x1c\n\x0d\n\x08__name__\x12\x01m\x12\x0b\x09\0\0\0\0\0\0\xf8?\x10\x01";
    let samples: Vec<Vec<u8>> =
        samples.into_iter().chain(fixtures.into_iter().flatten()).chain([message.to_vec()]).collect();
    let sample = prop::sample::select(samples);
    let document = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..200),
        sample.clone(),
        (sample, any::<prop::sample::Index>(), any::<u8>(), any::<bool>()).prop_map(|(mut body, place, byte, cut)| {
            let place = place.index(body.len());
            if cut {
                body.truncate(place);
            } else {
                body[place] = byte;
            }
            body
        }),
    ]
    .boxed();
    prop_oneof![document.clone(), document.prop_map(|body| snap::raw::Encoder::new().compress_vec(&body).unwrap()),]
}

fn media_type() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "application/json",
        "application/x-protobuf",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "text/csv",
        "application/x-ndjson",
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
    let deployments = all(naze, "deployment");
    assert_eq!(
        (&deployments[0]["component"], &deployments[0]["summary"]),
        (&json!("checkout"), &json!("Build 7 deployed"))
    );
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

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

#[test]
fn an_alert_sent_every_minute_is_one_episode_and_ends_when_it_is_not_sent_again() {
    let naze = Naze::in_memory();
    let alert = |name: &str, end: &str| {
        json!([{"labels": {"alertname": name, "service": "checkout", "empty": ""}, "annotations": {"summary": "s"},
            "startsAt": "2026-03-10T11:50:00Z", "endsAt": end}])
    };
    let send = |body: Json| naze.post("/api/v2/alerts", "application/json", body.to_string());
    let rows = || {
        let rows = naze.get("/v1/queries/alert_timeline?to=2026-03-10T23:00:00Z").json();
        let row = |row: &Json| format!("{} {}", row["rule"].as_str().unwrap(), row["resolved"].as_str().unwrap_or("-"));
        let mut rows: Vec<String> = rows["rows"].as_array().unwrap().iter().map(row).collect();
        rows.sort_unstable();
        rows.join(", ")
    };
    let first = send(alert("Errors", "2026-03-10T12:04:00Z"));
    assert_eq!((first.status.as_u16(), first.text()), (200, String::new()));
    assert_eq!(send(alert("Errors", "2026-03-10T12:05:00Z")).status, 200);
    assert_eq!(send(alert("Told", "2026-03-10T12:04:00Z")).status, 200);
    assert_eq!(rows(), "Errors -, Told -");
    assert_eq!(send(alert("Told", "2026-03-10T11:59:00Z")).status, 200, "its end is told");
    naze.engine.end_episodes(at("2026-03-10T12:04:30Z")).unwrap();
    assert_eq!(rows(), "Errors -, Told 2026-03-10T11:59:00Z", "the second sending moved the end");
    naze.engine.end_episodes(at("2026-03-10T12:05:00Z")).unwrap();
    naze.engine.end_episodes(at("2026-03-10T12:06:00Z")).unwrap();
    assert_eq!(rows(), "Errors 2026-03-10T12:05:00Z, Told 2026-03-10T11:59:00Z");

    let webhook = json!({"version": "4", "alerts": [{"status": "firing", "labels": {"alertname": "Errors", "service": "checkout"},
        "annotations": {"summary": "s"}, "startsAt": "2026-03-10T11:50:00Z", "endsAt": "0001-01-01T00:00:00Z"}]});
    let again = naze.post("/hooks/alertmanager", "application/json", webhook.to_string());
    assert_eq!(again.json()["duplicate"], 1, "the same episode by way of an Alertmanager");

    let mixed = json!([{"labels": {"alertname": "Good"}, "startsAt": "2026-03-10T11:50:00Z"}, {"labels": 3}]);
    let reply = send(mixed);
    assert_eq!((reply.status.as_u16(), reply.json()), (400, json!("labels must be an object, got 3")));
    assert!(rows().contains("Good"), "the good one is taken");
    assert_eq!(send(json!({})).status, 400);
}

#[test]
fn the_event_recorder_tells_which_alert_keeps_another_quiet() {
    let naze = Naze::in_memory();
    let labels =
        |name: &str| json!({"labels": [{"key": "alertname", "value": name}, {"key": "service", "value": "web"}]});
    let alert = |name: &str, fingerprint: &str| json!({"labels": labels(name), "startsAt": "2026-03-10T10:00:00Z", "endsAt": "2026-03-10T10:05:00Z", "fingerprint": fingerprint});
    let events = json!([
        {"@timestamp": "2026-03-10T10:00:01Z", "instance": "am-0", "data": {"alertmanagerStartupEvent": {}}},
        {"@timestamp": "2026-03-10T10:00:02Z", "data": {"alertCreated": {"alert": alert("NodeDown", "17279655951921914623")}}},
    ]);
    let reply = naze.post("/hooks/alertmanager-events", "application/json", events.to_string());
    assert_eq!(reply.json()["recorded"], 2, "{}", reply.text());
    let cause = reply.json()["receipts"][1]["id"].as_str().unwrap().to_owned();
    let muted = json!({"@timestamp": "2026-03-10T10:00:03Z", "data": {"inhibitionMutedAlert": {
        "mutedAlert": alert("WebSlow", "81985529216486895"), "inhibitingFingerprints": ["17279655951921914623"]}}});
    let reply = naze.post("/hooks/alertmanager-events", "application/json", muted.to_string());
    let id = reply.json()["receipts"][0]["id"].as_str().unwrap().to_owned();
    let receipt = naze.get(&format!("/v1/receipts/{id}")).json();
    assert_eq!((&receipt["status"], &receipt["causedBy"]), (&json!("suppressed"), &json!(cause)), "{receipt}");
    assert_eq!(receipt["fingerprint"], "0123456789abcdef");
    assert_eq!(receipt["inhibitedBy"], "efcdab89674522ff");
}

#[test]
fn otlp() {
    check_payloads("otlp", |path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        let is_protobuf = name.contains(".pb");
        if !(is_protobuf || is_json(path)) {
            return None;
        }
        let is_logs = name.contains("logs") && !name.contains("traces") || name == "events.json";
        let media_type = if is_protobuf { "application/x-protobuf" } else { "application/json" };
        let at = match name {
            name if name.contains("metrics") => "/v1/metrics",
            _ if is_logs => "/v1/logs",
            _ => "/v1/traces",
        };
        Some(("otlp", at, headers(&[("content-type", media_type)])))
    });
}

#[test]
fn otlp_is_answered_in_its_own_words_and_a_failure_told_twice_is_one() {
    let naze = Naze::in_memory();
    let attribute = |key: &str, value: &str| json!({"key": key, "value": {"stringValue": value}});
    let resource = |version: &str| json!({"attributes": [attribute("service.name", "checkout"), attribute("service.version", version)]});
    let exception = [attribute("exception.type", "TimeoutError"), attribute("exception.message", "payment took 2 s")];
    let span = json!({"traceId": "5b8efff798038103d269b633813fc60c", "spanId": "eee19b7ec3c1b174", "name": "POST /pay",
        "kind": 3, "startTimeUnixNano": "1773136800000000000", "endTimeUnixNano": 1_773_136_801_000_000_000_u64,
        "attributes": [attribute("peer.service", "payment")], "status": {"code": 2},
        "events": [{"name": "exception", "timeUnixNano": "1773136800500000000", "attributes": exception}]});
    let traces = |version: &str, spans: Json| {
        let body = json!({"resourceSpans": [{"resource": resource(version), "scopeSpans": [{"spans": spans}]}]});
        naze.post("/v1/traces", "application/json", body.to_string())
    };
    let reply = traces("1.0", json!([span, span]));
    assert_eq!((reply.status.as_u16(), reply.text()), (200, "{}".to_owned()));
    let log = json!({"timeUnixNano": "1773136800500000000", "severityNumber": 17, "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174", "body": {"stringValue": "it failed"}, "attributes": exception});
    let logs = json!({"resourceLogs": [{"resource": resource("1.0"), "scopeLogs": [{"logRecords": [log,
        {"severityNumber": 9, "body": {"stringValue": "all is well"}}]}]}]});
    assert_eq!(naze.post("/v1/logs", "application/json", logs.to_string()).text(), "{}");
    let failures = naze.get("/v1/queries/failures_before?at=2026-03-10T12:00:00Z&lookback=3h").json();
    let failures = failures["rows"].as_array().unwrap();
    assert_eq!(failures.len(), 1, "{failures:?}");
    let failure = &failures[0];
    assert_eq!((&failure["failureType"], &failure["peer"]), (&json!("TimeoutError"), &json!("payment")));
    assert_eq!(failure["time"], "2026-03-10T10:00:00.5Z");
    let edges = naze.get("/v1/queries/dependencies?at=2026-03-10T12:00:00Z").json();
    assert_eq!(edges["rows"].as_array().unwrap().len(), 1, "{edges}");

    assert_eq!(all_at_noon(&naze, "deployment"), Vec::<String>::new(), "the first version is no deployment");
    traces("1.1", json!([]));
    traces("1.0", json!([]));
    traces("1.1", json!([]));
    assert_eq!(all_at_noon(&naze, "deployment"), ["1.1"], "and two that run side by side are one");

    let wrong = naze.post("/v1/traces", "application/json", "{\"resourceSpans\": 3}");
    assert_eq!((wrong.status.as_u16(), &wrong.json()["code"]), (400, &json!(3)));
    let binary = naze.post("/v1/logs", "application/x-protobuf", vec![0xff, 0xff]);
    assert_eq!(
        (binary.status.as_u16(), &binary.headers["content-type"]),
        (400, &"application/x-protobuf".parse().unwrap())
    );
    let empty = naze.post("/v1/logs", "application/x-protobuf", Vec::new());
    assert_eq!((empty.status.as_u16(), empty.body.len()), (200, 0));
}

fn all_at_noon(naze: &Naze, kind: &str) -> Vec<String> {
    let path = format!("/v1/queries/events_around?at=2026-03-10T12:00:00Z&kind={kind}");
    let rows = naze.get(&path).json();
    rows["rows"].as_array().unwrap().iter().map(|row| row["subject"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn the_documentation_names_every_source_with_its_paths() {
    let table = fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/sources.md")).unwrap();
    for receiver in RECEIVERS {
        let paths: Vec<String> = receiver.paths.iter().map(|path| format!("`{path}`")).collect();
        let start = format!("| `{}` | {} |", receiver.name, paths.join(", "));
        assert!(table.lines().any(|line| line.starts_with(&start)), "no line {start}");
    }
    let rows = table.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, RECEIVERS.len() + 1, "native, and one for each receiver");
}

/// What a histogram of a hundred requests became: the values of its series in the minute, by metric and statistic.
fn in_one_bucket(point: &Json, temporality: u32, ask: &[(&str, &str)]) -> Vec<Json> {
    let naze = Naze::in_memory();
    let mut points = vec![point.clone()];
    if temporality == 2 {
        // It began with nothing two minutes before.
        let mut first = point.clone();
        (first["timeUnixNano"], first["count"], first["sum"]) = (json!("1773143820000000000"), json!("0"), json!(0.0));
        points.insert(0, first);
    }
    let metric = json!({"name": "request_seconds", "unit": "s",
        "histogram": {"aggregationTemporality": temporality, "dataPoints": points}});
    let service = json!({"key": "service.name", "value": {"stringValue": "shop"}});
    let told =
        json!({"resourceMetrics": [{"resource": {"attributes": [service]}, "scopeMetrics": [{"metrics": [metric]}]}]});
    let reply = naze.post("/v1/metrics", "application/json", told.to_string());
    assert_eq!((reply.status, reply.json()), (axum::http::StatusCode::OK, json!({})), "{}", reply.text());
    let value = |(metric, stat): &(&str, &str)| {
        let path =
            format!("/v1/series/{metric}?stat={stat}&from=2026-03-10T11:50:00Z&to=2026-03-10T12:00:00Z&step=10m");
        naze.get(&path).json()["series"][0]["points"][0][1].clone()
    };
    ask.iter().map(value).collect()
}

#[test]
fn an_otlp_histogram_without_buckets_is_its_count_and_sum() {
    let point = |more: Json| {
        let mut point = json!({"timeUnixNano": "1773143940000000000", "count": "100"});
        point.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        point
    };
    let values = [("request_seconds", "count"), ("request_seconds", "mean")];
    let of_sum = point(json!({"sum": 25.0}));
    assert_eq!(in_one_bucket(&of_sum, 1, &values), [json!(100.0), json!(0.25)]);
    // The same with its only bucket told, and what lies far from the mean.
    let spread = point(json!({"sum": 25.0, "bucketCounts": ["100"], "min": 0.1, "max": 9.9}));
    assert_eq!(in_one_bucket(&spread, 1, &values), [json!(100.0), json!(0.25)]);
    let ends = point(json!({"min": 1.0, "max": 3.0}));
    assert_eq!(in_one_bucket(&ends, 1, &values), [json!(100.0), json!(2.0)]);
    let counted = point(json!({}));
    assert_eq!(in_one_bucket(&counted, 1, &[("request_seconds_count", "increase")]), [json!(100.0)]);
    let total = [
        ("request_seconds_count", "increase"),
        ("request_seconds_sum", "increase"),
        ("request_seconds_bucket", "increase"),
    ];
    assert_eq!(in_one_bucket(&of_sum, 2, &total), [json!(100.0), json!(25.0), json!(100.0)]);
}
