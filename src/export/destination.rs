//! What naze knows of a tool that it pushes to: where it listens, what it takes, and how much of that at a time.

mod check;

use std::collections::BTreeMap;
use std::path::PathBuf;

use chrono::TimeDelta;
use reqwest::Url;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::reading::{Reading, Snapshot};
use super::told::{Pick, Told};
use super::{datadog, email, file, grafana_cloud, newrelic, otlp, pagerduty, slack, webhook};
use crate::clock::Timestamp;
use crate::query::parse_duration;
use crate::secret::Secret;

/// Everything naze pushes to; one line each.
pub const DESTINATIONS: &[Destination] = &[
    datadog::DESTINATION,
    email::DESTINATION,
    file::DESTINATION,
    grafana_cloud::DESTINATION,
    grafana_cloud::REMOTE_WRITE,
    newrelic::DESTINATION,
    otlp::DESTINATION,
    pagerduty::DESTINATION,
    slack::DESTINATION,
    webhook::DESTINATION,
];

/// A kind of tool.
#[derive(Debug)]
pub struct Destination {
    /// Its name: `kind` in the configuration.
    pub name: &'static str,
    /// How a body gets to it.
    pub by: By,
    /// Keys that it cannot do without.
    pub needs: &'static [&'static str],
    /// How it knows who sends.
    pub credentials: fn(&Export) -> Vec<(&'static str, String)>,
    /// How it takes metrics; `None` for one that people read.
    pub metrics: Option<Route<WriteMetrics>>,
    /// How it takes receipts; `None` for a tool that keeps numbers only.
    pub receipts: Option<Route<WriteReceipts>>,
    /// Which receipts it takes.
    pub pick: Pick,
    /// Which of them by default, where they are notices.
    pub severities: &'static [&'static str],
    /// How it takes what had a beginning and an end, as spans.
    pub traces: Option<Route<WriteReceipts>>,
    /// Does it want to hear by how much totals grew, rather than the totals?
    pub wants_growth: bool,
    /// Statuses that mean "not now": the same is sent again.
    pub is_passing: fn(u16) -> bool,
    /// How many items an answer of success says were not taken after all, and why.
    pub rejected: fn(&[u8]) -> Option<(u64, String)>,
}

/// How a body gets to a tool.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// As a request.
    Http,
    /// As a message to a mail server.
    Mail,
    /// It is added to a file.
    File,
}

/// Writes metrics as the body of one request.
pub type WriteMetrics = fn(&Metrics<'_>, &Export) -> Vec<u8>;
/// Writes receipts as the body of one request.
pub type WriteReceipts = fn(&[Told], &Export) -> Vec<u8>;

/// Where one kind of data goes, and in which portions.
#[derive(Debug)]
pub struct Route<W> {
    /// The address.
    pub url: fn(&Export) -> String,
    /// `Content-Type`, and what else the protocol asks for.
    pub headers: &'static [(&'static str, &'static str)],
    /// How the body is compressed.
    pub packing: Packing,
    /// Writes a body.
    pub write: W,
    /// Most items of one request.
    pub items_max: usize,
    /// Largest body before it is compressed.
    pub body_bytes_max: usize,
    /// Largest body after that.
    pub packed_bytes_max: usize,
    /// Items older than this are not taken.
    pub age_max: Option<TimeDelta>,
}

/// How a body is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packing {
    /// `Content-Encoding: gzip`
    Gzip,
    /// `Content-Encoding: snappy`, in the block format.
    Snappy,
    /// Not at all.
    Plain,
}

/// Readings of one moment.
#[derive(Debug, Clone, Copy)]
pub struct Metrics<'a> {
    /// When they were read.
    pub at: Timestamp,
    /// Since when their totals count.
    pub since: Option<Timestamp>,
    /// The readings.
    pub readings: &'a [Reading],
}

impl<'a> Metrics<'a> {
    /// Some of what `snapshot` holds.
    pub fn of(snapshot: &Snapshot, since: Option<Timestamp>, readings: &'a [Reading]) -> Self {
        Self { at: snapshot.at(), since, readings }
    }
}

/// `[exports.<name>]`: one tool that naze pushes to.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Export {
    /// What kind of tool it is.
    #[serde(deserialize_with = "named")]
    pub kind: &'static Destination,
    /// Where it is; the vendor's own address by default.
    pub url: Option<String>,
    /// Which of the vendor's sites, such as `datadoghq.eu`.
    pub site: Option<String>,
    /// Who sends, for tools that ask for a user and a password.
    pub user: Option<String>,
    /// API key, password or bearer token.
    pub token: Option<Secret>,
    /// Further headers to send along.
    #[serde(default)]
    pub headers: BTreeMap<String, Secret>,
    /// Are metrics pushed?
    #[serde(default = "yes")]
    pub metrics: bool,
    /// Are receipts pushed? By default where the tool takes them.
    pub receipts: Option<bool>,
    /// Are spans pushed? By default where the tool takes them.
    pub traces: Option<bool>,
    /// Notices of which severities; escalations are told whatever theirs.
    pub severities: Option<Vec<String>>,
    /// Notices of crossings of declared thresholds? By default they are told.
    pub crossings: Option<bool>,
    /// Which file, for one that is written.
    pub path: Option<PathBuf>,
    /// Whom mail is from.
    pub from: Option<String>,
    /// Whom it goes to.
    #[serde(default)]
    pub to: Vec<String>,
    /// How long the others wait for a recipient who is not to be had now; 10 min by default.
    #[serde(default, deserialize_with = "some_patience")]
    pub patience: Option<TimeDelta>,
    /// The same notice again is not told within this time.
    #[serde(default, deserialize_with = "some_cooldown")]
    pub cooldown: Option<TimeDelta>,
    /// Where people reach this naze, for links.
    pub link: Option<String>,
    /// Time from one reading of the metrics to the next, in seconds.
    #[serde(default = "interval_seconds")]
    pub interval_seconds: u64,
    /// Longest time for one request, in seconds.
    #[serde(default = "timeout_seconds")]
    pub timeout_seconds: u64,
    /// Most bytes of readings that wait on disk.
    #[serde(default = "spool_bytes_max")]
    pub spool_bytes_max: u64,
    /// What naze is called there.
    #[serde(default = "service_name")]
    pub service_name: String,
    /// Which environment is observed.
    #[serde(default = "environment")]
    pub environment: String,
}

fn some_cooldown<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<TimeDelta>, D::Error> {
    some_duration("cooldown", deserializer)
}

fn some_patience<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<TimeDelta>, D::Error> {
    some_duration("patience", deserializer)
}

fn some_duration<'de, D: Deserializer<'de>>(
    key: &str,
    deserializer: D,
) -> std::result::Result<Option<TimeDelta>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(key, &text).map(Some).map_err(|error| D::Error::custom(error.in_a_line()))
}

fn yes() -> bool {
    true
}

fn interval_seconds() -> u64 {
    10
}

fn timeout_seconds() -> u64 {
    10
}

fn spool_bytes_max() -> u64 {
    64 << 20
}

fn service_name() -> String {
    "naze".to_owned()
}

fn environment() -> String {
    "production".to_owned()
}

fn named<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<&'static Destination, D::Error> {
    let name = String::deserialize(deserializer)?;
    DESTINATIONS.iter().find(|known| known.name == name).ok_or_else(|| {
        let known: Vec<&str> = DESTINATIONS.iter().map(|known| known.name).collect();
        D::Error::custom(format!("kind \"{name}\" is unknown; known are {}", known.join(", ")))
    })
}

impl Export {
    /// The metrics' route, if metrics are pushed.
    pub fn metrics(&self) -> Option<&'static Route<WriteMetrics>> {
        self.kind.metrics.as_ref().filter(|_| self.metrics)
    }

    /// The spans' route, if spans are pushed.
    pub fn traces(&self) -> Option<&'static Route<WriteReceipts>> {
        self.kind.traces.as_ref().filter(|_| self.traces.unwrap_or(true))
    }

    /// The receipts' route, if receipts are pushed.
    pub fn receipts(&self) -> Option<&'static Route<WriteReceipts>> {
        self.kind.receipts.as_ref().filter(|_| self.receipts.unwrap_or(true))
    }

    /// `path` under the configured address, or `vendor` where none is configured.
    pub(super) fn address(&self, vendor: impl Fn() -> String, path: &str) -> String {
        self.url.as_ref().map_or_else(vendor, |url| format!("{}{path}", url.trim_end_matches('/')))
    }

    /// Key of an API.
    pub(super) fn token(&self) -> String {
        self.token.as_ref().map(|token| String::from_utf8_lossy(token.expose()).into_owned()).unwrap_or_default()
    }
}

/// A name as part of a variable's.
pub(crate) fn in_a_variable(name: &str) -> String {
    name.to_uppercase().replace(|character: char| !character.is_ascii_alphanumeric(), "_")
}

fn is_known(scheme: &str) -> bool {
    matches!(scheme, "http" | "https") || email::SCHEMES.contains(&scheme)
}

/// An address without what may not be shown; `None` when it is none.
pub(crate) fn shown(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok().filter(|url| is_known(url.scheme()) && url.has_host())?;
    // Only a URL that cannot have them refuses this.
    let _ = url.set_username("").and_then(|()| url.set_password(None));
    url.set_query(None);
    Some(url.to_string())
}

/// The same, where the token is part of the path.
pub(super) fn shown_of(export: &Export, url: &str) -> String {
    if export.kind.by == By::File {
        return url.to_owned();
    }
    let (shown, token) = (shown(url).unwrap_or_default(), export.token());
    if token.is_empty() { shown } else { shown.replace(&token, "…") }
}

/// Basic authentication with a user, a bearer token without; nothing where there is no token.
pub(super) fn authorization(export: &Export) -> Vec<(&'static str, String)> {
    use base64::Engine as _;
    if export.token.is_none() {
        return Vec::new();
    }
    let value = match &export.user {
        Some(user) => {
            let pair = format!("{user}:{}", export.token());
            format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(pair))
        }
        None => format!("Bearer {}", export.token()),
    };
    vec![("authorization", value)]
}

/// Statuses of most vendors for "not now".
pub(super) fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 429 | 500..=599)
}
