//! Configuration: a TOML file, overridden by `NAZE_*` variables, overridden by flags. Unknown keys are refused.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use chrono::TimeDelta;

use crate::error::{Context as _, Error, Result};
use crate::export::Export;
use crate::export::destination::in_a_variable;
use crate::measure::crossing::{Learned, Threshold};
use crate::measure::recorder::Retention;
use crate::measure::relabel::Rule;
use crate::measure::store::Bounds;
use crate::receive::RECEIVERS;
use crate::record::slot::Width;

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
    /// How naze learns what is usual for a series.
    pub learned: Learned,
    /// What happens to alerts that nobody answers.
    pub escalation: Escalation,
    /// What `/metrics` shows.
    pub metrics: Metrics,
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

/// A Prometheus whose series are read where they are.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Prometheus {
    /// Where it is, with any path prefix; a user and password may be part of it.
    pub url: String,
    /// Bearer token to send along.
    pub token: Option<Secret>,
    /// Longest time for one of its answers, in seconds.
    #[serde(default = "prometheus_seconds")]
    pub timeout_seconds: u64,
    /// Most points of one answer, of all its series; more series are read in longer steps.
    #[serde(default = "prometheus_points")]
    pub points_max: u32,
}

fn prometheus_seconds() -> u64 {
    10
}

fn prometheus_points() -> u32 {
    500_000
}

/// Whom `naze serve` asks for alerts that never reached it, at start and then every so often.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Reconcile {
    /// Time from one round to the next, in seconds.
    pub interval_seconds: u64,
    /// How far back the first round looks, in hours; farther when naze was down for longer.
    pub lookback_hours: u64,
    /// Alertmanagers: they know which alerts fire, and which are silenced or inhibited.
    pub alertmanager: Vec<Origin>,
    /// Prometheis: they know which alerts fired, and from when to when.
    pub prometheus: Vec<Origin>,
}

/// A server that naze asks.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Where it is, with any path prefix; a user and password may be part of it.
    pub url: String,
    /// Bearer token to send along.
    pub token: Option<Secret>,
}

/// Bounds on what one request may cost.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest body after decompression, in bytes.
    pub body_bytes_max: usize,
    /// Longest time for one request, in seconds.
    pub request_seconds: u64,
    /// Longest time for one query, in seconds.
    pub query_seconds: u64,
    /// Most memory for one ad-hoc query, in bytes.
    pub query_memory_bytes: u64,
    /// Most rows of one answer.
    pub rows_max: usize,
    /// Most receipts that one question may rest on.
    pub evidence_receipts_max: usize,
    /// Most requests answered at the same moment; more are refused with 503.
    pub requests_max: usize,
}

/// How the documents of senders are read.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Receive {
    /// Labels that name the component, first match wins; `namespace/app` joins two.
    pub component_labels: Vec<String>,
}

/// Which series are kept, and for how long.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Measure {
    /// How long values are kept by the minute, in days.
    pub minutes_days: u32,
    /// How long they are kept by the hour, in days.
    pub hours_days: u32,
    /// Most series.
    pub series_max: usize,
    /// Most values of one label of one metric; more become `other`.
    pub label_values_max: usize,
    /// Which series are kept, and under which labels, as in Prometheus' `metric_relabel_configs`.
    pub relabel: Vec<Rule>,
}

/// What happens to alerts that nobody answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Escalation {
    /// Whether they are escalated.
    pub enabled: bool,
    /// After how many minutes.
    pub after_minutes: u32,
}

impl Escalation {
    /// How long an alert may go unanswered.
    pub fn after(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.after_minutes))
    }
}

impl Default for Escalation {
    fn default() -> Self {
        Self { enabled: true, after_minutes: 25 }
    }
}

/// What `/metrics` shows.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// How long an answer about the system under observation is told again, in seconds.
    pub cache_seconds: u64,
}

/// What health is judged by.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// Tasks per minute that busy queues should finish.
    pub target_throughput: f64,
}

impl Measure {
    /// Bounds on the number of series.
    pub fn bounds(&self) -> Bounds {
        Bounds { series_max: self.series_max, label_values_max: self.label_values_max }
    }

    /// How long values are kept.
    pub fn retention(&self) -> Retention {
        let days = |days: u32| TimeDelta::days(i64::from(days));
        Retention { minutes: days(self.minutes_days), hours: days(self.hours_days) }
    }
}

/// What is set for one sender. Without secret and token it is heard on a loopback address only.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sender {
    /// What it signs its documents with.
    pub secret: Option<Secret>,
    /// What it sends along: as bearer token, as password of basic authentication, or as `?token=` in the URL.
    pub token: Option<Secret>,
    /// Its labels that name the component, in place of those for all senders.
    pub component_labels: Option<Vec<String>>,
}

/// A secret that never shows in logs or debug output.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// The secret's bytes, for comparing and signing.
    pub fn expose(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl From<String> for Secret {
    fn from(secret: String) -> Self {
        Self(secret)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
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
            limits: Limits::default(),
            receive: Receive::default(),
            measure: Measure::default(),
            thresholds: Vec::new(),
            default_thresholds: true,
            learned: Learned::default(),
            escalation: Escalation::default(),
            metrics: Metrics::default(),
            health: Health::default(),
            senders: BTreeMap::new(),
            reconcile: Reconcile::default(),
            exports: BTreeMap::new(),
            prometheus: None,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 32 << 20,
            request_seconds: 60,
            query_seconds: 10,
            query_memory_bytes: 1 << 30,
            rows_max: 10_000,
            evidence_receipts_max: 200_000,
            requests_max: 512,
        }
    }
}

impl Default for Measure {
    fn default() -> Self {
        Self { minutes_days: 35, hours_days: 400, series_max: 50_000, label_values_max: 1_000, relabel: Vec::new() }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self { cache_seconds: 5 }
    }
}

impl Default for Health {
    fn default() -> Self {
        Self { target_throughput: 10.0 }
    }
}

impl Default for Reconcile {
    fn default() -> Self {
        Self { interval_seconds: 300, lookback_hours: 24, alertmanager: Vec::new(), prometheus: Vec::new() }
    }
}

impl Default for Receive {
    fn default() -> Self {
        let labels =
            ["component", "service", "service_name", "app", "app_kubernetes_io_name", "job", "namespace", "instance"];
        Self { component_labels: labels.map(str::to_owned).to_vec() }
    }
}

impl Config {
    /// Defaults with everything in memory.
    pub fn in_memory() -> Self {
        Self { metrics: Metrics { cache_seconds: 0 }, ..Self::default() }
    }

    /// Defaults with data in `folder`.
    pub fn with_data(folder: impl Into<PathBuf>) -> Self {
        Self { data: Some(folder.into()), ..Self::default() }
    }

    /// Reads a TOML file.
    ///
    /// # Errors
    /// `Invalid` with line and key of what is wrong.
    pub fn read(path: &Path) -> Result<Self> {
        let text =
            std::fs::read_to_string(path).invalid(format!("cannot read the configuration {}", path.display()))?;
        let mut config: Self = toml::from_str(&text).map_err(|error| {
            Error::invalid(format!("configuration {}: {}", path.display(), error.message()))
                .because(error)
                .hint("docs/configuration.md lists every key with its default")
        })?;
        config.check().map_err(|error| {
            let told = Error::new(error.kind(), format!("configuration {}: {}", path.display(), error.message()));
            error.hints().iter().fold(told, Error::hint)
        })?;
        config.file = Some(path.to_owned());
        Ok(config)
    }

    /// Are there such senders, and can their labels name a component?
    fn check(&self) -> Result<()> {
        let known: Vec<&str> = RECEIVERS.iter().map(|receiver| receiver.name).collect();
        if let Some(name) = self.senders.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(Error::invalid(format!("senders.{name} is unknown"))
                .hint(format!("known senders are {}", known.join(", "))));
        }
        if !(1..=1_440).contains(&self.escalation.after_minutes) {
            return Err(Error::invalid(format!("escalation.after_minutes = {}", self.escalation.after_minutes))
                .hint("write 1 to 1440 minutes, or enabled = false"));
        }
        let target = self.health.target_throughput;
        if !(target.is_finite() && target > 0.0) {
            return Err(Error::invalid(format!(
                "health.target_throughput is {target}, which no throughput can be held to"
            ))
            .hint("give the tasks per minute that busy queues should finish, such as 10"));
        }
        let own =
            |(name, sender): (&String, &Sender)| Some((format!("senders.{name}"), sender.component_labels.clone()?));
        let all = ("receive".to_owned(), self.receive.component_labels.clone());
        for (table, labels) in std::iter::once(all).chain(self.senders.iter().filter_map(own)) {
            if let Some(label) = labels.iter().find(|label| label.split('/').any(|part| part.trim().is_empty())) {
                return Err(Error::invalid(format!("{table}.component_labels has \"{label}\", which names no label"))
                    .hint("write a label, or several joined by \"/\", such as \"namespace/app\""));
            }
        }
        Ok(())
    }

    /// Takes each sender's `NAZE_<NAME>_SECRET` and `NAZE_<NAME>_TOKEN`, each export's `NAZE_EXPORT_<NAME>_TOKEN`, and
    /// `NAZE_PROMETHEUS_TOKEN`, over what the file says.
    pub fn take_credentials(&mut self, given: impl Fn(&str) -> Option<String>) {
        if let Some(prometheus) = &mut self.prometheus {
            prometheus.token = given("NAZE_PROMETHEUS_TOKEN").map(Secret::from).or(prometheus.token.take());
        }
        for receiver in RECEIVERS {
            let prefix = format!("NAZE_{}", receiver.name.to_uppercase().replace('-', "_"));
            let secret = given(&format!("{prefix}_SECRET")).map(Secret::from);
            let token = given(&format!("{prefix}_TOKEN")).map(Secret::from);
            if secret.is_some() || token.is_some() {
                let credentials = self.senders.entry(receiver.name.to_owned()).or_default();
                credentials.secret = secret.or(credentials.secret.take());
                credentials.token = token.or(credentials.token.take());
            }
        }
        for (name, export) in &mut self.exports {
            let token = given(&format!("NAZE_EXPORT_{}_TOKEN", in_a_variable(name)));
            export.token = token.map(Secret::from).or(export.token.take());
        }
    }
}
