use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::client::Ask;
use super::output::{print, print_rows};
use super::screen::{Line, Look};
use super::{Format, Global};
use crate::error::Result;

/// Tell how the system is; the exit code says so too
///
/// Exit codes: 0 healthy; 10 degraded; 11 unhealthy; 12 unknown.
#[derive(Debug, clap::Args)]
pub(super) struct Health {}

impl Health {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let health = global.client()?.send(Ask::get("/v1/health", [])).await?.json()?;
        if global.format == Format::Json {
            print(&format!("{health:#}"))?;
        } else {
            show(&health)?;
        }
        Ok(ExitCode::from(match health["status"].as_str() {
            Some("healthy") => 0,
            Some("degraded") => 10,
            Some("unhealthy") => 11,
            _ => 12,
        }))
    }
}

fn show(health: &Json) -> Result<()> {
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let reason = health["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
    print(&Line::of(Look::Plain, &(text(&health["status"]) + &reason)).paint(usize::MAX, false))?;
    let scores = list(&health["scores"]).into_iter().map(|score| {
        json!({"pillar": score["pillar"], "score": score["score"]["value"], "without": listed(&score["missing"])})
    });
    let overall = json!({"pillar": "overall", "score": health["overall"], "without": null});
    print_rows(&["pillar", "score", "without"].map(str::to_owned), &scores.chain([overall]).collect::<Vec<_>>())?;
    let coverage = &health["coverage"];
    print(&format!("band {}, from {} of {} pillars", text(&health["band"]), coverage["scored"], coverage["of"]))?;
    let principles = list(&health["principles"]).into_iter().map(|status| {
        json!({
            "principle": status["principle"], "colour": status["colour"], "value": status["value"], "unit": status["unit"],
            "yellow": status["thresholds"]["yellow"], "red": status["thresholds"]["red"], "since": status["since"],
            "1h": status["outlook"]["hour"]["direction"], "24h": status["outlook"]["day"]["direction"],
            "decision": status["outlook"]["decision"].as_str().map_or(status["action"].clone(), Json::from),
        })
    });
    let columns = ["principle", "colour", "value", "unit", "yellow", "red", "since", "1h", "24h", "decision"];
    print_rows(&columns.map(str::to_owned), &principles.collect::<Vec<_>>())?;
    print_rows(&["name", "state", "since", "reason"].map(str::to_owned), &list(&health["checks"]))?;
    print_rows(&["component", "state", "since", "reason"].map(str::to_owned), &list(&health["components"]))?;
    print(&format!("first: {}: {}", text(&health["decision"]["finding"]), text(&health["decision"]["action"])))
}

fn listed(list: &Json) -> Option<String> {
    let names: Vec<&str> = list.as_array()?.iter().filter_map(Json::as_str).collect();
    (!names.is_empty()).then(|| names.join(", "))
}

fn list(json: &Json) -> Vec<Json> {
    json.as_array().cloned().unwrap_or_default()
}
