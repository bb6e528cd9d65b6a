use std::process::ExitCode;

use indicatif::ProgressBar;

use super::client::Ask;
use super::output::print;
use super::{Format, Global};
use crate::error::Result;

/// Check the ledger against its signed checkpoints
#[derive(Debug, clap::Args)]
pub(super) struct Verify {
    /// Verifier key kept elsewhere [default: the ledger's own checkpoint.pub]
    #[arg(long)]
    key: Option<String>,
}

impl Verify {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let client = global.client()?;
        let spinner = ProgressBar::new_spinner().with_message("reading the ledger");
        spinner.enable_steady_tick(std::time::Duration::from_millis(100));
        let key = self.key.as_deref().map(|key| ("key", key));
        let answer = client.send(Ask::get("/v1/ledger/verify", key)).await;
        spinner.finish_and_clear();
        let answer = answer?;
        if global.format == Format::Json {
            print(&answer.text()?)?;
        } else {
            let verified = answer.json()?;
            print(&format!(
                "{} entries match their signed checkpoints ({} checked), {} raw documents match their names\nroot {}",
                verified["entries"],
                verified["checkpoints"],
                verified["sources"],
                verified["root"].as_str().unwrap_or_default(),
            ))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
