use std::process::ExitCode;

use serde_json::Value as Json;

use super::client::Ask;
use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::{Error, Result};

/// Run a canned query, or list them
#[derive(Debug, clap::Args)]
pub(super) struct Query {
    /// Query to run; without one, all are listed
    id: Option<String>,
    /// Parameters as name=value, such as component=checkout from=-2h
    #[arg(value_name = "NAME=VALUE")]
    parameters: Vec<String>,
}

impl Query {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let client = global.client()?;
        let Some(id) = self.id else {
            let answer = client.send(Ask::get("/v1/queries", [])).await?;
            if global.format == Format::Json {
                print(&answer.text()?)?;
            } else {
                let queries = answer.json()?["queries"].as_array().cloned().unwrap_or_default();
                print_rows(&["id".into(), "question".into()], &queries)?;
                let functions = answer.json()?["functions"].as_array().cloned().unwrap_or_default();
                print(
                    "\nfunctions over series, for naze sparql and queries of your own, such as naze:mean(metric, component, from, to):",
                )?;
                print_rows(&["name", "arguments", "returns", "description"].map(str::to_owned), &functions)?;
            }
            return Ok(ExitCode::SUCCESS);
        };
        let parameters = self
            .parameters
            .iter()
            .map(|parameter| parameter.split_once('=').ok_or(parameter))
            .collect::<Result<Vec<_>, _>>();
        let parameters = parameters.map_err(|parameter| {
            Error::invalid(format!("\"{parameter}\" is no parameter"))
                .hint("write name=value, such as component=checkout")
        })?;
        let media_type = match global.format {
            Format::Table | Format::Json | Format::Receipts(_) => "application/json",
            Format::Csv => "text/csv",
            Format::Md => "text/markdown",
        };
        let answer = client.send(Ask::get(&format!("/v1/queries/{id}"), parameters).accept(media_type)).await?;
        if global.format != Format::Table {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let json = answer.json()?;
        let columns: Vec<String> =
            json["columns"].as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect();
        print_rows(&columns, json["rows"].as_array().map_or(&[], Vec::as_slice))?;
        if json["truncated"] == true {
            print("(there are more rows: add limit=…)")?;
        }
        Ok(ExitCode::SUCCESS)
    }
}
