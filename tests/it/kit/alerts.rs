//! The alert rules: complete, tested by promtool, and in step with dashboards and runbooks.

use std::collections::BTreeMap;
use std::path::Path;

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

/// Rules that compare a metric with its own past or with another metric, or say since when it is so or that it is missing:
/// they have no limit. Of work in progress the limit is critical to naze, and a warning where SPEC 4.2 lists it.
const WITHOUT_LIMIT: [&str; 9] = [
    "KanbanDlqGrowing",
    "AndonNewErrorType",
    "KaizenSloDegrading",
    "KaizenTrendReversal",
    "TracingLatencyRegression",
    "MetricsScrapeStalled",
    "CriticalAndonOpenTooLong",
    "WipLimitExceeded",
    "LeadTimeAnomaly",
];

/// Entries of thresholds.toml about a value, not about how it changes, with their limits by name. Numbers are told in one way.
fn entries() -> Vec<(Vec<String>, BTreeMap<String, String>)> {
    let file: toml::Table = include_str!("../../../thresholds.toml").parse().unwrap();
    let is_of_a_value =
        |entry: &&toml::Value| !["change_in", "first_in", "and"].iter().any(|key| entry.get(key).is_some());
    let entries = file["thresholds"].as_array().unwrap().iter().filter(is_of_a_value).map(|entry| {
        let metric = match &entry["metric"] {
            toml::Value::String(name) => vec![name.clone()],
            names => names.as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned()).collect(),
        };
        let levels = ["warning", "critical", "yellow", "orange", "red"].into_iter();
        let limits = levels.filter_map(|level| Some((level.to_owned(), limit(entry.get(level)?.as_str()?))));
        (metric, limits.collect())
    });
    entries.collect()
}

/// The limits of the entry that has this metric.
#[track_caller]
fn limits_of(metric: &str) -> BTreeMap<String, String> {
    let found = entries().into_iter().find(|(names, _)| names.iter().any(|name| name == metric));
    found.unwrap_or_else(|| panic!("thresholds.toml has no {metric}")).1
}

/// `>= 0.70` as `>= 0.7`.
fn limit(text: &str) -> String {
    let (operator, number) = text.trim().split_once(' ').unwrap();
    format!("{operator} {}", number.parse::<f64>().unwrap())
}

/// The metric and the limit of each comparison of a rule.
fn comparisons(rule: &Json) -> Vec<(String, String)> {
    let expression = rule["expr"].as_str().unwrap().replace("512 * 1024 * 1024", "536870912");
    let told = rule["annotations"]["metric"].as_str().unwrap();
    let comparison = |part: &str| {
        let words: Vec<&str> = part.split_whitespace().collect();
        let [.., operator, number] = words[..] else { panic!("{part}") };
        let metric = match name(rule) {
            // Failures of a counter, told as those of a minute.
            "JidokaFailureRateElevated" => "tps_jidoka_failure_rate",
            // The percentile is told as a metric of its own.
            "SlaBreachImminent" => "tps_production_lead_time_seconds",
            _ => [told, words[0]].into_iter().find(|word| part.contains(word)).unwrap(),
        };
        (metric.to_owned(), limit(&format!("{operator} {number}")))
    };
    expression.split(" or ").map(comparison).collect()
}

#[test]
fn every_limit_of_a_rule_is_that_of_thresholds_toml() {
    for rule in rules().iter().filter(|rule| !WITHOUT_LIMIT.contains(&name(rule))) {
        let levels: &[&str] = match rule["labels"]["severity"].as_str().unwrap() {
            "warning" => &["warning", "yellow", "red"],
            "critical" => &["critical"],
            _ => &["red"],
        };
        for (metric, compared) in comparisons(rule) {
            let limits = limits_of(&metric);
            let is_told = levels.iter().any(|level| limits.get(*level) == Some(&compared));
            assert!(is_told, "{}: {compared} of {metric} is none of {limits:?}", name(rule));
        }
        let threshold = rule["annotations"]["threshold"].as_str().unwrap();
        for (place, (_, compared)) in comparisons(rule).iter().enumerate() {
            // A rule of several tells the one that holds.
            let is_told = match threshold.parse::<f64>() {
                Ok(threshold) => place > 0 || compared.ends_with(&format!(" {threshold}")),
                Err(_) => threshold.contains(compared.split_once(' ').unwrap().1),
            };
            assert!(is_told, "{}: {threshold}", name(rule));
        }
    }
}

#[test]
fn every_limit_of_a_metric_that_rules_are_about_is_as_bad_as_its_rule() {
    let rules = rules();
    let severity = |rule: &Json| rule["labels"]["severity"].as_str().unwrap().to_owned();
    let compared: Vec<(String, String, String)> = rules
        .iter()
        .filter(|rule| !WITHOUT_LIMIT.contains(&name(rule)))
        .flat_map(|rule| comparisons(rule).into_iter().map(|(metric, limit)| (metric, severity(rule), limit)))
        .collect();
    // Green ends before the alert; a state and a goal are no alert; scores and promises of production have none.
    let silent =
        [("tps_jidoka_circuit_state", "== 2"), ("tps_kanban_wip_utilization", "> 1"), ("tps_component_health", "== 1")];
    for (names, limits) in entries() {
        let known: Vec<&String> =
            names.iter().filter(|name| compared.iter().any(|(metric, ..)| metric == *name)).collect();
        for metric in known {
            for level in ["warning", "critical"] {
                let Some(limit) = limits.get(level) else { continue };
                let is_silent = silent.contains(&(metric.as_str(), limit.as_str()));
                let is_in_a_rule = compared.contains(&(metric.clone(), level.to_owned(), limit.clone()));
                assert!(is_in_a_rule != is_silent, "{level} {limit} of {metric}");
            }
        }
    }
}

/// What panels write out, because it is no limit of their own metric, and where it is from.
#[test]
fn what_panels_write_out_is_in_thresholds_toml() {
    let bands: Vec<(String, String)> = ["tps-overview", "kaizen-overview"].into_iter().flat_map(written_out).collect();
    let red = |metric: &str| {
        let limits = limits_of(metric);
        limits.get("red").or(limits.get("critical")).unwrap().split_once(' ').unwrap().1.parse::<f64>().unwrap()
    };
    let pools = red("tps_heijunka_pool_utilization").to_string();
    let circuits = limits_of("tps_jidoka_circuit_open_ratio")["warning"].clone();
    let expected = [
        ("hottest", format!("yellow = \"> {pools}\"")),
        ("System trends", "red = \"> 1\"".to_owned()),
        ("Jidoka", format!("yellow = \">= 0.05\", red = \"{circuits}\"")),
    ];
    assert_eq!(bands, expected.map(|(panel, band)| (panel.to_owned(), band)));

    let overview = include_str!("../../../dashboards/tps-overview.toml");
    for (query, metric) in [
        ("max(tps_jidoka_circuit_open_ratio) / ", "tps_jidoka_circuit_open_ratio"),
        ("max(tps_kanban_queue_depth) / ", "tps_kanban_queue_depth"),
        ("max(tps_andon_error_rate) / ", "tps_andon_error_rate"),
        ("avg(tps_heijunka_pool_utilization) / ", "tps_heijunka_pool_utilization"),
        ("rate(tps_tracing_duration_seconds_bucket[$__rate_interval]))) / ", "tps_tracing_duration_seconds"),
    ] {
        let share = format!("{query}{}\"", red(metric));
        assert!(overview.contains(&share), "{share}");
    }
    let missed = ((1.0 - red("tps_kaizen_slo_attainment")) * 1e9).round() / 1e9;
    assert!(overview.contains(&format!("(1 - min(tps_kaizen_slo_attainment)) / {missed}\"")), "{missed}");
}

/// Bands that are no metric's: the panel or series they are of, and what they are.
fn written_out(dashboard: &str) -> Vec<(String, String)> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("dashboards/{dashboard}.toml"));
    let text = std::fs::read_to_string(file).unwrap();
    let mut title = "";
    let mut found = Vec::new();
    for line in text.lines() {
        title = line.strip_prefix("title = ").map_or(title, |title| title.trim_matches('"'));
        if let Some((before, band)) = line.split_once("bands = {") {
            let legend = before.split_once("legend = \"").and_then(|(_, rest)| rest.split('"').next());
            found.push((legend.unwrap_or(title).to_owned(), band.split('}').next().unwrap().trim().to_owned()));
        }
    }
    found
}
