//! Why did it break? Small histories with a known answer, asked over HTTP.

use std::collections::BTreeSet;

use naze::analyse::cause::{Question, why};
use naze::record::{Recorded, Window};
use serde_json::{Value as Json, json};

use crate::common::Naze;

fn ask(naze: &Naze, component: &str, at: &str) -> Json {
    let reply = naze.get(&format!("/v1/why?component={component}&at={at}"));
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

fn first(answer: &Json) -> &str {
    answer["ranked"][0]["component"].as_str().unwrap()
}

#[test]
fn a_bad_deploy_is_told_from_a_later_innocent_one() {
    let naze = Naze::in_world("bad_deploy");
    let answer = ask(&naze, "web", "2026-03-10T10:09:00Z");
    assert_eq!((first(&answer), &answer["verdict"]), ("checkout", &json!("likely")));
    let blamed = naze.get(&format!("/v1/receipts/{}", answer["ranked"][0]["receipt"].as_str().unwrap())).json();
    assert_eq!((&blamed["kind"], &blamed["version"]), (&json!("deployment"), &json!("2.8.0")));
    assert!(answer["chain"].as_array().unwrap().len() >= 3, "{answer}");
    assert_eq!(answer["chain"][0]["because"], "web depends on checkout");
}

#[test]
fn callers_of_a_dead_dependency_are_victims_and_a_mere_coincidence_is_not_blamed() {
    let answer = ask(&Naze::in_world("dependency_outage"), "web", "2026-03-10T14:05:00Z");
    assert_eq!(first(&answer), "bank-gateway");
    let checkout = answer["whyNot"].as_array().unwrap().iter().find(|other| other["component"] == "checkout").unwrap();
    assert!(checkout["statement"].as_str().unwrap().contains("may be its victim"), "{checkout}");
}

#[test]
fn nothing_is_blamed_on_a_quiet_day_and_it_says_what_is_missing() {
    let answer = ask(&Naze::in_world("quiet"), "web", "2026-03-10T12:00:00Z");
    assert_eq!(answer["verdict"], "inconclusive");
    assert!(!answer["missing"].as_array().unwrap().is_empty());
    let empty = ask(&Naze::in_memory(), "web", "2026-03-10T12:00:00Z");
    assert_eq!(empty["verdict"], "inconclusive");
    assert!(empty["missing"][0]["what"].as_str().unwrap().starts_with("nothing is known to have failed"), "{empty}");
}

#[test]
fn every_term_cites_receipts_that_its_query_shows_again() {
    let naze = Naze::in_world("bad_deploy");
    let answer = ask(&naze, "web", "2026-03-10T10:09:00Z");
    for term in answer["ranked"].as_array().unwrap().iter().flat_map(|cause| cause["terms"].as_array().unwrap()) {
        let receipts = term["receipts"].as_array().unwrap();
        assert!(!receipts.is_empty() && term["logOdds"] != 0.0, "{term}");
        for id in receipts {
            assert_eq!(naze.get(&format!("/v1/receipts/{}", id.as_str().unwrap())).status, 200, "{term}");
        }
        let params = term["query"]["params"]
            .as_object()
            .unwrap()
            .iter()
            .map(|(name, value)| format!("{name}={}", value.as_str().unwrap()));
        let path =
            format!("/v1/queries/{}?{}", term["query"]["id"].as_str().unwrap(), params.collect::<Vec<_>>().join("&"));
        let proof = naze.get(&path);
        assert_eq!(proof.status, 200, "{path}: {}", proof.text());
        assert!(!proof.json()["rows"].as_array().unwrap().is_empty(), "{path} shows nothing for {term}");
    }
}

#[test]
fn human_verdicts_outweigh_signs_and_stay_visible() {
    let naze = Naze::in_world("bad_deploy");
    let note = |verdict: &str, cause: &str| json!({"kind": "note", "occurredAt": "2026-03-10T10:08:30Z", "component": "web", "verdict": verdict, "causeComponent": cause, "message": "looked at it"});
    naze.record(&note("ruled_out", "checkout"));
    let answer = ask(&naze, "web", "2026-03-10T10:09:00Z");
    assert_ne!(first(&answer), "checkout");
    assert!(
        answer["whyNot"].as_array().unwrap().iter().any(|other| other["component"] == "checkout"),
        "{}",
        answer["whyNot"]
    );
    naze.record(&note("confirmed", "inventory"));
    let answer = ask(&naze, "web", "2026-03-10T10:09:00Z");
    assert_eq!((first(&answer), &answer["verdict"]), ("inventory", &json!("confirmed")));
}

#[test]
fn order_of_evidence_and_what_came_later_do_not_matter() {
    let naze = Naze::in_world("bad_deploy");
    let mut evidence: Vec<Recorded> = naze.engine.evidence(Window::ALL).unwrap();
    let question = Question {
        component: "web".into(),
        metric: None,
        summary: None,
        onset: None,
        at: "2026-03-10T10:09:00Z".parse().unwrap(),
        incident: None,
    };
    let answer = serde_json::to_string(&why(&question, &evidence)).unwrap();
    evidence.reverse();
    assert_eq!(serde_json::to_string(&why(&question, &evidence)).unwrap(), answer);
    let known: BTreeSet<String> = evidence
        .iter()
        .filter(|recorded| recorded.occurred_at() <= question.at)
        .map(|recorded| recorded.id.to_string())
        .collect();
    evidence.retain(|recorded| known.contains(&recorded.id.to_string()));
    assert_eq!(serde_json::to_string(&why(&question, &evidence)).unwrap(), answer);
}

#[test]
fn a_critical_alert_opens_one_incident_that_can_be_asked() {
    let naze = Naze::in_memory();
    let hook = |name: &str, severity: &str| {
        let alert = json!({"version": "4", "status": "firing", "alerts": [{"status": "firing", "labels": {"alertname": name, "severity": severity, "service": "checkout"},
            "annotations": {"summary": "errors above 5 %"}, "startsAt": "2026-03-10T10:00:00Z", "endsAt": "0001-01-01T00:00:00Z", "fingerprint": name}]});
        naze.post("/hooks/alertmanager", "application/json", alert.to_string())
    };
    assert_eq!(hook("a1b2c3d4e5f60718", "warning").status, 201);
    assert_eq!(naze.get("/v1/incidents").json()["incidents"].as_array().unwrap().len(), 0);
    assert_eq!(hook("ErrorsHigh", "critical").status, 201);
    assert_eq!(hook("ErrorsHigh", "critical").json()["duplicate"], 1);
    assert_eq!(hook("ErrorsStillHigh", "critical").status, 201);
    let incidents = naze.get("/v1/incidents").json();
    assert_eq!(incidents["incidents"].as_array().unwrap().len(), 1, "{incidents}");
    let incident = &incidents["incidents"][0];
    assert_eq!((&incident["status"], &incident["summary"]), (&json!("open"), &json!("errors above 5 %")));
    let answer = naze.get(incident["why"].as_str().unwrap());
    assert_eq!(answer.json()["question"]["component"], "checkout");
}

#[test]
fn an_incident_that_an_alert_opened_ends_with_it_unless_somebody_took_it_up() {
    let naze = Naze::in_memory();
    let alert = |name: &str, component: &str, status: &str, at: &str| json!({"kind": "alert", "occurredAt": at, "component": component, "name": name, "status": status, "severity": "critical"});
    naze.record(&json!([
        alert("Down", "checkout", "firing", "2026-03-10T10:00:00Z"),
        alert("Slow", "search", "firing", "2026-03-10T10:00:00Z")
    ]));
    let incidents = naze.get("/v1/incidents").json();
    let search = incidents["incidents"].as_array().unwrap().iter().find(|incident| incident["component"] == "search");
    let taken_up = format!("/v1/incidents/{}", search.unwrap()["reference"].as_str().unwrap());
    let update = json!({"status": "acknowledged", "occurredAt": "2026-03-10T10:01:00Z", "actor": "mira"});
    assert_eq!(naze.post(&taken_up, "application/json", update.to_string()).status, 200);
    naze.record(&json!([
        alert("Other", "checkout", "resolved", "2026-03-10T10:04:00Z"),
        alert("Slow", "search", "resolved", "2026-03-10T10:05:00Z")
    ]));
    let open = |naze: &Naze| {
        let rows = naze.get("/v1/queries/open_incidents?at=2026-03-10T11:00:00Z").json();
        let components: Vec<String> =
            rows["rows"].as_array().unwrap().iter().map(|row| row["component"].as_str().unwrap().to_owned()).collect();
        components.join(" ")
    };
    assert_eq!(open(&naze), "checkout search");
    naze.record(&alert("Down", "checkout", "resolved", "2026-03-10T10:06:00Z"));
    assert_eq!(open(&naze), "search");
}

#[test]
fn an_answer_comes_in_every_form() {
    let naze = Naze::in_world("bad_deploy");
    let path = "/v1/why?component=web&at=2026-03-10T10:09:00Z";
    let plain = naze.get_as(path, "text/plain").text();
    assert!(
        plain.contains("checkout likely broke web.")
            && plain.contains("FIVE WHYS")
            && plain.contains("/v1/queries/changes_before?"),
        "{plain}"
    );
    assert!(naze.get_as(path, "text/markdown").text().contains("## Root cause"));
    assert!(naze.get_as(path, "text/html").text().contains("<h2>Root cause</h2>"));
    assert!(
        naze.get_as(path, "text/csv")
            .text()
            .starts_with("rank,component,score,term,logOdds,statement,receipts,query\n1,checkout,")
    );
    assert_eq!(naze.get("/v1/why").status, 400);
    assert_eq!(naze.get("/v1/why?component=web&window=soon").status, 400);
}
