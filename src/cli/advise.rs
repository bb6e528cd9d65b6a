use std::process::ExitCode;

use super::Global;
use super::client::{Ask, pairs};
use super::output::print;
use crate::error::Result;

/// Say what to do about what happened
#[derive(Debug, clap::Args)]
pub(super) struct Advise {
    /// Start: RFC 3339 or a span before now [default: 24 h before --to]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// End [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Only this component
    #[arg(long)]
    component: Option<String>,
    /// Other parameters of the queries as name=value, such as budget=100
    #[arg(value_name = "NAME=VALUE")]
    parameters: Vec<String>,
}

impl Advise {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let mut parameters: Vec<(&str, &str)> = Vec::new();
        for (name, value) in [("from", &self.from), ("to", &self.to), ("component", &self.component)] {
            parameters.extend(value.as_deref().map(|value| (name, value)));
        }
        parameters.extend(pairs(&self.parameters, "budget=100")?);
        let ask = Ask::get("/v1/recommendations", parameters).accept(global.format.of_report());
        print(&global.client()?.send(ask).await?.text()?)?;
        Ok(ExitCode::SUCCESS)
    }
}
