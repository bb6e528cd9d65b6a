//! The command line: what the README shows is what it prints, and exit codes can be relied on.

use std::process::{Command, Output};

pub(crate) fn naze(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_naze"));
    for variable in ["NAZE_DATA", "NAZE_URL", "NAZE_LISTEN", "NAZE_CONFIG", "NAZE_LOG"] {
        command.env_remove(variable);
    }
    command.args(arguments).output().unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn the_readme_shows_what_the_demo_prints() {
    let output = naze(&["demo", "--listen", "127.0.0.1:0"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let printed = text(&output.stdout);
    let readme = include_str!("../../README.md");
    let transcript = readme.split("$ make demo\n").nth(1).unwrap().split("```").next().unwrap();
    let shown: Vec<&str> =
        transcript.lines().map(str::trim_end).filter(|line| !line.is_empty() && *line != "…").collect();
    assert!(shown.len() >= 10, "the README shows {} lines", shown.len());
    let mut rest = printed.lines();
    for line in shown {
        let port = line.contains("http://127.0.0.1:7310");
        let is_same = |found: &str| {
            if port { found.ends_with(line.rsplit(":7310").next().unwrap()) } else { found.trim_end() == line }
        };
        assert!(rest.any(is_same), "the demo does not print (in this order): {line}\n{printed}");
    }
}

#[test]
fn the_demo_leaves_one_incident() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().display().to_string();
    assert_eq!(naze(&["demo", "--listen", "127.0.0.1:0", "--data", &data]).status.code(), Some(0));
    let listed = naze(&["query", "open_incidents", "--data", &data, "--format", "json", "at=2026-06-18T16:00:00Z"]);
    let rows: serde_json::Value = serde_json::from_slice(&listed.stdout).unwrap();
    assert_eq!(rows["rows"].as_array().unwrap().len(), 1, "its critical alert opened another: {rows:#}");
}

#[test]
fn exit_codes_tell_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let good = folder.path().join("good.json");
    std::fs::write(
        &good,
        r#"{"kind": "note", "occurredAt": "2026-03-10T10:00:00Z", "component": "a", "message": "hello"}"#,
    )
    .unwrap();
    let bad = folder.path().join("bad.json");
    std::fs::write(&bad, r#"{"kind": "note", "occurredAt": "2026-03-10T10:00:00Z", "component": "a"}"#).unwrap();
    let code = |arguments: &[&str]| naze(arguments).status.code().unwrap();
    let recorded = naze(&["record", "--data", &data, &good.display().to_string()]);
    assert_eq!(
        (recorded.status.code(), text(&recorded.stdout)),
        (Some(0), "1 recorded, 0 duplicate, 0 refused\n".to_owned())
    );
    let refused = naze(&["record", "--data", &data, &bad.display().to_string()]);
    assert_eq!(refused.status.code(), Some(3));
    assert!(text(&refused.stdout).contains("message"), "{}", text(&refused.stdout));
    assert_eq!(code(&["verify", "--data", &data]), 0);
    assert_eq!(code(&["incident", "show", "INC-1", "--data", &data]), 4);
    assert_eq!(code(&["why", "--data", &data]), 2);
    assert_eq!(code(&["why"]), 2);
    assert_eq!(code(&["why", "--component", "a", "--server", "http://127.0.0.1:9"]), 6);
    assert_eq!(code(&["query", "nope", "--data", &data]), 4);
    assert_eq!(code(&["completions", "bash"]), 0);
    assert_eq!(code(&["doctor", "--data", &data]), 0);
    let table = naze(&["query", "--data", &data]);
    assert!(text(&table.stdout).contains("changes_before"));
}

#[test]
fn configuration_is_flag_over_environment_over_file_and_unknown_keys_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("naze.toml");
    std::fs::write(&config, format!("data = {:?}\n", folder.path().join("from-file"))).unwrap();
    let path = config.display().to_string();
    assert_eq!(naze(&["incident", "list", "--config", &path]).status.code(), Some(0));
    assert!(folder.path().join("from-file/ledger.redb").exists());
    let flag = folder.path().join("from-flag").display().to_string();
    assert_eq!(naze(&["incident", "list", "--config", &path, "--data", &flag]).status.code(), Some(0));
    assert!(folder.path().join("from-flag/ledger.redb").exists());
    std::fs::write(&config, "dta = \"x\"\n").unwrap();
    let refused = naze(&["incident", "list", "--config", &path]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("dta"), "{}", text(&refused.stderr));
}
