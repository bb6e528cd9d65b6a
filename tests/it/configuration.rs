//! The documented configuration is the one there is.

use naze::config::Config;

/// The TOML of `docs/configuration.md`, as a file.
fn read(change: impl Fn(&str) -> String) -> Config {
    let documented = include_str!("../../docs/configuration.md");
    let toml = documented.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("naze.toml");
    std::fs::write(&path, toml.lines().map(|line| change(line) + "\n").collect::<String>()).unwrap();
    let mut config = Config::read(&path).unwrap();
    config.file = None;
    config
}

#[test]
fn defaults_are_what_is_documented() {
    let documented = read(str::to_owned);
    assert_eq!(format!("{documented:#?}"), format!("{:#?}", Config::default()));
}

#[test]
fn what_is_commented_out_can_be_written() {
    let config = read(|line| line.strip_prefix("# ").unwrap_or(line).to_owned());
    assert_eq!(config.senders.len(), 2);
    assert_eq!(config.thresholds.len(), 1);
    assert_eq!((config.reconcile.alertmanager.len(), config.reconcile.prometheus.len()), (1, 1));
    assert_eq!(config.exports.len(), 1);
    assert!(config.prometheus.is_some() && config.slos.is_some() && config.runbooks.is_some());
}

#[test]
fn bounds_of_nothing_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("naze.toml");
    for (table, key) in [
        ("limits", "body_bytes_max"),
        ("limits", "request_seconds"),
        ("limits", "query_seconds"),
        ("limits", "query_memory_bytes"),
        ("limits", "rows_max"),
        ("limits", "evidence_receipts_max"),
        ("limits", "requests_max"),
        ("prometheus", "timeout_seconds"),
    ] {
        let url = if table == "prometheus" { "url = \"http://127.0.0.1:9090\"\n" } else { "" };
        std::fs::write(&path, format!("[{table}]\n{url}{key} = 0\n")).unwrap();
        let error = Config::read(&path).unwrap_err();
        let told = format!("configuration {}: {table}.{key} is 0, under which nothing can be answered", path.display());
        assert_eq!(error.message(), told);
    }
}
