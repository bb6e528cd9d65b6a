use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::client::Ask;
use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::Result;

/// Tell what an experiment shows, or list all
#[derive(Debug, clap::Args)]
pub(super) struct Experiment {
    /// Reference, or the id of one of its receipts
    id: Option<String>,
    /// As of when, such as -1h or 2026-03-10T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
}

impl Experiment {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let at = self.at.as_deref().map(|at| ("at", at));
        let client = global.client()?;
        if let Some(id) = self.id {
            let ask = Ask::get(&format!("/v1/experiments/{id}"), at).accept(global.format.of_report());
            print(&client.send(ask).await?.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let answer = client.send(Ask::get("/v1/experiments", at)).await?;
        if global.format == Format::Json {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let answer = answer.json()?;
        let row = |told: &Json| {
            let experiment = &told["experiment"];
            json!({
                "experiment": experiment["reference"],
                "component": experiment["component"],
                "hypothesis": experiment["hypothesis"],
                "decision": told["decision"],
                "statement": told["statement"],
            })
        };
        let rows: Vec<Json> = answer["experiments"].as_array().into_iter().flatten().map(row).collect();
        print_rows(&["experiment", "component", "hypothesis", "decision", "statement"].map(str::to_owned), &rows)?;
        Ok(ExitCode::SUCCESS)
    }
}
