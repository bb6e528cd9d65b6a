use std::io::Read as _;
use std::process::ExitCode;

use super::client::Ask;
use super::output::print;
use super::{Format, Global};
use crate::error::{Context as _, Result};

/// Run ad-hoc SPARQL
#[derive(Debug, clap::Args)]
pub(super) struct Sparql {
    /// The query; - reads it from standard input
    #[arg(default_value = "-")]
    query: String,
}

impl Sparql {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let mut query = self.query;
        if query == "-" {
            query.clear();
            std::io::stdin().lock().read_to_string(&mut query).invalid("cannot read standard input")?;
        }
        let accept = match global.format {
            Format::Table => "text/tab-separated-values, text/turtle;q=0.9",
            Format::Json | Format::Receipts(_) => "application/sparql-results+json, application/ld+json;q=0.9",
            Format::Csv => "text/csv, application/n-triples;q=0.9",
            Format::Md => "text/tab-separated-values, text/turtle;q=0.9",
        };
        let answer =
            global.client()?.send(Ask::post("/sparql", "application/sparql-query", query).accept(accept)).await?;
        print(&answer.text()?)?;
        Ok(ExitCode::SUCCESS)
    }
}
