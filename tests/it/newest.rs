//! What is held in memory or noted beside the evidence makes answers cheaper, never others.

use naze::clock::{Clock, Timestamp};
use naze::config::Config;
use naze::engine::Engine;
use naze::query::{Catalogue, Rows};
use naze::record::Window;
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze};
use crate::queries::{WORLDS, path_of};

fn window(from: &str, to: &str) -> Window {
    Window { from: from.parse().unwrap(), to: to.parse().unwrap() }
}

fn failure(at: &str, component: &str, message: &str) -> Json {
    json!({"kind": "failure", "occurredAt": at, "component": component, "failureType": "Timeout", "message": message})
}

#[test]
fn answers_from_memory_are_those_from_disk() {
    let catalogue = Catalogue::builtin().unwrap();
    let this_day = window("2026-03-10T00:00:00Z", "2026-03-10T12:00:00Z");
    for (world, given) in WORLDS {
        let folder = tempfile::tempdir().unwrap();
        let naze = Naze::in_world_with(world, Config::with_data(folder.path()));
        let ask = || -> Vec<(String, String)> {
            let answer = |path: String| (path.clone(), naze.get(&path).text());
            catalogue.iter().map(|query| answer(path_of(query, given))).collect()
        };
        let from_disk = ask();
        assert!(!naze.engine.index().holds(this_day));
        naze.engine.hold_newest().unwrap();
        assert!(naze.engine.index().holds(this_day), "{world}");
        for (disk, memory) in from_disk.iter().zip(ask()) {
            assert_eq!(*disk, memory, "{world}");
        }
    }
}

#[test]
fn what_comes_in_later_is_in_memory_too() {
    let folder = tempfile::tempdir().unwrap();
    let naze = Naze::in_folder(folder.path());
    naze.engine.hold_newest().unwrap();
    let this_day = window("2026-03-10T00:00:00Z", "2026-03-10T12:00:00Z");
    assert!(!naze.engine.index().holds(this_day), "there is nothing to hold");
    naze.record(&json!([failure("2026-03-10T11:00:00Z", "checkout", "one")]));
    naze.engine.hold_newest().unwrap();
    assert!(naze.engine.index().holds(this_day));
    naze.record(&json!([
        failure("2026-03-10T11:30:00Z", "checkout", "two"),
        failure("2026-03-09T11:30:00Z", "checkout", "the day before"),
    ]));
    let told = |lookback: &str| -> Vec<String> {
        let reply = naze.get(&format!("/v1/queries/failures_before?lookback={lookback}")).json();
        let rows = reply["rows"].as_array().unwrap().iter();
        rows.map(|row| row["message"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(told("2h"), ["one", "two"]);
    // A slot before those that are held is read from disk, with all that are newer.
    assert!(!naze.engine.index().holds(window("2026-03-09T00:00:00Z", "2026-03-10T12:00:00Z")));
    assert_eq!(told("48h"), ["the day before", "one", "two"]);
}

#[test]
fn a_correction_is_heeded_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let naze = Naze::in_folder(folder.path());
    let wrong = naze.record(&json!([failure("2026-03-10T11:00:00Z", "checkout", "wrong")]));
    naze.engine.hold_newest().unwrap();
    let mut right = failure("2026-03-10T11:00:00Z", "payment", "right");
    right["supersedes"] = wrong["receipts"][0]["id"].clone();
    naze.record(&json!([right]));
    let reply = naze.get("/v1/queries/failures_before?lookback=2h").json();
    let rows = reply["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{reply:#}");
    assert_eq!(rows[0]["message"], "right");
}

/// Incidents that share component, metric or alerts, are corrected, explained, or older than a year.
fn incidents(naze: &Naze) {
    let alert = |at: &str, name: &str| {
        let alert = json!({"kind": "alert", "occurredAt": at, "component": "web", "name": name, "status": "firing", "severity": "warning"});
        naze.record(&json!([alert]))["receipts"][0]["id"].clone()
    };
    let (slow, slow_again) = (alert("2026-03-10T09:00:00Z", "Slow"), alert("2026-02-01T09:00:00Z", "Slow"));
    let other = alert("2026-02-01T09:00:00Z", "Other");
    let incident = |at: &str, reference: &str, more: Json| {
        let mut incident = json!({"kind": "incident", "occurredAt": at, "reference": reference, "component": "else where",
            "status": "open", "severity": "critical", "summary": "trouble"});
        incident.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        naze.record(&json!([incident]))["receipts"][0]["id"].clone()
    };
    incident(
        "2026-03-10T10:00:00Z",
        "asked",
        json!({"component": "shop/web ä", "metric": "latency", "alerts": [slow]}),
    );
    incident(
        "2026-03-10T11:00:00Z",
        "asked",
        json!({"component": "shop/web ä", "status": "resolved", "rootCause": "it"}),
    );
    let all = incident(
        "2026-02-02T10:00:00Z",
        "all",
        json!({"component": "shop/web ä", "metric": "latency", "alerts": [slow_again, other]}),
    );
    incident(
        "2026-02-02T12:00:00Z",
        "all",
        json!({"component": "shop/web ä", "status": "resolved", "rootCause": "a leak", "fix": "restart"}),
    );
    incident(
        "2026-02-02T11:00:00Z",
        "all",
        json!({"component": "shop/web ä", "status": "mitigated", "rootCause": "no idea", "fix": "none"}),
    );
    incident("2026-01-02T10:00:00Z", "same metric", json!({"metric": "latency"}));
    incident("2026-01-02T10:00:00Z", "also same metric", json!({"metric": "latency"}));
    incident("2026-01-03T10:00:00Z", "nothing in common", json!({"metric": "errors", "alerts": [other]}));
    incident("2025-01-03T10:00:00Z", "long ago", json!({"metric": "latency"}));
    let wrong = incident("2026-01-04T10:00:00Z", "corrected", json!({"component": "shop/web ä"}));
    incident("2026-01-04T10:00:00Z", "corrected", json!({"supersedes": wrong}));
    let judged = |cause: &str, verdict: &str| {
        json!({"kind": "note", "occurredAt": "2026-02-03T10:00:00Z", "component": "shop/web ä", "verdict": verdict,
            "causeComponent": cause, "incidentReceipt": all, "message": "seen"})
    };
    naze.record(&json!([judged("pay ments", "confirmed"), judged("cache", "confirmed"), judged("disk", "ruled_out")]));
}

/// What the page shows of them, and what the canned query tells.
fn similar(naze: &Naze, reference: &str) -> [Rows; 2] {
    let now: Timestamp = NOW.parse().unwrap();
    let shown = naze.engine.similar_incidents(reference, now, 100).unwrap();
    let told = naze.engine.query("similar_incidents", [("incident", reference.to_owned())]).unwrap().rows;
    [shown, told]
}

#[test]
fn similar_incidents_of_a_page_are_those_of_the_canned_query() {
    let folder = tempfile::tempdir().unwrap();
    let naze = Naze::in_folder(folder.path());
    incidents(&naze);
    for reference in ["asked", "all", "same metric", "nothing in common", "corrected", "unknown"] {
        let [shown, told] = similar(&naze, reference);
        assert_eq!(shown, told, "{reference}");
    }
    let page = naze.get_as("/incidents/asked", "text/html").text();
    let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not on the page"));
    assert!(at("alert Slow, component shop/web%20%C3%A4, metric latency") < at("metric latency</td>"));
    assert!(page.contains("cache, pay%20ments") && !page.contains("long ago"));
    // One more, on the page at once, and the same after a start.
    let new = json!({"kind": "incident", "occurredAt": "2026-03-10T11:30:00Z", "reference": "new one", "component": "shop/web ä",
        "status": "open", "severity": "critical", "summary": "again"});
    naze.record(&json!([new]));
    assert!(naze.get_as("/incidents/asked", "text/html").text().contains("new one"));
    assert!(naze.get_as("/incidents", "text/html").text().contains("again"));
    let before = similar(&naze, "asked");
    assert_eq!(before[0], before[1]);
    drop(naze);
    let naze = Naze::in_folder(folder.path());
    assert_eq!(similar(&naze, "asked"), before);
}

#[test]
fn an_alert_that_comes_after_its_incident_makes_it_similar() {
    let naze = Naze::in_memory();
    let alert = json!({"kind": "alert", "occurredAt": "2026-03-10T09:00:00Z", "component": "web", "name": "Slow", "status": "firing",
        "severity": "warning"});
    let id = Naze::in_memory().record(&json!([alert]))["receipts"][0]["id"].clone();
    let incident = |at: &str, reference: &str, component: &str| {
        json!({"kind": "incident", "occurredAt": at, "reference": reference, "component": component, "status": "open",
            "severity": "critical", "summary": "trouble", "alerts": [id]})
    };
    naze.record(&json!([incident("2026-03-10T10:00:00Z", "a", "x"), incident("2026-03-10T10:30:00Z", "b", "y")]));
    let [shown, told] = similar(&naze, "a");
    assert_eq!(shown, told);
    assert_eq!(shown.texts("shared"), Vec::<String>::new());
    naze.record(&json!([alert]));
    let [shown, told] = similar(&naze, "a");
    assert_eq!(shown, told);
    assert_eq!(shown.texts("shared"), ["alert Slow"]);
}

/// Alerts that never come keep no other from being found.
#[test]
fn an_alert_that_comes_late_is_found_among_very_many_that_do_not() {
    let naze = Naze::in_memory();
    let alert = json!({"kind": "alert", "occurredAt": "2026-03-10T09:00:00Z", "component": "web", "name": "Slow", "status": "firing",
        "severity": "warning"});
    let id = Naze::in_memory().record(&json!([alert]))["receipts"][0]["id"].as_str().unwrap().to_owned();
    let digits = id.len() - id.trim_end_matches(|digit: char| digit.is_ascii_hexdigit()).len();
    let gone = |number: usize| format!("{}{number:0digits$x}", &id[..id.len() - digits]);
    let incident = |at: &str, reference: String, component: &str, alerts: Vec<String>| {
        json!({"kind": "incident", "occurredAt": at, "reference": reference, "component": component, "status": "open",
            "severity": "critical", "summary": "trouble", "alerts": alerts})
    };
    let noise = |number: usize| {
        let alerts = (number * 25..(number + 1) * 25).map(gone).collect();
        incident("2026-03-10T10:00:00Z", format!("gone-{number}"), &format!("c{number}"), alerts)
    };
    naze.record(&json!((0..60).map(noise).collect::<Vec<_>>()));
    naze.record(&json!([
        incident("2026-03-10T10:00:00Z", "a".to_owned(), "x", vec![id.clone()]),
        incident("2026-03-10T10:30:00Z", "b".to_owned(), "y", vec![id.clone()]),
    ]));
    naze.engine.incidents().unwrap();
    naze.record(&json!([alert]));
    // Each look after something came goes on where the last one stopped.
    for minute in 0..2 {
        naze.engine.incidents().unwrap();
        naze.record(&json!([failure(&format!("2026-03-10T11:0{minute}:00Z"), "z", "one")]));
    }
    let [shown, told] = similar(&naze, "a");
    assert_eq!(shown, told);
    assert_eq!(shown.texts("shared"), ["alert Slow"]);
}

#[test]
fn the_story_of_a_component_is_complete_also_in_a_ledger_that_lacks_its_notes() {
    let folder = tempfile::tempdir().unwrap();
    let naze = Naze::in_world_with("dependency_outage", Config::with_data(folder.path()));
    let all = window("2026-03-01T00:00:00Z", "2026-03-20T00:00:00Z");
    let mentioned = |naze: &Naze, name: &str| {
        let mut evidence = naze.engine.evidence(all).unwrap();
        evidence.retain(|recorded| {
            let fields = ["component", "target", "peer", "causeComponent"];
            fields.iter().any(|field| recorded.receipt.component_field(field) == Some(name))
        });
        evidence
    };
    let names = ["payment", "checkout", "nobody"];
    let stories = names.map(|name| naze.engine.evidence_of(name, all).unwrap());
    assert!(stories[0].iter().any(|told| told.receipt.component() != Some("payment")), "others name it, too");
    assert_eq!(stories, names.map(|name| mentioned(&naze, name)));
    drop(naze);
    let ledger = redb::Database::open(folder.path().join("ledger.redb")).unwrap();
    let write = ledger.begin_write().unwrap();
    let components: redb::TableDefinition<'_, (u64, i64, u64), [u8; 32]> = redb::TableDefinition::new("components");
    assert!(write.delete_table(components).unwrap());
    assert!(write.delete_table(redb::TableDefinition::<(), u64>::new("components noted")).unwrap());
    write.commit().unwrap();
    drop(ledger);
    let naze = Naze::in_folder(folder.path());
    assert_eq!(names.map(|name| naze.engine.evidence_of(name, all).unwrap()), stories);
}

#[test]
fn recommendations_say_as_of_when_they_are() {
    let at = |text: &str| -> Timestamp { text.parse().unwrap() };
    let engine = Engine::open(Config::in_memory(), Clock::Fixed(at("2026-03-10T12:01:30Z"))).unwrap();
    engine.recommend(at("2026-03-10T12:00:00Z")).unwrap();
    let naze = Naze::of(engine);
    let as_of = |path: &str| {
        let page = naze.get_as(path, "text/html").text();
        let (_, rest) = page.split_once("As of <time datetime=\"").expect("a page says as of when it is");
        rest[.."2026-03-10T12:00".len()].to_owned()
    };
    assert_eq!(as_of("/recommendations"), "2026-03-10T12:00", "the round's");
    assert_eq!(as_of("/recommendations?range=7d"), "2026-03-10T12:01", "worked out now");
}

#[test]
fn what_is_recommended_follows_what_is_recorded() {
    let naze = Naze::in_memory();
    let page = || naze.get_as("/recommendations", "text/html").text();
    assert!(page().contains("Nothing stood out"));
    naze.record(
        &json!([{"kind": "andon", "occurredAt": "2026-03-10T10:00:00Z", "component": "press", "status": "opened",
        "level": "critical", "reference": "cord-1"}]),
    );
    assert!(page().contains("press"), "{}", page());
}
