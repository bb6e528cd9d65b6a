//! Rules for Prometheus: checked by `promtool`, and tried by it on series with a known course.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use chrono::TimeDelta;
use naze::analyse::slo::burn::Policy;
use naze::analyse::slo::prometheus::{Watched, rules_file};
use naze::slo::Quality;
use serde_json::{Value as Json, json};
use yaml_rust2::{Yaml, YamlLoader};

use crate::common::is_installed;

/// Runs `promtool` with `arguments` in `folder`, which has to succeed; says so where it is not installed.
pub(crate) fn promtool(folder: &Path, arguments: &[&str]) {
    if !is_installed("promtool") {
        return;
    }
    let output = Command::new("promtool").args(arguments).current_dir(folder).output().unwrap();
    let told = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    assert!(output.status.success(), "promtool {arguments:?}\n{told}");
}

fn policy(target: f64) -> Policy {
    Policy::new(target, TimeDelta::days(30)).unwrap()
}

fn watched(name: &str) -> Watched {
    Watched {
        name: name.to_owned(),
        service: "shop".to_owned(),
        policy: policy(0.99),
        quality: Quality::Bad,
        events: format!("requests_total{{job=\"{name}\",code=~\"5..\"}}"),
        total: format!("requests_total{{job=\"{name}\"}}"),
        labels: BTreeMap::new(),
        dashboard: None,
        runbook: None,
    }
}

/// Good events by a query, further labels, links, a guard, a period of a fortnight: whatever there is.
fn lavish() -> Vec<Watched> {
    let query = |matchers: &str| format!("sum(rate(requests_total{{{matchers}}}[{{{{.window}}}}]))");
    vec![
        Watched {
            quality: Quality::Good,
            events: query("job=\"shop\",code!~\"5..\""),
            total: query("job=\"shop\""),
            labels: BTreeMap::from([("team".to_owned(), "web's \"own\": yes, #1".to_owned())]),
            dashboard: Some("https://grafana.example/d/slo?var=1&x={{y}}".to_owned()),
            runbook: Some("https://runbooks.example/budget".to_owned()),
            ..watched("by query")
        },
        Watched { policy: policy(0.999).with_events_min(50), ..watched("guarded") },
        Watched { policy: policy(0.9), ..watched("loose") },
        Watched { policy: policy(0.0), ..watched("free") },
        Watched { policy: Policy::new(0.95, TimeDelta::days(14)).unwrap(), ..watched("fortnight") },
        Watched { policy: Policy::new(0.95, TimeDelta::minutes(5)).unwrap(), ..watched("minutes") },
        Watched { name: "Kasse \"überall\" \\ 'x': # - \n{a}".to_owned(), ..watched("odd") },
    ]
}

fn file(slos: &[Watched]) -> String {
    rules_file(&slos.iter().map(|slo| slo.rules().unwrap()).collect::<Vec<_>>())
}

/// The rules of one objective by `record` or `alert`, and severity.
fn by_name(slo: &Watched) -> BTreeMap<String, Yaml> {
    let text = file(std::slice::from_ref(slo));
    let document = YamlLoader::load_from_str(&text).unwrap().remove(0);
    let rules = document["groups"][0]["rules"].as_vec().unwrap().clone();
    let name = |rule: &Yaml| {
        let severity = rule["labels"]["severity"].as_str().map_or_else(String::new, |severity| format!(" {severity}"));
        format!("{}{severity}", rule["record"].as_str().or(rule["alert"].as_str()).unwrap())
    };
    rules.into_iter().map(|rule| (name(&rule), rule)).collect()
}

#[test]
fn the_rules_of_a_simple_objective_are_those_of_the_snapshot() {
    insta::with_settings!({snapshot_path => "../../snapshots", prepend_module_to_snapshot => false}, {
        insta::assert_snapshot!("rules of an objective", file(&[watched("checkout")]));
    });
}

#[test]
fn promtool_accepts_all_rules() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.yml"), file(&lavish())).unwrap();
    promtool(folder.path(), &["check", "rules", "--lint=all", "--lint-fatal", "rules.yml"]);
}

#[test]
fn an_empty_file_is_one_that_promtool_accepts() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.yml"), file(&[])).unwrap();
    promtool(folder.path(), &["check", "rules", "rules.yml"]);
}

/// A series of the job with a code, by its course.
fn series(job: &str, code: u16, values: &str) -> Json {
    json!({"series": format!("requests_total{{job=\"{job}\",code=\"{code}\"}}"), "values": values})
}

/// What an expression gives after some minutes.
fn expected(minutes: u32, expr: &str, samples: &[(&str, f64)]) -> Json {
    let samples: Vec<Json> = samples.iter().map(|(labels, value)| json!({"labels": labels, "value": value})).collect();
    json!({"eval_time": format!("{minutes}m"), "expr": expr, "exp_samples": samples})
}

#[test]
fn an_outage_pages_while_it_lasts_and_leaves_no_budget() {
    // Two hours with a hundred requests a minute, a quarter of an hour in which all fail, and an hour of quiet.
    let ok = "0+100x120 12000x15 12000+100x60";
    let failed = "0x120 0+100x15 1500x60";
    let burning = "count by (slo, severity) (ALERTS{alertname=\"KaizenErrorBudgetBurn\",alertstate=\"firing\"})";
    let (page, ticket) = ("{severity=\"critical\",slo=\"checkout\"}", "{severity=\"warning\",slo=\"checkout\"}");
    let exhausted = "count by (slo) (ALERTS{alertname=\"KaizenErrorBudgetExhausted\",alertstate=\"firing\"})";
    let remaining = "round(slo:period_error_budget_remaining:ratio{slo=\"checkout\"}, 0.1)";
    let shop = "{service=\"shop\",slo=\"checkout\"}";
    let calm = "slo:period_error_budget_remaining:ratio{service=\"shop\",slo=\"calm\"}";
    let test = json!({
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": [
                series("checkout", 200, ok), series("checkout", 503, failed),
                series("calm", 200, "0+100x195"),
                series("rare", 200, "0x195"), series("rare", 503, "0x120 0+2x15 30x60"),
            ],
            "promql_expr_test": [
                expected(119, burning, &[]),
                expected(124, burning, &[(ticket, 1.0)]),
                expected(134, burning, &[(page, 1.0), (ticket, 1.0)]),
                expected(134, exhausted, &[("{slo=\"checkout\"}", 1.0), ("{slo=\"rare\"}", 1.0)]),
                expected(145, burning, &[(ticket, 1.0), (page, 1.0)]),
                expected(190, burning, &[(ticket, 1.0)]),
                expected(190, calm, &[(calm, 1.0)]),
                expected(119, remaining, &[(shop, 1.0)]),
                // 1,500 of 18,800 are 7.98 %, of which 1 % may be.
                expected(190, remaining, &[(shop, -7.0)]),
            ],
            "alert_rule_test": [{
                "eval_time": "134m",
                "alertname": "KaizenErrorBudgetBurn",
                "exp_alerts": [
                    {"exp_labels": {"severity": "critical", "principle": "kaizen", "service": "shop", "slo": "checkout"},
                     "exp_annotations": {
                        "summary": "checkout of shop burns its error budget",
                        "description": "100% of the events of the last minutes were bad; 1 % may be. \
                                        The burn rate is above 14.4 over 1h or above 6 over 6h; 1 would spend the budget in 30d.",
                        "action": "page; find what changed and take it back"}},
                    {"exp_labels": {"severity": "warning", "principle": "kaizen", "service": "shop", "slo": "checkout"},
                     "exp_annotations": {
                        "summary": "checkout of shop burns its error budget",
                        "description": "10.92% of the events of the last minutes were bad; 1 % may be. \
                                        The burn rate is above 3 over 1d or above 1 over 3d; 1 would spend the budget in 30d.",
                        "action": "find what burns the budget before it is gone"}},
                ],
            }],
        }],
    });
    let folder = tempfile::tempdir().unwrap();
    let rare = Watched { policy: policy(0.99).with_events_min(100), ..watched("rare") };
    fs::write(folder.path().join("rules.yml"), file(&[watched("checkout"), watched("calm"), rare])).unwrap();
    fs::write(folder.path().join("test.yml"), test.to_string()).unwrap();
    promtool(folder.path(), &["test", "rules", "test.yml"]);
}

#[test]
fn a_rule_that_cannot_fire_is_not_written_and_said_so() {
    let loose = Watched { policy: policy(0.9), ..watched("loose") };
    let page = by_name(&loose)["KaizenErrorBudgetBurn critical"]["expr"].as_str().unwrap().to_owned();
    assert!(page.contains("ratio_rate6h") && !page.contains("ratio_rate1h"), "{page}");
    assert_eq!(
        file(&[loose]).lines().next().unwrap(),
        "# \"loose\": no critical alert over 1h: a burn rate above 14.4 cannot be: \
         with a target of 0.9 a total outage burns at 10"
    );
    let free = by_name(&Watched { policy: policy(0.0), ..watched("free") });
    let alerts: Vec<&String> = free.keys().filter(|name| name.starts_with("Kaizen")).collect();
    assert_eq!(alerts, ["KaizenErrorBudgetExhausted critical"]);
}

#[test]
fn names_and_labels_arrive_as_they_were_given() {
    for slo in lavish() {
        for (name, rule) in by_name(&slo) {
            assert_eq!(rule["labels"]["slo"].as_str(), Some(slo.name.as_str()), "{name}");
            assert_eq!(rule["labels"]["team"].as_str(), slo.labels.get("team").map(String::as_str), "{name}");
        }
    }
}

#[test]
fn what_cannot_become_a_rule_is_refused_with_its_field() {
    let error = |slo: Watched| slo.rules().unwrap_err().message().to_owned();
    let with_total = |total: &str| Watched { total: total.to_owned(), ..watched("a") };
    assert_eq!(
        error(Watched { name: "a{{ $value }}".into(), ..watched("a") }),
        "name is \"a{{ $value }}\", which is no label of a rule"
    );
    assert_eq!(
        error(Watched { service: String::new(), ..watched("a") }),
        "service is \"\", which is no label of a rule"
    );
    for total in ["", "{}", "sum(requests_total)", "requests_total[5m]", "requests_total{a=\"b\"} / 2"] {
        let quoted = serde_json::to_string(total).unwrap();
        assert_eq!(error(with_total(total)), format!("total is {quoted}, which counts nothing in a window"));
    }
    let labels = |name: &str| Watched { labels: BTreeMap::from([(name.into(), "x".into())]), ..watched("a") };
    for name in ["slo", "severity", "1st", "__name__", "a-b", ""] {
        assert_eq!(error(labels(name)), format!("labels.{name} is not a label that can be added"));
    }
    let query = Watched { policy: policy(0.99).with_events_min(2), ..with_total("rate(a[{{.window}}])") };
    assert_eq!(error(query), "total is \"rate(a[{{.window}}])\", which may not be a number of events");
}
