//! Configuration: a TOML file, overridden by `NAZE_*` variables ([`Overrides`] for any key), overridden by flags. Unknown keys are refused.

mod check;
mod credentials;
mod document;
mod overrides;
mod server;
mod table;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Context as _, Error, Result};
use crate::export::Export;
use crate::measure::archive::Archive;
use crate::measure::crossing::{Learned, Threshold};
use crate::record::slot::Width;
use crate::vocab::nearest;

pub use self::credentials::Sender;
pub use self::overrides::Overrides;
pub use self::server::{Origin, Prometheus, Reconcile};
pub use self::table::{Advice, Escalation, Health, Limits, Measure, Metrics, Receive};

/// Where `naze serve` listens unless told otherwise.
pub const LISTEN_DEFAULT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 7310);

/// Everything that can be configured; all of it has a default.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// Data directory; without one everything is kept in memory and lost at the end.
    pub data: Option<PathBuf>,
    /// Address to serve HTTP on.
    pub listen: SocketAddr,
    /// A user's own kinds of receipts: a folder with Turtle files in `ontology/` and `shapes/`.
    pub kinds: Option<PathBuf>,
    /// A user's own canned queries: a folder of `.rq` files.
    pub queries: Option<PathBuf>,
    /// A user's own service level objectives: a folder of `OpenSLO` files.
    pub slos: Option<PathBuf>,
    /// A user's own runbooks: a folder of Markdown files.
    pub runbooks: Option<PathBuf>,
    /// How long a slot of a new store is; a store keeps the width it was made with.
    pub slot_width: Width,
    /// The program that answers ad-hoc queries as `<program> query-worker`, each in a process that can be killed. Without
    /// one, and without a data directory, they are answered in this process, which only their deadline protects.
    #[serde(skip)]
    pub worker: Option<PathBuf>,
    /// The file that it was read from.
    #[serde(skip)]
    pub file: Option<PathBuf>,
    /// What the environment says instead of it.
    #[serde(skip)]
    pub overrides: Overrides,
    /// What one request may cost.
    pub limits: Limits,
    /// How the documents of senders are read.
    pub receive: Receive,
    /// Which series are kept, and for how long.
    pub measure: Measure,
    /// Limits of series; those that naze ships come after them.
    pub thresholds: Vec<Threshold>,
    /// Whether the limits that naze ships apply.
    pub default_thresholds: bool,
    /// Whether `naze serve` records what it recommends.
    pub record_recommendations: bool,
    /// How naze learns what is usual for a series.
    pub learned: Learned,
    /// What happens to alerts that nobody answers.
    pub escalation: Escalation,
    /// What `/metrics` shows.
    pub metrics: Metrics,
    /// What recommendations rest on.
    pub advice: Advice,
    /// What health is judged by.
    pub health: Health,
    /// What is set for one sender, by its name.
    pub senders: BTreeMap<String, Sender>,
    /// Whom `naze serve` asks for what it missed.
    pub reconcile: Reconcile,
    /// Tools that `naze serve` pushes to, by names of the user's choice.
    pub exports: BTreeMap<String, Export>,
    /// Where series are that are not kept here.
    pub prometheus: Option<Prometheus>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: None,
            listen: LISTEN_DEFAULT,
            kinds: None,
            queries: None,
            slos: None,
            runbooks: None,
            slot_width: Width::default(),
            worker: None,
            file: None,
            overrides: Overrides::default(),
            limits: Limits::default(),
            receive: Receive::default(),
            measure: Measure::default(),
            thresholds: Vec::new(),
            default_thresholds: true,
            record_recommendations: true,
            learned: Learned::default(),
            escalation: Escalation::default(),
            metrics: Metrics::default(),
            advice: Advice::default(),
            health: Health::default(),
            senders: BTreeMap::new(),
            reconcile: Reconcile::default(),
            exports: BTreeMap::new(),
            prometheus: None,
        }
    }
}

impl Config {
    /// Defaults with everything in memory.
    pub fn in_memory() -> Self {
        Self { metrics: Metrics { cache_seconds: 0, ..Metrics::default() }, ..Self::default() }
    }

    /// Defaults with data in `folder`.
    pub fn with_data(folder: impl Into<PathBuf>) -> Self {
        Self { data: Some(folder.into()), ..Self::default() }
    }

    /// Where hours of series go that are no longer kept.
    pub fn archive(&self) -> Option<Archive> {
        let own = self.data.as_ref().map(|data| data.join("archive"));
        let folder = self.measure.archive.clone().or(own)?;
        (!folder.as_os_str().is_empty()).then(|| Archive::new(folder))
    }

    /// Reads a TOML file.
    ///
    /// # Errors
    /// `Invalid` with what is wrong, and the nearest key for one that is unknown.
    pub fn read(path: &Path) -> Result<Self> {
        Self::load(Some(path), Overrides::default())
    }

    /// Reads a TOML file, if there is one, and what the environment says instead of it.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn load(path: Option<&Path>, overrides: Overrides) -> Result<Self> {
        let name = path.map_or_else(|| "the environment".to_owned(), |path| path.display().to_string());
        let text = match path {
            Some(path) => std::fs::read_to_string(path).invalid(format!("cannot read the configuration {name}"))?,
            None => String::new(),
        };
        let told = |message: &str| {
            let hint = meant(message).map_or_else(
                || "docs/configuration.md lists every key with its default".to_owned(),
                |key| format!("did you mean {key}? docs/configuration.md lists every key with its default"),
            );
            Error::invalid(format!("configuration {name}: {message}")).hint(hint)
        };
        let wrong = |error: toml::de::Error| told(error.message()).because(error);
        // Only what is read as it is tells the line of a fault.
        let mut config: Self = if overrides.is_empty() {
            toml::from_str(&text).map_err(wrong)?
        } else {
            let document = overrides.over(toml::from_str(&text).map_err(wrong)?)?;
            serde_path_to_error::deserialize(document).map_err(
                |error: serde_path_to_error::Error<toml::de::Error>| {
                    told(&overrides.hide(error.inner().message())).because(format!("at {}", error.path()))
                },
            )?
        };
        check::check(&config).map_err(|error| {
            let told = Error::new(error.kind(), format!("configuration {name}: {}", error.message()));
            error.hints().iter().fold(told, Error::hint)
        })?;
        config.file = path.map(Path::to_owned);
        config.overrides = overrides;
        Ok(config)
    }
}

/// The known key that is nearest to one that is refused as unknown.
fn meant(message: &str) -> Option<String> {
    let mut quoted = message.strip_prefix("unknown field ")?.split('`').skip(1).step_by(2);
    let (given, known) = (quoted.next()?, quoted.collect::<Vec<&str>>());
    nearest(given, known.iter()).map(str::to_owned)
}
