use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::client::Ask;
use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::Result;

/// Tell whether promises are kept: all SLOs, one, or `rules` for Prometheus
#[derive(Debug, clap::Args)]
pub(super) struct Slo {
    /// Name of an SLO; `rules` writes rules that let Prometheus watch all of them
    name: Option<String>,
    /// As of when, such as -1h or 2026-03-10T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
}

const RULES: &str = "rules";

impl Slo {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let path =
            self.name.as_ref().map_or_else(|| "/v1/slos".to_owned(), |name| format!("/v1/slos/{}", encoded(name)));
        let at = self.at.as_deref().map(|at| ("at", at));
        let is_rules = self.name.as_deref() == Some(RULES);
        let answer = global.client()?.send(Ask::get(&path, at)).await?;
        if is_rules || global.format == Format::Json {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let answer = answer.json()?;
        let slos = if self.name.is_some() { vec![answer["slo"].clone()] } else { list(&answer["slos"]) };
        let rows: Vec<Json> = slos.iter().flat_map(rows).collect();
        let is_phased = rows.iter().any(|row| !row["phase"].is_null());
        let columns = [
            "slo",
            "service",
            "window",
            "state",
            "attainment",
            "target",
            "phase",
            "value",
            "threshold",
            "budget left",
            "burning",
            "week",
            "complete",
        ];
        let columns = columns.iter().filter(|column| is_phased || **column != "phase");
        print_rows(&columns.map(|column| (*column).to_owned()).collect::<Vec<_>>(), &rows)?;
        for (slo, problem) in
            slos.iter().flat_map(|slo| list(&slo["problems"]).into_iter().map(move |told| (slo, told)))
        {
            print(&format!("{}: {}", text(&slo["name"]), text(&problem)))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// A row for each objective.
fn rows(slo: &Json) -> Vec<Json> {
    let row = |objective: &Json| {
        json!({
            "slo": objective["name"],
            "service": slo["service"],
            "window": slo["window"],
            "state": objective["state"],
            "attainment": percent(&objective["attainment"]),
            "target": percent(&objective["target"]),
            "phase": phase(&objective["phase"]),
            "value": objective["value"],
            "threshold": objective["threshold"],
            "budget left": percent(&objective["budget"]["remaining"]["raw"]),
            "burning": objective["firing"],
            "week": objective["weekly"]["change"].as_f64().map(|change| format!("{:+.2} points", change * 100.0)),
            "complete": objective["isComplete"],
        })
    };
    list(&slo["objectives"]).iter().map(row).collect()
}

/// `2 of 4 until 2026-03-16T00:00:00Z, 99.9 % is promised`: where it stands on its way to what is promised.
fn phase(phase: &Json) -> Option<String> {
    let promised = percent(&phase["promised"])?;
    let until = phase["until"].as_str().map(|until| format!(" until {until}")).unwrap_or_default();
    Some(format!("{} of {}{until}, {promised} is promised", phase["number"], phase["of"]))
}

fn percent(share: &Json) -> Option<String> {
    share.as_f64().map(|share| format!("{} %", (share * 1e5).round() / 1e3))
}

fn list(json: &Json) -> Vec<Json> {
    json.as_array().cloned().unwrap_or_default()
}

fn text(json: &Json) -> &str {
    json.as_str().unwrap_or_default()
}

fn encoded(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect()
}
