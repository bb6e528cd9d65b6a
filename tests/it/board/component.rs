//! Checks, components, and the dashboard that gathers them.

use axum::http::StatusCode;
use serde_json::{Value as Json, json};

use super::{health, measure, naze, overview, receipt, sample};
use crate::common::Naze;

#[track_caller]
fn check(naze: &Naze, name: &str) -> Json {
    let checks = health(naze)["checks"].as_array().unwrap().clone();
    checks.into_iter().find(|check| check["name"] == name).unwrap()
}

fn in_progress(bucket: &str, orders: usize) -> Vec<Json> {
    let order = |number| json!({"reference": format!("{bucket}-{number}"), "bucket": bucket, "status": "started"});
    (0..orders).map(|number| receipt("workorder", "factory", "11:00:00", order(number))).collect()
}

#[test]
fn work_in_progress_is_held_against_its_limit() {
    let naze = naze();
    let orders = [
        in_progress("reliability", 2),
        in_progress("security", 1),
        in_progress("cost", 1),
        in_progress("compliance", 1),
    ];
    naze.record(&orders.concat().into());
    let unknown = check(&naze, "kanban");
    assert_eq!(unknown["state"], "unknown", "nobody said how much may be in progress");
    let limit = |bucket: &str, limit: f64| sample("tps_kanban_wip_limit", limit, json!({"labels": {"bucket": bucket}}));
    measure(&naze, &[limit("reliability", 4.0), limit("security", 2.0), limit("cost", 2.0), limit("compliance", 2.0)]);
    let half = check(&naze, "kanban");
    assert_eq!(half["state"], "healthy");
    // 5 of 10, 5 available.
    let details = &half["details"];
    assert_eq!(
        (&details["wipCurrent"], &details["wipLimit"], &details["available"], &details["utilization"]),
        (&json!(5.0), &json!(10.0), &json!(5.0), &json!(0.5))
    );
    naze.record(&in_progress("security", 2).split_off(1).into());
    let full = check(&naze, "kanban");
    assert_eq!(
        (&full["state"], &full["reason"]),
        (&json!("degraded"), &json!("security has 2 work orders in progress, of 2"))
    );
    naze.record(&in_progress("security", 3).split_off(2).into());
    assert_eq!(check(&naze, "kanban")["state"], "unhealthy");
}

#[test]
fn a_critical_cord_degrades_and_after_an_hour_is_unhealthy() {
    let cord = |time: &str, level: &str| {
        let naze = naze();
        naze.record(&json!([receipt(
            "andon",
            "press",
            time,
            json!({"status": "opened", "level": level, "reference": "a"})
        )]));
        let check = check(&naze, "andon");
        (check["state"].as_str().unwrap().to_owned(), check["details"]["critical"].as_u64().unwrap())
    };
    assert_eq!(cord("11:59:00", "warning"), ("healthy".to_owned(), 0));
    assert_eq!(cord("11:59:00", "critical"), ("degraded".to_owned(), 1));
    assert_eq!(cord("11:00:00", "critical"), ("degraded".to_owned(), 1), "an hour to the second is not more than one");
    assert_eq!(cord("10:59:59", "critical"), ("unhealthy".to_owned(), 1));
    assert_eq!(check(&naze(), "andon")["reason"], "no andon was ever told");
}

#[test]
fn upkeep_and_keeping_are_judged() {
    let naze = naze();
    naze.record(&json!([
        receipt("health", "shop", "00:00:00", json!({"state": "healthy"})),
        receipt("backup", "naze", "11:00:00", json!({"ok": true})),
        receipt("validation", "naze", "11:00:00", json!({"ok": true})),
    ]));
    for name in ["tpm", "ontology", "receipts", "persistence"] {
        assert_eq!(check(&naze, name)["state"], "healthy", "{name}");
    }
    assert_eq!(
        check(&naze, "receipts")["details"],
        json!({"generated": 3, "validated": 3, "missing": 0, "refusedLastHour": 0.0})
    );
    assert_eq!(check(&naze, "persistence")["details"]["backupAgeSeconds"], 3600);

    naze.record(&json!([
        // Down six minutes of twelve hours: 0.9917 is below 0.999.
        receipt("health", "shop", "11:00:00", json!({"state": "unhealthy", "reason": "no heap"})),
        receipt("health", "shop", "11:06:00", json!({"state": "healthy"})),
        receipt("validation", "naze", "11:30:00", json!({"ok": false, "violations": 2})),
    ]));
    let refused = naze.post("/v1/receipts", "application/json", json!({"kind": "failure"}).to_string());
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let tpm = check(&naze, "tpm");
    assert_eq!((&tpm["state"], &tpm["reason"]), (&json!("unhealthy"), &json!("shop was up 99.17 % of the last day")));
    assert_eq!(check(&naze, "ontology")["state"], "unhealthy");
    assert_eq!(check(&naze, "receipts")["reason"], "1 receipts were refused in the last hour");

    let late = super::naze();
    late.record(&json!([{"kind": "backup", "occurredAt": "2026-03-09T10:59:59Z", "component": "naze", "ok": true}]));
    let persistence = check(&late, "persistence");
    assert_eq!(
        (&persistence["state"], &persistence["reason"]),
        (&json!("degraded"), &json!("the last good backup is 25 hours old"))
    );
}

fn incident(naze: &Naze) {
    let given = json!({"component": "payment", "summary": "payment fails", "reference": "inc-1",
        "detectedAt": "2026-03-10T11:20:00Z"});
    assert_eq!(naze.post("/v1/incidents", "application/json", given.to_string()).status, StatusCode::CREATED);
}

/// A shop that calls payment, whose circuit opens after a deployment.
fn outage(naze: &Naze) {
    naze.record(&json!([
        receipt("dependency", "shop", "09:00:00", json!({"target": "payment"})),
        receipt("dependency", "payment", "09:00:00", json!({"target": "bank", "external": true})),
        receipt(
            "deployment",
            "payment",
            "11:00:00",
            json!({"status": "succeeded", "version": "2", "previousVersion": "1"})
        ),
        receipt("change", "payment", "03:00:00", json!({"changeType": "config", "key": "pool"})),
        receipt("failure", "payment", "11:10:00", json!({"failureType": "Timeout", "count": 7})),
        receipt("failure", "payment", "11:11:00", json!({"failureType": "Refused"})),
        receipt("circuit", "payment", "11:12:00", json!({"state": "open", "reason": "timeouts"})),
        receipt(
            "alert",
            "payment",
            "11:13:00",
            json!({"name": "Down", "status": "firing", "severity": "critical", "summary": "it is down"})
        ),
        receipt("alert", "shop", "11:14:00", json!({"name": "Slow", "status": "firing", "severity": "warning"})),
        receipt("alert", "shop", "11:30:00", json!({"name": "Slow", "status": "resolved", "severity": "warning"})),
    ]));
    let depth = |minute: u32| {
        let at = format!("2026-03-10T11:{minute:02}:30Z");
        sample("queue_depth", f64::from(minute), json!({"component": "payment", "occurredAt": at}))
    };
    measure(naze, &(0..60).map(depth).collect::<Vec<_>>());
}

fn column<'a>(list: &'a Json, column: &str) -> Vec<&'a str> {
    list["items"].as_array().unwrap().iter().map(|item| item[column].as_str().unwrap_or("")).collect()
}

#[test]
fn a_component_is_told_whole() {
    let naze = naze();
    outage(&naze);
    let reply = naze.get("/v1/components/payment");
    let payment = reply.json();
    assert_eq!(reply.status, StatusCode::OK, "{payment:#}");
    let health = &payment["health"];
    assert_eq!((&health["state"], &health["circuit"]), (&json!("unhealthy"), &json!("open")));
    assert_eq!(health["since"], "2026-03-10T11:12:00Z");
    let reason = health["reason"].as_str().unwrap();
    assert!(reason.starts_with("its circuit is open; alert Down; incident inc-"), "{reason}");
    assert_eq!(column(&payment["circuit"], "state"), ["open"]);
    assert_eq!(column(&payment["failures"], "failureType"), ["Timeout", "Refused"]);
    assert_eq!(payment["failures"]["items"][0]["failures"], 7);
    assert_eq!(column(&payment["openAlerts"], "rule"), ["Down"]);
    assert_eq!(column(&payment["changes"], "kind"), ["deployment", "change"]);
    assert_eq!(column(&payment["needs"], "target"), ["bank"]);
    assert_eq!(column(&payment["neededBy"], "component"), ["shop"]);
    assert_eq!(payment["openIncidents"]["items"].as_array().unwrap().len(), 1);
    let series = &payment["series"]["items"][0];
    assert_eq!((&series["metric"], &series["latest"]["value"]), (&json!("queue_depth"), &json!(59.0)));
    assert_eq!(series["trend"]["1h"]["direction"], "degrading");

    let narrow = naze.get("/v1/components/payment?from=-1h&limit=1").json();
    assert_eq!(column(&narrow["changes"], "kind"), ["deployment"], "the change was nine hours ago");
    assert_eq!(
        (column(&narrow["failures"], "failureType"), &narrow["failures"]["truncated"]),
        (vec!["Timeout"], &json!(true))
    );
    let before = naze.get("/v1/components/payment?from=2026-03-10T02:00:00Z&to=2026-03-10T04:00:00Z").json();
    assert_eq!(
        (column(&before["changes"], "kind"), column(&before["failures"], "failureType")),
        (vec!["change"], vec![])
    );

    let shop = naze.get("/v1/components/shop").json();
    assert_eq!((column(&shop["alerts"], "rule"), column(&shop["openAlerts"], "rule")), (vec!["Slow"], vec![]));
}

#[test]
fn what_is_not_known_or_not_understood_is_refused_with_a_way_out() {
    let naze = naze();
    outage(&naze);
    let nobody = naze.get("/v1/components/nobody");
    assert_eq!(nobody.status, StatusCode::NOT_FOUND);
    assert!(nobody.text().contains("GET /v1/components lists"), "{}", nobody.text());
    for (path, told) in [
        ("/v1/components/payment?since=1", "there is no parameter since"),
        ("/v1/components/payment?limit=0", "limit=\\\"0\\\" is no number of entries"),
        ("/v1/dashboard?limit=101", "give a number from 1 to 100"),
        ("/v1/dashboard?from=now&to=-1h", "is not before to"),
        ("/v1/health?at=-1h", "there is no parameter at"),
    ] {
        let reply = naze.get(path);
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{path}: {}", reply.text());
        assert!(reply.text().contains(told), "{path}: {}", reply.text());
    }
}

#[test]
fn a_silent_component_is_degraded_and_one_that_sends_is_healthy() {
    let naze = naze();
    measure(
        &naze,
        &[
            sample("up", 1.0, json!({"component": "quiet", "occurredAt": "2026-03-10T11:40:00Z"})),
            sample("up", 1.0, json!({"component": "loud"})),
            sample("up", 1.0, json!({"component": "gone", "occurredAt": "2026-03-10T09:00:00Z"})),
        ],
    );
    let list = naze.get("/v1/components").json();
    let states: Vec<(&str, &str)> = list["components"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["component"].as_str().unwrap(), one["state"].as_str().unwrap()))
        .collect();
    assert_eq!(states, [("quiet", "degraded"), ("loud", "healthy"), ("gone", "unknown")]);
    assert_eq!(list["components"][0]["reason"], "it sent no sample for 20 min");
}

#[test]
fn the_dashboard_gathers_everything_that_an_overview_shows() {
    let naze = naze();
    overview(&naze);
    outage(&naze);
    let dashboard = naze.get("/v1/dashboard").json();
    assert_eq!(dashboard["health"]["status"], "unhealthy");
    let principles = dashboard["health"]["principles"].as_array().unwrap();
    assert_eq!(principles.len(), 6);
    assert_eq!(column(&dashboard["alerts"], "rule"), ["Down"]);
    assert_eq!(column(&dashboard["incidents"], "component"), ["payment"]);
    assert_eq!(column(&dashboard["changes"], "component"), ["payment", "payment"]);
    let advised = dashboard["recommendations"]["recommendations"].as_array().unwrap();
    assert_eq!(advised[0]["priority"], "P1", "{advised:#?}");
    assert!(advised.iter().any(|one| one["type"] == "circuit_open" && one["component"] == "payment"), "{advised:#?}");
    assert_eq!(dashboard["freshness"]["lastSampleAt"], "2026-03-10T11:59:30Z");
    assert_eq!(dashboard["freshness"]["lastReceiptAt"], crate::common::NOW);
    let one = naze.get("/v1/dashboard?limit=1&from=-2h").json();
    assert_eq!(column(&one["changes"], "kind"), ["deployment"]);
    assert_eq!(one["recommendations"]["recommendations"].as_array().unwrap().len(), 1);
    assert_eq!((&one["recommendations"]["truncated"], &one["health"]["truncated"]), (&json!(true), &json!(true)));
}

#[test]
fn resolved_alerts_and_mitigated_incidents_are_not_what_they_were() {
    let naze = naze();
    incident(&naze);
    let state = |naze: &Naze| health(naze)["components"][0]["state"].as_str().unwrap().to_owned();
    assert_eq!(state(&naze), "unhealthy");
    naze.post("/v1/incidents/inc-1", "application/json", json!({"status": "mitigated"}).to_string());
    assert_eq!(state(&naze), "degraded");
    naze.post("/v1/incidents/inc-1", "application/json", json!({"status": "resolved"}).to_string());
    assert_eq!(state(&naze), "unknown");
}
