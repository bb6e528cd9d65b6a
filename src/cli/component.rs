use std::process::ExitCode;

use serde_json::Value as Json;

use super::client::Ask;
use super::output::{print, print_rows};
use super::screen::{Line, Look};
use super::{Format, Global};
use crate::error::Result;

/// Show all that is known of a component, or list components with their health
#[derive(Debug, clap::Args)]
pub(super) struct Component {
    /// Its name; without one, components are listed
    name: Option<String>,
    /// Start: RFC 3339 or a span before now [default: 24 h before --to]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    from: Option<String>,
    /// End [default: now]
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    to: Option<String>,
}

/// Lists of a component with the columns that are shown of each.
const LISTS: [(&str, &[&str]); 9] = [
    ("openIncidents", &["reference", "status", "opened", "age"]),
    ("openAlerts", &["rule", "severity", "fired", "age", "summary"]),
    ("alerts", &["rule", "severity", "fired", "resolved", "duration"]),
    ("circuit", &["time", "state", "previousState", "held", "reason"]),
    ("failures", &["failureType", "failures", "first", "last"]),
    ("changes", &["kind", "time", "subject", "status", "previous", "actor", "summary"]),
    ("needs", &["target", "external", "lastSeen"]),
    ("neededBy", &["component", "external", "lastSeen"]),
    ("series", &["metric", "labels", "unit", "latest", "1h", "24h"]),
];

impl Component {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let Some(name) = &self.name else {
            let answer = global.client()?.send(Ask::get("/v1/components", [])).await?;
            if global.format == Format::Json {
                print(&answer.text()?)?;
            } else {
                let columns = ["component", "state", "since", "circuit", "reason"].map(str::to_owned);
                print_rows(&columns, &list(&answer.json()?["components"]))?;
            }
            return Ok(ExitCode::SUCCESS);
        };
        let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
        let window = [("from", self.from.as_deref()), ("to", self.to.as_deref())];
        let window = window.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let path = format!("/v1/components/{}", encoded.replace('+', "%20"));
        let answer = global.client()?.send(Ask::get(&path, window)).await?;
        if global.format == Format::Json {
            print(&answer.text()?)?;
            return Ok(ExitCode::SUCCESS);
        }
        show(&answer.json()?)?;
        Ok(ExitCode::SUCCESS)
    }
}

fn show(component: &Json) -> Result<()> {
    let health = &component["health"];
    let reason = health["reason"].as_str().map(|reason| format!(": {reason}")).unwrap_or_default();
    let state = health["state"].as_str().unwrap_or_default();
    let name = component["component"].as_str().unwrap_or_default();
    print(&Line::of(Look::Plain, &format!("{name} is {state}{reason}")).paint(usize::MAX, false))?;
    for (name, columns) in LISTS {
        let mut items = list(&component[name]["items"]);
        if items.is_empty() {
            continue;
        }
        for item in items.iter_mut().filter(|_| name == "series") {
            item["latest"] = item["latest"]["value"].clone();
            for window in ["1h", "24h"] {
                item[window] = item["trend"][window]["direction"].clone();
            }
        }
        print(name)?;
        print_rows(&columns.iter().map(|column| (*column).to_owned()).collect::<Vec<_>>(), &items)?;
    }
    Ok(())
}

fn list(json: &Json) -> Vec<Json> {
    json.as_array().cloned().unwrap_or_default()
}
