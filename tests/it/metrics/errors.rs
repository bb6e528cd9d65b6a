//! The share of requests that failed: a request counts once, however many tell that it failed.

use naze::config::Config;
use serde_json::{Value as Json, json};

use super::{assert_told, measured, naze, of_metric, receipt, sample, scraped};
use crate::common::Naze;

const SERVER: u32 = 2;
const CLIENT: u32 = 3;

/// A span of a minute ago, of the trace and with the parent that it is given.
fn span(trace: u8, id: u8, parent: Option<u8>, kind: u32, is_error: bool) -> Json {
    let parent = parent.map(|parent| format!("{parent:016x}")).unwrap_or_default();
    json!({
        "traceId": format!("{trace:032x}"), "spanId": format!("{id:016x}"), "parentSpanId": parent, "kind": kind,
        "name": "POST /pay", "status": {"code": if is_error { 2 } else { 0 }},
        "startTimeUnixNano": "1773143939000000000", "endTimeUnixNano": "1773143940000000000",
    })
}

fn traced(naze: &Naze, component: &str, spans: &[Json]) {
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": component}}]});
    let body = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]});
    assert_eq!(naze.post("/v1/traces", "application/json", body.to_string()).status, 200);
}

#[test]
fn a_request_that_failed_because_its_call_failed_is_one() {
    let naze = naze(Config::in_memory());
    // Of four requests one failed, with the two calls that it made of payment; another got its answer from a retry.
    traced(
        &naze,
        "checkout",
        &[
            span(1, 1, None, SERVER, true),
            span(1, 2, Some(1), CLIENT, true),
            span(1, 3, Some(1), CLIENT, true),
            span(2, 4, None, SERVER, false),
            span(2, 5, Some(4), CLIENT, true),
            span(3, 6, None, SERVER, false),
            span(4, 7, None, SERVER, false),
        ],
    );
    traced(&naze, "payment", &[span(1, 8, Some(2), SERVER, true), span(1, 9, Some(3), SERVER, true)]);
    let expected = [
        ("tps_jidoka_failures_total{component=\"checkout\"}", 4.0),
        ("tps_andon_error_rate{service=\"checkout\"}", 0.25),
        ("tps_jidoka_success_rate{component=\"checkout\"}", 0.75),
        ("tps_tracing_error_traces_total{component=\"checkout\"}", 1.0),
        ("tps_andon_error_rate{service=\"payment\"}", 1.0),
    ];
    assert_told(&naze, &expected);
    // One that no trace tells of may be of the same request; of two more it was one of them at most.
    naze.record(&json!([receipt("failure", "11:59:00", json!({"failureType": "Refused"}))]));
    assert_told(&naze, &[("tps_andon_error_rate{service=\"checkout\"}", 0.25)]);
    naze.record(&json!([receipt("failure", "11:59:00", json!({"failureType": "Refused", "count": 2}))]));
    assert_told(&naze, &[("tps_andon_error_rate{service=\"checkout\"}", 0.75)]);
}

#[test]
fn a_span_that_is_told_as_a_receipt_is_one_request_too() {
    let naze = naze(Config::in_memory());
    let span = |status: &str, more: Json| {
        let mut span = receipt("span", "11:59:00", more);
        span["name"] = json!("/pay");
        span["durationMs"] = json!(20);
        span["status"] = json!(status);
        span["traceId"] = json!("5b8efff798038103d269b633813fc60c");
        span
    };
    naze.record(&json!([
        span("error", json!({})),
        span("error", json!({"parentSpanId": "00f067aa0ba902b7", "spanId": "00f067aa0ba902b8", "spanKind": "client"})),
        span("ok", json!({})),
        span("ok", json!({})),
        span("ok", json!({"spanKind": "server"})),
    ]));
    let expected = [
        ("tps_jidoka_failures_total{component=\"checkout\"}", 2.0),
        ("tps_tracing_error_traces_total{component=\"checkout\"}", 1.0),
        ("tps_andon_error_rate{service=\"checkout\"}", 0.25),
    ];
    assert_told(&naze, &expected);
}

#[test]
fn failures_are_all_there_is_where_no_span_says_how_requests_ended() {
    let naze = naze(Config::in_memory());
    let answered = json!({"labels": {"endpoint": "/pay"}, "kind": "distribution", "unit": "s", "count": 10});
    measured(&naze, &json!([sample("tps_tracing_duration_seconds", "11:59:00", 0.1, answered)]));
    let failure = receipt(
        "failure",
        "11:59:00",
        json!({"component": "orders", "failureType": "Timeout", "traceId": "5b8efff798038103d269b633813fc60c"}),
    );
    naze.record(&json!([failure]));
    assert_told(&naze, &[("tps_andon_error_rate{service=\"orders\"}", 0.1)]);
}

#[test]
fn a_component_that_only_measurements_know_has_an_error_rate() {
    let naze = naze(Config::in_memory());
    traced(&naze, "search", &[span(1, 1, None, SERVER, false)]);
    let answered = json!({"labels": {"endpoint": "/pay"}, "kind": "distribution", "unit": "s"});
    measured(&naze, &json!([sample("tps_tracing_duration_seconds", "11:59:00", 0.1, answered)]));
    let expected = [
        ("tps_andon_error_rate{service=\"search\"}", 0.0),
        ("tps_jidoka_success_rate{component=\"search\"}", 1.0),
        ("tps_tracing_error_traces_total{component=\"search\"}", 0.0),
        ("tps_andon_error_rate{service=\"orders\"}", 0.0),
        // A rate begins with a zero, or its first failure is none.
        ("tps_jidoka_failures_total{component=\"search\"}", 0.0),
        ("tps_jidoka_circuit_opens_total{component=\"orders\"}", 0.0),
        ("tps_jidoka_requests_rejected_total{component=\"orders\"}", 0.0),
        ("tps_andon_errors_total{service=\"orders\",type=\"other\"}", 0.0),
    ];
    assert_told(&naze, &expected);
}

#[test]
fn durations_alone_do_not_make_the_andon_green() {
    let naze = naze(Config::in_memory());
    let answered = json!({"labels": {"endpoint": "/pay"}, "kind": "distribution", "unit": "s"});
    measured(&naze, &json!([sample("tps_tracing_duration_seconds", "11:59:00", 0.1, answered)]));
    let colour = || {
        let health = naze.get("/v1/health").json();
        let principles = health["principles"].as_array().unwrap();
        principles.iter().find(|one| one["principle"] == "andon").unwrap()["colour"].clone()
    };
    assert_eq!(colour(), "grey", "nobody ever told naze of a failure");
    traced(&naze, "search", &[span(1, 1, None, SERVER, false)]);
    assert_eq!(colour(), "green", "spans say how requests end");
    assert_eq!(of_metric(&scraped(&naze), "tps_andon_error_rate").len(), 2);
}
