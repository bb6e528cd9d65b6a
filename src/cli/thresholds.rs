use std::process::ExitCode;

use serde_json::Value as Json;

use super::client::Ask;
use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::Result;

/// List what is held against series, and how they stand to it
#[derive(Debug, clap::Args)]
pub(super) struct Thresholds {
    /// Only of this metric, and with the series it has
    #[arg(long)]
    metric: Option<String>,
    /// With the series of this component
    #[arg(long)]
    component: Option<String>,
}

impl Thresholds {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let given = [("metric", &self.metric), ("component", &self.component)];
        let parameters = given.into_iter().filter_map(|(name, value)| value.as_deref().map(|value| (name, value)));
        let answer = global.client()?.send(Ask::get("/v1/thresholds", parameters)).await?;
        if global.format == Format::Json {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let json = answer.json()?;
        let rows = |name: &str| json[name].as_array().cloned().unwrap_or_default();
        let print_all = |columns: &[&str], rows: &[Json]| {
            let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
            print_rows(&columns, rows)
        };
        print_all(&["rule", "hysteresis", "origin"], &rows("thresholds"))?;
        if json.get("series").is_some() {
            print_all(&["metric", "component", "labels", "thresholds", "usual", "beyond"], &rows("series"))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
