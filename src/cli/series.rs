use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::client::Ask;
use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::{Error, Result};

/// Show the values of a metric, or list the series that are kept
#[derive(Debug, clap::Args)]
pub(super) struct Series {
    /// Metric to show; without one, series are listed
    metric: Option<String>,
    /// component=, label.NAME=, from=, to=, step= and stat=, such as from=-6h step=5m stat=p99
    #[arg(value_name = "NAME=VALUE")]
    parameters: Vec<String>,
}

impl Series {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let (metric, first) = match self.metric {
            Some(text) if text.contains('=') => (None, Some(text)),
            metric => (metric, None),
        };
        let given: Vec<&String> = first.iter().chain(&self.parameters).collect();
        let parameters: Result<Vec<(&str, &str)>> = given
            .into_iter()
            .map(|text| {
                text.split_once('=').ok_or_else(|| {
                    Error::invalid(format!("\"{text}\" is no parameter")).hint("write name=value, such as from=-6h")
                })
            })
            .collect();
        let path = metric.as_ref().map_or_else(|| "/v1/series".to_owned(), |metric| format!("/v1/series/{metric}"));
        let media_type = if global.format == Format::Csv && metric.is_some() { "text/csv" } else { "application/json" };
        let answer = global.client()?.send(Ask::get(&path, parameters?).accept(media_type)).await?;
        if matches!(global.format, Format::Json) || media_type == "text/csv" {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let series = answer.json()?["series"].as_array().cloned().unwrap_or_default();
        let (columns, rows) = if metric.is_some() { values(&series) } else { names(&series) };
        print_rows(&columns.map(str::to_owned), &rows)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn names(series: &[Json]) -> ([&'static str; 5], Vec<Json>) {
    (["metric", "component", "kind", "unit", "labels"], series.to_vec())
}

fn values(series: &[Json]) -> ([&'static str; 5], Vec<Json>) {
    let rows = series.iter().flat_map(|one| {
        one["points"].as_array().into_iter().flatten().map(move |point| {
            json!({"time": point[0], "component": one["component"], "labels": one["labels"], "value": point[1], "unit": one["unit"]})
        })
    });
    (["time", "component", "labels", "value", "unit"], rows.collect())
}
