use std::process::ExitCode;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::Args;
use crate::error::Result;

/// Print completions for a shell
#[derive(Debug, clap::Args)]
pub(super) struct Completions {
    /// Shell to complete for
    shell: Shell,
}

impl Completions {
    #[expect(clippy::unnecessary_wraps, reason = "every command may fail")]
    pub(super) fn run(self) -> Result<ExitCode> {
        clap_complete::generate(self.shell, &mut Args::command(), "naze", &mut std::io::stdout());
        Ok(ExitCode::SUCCESS)
    }
}
