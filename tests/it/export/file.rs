//! Notices as lines of a file.

use std::path::Path;

use naze::clock::Timestamp;
use serde_json::{Value as Json, json};

use super::{Pusher, ago, eventually};

fn andon(status: &str, seconds_ago: i64, reference: &str) -> Json {
    json!({"kind": "andon", "occurredAt": ago(seconds_ago), "component": "line", "status": status, "level": "critical",
        "reference": reference, "cause": "a line\nbreak"})
}

/// Its lines, once there are so many.
#[track_caller]
fn lines(file: &Path, count: usize) -> Vec<Json> {
    let read = || -> Vec<Json> {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        assert!(text.is_empty() || text.ends_with('\n'), "whole lines: {text:?}");
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    eventually("lines", |lines: &Vec<Json>| lines.len() >= count, read)
}

#[test]
fn a_file_gets_a_line_for_each_notice_wherever_it_was_moved() {
    let folder = tempfile::tempdir().unwrap();
    let (file, moved) = (folder.path().join("log/notices.ndjson"), folder.path().join("notices.1"));
    let config =
        format!("[exports.log]\nkind = \"file\"\npath = '{}'\nlink = \"https://naze.example\"\n", file.display());
    let naze = Pusher::new(&config);
    let opened = andon("opened", 60, "a1");
    naze.record(std::slice::from_ref(&opened));
    // Without its folder nothing is lost.
    let problem = |standing: &Json| {
        standing["lastProblem"]["message"].as_str().is_some_and(|told| told.contains("cannot write to"))
    };
    let standing = eventually("a problem", problem, || naze.standing("receipts"));
    assert_eq!(standing["url"], json!(file.display().to_string()), "{standing}");
    std::fs::create_dir(folder.path().join("log")).unwrap();
    naze.record(&[andon("resolved", 1, "a1")]);
    let told = lines(&file, 2);
    let (first, end) = (&told[0], &told[1]);
    assert_eq!(
        (&first["status"], &first["severity"], &first["name"], &first["component"], &first["endsAt"]),
        (&json!("firing"), &json!("critical"), &json!("andon"), &json!("line"), &Json::Null)
    );
    // A time that ends in zeros is written without them.
    let time = |text: &Json| text.as_str().unwrap().parse::<Timestamp>().unwrap();
    let began = time(&opened["occurredAt"]);
    assert_eq!((time(&first["startsAt"]), time(&end["startsAt"])), (began, began));
    assert_eq!((&end["status"], &end["id"]), (&json!("resolved"), &first["id"]));
    assert!(first["link"].as_str().unwrap().starts_with("https://naze.example/receipts/"), "{first}");

    std::fs::rename(&file, &moved).unwrap();
    naze.record(&[andon("opened", 0, "a2")]);
    assert_eq!(lines(&file, 1)[0]["status"], "firing");
    assert_eq!(lines(&moved, 2).len(), 2);
    let tried = reqwest::blocking::Client::new().post(format!("{}/v1/exports/log/test", naze.url)).send().unwrap();
    assert!(tried.status().is_success());
    assert_eq!(lines(&file, 3)[2]["name"], "Test");
}
