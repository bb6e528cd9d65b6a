use std::process::ExitCode;

use super::Global;
use super::client::Ask;
use crate::error::Result;

/// Have a running naze read its thresholds and SLOs again
#[derive(Debug, clap::Args)]
pub(super) struct Reload {}

impl Reload {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        global.client()?.send(Ask::post("/-/reload", "text/plain", "")).await?;
        Ok(ExitCode::SUCCESS)
    }
}
