//! Timelines and post-mortems: facts in order, evidence as data, human words kept.

use serde_json::{Value as Json, json};

use crate::common::Naze;

fn outage(naze: &Naze) -> Json {
    naze.record(&json!([
        {"kind": "deployment", "occurredAt": "2026-03-10T09:55:00Z", "component": "checkout", "status": "succeeded", "version": "2.8.0", "previousVersion": "2.7.9", "actor": "ci", "summary": "coupon rounding"},
        {"kind": "crossing", "occurredAt": "2026-03-10T10:00:00Z", "component": "checkout", "metric": "error_ratio", "value": 0.25, "threshold": 0.05, "direction": "up", "baseline": 0.01, "deviation": 40.0},
        {"kind": "failure", "occurredAt": "2026-03-10T10:00:30Z", "component": "checkout", "failureType": "NullPointerException", "message": "coupon <script>alert(1)</script> | [x](javascript:y)\nrounding", "count": 12, "peer": "prices", "severity": "critical"},
    ]));
    let opened = naze.post(
        "/v1/incidents",
        "application/json",
        json!({"component": "checkout", "summary": "customers cannot pay", "metric": "error_ratio",
        "detectedAt": "2026-03-10T10:02:00Z", "reference": "INC-7"})
        .to_string(),
    );
    assert_eq!(opened.status, 201, "{}", opened.text());
    assert_eq!(opened.headers["location"], "/v1/incidents/INC-7");
    opened.json()
}

fn resolve(naze: &Naze) {
    for (status, at) in [("acknowledged", "10:05"), ("mitigated", "10:20"), ("resolved", "10:50")] {
        let update =
            json!({"status": status, "occurredAt": format!("2026-03-10T{at}:00Z"), "rootCause": "coupon rounding"});
        assert_eq!(naze.post("/v1/incidents/INC-7", "application/json", update.to_string()).status, 200);
    }
}

#[test]
fn a_timeline_tells_both_times_the_proof_and_the_silence_between() {
    let naze = Naze::in_memory();
    outage(&naze);
    let path = "/v1/timeline?from=2026-03-10T09:00:00Z&to=2026-03-10T11:00:00Z&gap=5m";
    let json = naze.get(path).json();
    let told: Vec<String> = json["entries"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| match entry["type"].as_str().unwrap() {
            "gap" => format!("gap of {} s", entry["seconds"]),
            _ => format!("{} {}", entry["occurredAt"].as_str().unwrap(), entry["title"].as_str().unwrap()),
        })
        .collect();
    assert_eq!(
        told,
        [
            "2026-03-10T09:55:00Z deployment succeeded: 2.8.0 (was 2.7.9) by ci: coupon rounding",
            "gap of 300 s",
            "2026-03-10T10:00:00Z error_ratio crossed 0.0500 up: 0.2500 (baseline 0.0100, 40.0 σ)",
            "2026-03-10T10:00:30Z checkout → prices: NullPointerException ×12: coupon <script>alert(1)</script> | [x](javascript:y)\nrounding",
            "2026-03-10T10:02:00Z incident INC-7 open: customers cannot pay",
        ]
    );
    let event = &json["entries"][0];
    assert_eq!(event["recordedAt"], "2026-03-10T12:00:00Z");
    assert_eq!(naze.get(event["proof"].as_str().unwrap()).json()["version"], "2.8.0");
    assert_eq!(naze.get(event["raw"].as_str().unwrap()).status, 200);

    let filtered = naze.get(&format!("{path}&kind=deployment,failure&severity=warning")).json();
    assert_eq!(filtered["entries"].as_array().unwrap().len(), 1);
    assert_eq!(naze.get(&format!("{path}&severity=bad")).status, 400);
    assert_eq!(naze.get(&format!("{path}&colour=red")).status, 400);
    let csv = naze.get_as(path, "text/csv").text();
    assert!(
        csv.starts_with("occurredAt,recordedAt,component,kind,severity,title,source,id\n2026-03-10T09:55:00Z,"),
        "{csv}"
    );
    assert!(csv.contains("5 min without evidence"), "{csv}");
}

#[test]
fn evidence_never_becomes_markup() {
    let naze = Naze::in_memory();
    outage(&naze);
    let path = "/v1/timeline?from=2026-03-10T09:00:00Z&to=2026-03-10T11:00:00Z";
    let html = naze.get_as(path, "text/html").text();
    assert!(html.contains("&lt;script&gt;alert(1)") && !html.contains("<script"), "{html}");
    let markdown = naze.get_as(path, "text/markdown").text();
    let row = markdown.lines().find(|line| line.contains("NullPointerException")).unwrap();
    assert!(row.contains(r"coupon &lt;script&gt;alert(1)&lt;/script&gt; \| \[x\](javascript:y) rounding"), "{row}");
}

#[test]
fn a_post_mortem_is_filled_in_and_what_people_wrote_is_kept() {
    let naze = Naze::in_memory();
    outage(&naze);
    let path = "/v1/incidents/INC-7/postmortem";
    let first = naze.get(path);
    assert_eq!(first.headers["content-type"], "text/markdown; charset=utf-8");
    assert!(first.text().contains("| Resolved | unknown | TTR | unknown |"), "{}", first.text());
    assert_eq!(naze.get(path).body, first.body);

    let lesson = "<!-- human:went-well -->\nThe pager *rang*. | <b>Good</b>\n<!-- /human:went-well -->";
    let text = first.text();
    let (before, after) = text.split_once("<!-- human:went-well -->").unwrap();
    let (_, after) = after.split_once("<!-- /human:went-well -->").unwrap();
    let edited = format!("{before}{lesson}{after}\n<!-- human:ours -->own part<!-- /human:ours -->\n");
    resolve(&naze);
    let second = naze.post(path, "text/markdown", edited).text();
    assert!(second.contains(lesson), "{second}");
    assert!(
        second.contains("Kept from the previous version")
            && second.contains("<!-- human:ours -->own part<!-- /human:ours -->"),
        "{second}"
    );
    assert!(second.contains("| Resolved | 2026-03-10 10:50:00Z | TTR | 50 min |"), "{second}");
    assert!(second.contains("| Detected | 2026-03-10 10:02:00Z | TTD | 2 min |"), "{second}");
    assert!(second.contains("Stated by the responders: coupon rounding."), "{second}");
    assert!(!second.contains("by ci likely"), "no person is a cause");

    let broken = naze.post(path, "text/markdown", "<!-- human:went-well -->lost?");
    assert_eq!(broken.status, 400);
    assert!(
        broken.json()["detail"].as_str().unwrap().contains("human:went-well of the earlier version has no end"),
        "{}",
        broken.text()
    );
    let json: Json = naze.get_as(path, "application/json").json();
    assert_eq!((&json["version"], &json["title"]), (&json!(1), &json!("Post-mortem INC-7")));
}

#[test]
fn an_incident_tells_its_state_and_an_unknown_one_says_so() {
    let naze = Naze::in_memory();
    let opened = outage(&naze);
    assert_eq!((&opened["status"], &opened["component"]), (&json!("open"), &json!("checkout")));
    resolve(&naze);
    let incident = naze.get("/v1/incidents/INC-7").json();
    assert_eq!(
        (&incident["status"], &incident["rootCause"], &incident["detectedAt"]),
        (&json!("resolved"), &json!("coupon rounding"), &json!("2026-03-10T10:02:00Z"))
    );
    assert_eq!(naze.get(&format!("/v1/incidents/{}", incident["receipts"][0].as_str().unwrap())).json(), incident);
    assert_eq!(naze.get("/v1/incidents").json()["incidents"][0], incident);
    assert_eq!(naze.get("/v1/incidents/INC-8/why").status, 404);
    let refused = naze.post("/v1/incidents/INC-7", "application/json", r#"{"status": "dunno"}"#);
    assert_eq!(refused.status, 400);
    assert!(refused.json()["detail"].as_str().unwrap().contains("status"), "{}", refused.text());
}
