//! Every panel, asked of a real Prometheus that has every metric of now and of last week.

use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value as Json;

use super::{checked_in, items, metrics, succeeds};
use crate::common::{Program, is_installed};

const PATIENCE: Duration = Duration::from_secs(30);
const MINUTE: u64 = 60;
const WEEK: u64 = 7 * 24 * 60;

/// What Grafana would ask with everything chosen.
fn asked(query: &str) -> String {
    let mut query = query.replace("$__rate_interval", "5m").replace("$__range", "1h");
    for variable in ["component", "queue", "service", "slo", "pool", "endpoint", "bucket"] {
        query = query.replace(&format!("\"${variable}\""), "\".*\"");
    }
    query
}

/// All queries of all dashboards, with the panel they are of.
fn queries() -> Vec<(String, String)> {
    let mut queries = Vec::new();
    for (name, json) in checked_in() {
        for panel in items(&json["panels"]) {
            let expressions = items(&panel["targets"]).iter().map(|target| target["expr"].as_str().unwrap());
            queries.extend(expressions.map(|query| (format!("{name}: {}", panel["title"]), asked(query))));
        }
    }
    queries
}

#[test]
fn every_query_is_promql() {
    let rules: Vec<Json> = queries()
        .iter()
        .enumerate()
        .map(|(place, (_, query))| serde_json::json!({"record": format!("query:{place}"), "expr": query}))
        .collect();
    assert!(rules.len() >= 57 && rules.iter().all(|rule| !rule["expr"].as_str().unwrap().contains('$')));
    let folder = tempfile::tempdir().unwrap();
    let file = serde_json::json!({"groups": [{"name": "dashboards", "rules": rules}]});
    fs::write(folder.path().join("queries.yml"), file.to_string()).unwrap();
    succeeds("promtool", &["check", "rules", "queries.yml"], folder.path());
}

/// Two hours of samples a minute apart up to now, and two hours of last week.
fn backfill(now: u64) -> String {
    let now = now / MINUTE;
    let times: Vec<u64> = (now - WEEK - 60..now - WEEK + 60).chain(now - 120..=now).collect();
    let mut text = String::new();
    for (kind, name, labels, value) in metrics() {
        let family = if kind == 'c' { name.trim_end_matches("_total") } else { &name };
        writeln!(
            text,
            "# TYPE {family} {}",
            match kind {
                'g' => "gauge",
                'c' => "counter",
                _ => "histogram",
            }
        )
        .unwrap();
        let mut series = |name: &str, labels: &str, at: &dyn Fn(f64) -> f64| {
            let labels = if labels.is_empty() { String::new() } else { format!("{{{labels}}}") };
            for minute in &times {
                #[expect(clippy::cast_precision_loss, reason = "minutes of a week")]
                let passed = (minute - times[0]) as f64;
                writeln!(text, "{name}{labels} {} {}", at(passed), minute * MINUTE).unwrap();
            }
        };
        match kind {
            'g' => series(&name, &labels, &|_| value),
            'c' => series(&name, &labels, &|passed| value * passed),
            _ => {
                let comma = if labels.is_empty() { "" } else { "," };
                for (bound, share) in [("0.05", 0.0), ("0.1", 1.0), ("+Inf", 1.0)] {
                    let labels = format!("{labels}{comma}le=\"{bound}\"");
                    series(&format!("{name}_bucket"), &labels, &|passed| share * value * passed);
                }
                series(&format!("{name}_count"), &labels, &|passed| value * passed);
                series(&format!("{name}_sum"), &labels, &|passed| 0.08 * value * passed);
            }
        }
    }
    text + "# EOF\n"
}

fn start(folder: &Path) -> (Program, String) {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    fs::write(folder.join("prometheus.yml"), "{}").unwrap();
    let child = Command::new("prometheus")
        .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--storage.tsdb.retention.time=30d"])
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    (Program(child), format!("http://127.0.0.1:{port}"))
}

#[test]
fn every_query_has_data_in_a_system_that_exports_every_metric() {
    if !is_installed("prometheus") || !is_installed("promtool") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    fs::write(folder.path().join("samples.om"), backfill(now)).unwrap();
    let arguments = ["tsdb", "create-blocks-from", "openmetrics", "--max-block-duration=768h", "samples.om", "data"];
    succeeds("promtool", &arguments, folder.path());
    let (_prometheus, address) = start(folder.path());
    let http = reqwest::blocking::Client::builder().timeout(PATIENCE).build().unwrap();
    let started = Instant::now();
    while !http.get(format!("{address}/-/ready")).send().is_ok_and(|answer| answer.status().is_success()) {
        assert!(started.elapsed() < PATIENCE, "Prometheus does not get ready");
        std::thread::sleep(Duration::from_millis(50));
    }
    for (panel, query) in queries() {
        let at = now.to_string();
        let parameters = [("query", query.as_str()), ("time", at.as_str())];
        let url = reqwest::Url::parse_with_params(&format!("{address}/api/v1/query"), parameters).unwrap();
        let answer: Json = serde_json::from_slice(&http.get(url).send().unwrap().bytes().unwrap()).unwrap();
        let values: Vec<f64> = items(&answer["data"]["result"])
            .iter()
            .map(|series| series["value"][1].as_str().unwrap().parse().unwrap())
            .collect();
        assert!(!values.is_empty() && values.iter().all(|value| value.is_finite()), "{panel}: {query}: {answer}");
    }
}
