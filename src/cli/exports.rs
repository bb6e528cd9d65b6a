use std::process::ExitCode;

use super::client::Ask;
use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::Result;

/// Show how the tools stand that naze pushes to, or try a channel
#[derive(Debug, clap::Args)]
pub(super) struct Exports {
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Send a notice of nothing by a channel that people read, and its end
    Test {
        /// Its name in the configuration
        name: String,
    },
}

impl Exports {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        if let Some(Action::Test { name }) = self.action {
            let path: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
            global.client()?.send(Ask::post(&format!("/v1/exports/{path}/test"), "text/plain", Vec::new())).await?;
            print(&format!("{name} took the notice and its end"))?;
            return Ok(ExitCode::SUCCESS);
        }
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
