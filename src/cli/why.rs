use std::process::ExitCode;

use super::Global;
use super::client::Ask;
use super::output::print;
use crate::error::{Error, Result};

/// Ask why a component or an incident broke
#[derive(Debug, clap::Args)]
pub(super) struct Why {
    /// Incident, by reference or receipt id
    #[arg(conflicts_with = "component")]
    incident: Option<String>,
    /// Component that broke
    #[arg(long)]
    component: Option<String>,
    /// When: RFC 3339, now, or a span before now such as -2h
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    at: Option<String>,
    /// Metric that shows the symptom
    #[arg(long)]
    metric: Option<String>,
    /// How far back to look, such as 6h [default: 24h]
    #[arg(long, value_name = "SPAN")]
    window: Option<String>,
}

impl Why {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let path = match (&self.incident, &self.component) {
            (Some(incident), _) => format!("/v1/incidents/{incident}/why"),
            (None, Some(_)) => "/v1/why".to_owned(),
            (None, None) => {
                return Err(
                    Error::invalid("why did what break?").hint("name an incident, or --component NAME [--at TIME]")
                );
            }
        };
        let given =
            [("component", &self.component), ("at", &self.at), ("metric", &self.metric), ("window", &self.window)];
        let parameters = given.into_iter().filter_map(|(name, value)| value.as_deref().map(|value| (name, value)));
        let answer = global.client()?.send(Ask::get(&path, parameters).accept(global.format.of_report())).await?;
        print(&answer.text()?)?;
        Ok(ExitCode::SUCCESS)
    }
}
