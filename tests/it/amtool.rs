//! Alertmanager's own client, which takes naze for an Alertmanager.

use std::process::Command;

use serde_json::Value as Json;

use crate::common::{Naze, is_installed, serve};

fn amtool(url: &str, arguments: &[&str]) -> String {
    let output = Command::new("amtool").args(arguments).arg(format!("--alertmanager.url={url}")).output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn amtool_sees_a_healthy_peer_and_adds_an_alert() {
    if !is_installed("amtool") {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (_naze, url) = serve(folder.path(), "127.0.0.1:0");
    let cluster = amtool(&url, &["cluster", "show", "--output=json"]);
    let cluster: Json = serde_json::from_str(&cluster).unwrap();
    assert_eq!(cluster["status"], "disabled", "{cluster}");
    assert_eq!(amtool(&url, &["config", "show", "--output=json"]).matches("\"original\"").count(), 1);
    amtool(&url, &["alert", "add", "alertname=Down", "service=checkout"]);
    let figures = reqwest::blocking::get(format!("{url}/metrics")).unwrap().text().unwrap();
    let recorded = "naze_receive_total{outcome=\"recorded\",source=\"alertmanager_api\"} 1";
    assert!(figures.lines().any(|line| line == recorded), "{figures}");
}

#[test]
fn probes_of_an_alertmanager_are_answered() {
    let naze = Naze::in_memory();
    for path in ["/-/healthy", "/-/ready", "/healthz", "/readyz"] {
        assert_eq!(naze.get(path).status, 200, "{path}");
    }
    let status = naze.get("/api/v2/status").json();
    assert_eq!(status["cluster"], serde_json::json!({"status": "disabled", "peers": []}));
    assert_eq!(status["versionInfo"]["version"], env!("CARGO_PKG_VERSION"));
    assert_eq!(status["uptime"], crate::common::NOW);
}
