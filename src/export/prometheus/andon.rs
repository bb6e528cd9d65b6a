//! Andon: alerts, cords, errors, and how long it takes to notice them.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::Event;
use super::episodes::Episodes;
use super::page::Page;
use super::recent::{Hours, Seconds, Sum};
use super::totals::{ByName, OTHER, Totals};
use crate::clock::Timestamp;

const SEVERITIES: [&str; 3] = ["info", "warning", "critical"];
/// Alerts of this severity say that others fire, and are not counted.
const INFO: &str = "info";
const LEVELS: [&str; 3] = ["normal", "warning", "critical"];
/// Severity of an alert or andon that names none.
const SEVERITY_DEFAULT: &str = "warning";
const RATE_SECONDS: i64 = 60;
/// Failures farther apart are not of one trouble.
const QUIET: TimeDelta = TimeDelta::minutes(10);
/// What goes on for longer is a state of things, which no alert is about.
const NOTICED_MAX: TimeDelta = TimeDelta::minutes(30);
/// Names of alerts that are remembered for counting them.
const NAMES_MAX: usize = 10_000;

#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Andon {
    errors: Totals,
    alerts: Totals,
    firings: Seconds,
    /// When each alert fired last.
    names: BTreeMap<String, Timestamp>,
    /// Severity of what fires.
    firing: Episodes<String>,
    detections: ByName<Hours>,
    troubles: ByName<Trouble>,
    /// Incidents whose detection is known.
    incidents: Episodes<()>,
    /// When an incident was last opened, by component and severity.
    opened: BTreeMap<(String, String), Timestamp>,
    signals: Totals,
    /// Severity of what is pulled.
    open: Episodes<String>,
    resolutions: Hours,
    triggers: Totals,
    escalations: Totals,
}

/// Failures that follow each other.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Trouble {
    began_at: Option<Timestamp>,
    failed_at: Option<Timestamp>,
    is_noticed: bool,
}

impl Trouble {
    fn failed(&mut self, at: Timestamp) {
        if self.failed_at.is_some_and(|before| at < before) {
            return;
        }
        if !self.goes_on(at) {
            *self = Self { began_at: Some(at), ..Self::default() };
        }
        self.failed_at = Some(at);
    }

    /// After how many seconds it is noticed at `at`; `None` when there is none, or it is no news.
    fn noticed(&mut self, at: Timestamp) -> Option<f64> {
        let began_at = self.began_at.filter(|began| *began <= at && self.goes_on(at))?;
        let is_news = !std::mem::replace(&mut self.is_noticed, true);
        (is_news && at.since(began_at) <= NOTICED_MAX).then(|| at.seconds() - began_at.seconds())
    }

    fn goes_on(&self, at: Timestamp) -> bool {
        self.failed_at.is_some_and(|before| at.since(before) <= QUIET)
    }
}

impl Andon {
    pub(super) fn begin(&mut self) {
        self.errors.begin(&[OTHER, OTHER]);
        for severity in SEVERITIES {
            if severity != INFO {
                self.alerts.begin(&[OTHER, severity]);
            }
            self.escalations.begin(&[severity]);
        }
        LEVELS.iter().for_each(|level| self.triggers.begin(&[level]));
        self.know(OTHER);
    }

    pub(super) fn know(&mut self, component: &str) {
        for colour in ["green", "yellow", "red"] {
            self.signals.begin(&[colour, component]);
        }
        self.errors.begin(&[component, OTHER]);
    }

    pub(super) fn count(&mut self, event: &Event<'_>) {
        let text = |field: &str| event.receipt.text(field);
        match event.receipt.kind() {
            "failure" if event.is_new => {
                self.troubles.at(event.component).failed(event.at);
                let failures = event.receipt.number("count").unwrap_or(1.0);
                self.errors.add(&[event.component, text("failureType").unwrap_or(OTHER)], failures);
            }
            "alert" => self.alerted(event),
            "andon" => self.pulled(event),
            "signal" if event.is_new => {
                self.signals.add(&[text("colour").unwrap_or(OTHER), event.component], 1.0);
            }
            "incident" => self.noticed(event),
            _ => {}
        }
    }

    /// An incident is noticed once, however many receipts tell its steps.
    fn noticed(&mut self, event: &Event<'_>) {
        let reference = event.receipt.text("reference").unwrap_or_default();
        if event.is_new && event.receipt.text("status").is_none_or(|status| status == "open") {
            let severity = event.receipt.text("severity").unwrap_or(SEVERITY_DEFAULT);
            let name = (event.component.to_owned(), severity.to_owned());
            if self.opened.len() < NAMES_MAX || self.opened.contains_key(&name) {
                let last = self.opened.entry(name).or_insert(event.at);
                *last = event.at.max(*last);
            }
        }
        let times = event.receipt.time("onset").zip(event.receipt.time("detectedAt"));
        let Some((onset, detected)) = times.filter(|(onset, detected)| onset <= detected) else { return };
        if self.incidents.is_new(reference) {
            self.incidents.open(reference, detected, ());
            self.troubles.at(event.component).noticed(detected);
            let seconds = detected.seconds() - onset.seconds();
            self.detections.at(event.component).add(detected, event.told_at, Sum::one(seconds));
        }
    }

    /// What has been failing is noticed by the first alert of its component.
    fn noticed_by_alert(&mut self, event: &Event<'_>) {
        if let Some(seconds) = self.troubles.at(event.component).noticed(event.at) {
            self.detections.at(event.component).add(event.at, event.told_at, Sum::one(seconds));
        }
    }

    fn alerted(&mut self, event: &Event<'_>) {
        let name = event.receipt.text("name").unwrap_or(OTHER);
        let severity = event.receipt.text("severity").unwrap_or(SEVERITY_DEFAULT);
        let instance = event
            .receipt
            .text("fingerprint")
            .map_or_else(|| format!("{}\n{name}", event.component), |fingerprint| format!("{name}\n{fingerprint}"));
        match event.receipt.text("status") {
            Some("firing") => {
                self.firing.open(&instance, event.at, severity.to_owned());
                if severity == INFO {
                    return;
                }
                if event.is_new {
                    self.noticed_by_alert(event);
                    self.alerts.add(&[name, severity], 1.0);
                    self.firings.add(event.at, event.told_at, Sum::one(1.0));
                }
                if self.names.len() >= NAMES_MAX {
                    self.names.retain(|_, last| event.told_at.since(*last) < TimeDelta::days(1));
                }
                if self.names.len() < NAMES_MAX || self.names.contains_key(name) {
                    let last = self.names.entry(name.to_owned()).or_insert(event.at);
                    *last = event.at.max(*last);
                }
            }
            Some("resolved") => drop(self.firing.close(&instance, event.at)),
            Some("escalated") if event.is_new => self.escalations.add(&[severity], 1.0),
            _ => {}
        }
    }

    fn pulled(&mut self, event: &Event<'_>) {
        let level = event.receipt.text("level");
        let severity = event.receipt.severity().unwrap_or(SEVERITY_DEFAULT);
        let pull = format!("{}\n{}", event.component, event.receipt.text("reference").unwrap_or_default());
        match event.receipt.text("status") {
            Some("opened") => {
                self.open.open(&pull, event.at, severity.to_owned());
                if event.is_new {
                    self.triggers.add(&[level.unwrap_or(SEVERITY_DEFAULT)], 1.0);
                }
            }
            Some("resolved") => {
                if let Some((_, opened_at)) = self.open.close(&pull, event.at) {
                    let seconds = event.at.seconds() - opened_at.seconds();
                    self.resolutions.add(event.at, event.told_at, Sum::one(seconds));
                }
            }
            Some("escalated") if event.is_new => self.escalations.add(&[severity], 1.0),
            _ => {}
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "few names")]
    pub(super) fn tell(&self, page: &mut Page, now: Timestamp) {
        self.errors.tell(page, "tps_andon_errors_total");
        self.alerts.tell(page, "tps_andon_alerts_total");
        self.signals.tell(page, "tps_andon_signals_total");
        self.triggers.tell(page, "tps_andon_triggers_total");
        self.escalations.tell(page, "tps_andon_escalations_total");
        page.gauge("tps_andon_alerts_per_minute", &[], self.firings.last(RATE_SECONDS, now).count);
        let fired = self.names.values().filter(|last| now.since(**last) < TimeDelta::days(1)).count();
        page.gauge("tps_andon_alert_types", &[], fired as f64);
        let critical = self.firing.iter().filter(|severity| *severity == "critical").count();
        page.gauge("tps_andon_critical_alerts", &[], critical as f64);
        for severity in SEVERITIES {
            let open = self.open.iter().filter(|open| *open == severity).count();
            page.gauge("tps_andon_open", &[severity], open as f64);
        }
        page.gauge_if("tps_andon_resolution_time_seconds", &[], self.resolutions.all(now).mean());
        for ((component, severity), at) in &self.opened {
            page.gauge("tps_andon_incident_timestamp_seconds", &[component, severity], at.seconds());
        }
        for (component, detections) in self.detections.iter() {
            page.gauge_if("tps_andon_mttd_seconds", &[component], detections.all(now).mean());
        }
    }
}
