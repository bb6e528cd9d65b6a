//! Functions over series in SPARQL, and the canned queries that rest on them. What is expected was worked out by hand.

mod bounds;
mod catalogue;
mod statistics;

use std::fmt::Write as _;

use axum::http::Request;
use naze::clock::Timestamp;
use serde_json::Value as Json;

use crate::common::{Naze, Reply};

/// A minute of the day on which all of it happens.
fn time(minute: i64) -> String {
    format!("2026-03-10T{:02}:{:02}:00Z", minute / 60, minute % 60)
}

/// A series as Prometheus would tell it: a value for each minute of the day.
fn told(kind: &str, series: &str, minutes: std::ops::Range<i64>, value: impl Fn(i64) -> f64) -> String {
    let start = "2026-03-10T00:00:00Z".parse::<Timestamp>().unwrap().micros() / 1_000;
    let mut text = format!("# TYPE {} {kind}\n", series.split('{').next().unwrap());
    for minute in minutes {
        writeln!(text, "{series} {} {}", value(minute), start + minute * 60_000).unwrap();
    }
    text
}

#[track_caller]
fn feed(naze: &Naze, text: String) {
    let reply = naze.post("/v1/measurements", "text/plain", text);
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(reply.json()["refused"], 0, "{}", reply.text());
}

fn sparql(naze: &Naze, query: &str) -> Reply {
    let request = Request::post("/sparql").header("content-type", "application/sparql-query");
    let prefixes = "PREFIX naze: <https://w3id.org/naze#> PREFIX xsd: <http://www.w3.org/2001/XMLSchema#> ";
    naze.send(request.header("accept", "text/csv").body(format!("{prefixes}{query}").into()).unwrap())
}

/// The arguments that name the window between two minutes of the day.
fn between(from: i64, to: i64) -> String {
    format!("\"{}\"^^xsd:dateTime, \"{}\"^^xsd:dateTime", time(from), time(to))
}

/// What an expression is worth; empty when it is an error.
#[track_caller]
fn worth(naze: &Naze, expression: &str) -> String {
    let reply = sparql(naze, &format!("SELECT ?x {{ BIND({expression} AS ?x) }}"));
    assert_eq!(reply.status, 200, "{expression}: {}", reply.text());
    reply.text().lines().nth(1).unwrap_or_default().trim_matches('"').to_owned()
}

#[track_caller]
fn rows(naze: &Naze, path: &str) -> Vec<Json> {
    let reply = naze.get(&format!("/v1/queries/{path}"));
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    assert_eq!(naze.get(&format!("/v1/queries/{path}")).body, reply.body, "the same question gives the same bytes");
    reply.json()["rows"].as_array().unwrap().clone()
}

/// A queue that is 10 for an hour and 30 for another, and one hour of two counters with a restart.
fn measured() -> Naze {
    let naze = Naze::in_memory();
    feed(
        &naze,
        told("gauge", "depth{component=\"orders\",queue=\"in\"}", 0..120, |at| if at < 60 { 10.0 } else { 30.0 }),
    );
    feed(&naze, told("gauge", "depth{component=\"orders\",queue=\"out\"}", 0..60, |_| 20.0));
    // Begins anew at minute 30 with 0.
    feed(
        &naze,
        told("counter", "requests_total{component=\"orders\",code=\"200\"}", 0..60, |at| {
            f64::from(i32::try_from(if at < 30 { 1_000 + 120 * at } else { 120 * (at - 30) }).unwrap())
        }),
    );
    feed(
        &naze,
        told("counter", "requests_total{component=\"orders\",code=\"500\"}", 0..60, |at| {
            f64::from(i32::try_from(60 * at).unwrap())
        }),
    );
    naze
}

#[test]
fn figures_of_a_window_are_those_of_its_values() {
    let naze = measured();
    let ask = |call: &str, from: i64, to: i64, more: &str| {
        let component = "<urn:naze:component:orders>";
        let (name, metric) = call.split_once(' ').unwrap();
        worth(&naze, &format!("naze:{name}('{metric}', {component}, {}{more})", between(from, to)))
    };
    assert_eq!(ask("samples depth{queue=\"in\"}", 0, 120, ""), "120");
    assert_eq!(ask("mean depth{queue=\"in\"}", 0, 120, ""), "20");
    assert_eq!(ask("mean depth", 0, 60, ""), "15", "of both queues");
    assert_eq!(ask("min depth", 0, 60, ""), "10");
    assert_eq!(ask("max depth", 0, 60, ""), "20");
    assert_eq!(ask("quantile depth{queue=\"out\"}", 0, 60, ", 0.99"), "20");
    assert_eq!(ask("change depth{queue=\"in\"}", 60, 120, ""), "2", "from 10 to 30");
    assert_eq!(ask("movedAt depth{queue=\"in\"}", 40, 80, ""), "2026-03-10T01:00:00Z");
    assert_eq!(ask("movedAt depth{queue=\"in\"}", 60, 90, ""), "2026-03-10T01:00:00Z");
    assert_eq!(ask("slope depth{queue=\"out\"}", 0, 60, ""), "0");
    // 59 minutes: 29 × 120 before the restart, 0 seen at it, 29 × 120 after.
    assert_eq!(ask("rate requests_total{code=\"200\"}", 0, 60, "").parse::<f64>().unwrap(), 58.0 * 120.0 / 3_540.0);
    assert_eq!(ask("rate requests_total{code=\"500\"}", 0, 60, ""), "1");
    assert_eq!(ask("mean requests_total{code=\"500\"}", 0, 60, ""), "1", "the mean of a counter is its rate");
}

#[test]
fn the_slope_is_that_of_least_squares() {
    let naze = Naze::in_memory();
    feed(
        &naze,
        told("gauge", "level{component=\"a\"}", 0..60, |at| 100.0 + 1.5 * f64::from(i32::try_from(at).unwrap())),
    );
    let slope: f64 = worth(&naze, &format!("naze:slope('level', 'a', {})", between(0, 60))).parse().unwrap();
    assert!((slope - 0.025).abs() < 1e-12, "1.5 a minute is 0.025 a second, not {slope}");
}

/// What cannot be told is an error of SPARQL: unbound, never 0.
#[test]
fn what_cannot_be_told_is_unbound() {
    let naze = measured();
    let window = between(0, 60);
    for call in [
        format!("naze:mean('nothing', 'orders', {window})"),
        format!("naze:mean('depth', 'nobody', {window})"),
        format!("naze:mean('depth', 'orders', {})", between(300, 360)),
        format!("naze:mean('depth', 'orders', {})", between(60, 0)),
        format!("naze:samples('depth', 'orders', {})", between(300, 360)),
        format!("naze:min('requests_total', 'orders', {window})"),
        format!("naze:rate('depth', 'orders', {window})"),
        format!("naze:change('depth', 'orders', {window})"),
        format!("naze:movedAt('depth', 'orders', {window})"),
        format!("naze:mean('depth{{queue=', 'orders', {window})"),
        format!("naze:mean(<urn:depth>, 'orders', {window})"),
        format!("naze:mean('depth', <urn:orders>, {window})"),
        "naze:mean('depth', 'orders', '2026-03-10T00:00:00Z', '2026-03-10T01:00:00Z')".to_owned(),
        format!("naze:quantile('depth', 'orders', {window}, 1.5)"),
        format!("naze:mannWhitney('depth{{queue=\"out\"}}', 'orders', {window}, \"{}\"^^xsd:dateTime)", time(57)),
    ] {
        assert_eq!(worth(&naze, &call), "", "{call}");
    }
    assert_eq!(worth(&naze, &format!("naze:mean('depth', '', {window})")), "15", "of any component");
    let zero = told("gauge", "idle{component=\"a\"}", 0..120, |at| if at < 60 { 0.0 } else { 5.0 });
    feed(&naze, zero);
    assert_eq!(worth(&naze, &format!("naze:change('idle', 'a', {})", between(60, 120))), "", "no share of 0");
}

#[test]
fn a_wrong_call_says_how_to_write_it() {
    let naze = measured();
    let problem = |query: &str| {
        let reply = sparql(&naze, query);
        assert_eq!(reply.status, 400, "{query}: {}", reply.text());
        let json = reply.json();
        format!("{} | {}", json["detail"].as_str().unwrap(), json["hints"][0].as_str().unwrap())
    };
    assert_eq!(
        problem("SELECT (naze:mean('depth', 'orders') AS ?x) {}"),
        "naze:mean takes 4 arguments, 2 were given | write naze:mean(metric, component, from, to)"
    );
    assert_eq!(
        problem("SELECT (naze:meen('depth') AS ?x) {}"),
        "there is no function <https://w3id.org/naze#meen> | did you mean naze:mean?"
    );
    assert!(problem("SELECT (xsd:integer(1, 2) AS ?x) {}").contains("but 2 were given | a cast such as"));
    assert!(problem("SELECT (<urn:f>(1) AS ?x) {}").starts_with("there is no function <urn:f> | "));
}

/// The point of it: each receipt beside what was measured around it.
#[test]
fn evidence_is_joined_with_metrics() {
    let naze = measured();
    naze.record(&serde_json::json!([
        {"kind": "deployment", "occurredAt": time(60), "component": "orders", "version": "2", "status": "succeeded"},
        {"kind": "deployment", "occurredAt": time(30), "component": "orders", "version": "1", "status": "succeeded"},
        {"kind": "deployment", "occurredAt": time(60), "component": "other", "version": "9", "status": "succeeded"},
    ]));
    let query = "SELECT ?version ?change { ?d a naze:Deployment ; naze:component ?c ; naze:version ?version ; naze:occurredAt ?at
        BIND(naze:change('depth{queue=\"in\"}', ?c, ?at, ?at + 'PT30M'^^xsd:dayTimeDuration) AS ?change) } ORDER BY ?version";
    assert_eq!(sparql(&naze, query).text(), "version,change\r\n1,0\r\n2,2\r\n9,\r\n");
    let filtered =
        "SELECT ?version { ?d a naze:Deployment ; naze:component ?c ; naze:version ?version ; naze:occurredAt ?at
        FILTER(naze:change('depth{queue=\"in\"}', ?c, ?at, ?at + 'PT30M'^^xsd:dayTimeDuration) > 0.5) }";
    assert_eq!(sparql(&naze, filtered).text(), "version\r\n2\r\n");
}

/// The evaluator's optimizer would have it that only some of them are.
#[test]
fn a_time_and_a_duration_can_be_added_in_any_order() {
    let naze = Naze::in_memory();
    for hours in 1..9 {
        let (at, span) = (format!("'{}'^^xsd:dateTime", time(120)), format!("'PT{hours}H'^^xsd:dayTimeDuration"));
        for sum in [format!("{at} + {span}"), format!("{span} + {at}"), format!("IF(true, {at}, 1) + {span}")] {
            assert_eq!(worth(&naze, &sum), time(120 + 60 * hours), "{sum}");
        }
        let variables = format!(
            "SELECT ?x ?y {{ VALUES (?a{hours} ?b) {{ ({at} {span}) }} BIND(?a{hours} + ?b AS ?x) BIND(?b + ?a{hours} AS ?y) }}"
        );
        let both = format!("x,y\r\n{0},{0}\r\n", time(120 + 60 * hours));
        assert_eq!(sparql(&naze, &variables).text(), both, "{variables}");
    }
    assert_eq!(worth(&naze, "1 + 2"), "3");
    assert_eq!(worth(&naze, "1 + 2.5 + 3"), "6.5");
    assert_eq!(worth(&naze, "1 + 'a'"), "");
}

/// The catalogue of functions, the description of the service and the documentation tell the same.
#[test]
fn every_function_is_told_everywhere() {
    let naze = Naze::in_memory();
    let listed = naze.get("/v1/queries").json()["functions"].clone();
    let names: Vec<&str> =
        listed.as_array().unwrap().iter().map(|function| function["name"].as_str().unwrap()).collect();
    let service = naze.get("/sparql").text();
    let docs = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/docs/functions.md")).unwrap();
    assert_eq!(names.len(), 13);
    for function in listed.as_array().unwrap() {
        let (name, arguments) = (function["name"].as_str().unwrap(), function["arguments"].as_str().unwrap());
        assert!(service.contains(&format!("naze:{name} ")), "{name} is missing in the description of the service");
        assert!(
            docs.contains(&format!("`naze:{name}({arguments})`")),
            "{name}({arguments}) is missing in docs/functions.md"
        );
    }
}
