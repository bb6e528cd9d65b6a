//! `Idempotency-Key`: a request that is sent again hears the first answer.

use std::sync::{Arc, Barrier};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value as Json, json};

use crate::common::{Naze, Reply, serve};

fn post(naze: &Naze, path: &str, key: &str, body: &Json) -> Reply {
    let request = Request::post(path).header("content-type", "application/json").header("idempotency-key", key);
    naze.send(request.body(Body::from(body.to_string())).unwrap())
}

fn failure(second: u32) -> Json {
    json!({"kind": "failure", "occurredAt": format!("2026-03-10T10:00:{second:02}Z"), "component": "checkout", "failureType": "E"})
}

#[test]
fn the_same_key_and_body_hear_the_first_answer() {
    let naze = Naze::in_memory();
    let first = post(&naze, "/v1/receipts", "\"key-1\"", &failure(1));
    assert_eq!((first.status, first.headers.get("idempotent-replayed")), (StatusCode::CREATED, None));
    for key in ["\"key-1\"", "key-1", "\"key-1\"; a=1", " \"key-1\" "] {
        let again = post(&naze, "/v1/receipts", key, &failure(1));
        assert_eq!(again.status, StatusCode::CREATED, "{key}");
        assert_eq!(again.body, first.body);
        assert_eq!(again.headers["content-type"], "application/json");
        assert_eq!(again.headers["idempotent-replayed"], "true");
    }
    assert_eq!(post(&naze, "/v1/receipts", "\"key-2\"", &failure(1)).status, StatusCode::OK, "a duplicate");

    let refused = post(&naze, "/v1/receipts", "bad", &json!({"kind": "failure"}));
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(post(&naze, "/v1/receipts", "bad", &json!({"kind": "failure"})).body, refused.body);
}

#[test]
fn an_incident_sent_again_under_its_key_is_opened_and_told_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let (_naze, url) = serve(folder.path(), "127.0.0.1:0");
    let client = reqwest::blocking::Client::new();
    let send = |path: &str, key: &str, body: &Json| {
        let request = client.post(format!("{url}{path}")).header("idempotency-key", key).json(body);
        let reply = request.send().unwrap();
        (reply.status().as_u16(), reply.headers().get("location").cloned(), reply.json::<Json>().unwrap())
    };
    let opening = json!({"component": "checkout", "summary": "down"});
    let first = send("/v1/incidents", "\"a\"", &opening);
    assert_eq!((first.0, first.1.is_some()), (201, true));
    assert_eq!(send("/v1/incidents", "\"a\"", &opening), first);
    assert_ne!(send("/v1/incidents", "\"b\"", &opening).2["reference"], first.2["reference"]);
    let path = format!("/v1/incidents/{}", first.2["reference"].as_str().unwrap());
    let update = json!({"status": "acknowledged"});
    let told = send(&path, "\"a\"", &update);
    assert_eq!(told.0, 200, "a key is of its path: {}", told.2);
    assert_eq!(send(&path, "\"a\"", &update), told);
    let shown: Json = client.get(format!("{url}{path}")).send().unwrap().json().unwrap();
    assert_eq!(shown["receipts"].as_array().unwrap().len(), 2, "{shown}");
}

#[test]
fn the_same_key_with_another_body_is_refused() {
    let naze = Naze::in_memory();
    post(&naze, "/v1/receipts", "\"k\"", &failure(1));
    let other = post(&naze, "/v1/receipts", "\"k\"", &failure(2));
    assert_eq!(other.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(other.headers["content-type"], "application/problem+json");
    assert_eq!(other.json()["detail"], "this Idempotency-Key came with another body before");
    assert!(naze.get("/metrics").text().contains("naze_ledger_entries 1\n"));
}

#[test]
fn what_is_no_key_is_refused() {
    let naze = Naze::in_memory();
    let long = "k".repeat(256);
    for key in ["", "\"\"", "\"open", "\"a\" b", "\"a\\b\"", &long] {
        let reply = post(&naze, "/v1/receipts", key, &failure(1));
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{key}: {}", reply.text());
        assert!(reply.json()["hints"][0].as_str().unwrap().contains("one string of 1 to 255 characters"));
    }
    let two = Request::post("/v1/receipts").header("idempotency-key", "a").header("idempotency-key", "b");
    assert_eq!(naze.send(two.body(Body::from(failure(1).to_string())).unwrap()).status, StatusCode::BAD_REQUEST);
    assert_eq!(post(&naze, "/v1/receipts", &"k".repeat(255), &failure(1)).status, StatusCode::CREATED);
}

#[test]
fn of_requests_at_the_same_moment_one_is_done_and_the_others_conflict_or_hear_its_answer() {
    let naze = Arc::new(Naze::in_memory());
    let failure = |number: u32| {
        json!({"kind": "failure", "occurredAt": "2026-03-10T10:00:00Z", "component": "checkout",
        "failureType": "E", "message": number.to_string()})
    };
    let body: Json = (0..2_000).map(failure).collect();
    let begin = Arc::new(Barrier::new(8));
    let senders: Vec<_> = (0..8)
        .map(|_| {
            let (naze, body, begin) = (Arc::clone(&naze), body.clone(), Arc::clone(&begin));
            std::thread::spawn(move || {
                begin.wait();
                post(&naze, "/v1/receipts", "\"k\"", &body)
            })
        })
        .collect();
    let replies: Vec<Reply> = senders.into_iter().map(|sender| sender.join().unwrap()).collect();
    let first = |reply: &&Reply| reply.status == 201 && !reply.headers.contains_key("idempotent-replayed");
    assert_eq!(replies.iter().filter(first).count(), 1);
    let conflicts = replies.iter().filter(|reply| reply.status == StatusCode::CONFLICT);
    let conflicts: Vec<String> = conflicts.map(|reply| reply.json()["detail"].as_str().unwrap().to_owned()).collect();
    assert!(!conflicts.is_empty(), "recording takes longer than asking");
    assert!(
        conflicts.iter().all(|detail| detail == "a request with this Idempotency-Key is under way"),
        "{conflicts:?}"
    );
    for heard in replies.iter().filter(|reply| reply.status != StatusCode::CONFLICT) {
        assert_eq!(heard.json()["recorded"], 2_000);
    }
    assert_eq!(post(&naze, "/v1/receipts", "\"k\"", &body).json()["recorded"], 2_000);
}

#[test]
fn answers_are_remembered_within_bounds() {
    const MANY: usize = 60_000;
    let naze = Naze::in_memory();
    let refused = |count: usize| Json::Array(vec![json!(1); count]);
    post(&naze, "/v1/receipts", "small", &refused(1));
    let large = post(&naze, "/v1/receipts", "large", &refused(MANY));
    assert!((17 << 20..32 << 20).contains(&large.body.len()), "{}", large.body.len());
    let replayed = |key: &str, count: usize| {
        post(&naze, "/v1/receipts", key, &refused(count)).headers.contains_key("idempotent-replayed")
    };
    assert!(replayed("small", 1) && replayed("large", MANY));
    assert!(!replayed("second", MANY));
    assert!(replayed("second", MANY));
    assert!(!replayed("large", MANY), "both do not fit into 32 MiB");
    assert!(!replayed("small", 1), "the oldest goes first");
}
