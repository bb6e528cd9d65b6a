//! The alert rules: complete, tested by promtool, and in step with dashboards and runbooks.

use serde_json::{Value as Json, json};

use super::{checked_in, example, items, metrics_of, run, series_names, succeeds, text, yaml};

fn rules() -> Vec<Json> {
    let groups = yaml("prometheus/alert-rules.yml")["groups"].clone();
    items(&groups).iter().flat_map(|group| items(&group["rules"]).to_vec()).collect()
}

fn name(rule: &Json) -> &str {
    rule["alert"].as_str().unwrap()
}

#[test]
fn promtool_accepts_the_rules_and_their_tests() {
    let folder = example("prometheus");
    succeeds("promtool", &["check", "rules", "--lint=all", "--lint-fatal", "alert-rules.yml"], &folder);
    succeeds("promtool", &["test", "rules", "alert-rules.test.yml"], &folder);
    succeeds("promtool", &["test", "rules", "alert-rules.long.test.yml"], &folder);
}

#[test]
fn a_changed_threshold_fails_the_tests_of_the_rules() {
    let folder = tempfile::tempdir().unwrap();
    let changed =
        text("prometheus/alert-rules.yml").replace("tps_kanban_queue_depth > 1000", "tps_kanban_queue_depth > 999");
    std::fs::write(folder.path().join("alert-rules.yml"), changed).unwrap();
    let tests = text("prometheus/alert-rules.test.yml");
    let start = tests.find("  - name: KanbanQueueDepthCritical").unwrap();
    let end = tests.find("  - name: KanbanNoWorkersAvailable").unwrap();
    let head = &tests[..tests.find("  - name:").unwrap()];
    std::fs::write(folder.path().join("test.yml"), format!("{head}{}", &tests[start..end])).unwrap();
    if let Some((is_good, said)) = run("promtool", &["test", "rules", "test.yml"], folder.path()) {
        assert!(!is_good && said.contains("stays silent at 1000"), "{said}");
    }
}

#[test]
fn names_durations_and_severities_are_those_required() {
    let found: Vec<String> = rules()
        .iter()
        .map(|rule| {
            let hold = rule["for"].as_str().unwrap_or("0");
            format!("{}\t{hold}\t{}", name(rule), rule["labels"]["severity"].as_str().unwrap())
        })
        .collect();
    let required: Vec<&str> = include_str!("../../kit/alert-rules.tsv").lines().collect();
    assert_eq!(found, required);
}

#[test]
fn every_rule_tells_what_it_has_to_tell() {
    for rule in rules() {
        let principle = rule["labels"]["principle"].as_str().unwrap();
        assert!(["jidoka", "kanban", "andon", "kaizen", "heijunka", "tracing"].contains(&principle), "{}", name(&rule));
        for field in ["summary", "description", "action", "dashboard", "runbook", "metric", "value", "threshold"] {
            let told = rule["annotations"][field].as_str();
            assert!(told.is_some_and(|told| !told.trim().is_empty()), "{}: {field}", name(&rule));
        }
        let description = rule["annotations"]["description"].as_str().unwrap();
        assert!(description.contains("$value") || description.contains("is up"), "{}: {description}", name(&rule));
        assert!(description.contains("threshold"), "{}: {description}", name(&rule));
    }
}

#[test]
fn every_rule_fires_in_one_case_and_is_silent_in_another() {
    let files = ["prometheus/alert-rules.test.yml", "prometheus/alert-rules.long.test.yml"].map(yaml);
    let cases: Vec<&Json> = files.iter().flat_map(|file| items(&file["tests"])).collect();
    for rule in rules() {
        let expectations = |word: &str| {
            let named = format!("{} {word}", name(&rule));
            let cases = cases.iter().filter(move |case| case["name"].as_str().unwrap().starts_with(&named));
            cases.flat_map(|case| items(&case["alert_rule_test"])).collect::<Vec<_>>()
        };
        let is_about_it = |check: &&Json| check["alertname"] == rule["alert"];
        let fires = expectations("fires");
        assert!(fires.iter().filter(|check| is_about_it(check)).any(|check| !items(&check["exp_alerts"]).is_empty()));
        let silent = expectations("stays silent");
        assert!(!silent.is_empty(), "{} has no silent case", name(&rule));
        assert!(silent.iter().all(|check| is_about_it(check) && check["exp_alerts"] == json!([])), "{}", name(&rule));
    }
}

#[test]
fn rules_are_about_metrics_there_are() {
    let mut known = series_names();
    known.extend(["up".to_owned(), "job".to_owned()]);
    for rule in rules() {
        let unknown: Vec<String> = metrics_of(rule["expr"].as_str().unwrap()).difference(&known).cloned().collect();
        let unknown: Vec<&String> = unknown.iter().filter(|word| !is_duration(word)).collect();
        assert!(unknown.is_empty(), "{}: {unknown:?}", name(&rule));
    }
}

fn is_duration(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

#[test]
fn runbooks_and_dashboards_of_alerts_exist() {
    let runbooks: Vec<String> =
        text("runbooks.md").lines().filter_map(|line| Some(line.strip_prefix("### ")?.to_lowercase())).collect();
    let dashboards = checked_in();
    for rule in rules() {
        let runbook = rule["annotations"]["runbook"].as_str().unwrap().strip_prefix("runbooks.md#").unwrap().to_owned();
        assert!(runbook == name(&rule).to_lowercase() && runbooks.contains(&runbook), "{runbook}");
        let url = rule["annotations"]["dashboard"].as_str().unwrap();
        let path = url.strip_prefix("http://localhost:3000/d/").unwrap();
        let (dashboard, query) = path.split_once('?').unwrap_or((path, ""));
        let dashboard = dashboards.get(dashboard).unwrap_or_else(|| panic!("{url}"));
        if let Some((variable, _)) = query.strip_prefix("var-").and_then(|query| query.split_once('=')) {
            let variables = items(&dashboard["templating"]["list"]);
            assert!(variables.iter().any(|known| known["name"] == variable), "{url}");
        }
    }
    assert_eq!(runbooks.len(), rules().len());
}

/// The bands that a rule's threshold is part of.
const SHARED: [(&str, &str, &str); 31] = [
    ("circuit_open_ratio", "red", "JidokaCircuitOpenRatioCritical"),
    ("circuit_open_goal", "red", "JidokaCircuitOpenRatioHigh"),
    ("failures_per_second", "yellow", "JidokaFailureRateHigh"),
    ("recovery_seconds", "yellow", "JidokaRecoverySlow"),
    ("recovery_seconds", "red", "JidokaRecoveryStalled"),
    ("rejections_per_second", "red", "JidokaRejectionRateCritical"),
    ("halfopen_success", "yellow", "JidokaHalfOpenSuccessLow"),
    ("queue_depth", "yellow", "KanbanQueueDepthWarning"),
    ("queue_depth", "red", "KanbanQueueDepthCritical"),
    ("workers_available", "red", "KanbanNoWorkersAvailable"),
    ("queue_p99_seconds", "yellow", "KanbanLatencyP99High"),
    ("dead_letters", "yellow", "KanbanDlqDepthHigh"),
    ("queue_utilization", "yellow", "KanbanQueueUtilizationHigh"),
    ("queue_utilization", "red", "KanbanQueueSaturated"),
    ("error_rate", "yellow", "AndonErrorRateWarning"),
    ("error_rate", "red", "AndonErrorRateCritical"),
    ("alerts_per_minute", "yellow", "AndonAlertFrequencyHigh"),
    ("alerts_per_minute", "red", "AndonAlertSpam"),
    ("mttd_seconds", "yellow", "AndonMttdSlow"),
    ("mttd_seconds", "red", "AndonMttdCritical"),
    ("slo_attainment", "yellow", "KaizenSloAttainmentWarning"),
    ("slo_attainment", "red", "KaizenSloAttainmentCritical"),
    ("outliers", "yellow", "KaizenOutliersHigh"),
    ("error_budget", "red", "KaizenErrorBudgetExhausted"),
    ("pool_utilization", "yellow", "HeijunkaPoolUtilizationWarning"),
    ("pool_utilization", "red", "HeijunkaPoolUtilizationHigh"),
    ("balance", "red", "HeijunkaLoadImbalance"),
    ("bursts", "yellow", "HeijunkaBurstsFrequent"),
    ("request_p99_seconds", "yellow", "TracingLatencyP99Warning"),
    ("request_p99_seconds", "red", "TracingLatencyP99Critical"),
    ("component_seconds", "yellow", "TracingComponentSlow"),
];

#[test]
fn rules_and_colours_share_their_thresholds() {
    let bands: toml::Table = include_str!("../../../dashboards/bands.toml").parse().unwrap();
    let rules = rules();
    let number = |text: &str| text.trim_start_matches(['<', '>', '=', ' ']).parse::<f64>().unwrap().to_string();
    for (band, colour, rule) in SHARED {
        let rule = rules.iter().find(|known| name(known) == rule).unwrap();
        let threshold = rule["expr"].as_str().unwrap().rsplit(' ').next().unwrap();
        assert_eq!(number(threshold), number(bands[band][colour].as_str().unwrap()), "{band} {colour}");
        assert_eq!(rule["annotations"]["threshold"].as_str().unwrap(), threshold, "{}", name(rule));
    }
}
