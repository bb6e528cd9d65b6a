//! A real Prometheus and a real Alertmanager around a real naze.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::told;
use crate::common::{Program, is_installed, serve};
use crate::prometheus::{PATIENCE, alertmanager, free_port, prometheus};

struct Stack {
    folder: tempfile::TempDir,
    http: reqwest::blocking::Client,
    naze: String,
    prometheus_port: u16,
    alertmanager_port: u16,
    programs: Vec<Program>,
}

/// What Prometheus is configured with.
struct Scraped {
    target: String,
    path: &'static str,
    rules: Json,
    alertmanagers: Vec<u16>,
}

impl Stack {
    fn new() -> Option<Self> {
        if !["prometheus", "prometheus-alertmanager"].into_iter().all(is_installed) {
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let (prometheus_port, alertmanager_port, naze_port) = (free_port(), free_port(), free_port());
        let config = format!(
            "[prometheus]\nurl = \"http://127.0.0.1:{prometheus_port}\"\n[metrics]\ncache_seconds = 0\n\
             [[reconcile.alertmanager]]\nurl = \"http://127.0.0.1:{alertmanager_port}\"\n"
        );
        fs::write(folder.path().join("naze.toml"), config).unwrap();
        let (naze, address) = serve(folder.path(), &format!("127.0.0.1:{naze_port}"));
        let http = reqwest::blocking::Client::builder().timeout(Duration::from_secs(30)).build().unwrap();
        Some(Self { folder, http, naze: address, prometheus_port, alertmanager_port, programs: vec![naze] })
    }

    fn target(&self) -> String {
        self.naze.trim_start_matches("http://").to_owned()
    }

    /// All as it should be.
    fn well(&self) -> Scraped {
        let rules = json!({"groups": []});
        Scraped { target: self.target(), path: "/metrics", rules, alertmanagers: vec![self.alertmanager_port] }
    }

    /// JSON is YAML.
    fn write(&self, name: &str, json: &Json) {
        fs::write(self.folder.path().join(name), json.to_string()).unwrap();
    }

    fn configure_prometheus(&self, scraped: &Scraped) {
        let kit =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/tps-reference-system/prometheus/alert-rules.yml");
        self.write("own.yml", &scraped.rules);
        let alertmanagers: Vec<String> = scraped.alertmanagers.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        self.write("prometheus.yml", &json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
            "rule_files": [kit, "own.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": alertmanagers}]}]},
            "scrape_configs": [
                {"job_name": "tps-system", "metrics_path": scraped.path, "static_configs": [{"targets": [scraped.target]}]},
                {"job_name": "prometheus", "static_configs": [{"targets": [format!("127.0.0.1:{}", self.prometheus_port)]}]},
            ],
        }));
    }

    fn configure_alertmanager(&self, receiver: &str, routes: &Json) {
        let webhook = json!({"url": format!("{}/hooks/alertmanager", self.naze)});
        self.write(
            "alertmanager.yml",
            &json!({
                "route": {"receiver": receiver, "routes": routes},
                "receivers": [{"name": "default"}, {"name": "naze", "webhook_configs": [webhook]}],
            }),
        );
    }

    fn start_prometheus(&mut self) {
        self.programs.push(prometheus(self.folder.path(), self.prometheus_port, &[]));
    }

    fn start_alertmanager(&mut self) {
        self.programs.push(alertmanager(self.folder.path(), self.alertmanager_port));
    }

    fn reload(&self, port: u16) {
        let answer = self.http.post(format!("http://127.0.0.1:{port}/-/reload")).send().unwrap();
        assert!(answer.status().is_success(), "{}", String::from_utf8_lossy(&answer.bytes().unwrap()));
    }

    fn examined(&self) -> Vec<Json> {
        let answer = self.http.get(format!("{}/v1/doctor", self.naze)).send().unwrap();
        let answer: Json = serde_json::from_slice(&answer.bytes().unwrap()).unwrap();
        answer["findings"].as_array().unwrap_or_else(|| panic!("{answer}")).clone()
    }

    /// Until a finding says so.
    #[track_caller]
    fn wait(&self, check: &str, status: &str, text: &str) -> Vec<Json> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let findings = self.examined();
            if told(&findings, check, status).iter().any(|told| told.contains(text)) {
                return findings;
            }
            assert!(Instant::now() < deadline, "{status} {check} never said {text:?}: {findings:#?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    }

    fn command(&self) -> (Option<i32>, String) {
        let output =
            Command::new(env!("CARGO_BIN_EXE_naze")).args(["doctor", "--server", &self.naze]).output().unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap())
    }
}

#[test]
fn all_that_naze_is_connected_with_is_looked_at() {
    let Some(mut stack) = Stack::new() else { return };
    let findings = stack.examined();
    assert!(told(&findings, "prometheus", "fail")[0].contains("no answer to /api/v1/targets"), "{findings:#?}");
    assert!(told(&findings, "alertmanager", "fail")[0].contains("no answer to /api/v2/status"), "{findings:#?}");
    let (code, lines) = stack.command();
    assert_eq!(code, Some(5), "{lines}");
    assert!(lines.contains("FAILED prometheus: no answer to /api/v1/targets of "), "{lines}");
    assert!(lines.contains("; check the URL under prometheus in the configuration\n"), "{lines}");

    stack.configure_prometheus(&stack.well());
    stack.configure_alertmanager("default", &json!([{"receiver": "naze", "continue": true}, {"receiver": "default"}]));
    stack.start_prometheus();
    stack.start_alertmanager();
    stack.wait("scrape", "ok", "of job tps-system is up, scraped ");
    stack.wait("routes", "ok", "/hooks/alertmanager) all alerts");
    stack.wait("alerting", "ok", &format!("tells its alerts to http://127.0.0.1:{}/", stack.alertmanager_port));
    let findings = stack.wait("rules", "ok", "59 of naze's 59 alert rules are loaded");
    let untold = "nobody sends receipts of kind circuit;";
    let of_circuits = |findings: &[Json]| -> Vec<String> {
        told(findings, "metrics", "warn").into_iter().filter(|one| one.contains(untold)).collect()
    };
    let missing = of_circuits(&findings);
    assert!(missing[0].starts_with("tps_jidoka_circuit_state, "), "{findings:#?}");
    assert!(missing[0].contains("naze record FILE, with receipts of kind circuit"), "{missing:#?}");
    assert!(told(&findings, "rules", "warn")[0].contains("rules look at metrics without data: "), "{findings:#?}");
    let (code, lines) = stack.command();
    assert_eq!(code, Some(0), "a warning is no failure: {lines}");
    assert!(lines.contains("\nwarn   metrics: "), "{lines}");

    // With a circuit, its state is a metric, and the rule that looks at it can fire.
    let circuit = json!({"kind": "circuit", "component": "payment", "state": "open", "occurredAt": chrono::Utc::now().to_rfc3339()});
    let sent = stack.http.post(format!("{}/v1/receipts", stack.naze)).header("content-type", "application/json");
    assert_eq!(sent.body(circuit.to_string()).send().unwrap().status(), 201);
    let deadline = Instant::now() + PATIENCE;
    while of_circuits(&stack.examined()).iter().any(|one| one.contains("tps_jidoka_circuit_state")) {
        assert!(Instant::now() < deadline, "{:#?}", stack.examined());
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn what_is_broken_in_prometheus_is_told_with_its_fix() {
    let Some(mut stack) = Stack::new() else { return };
    stack.configure_alertmanager("naze", &json!([]));
    stack.start_alertmanager();
    stack.configure_prometheus(&stack.well());
    stack.start_prometheus();
    stack.wait("scrape", "ok", "is up");

    // naze is scraped where it tells nothing.
    stack.configure_prometheus(&Scraped { path: "/no/metrics", ..stack.well() });
    stack.reload(stack.prometheus_port);
    let findings = stack.wait("scrape", "fail", "up is 0");
    let down = &told(&findings, "scrape", "fail")[0];
    assert!(down.contains("server returned HTTP status 404"), "{down}");
    assert!(down.contains(&format!("curl -v {}/no/metrics", stack.naze)), "{down}");

    // Another is scraped in its place.
    let nobody = format!("127.0.0.1:{}", free_port());
    stack.configure_prometheus(&Scraped { target: nobody.clone(), ..stack.well() });
    stack.reload(stack.prometheus_port);
    let findings = stack.wait("scrape", "fail", "naze is not among the 2 targets");
    assert!(
        told(&findings, "scrape", "fail")[0].contains(&format!("targets: ['{}']", stack.target())),
        "{findings:#?}"
    );
    let findings = stack.wait("targets", "warn", &format!("1 of 2 other targets are down: http://{nobody}/metrics"));
    assert!(told(&findings, "targets", "warn")[0].contains("connection refused"), "{findings:#?}");

    // A rule cannot be evaluated, its links lead nowhere, and nobody is told of alerts.
    let links = json!({"dashboard": format!("http://{nobody}/d/x?var-a={{{{ $labels.a }}}}"), "runbook": "books.md#x"});
    let rule = json!({"alert": "Doubled", "expr": "up * on() up", "annotations": links});
    let blind =
        ["tps_nothing > 1", "absent(tps_nothing)"].map(|expr| json!({"alert": format!("Of {expr}"), "expr": expr}));
    let [blind, absent] = blind;
    let rules = json!({"groups": [{"name": "own", "rules": [rule, blind, absent]}]});
    stack.configure_prometheus(&Scraped { rules, alertmanagers: Vec::new(), ..stack.well() });
    stack.reload(stack.prometheus_port);
    let findings = stack.wait("rules", "fail", "rule Doubled of group own cannot be evaluated: ");
    let broken = &told(&findings, "rules", "fail")[0];
    assert!(broken.contains("many-to-many") || broken.contains("duplicate series"), "{broken}");
    assert!(broken.contains("own.yml, then curl -X POST "), "{broken}");
    assert!(told(&findings, "alerting", "warn")[0].contains("tells no Alertmanager"), "{findings:#?}");
    let links = told(&findings, "links", "warn");
    assert!(links.iter().any(|one| one.contains(&format!("http://{nobody}/d/x does not answer: "))), "{links:#?}");
    assert!(links.iter().any(|one| one.contains("have no host")), "{links:#?}");
    assert_eq!(stack.command().0, Some(5));

    // Rules that were there are gone.
    let config: Json = serde_json::from_slice(&fs::read(stack.folder.path().join("prometheus.yml")).unwrap()).unwrap();
    let mut without = config.clone();
    without["rule_files"] = json!(["own.yml"]);
    stack.write("prometheus.yml", &without);
    stack.reload(stack.prometheus_port);
    let findings = stack.wait("rules", "warn", "0 of naze's 59 alert rules are loaded");
    let missing = &told(&findings, "rules", "warn")[0];
    assert!(missing.contains("missing: ") && missing.contains(" and 51 more"), "{missing}");
    assert!(missing.contains("under rule_files in prometheus.yml"), "{missing}");
    assert!(
        told(&findings, "rules", "warn")[1].starts_with("1 rule looks at metrics without data: Of tps_nothing > 1; "),
        "{findings:#?}"
    );
}

#[test]
fn what_alertmanager_keeps_from_naze_is_told() {
    let Some(mut stack) = Stack::new() else { return };
    let severe = json!({"receiver": "naze", "matchers": ["severity=\"critical\""]});
    stack.configure_alertmanager("default", &json!([severe]));
    stack.start_alertmanager();
    stack.wait("routes", "warn", "only those with severity=\"critical\"");
    for (receiver, routes, status, says) in [
        ("default", json!([]), "fail", "no route of "),
        ("naze", json!([]), "ok", "all alerts"),
        ("naze", json!([{"receiver": "default"}]), "warn", "only those that no route below takes"),
        (
            "default",
            json!([{"receiver": "default"}, {"receiver": "naze"}]),
            "warn",
            "only those that no route before takes",
        ),
        ("default", json!([{"receiver": "default", "continue": true}, {"receiver": "naze"}]), "ok", "all alerts"),
        (
            "default",
            json!([{"match": {"team": "a"}, "routes": [{"receiver": "naze"}]}]),
            "warn",
            "only those with team=",
        ),
    ] {
        stack.configure_alertmanager(receiver, &routes);
        stack.reload(stack.alertmanager_port);
        let findings = stack.examined();
        let routed = told(&findings, "routes", status);
        assert!(routed.iter().any(|one| one.contains(says)), "{routes}: {findings:#?}");
    }
    let elsewhere = json!({"route": {"receiver": "default"}, "receivers": [{"name": "default"}]});
    stack.write("alertmanager.yml", &elsewhere);
    stack.reload(stack.alertmanager_port);
    let findings = stack.examined();
    assert!(told(&findings, "routes", "fail")[0].contains("no receiver of "), "{findings:#?}");
    assert!(told(&findings, "routes", "fail")[0].contains("/hooks/alertmanager'"), "{findings:#?}");
}
