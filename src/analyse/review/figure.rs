//! A week in numbers, beside the one before.

use chrono::TimeDelta;
use serde::Serialize;

use crate::analyse::kaizen::change_percent;
use crate::clock::Timestamp;
use crate::record::{Recorded, Window};

/// One number of a week.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Figure {
    /// What it is.
    pub name: &'static str,
    /// Its unit; empty for a count.
    pub unit: &'static str,
    /// Of the week.
    pub current: Option<f64>,
    /// Of the week before.
    pub previous: Option<f64>,
    /// From the one to the other, in percent.
    pub change_percent: Option<f64>,
    /// A path that shows what it is made of.
    pub show: String,
}

impl Figure {
    /// A number and the one before.
    pub fn new(
        name: &'static str,
        unit: &'static str,
        current: Option<f64>,
        previous: Option<f64>,
        show: String,
    ) -> Self {
        let change = current.zip(previous).and_then(|(now, before)| change_percent(before, now));
        Self { name, unit, current, previous, change_percent: change, show }
    }
}

/// What receipts of incidents, alerts, deployments and changes count up to, of the week and the one before.
pub fn figures(
    current: &[Recorded],
    previous: &[Recorded],
    week: Window,
    show: impl Fn(&str) -> String,
) -> Vec<Figure> {
    let kinds = |kinds: &'static [&'static str], status: &'static str| {
        move |receipts: &[Recorded]| {
            Some(count(receipts, |told| kinds.contains(&told.receipt.kind()) && has(told, status)))
        }
    };
    let row = |name, unit, value: &dyn Fn(&[Recorded]) -> Option<f64>, query: &str| {
        Figure::new(name, unit, value(current), value(previous), show(query))
    };
    let from = |path: &str| format!("{path}from={}&to={}", week.from, week.to);
    let mut told = vec![
        row("incidents opened", "", &kinds(&["incident"], "open"), ""),
        row("mean time to resolve", "s", &time_to_resolve, ""),
        row("alerts fired", "", &kinds(&["alert"], "firing"), "alert_timeline"),
        row("alerts escalated", "", &kinds(&["alert"], "escalated"), "alert_timeline"),
        row("deployments and changes", "", &kinds(&["deployment", "change"], ""), ""),
    ];
    told[0].show = from("/v1/timeline?kind=incident&");
    told[1].show = from("/v1/timeline?kind=incident&");
    told[4].show = from("/v1/timeline?kind=deployment,change&");
    told
}

fn has(told: &Recorded, status: &str) -> bool {
    status.is_empty() || told.receipt.text("status") == Some(status)
}

#[expect(clippy::cast_precision_loss, reason = "counts of receipts fit 53 bits")]
fn count(receipts: &[Recorded], wanted: impl Fn(&&Recorded) -> bool) -> f64 {
    receipts.iter().filter(wanted).count() as f64
}

/// Mean from detection to resolution of the incidents that were opened and resolved in the week.
#[expect(clippy::cast_precision_loss, reason = "counts of incidents fit 53 bits")]
fn time_to_resolve(receipts: &[Recorded]) -> Option<f64> {
    let incidents = || receipts.iter().filter(|told| told.receipt.kind() == "incident");
    let took = |opened: &Recorded| -> Option<TimeDelta> {
        let reference = opened.receipt.text("reference")?;
        let resolved = incidents()
            .find(|told| has(told, "resolved") && told.receipt.text("reference") == Some(reference))?
            .occurred_at();
        let detected: Timestamp = opened.receipt.time("detectedAt").unwrap_or_else(|| opened.occurred_at());
        Some(resolved.since(detected))
    };
    let took: Vec<f64> =
        incidents().filter(|told| has(told, "open")).filter_map(took).map(TimeDelta::as_seconds_f64).collect();
    (!took.is_empty()).then(|| took.iter().sum::<f64>() / took.len() as f64)
}
