//! Crossings that people are told of: those of declared thresholds, and their ends.

use chrono::TimeDelta;

use super::told::is_same;
use super::{Engine, SELF};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::export::told::Told;
use crate::measure::crossing::Threshold;
use crate::receipt::{Receipt, Value};
use crate::record::{Recorded, Window};
use crate::runbook::open_alerts;

/// An alert that fired within this time before may say the same.
const ALERTED_WITHIN: TimeDelta = TimeDelta::hours(24);
/// Recommendations that say what to do about a limit of which nobody said.
const ADVICE: [(&str, &str); 2] =
    [("critical", "threshold_crossed_critical"), ("warning", "threshold_crossed_warning")];

impl Engine {
    /// A step of an excursion with those before it. `None` for what nobody is told of: what is merely unusual, what turned,
    /// and what an alert had told already when it was recorded.
    pub(super) fn crossed(&self, recorded: Recorded) -> Result<Option<Told>> {
        let receipt = &recorded.receipt;
        let reference = receipt.first("reference").filter(|_| receipt.text("source") == Some(SELF));
        let Some(reference) = reference else { return Ok(None) };
        let watching = self.watching();
        let rule = receipt.text("rule").unwrap_or_default();
        let threshold = watching.thresholds().find(|threshold| threshold.to_string() == rule);
        let mut steps = Vec::new();
        for step in self.index.with("reference", reference)? {
            let is_step = step.receipt.kind() == "crossing" && step.receipt.text("severity").is_some();
            if is_step && step.position <= recorded.position && !self.is_alerted(&step, threshold)? {
                steps.push(step);
            }
        }
        // One that nobody heard of ends unheard.
        if steps.is_empty() || (!is_end(receipt) && !steps.iter().any(|step| step.id == recorded.id)) {
            return Ok(None);
        }
        let severity = receipt.text("severity");
        let advised = ADVICE.iter().find(|(level, _)| Some(*level) == severity);
        let by_query = advised.and_then(|(_, query)| self.catalogue.get(query).ok()?.advice.as_ref());
        let action = threshold.zip(severity).and_then(|(threshold, severity)| threshold.action.of(severity));
        let action = action.or(by_query.map(|advice| advice.action.as_str())).map(str::to_owned);
        let cooldown = threshold.and_then(|threshold| threshold.cooldown).unwrap_or_default();
        steps.retain(|step| step.id != recorded.id);
        let mut earlier = steps.into_iter();
        let (began, between) = (earlier.next(), earlier.collect());
        Ok(Some(Told { recorded, began, between, action, cooldown }))
    }

    /// Had an alert told it when it was recorded: of the same metric, as bad at least, and of the same component, or with
    /// the labels of its series?
    fn is_alerted(&self, step: &Recorded, threshold: Option<&Threshold>) -> Result<bool> {
        let names = threshold.map(|threshold| threshold.metric.as_slice()).unwrap_or_default();
        let own = step.receipt.text("metric").filter(|own| !names.iter().any(|name| name == own));
        let window = Window { from: ago(step.occurred_at(), ALERTED_WITHIN), to: step.recorded_at.just_after() };
        for name in own.into_iter().chain(names.iter().map(String::as_str)) {
            let mut told = self.index.with_in("metric", &Value::text(name), window)?;
            told.retain(|alert| alert.position < step.position);
            for alert in open_alerts(&told).into_iter().filter(|alert| says(&alert.receipt, &step.receipt)) {
                if !self.is_resolved(alert, window.to, step.position)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Was the alert over before this place in the ledger? Its end may name no metric.
    fn is_resolved(&self, alert: &Recorded, to: Timestamp, position: u64) -> Result<bool> {
        let Some(name) = alert.receipt.text("name") else { return Ok(false) };
        let window = Window { from: alert.occurred_at(), to };
        let mut same = self.index.with_in("name", &Value::text(name), window)?;
        same.retain(|later| later.position < position && is_same(later, alert));
        let mut steps = same.iter().filter_map(|later| later.receipt.text("status"));
        Ok(steps.rfind(|step| ["firing", "resolved"].contains(step)) == Some("resolved"))
    }
}

fn is_end(crossing: &Receipt) -> bool {
    crossing.text("status").is_some()
}

/// Does the alert say what the crossing does?
fn says(alert: &Receipt, crossing: &Receipt) -> bool {
    let is_as_bad = alert.text("severity") == Some("critical") || crossing.text("severity") != Some("critical");
    let labels = crossing.labels();
    let is_same_series =
        !labels.is_empty() && labels.iter().all(|(name, value)| alert.labels().get(name) == Some(value));
    is_as_bad && (alert.component() == crossing.component() || is_same_series)
}
