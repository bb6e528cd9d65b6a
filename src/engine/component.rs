//! How components are: what receipts, alerts, incidents and samples say of each.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde::Serialize;

use super::Engine;
use super::health::just_after;
use crate::analyse::health::{Alarm, Circuit, Condition, Report, Signs, State};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::export::prometheus::{OTHER, Standing, View};
use crate::measure::own::is_own;
use crate::query::Row;

/// Components that are looked at.
const COMPONENTS_MAX: usize = 1_000;
/// Series of a component that are asked whether it still sends any.
const PULSES_MAX: usize = 3;
/// How far back a sample is looked for: what is silent for longer has gone.
const SAMPLES_WITHIN: TimeDelta = TimeDelta::hours(1);
/// How far back a report of health is looked for.
const REPORTS_WITHIN: TimeDelta = TimeDelta::days(30);

/// How a component is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ComponentHealth {
    /// Its name.
    pub component: String,
    /// Its state, why, since when.
    #[serde(flatten)]
    pub condition: Condition,
    /// State of its circuit, if it has one.
    pub circuit: Option<Circuit>,
    /// When it last sent a sample, within the last hour.
    pub last_sample_at: Option<Timestamp>,
}

/// What is known of all components at one moment.
struct Known<'a> {
    at: Timestamp,
    standings: &'a BTreeMap<String, Standing>,
    alerts: BTreeMap<String, Vec<Alarm>>,
    incidents: BTreeMap<String, Vec<Alarm>>,
    reasons: BTreeMap<String, String>,
    /// A few series of each.
    pulses: BTreeMap<String, Vec<u32>>,
}

impl Engine {
    /// How one component is now; `Unknown` when nothing told lately.
    ///
    /// # Errors
    /// As [`Engine::health`].
    pub fn component_health(&self, component: &str) -> Result<ComponentHealth> {
        let at = self.clock.now();
        let view = self.view(at)?;
        self.component_in(&self.known(&view, at)?, component)
    }

    /// How all components are, the worst first.
    pub(super) fn components_in(&self, view: &View, at: Timestamp) -> Result<Vec<ComponentHealth>> {
        let known = self.known(view, at)?;
        let told = known.standings.keys().chain(known.alerts.keys()).chain(known.incidents.keys());
        let names: BTreeSet<&String> = told.chain(known.pulses.keys()).filter(|name| *name != OTHER).collect();
        let looked_at = names.into_iter().take(COMPONENTS_MAX);
        let mut found: Vec<_> = looked_at.map(|name| self.component_in(&known, name)).collect::<Result<_>>()?;
        found.sort_by(|a, b| b.condition.state.cmp(&a.condition.state).then_with(|| a.component.cmp(&b.component)));
        Ok(found)
    }

    fn known<'a>(&self, view: &'a View, at: Timestamp) -> Result<Known<'a>> {
        let alerts = self.alarms("open_alerts", at, |row| {
            let is_critical = row.text("severity") == Some("critical");
            Some(Alarm { name: row.text("rule")?.to_owned(), is_critical, since: row.time("fired") })
        })?;
        let incidents = self.alarms("open_incidents", at, |row| {
            let is_critical = row.text("status") != Some("mitigated");
            Some(Alarm { name: row.text("reference")?.to_owned(), is_critical, since: row.time("opened") })
        })?;
        let mut pulses: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (number, known) in self.series(|series| !is_own(&series.metric)) {
            let pulses = pulses.entry(known.series.component.clone()).or_default();
            if pulses.len() < PULSES_MAX {
                pulses.push(number);
            }
        }
        let reasons = self.reasons(view, at)?;
        Ok(Known { at, standings: &view.standings, alerts, incidents, reasons, pulses })
    }

    fn component_in(&self, known: &Known<'_>, name: &str) -> Result<ComponentHealth> {
        let standing = known.standings.get(name).cloned().unwrap_or_default();
        let reason = known.reasons.get(name).cloned();
        let last_sample_at = self.last_sample(known.pulses.get(name), known.at)?;
        let signs = Signs {
            circuit: standing.circuit,
            report: standing.report.map(|(state, since)| Report { state, since, reason }),
            alerts: known.alerts.get(name).cloned().unwrap_or_default(),
            incidents: known.incidents.get(name).cloned().unwrap_or_default(),
            failures_per_minute: standing.failures_per_minute,
            last_sample_at,
        };
        let circuit = standing.circuit.map(|(circuit, _)| circuit);
        Ok(ComponentHealth {
            component: name.to_owned(),
            condition: signs.condition(known.at),
            circuit,
            last_sample_at,
        })
    }

    fn alarms(
        &self,
        query: &str,
        at: Timestamp,
        read: impl Fn(&Row<'_>) -> Option<Alarm>,
    ) -> Result<BTreeMap<String, Vec<Alarm>>> {
        let rows = self.query(query, [("at", just_after(at))])?.rows;
        let mut alarms: BTreeMap<String, Vec<Alarm>> = BTreeMap::new();
        for row in rows.iter() {
            if let Some((component, alarm)) = row.component("component").zip(read(&row)) {
                alarms.entry(component).or_default().push(alarm);
            }
        }
        Ok(alarms)
    }

    /// Why components report to be unwell, in their words.
    fn reasons(&self, view: &View, at: Timestamp) -> Result<BTreeMap<String, String>> {
        let unwell = |standing: &Standing| standing.report.filter(|(state, _)| *state > State::Healthy);
        let Some(since) = view.standings.values().filter_map(unwell).map(|(_, since)| since).min() else {
            return Ok(BTreeMap::new());
        };
        // A sender whose clock is ahead told it from the future.
        let lookback = format!("{}s", at.since(since).min(REPORTS_WITHIN).num_seconds().max(0) + 1);
        let rows = self.query("health_status", [("at", just_after(at)), ("lookback", lookback)])?.rows;
        let mut reasons = BTreeMap::new();
        for row in rows.iter().filter(|row| row.text("state") != Some("healthy")) {
            let Some((component, id)) = row.component("component").zip(row.receipt("receipt")) else { continue };
            let receipt = self.receipt(id)?.receipt;
            if let Some(reason) = receipt.text("reason").or_else(|| receipt.text("summary")) {
                reasons.insert(component, reason.to_owned());
            }
        }
        Ok(reasons)
    }

    fn last_sample(&self, series: Option<&Vec<u32>>, at: Timestamp) -> Result<Option<Timestamp>> {
        let mut newest = None;
        for number in series.into_iter().flatten() {
            let slots = self.slots(*number, ago(at, SAMPLES_WITHIN)..at)?;
            newest = newest.max(slots.last().map(|slot| slot.last_at().min(at)));
        }
        Ok(newest)
    }
}
