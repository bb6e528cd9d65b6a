//! Runbooks: matched to what is open, stale after half a year, refused with file and field.

use naze::config::Config;
use naze::runbook::{Book, Runbook, Subject};
use serde_json::json;

use crate::common::{NOW, Naze};

fn file(front: &str) -> String {
    format!("---\n{front}\n---\n# Words\n\n1. look\n2. mend\n\nnot a step: 1.5\n")
}

#[test]
fn shipped_runbooks_are_for_something() {
    let book = Book::load(None).unwrap();
    let now = NOW.parse().unwrap();
    let names = |subject: &Subject| -> Vec<String> {
        book.matching(subject, now).into_iter().map(|matched| matched.name).collect()
    };
    let alert = |name: &str, metric: &str| Subject {
        kind: Some("alert".to_owned()),
        alerts: vec![name.to_owned()],
        metric: (!metric.is_empty()).then(|| metric.to_owned()),
        component: Some("orders".to_owned()),
    };
    assert_eq!(names(&alert("KanbanQueueDepthCritical", "tps_kanban_queue_depth")), ["queue-backlog"]);
    assert_eq!(names(&alert("KanbanNoWorkersAvailable", "")), ["no-workers"]);
    assert_eq!(names(&alert("JidokaCircuitOpenRatioHigh", "")), ["circuit-open"]);
    assert_eq!(names(&alert("TracingLatencyP99High", "tps_tracing_duration_seconds")), ["latency-high"]);
    assert_eq!(names(&alert("Other", "other")), [""; 0]);
    assert!(book.iter().all(|runbook| runbook.steps.len() >= 3 && runbook.file == "naze"));
}

#[test]
fn every_list_that_is_given_has_to_match_and_the_narrowest_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, front: &str| std::fs::write(folder.path().join(name), file(front)).unwrap();
    write("wide.md", "title: wide\nmetrics: [\"queue*\"]\nupdated: 2025-09-11");
    write("narrow.md", "title: narrow\nmetrics: [\"*_depth\"]\ncomponents: [orders]\nupdated: 2025-09-10");
    write("other.md", "title: other\nmetrics: [\"queue*\"]\ncomponents: [search]\nupdated: 2026-03-01");
    write("no-workers.md", "title: ours\nalerts: [KanbanNoWorkersAvailable]\nupdated: 2026-03-01");
    let naze = Naze::with(Config { runbooks: Some(folder.path().to_owned()), ..Config::in_memory() });
    naze.record(&json!([
        {"kind": "alert", "occurredAt": "2026-03-10T11:00:00Z", "component": "orders", "name": "Deep", "status": "firing",
            "severity": "critical", "metric": "queue_dead_depth"},
        {"kind": "alert", "occurredAt": "2026-03-10T10:00:00Z", "component": "orders", "name": "Over", "status": "firing"},
        {"kind": "alert", "occurredAt": "2026-03-10T10:30:00Z", "component": "orders", "name": "Over", "status": "resolved"},
    ]));
    let answer = naze.get("/v1/runbooks").json();
    let alerts = answer["alerts"].as_array().unwrap();
    assert_eq!(alerts.len(), 1, "{answer}");
    let found: Vec<_> = alerts[0]["runbooks"].as_array().unwrap().iter().map(|book| &book["name"]).collect();
    assert_eq!(found, ["narrow", "wide"]);
    // 180 days before the 10th of March is the 11th of September.
    let stale: Vec<_> = alerts[0]["runbooks"].as_array().unwrap().iter().map(|book| &book["isStale"]).collect();
    assert_eq!(stale, [true, false]);
    assert_eq!(alerts[0]["runbooks"][0]["steps"], json!(["look", "mend"]));
    assert_eq!(naze.get("/v1/runbooks/no-workers").json()["title"], "ours");
    assert!(naze.get_as("/v1/runbooks/wide", "text/markdown").text().starts_with("# wide\n\n# Words\n"));
    let reference = naze.get("/v1/incidents").json()["incidents"][0]["reference"].as_str().unwrap().to_owned();
    let workflow = naze.get(&format!("/v1/incidents/{reference}/workflow")).json();
    assert_eq!(workflow["runbooks"][0]["name"], "narrow");
    let unknown = naze.get("/v1/runbooks/narow");
    assert_eq!(unknown.status, 404);
    assert!(unknown.text().contains("did you mean narrow?"), "{}", unknown.text());
}

#[test]
fn a_wrong_file_is_refused_with_its_name_and_field() {
    for (front, told) in [
        ("title: a\nmetrics: [m]", "missing field `updated`"),
        ("title: a\nmetrics: [m]\nupdated: tomorrow", "invalid characters"),
        ("title: a\nmetric: [m]\nupdated: 2026-01-01", "unknown field `metric`"),
        ("title: a\nupdated: 2026-01-01", "matches nothing"),
        ("title: [", "is not YAML"),
    ] {
        let error = Runbook::read("folder/a.md", &file(front)).unwrap_err().to_string();
        assert!(error.starts_with("folder/a.md: ") && error.contains(told), "{error}");
    }
    let without = Runbook::read("a.md", "1. look\n").unwrap_err().to_string();
    assert!(without.contains("has no front matter"), "{without}");
    let idle = Runbook::read("a.md", "---\ntitle: a\nkinds: [alert]\nupdated: 2026-01-01\n---\nwords\n").unwrap_err();
    assert!(idle.to_string().contains("has no steps"), "{idle}");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.md"), "words").unwrap();
    assert!(Book::load(Some(folder.path())).unwrap_err().message().contains("bad.md"));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(---\n)?[ -~\n]{0,200}(\n---\n)?[ -~\n]{0,100}") {
        if let Ok(runbook) = Runbook::read("a.md", &text) {
            proptest::prop_assert!(!runbook.steps.is_empty());
        }
    }
}
