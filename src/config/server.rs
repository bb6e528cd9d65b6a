//! Servers that naze asks.

use serde::Deserialize;

use crate::secret::Secret;

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

impl Default for Reconcile {
    fn default() -> Self {
        Self { interval_seconds: 300, lookback_hours: 24, alertmanager: Vec::new(), prometheus: Vec::new() }
    }
}
