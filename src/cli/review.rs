use std::process::ExitCode;

use super::Global;
use super::client::Ask;
use super::output::print;
use crate::error::Result;

/// Review a week: health, trends, promises, patterns, what to do
#[derive(Debug, clap::Args)]
pub(super) struct Review {
    /// Week by ISO 8601, such as 2026-W47 [default: the last one that is over]
    week: Option<String>,
    /// How many people improve things: each gets one improvement, and a second if there is time
    #[arg(long, default_value_t = 1)]
    engineers: usize,
}

impl Review {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let path = self.week.map_or_else(|| "/v1/reviews".to_owned(), |week| format!("/v1/reviews/{week}"));
        let engineers = self.engineers.to_string();
        let ask = Ask::get(&path, [("engineers", engineers.as_str())]).accept(global.format.of_report());
        print(&global.client()?.send(ask).await?.text()?)?;
        Ok(ExitCode::SUCCESS)
    }
}
