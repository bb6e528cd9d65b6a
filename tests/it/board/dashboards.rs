//! Dashboards over HTTP, and what marks deployments and incidents on them.

use axum::http::StatusCode;
use naze::export::dashboard::Dashboard;
use serde_json::{Value as Json, json};

use super::{naze, receipt};
use crate::common::{Naze, Reply};

fn build(naze: &Naze, definition: &Json) -> Reply {
    naze.post("/v1/dashboards", "application/json", definition.to_string())
}

fn checkout() -> Json {
    json!({
        "title": "P99 vs. SLO",
        "description": "The promise of the checkout.",
        "panels": [{
            "title": "P99", "type": "timeseries", "query": "max(tps_kanban_latency_p99_seconds) * 1000", "unit": "ms",
            "ylabel": "latency", "min": 0, "max": 200, "bands": {"red": "> 200"},
        }],
    })
}

#[test]
fn those_of_naze_are_listed_and_shown_as_grafana_takes_them() {
    let naze = naze();
    let listed = naze.get("/v1/dashboards").json();
    let names: Vec<&str> =
        listed["dashboards"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    let builtin = Dashboard::builtin().unwrap();
    assert_eq!(names, builtin.iter().map(|one| one.name.as_str()).collect::<Vec<_>>());
    assert_eq!(
        listed["dashboards"][8],
        json!({"name": "tracing", "title": "Tracing", "timeRange": "24h", "panels": 5,
        "description": listed["dashboards"][8]["description"]})
    );
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/tps-reference-system/grafana/dashboards/kanban.json");
    let shipped: Json = serde_json::from_slice(&std::fs::read(shipped).unwrap()).unwrap();
    assert_eq!(naze.get("/v1/dashboards/kanban").json(), shipped);
    let unknown = naze.get("/v1/dashboards/kanbam");
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert!(unknown.text().contains("did you mean kanban?"), "{}", unknown.text());
}

#[test]
fn a_definition_becomes_a_dashboard() {
    let built = build(&naze(), &checkout());
    assert_eq!(built.status, StatusCode::OK, "{}", built.text());
    let built = built.json();
    assert_eq!((&built["uid"], &built["title"]), (&json!("p99-vs-slo"), &json!("P99 vs. SLO")));
    assert_eq!(built["time"], json!({"from": "now-24h", "to": "now"}));
    let panel = &built["panels"][0];
    assert_eq!(
        (&panel["type"], &panel["targets"][0]["expr"]),
        (&json!("timeseries"), &json!("max(tps_kanban_latency_p99_seconds) * 1000"))
    );
    let defaults = &panel["fieldConfig"]["defaults"];
    assert_eq!((&defaults["min"], &defaults["max"], &defaults["unit"]), (&json!(0.0), &json!(200.0), &json!("ms")));
    assert_eq!(defaults["custom"]["axisLabel"], "latency");

    let mut named = checkout();
    named["name"] = json!("checkout");
    named["time_range"] = json!("7d");
    let named = build(&naze(), &named).json();
    assert_eq!((&named["uid"], &named["time"]["from"]), (&json!("checkout"), &json!("now-7d")));
}

#[test]
fn faults_are_named_with_member_value_and_fix() {
    let naze = naze();
    let faults: [(&str, Json, &str); 9] = [
        ("/title", json!(""), "title is empty"),
        ("/title", json!(7), "title: invalid type: integer `7`, expected a string"),
        ("/name", json!("a b"), "its name \\\"a b\\\" cannot be part of an address"),
        ("/time_range", json!("a week"), "time_range \\\"a week\\\" is no duration"),
        ("/panels", json!([]), "it has 0 panels"),
        ("/panels/0/type", json!("graph"), "panels[0].type: unknown variant `graph`, expected one of `gauge`"),
        ("/panels/0/querry", json!("up"), "panels[0].querry: unknown field `querry`, expected one of"),
        ("/panels/0/max", json!(0), "panel \\\"P99\\\": min 0 is not below max 0"),
        ("/panels/0/bands", json!({"red": "high"}), "\\\"high\\\" is no limit"),
    ];
    for (place, value, told) in faults {
        let mut definition = checkout();
        let (parent, member) = place.rsplit_once('/').unwrap();
        definition.pointer_mut(parent).unwrap()[member] = value;
        let reply = build(&naze, &definition);
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{place}: {}", reply.text());
        assert!(reply.text().contains(told), "{place}: {}", reply.text());
        assert!(!reply.json()["hints"].as_array().unwrap().is_empty(), "{place}: {}", reply.text());
    }
    for broken in ["", "{", "[]", "null", "{\"title\": \"a\"}"] {
        let reply = naze.post("/v1/dashboards", "application/json", broken);
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{broken}: {}", reply.text());
    }
    let large = naze.post("/v1/dashboards", "application/json", " ".repeat((1 << 20) + 1));
    assert_eq!(large.status, StatusCode::PAYLOAD_TOO_LARGE);
}

fn deployed(naze: &Naze) {
    naze.record(&json!([
        receipt("deployment", "checkout", "09:00:00", json!({"status": "succeeded", "version": "2.7.9"})),
        receipt("deployment", "checkout", "09:55:00.25", json!({"status": "succeeded", "version": "2.8.0"})),
        receipt("deployment", "web", "08:00:00", json!({"status": "failed", "version": "7"})),
        receipt(
            "incident",
            "checkout",
            "10:05:00",
            json!({"reference": "I1", "status": "open", "severity": "critical", "summary": "it is down"})
        ),
        receipt("incident", "checkout", "10:45:00", json!({"reference": "I1", "status": "resolved"})),
        receipt("incident", "web", "11:00:00", json!({"reference": "I2", "status": "open", "severity": "warning"})),
    ]));
}

#[test]
fn the_metrics_of_annotations_tell_when_things_were() {
    let naze = naze();
    deployed(&naze);
    let metrics = naze.get("/metrics").text();
    let value = |name: &str| {
        let line =
            metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_else(|| panic!("{name}: {metrics}"));
        line.trim().parse::<f64>().unwrap()
    };
    // 2026-03-10T00:00:00Z is 1773100800.
    let day = 1_773_100_800.0;
    let deployment = "tps_production_deployment_timestamp_seconds";
    assert_eq!(value(&format!("{deployment}{{component=\"checkout\",version=\"2.8.0\"}}")), day + 35_700.25);
    assert_eq!(value(&format!("{deployment}{{component=\"web\",version=\"7\"}}")), day + 28_800.0);
    assert!(!metrics.contains("2.7.9"), "the earlier one is in the history of the series");
    let incident = "tps_andon_incident_timestamp_seconds";
    assert_eq!(value(&format!("{incident}{{component=\"checkout\",severity=\"critical\"}}")), day + 36_300.0);
    // Every dashboard asks for both, and takes values for times.
    for dashboard in Dashboard::builtin().unwrap() {
        let annotations = dashboard.grafana()["annotations"]["list"].clone();
        let asked: Vec<&str> =
            annotations.as_array().unwrap().iter().map(|one| one["expr"].as_str().unwrap()).collect();
        assert_eq!(asked, [format!("{deployment} * 1000"), format!("{incident} * 1000")]);
        assert!(
            annotations.as_array().unwrap().iter().all(|one| one["useValueForTime"] == true && one["enable"] == true)
        );
    }
}

#[test]
fn annotations_are_told_as_json_data_sources_take_them() {
    let naze = naze();
    deployed(&naze);
    let all = naze.get("/v1/annotations").json();
    let told: Vec<(&str, i64, i64)> = all
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["title"].as_str().unwrap(), one["time"].as_i64().unwrap(), one["timeEnd"].as_i64().unwrap()))
        .collect();
    let day = 1_773_100_800_000;
    let at = |hours: i64, minutes: i64| day + (hours * 60 + minutes) * 60_000;
    assert_eq!(
        told,
        [
            ("incident of web", at(11, 0), at(12, 0)),
            ("incident of checkout", at(10, 5), at(10, 45)),
            ("deployment of checkout", at(9, 55) + 250, at(9, 55) + 250),
            ("deployment of checkout", at(9, 0), at(9, 0)),
            ("deployment of web", at(8, 0), at(8, 0)),
        ]
    );
    assert_eq!(
        (&all[1]["text"], &all[1]["tags"]),
        (&json!("it is down"), &json!(["incident", "checkout", "critical"]))
    );
    assert_eq!(all[2]["text"], "2.8.0 · succeeded");
    let receipt = all[2]["receipt"].as_str().unwrap();
    assert_eq!(naze.get(&format!("/v1/receipts/{receipt}")).json()["version"], "2.8.0");
    // Times as Grafana writes them into an address.
    let part = naze.get(&format!("/v1/annotations?from={}&to={}&component=checkout", at(10, 30), at(11, 30))).json();
    assert_eq!(part.as_array().unwrap().len(), 1, "the incident lasted into it: {part:#}");
    assert_eq!(naze.get("/v1/annotations?limit=2").json().as_array().unwrap().len(), 2);
}
