//! Upkeep: health, outages, maintenance, backups, validation, remedies.

use std::collections::{BTreeMap, VecDeque};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::Event;
use super::episodes::Episodes;
use super::page::Page;
use super::recent::{Hours, Sum};
use super::totals::{ByName, OTHER, Totals};
use super::view::Standing;
use crate::analyse::health::State;
use crate::clock::Timestamp;
use crate::receipt::Value;

/// Kinds of receipts that tell when something is down.
const TELL_OUTAGES: [&str; 2] = ["health", "circuit"];
/// Time of which uptime is told.
const UPTIME: TimeDelta = TimeDelta::days(1);
/// Turns of a component's health that are remembered.
const TURNS_MAX: usize = 2_000;
/// Time of which compliance is told.
const COMPLIANCE: TimeDelta = TimeDelta::days(30);
/// Pieces of maintenance that are remembered.
const MAINTENANCE_MAX: usize = 10_000;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Upkeep {
    health: ByName<Health>,
    outages: ByName<Outages>,
    /// What is down, by component and what says so.
    down: Episodes<()>,
    /// When what was due at a time was done, by time and component.
    maintenance: BTreeMap<(Timestamp, String), Option<Timestamp>>,
    maintained_at: Option<Timestamp>,
    validations: ByName<Option<Validation>>,
    backed_up_at: Option<Timestamp>,
    remedies: Totals,
}

/// The last one of a component.
#[derive(Debug, Serialize, Deserialize)]
struct Validation {
    at: Timestamp,
    is_valid: bool,
    violations: f64,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Health {
    /// State 0, 1 or 2, from a time on.
    turns: VecDeque<(Timestamp, u8)>,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Outages {
    began_at: Option<Timestamp>,
    gaps: Hours,
    lengths: Hours,
}

impl Upkeep {
    pub(super) fn begin(&mut self) {
        for result in ["succeeded", "failed", "skipped", "manual"] {
            self.remedies.begin(&[OTHER, result]);
        }
    }

    pub(super) fn count(&mut self, event: &Event<'_>) {
        let is_true = |field: &str| event.receipt.first(field) == Some(&Value::Boolean(true));
        match event.receipt.kind() {
            "health" => self.examined(event),
            "circuit" => match event.receipt.text("state") {
                Some("open") => self.went_down(event),
                Some("closed") => self.came_up(event),
                _ => {}
            },
            "maintenance" => self.maintained(event, is_true("done")),
            "validation" => {
                let last = self.validations.at(event.component);
                if last.as_ref().is_none_or(|last| last.at <= event.at) {
                    let violations = event.receipt.number("violations").unwrap_or_default();
                    *last = Some(Validation { at: event.at, is_valid: is_true("ok"), violations });
                }
            }
            "backup" if is_true("ok") => self.backed_up_at = self.backed_up_at.max(Some(event.at)),
            "remediation" if event.is_new => {
                let text = |field: &str| event.receipt.text(field).unwrap_or(OTHER);
                self.remedies.add(&[text("action"), text("result")], 1.0);
            }
            _ => {}
        }
    }

    fn examined(&mut self, event: &Event<'_>) {
        let state = match event.receipt.text("state") {
            Some("healthy") => 0,
            Some("degraded") => 1,
            Some("unhealthy") => 2,
            _ => return,
        };
        let turns = &mut self.health.at(event.component).turns;
        if turns.back().is_some_and(|(at, _)| *at > event.at) {
            return;
        }
        if turns.back().is_none_or(|(_, before)| *before != state) {
            turns.push_back((event.at, state));
            turns.drain(..turns.len().saturating_sub(TURNS_MAX));
        }
        match state {
            2 => self.went_down(event),
            _ => self.came_up(event),
        }
    }

    /// An outage begins when the first teller says so, and is over when the last one says so.
    fn went_down(&mut self, event: &Event<'_>) {
        let was_down = self.is_down(event.component);
        self.down.open(&told_by(event.component, event.receipt.kind()), event.at, ());
        if was_down || !self.is_down(event.component) {
            return;
        }
        let outages = self.outages.at(event.component);
        if let Some(before) = outages.began_at.filter(|before| *before < event.at) {
            let gap = event.at.seconds() - before.seconds();
            outages.gaps.add(event.at, event.told_at, Sum::one(gap));
        }
        outages.began_at = Some(event.at);
    }

    fn came_up(&mut self, event: &Event<'_>) {
        let is_end = self.down.close(&told_by(event.component, event.receipt.kind()), event.at).is_some();
        if !is_end || self.is_down(event.component) {
            return;
        }
        let outages = self.outages.at(event.component);
        if let Some(since) = outages.began_at.filter(|since| *since <= event.at) {
            let length = event.at.seconds() - since.seconds();
            outages.lengths.add(event.at, event.told_at, Sum::one(length));
        }
    }

    fn is_down(&self, component: &str) -> bool {
        TELL_OUTAGES.iter().any(|kind| self.down.is_open(&told_by(component, kind)))
    }

    fn maintained(&mut self, event: &Event<'_>, is_done: bool) {
        if is_done {
            self.maintained_at = self.maintained_at.max(Some(event.at));
        }
        if let Some(due) = event.receipt.time("due") {
            let done_at = self.maintenance.entry((due, event.component.to_owned())).or_default();
            if is_done {
                *done_at = Some(done_at.map_or(event.at, |before| before.min(event.at)));
            }
            while self.maintenance.len() > MAINTENANCE_MAX {
                self.maintenance.pop_first();
            }
        }
    }

    pub(super) fn tell(&self, page: &mut Page, now: Timestamp) {
        self.remedies.tell(page, "tps_alert_remediations_total");
        for (component, health) in self.health.iter() {
            if let Some((_, state)) = health.turns.back() {
                page.gauge("tps_component_health", &[component], f64::from(*state));
            }
            page.gauge_if("tps_tpm_uptime_ratio", &[component], health.uptime(now));
        }
        for (component, outages) in self.outages.iter() {
            page.gauge_if("tps_tpm_mtbf_seconds", &[component], outages.gaps.all(now).mean());
            page.gauge_if("tps_tpm_mttr_seconds", &[component], outages.lengths.all(now).mean());
        }
        page.gauge_if("tps_tpm_maintenance_compliance_ratio", &[], self.compliance(now));
        let seconds = |at: Option<Timestamp>| at.map(Timestamp::seconds);
        page.gauge_if("tps_tpm_last_maintenance_timestamp_seconds", &[], seconds(self.maintained_at));
        page.gauge_if("tps_persistence_last_backup_timestamp_seconds", &[], seconds(self.backed_up_at));
        let are_valid = self.validated().map(|last| last.is_valid).reduce(|a, b| a && b);
        page.gauge_if("tps_ontology_valid", &[], are_valid.map(|are_valid| f64::from(u8::from(are_valid))));
    }

    /// Violations that the last validations found; `None` when nothing was ever validated.
    pub(super) fn violations(&self) -> Option<f64> {
        self.validated().map(|last| last.violations).reduce(|a, b| a + b)
    }

    fn validated(&self) -> impl Iterator<Item = &Validation> {
        self.validations.iter().filter_map(|(_, last)| last.as_ref())
    }

    /// The health that each component reports.
    pub(super) fn stand(&self, standings: &mut BTreeMap<String, Standing>) {
        for (component, health) in self.health.iter() {
            let report = health.turns.back().map(|(since, state)| {
                let state = match state {
                    0 => State::Healthy,
                    1 => State::Degraded,
                    _ => State::Unhealthy,
                };
                (state, *since)
            });
            standings.entry(component.to_owned()).or_default().report = report;
        }
    }

    fn compliance(&self, now: Timestamp) -> Option<f64> {
        let from = now.checked_add(-COMPLIANCE).unwrap_or(now);
        let mut sum = Sum::default();
        for ((due, _), done_at) in &self.maintenance {
            // What is done already counts, what is not due yet does not.
            if *due >= from && (*due <= now || done_at.is_some()) {
                let on_time = Sum::outcome(done_at.is_some_and(|done| done <= *due));
                sum = Sum { value: sum.value + on_time.value, count: sum.count + 1.0 };
            }
        }
        sum.mean()
    }
}

fn told_by(component: &str, kind: &str) -> String {
    format!("{component}\n{kind}")
}

impl Health {
    fn uptime(&self, now: Timestamp) -> Option<f64> {
        let from = now.checked_add(-UPTIME).unwrap_or(now);
        let mut sum = Sum::default();
        for (place, (at, state)) in self.turns.iter().enumerate() {
            let until = self.turns.get(place + 1).map_or(now, |(next, _)| *next).min(now);
            let seconds = (until.seconds() - at.max(&from).seconds()).max(0.0);
            sum.count += seconds;
            sum.value += if *state == 2 { 0.0 } else { seconds };
        }
        sum.mean()
    }
}
