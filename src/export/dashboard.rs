//! Dashboards as data: the files of `dashboards/`, and a user's own in the same form, become Grafana JSON.
//!
//! ```
//! let text = r#"
//!     title = "Checkout"
//!     [[panels]]
//!     title = "P99 against the SLO"
//!     type = "timeseries"
//!     query = "max(tps_kanban_latency_p99_seconds)"
//!     unit = "s"
//!     bands = { red = "> 0.2" }
//! "#;
//! let dashboard = naze::export::dashboard::Dashboard::read("checkout", text)?;
//! assert_eq!(dashboard.grafana()["panels"][0]["title"], "P99 against the SLO");
//! # Ok::<(), naze::error::Error>(())
//! ```

mod annotations;
mod bands;
mod check;
mod grafana;
mod links;
mod panel;

use include_dir::{Dir, include_dir};
use serde::Deserialize;
use serde_json::Value as Json;

pub use bands::Bands;
pub use panel::{Axis, Draw, Link, Panel, Series, Shown, Visual};

use crate::error::{Context as _, Error, Result};

static DASHBOARDS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/dashboards");

/// A page of panels.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Dashboard {
    /// What its address and its file are called; the stem of the file it was read from.
    #[serde(skip)]
    pub name: String,
    /// Heading.
    pub title: String,
    /// A sentence about it.
    #[serde(default)]
    pub description: String,
    /// How far back it looks, such as `24h`.
    #[serde(default = "day")]
    pub time_range: String,
    /// What can be chosen on it to see less.
    #[serde(default)]
    pub variables: Vec<Variable>,
    /// From left to right, then down.
    pub panels: Vec<Panel>,
}

/// A label whose values can be chosen; queries use it as `{label=~"$label"}`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variable {
    /// Name of the label, and of the variable.
    pub name: String,
    /// A metric that has all values of the label.
    pub metric: String,
}

fn day() -> String {
    "24h".to_owned()
}

impl Dashboard {
    /// Reads a dashboard written in TOML.
    ///
    /// # Errors
    /// `Invalid` with line and key, or with panel, field, value and fix.
    pub fn read(name: &str, text: &str) -> Result<Self> {
        let dashboard: Self = toml::from_str(text).map_err(|error| {
            Error::invalid(format!("dashboard {name}: {}", error.to_string().trim_end()))
                .hint("dashboards/*.toml in naze's source are written in the same form")
        })?;
        let dashboard = Self { name: name.to_owned(), ..dashboard };
        check::check(&dashboard)?;
        Ok(dashboard)
    }

    /// Reads a dashboard written in JSON, with the members that a TOML file has. Its `name` may be left out: it is made of
    /// the title then.
    ///
    /// # Errors
    /// `Invalid` with the path of the member, or with panel, field, value and fix.
    pub fn read_json(bytes: &[u8]) -> Result<Self> {
        let hint = "GET /openapi.json describes the form";
        let mut json: Json = serde_json::from_slice(bytes)
            .map_err(|error| Error::invalid(format!("the dashboard is no JSON: {error}")).hint(hint))?;
        let Some(members) = json.as_object_mut() else {
            return Err(Error::invalid("the dashboard is no JSON object").hint(hint));
        };
        let name = match members.remove("name") {
            None | Some(Json::Null) => None,
            Some(Json::String(name)) => Some(name),
            Some(other) => {
                return Err(Error::invalid(format!("dashboard: name: {other} is no text"))
                    .hint("write letters, digits, - and _, or leave it out"));
            }
        };
        let dashboard: Self = serde_path_to_error::deserialize(json).map_err(|error| {
            let place = match error.path().to_string() {
                path if path == "." => String::new(),
                path => format!("{path}: "),
            };
            Error::invalid(format!("dashboard: {place}{}", error.inner())).hint(hint)
        })?;
        let name = name.unwrap_or_else(|| address_of(&dashboard.title));
        let dashboard = Self { name, ..dashboard };
        check::check(&dashboard)?;
        Ok(dashboard)
    }

    /// The dashboards that come with naze, by name.
    ///
    /// # Errors
    /// `Internal` when one of them was packed broken.
    pub fn builtin() -> Result<Vec<Self>> {
        let mut dashboards = Vec::new();
        for file in DASHBOARDS.files() {
            let name = file.path().file_stem().unwrap_or_default().to_string_lossy();
            let text = file.contents_utf8().ok_or_else(|| Error::internal(format!("dashboard {name} is not UTF-8")))?;
            dashboards.push(Self::read(&name, text).internal("a dashboard of naze's own")?);
        }
        dashboards.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(dashboards)
    }

    /// The dashboard as Grafana imports it.
    pub fn grafana(&self) -> Json {
        grafana::dashboard(self)
    }
}

/// A title as part of an address: `P99 vs. SLO` becomes `p99-vs-slo`.
fn address_of(title: &str) -> String {
    let words = title.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut address = words.map(str::to_ascii_lowercase).collect::<Vec<_>>().join("-");
    address.truncate(check::ADDRESS_MAX);
    if address.is_empty() { "dashboard".to_owned() } else { address }
}
