//! `/v1/receipts` and what surrounds every route.

use std::path::Path;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value as Json, json};

use crate::common::Naze;

fn failure() -> Json {
    json!({"kind": "failure", "occurredAt": "2026-03-10T10:00:00.500Z", "component": "checkout", "failureType": "TimeoutError",
        "count": 3, "peer": "payments", "labels": {"region": "eu-west-1", "odd key/ü": "x"}})
}

#[test]
fn a_batch_keeps_the_good_and_names_what_is_wrong_with_the_rest() {
    let naze = Naze::in_memory();
    let batch = json!([failure(), {"kind": "failure", "occurredAt": "yesterday", "component": "checkout", "failureType": "E", "count": 0},
        {"kind": "failrue"}, failure(), {"kind": "failure", "occured": 1}]);
    let reply = naze.post("/v1/receipts", "application/json", batch.to_string());
    assert_eq!(reply.status, StatusCode::MULTI_STATUS);
    let json = reply.json();
    assert_eq!((&json["recorded"], &json["duplicate"], &json["refused"]), (&json!(1), &json!(1), &json!(3)));
    let outcomes: Vec<&str> =
        json["receipts"].as_array().unwrap().iter().map(|r| r["outcome"].as_str().unwrap()).collect();
    assert_eq!(outcomes, ["recorded", "refused", "refused", "duplicate", "refused"]);
    assert_eq!(json["receipts"][0]["id"], json["receipts"][3]["id"]);
    let fields: Vec<&str> = json["receipts"][1]["problem"]["violations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["field"].as_str().unwrap())
        .collect();
    assert_eq!(fields, ["count", "occurredAt"]);
    assert_eq!(json["receipts"][2]["problem"]["violations"][0]["fix"], "did you mean \"failure\"?");
    let unknown = &json["receipts"][4]["problem"]["violations"][0];
    assert_eq!(unknown["message"], "\"occured\" is not a field of any receipt");
    assert_eq!(unknown["fix"], "did you mean \"occurredAt\"? Anything else goes under \"labels\"");
}

#[test]
fn status_tells_the_outcome_of_the_whole_request() {
    let naze = Naze::in_memory();
    let post = |body: Json| naze.post("/v1/receipts", "application/json", body.to_string()).status;
    assert_eq!(post(failure()), StatusCode::CREATED);
    assert_eq!(post(failure()), StatusCode::OK);
    assert_eq!(post(json!({"kind": "failure"})), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post(json!([])), StatusCode::OK);
}

#[test]
fn a_receipt_comes_back_in_every_form_and_recorded_again_is_the_same_receipt() {
    let naze = Naze::in_memory();
    let id = naze.record(&failure())["receipts"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/receipts/{id}");
    let json = naze.get(&path).json();
    assert_eq!(json["occurredAt"], "2026-03-10T10:00:00.5Z");
    assert_eq!(json["recordedAt"], "2026-03-10T12:00:00Z");
    assert_eq!(json["peer"], "payments");
    assert_eq!(json["labels"], json!({"odd key/ü": "x", "region": "eu-west-1"}));
    for media_type in [
        "application/json",
        "application/ld+json",
        "text/turtle",
        "application/n-triples",
        "application/n-quads",
        "application/trig",
    ] {
        let reply = naze.get_as(&path, media_type);
        assert_eq!(reply.headers["content-type"], media_type);
        let again = naze.post("/v1/receipts", media_type, reply.body);
        assert_eq!(again.status, StatusCode::OK, "{media_type}: {}", again.text());
        assert_eq!(again.json()["receipts"][0]["id"], *id, "{media_type}");
    }
    let turtle = naze.get_as(&path, "text/turtle").text();
    assert_eq!(rio_triples(&turtle), 11, "{turtle}");
}

/// A second reader, of another author's making, must accept every Turtle that naze writes.
fn rio_triples(turtle: &str) -> usize {
    use rio_api::parser::TriplesParser as _;
    let mut count = 0;
    let mut parser = rio_turtle::TurtleParser::new(turtle.as_bytes(), None);
    parser
        .parse_all(&mut |_| -> Result<(), rio_turtle::TurtleError> {
            count += 1;
            Ok(())
        })
        .unwrap();
    count
}

#[test]
fn the_raw_document_is_kept_byte_for_byte() {
    let naze = Naze::in_memory();
    let raw = format!("  {}\n\n", failure());
    let id = naze.post("/v1/receipts", "application/json", raw.clone()).json()["receipts"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let reply = naze.get(&format!("/v1/receipts/{id}/source"));
    assert_eq!(reply.text(), raw);
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(reply.headers["x-content-type-options"], "nosniff");
}

#[test]
fn bad_requests_are_problems_that_name_the_fault_and_the_server_lives() {
    let naze = Naze::in_memory();
    let deep = "[".repeat(100_000);
    let cases: [(&str, &str, Vec<u8>, u16, &str); 9] = [
        ("/v1/receipts", "application/json", b"{\"kind\": \"failure\",".to_vec(), 400, "line 1"),
        ("/v1/receipts", "application/json", b"\xff\xfe{}".to_vec(), 400, "UTF-8"),
        ("/v1/receipts", "application/json", deep.into_bytes(), 400, "deep"),
        ("/v1/receipts", "application/json", b"3".to_vec(), 400, "object"),
        ("/v1/receipts", "image/png", b"x".to_vec(), 415, "image/png"),
        ("/v1/receipts", "text/turtle", b"<urn:a> <urn:b> .".to_vec(), 400, "line 1"),
        (
            "/v1/receipts",
            "application/ld+json",
            br#"{"@context": "http://evil.example/c", "kind": "failure"}"#.to_vec(),
            400,
            "evil.example",
        ),
        ("/hooks/alertmanager", "application/json", b"{}".to_vec(), 400, "alerts"),
        ("/hooks/github", "application/json", b"{}".to_vec(), 400, "X-GitHub-Event"),
    ];
    for (path, media_type, body, status, named) in cases {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let reply = naze.post(path, media_type, body);
        assert_eq!(reply.status.as_u16(), status, "{shown}: {}", reply.text());
        assert_eq!(reply.headers["content-type"], "application/problem+json", "{shown}");
        let problem = reply.json();
        assert!(problem["detail"].as_str().unwrap().contains(named), "{shown}: {problem}");
        assert_eq!(problem["status"], status);
    }
    assert_eq!(naze.record(&failure())["recorded"], 1);
}

#[test]
fn broken_compression_and_oversize_are_refused_and_gzip_is_read() {
    use std::io::Write as _;
    let mut config = naze::config::Config::in_memory();
    config.limits.body_bytes_max = 10_000;
    let naze = Naze::with(config);
    let gzip = |body: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(body).unwrap();
        encoder.finish().unwrap()
    };
    let send = |body: Vec<u8>, encoding: &str| {
        let request = Request::post("/v1/receipts")
            .header("content-type", "application/json")
            .header("content-encoding", encoding);
        naze.send(request.body(Body::from(body)).unwrap())
    };
    let good = gzip(failure().to_string().as_bytes());
    assert_eq!(send(good[..good.len() - 12].to_vec(), "gzip").status, StatusCode::BAD_REQUEST);
    assert_eq!(send(gzip(&[b' '; 1_000_000]), "gzip").status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(send(good.clone(), "lzma").status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(send(good, "gzip").status, StatusCode::CREATED);
}

#[test]
fn unknown_routes_methods_and_forms_say_what_there_is() {
    let naze = Naze::in_memory();
    assert_eq!(naze.get("/nope").json()["detail"], "there is nothing at /nope");
    assert_eq!(naze.get("/v1/receipts").status, StatusCode::METHOD_NOT_ALLOWED);
    let missing = format!("/v1/receipts/{}", "0".repeat(64));
    assert_eq!(naze.get(&missing).status, StatusCode::NOT_FOUND);
    assert_eq!(naze.get("/v1/receipts/xyz").status, StatusCode::BAD_REQUEST);
    let id = naze.record(&failure())["receipts"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(naze.get_as(&format!("/v1/receipts/{id}"), "image/png").status, StatusCode::NOT_ACCEPTABLE);
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    assert_eq!(naze.get_as(&format!("/v1/receipts/{id}"), browser).headers["content-type"], "application/json");
}

#[test]
fn every_answer_has_a_request_id_and_shows_in_the_metrics() {
    let naze = Naze::in_memory();
    naze.record(&failure());
    assert!(naze.get("/healthz").headers.contains_key("x-request-id"));
    assert_eq!(naze.get("/readyz").status, StatusCode::OK);
    let metrics = naze.get("/metrics");
    assert_eq!(metrics.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let text = metrics.text();
    for line in [
        "naze_receive_total{outcome=\"recorded\",source=\"native\"} 1",
        "naze_ledger_entries 1",
        "naze_index_entries 1",
        "naze_http_request_seconds_count{method=\"POST\",route=\"/v1/receipts\",status=\"201\"} 1",
    ] {
        assert!(text.lines().any(|found| found == line), "{line} is not in\n{text}");
    }
}

/// The text of all files below a folder.
fn text_below(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries
        .map(|path| if path.is_dir() { text_below(&path) } else { std::fs::read_to_string(&path).unwrap() })
        .collect()
}

#[test]
fn openapi_lists_every_route() {
    let naze = Naze::in_memory();
    let openapi = naze.get("/openapi.json").json();
    let rooms = text_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"));
    let routes: Vec<&str> = rooms.split(".route(\"").skip(1).filter_map(|route| route.split('"').next()).collect();
    let hooks = naze::receive::RECEIVERS.iter().flat_map(|receiver| receiver.paths).copied();
    let routes: Vec<&str> = routes.into_iter().chain(hooks).collect();
    let described: Vec<&str> = openapi["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    let sorted = |mut names: Vec<&str>| {
        names.sort_unstable();
        // A sender's path may have a method of naze's own beside its own.
        names.dedup();
        names.join("\n")
    };
    assert_eq!(sorted(routes), sorted(described));
}

#[test]
fn a_secret_is_demanded_once_it_is_configured_or_the_listener_is_public() {
    let mut config = naze::config::Config::in_memory();
    config.take_credentials(|name| match name {
        "NAZE_GITHUB_SECRET" => Some("It's a Secret to Everybody".to_owned()),
        "NAZE_ALERTMANAGER_TOKEN" => Some("sesame".to_owned()),
        _ => None,
    });
    let naze = Naze::with(config);
    let hook = |path: &str, header: (&str, &str)| {
        let request = Request::post(path)
            .header("content-type", "application/json")
            .header("x-github-event", "ping")
            .header(header.0, header.1);
        naze.send(request.body(Body::from("Hello, World!")).unwrap()).status
    };
    assert_eq!(hook("/hooks/github", ("x-none", "")), StatusCode::FORBIDDEN);
    assert_eq!(hook("/hooks/github", ("x-hub-signature-256", "sha256=00")), StatusCode::FORBIDDEN);
    let right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(hook("/hooks/github", ("x-hub-signature-256", right)), StatusCode::BAD_REQUEST, "signed, but no JSON");
    assert_eq!(hook("/hooks/alertmanager", ("authorization", "Bearer wrong")), StatusCode::UNAUTHORIZED);
    assert_eq!(hook("/hooks/alertmanager", ("authorization", "Bearer sesame")), StatusCode::BAD_REQUEST);

    let mut public = naze::config::Config::in_memory();
    public.listen = "0.0.0.0:7310".parse().unwrap();
    let reply = Naze::with(public).post("/hooks/alertmanager", "application/json", "{\"alerts\": []}");
    assert_eq!(reply.status, StatusCode::FORBIDDEN);
    assert!(reply.json()["hints"][0].as_str().unwrap().contains("senders.alertmanager.token"));
}
