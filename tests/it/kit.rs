//! The TPS reference system and its dashboards: files that other programs read, checked by those programs.

mod alerts;
mod custom;
mod dashboards;
mod live;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value as Json, json};
use yaml_rust2::{Yaml, YamlLoader};

use crate::common::is_installed;

fn example(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tps-reference-system").join(path)
}

#[track_caller]
fn text(path: &str) -> String {
    std::fs::read_to_string(example(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn yaml(path: &str) -> Json {
    to_json(&YamlLoader::load_from_str(&text(path)).unwrap()[0])
}

fn to_json(yaml: &Yaml) -> Json {
    match yaml {
        Yaml::Hash(hash) => {
            hash.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), to_json(value))).collect()
        }
        Yaml::Array(array) => array.iter().map(to_json).collect(),
        Yaml::String(text) | Yaml::Real(text) => json!(text),
        Yaml::Integer(number) => json!(number),
        Yaml::Boolean(is_true) => json!(is_true),
        _ => Json::Null,
    }
}

fn items(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// Runs a program of Prometheus or Alertmanager; `None`, and a word about it, where it is not installed.
fn run(program: &str, arguments: &[&str], folder: &Path) -> Option<(bool, String)> {
    if !is_installed(program) {
        return None;
    }
    let ran = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    Some((ran.status.success(), said))
}

#[track_caller]
fn succeeds(program: &str, arguments: &[&str], folder: &Path) {
    if let Some((is_good, said)) = run(program, arguments, folder) {
        assert!(is_good, "{program} {arguments:?}: {said}");
    }
}

/// A line of `tests/kit/metrics.txt`: kind, name, labels, value.
fn metrics() -> Vec<(char, String, String, f64)> {
    let lines = include_str!("../kit/metrics.txt").lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line[2..].rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
            let labels = labels.trim_end_matches('}').replace(", ", ",");
            (line.chars().next().unwrap(), name.to_owned(), labels, value.parse().unwrap())
        })
        .collect()
}

/// The names of all series there are.
fn series_names() -> BTreeSet<String> {
    let names = metrics().into_iter().flat_map(|(kind, name, ..)| match kind {
        'h' => ["_bucket", "_sum", "_count"].map(|part| format!("{name}{part}")).to_vec(),
        _ => vec![name],
    });
    names.collect()
}

/// The metrics that a query is about: its words besides functions, labels, numbers and texts.
fn metrics_of(query: &str) -> BTreeSet<String> {
    const KNOWN: [&str; 37] = [
        "max",
        "min",
        "avg",
        "count",
        "sum",
        "by",
        "le",
        "rate",
        "increase",
        "delta",
        "time",
        "topk",
        "offset",
        "on",
        "or",
        "and",
        "unless",
        "ignoring",
        "window",
        "week",
        "histogram_quantile",
        "last_over_time",
        "absent_over_time",
        "component",
        "queue",
        "service",
        "pool",
        "slo",
        "endpoint",
        "bucket",
        "type",
        "name",
        "severity",
        "stage",
        "metric",
        "direction",
        "pillar",
    ];
    let outside_texts: String = query.split('"').step_by(2).collect();
    let words = outside_texts.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':'));
    let words = words.filter(|word| word.starts_with(|c: char| c.is_ascii_alphabetic()) && !KNOWN.contains(word));
    words.map(str::to_owned).collect()
}

/// The dashboards as they are checked in, by name.
fn checked_in() -> BTreeMap<String, Json> {
    let files = std::fs::read_dir(example("grafana/dashboards")).unwrap().map(|entry| entry.unwrap().path());
    files
        .map(|path| {
            let json = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
            (path.file_stem().unwrap().to_string_lossy().into_owned(), json)
        })
        .collect()
}

#[test]
fn every_configuration_loads_as_it_is_shipped() {
    succeeds("promtool", &["check", "config", "prometheus.yml"], &example("prometheus"));
    succeeds("amtool", &["check-config", "alertmanager.yml"], &example("alertmanager"));
    let broken = tempfile::tempdir().unwrap();
    let unknown = text("alertmanager/alertmanager.yml").replace("receiver: slack", "receiver: slak");
    std::fs::write(broken.path().join("alertmanager.yml"), unknown).unwrap();
    if let Some((is_good, said)) = run("amtool", &["check-config", "alertmanager.yml"], broken.path()) {
        assert!(!is_good && said.contains("slak"), "{said}");
    }
}

#[test]
fn severities_are_routed_to_their_receivers() {
    for (severity, receivers) in [("critical", "naze,pagerduty"), ("warning", "naze,slack"), ("info", "naze,default")] {
        let severity = format!("severity={severity}");
        let arguments = ["config", "routes", "test", "--config.file=alertmanager.yml", &severity];
        if let Some((is_good, said)) = run("amtool", &arguments, &example("alertmanager")) {
            assert!(is_good && said.lines().any(|line| line == receivers), "{severity}: {said}");
        }
    }
    let route = &yaml("alertmanager/alertmanager.yml")["route"];
    let timing = ["group_wait", "group_interval", "repeat_interval"].map(|name| route[name].as_str().unwrap());
    assert_eq!(timing, ["10s", "10s", "12h"]);
    assert_eq!(route["group_by"], json!(["alertname", "cluster"]));
}

#[test]
fn the_stack_has_its_services_and_the_files_they_mount() {
    let compose = yaml("docker-compose.yml");
    let services = compose["services"].as_object().unwrap();
    let names: Vec<&str> = services.keys().map(String::as_str).collect();
    assert_eq!(names, ["prometheus", "alertmanager", "grafana", "naze", "jaeger"]);
    for (name, service) in services {
        for volume in items(&service["volumes"]) {
            let source = volume.as_str().unwrap().split(':').next().unwrap();
            let is_there = match source.strip_prefix("./") {
                Some(path) => example(path).exists(),
                None => compose["volumes"].as_object().unwrap().contains_key(source),
            };
            assert!(is_there, "{name} mounts {source}");
        }
        for port in items(&service["ports"]) {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name} is open to the network: {port}");
        }
    }
    assert!(example("../..").join(services["naze"]["build"]["dockerfile"].as_str().unwrap()).exists());
}

#[test]
fn prometheus_scrapes_and_alerts_to_services_of_the_stack() {
    let prometheus = yaml("prometheus/prometheus.yml");
    assert_eq!(prometheus["global"]["scrape_interval"], "15s");
    assert_eq!(prometheus["global"]["evaluation_interval"], "15s");
    let job = &prometheus["scrape_configs"][0];
    assert_eq!((&job["job_name"], &job["metrics_path"]), (&json!("tps-system"), &json!("/metrics")));
    assert_eq!(job["static_configs"][0]["targets"], json!(["naze:7310"]));
    assert_eq!(
        prometheus["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"],
        json!(["alertmanager:9093"])
    );
    let naze = naze::config::Config::read(&example("naze/naze.toml")).unwrap();
    assert_eq!(naze.listen.to_string(), "0.0.0.0:7310");
}

#[test]
fn grafana_finds_dashboards_and_data_source() {
    let provider = &yaml("grafana/provisioning/dashboards/tps.yaml")["providers"][0];
    let volumes = &yaml("docker-compose.yml")["services"]["grafana"]["volumes"];
    let path = provider["options"]["path"].as_str().unwrap();
    assert!(items(volumes).contains(&json!(format!("./grafana/dashboards:{path}:ro"))), "{volumes}");
    let told = ["name", "orgId", "type"].map(|field| provider[field].clone());
    assert_eq!(told, [json!("TPS Dashboards"), json!(1), json!("file")]);
    let sources = yaml("grafana/provisioning/datasources/tps.yaml");
    assert_eq!(sources["datasources"][0]["url"], "http://prometheus:9090");
}
