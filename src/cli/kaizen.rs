use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Map, Value as Json, json};

use super::Global;
use super::client::{Ask, Client};
use super::output::print;
use super::record::Tally;
use crate::clock::Clock;
use crate::error::Result;

/// Show the Kaizen log, or add to it
#[derive(Debug, clap::Args)]
pub(super) struct Kaizen {
    /// Start: RFC 3339 or a span before now [default: 90 days before --to]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// End [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
    /// Only this component
    #[arg(long)]
    component: Option<String>,
    /// How long before and after each improvement its metric is looked at [default: 24h]
    #[arg(long, value_name = "SPAN")]
    effect: Option<String>,
    #[command(subcommand)]
    action: Option<Action>,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Add an improvement
    Add(Box<Add>),
}

#[derive(Debug, clap::Args)]
struct Add {
    /// What was improved, in one line
    title: String,
    /// Where
    #[arg(long = "of", value_name = "COMPONENT")]
    component: String,
    /// Who did it
    #[arg(long)]
    owner: Option<String>,
    /// What it was to show
    #[arg(long)]
    hypothesis: Option<String>,
    /// What was changed
    #[arg(long)]
    change: Option<String>,
    /// Why it worked, or did not
    #[arg(long)]
    why: Option<String>,
    /// What it aims at
    #[arg(long)]
    metric: Option<String>,
    /// Which number of the metric, such as mean or p99
    #[arg(long)]
    statistic: Option<String>,
    /// Value before
    #[arg(long, allow_negative_numbers = true)]
    before: Option<f64>,
    /// Value after
    #[arg(long, allow_negative_numbers = true)]
    after: Option<f64>,
    /// S, M or L
    #[arg(long)]
    effort: Option<String>,
    /// proposed, done … [default: done]
    #[arg(long)]
    status: Option<String>,
    /// When it was done, RFC 3339 [default: now]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Its name, the same in all receipts about it
    #[arg(long)]
    reference: Option<String>,
}

impl Kaizen {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let client = global.client()?;
        if let Some(Action::Add(add)) = self.action {
            return add.run(&client, global).await;
        }
        let given = [("from", &self.from), ("to", &self.to), ("component", &self.component), ("effect", &self.effect)];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value.as_deref()?)));
        let ask = Ask::get("/v1/kaizen", given).accept(global.format.of_report());
        print(&client.send(ask).await?.text()?)?;
        Ok(ExitCode::SUCCESS)
    }
}

impl Add {
    async fn run(self, client: &Client, global: &Global) -> Result<ExitCode> {
        let text = |value: Option<String>| value.map(Json::String);
        let number = |value: Option<f64>| value.map(|value| json!(value));
        let members = [
            ("kind", Some(json!("improvement"))),
            ("occurredAt", Some(self.at.map_or_else(|| json!(Clock::System.now()), Json::String))),
            ("component", Some(Json::String(self.component))),
            ("title", Some(Json::String(self.title))),
            ("status", Some(Json::String(self.status.unwrap_or_else(|| "done".to_owned())))),
            ("actor", text(self.owner)),
            ("hypothesis", text(self.hypothesis)),
            ("action", text(self.change)),
            ("reason", text(self.why)),
            ("metric", text(self.metric)),
            ("statistic", text(self.statistic)),
            ("baseline", number(self.before)),
            ("after", number(self.after)),
            ("effort", text(self.effort)),
            ("reference", text(self.reference)),
        ];
        let members = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let receipt = Json::Object(members.collect::<Map<_, _>>()).to_string();
        let mut tally = Tally::default();
        tally.add(&client.send(Ask::post("/v1/receipts", "application/json", receipt)).await?)?;
        tally.report(global.format)
    }
}
