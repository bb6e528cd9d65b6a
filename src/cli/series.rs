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
        let columns: Vec<String> = columns.into_iter().map(str::to_owned).collect();
        print_rows(&columns, &rows)?;
        series.iter().filter(|_| metric.is_some()).try_for_each(print_silence)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn names(series: &[Json]) -> (Vec<&'static str>, Vec<Json>) {
    let row = |series: &Json| {
        let mut row = series.clone();
        row["stalled since"] = series["stalledSince"].clone();
        row
    };
    (vec!["metric", "component", "kind", "unit", "labels", "stalled since"], series.iter().map(row).collect())
}

fn values(series: &[Json]) -> (Vec<&'static str>, Vec<Json>) {
    let rows = series.iter().flat_map(|one| {
        one["points"].as_array().into_iter().flatten().map(move |point| {
            json!({"time": point[0], "component": one["component"], "labels": one["labels"], "value": point[1], "unit": one["unit"]})
        })
    });
    (vec!["time", "component", "labels", "value", "unit"], rows.collect())
}

/// Tells when a series told nothing.
fn print_silence(series: &Json) -> Result<()> {
    for gap in series["gaps"].as_array().into_iter().flatten() {
        let (from, to) = (gap["from"].as_str().unwrap_or_default(), gap["to"].as_str().unwrap_or("now"));
        let why = if gap["nazeDown"] == true { ", naze did not run" } else { "" };
        print(&format!("no value of {} from {from} to {to}{why}", series["component"].as_str().unwrap_or_default()))?;
    }
    if let Some(since) = series["stalledSince"].as_str() {
        print(&format!("{} has been stalled since {since}", series["component"].as_str().unwrap_or_default()))?;
    }
    Ok(())
}
