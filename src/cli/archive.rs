use std::process::ExitCode;

use super::Global;
use super::client::Ask;
use super::output::{print, print_rows};
use crate::cli::Format;
use crate::error::Result;

/// List the files of series that are no longer kept; `naze import FILE` takes one back
#[derive(Debug, clap::Args)]
pub(super) struct Archive {}

impl Archive {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let answer = global.client()?.send(Ask::get("/v1/archive", [])).await?;
        if global.format == Format::Json {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let files = answer.json()?["files"].as_array().cloned().unwrap_or_default();
        print_rows(&["day", "bytes", "name"].map(str::to_owned), &files)?;
        Ok(ExitCode::SUCCESS)
    }
}
