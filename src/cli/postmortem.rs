use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use super::client::Ask;
use super::output::print;
use super::{Format, Global};
use crate::error::{Context as _, Result};

/// Write the post-mortem of an incident
#[derive(Debug, clap::Args)]
pub(super) struct Postmortem {
    /// Incident, by reference or receipt id
    incident: String,
    /// Markdown file to write; what people wrote between its markers is kept
    #[arg(long, value_name = "FILE")]
    into: Option<PathBuf>,
}

impl Postmortem {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let path = format!("/v1/incidents/{}/postmortem", self.incident);
        let client = global.client()?;
        let Some(file) = self.into else {
            let media_type = if global.format == Format::Table { "text/markdown" } else { global.format.of_report() };
            print(&client.send(Ask::get(&path, []).accept(media_type)).await?.text()?)?;
            return Ok(ExitCode::SUCCESS);
        };
        let ask = match fs::read(&file) {
            Ok(previous) => Ask::post(&path, "text/markdown", previous),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ask::get(&path, []),
            Err(error) => return Err(error).invalid(format!("cannot read {}", file.display())),
        };
        let answer = client.send(ask.accept("text/markdown")).await?;
        fs::write(&file, &answer.body).invalid(format!("cannot write {}", file.display()))?;
        print(&format!("wrote {}", file.display()))?;
        Ok(ExitCode::SUCCESS)
    }
}
