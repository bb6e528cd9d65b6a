//! A week in numbers, beside the one before.

use serde::Serialize;

use crate::analyse::kaizen::change_percent;
use crate::analyse::trend::Summary;
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

/// An incident that was opened in a week.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opened {
    /// When it was noticed.
    pub detected_at: Timestamp,
    /// When it was resolved first, if that was in the same week.
    pub resolved_at: Option<Timestamp>,
}

/// What a week tells: its receipts of alerts, deployments and changes, and the incidents opened in it.
#[derive(Debug, Clone, Copy)]
pub struct Told<'a> {
    /// Its receipts.
    pub receipts: &'a [Recorded],
    /// Incidents, each once.
    pub incidents: &'a [Opened],
}

/// What incidents, alerts, deployments and changes count up to, of the week and the one before.
pub fn figures(current: Told<'_>, previous: Told<'_>, week: Window, show: impl Fn(&str) -> String) -> Vec<Figure> {
    let kinds = |kinds: &'static [&'static str], status: &'static str| {
        move |told: Told<'_>| {
            Some(count(told.receipts, |told| kinds.contains(&told.receipt.kind()) && has(told, status)))
        }
    };
    let row = |name, unit, value: &dyn Fn(Told<'_>) -> Option<f64>, query: &str| {
        Figure::new(name, unit, value(current), value(previous), show(query))
    };
    let from = |path: &str| format!("{path}from={}&to={}", week.from, week.to);
    let mut told = vec![
        row("incidents opened", "", &|told| Some(opened(told.incidents)), ""),
        row("mean time to resolve", "s", &|told| time_to_resolve(told.incidents), ""),
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

#[expect(clippy::cast_precision_loss, reason = "counts of incidents fit 53 bits")]
fn opened(incidents: &[Opened]) -> f64 {
    incidents.len() as f64
}

/// Mean from detection to resolution of the incidents that were opened and resolved in the week.
fn time_to_resolve(incidents: &[Opened]) -> Option<f64> {
    let took = |incident: &Opened| Some(incident.resolved_at?.since(incident.detected_at).as_seconds_f64());
    let took: Vec<f64> = incidents.iter().filter_map(took).collect();
    Summary::of(&took).map(|summary| summary.mean)
}
