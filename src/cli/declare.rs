use std::io::Read as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;
use serde_json::Value as Json;

use super::Global;
use super::client::Ask;
use super::output::print;
use crate::engine::Subject;
use crate::error::{Context as _, Result};

/// Declare a threshold, an SLO or a metric of your own, without a restart
#[derive(Debug, clap::Args)]
pub(super) struct Declare {
    #[arg(value_enum)]
    what: What,
    /// Its name; that of an SLO is its `metadata.name`
    name: String,
    /// A threshold or a metric in JSON, or an SLO in `OpenSLO` [default: standard input]
    #[arg(conflicts_with = "delete")]
    file: Option<PathBuf>,
    /// Take back what was declared under this name
    #[arg(long)]
    delete: bool,
    /// Who does it
    #[arg(long, env = "USER")]
    actor: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum What {
    Threshold,
    Slo,
    Metric,
}

impl Declare {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let subject = match self.what {
            What::Threshold => Subject::Threshold,
            What::Slo => Subject::Slo,
            What::Metric => Subject::Metric,
        };
        let name: String = form_urlencoded::byte_serialize(self.name.as_bytes()).collect();
        let path = format!("/v1/{}/{name}", subject.plural());
        let ask =
            if self.delete { Ask::delete(&path) } else { Ask::put(&path, subject.media_type(), self.document()?) };
        let answer = global.client()?.send(ask.with(self.actor.as_deref().map(|actor| ("actor", actor)))).await?;
        // An answer without a body has none.
        let answer: Json = serde_json::from_str(&answer.text()?).unwrap_or_default();
        for doubt in answer["doubts"].as_array().into_iter().flatten() {
            let text = |member: &str| doubt[member].as_str().unwrap_or_default();
            print(&format!("doubtful: {}: {}; {}", text("rule"), text("problem"), text("fix")))?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn document(&self) -> Result<Vec<u8>> {
        if let Some(file) = &self.file {
            return std::fs::read(file).invalid(format!("cannot read {}", file.display()));
        }
        let mut document = Vec::new();
        std::io::stdin().read_to_end(&mut document).invalid("cannot read standard input")?;
        Ok(document)
    }
}
