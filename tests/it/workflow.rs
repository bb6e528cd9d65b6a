//! The clock of an incident, escalation of what nobody answers, and the recorded chain of causes.

use naze::config::{Config, Escalation};
use serde_json::{Value as Json, json};

use crate::common::Naze;

const ALERT: &str = "2026-03-10T10:00:00Z";

fn alert(at: &str, status: &str, more: &Json) -> Json {
    let mut receipt = json!({"kind": "alert", "occurredAt": format!("2026-03-10T{at}Z"), "component": "checkout",
        "name": "ErrorsHigh", "status": status, "severity": "critical"});
    receipt.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    receipt
}

fn deployment(at: &str, version: &str, previous: &str) -> Json {
    json!({"kind": "deployment", "occurredAt": format!("2026-03-10T{at}Z"), "component": "checkout",
        "status": "succeeded", "version": version, "previousVersion": previous})
}

fn update(naze: &Naze, reference: &str, at: &str, more: &Json) {
    let mut update = json!({"occurredAt": at});
    update.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let reply = naze.post(&format!("/v1/incidents/{reference}"), "application/json", update.to_string());
    assert_eq!(reply.status, 200, "{}", reply.text());
}

/// `name state minutes` of each step.
fn clock(workflow: &Json) -> Vec<String> {
    let steps = workflow["steps"].as_array().unwrap().iter();
    let step = |step: &Json| {
        let took = step["tookSeconds"].as_f64().map_or_else(|| "-".to_owned(), |seconds| (seconds / 60.0).to_string());
        format!("{} {} {took}", step["name"].as_str().unwrap(), step["state"].as_str().unwrap())
    };
    steps.map(step).collect()
}

#[test]
fn each_step_is_told_by_a_receipt_and_late_when_its_time_is_over() {
    let naze = Naze::in_memory();
    let told = naze.record(&json!([deployment("09:50:00", "2", "1"), alert("10:00:00", "firing", &json!({}))]));
    let incidents = naze.get("/v1/incidents").json();
    let reference = incidents["incidents"][0]["reference"].as_str().unwrap().to_owned();
    let workflow = |at: &str| {
        let path = format!("/v1/incidents/{reference}/workflow?at=2026-03-10T{at}Z");
        naze.get(&path).json()["workflow"].clone()
    };
    let begun = workflow("10:04:00");
    assert_eq!((&begun["detectedAt"], &begun["next"]), (&json!(ALERT), &json!("paged")));
    assert_eq!(clock(&begun)[..3], ["detected done 0", "paged due -", "acknowledged due -"]);
    assert_eq!(begun["changes"][0]["event"], told["receipts"][0]["id"]);
    assert_eq!(begun["changes"][0]["rollbackCandidate"], true);
    let late = workflow("10:30:01");
    assert_eq!(clock(&late)[1..4], ["paged late -", "acknowledged late -", "change_found late -"]);
    assert_eq!(late["escalation"]["isDue"], true);
    assert_eq!(workflow("10:24:59")["escalation"]["isDue"], false);

    naze.record(&json!([
        alert("10:03:00", "firing", &json!({"source": "pagerduty", "name": "page"})),
        alert("10:06:00", "acknowledged", &json!({})),
        deployment("10:20:00", "1", "2"),
    ]));
    update(&naze, &reference, "2026-03-10T10:15:00Z", &json!({"step": "change_found"}));
    update(&naze, &reference, "2026-03-10T10:40:00Z", &json!({"status": "resolved", "rootCause": "eviction"}));
    let after = workflow("11:00:00");
    assert_eq!(
        clock(&after),
        [
            "detected done 0",
            "paged done 3",
            "acknowledged done 6",
            "change_found done 15",
            "mitigated done 20",
            "recovered done 40",
            "reviewed due -",
            "fixed_for_good due -",
            "runbook_updated due -"
        ]
    );
    assert_eq!((&after["next"], &after["escalation"]["isDue"]), (&json!("reviewed"), &json!(false)));
    // What was not known yet is not told of an earlier time.
    assert_eq!(clock(&workflow("10:16:00"))[4], "mitigated due -");
    for (at, more) in [
        ("2026-03-11T09:00:00Z", json!({"step": "reviewed"})),
        ("2026-03-11T09:30:00Z", json!({"prevention": "a heap alert"})),
        ("2026-03-11T12:00:00Z", json!({"step": "runbook_updated"})),
    ] {
        update(&naze, &reference, at, &more);
    }
    let path = format!("/v1/incidents/{reference}/workflow?at=2026-03-12T00:00:00Z");
    let done = naze.get(&path).json()["workflow"].clone();
    assert_eq!(clock(&done)[6..], ["reviewed done 1380", "fixed_for_good done 1410", "runbook_updated done_late 1560"]);
    assert_eq!(done["next"], Json::Null);
    // A step changes nothing else of the incident.
    let incident = naze.get(&format!("/v1/incidents/{reference}")).json();
    assert_eq!((&incident["status"], &incident["prevention"]), (&json!("resolved"), &json!("a heap alert")));
    let postmortem = naze.get(&format!("/v1/incidents/{reference}/postmortem")).text();
    assert!(postmortem.contains("| it is rolled back or mitigated | done | 2026-03-10 10:20:00Z |"), "{postmortem}");
    assert!(postmortem.contains("Prevention: a heap alert") && postmortem.contains("eviction"), "{postmortem}");
}

fn escalations(naze: &Naze) -> Vec<Json> {
    let timeline = naze.get("/v1/timeline?from=2026-03-09T00:00:00Z&to=2026-03-11T00:00:00Z&kind=alert").json();
    let entries = timeline["entries"].as_array().unwrap().iter();
    let titles = entries.filter(|entry| entry["title"].as_str().is_some_and(|title| title.contains("escalated")));
    titles.cloned().collect()
}

#[test]
fn what_nobody_answers_is_escalated_once_before_half_an_hour_is_over() {
    let naze = Naze::in_memory();
    let other = |name: &str| json!({"name": name});
    naze.record(&json!([
        alert("10:00:00", "firing", &json!({"metric": "error_ratio", "value": 0.2, "severity": "warning"})),
        alert("10:05:00", "firing", &json!({"severity": "warning"})),
        alert("10:00:00", "firing", &json!({"name": "ForInformation", "severity": "info"})),
        alert("10:00:00", "firing", &other("Answered")),
        alert("10:10:00", "acknowledged", &other("Answered")),
        alert("10:00:00", "firing", &json!({"name": "TakenUp", "component": "search"})),
        alert("10:00:00", "firing", &json!({"name": "Remedied", "severity": "warning"})),
        {"kind": "remediation", "occurredAt": "2026-03-10T10:20:00Z", "component": "checkout", "alertName": "Remedied",
            "action": "restart", "result": "succeeded"},
    ]));
    let incidents = naze.get("/v1/incidents").json();
    let of = |component: &str| {
        let incidents = incidents["incidents"].as_array().unwrap();
        let found = incidents.iter().find(|incident| incident["component"] == component).unwrap();
        found["reference"].as_str().unwrap().to_owned()
    };
    update(&naze, &of("search"), "2026-03-10T10:12:00Z", &json!({"status": "acknowledged"}));
    let at = |time: &str| format!("2026-03-10T{time}Z").parse().unwrap();
    assert_eq!(naze.engine.escalate_alerts(at("10:24:59")).unwrap(), 0);
    assert_eq!(naze.engine.escalate_alerts(at("10:26:00")).unwrap(), 1);
    // Not again, and not for the second firing of the same alert.
    assert_eq!(naze.engine.escalate_alerts(at("10:27:00")).unwrap(), 0);
    assert_eq!(naze.engine.escalate_alerts(at("10:31:00")).unwrap(), 0);
    let found = escalations(&naze);
    assert_eq!(found.len(), 1, "{found:?}");
    let receipt = naze.get(&format!("/v1/receipts/{}", found[0]["id"].as_str().unwrap())).json();
    assert_eq!(
        (&receipt["occurredAt"], &receipt["name"], &receipt["severity"], &receipt["metric"], &receipt["source"]),
        (
            &json!("2026-03-10T10:25:00Z"),
            &json!("ErrorsHigh"),
            &json!("warning"),
            &json!("error_ratio"),
            &json!("naze")
        )
    );
    let workflow = naze.get(&format!("/v1/incidents/{}/workflow", of("checkout"))).json()["workflow"].clone();
    assert_eq!(workflow["escalation"]["escalatedAt"], "2026-03-10T10:25:00Z");
}

/// Two instances of an alert fire; who acknowledges one of them has not heard the other.
#[test]
fn an_answer_to_one_instance_leaves_the_others_waiting() {
    let naze = Naze::in_memory();
    let of = |fingerprint: &str| json!({"severity": "warning", "fingerprint": fingerprint});
    naze.record(&json!([
        alert("10:00:00", "firing", &of("web-1")),
        alert("10:00:00", "firing", &of("web-2")),
        alert("10:05:00", "acknowledged", &of("web-1")),
        alert("10:00:00", "firing", &json!({"name": "All", "severity": "warning", "fingerprint": "web-1"})),
        alert("10:05:00", "acknowledged", &json!({"name": "All"})),
        alert("10:00:00", "firing", &json!({"name": "Any", "severity": "warning"})),
        alert("10:05:00", "acknowledged", &json!({"name": "Any", "fingerprint": "web-9"})),
    ]));
    let rows = naze.get("/v1/queries/unanswered_alerts?at=2026-03-10T10:26:00Z").json()["rows"].clone();
    assert_eq!(rows.as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(naze.engine.escalate_alerts("2026-03-10T10:26:00Z".parse().unwrap()).unwrap(), 1);
    let escalated = escalations(&naze);
    let receipt = naze.get(&format!("/v1/receipts/{}", escalated[0]["id"].as_str().unwrap())).json();
    assert_eq!((escalated.len(), &receipt["fingerprint"]), (1, &json!("web-2")));
    // An answer since the time to answer began is looked for on its own.
    let late = Naze::in_memory();
    late.record(&json!([
        alert("10:00:00", "firing", &of("web-1")),
        alert("10:00:00", "firing", &of("web-2")),
        alert("10:15:30", "acknowledged", &of("web-1")),
    ]));
    assert_eq!(late.engine.escalate_alerts("2026-03-10T10:26:00Z".parse().unwrap()).unwrap(), 1);
}

fn andon(at: &str, status: &str, more: &Json) -> Json {
    let mut receipt = json!({"kind": "andon", "occurredAt": format!("2026-03-10T{at}Z"), "component": "press",
        "status": status, "level": "critical", "cause": "oil\non the floor"});
    receipt.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    receipt
}

/// SPEC 4.2 B1: more than an hour, and exactly an hour is not.
#[test]
fn a_critical_andon_that_nobody_resolves_is_escalated_once_after_an_hour() {
    let naze = Naze::in_memory();
    let of = |reference: &str| json!({"reference": reference});
    naze.record(&json!([
        andon("10:00:00", "opened", &of("waiting")),
        andon("10:00:00", "opened", &of("resolved")),
        andon("10:30:00", "resolved", &of("resolved")),
        andon("10:00:00", "opened", &json!({"reference": "lesser", "level": "warning"})),
        andon("10:00:00", "opened", &of("called")),
        andon("10:20:00", "escalated", &of("called")),
    ]));
    let at = |time: &str| format!("2026-03-10T{time}Z").parse().unwrap();
    assert_eq!(naze.engine.escalate_andons(at("11:00:00")).unwrap(), 0, "an hour is not more than one");
    assert_eq!(naze.engine.escalate_andons(at("11:00:01")).unwrap(), 1);
    assert_eq!(naze.engine.escalate_andons(at("11:00:11")).unwrap(), 0, "once");
    let timeline = naze.get("/v1/timeline?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z&kind=andon").json();
    let last = timeline["entries"].as_array().unwrap().last().unwrap()["id"].as_str().unwrap().to_owned();
    let told = naze.get(&format!("/v1/receipts/{last}")).json();
    assert_eq!(
        (&told["status"], &told["reference"], &told["level"], &told["occurredAt"], &told["source"]),
        (&json!("escalated"), &json!("waiting"), &json!("critical"), &json!("2026-03-10T11:00:00Z"), &json!("naze"))
    );
    assert_eq!(told["summary"], "nobody resolved the andon of press within 60 min: oil on the floor");
    let metrics = naze.get("/metrics").text();
    assert!(metrics.contains("tps_andon_escalations_total{severity=\"critical\"} 2"), "{metrics}");
    // A naze that was stopped for an hour still escalates it, and one that was stopped for days leaves the past alone.
    for (time, count) in [("2026-03-11T10:30:00Z", 1), ("2026-03-11T11:30:00Z", 0)] {
        let late = Naze::in_memory();
        late.record(&json!([andon("10:00:00", "opened", &of("waiting"))]));
        assert_eq!(late.engine.escalate_andons(time.parse().unwrap()).unwrap(), count, "{time}");
    }
}

/// Its severity says so, else its level: to all who ask.
#[test]
fn an_andon_is_critical_to_all_or_to_none() {
    for (more, is_critical) in [
        (json!({}), true),
        (json!({"level": "warning"}), false),
        (json!({"level": null, "severity": "critical"}), true),
        (json!({"level": null}), false),
        (json!({"level": "warning", "severity": "critical"}), true),
        (json!({"severity": "warning"}), false),
    ] {
        let mut pull = andon("10:00:00", "opened", &more);
        pull.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let naze = Naze::in_memory();
        naze.record(&json!([pull]));
        let rows = |query: &str| naze.get(&format!("/v1/queries/{query}")).json()["rows"].clone();
        let advised = rows("critical_andon_open").as_array().unwrap().len() == 1;
        let listed = rows("open_andons")[0]["severity"] == "critical";
        let counted = naze.get("/metrics").text().contains("tps_andon_open{severity=\"critical\"} 1");
        let health = naze.engine.health().unwrap();
        let part = health.checks.iter().find(|part| part.name == "andon").unwrap();
        let judged = format!("{:?}", part.condition).contains("critical");
        let escalated = naze.engine.escalate_andons("2026-03-10T11:00:01Z".parse().unwrap()).unwrap() == 1;
        assert_eq!([advised, listed, counted, judged, escalated], [is_critical; 5], "{more}");
    }
}

#[test]
fn escalation_can_be_configured() {
    let with = |escalation| Naze::with(Config { escalation, ..Config::in_memory() });
    let at = |time: &str| format!("2026-03-10T{time}Z").parse().unwrap();
    let soon = with(Escalation { after_minutes: 5, ..Escalation::default() });
    let never = with(Escalation { enabled: false, ..Escalation::default() });
    for naze in [&soon, &never] {
        naze.record(&json!([alert("10:00:00", "firing", &json!({}))]));
    }
    assert_eq!(soon.engine.escalate_alerts(at("10:05:01")).unwrap(), 1);
    assert_eq!(never.engine.escalate_alerts(at("11:00:00")).unwrap(), 0);
    let sooner = with(Escalation { andon_after_minutes: 5, ..Escalation::default() });
    for (naze, count) in [(&sooner, 1), (&never, 0)] {
        naze.record(&json!([andon("10:00:00", "opened", &json!({}))]));
        assert_eq!(naze.engine.escalate_andons(at("10:05:01")).unwrap(), count);
    }
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("naze.toml");
    for wrong in ["after_minutes = 0", "andon_after_minutes = 1441"] {
        std::fs::write(&file, format!("[escalation]\n{wrong}\n")).unwrap();
        let error = Config::read(&file).unwrap_err();
        assert!(error.message().contains(&format!("escalation.{wrong}")), "{error}");
    }
}

/// The chain of the specification: latency, queue, workers, memory, leak, eviction.
#[test]
fn the_recorded_chain_has_five_whys_with_their_receipts() {
    let naze = Naze::in_memory();
    let record = |receipt: Json| naze.record(&receipt)["receipts"][0]["id"].as_str().unwrap().to_owned();
    let crossing = |at: &str, metric: &str, summary: &str, cause: &str| {
        json!({"kind": "crossing", "occurredAt": format!("2026-03-10T{at}Z"), "component": "checkout", "metric": metric,
            "value": 1, "direction": "up", "summary": summary, "causedBy": cause})
    };
    let eviction = record(json!({"kind": "change", "occurredAt": "2026-03-10T08:00:00Z", "component": "payments",
        "changeType": "config", "key": "cache.eviction", "from": "lru", "to": "fifo", "summary": "eviction bug"}));
    let leak = record(crossing("08:30:00", "heap_bytes", "leak in the payment cache", &eviction));
    let memory = record(json!({"kind": "failure", "occurredAt": "2026-03-10T09:00:00Z", "component": "payments",
        "failureType": "OutOfMemory", "causedBy": leak}));
    let workers = record(crossing("09:10:00", "workers", "workers are gone", &memory));
    let queue = record(crossing("09:20:00", "queue_depth", "the queue grew by 60 %", &workers));
    let incident = json!({"component": "checkout", "summary": "latency +40 %", "reference": "INC-5",
        "detectedAt": "2026-03-10T10:00:00Z", "causedBy": queue});
    assert_eq!(naze.post("/v1/incidents", "application/json", incident.to_string()).status, 201);
    let chain = naze.get("/v1/queries/why_chain?incident=INC-5").json();
    let events: Vec<&str> =
        chain["rows"].as_array().unwrap().iter().map(|row| row["event"].as_str().unwrap()).collect();
    assert_eq!(events, [&*queue, &*workers, &*memory, &*leak, &*eviction]);
    let steps: Vec<i64> = chain["rows"].as_array().unwrap().iter().map(|row| row["step"].as_i64().unwrap()).collect();
    assert_eq!(steps, [1, 2, 3, 4, 5]);
    let ends = json!({"rootCause": "eviction bug", "fix": "LRU instead of FIFO", "prevention": "heap alert",
        "occurredAt": "2026-03-10T11:00:00Z"});
    update(&naze, "INC-5", "2026-03-10T11:00:00Z", &ends);
    let incident = naze.get("/v1/incidents/INC-5").json();
    assert_eq!(
        (&incident["rootCause"], &incident["fix"], &incident["prevention"]),
        (&ends["rootCause"], &ends["fix"], &ends["prevention"])
    );
}
