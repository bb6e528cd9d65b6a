use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::client::Ask;
use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::{Error, Result};

/// Tell where a metric is heading
#[derive(Debug, clap::Args)]
pub(super) struct Trend {
    /// Metric to look at
    metric: String,
    /// component=, label.NAME=, at=, stat=, polarity=lower|higher, threshold= and horizon=
    #[arg(value_name = "NAME=VALUE")]
    parameters: Vec<String>,
}

impl Trend {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let parameters = self.parameters.iter().map(|text| {
            text.split_once('=').ok_or_else(|| {
                Error::invalid(format!("\"{text}\" is no parameter")).hint("write name=value, such as polarity=lower")
            })
        });
        let parameters: Vec<(&str, &str)> = parameters.collect::<Result<_>>()?;
        let answer = global.client()?.send(Ask::get(&format!("/v1/trends/{}", self.metric), parameters)).await?;
        if global.format == Format::Json {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let columns =
            ["component", "labels", "window", "verdict", "current", "mean", "p99", "slope/day", "change points"];
        let rows: Vec<Json> = answer.json()?["trends"].as_array().into_iter().flatten().flat_map(rows).collect();
        print_rows(&columns.map(str::to_owned), &rows)?;
        Ok(ExitCode::SUCCESS)
    }
}

/// A row for each window of a series.
fn rows(series: &Json) -> Vec<Json> {
    let windows = series["trend"]["windows"].as_array().cloned().unwrap_or_default();
    let row = |window: &Json| {
        json!({
            "component": series["component"],
            "labels": series["labels"],
            "window": window["window"],
            "verdict": window["verdict"]["direction"],
            "current": rounded(&window["summary"]["current"]),
            "mean": rounded(&window["summary"]["mean"]),
            "p99": rounded(&window["summary"]["p99"]),
            "slope/day": rounded(&window["slope"]["perDay"]),
            "change points": window["changePoints"].as_array().map_or(0, Vec::len),
        })
    };
    windows.iter().map(row).collect()
}

/// Four digits are what a person reads.
fn rounded(number: &Json) -> Json {
    let short = |number: f64| format!("{number:.3e}").parse::<f64>().unwrap_or(number);
    number.as_f64().map_or(Json::Null, |number| json!(short(number)))
}
