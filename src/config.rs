//! Configuration: a TOML file, overridden by `NAZE_*` variables, overridden by flags. Unknown keys are refused.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::error::{Context as _, Error, Result};
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
    /// Width of new stores' slots.
    #[serde(skip)]
    pub slot_width: Width,
    /// What one request may cost.
    pub limits: Limits,
    /// How senders are recognised.
    pub receive: Receive,
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
    /// Most rows of one answer.
    pub rows_max: usize,
    /// Most receipts that one question may rest on.
    pub evidence_receipts_max: usize,
    /// Most requests answered at the same moment; more are refused with 503.
    pub requests_max: usize,
}

/// How senders are recognised and their events mapped.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Receive {
    /// Labels that name the component, first match wins; `namespace/app` joins two.
    pub component_labels: Vec<String>,
    /// Secret that GitHub signs its webhooks with.
    pub github_secret: Option<Secret>,
    /// Token that Alertmanager sends as `Authorization: Bearer`.
    pub alertmanager_token: Option<Secret>,
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
            slot_width: Width::default(),
            limits: Limits::default(),
            receive: Receive::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 32 << 20,
            request_seconds: 60,
            query_seconds: 10,
            rows_max: 10_000,
            evidence_receipts_max: 200_000,
            requests_max: 512,
        }
    }
}

impl Default for Receive {
    fn default() -> Self {
        let labels =
            ["component", "service", "service_name", "app", "app_kubernetes_io_name", "job", "namespace", "instance"];
        Self { component_labels: labels.map(str::to_owned).to_vec(), github_secret: None, alertmanager_token: None }
    }
}

impl Config {
    /// Defaults with everything in memory.
    pub fn in_memory() -> Self {
        Self::default()
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
        toml::from_str(&text).map_err(|error| {
            Error::invalid(format!("configuration {}: {}", path.display(), error.message()))
                .because(error)
                .hint("the README lists every key with its default")
        })
    }
}
