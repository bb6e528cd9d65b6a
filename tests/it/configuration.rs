//! The documented configuration is the one there is.

use naze::config::{Config, Overrides};

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
fn a_budget_that_is_none_is_refused() {
    let told = loaded("[advice]\nscaling_cost_per_day = -1.0\n", &[]).unwrap_err();
    assert!(told.message().contains("advice.scaling_cost_per_day is -1"), "{told}");
}

#[test]
fn a_retention_that_windows_do_not_fit_into_is_refused() {
    for (file, fault, fix) in [
        ("minutes_days = 29", "measure.minutes_days is 29, which is shorter", "give 30 days or more"),
        ("minutes_days = 0", "measure.minutes_days is 0, which is shorter", "give 30 days or more"),
        ("minutes_days = 60\nhours_days = 59", "measure.hours_days is 59, but", "give 60 days or more"),
        ("hours_days = 7", "measure.hours_days is 7, but minutes become hours", "give 35 days or more"),
    ] {
        let error = loaded(&format!("[measure]\n{file}\n"), &[]).unwrap_err();
        assert!(error.message().contains(fault) && error.hints()[0].starts_with(fix), "{}", error.in_a_line());
    }
    let config = loaded("[measure]\nminutes_days = 30\nhours_days = 30\n", &[]).unwrap();
    assert_eq!((config.measure.minutes_days, config.measure.hours_days), (30, 30));
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

fn loaded(file: &str, variables: &[(&str, &str)]) -> Result<Config, naze::error::Error> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("naze.toml");
    std::fs::write(&path, file).unwrap();
    let variables = variables.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Config::load(Some(&path), Overrides::of(variables))
}

#[test]
fn the_environment_goes_before_the_file() {
    let config = loaded(
        "default_thresholds = true\n[limits]\nrows_max = 10\nquery_seconds = 5\n",
        &[
            ("NAZE__LIMITS__ROWS_MAX", "20"),
            ("NAZE__DEFAULT_THRESHOLDS", "false"),
            ("NAZE__PROMETHEUS__URL", "http://127.0.0.1:9090"),
            ("NAZE__RECEIVE__COMPONENT_LABELS", "[\"team\"]"),
            ("NAZE_LOG", "info"),
        ],
    )
    .unwrap();
    assert_eq!((config.limits.rows_max, config.limits.query_seconds, config.default_thresholds), (20, 5, false));
    assert_eq!(config.prometheus.unwrap().url, "http://127.0.0.1:9090");
    assert_eq!(config.receive.component_labels, ["team"]);
    for (variable, text, fault) in [
        ("NAZE__LIMITS__ROW_MAX", "1", "unknown field `row_max`"),
        ("NAZE__LIMITS__ROWS_MAX", "many", "NAZE__LIMITS__ROWS_MAX is nothing that its key takes: expected usize"),
        ("NAZE__LIMITS__ROWS_MAX", "0", "limits.rows_max is 0"),
        ("NAZE__DATA__FOLDER", "x", "NAZE__DATA__FOLDER goes into data, which is no table"),
    ] {
        let error = loaded("data = \"here\"\n", &[(variable, text)]).unwrap_err();
        assert!(error.to_string().contains(fault), "{error}");
    }
}

#[test]
fn what_looks_like_a_number_is_a_text_where_a_text_is_wanted() {
    for text in ["73629184", "true", "2026-03-10", "1e5", "0x1F", "007", "[1]", "\"73629184\""] {
        let config = loaded(
            "[exports.pd]\nkind = \"pagerduty\"\n",
            &[
                ("NAZE__EXPORTS__PD__TOKEN", text),
                ("NAZE__EXPORTS__GC__KIND", "grafana_cloud"),
                ("NAZE__EXPORTS__GC__USER", text),
                ("NAZE__EXPORTS__GC__INTERVAL_SECONDS", "30"),
                ("NAZE__SENDERS__GITHUB", "{secret = \"s\", token = 5}"),
                ("NAZE__SLOT_WIDTH", "day"),
            ],
        );
        let config = config.unwrap_or_else(|error| panic!("{text}: {error}"));
        let (pd, gc) = (&config.exports["pd"], &config.exports["gc"]);
        let expected = text.trim_matches('"');
        assert_eq!(pd.token.as_ref().unwrap().expose(), expected.as_bytes());
        assert_eq!((gc.user.as_deref(), gc.interval_seconds), (Some(expected), 30));
        assert_eq!(config.senders["github"].token.as_ref().unwrap().expose(), b"5");
        assert_eq!(format!("{:?}", config.overrides).matches(expected).count(), 0, "{:?}", config.overrides);
    }
}

#[test]
fn what_the_environment_gives_is_not_told() {
    let pd = "[exports.pd]\nkind = \"pagerduty\"\n";
    for (variable, text, fault) in [
        (
            "NAZE__EXPORTS__PD__INTERVAL_SECONDS",
            "hunter2",
            "__PD__INTERVAL_SECONDS is nothing that its key takes: expected u64",
        ),
        (
            "NAZE__EXPORTS__PD__INTERVAL_SECONDS",
            "-73629184",
            "__PD__INTERVAL_SECONDS is nothing that its key takes: expected u64",
        ),
        ("NAZE__EXPORTS__PD__METRICS", "73629184", "__PD__METRICS is nothing that its key takes: expected a boolean"),
        ("NAZE__EXPORTS__PD__KIND", "hunter2", "kind NAZE__EXPORTS__PD__KIND is unknown; known are datadog"),
        (
            "NAZE__EXPORTS__PD__TO",
            "hunter2",
            "NAZE__EXPORTS__PD__TO is nothing that its key takes: expected a sequence",
        ),
        (
            "NAZE__EXPORTS",
            "{pd = {metrics = 73629184}}",
            "NAZE__EXPORTS is nothing that its key takes: expected a boolean",
        ),
        ("NAZE__SLOT_WIDTH", "hunter2", "NAZE__SLOT_WIDTH is nothing that its key takes: expected "),
    ] {
        let error = loaded(pd, &[("NAZE__EXPORTS__PD__TOKEN", "t"), (variable, text)]).unwrap_err();
        let told = error.in_a_line();
        assert!(told.contains(fault) && told.contains("docs/configuration.md lists every key"), "{told}");
        assert!(!format!("{told} {error:?}").contains("hunter2") && !told.contains("73629184"), "{told}");
    }
    // What the file says wrongly is told with its place.
    let error = loaded(
        "[limits]\nrows_max = \"many\"\n",
        &[("NAZE__EXPORTS__PD__TOKEN", "t"), ("NAZE__EXPORTS__PD__KIND", "slack")],
    );
    let told = error.unwrap_err().to_string();
    assert!(told.ends_with("invalid type: string \"many\", expected usize: at limits.rows_max"), "{told}");
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_one() {
    for (file, meant) in [
        ("[limits]\nrow_max = 1\n", "did you mean rows_max?"),
        ("dta = \"x\"\n", "did you mean data?"),
        ("[metrics]\ncache_second = 1\n", "did you mean cache_seconds?"),
        ("[[thresholds]]\nmetrik = \"a\"\n", "did you mean metric?"),
    ] {
        let error = loaded(file, &[]).unwrap_err();
        assert!(error.in_a_line().contains(meant), "{}", error.in_a_line());
    }
}
