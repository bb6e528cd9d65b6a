use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::client::{Ask, pairs};
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
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, clap::Subcommand)]
enum Action {
    /// Tell which limit suits a metric, from what it did in the last week
    Advise {
        /// Metric to look at
        metric: String,
        /// component=, label.NAME=, stat=, polarity=lower|higher, margin=PERCENT and source=naze|prometheus
        #[arg(value_name = "NAME=VALUE")]
        parameters: Vec<String>,
    },
}

impl Thresholds {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        if let Some(Action::Advise { metric, parameters }) = &self.action {
            return advise(global, metric, parameters).await;
        }
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
        if !rows("doubts").is_empty() {
            print_all(&["rule", "problem", "fix"], &rows("doubts"))?;
        }
        if json.get("series").is_some() {
            print_all(&["metric", "component", "labels", "thresholds", "usual", "beyond"], &rows("series"))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn advise(global: &Global, metric: &str, parameters: &[String]) -> Result<ExitCode> {
    let parameters = pairs(parameters, "margin=20")?;
    let answer = global.client()?.send(Ask::get(&format!("/v1/thresholds/advice/{metric}"), parameters)).await?;
    if global.format == Format::Json {
        print(&answer.text()?)?;
        return Ok(ExitCode::SUCCESS);
    }
    let row = |series: &Json| {
        let advice = &series["advice"];
        json!({"component": series["component"], "labels": series["labels"], "limit": advice["limit"],
            "advice": advice["statement"], "thresholds": series["thresholds"]})
    };
    let rows: Vec<Json> = answer.json()?["series"].as_array().into_iter().flatten().map(row).collect();
    print_rows(&["component", "labels", "limit", "advice", "thresholds"].map(str::to_owned), &rows)?;
    Ok(ExitCode::SUCCESS)
}
