//! Plots of series as pages and as files, and drawings of answers.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::check;
use super::html::elements;
use crate::common::Naze;

/// A metric that varies for four hours and is silent for one in between.
fn varying() -> Naze {
    let naze = Naze::in_world("bad_deploy");
    let samples: Json = (0..240)
        .filter(|minute| !(60..120).contains(minute))
        .map(|minute| {
            let at = format!("2026-03-10T{:02}:{:02}:00Z", 8 + minute / 60, minute % 60);
            json!({"metric": "tps_heijunka_pool_utilization", "component": "checkout", "occurredAt": at,
                "value": 0.6 + f64::from(minute * 7_919 % 31) / 150.0})
        })
        .collect();
    assert!(naze.post("/v1/measurements", "application/json", samples.to_string()).status.is_success());
    naze
}

const PICTURE: &str = "/v1/trends/tps_heijunka_pool_utilization?component=checkout";

#[test]
fn a_trend_is_a_picture_on_demand() {
    let naze = varying();
    let asked = naze.get(&format!("{PICTURE}&format=svg"));
    let accepted = naze.get_as(PICTURE, "image/svg+xml");
    assert_eq!((asked.status, &asked.body), (StatusCode::OK, &accepted.body));
    assert_eq!(asked.headers["content-type"], "image/svg+xml");
    let policy = asked.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("unsafe"), "{policy}");
    let svg = asked.text();
    assert!(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\""), "{svg}");
    let elements = elements("svg", &svg);
    let with = |class: &str| {
        elements.iter().filter(|(_, attributes)| attributes.get("class").is_some_and(|c| c == class)).count()
    };
    assert_eq!((with("line"), with("limit yellow"), with("limit red")), (1, 1, 0), "{svg}");
    assert_eq!(with("mark-head deployment"), 3, "checkout 2.8.0 started, succeeded, was rolled back: {svg}");
    // From the window's begin to the first value nothing is known either, but that is no hole.
    assert_eq!(with("hole"), 1, "{svg}");
    let path = elements.iter().find(|(_, attributes)| attributes.get("class").is_some_and(|c| c == "line")).unwrap();
    assert_eq!(path.1["d"].matches('M').count(), 2, "the line pauses where nothing was told");
    assert_eq!(with("ahead"), 0);
    let ahead = naze.get(&format!("{PICTURE}&format=svg&range=1h&horizon=1h")).text();
    assert!(ahead.contains("class=\"ahead\"") && ahead.contains("class=\"ahead-range\""), "{ahead}");
}

#[test]
fn a_picture_is_of_one_series_and_wrong_questions_say_so() {
    let naze = varying();
    for (query, status) in [
        ("component=nobody&format=svg", 404),
        ("component=checkout&format=png", 400),
        ("component=checkout&format=svg&range=2h", 400),
        ("component=checkout&format=svg&colour=red", 400),
    ] {
        assert_eq!(
            naze.get(&format!("/v1/trends/tps_heijunka_pool_utilization?{query}")).status.as_u16(),
            status,
            "{query}"
        );
    }
    let other = json!([{"metric": "tps_heijunka_pool_utilization", "component": "web", "occurredAt": "2026-03-10T11:00:00Z", "value": 0.1}]);
    assert!(naze.post("/v1/measurements", "application/json", other.to_string()).status.is_success());
    assert_eq!(naze.get("/v1/trends/tps_heijunka_pool_utilization?format=svg").status, StatusCode::BAD_REQUEST);
}

fn asked(naze: &Naze, query: &str) -> String {
    let query: String = form_urlencoded::byte_serialize(query.as_bytes()).collect();
    check(&query, &naze.get(&format!("/explore?query={query}")))
}

#[test]
fn answers_with_one_number_are_drawn_by_time_or_by_name() {
    let naze = Naze::in_memory();
    let by_name = asked(&naze, "SELECT ?name ?n { VALUES (?name ?n) { (\"a\" 10) (\"b\" 5) } }");
    let bars: Vec<String> = elements("bars", &by_name)
        .into_iter()
        .filter(|(name, attributes)| name == "rect" && attributes["class"] == "bar")
        .map(|(_, mut attributes)| attributes.remove("width").unwrap())
        .collect();
    assert_eq!(bars, ["320.0", "160.0"]);
    let time = |minute: u32| format!("\"2026-03-10T10:0{minute}:00Z\"^^<http://www.w3.org/2001/XMLSchema#dateTime>");
    let rows: String = (0..5).map(|minute| format!("({} {minute})", time(minute))).collect();
    let by_time = asked(&naze, &format!("SELECT ?t ?n {{ VALUES (?t ?n) {{ {rows} }} }}"));
    assert!(by_time.contains("<path class=\"line\" d=\"M"), "{by_time}");
    for undrawn in [
        "SELECT ?a ?n ?m { VALUES (?a ?n ?m) { (\"a\" 1 2) (\"b\" 3 4) } }",
        "SELECT ?a { VALUES ?a { \"a\" \"b\" } }",
        "SELECT ?a ?n { VALUES (?a ?n) { (\"a\" 1) } }",
        "SELECT ?a ?n { VALUES (?a ?n) { (\"a\" -1) (\"b\" -2) } }",
    ] {
        let text = asked(&naze, undrawn);
        assert!(!text.contains("<figure"), "{undrawn}: {text}");
    }
}
