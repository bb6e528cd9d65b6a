use std::process::ExitCode;

use super::client::Ask;
use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::Result;

/// Show how the tools stand that naze pushes to
#[derive(Debug, clap::Args)]
pub(super) struct Exports {}

impl Exports {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let mut told = global.client()?.send(Ask::get("/v1/exports", [])).await?.json()?;
        if global.format == Format::Json {
            print(&told.to_string())?;
            return Ok(ExitCode::SUCCESS);
        }
        let standings = told["exports"].as_array_mut().map(std::mem::take).unwrap_or_default();
        let columns =
            ["export", "signal", "kind", "failing", "waiting", "sent", "failed", "dropped", "lastDelivered", "problem"];
        let with_problem = |mut standing: serde_json::Value| {
            standing["problem"] = standing["lastProblem"]["message"].clone();
            standing
        };
        let rows: Vec<_> = standings.into_iter().map(with_problem).collect();
        print_rows(&columns.map(str::to_owned), &rows)?;
        Ok(ExitCode::SUCCESS)
    }
}
