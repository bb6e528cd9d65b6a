use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::client::Ask;
use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::Result;

/// List runbooks and the open alerts they are for, or show one
#[derive(Debug, clap::Args)]
pub(super) struct Runbooks {
    /// Name of a runbook
    name: Option<String>,
}

impl Runbooks {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let client = global.client()?;
        if let Some(name) = self.name {
            let media_type = if global.format == Format::Json { "application/json" } else { "text/markdown" };
            let ask = Ask::get(&format!("/v1/runbooks/{name}"), []).accept(media_type);
            print(&client.send(ask).await?.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let answer = client.send(Ask::get("/v1/runbooks", [])).await?;
        if global.format == Format::Json {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let answer = answer.json()?;
        let all = |json: &Json| json.as_array().cloned().unwrap_or_default();
        let stale = |runbook: &Json| if runbook["isStale"] == true { "stale" } else { "" };
        let rows: Vec<Json> = all(&answer["runbooks"])
            .iter()
            .map(|runbook| {
                json!({"runbook": runbook["name"], "title": runbook["title"], "updated": runbook["updated"], "": stale(runbook)})
            })
            .collect();
        print_rows(&["runbook", "title", "updated", ""].map(str::to_owned), &rows)?;
        let alerts: Vec<Json> = all(&answer["alerts"])
            .iter()
            .map(|alert| {
                let names: Vec<Json> = all(&alert["runbooks"]).iter().map(|runbook| runbook["name"].clone()).collect();
                let names: Vec<&str> = names.iter().filter_map(Json::as_str).collect();
                json!({"alert": alert["name"], "component": alert["component"], "since": alert["since"], "runbooks": names.join(", ")})
            })
            .collect();
        if !alerts.is_empty() {
            print_rows(&["alert", "component", "since", "runbooks"].map(str::to_owned), &alerts)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
