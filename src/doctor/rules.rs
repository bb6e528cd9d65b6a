//! Are naze's alert rules loaded, do the rules work, and is there something for them to look at?

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use serde::Deserialize;

use super::{Finding, counted, listed};
use crate::asked::Server;
use crate::receive::yaml;

/// Rules that are broken are told one by one, up to so many.
const BROKEN_MAX: usize = 10;
/// Where naze's rules lie in its source.
const FILE: &str = "examples/tps-reference-system/prometheus/alert-rules.yml";
/// Annotations that hold links.
const LINKS: [&str; 5] = ["dashboard", "dashboard_url", "grafana", "runbook", "runbook_url"];

/// Names of naze's own alert rules.
static SHIPPED: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let text = include_str!("../../examples/tps-reference-system/prometheus/alert-rules.yml");
    let documents = yaml::documents(text).expect("the shipped rules are YAML");
    let groups = documents[0]["groups"].as_array().expect("rules are in groups").iter();
    let rules = groups.flat_map(|group| group["rules"].as_array().into_iter().flatten());
    rules.filter_map(|rule| Some(rule["alert"].as_str()?.to_owned())).collect()
});

static METRIC: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\btps_[a-zA-Z0-9_]+").expect("it is one"));

/// All rules of a Prometheus.
#[derive(Deserialize)]
pub(super) struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
struct Group {
    name: String,
    file: String,
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    name: String,
    query: String,
    health: String,
    #[serde(default)]
    last_error: String,
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

impl Rules {
    fn all(&self) -> impl Iterator<Item = (&Group, &Rule)> {
        self.groups.iter().flat_map(|group| group.rules.iter().map(move |rule| (group, rule)))
    }

    /// What their annotations link to.
    pub(super) fn links(&self) -> BTreeSet<String> {
        let annotations = self.all().flat_map(|(_, rule)| &rule.annotations);
        annotations.filter(|(name, _)| LINKS.contains(&name.as_str())).map(|(_, link)| link.clone()).collect()
    }
}

pub(super) fn check(server: &Server, rules: &Rules, names: &BTreeSet<String>) -> Vec<Finding> {
    let alerts: BTreeMap<&str, &Rule> =
        rules.all().filter(|(_, rule)| rule.kind == "alerting").map(|(_, rule)| (rule.name.as_str(), rule)).collect();
    let mut findings = broken(server, rules);
    let missing: Vec<&str> = SHIPPED.iter().map(String::as_str).filter(|name| !alerts.contains_key(name)).collect();
    let reload = format!("curl -X POST {}-/reload", server.name);
    let loaded = format!(
        "{} of naze's {} alert rules are loaded in {}",
        SHIPPED.len() - missing.len(),
        SHIPPED.len(),
        server.name
    );
    if missing.is_empty() {
        let others = rules.all().count() - SHIPPED.len();
        findings.push(Finding::ok("rules", format!("{loaded}, with {}", counted(others, "other rule"))));
    } else {
        let fix = format!("list {FILE} under rule_files in prometheus.yml, then {reload}");
        findings.push(Finding::warn("rules", format!("{loaded}; missing: {}", listed(missing)), fix));
    }
    findings.extend(blind(&alerts, names));
    findings
}

/// Rules that Prometheus cannot evaluate.
fn broken(server: &Server, rules: &Rules) -> Vec<Finding> {
    let broken: Vec<(&Group, &Rule)> = rules.all().filter(|(_, rule)| rule.health == "err").collect();
    let mut findings: Vec<Finding> = broken
        .iter()
        .take(BROKEN_MAX)
        .map(|(group, rule)| {
            let detail = format!("rule {} of group {} cannot be evaluated: {}", rule.name, group.name, rule.last_error);
            let fix = format!("mend it in {}, then curl -X POST {}-/reload", group.file, server.name);
            Finding::fail("rules", detail, fix)
        })
        .collect();
    if broken.len() > BROKEN_MAX {
        let detail = format!("{} more cannot be evaluated", counted(broken.len() - BROKEN_MAX, "rule"));
        findings.push(Finding::fail("rules", detail, format!("curl {}api/v1/rules", server.name)));
    }
    findings
}

/// Rules that look at a metric that is not there, unless they may look for just that.
fn blind(alerts: &BTreeMap<&str, &Rule>, names: &BTreeSet<String>) -> Option<Finding> {
    let lacks = |rule: &&&Rule| {
        !rule.query.contains("absent") && METRIC.find_iter(&rule.query).any(|metric| !names.contains(metric.as_str()))
    };
    let blind: Vec<&str> = alerts.values().filter(lacks).map(|rule| rule.name.as_str()).collect();
    if blind.is_empty() {
        return None;
    }
    let look = if blind.len() == 1 { "looks" } else { "look" };
    let detail = format!("{} {look} at metrics without data: {}", counted(blind.len(), "rule"), listed(blind));
    Some(Finding::warn("rules", detail, "mend what is said of \"metrics\""))
}
