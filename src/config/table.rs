//! Tables of the file that set bounds and habits.

use std::path::PathBuf;

use chrono::TimeDelta;
use serde::Deserialize;

use crate::measure::crossing::Palette;
use crate::measure::definition::Definition;
use crate::measure::recorder::Retention;
use crate::measure::relabel::Rule;
use crate::measure::store::Bounds;

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

/// How the documents of senders are read.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Receive {
    /// Labels that name the component, first match wins; `namespace/app` joins two.
    pub component_labels: Vec<String>,
}

impl Default for Receive {
    fn default() -> Self {
        let labels =
            ["component", "service", "service_name", "app", "app_kubernetes_io_name", "job", "namespace", "instance"];
        Self { component_labels: labels.map(str::to_owned).to_vec() }
    }
}

/// Which series are kept, and for how long.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Measure {
    /// How long values are kept by the minute, in days.
    pub minutes_days: u32,
    /// How long they are kept by the hour, in days.
    pub hours_days: u32,
    /// Where hours go that are no longer kept: a folder, by default `archive` in the data directory; "" lets them go for
    /// good.
    pub archive: Option<PathBuf>,
    /// Most series.
    pub series_max: usize,
    /// Most values of one label of one metric; more become `other`.
    pub label_values_max: usize,
    /// Which series are kept, and under which labels, as in Prometheus' `metric_relabel_configs`.
    pub relabel: Vec<Rule>,
}

impl Default for Measure {
    fn default() -> Self {
        Self {
            minutes_days: 35,
            hours_days: 400,
            archive: None,
            series_max: 50_000,
            label_values_max: 1_000,
            relabel: Vec::new(),
        }
    }
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

/// What happens to alerts that nobody answers, and to critical andons that nobody resolves.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Escalation {
    /// Whether they are escalated.
    pub enabled: bool,
    /// Alerts: after how many minutes.
    pub after_minutes: u32,
    /// Andons: after how many minutes.
    pub andon_after_minutes: u32,
}

impl Escalation {
    /// How long an alert may go unanswered.
    pub fn after(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.after_minutes))
    }

    /// How long a critical andon may be open.
    pub fn andon_after(&self) -> TimeDelta {
        TimeDelta::minutes(i64::from(self.andon_after_minutes))
    }
}

impl Default for Escalation {
    fn default() -> Self {
        Self { enabled: true, after_minutes: 25, andon_after_minutes: 60 }
    }
}

/// What `/metrics` shows, and what is said of metrics of a user's own.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Metrics {
    /// How long an answer about the system under observation is told again, in seconds.
    pub cache_seconds: u64,
    /// Metrics of a user's own.
    pub own: Vec<Definition>,
}

impl Default for Metrics {
    fn default() -> Self {
        Self { cache_seconds: 5, own: Vec::new() }
    }
}

/// The metric whose limit in thresholds.toml is what scaling may cost in a day.
const SCALING_COST: &str = "tps_heijunka_scaling_cost_total";

/// What recommendations rest on.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Advice {
    /// What scaling of a pool may cost in a day, in the currency that receipts tell costs in.
    pub scaling_cost_per_day: f64,
}

impl Default for Advice {
    fn default() -> Self {
        let shipped = Palette::shipped().colours(SCALING_COST).and_then(|colours| colours.yellow);
        Self { scaling_cost_per_day: shipped.expect("thresholds.toml says what scaling may cost").value() }
    }
}

/// What health is judged by.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Health {
    /// Tasks per minute that busy queues should finish.
    pub target_throughput: f64,
}

impl Default for Health {
    fn default() -> Self {
        Self { target_throughput: 10.0 }
    }
}
