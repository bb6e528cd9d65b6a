//! The six parts that every check looks at: kanban, andon, tpm, ontology, receipts, persistence.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Serialize;
use serde_json::{Value as Json, json};

use super::{Colour, Condition, Finding, State};
use crate::clock::Timestamp;
use crate::measure::crossing::Palette;

/// One of them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Part {
    /// Its name.
    pub name: &'static str,
    /// How it is.
    #[serde(flatten)]
    pub condition: Condition,
    /// What that rests on.
    pub details: Json,
}

/// Work in progress and queues.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Kanban {
    /// Work orders in progress, by bucket.
    pub wip: BTreeMap<String, f64>,
    /// Most that may be, by bucket.
    pub limits: BTreeMap<String, f64>,
    /// Items in the deepest queue.
    pub queue_depth: Option<f64>,
    /// Depth over capacity of the fullest queue.
    pub queue_utilization: Option<f64>,
}

/// A cord that nobody has answered.
#[derive(Debug, Clone, PartialEq)]
pub struct Cord {
    /// Where it was pulled.
    pub component: String,
    /// Is it of level critical?
    pub is_critical: bool,
    /// When.
    pub opened: Timestamp,
}

/// Maintenance and uptime.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Tpm {
    /// Maintenance done on time, of what was due.
    pub compliance: Option<f64>,
    /// The component that is up least, and for which share of the time.
    pub uptime: Option<(String, f64)>,
    /// Shortest mean time between failures.
    pub mtbf_seconds: Option<f64>,
    /// Longest mean time to recovery.
    pub mttr_seconds: Option<f64>,
}

/// What naze knows of its own keeping.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Keeping {
    /// Receipts in the ledger.
    pub recorded: u64,
    /// Of these, in the index.
    pub indexed: u64,
    /// Receipts refused in the last hour.
    pub refused: f64,
    /// Did the last validation of every component go well? `None` when nothing was ever validated.
    pub is_valid: Option<bool>,
    /// Violations that those found.
    pub violations: Option<f64>,
    /// When a backup last went well.
    pub backed_up_at: Option<Timestamp>,
    /// Does the newest checkpoint state what the ledger has, under its signature?
    pub is_sealed: bool,
}

/// Name of the limit that holds for all buckets together.
pub const OVERALL: &str = "overall";
/// A critical cord open for longer is unhealthy.
const CORD_OPEN_MAX: TimeDelta = TimeDelta::hours(1);
/// A backup is made each day; an hour may pass before it is late.
const BACKUP_MAX: TimeDelta = TimeDelta::hours(25);

impl Kanban {
    /// Degraded near a limit, unhealthy beyond it.
    pub fn part(&self, palette: &Palette) -> Part {
        let is_green = |share: f64, metric| Colour::of(Some(share), metric, palette) == Colour::Green;
        let limits = self.limits.iter().filter_map(|(bucket, limit)| Some((bucket, self.wip_of(bucket)?, *limit)));
        let limits: Vec<(&String, f64, f64)> = limits.collect();
        let used = |wip: f64, limit: f64| (limit > 0.0).then(|| wip / limit);
        let utilization = limits.iter().filter_map(|(_, wip, limit)| used(*wip, *limit)).reduce(f64::max);
        let mut findings = Vec::new();
        for (bucket, wip, limit) in limits {
            let what = format!("{bucket} has {wip} work orders in progress, of {limit}");
            if wip > limit {
                findings.push(Finding::new(State::Unhealthy, what, None));
            } else if used(wip, limit).is_some_and(|used| !is_green(used, "tps_kanban_wip_utilization")) {
                findings.push(Finding::new(State::Degraded, what, None));
            }
        }
        if let Some(full) = self.queue_utilization.filter(|full| !is_green(*full, "tps_kanban_queue_utilization")) {
            findings.push(Finding::new(State::Degraded, format!("a queue is {} full", percent(full)), None));
        }
        let is_known = utilization.is_some() || self.queue_utilization.is_some() || !findings.is_empty();
        let condition = if is_known {
            Condition::of(findings)
        } else {
            Condition::unknown("no limit of work in progress and no use of a queue is told")
        };
        let available = |(bucket, limit): (&String, &f64)| limit - self.wip_of(bucket).unwrap_or_default();
        let overall = self.limits.get_key_value(OVERALL);
        let available: f64 = overall.map_or_else(|| self.limits.iter().map(available).sum(), available);
        let details = json!({
            "wipCurrent": total(&self.wip),
            "wipLimit": overall.map(|(_, limit)| *limit).or_else(|| total(&self.limits)),
            "wipByBucket": self.wip,
            "available": (!self.limits.is_empty()).then_some(available),
            "utilization": utilization,
            "queueDepth": self.queue_depth,
            "queueUtilization": self.queue_utilization,
        });
        Part { name: "kanban", condition, details }
    }

    fn wip_of(&self, bucket: &str) -> Option<f64> {
        if bucket == OVERALL { total(&self.wip) } else { self.wip.get(bucket).copied() }
    }
}

/// Degraded while a critical cord is open, unhealthy when it is for more than an hour. Without any andon ever told,
/// nobody knows whether cords reach naze.
pub fn andon(open: &[Cord], is_ever_told: bool, resolution_seconds: Option<f64>, at: Timestamp) -> Part {
    let critical: Vec<&Cord> = open.iter().filter(|cord| cord.is_critical).collect();
    let findings = critical.iter().map(|cord| {
        let is_long = at.since(cord.opened) > CORD_OPEN_MAX;
        let state = if is_long { State::Unhealthy } else { State::Degraded };
        let what = format!("a critical andon of {} is open", cord.component);
        Finding::new(state, if is_long { what + " for more than an hour" } else { what }, Some(cord.opened))
    });
    let condition =
        if is_ever_told { Condition::of(findings.collect()) } else { Condition::unknown("no andon was ever told") };
    let details =
        json!({"openAndons": open.len(), "critical": critical.len(), "resolutionTimeSeconds": resolution_seconds});
    Part { name: "andon", condition, details }
}

impl Tpm {
    /// Degraded when maintenance comes late, unhealthy when uptime is below target.
    pub fn part(&self, palette: &Palette) -> Part {
        let is_green = |share: f64, metric| Colour::of(Some(share), metric, palette) == Colour::Green;
        let is_late = |share: &f64| !is_green(*share, "tps_tpm_maintenance_compliance_ratio");
        let late = self.compliance.filter(is_late).map(|compliance| {
            Finding::new(State::Degraded, format!("{} of maintenance was on time", percent(compliance)), None)
        });
        let down = self.uptime.as_ref().filter(|(_, uptime)| !is_green(*uptime, "tps_tpm_uptime_ratio"));
        let down = down.map(|(component, uptime)| {
            let what = format!("{component} was up {} of the last day", percent(*uptime));
            Finding::new(State::Unhealthy, what, None)
        });
        let condition = if self.compliance.is_none() && self.uptime.is_none() {
            Condition::unknown("neither maintenance nor health of a component is told")
        } else {
            Condition::of(late.into_iter().chain(down).collect())
        };
        let details = json!({
            "compliance": self.compliance,
            "uptime": self.uptime.as_ref().map(|(_, uptime)| uptime),
            "mtbfSeconds": self.mtbf_seconds,
            "mttrSeconds": self.mttr_seconds,
        });
        Part { name: "tpm", condition, details }
    }
}

impl Keeping {
    /// Ontology, receipts, persistence.
    pub fn parts(&self, at: Timestamp) -> [Part; 3] {
        [self.ontology(), self.receipts(), self.persistence(at)]
    }

    fn ontology(&self) -> Part {
        let invalid = Finding::new(State::Unhealthy, "the last validation of a component found violations", None);
        let condition = match self.is_valid {
            None => Condition::unknown("no validation was ever told"),
            Some(is_valid) => Condition::of((!is_valid).then_some(invalid).into_iter().collect()),
        };
        let details = json!({"conforms": self.is_valid, "violations": self.violations});
        Part { name: "ontology", condition, details }
    }

    fn receipts(&self) -> Part {
        let missing = self.recorded.saturating_sub(self.indexed);
        let mut findings = Vec::new();
        if missing > 0 {
            let what = format!("{missing} receipts of the ledger are missing from the index");
            findings.push(Finding::new(State::Degraded, what, None));
        }
        if self.refused > 0.0 {
            let what = format!("{} receipts were refused in the last hour", self.refused);
            findings.push(Finding::new(State::Unhealthy, what, None));
        }
        let condition = if self.recorded == 0 && findings.is_empty() {
            Condition::unknown("no receipt is recorded")
        } else {
            Condition::of(findings)
        };
        let details = json!({
            "generated": self.recorded, "validated": self.indexed, "missing": missing, "refusedLastHour": self.refused,
        });
        Part { name: "receipts", condition, details }
    }

    fn persistence(&self, at: Timestamp) -> Part {
        let age = self.backed_up_at.map(|backed_up| at.since(backed_up));
        let mut findings = Vec::new();
        if !self.is_sealed {
            let what = "the newest checkpoint does not state what the ledger has: run naze verify";
            findings.push(Finding::new(State::Unhealthy, what, None));
        }
        if let Some(age) = age.filter(|age| *age > BACKUP_MAX) {
            let what = format!("the last good backup is {} hours old", age.num_hours());
            findings.push(Finding::new(State::Degraded, what, self.backed_up_at));
        }
        let condition = if age.is_none() && findings.is_empty() {
            Condition::unknown("no backup was ever told")
        } else {
            Condition::of(findings)
        };
        let details = json!({
            "lastBackupAt": self.backed_up_at,
            "backupAgeSeconds": age.map(|age| age.num_seconds()),
            "integrity": self.is_sealed,
        });
        Part { name: "persistence", condition, details }
    }
}

fn total(by_bucket: &BTreeMap<String, f64>) -> Option<f64> {
    (!by_bucket.is_empty()).then(|| by_bucket.values().sum())
}

fn percent(share: f64) -> String {
    format!("{} %", (share * 1e4).round() / 1e2)
}
