use std::process::ExitCode;

use super::Global;
use super::output::print;
use crate::engine;
use crate::error::Result;

/// Make the index anew from the ledger
#[derive(Debug, clap::Args)]
pub(super) struct Rebuild {}

impl Rebuild {
    #[expect(clippy::unused_self, reason = "every command runs on its arguments")]
    pub(super) fn run(self, global: &Global) -> Result<ExitCode> {
        let entries = engine::rebuild(global.config()?)?;
        print(&format!("index made anew from {entries} ledger entries"))?;
        Ok(ExitCode::SUCCESS)
    }
}
