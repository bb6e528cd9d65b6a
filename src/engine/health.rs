//! How is the system? One answer for the page, `/v1/health`, the dashboard and the metrics: all of it rests on the same
//! view of receipts and series.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value as Json;

use super::Engine;
use super::component::ComponentHealth;
use crate::analyse::health::part::{Cord, Kanban, Keeping, Part, Tpm, andon};
use crate::analyse::health::{Condition, Finding, Health, LOOKBACK, Readings, State, Status, health, worst};
use crate::clock::{Timestamp, ago};
use crate::error::{Error, Kind, Result};
use crate::export::prometheus::View;
use crate::query::Row;

/// Components that an answer names: the worst. As many alerts it names.
const NAMED_MAX: usize = 100;

/// How everything is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SystemHealth {
    /// As of when.
    pub at: Timestamp,
    /// The worst of principles, checks and components.
    pub status: State,
    /// What makes it so, the worst first.
    pub reason: Option<String>,
    /// Scores, principles, and what to do first.
    #[serde(flatten)]
    pub health: Health,
    /// Kanban, andon, tpm, ontology, receipts, persistence.
    pub checks: Vec<Part>,
    /// Components that naze knows, the worst first.
    pub components: Vec<ComponentHealth>,
    /// Are there more components?
    pub truncated: bool,
    /// What was measured of each metric that scores and principles rest on, in its base unit; nothing of those that were not.
    pub metrics: BTreeMap<&'static str, Option<f64>>,
    /// Alerts that fire, the latest first.
    pub alerts: Firing,
}

/// Alerts that fire.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Firing {
    /// Rows of the query `open_alerts`.
    pub items: Vec<Json>,
    /// Are there more?
    pub truncated: bool,
}

impl Engine {
    /// How everything is, as of now or, where working it out takes long, as of some seconds ago: twice as many as
    /// `metrics.cache_seconds` says, or twenty times as long as it took.
    ///
    /// # Errors
    /// `Unavailable` while receipts recorded before the start are still being read; `Internal` when the disk fails.
    pub fn health(&self) -> Result<Arc<SystemHealth>> {
        // While somebody keeps it fresh, nobody has to wait for it.
        self.health.get(self.told_again() * 2, || self.health_at(self.clock.now()))
    }

    /// Works out how everything is before anybody asks, when what is kept is about to grow old.
    ///
    /// # Errors
    /// As [`Engine::health`].
    pub fn refresh_health(&self) -> Result<()> {
        self.health.get(self.told_again(), || self.health_at(self.clock.now())).map(drop)
    }

    pub(super) fn told_again(&self) -> Duration {
        Duration::from_secs(self.config.metrics.cache_seconds)
    }

    fn health_at(&self, at: Timestamp) -> Result<SystemHealth> {
        self.diagnosed(|| self.worked_out(at))
    }

    fn worked_out(&self, at: Timestamp) -> Result<SystemHealth> {
        let view = self.view(at)?;
        let readings = self.readings(&view)?;
        let mut health = health(&readings, self.config.health.target_throughput, &self.watching().palette)?;
        for status in &mut health.principles {
            let past = self.past_reading(status.principle, ago(at, LOOKBACK)..at)?;
            status.look_back(&past, at);
        }
        let checks = self.checks(&view, at)?;
        let mut components = self.components_in(&view, at)?;
        let condition = whole(&health, &checks, &components);
        let truncated = components.len() > NAMED_MAX;
        components.truncate(NAMED_MAX);
        Ok(SystemHealth {
            at,
            status: condition.state,
            reason: condition.reason,
            health,
            checks,
            components,
            truncated,
            metrics: readings.by_metric(),
            alerts: self.firing(at)?,
        })
    }

    fn firing(&self, at: Timestamp) -> Result<Firing> {
        let given = [("at", at.just_after().to_string()), ("limit", NAMED_MAX.to_string())];
        let rows = self.query("open_alerts", given)?.rows;
        Ok(Firing { items: rows.to_json(&self.vocabulary), truncated: rows.truncated })
    }

    /// How everything is for pages, which show the rest while receipts recorded before the start are still being read:
    /// until then all is unknown.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn health_so_far(&self) -> Result<Arc<SystemHealth>> {
        match self.health() {
            Err(error) if error.kind() == Kind::Unavailable => Ok(Arc::new(SystemHealth {
                at: self.clock.now(),
                status: State::Unknown,
                reason: Some(error.message().to_owned()),
                health: health(&Readings::default(), self.config.health.target_throughput, &self.watching().palette)?,
                checks: Vec::new(),
                components: Vec::new(),
                truncated: false,
                metrics: Readings::default().by_metric(),
                alerts: Firing::default(),
            })),
            told => told,
        }
    }

    /// Scores and colours, without their past.
    pub(super) fn judge(&self, view: &View) -> Result<Health> {
        health(&self.readings(view)?, self.config.health.target_throughput, &self.watching().palette)
    }

    /// What scores and colours rest on.
    fn readings(&self, view: &View) -> Result<Readings> {
        let mut readings = view.readings.clone();
        let slos = self.slos()?;
        let attained =
            slos.slos.iter().flat_map(|slo| &slo.objectives).filter_map(|one| one.told.evaluation.attainment);
        readings.slo_attainment = readings.slo_attainment.into_iter().chain(attained).reduce(f64::min);
        Ok(readings)
    }

    pub(super) fn view(&self, at: Timestamp) -> Result<View> {
        let kinds: Vec<&str> = self.vocabulary.kinds().map(|(name, _)| name).collect();
        self.exporter.view(at, &kinds, &self.concluded()?)?.ok_or_else(|| {
            Error::unavailable("receipts recorded before naze started are still being read")
                .hint("ask again in a few seconds")
        })
    }

    fn checks(&self, view: &View, at: Timestamp) -> Result<Vec<Part>> {
        let watching = self.watching();
        let palette = &watching.palette;
        let largest = |metric: &str| view.values(metric).reduce(f64::max);
        let kanban = Kanban {
            wip: view.by_label("tps_kanban_wip_current"),
            limits: view.by_label("tps_kanban_wip_limit"),
            queue_depth: view.readings.queue_depth,
            queue_utilization: largest("tps_kanban_queue_utilization"),
        };
        let uptimes = view.by_label("tps_tpm_uptime_ratio").into_iter();
        let tpm = Tpm {
            compliance: largest("tps_tpm_maintenance_compliance_ratio"),
            uptime: uptimes.min_by(|a, b| a.1.total_cmp(&b.1)),
            mtbf_seconds: view.values("tps_tpm_mtbf_seconds").reduce(f64::min),
            mttr_seconds: largest("tps_tpm_mttr_seconds"),
        };
        let backed_up = largest("tps_persistence_last_backup_timestamp_seconds");
        #[expect(clippy::cast_possible_truncation, reason = "microseconds of any year that naze takes fit")]
        let keeping = Keeping {
            recorded: self.ledger.len()?,
            indexed: self.index.applied()?,
            refused: view.refused_last_hour,
            is_valid: largest("tps_ontology_valid").map(|valid| valid > 0.0),
            violations: view.violations,
            backed_up_at: backed_up.and_then(|seconds| Timestamp::from_micros((seconds * 1e6) as i64)),
            is_sealed: self.ledger.is_sealed()?,
        };
        let resolution = largest("tps_andon_resolution_time_seconds");
        let andon = andon(&self.open_cords(at)?, view.has_told("andon"), resolution, at);
        Ok([kanban.part(palette), andon, tpm.part(palette)].into_iter().chain(keeping.parts(at)).collect())
    }

    fn open_cords(&self, at: Timestamp) -> Result<Vec<Cord>> {
        let rows = self.query("open_andons", [("at", at.just_after().to_string()), ("minAge", "1s".to_owned())])?.rows;
        let cord = |row: Row<'_>| {
            let is_critical = row.text("severity") == Some("critical");
            Some(Cord { component: row.component("component")?, is_critical, opened: row.time("opened")? })
        };
        Ok(rows.iter().filter_map(cord).collect())
    }
}

/// The state of the whole, and the worst that make it so.
fn whole(health: &Health, checks: &[Part], components: &[ComponentHealth]) -> Condition {
    let of_principle = |status: &Status| {
        let what = format!("{} is {}", status.principle.name(), status.colour.name());
        (State::of_colour(status.colour), what, status.since)
    };
    let named = |name: &str, condition: &Condition| {
        let reason = condition.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        (condition.state, format!("{name}{reason}"), condition.since)
    };
    let principles = health.principles.iter().map(of_principle);
    let checks = checks.iter().map(|part| named(part.name, &part.condition));
    let components = components.iter().map(|one| named(&one.component, &one.condition));
    let all: Vec<_> = principles.chain(checks).chain(components).collect();
    if worst(all.iter().map(|(state, ..)| *state)) == State::Unknown {
        return Condition::unknown("nothing is measured, and no receipt tells how anything is");
    }
    let bad = all.into_iter().filter(|(state, ..)| *state > State::Healthy);
    Condition::of(bad.map(|(state, what, since)| Finding::new(state, what, since)).collect())
}
