use std::process::ExitCode;

use super::client::Ask;
use super::output::print;
use super::{Format, Global};
use crate::error::Result;

/// Tell what happened, in order
#[derive(Debug, clap::Args)]
pub(super) struct Timeline {
    /// Incident, by reference or receipt id; without one, a window of time
    incident: Option<String>,
    /// Start: RFC 3339 or a span before now [default: 1 h before --to]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// End [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Only these kinds, such as deployment,change
    #[arg(long)]
    kind: Option<String>,
    /// Only these components
    #[arg(long)]
    component: Option<String>,
    /// Only this severity and worse
    #[arg(long)]
    severity: Option<String>,
}

impl Timeline {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let path = self
            .incident
            .map_or_else(|| "/v1/timeline".to_owned(), |incident| format!("/v1/incidents/{incident}/timeline"));
        let given = [
            ("from", &self.from),
            ("to", &self.to),
            ("kind", &self.kind),
            ("component", &self.component),
            ("severity", &self.severity),
        ];
        let parameters = given.into_iter().filter_map(|(name, value)| value.as_deref().map(|value| (name, value)));
        let media_type = if global.format == Format::Table { "text/markdown" } else { global.format.of_report() };
        let answer = global.client()?.send(Ask::get(&path, parameters).accept(media_type)).await?;
        print(&answer.text()?)?;
        Ok(ExitCode::SUCCESS)
    }
}
