//! Rules for Prometheus, made of objectives.

use serde_json::json;
use yaml_rust2::{Yaml, YamlLoader};

use super::{ALL, BAD, document, measure, naze, ratio, slo, source, threshold};
use crate::slo::promtool;

/// The expression of a recorded error ratio.
#[track_caller]
fn expression(text: &str, slo: &str, record: &str) -> String {
    let document = YamlLoader::load_from_str(text).unwrap().remove(0);
    let groups = document["groups"].as_vec().unwrap();
    let group =
        groups.iter().find(|group| group["name"].as_str() == Some(&format!("naze-slo-checkout-{slo}"))).unwrap();
    let is_it = |rule: &&Yaml| rule["record"].as_str() == Some(record);
    group["rules"].as_vec().unwrap().iter().find(is_it).unwrap()["expr"].as_str().unwrap().to_owned()
}

#[test]
fn objectives_become_rules_or_remarks() {
    let theirs = |query: &str| format!("{{metricSource: {{type: Prometheus, spec: {{query: '{query}'}}}}}}");
    let own = format!(
        "{{ratioMetric: {{good: {}, total: {}}}}}",
        theirs("sum(increase(a{b=\"c\"}[{{.window}}]))"),
        theirs("a")
    );
    let bound = "{op: lte, value: 50, target: 0.95}";
    let slos = [
        slo("counted", "30d", &ratio("bad", BAD, ALL), "{target: 0.99}"),
        slo("own", "30d", &own, "{target: 0.99}, {target: 0.999}"),
        slo("level", "30d", &threshold("{metric: queue_depth}"), bound),
        slo(
            "gate",
            "30d",
            &format!("{{ratioMetric: {{rawType: failure, raw: {}}}}}", source("{metric: broken}")),
            "{target: 0.95}",
        ),
        slo("latency", "30d", &threshold("{metric: task_seconds}"), bound),
        slo("dotted", "30d", &ratio("good", "{metric: http.requests}", "{metric: http.requests}"), "{target: 0.95}"),
        slo("datadog", "30d", "{thresholdMetric: {metricSource: {type: Datadog, spec: {}}}}", bound),
        slo(
            "fixed",
            "30d",
            &format!("{{ratioMetric: {{good: {}, total: {}}}}}", theirs("rate(a[5m])"), theirs("a")),
            "{target: 0.95}",
        ),
        document(
            "slices",
            "{duration: 30d}",
            "RatioTimeslices",
            &ratio("bad", BAD, ALL),
            "{target: 0.9, timeSliceWindow: 1m}",
        ),
    ];
    let naze = naze(&slos.concat());
    for metric in ["queue_depth", "broken"] {
        measure(&naze, &json!({"metric": metric, "component": "checkout", "kind": "gauge"}), [(1, 1.0)]);
    }
    measure(&naze, &json!({"metric": "task_seconds", "component": "checkout", "kind": "distribution"}), [(1, 1.0)]);
    let reply = naze.get("/v1/slos/rules");
    assert_eq!((reply.status.as_u16(), &reply.headers["content-type"]), (200, &"application/yaml".parse().unwrap()));
    let text = reply.text();
    let five_minutes = "slo:sli_error:ratio_rate5m";
    let all = "sum(increase(http_requests_total{component=\"checkout\"}[5m]))";
    assert_eq!(
        expression(&text, "counted", five_minutes),
        format!(
            "((sum(increase(http_requests_total{{component=\"checkout\",code=~\"500|503\"}}[5m]))) or vector(0)) / ({all})"
        )
    );
    let own = "1 - (((sum(increase(a{b=\"c\"}[5m]))) or vector(0)) / (sum(increase(a[5m]))))";
    assert_eq!(expression(&text, "own/1", five_minutes), own);
    assert_eq!(expression(&text, "own/2", five_minutes), own);
    assert_eq!(
        expression(&text, "level", five_minutes),
        "1 - (((sum(sum_over_time(((queue_depth) <= bool 50)[5m:1m]))) or vector(0)) / (sum(count_over_time((queue_depth)[5m:1m]))))"
    );
    assert_eq!(
        expression(&text, "gate", five_minutes),
        "((sum(sum_over_time((broken)[5m:1m]))) or vector(0)) / (sum(count_over_time((broken)[5m:1m])))"
    );
    let remarks: Vec<&str> = text.lines().take_while(|line| line.starts_with('#')).collect();
    let why = [
        ("datadog", "its metric comes from Datadog, and has no query that Prometheus could answer"),
        ("dotted", "http.requests is no name of Prometheus"),
        (
            "fixed",
            "events is \"rate(a[5m])\", which counts nothing in a window; give the selector of a counter, or a query with [{{.window}}] as range",
        ),
        ("latency", "task_seconds is not known to be a gauge, and rules judge no other values"),
        ("slices", "its budget is made of slices of time, and rules count events"),
    ];
    for (name, why) in why {
        assert!(remarks.contains(&format!("# {name}: no rules: {why}").as_str()), "{name}: {remarks:#?}");
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("rules.yml"), text).unwrap();
    promtool(folder.path(), &["check", "rules", "--lint=all", "--lint-fatal", "rules.yml"]);
}
