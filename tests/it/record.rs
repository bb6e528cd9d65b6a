//! Ledger, index and writer: what is acknowledged stays, and what is changed is found.

use naze::record::Window;
use naze::record::slot::Width;
use serde_json::{Value as Json, json};

use redb::ReadableTable as _;

use crate::common::Naze;

fn change(number: usize) -> Json {
    let minute = number % 60;
    let hour = number / 60 % 24;
    json!({"kind": "change", "occurredAt": format!("2026-03-{:02}T{hour:02}:{minute:02}:00Z", 1 + number / 1440), "component": format!("service-{}", number % 7),
        "changeType": "config", "key": format!("key-{number}"), "to": number})
}

fn changes(numbers: std::ops::Range<usize>) -> Json {
    numbers.map(change).collect()
}

const COUNT: &str = "/sparql?query=SELECT%20(COUNT(*)%20AS%20%3Fn)%20WHERE%20%7B%20%3Fr%20a%20%3Chttps%3A%2F%2Fw3id.org%2Fnaze%23Change%3E%20%7D";

fn count(naze: &Naze) -> String {
    naze.get_as(COUNT, "text/csv").text()
}

#[test]
fn what_is_recorded_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let naze = Naze::in_folder(folder.path());
    let id = naze.record(&changes(0..3))["receipts"][0]["id"].as_str().unwrap().to_owned();
    let before = naze.get(&format!("/v1/receipts/{id}")).text();
    drop(naze);
    let naze = Naze::in_folder(folder.path());
    assert_eq!(naze.get(&format!("/v1/receipts/{id}")).text(), before);
    assert_eq!(count(&naze), "n\r\n3\r\n");
    let again = naze.post("/v1/receipts", "application/json", changes(0..3).to_string());
    assert_eq!(again.json()["duplicate"], 3);
}

#[test]
fn an_index_that_is_gone_or_lags_is_replayed_from_the_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let naze = Naze::in_folder(folder.path());
    naze.record(&changes(0..2_500));
    let answer = naze.get("/v1/queries/changes_before?at=2026-03-02T12:00:00Z&lookback=3h").text();
    assert!(answer.contains("key-2159"), "{answer}");
    drop(naze);
    std::fs::remove_dir_all(folder.path().join("index")).unwrap();
    let naze = Naze::in_folder(folder.path());
    assert_eq!(naze.get("/v1/queries/changes_before?at=2026-03-02T12:00:00Z&lookback=3h").text(), answer);
    assert_eq!(count(&naze), "n\r\n2500\r\n");
}

#[test]
fn of_more_than_are_wanted_the_last_are_given() {
    let naze = Naze::in_memory();
    // Two days, so that there are two slots.
    naze.record(&changes(1_430..1_450));
    let last = |receipts_max: usize| {
        let (found, is_more) = naze.engine.index().of_kinds(&["change"], Window::ALL, receipts_max).unwrap();
        let keys: Vec<_> = found.iter().map(|recorded| recorded.receipt.text("key").unwrap().to_owned()).collect();
        (keys, is_more)
    };
    let keys = |numbers: std::ops::Range<usize>| numbers.map(|number| format!("key-{number}")).collect::<Vec<_>>();
    assert_eq!(last(3), (keys(1_447..1_450), true));
    assert_eq!(last(15), (keys(1_435..1_450), true));
    assert_eq!(last(20), (keys(1_430..1_450), false));
}

#[test]
fn of_thousands_with_something_in_common_the_latest_is_found() {
    let naze = Naze::in_memory();
    let alert = |minute: usize| {
        let (day, hour) = (1 + minute / 1440, minute / 60 % 24);
        json!({"kind": "alert", "occurredAt": format!("2026-03-{day:02}T{hour:02}:{:02}:00Z", minute % 60),
            "component": "checkout", "name": "Flapping", "status": "firing", "severity": "info", "fingerprint": "f1"})
    };
    naze.record(&(0..2_500).map(alert).collect());
    let latest = naze.engine.index().latest_with("fingerprint", "f1").unwrap().unwrap();
    assert_eq!(latest.occurred_at().to_string(), "2026-03-02T17:39:00Z");
    assert_eq!(naze.engine.index().latest_with("fingerprint", "f2").unwrap(), None);
}

#[test]
fn the_list_of_incidents_has_an_end_and_says_so() {
    let naze = Naze::in_memory();
    let incident = |number: usize| {
        let (day, hour) = (1 + number / 144, number / 6 % 24);
        json!({"kind": "incident", "occurredAt": format!("2026-03-{day:02}T{hour:02}:{}0:00Z", number % 6),
            "component": "checkout", "reference": format!("inc-{number}"), "status": "open", "severity": "warning"})
    };
    naze.record(&(0..1_000).map(incident).collect());
    assert_eq!(naze.get("/v1/incidents").json()["truncated"], false);
    naze.record(&(1_000..1_100).map(incident).collect());
    let told = naze.get("/v1/incidents").json();
    let references: Vec<&str> =
        told["incidents"].as_array().unwrap().iter().map(|one| one["reference"].as_str().unwrap()).collect();
    assert_eq!((references.len(), references[0], &told["truncated"]), (1_000, "inc-1099", &json!(true)));
    assert_eq!(naze.get("/v1/incidents/inc-0").json()["reference"], "inc-0", "one that is not listed is known");
}

#[test]
fn verify_agrees_with_an_untouched_ledger_and_finds_a_changed_one() {
    let folder = tempfile::tempdir().unwrap();
    let naze = Naze::in_folder(folder.path());
    naze.record(&changes(0..5));
    naze.record(&changes(5..9));
    let verified = naze.get("/v1/ledger/verify").json();
    assert_eq!(
        (&verified["entries"], &verified["checkpoints"], &verified["sources"]),
        (&json!(9), &json!(1), &json!(2))
    );
    let checkpoint = naze.get("/v1/ledger/checkpoint");
    assert_eq!(checkpoint.text().lines().nth(1), Some("9"));
    drop(naze);

    tamper(&folder.path().join("ledger.redb"));
    let reply = Naze::in_folder(folder.path()).get("/v1/ledger/verify");
    assert_eq!(reply.status, 409);
    assert_eq!(reply.json()["detail"], "entries up to 8 do not match the checkpoint of size 9");
}

/// Changes one entry the way an attacker with the file would.
fn tamper(path: &std::path::Path) {
    let database = redb::Database::open(path).unwrap();
    let write = database.begin_write().unwrap();
    {
        let mut entries = write.open_table(redb::TableDefinition::<u64, &[u8]>::new("entries")).unwrap();
        let entry = entries.get(4).unwrap().unwrap().value().to_vec();
        let forged = String::from_utf8(entry).unwrap().replace("key-4", "key-5");
        entries.insert(4, forged.as_bytes()).unwrap();
    }
    write.commit().unwrap();
}

#[test]
fn a_checkpoint_signed_by_another_key_is_refused() {
    let naze = Naze::in_memory();
    naze.record(&changes(0..1));
    let other = Naze::in_memory();
    other.record(&changes(0..1));
    let key = other.get("/v1/ledger/checkpoint").headers["naze-verifier-key"].to_str().unwrap().to_owned();
    let key: String = key.bytes().map(|byte| format!("%{byte:02X}")).collect();
    let reply = naze.get(&format!("/v1/ledger/verify?key={key}"));
    assert_eq!(reply.status, 400, "{}", reply.text());
}

#[test]
fn two_processes_cannot_share_a_data_directory() {
    let folder = tempfile::tempdir().unwrap();
    let _first = Naze::in_folder(folder.path());
    let second = naze::engine::Engine::open(naze::config::Config::with_data(folder.path()), naze::clock::Clock::System);
    let error = second.err().expect("the directory is taken");
    assert_eq!(error.kind(), naze::error::Kind::Unavailable);
}

#[test]
fn hour_and_day_slots_give_the_same_answers() {
    let answers = [Width::Hour, Width::Day].map(|slot_width| {
        let naze = Naze::with(naze::config::Config { slot_width, ..naze::config::Config::in_memory() });
        naze.record(&changes(0..3_000));
        let query = "/v1/queries/changes_before?at=2026-03-02T00:30:00Z&lookback=";
        [naze.get(&format!("{query}45m")).text(), naze.get(&format!("{query}30h")).text(), count(&naze)]
    });
    assert_eq!(answers[0], answers[1]);
    assert!(answers[0][0].contains("key-1469") && !answers[0][0].contains("key-1470"), "{}", answers[0][0]);
}
