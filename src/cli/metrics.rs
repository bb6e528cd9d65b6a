use std::process::ExitCode;

use super::client::Ask;
use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::Result;

/// List metrics of your own, and what was said of them
#[derive(Debug, clap::Args)]
pub(super) struct Metrics {}

impl Metrics {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let answer = global.client()?.send(Ask::get("/v1/metrics", [])).await?;
        if global.format == Format::Json {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let json = answer.json()?;
        let columns = ["name", "unit", "polarity", "kind", "principle", "threshold", "series", "origin", "description"];
        print_rows(&columns.map(str::to_owned), json["metrics"].as_array().map_or(&[], Vec::as_slice))?;
        let doubts = json["doubts"].as_array().map_or(&[][..], Vec::as_slice);
        if !doubts.is_empty() {
            print_rows(&["rule", "problem", "fix"].map(str::to_owned), doubts)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
