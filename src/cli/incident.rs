use std::process::ExitCode;

use clap::Subcommand;
use serde_json::{Map, Value as Json};

use super::client::Ask;
use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::{Error, Result};

/// Open, update, show or list incidents
#[derive(Debug, clap::Args)]
pub(super) struct Incident {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List all incidents, newest first
    List,
    /// Open an incident
    Open {
        /// Component that shows the symptom
        #[arg(long)]
        component: String,
        /// What is wrong, in a sentence
        #[arg(long)]
        summary: String,
        /// Metric that shows the symptom
        #[arg(long)]
        metric: Option<String>,
        /// When it was noticed [default: now]
        #[arg(long, value_name = "TIME")]
        detected_at: Option<String>,
        /// When it began
        #[arg(long, value_name = "TIME")]
        onset: Option<String>,
        /// Name of the incident [default: made from its content]
        #[arg(long)]
        reference: Option<String>,
    },
    /// Show one incident
    Show {
        /// Reference or receipt id
        id: String,
    },
    /// Add to an incident
    Update {
        /// Reference or receipt id
        id: String,
        /// open, acknowledged, mitigated or resolved [default: as it was]
        #[arg(long)]
        status: Option<String>,
        /// What is done
        #[arg(long, value_parser = ["paged", "change_found", "mitigated", "reviewed", "fixed_for_good", "runbook_updated"])]
        step: Option<String>,
        /// What caused it
        #[arg(long)]
        root_cause: Option<String>,
        /// What ended it
        #[arg(long)]
        fix: Option<String>,
        /// What keeps it from coming back
        #[arg(long)]
        prevention: Option<String>,
    },
}

impl Incident {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let client = global.client()?;
        // How the work stands is no row of a table of incidents.
        let shown = match &self.action {
            Action::Show { id } if global.format != Format::Csv => Some(id.clone()),
            _ => None,
        };
        let answer = client.send(self.action.ask()).await?;
        let json = answer.json()?;
        if json["status"] == 422 {
            return Err(Error::invalid(json["detail"].as_str().unwrap_or("refused").to_owned()));
        }
        if global.format == Format::Json {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        let incidents = json["incidents"].as_array().cloned().unwrap_or_else(|| vec![json]);
        let columns = ["reference", "status", "component", "detectedAt", "summary"].map(str::to_owned);
        print_rows(&columns, &incidents)?;
        if let Some(id) = shown {
            let ask = Ask::get(&format!("/v1/incidents/{id}/workflow"), []).accept(global.format.of_report());
            print(&client.send(ask).await?.text()?)?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

impl Action {
    fn ask(self) -> Ask {
        match self {
            Self::List => Ask::get("/v1/incidents", []),
            Self::Show { id } => Ask::get(&format!("/v1/incidents/{id}"), []),
            Self::Open { component, summary, metric, detected_at, onset, reference } => post(
                "/v1/incidents",
                [
                    ("component", Some(component)),
                    ("summary", Some(summary)),
                    ("metric", metric),
                    ("detectedAt", detected_at),
                    ("onset", onset),
                    ("reference", reference),
                ],
            ),
            Self::Update { id, status, step, root_cause, fix, prevention } => post(
                &format!("/v1/incidents/{id}"),
                [
                    ("status", status),
                    ("step", step),
                    ("rootCause", root_cause),
                    ("fix", fix),
                    ("prevention", prevention),
                ],
            ),
        }
    }
}

fn post<const N: usize>(path: &str, members: [(&str, Option<String>); N]) -> Ask {
    let given = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), Json::String(value?))));
    Ask::post(path, "application/json", Json::Object(given.collect::<Map<_, _>>()).to_string())
}
