//! The Kaizen log: what was improved, what that was to bring, and what it brought.
//!
//! ```
//! use naze::analyse::kaizen::compounded;
//!
//! // Fifty-two weeks of one percent.
//! assert_eq!((compounded(1.0, 52) * 10.0).round() / 10.0, 67.8);
//! ```

use std::collections::BTreeMap;

use serde::Serialize;

use super::compare::Compared;
use super::trend::{Direction, Polarity};
use crate::clock::Timestamp;
use crate::receipt::{ReceiptId, Value};
use crate::record::{Recorded, Window};

/// Statuses of an improvement that is not made yet.
const NOT_MADE: [&str; 4] = ["proposed", "planned", "open", "rejected"];
/// Is an improvement of this status made? Without one it is.
pub fn is_made(status: Option<&str>) -> bool {
    status.is_none_or(|status| !NOT_MADE.contains(&status))
}

/// So many steps at the same pace are worth knowing: a week of days, a month of workdays, a year of weeks, a year of
/// workdays.
const OUTLOOK: [u32; 4] = [5, 20, 52, 250];

/// One improvement.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// Its name: `reference` of its receipts, else the id of the only one.
    pub reference: String,
    /// When it was made, or was proposed while it is not.
    pub at: Timestamp,
    /// Is it made?
    pub is_made: bool,
    /// Where.
    pub component: String,
    /// Who made it.
    pub owner: Option<String>,
    /// What it is, in one line.
    pub title: String,
    /// What it was to show.
    pub hypothesis: Option<String>,
    /// What was changed.
    pub change: Option<String>,
    /// Why it worked, or did not.
    pub why: Option<String>,
    /// What was said of it last, such as `proposed` or `done`.
    pub status: Option<String>,
    /// S, M or L.
    pub effort: Option<String>,
    /// What it was expected to bring, in percent.
    pub impact_percent: Option<f64>,
    /// What it aims at.
    pub metric: Option<String>,
    /// Which number of that.
    pub statistic: Option<String>,
    /// The value before, as told.
    pub before: Option<f64>,
    /// The value after, as told.
    pub after: Option<f64>,
    /// From the one to the other, in percent.
    pub change_percent: Option<f64>,
    /// What the series of the metric say.
    pub measured: Option<Measured>,
    /// Why the series say nothing, where they do not.
    pub not_measured: Option<String>,
    /// Its receipts, oldest first.
    pub receipts: Vec<ReceiptId>,
}

/// What the series of a metric say of an improvement.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// Start of the time before.
    pub from: Timestamp,
    /// End of the time after.
    pub to: Timestamp,
    /// Is the time after over?
    pub is_complete: bool,
    /// The time after against the time before.
    #[serde(flatten)]
    pub compared: Compared,
    /// Whether that is for the better, as far as anybody said which way that is.
    pub direction: Direction,
    /// What else was changed in that time, which may be what changed it.
    pub confounders: Vec<ReceiptId>,
    /// Paths that show values and other changes again.
    pub show: Vec<String>,
}

/// Improvements of one metric of one component, one after the other.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Chain {
    /// What they aim at.
    pub metric: String,
    /// Where.
    pub component: String,
    /// Each, oldest first.
    pub steps: Vec<Step>,
    /// From the first value before to the last one after, in percent.
    pub total_percent: f64,
    /// What each step changed in percent, if all had changed the same.
    pub percent_per_step: f64,
    /// What so many steps of that size make.
    pub outlook: Vec<Outlook>,
}

/// One improvement of a chain.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Its name in the log.
    pub reference: String,
    /// The value before.
    pub before: f64,
    /// The value after.
    pub after: f64,
    /// From the one to the other, in percent.
    pub change_percent: f64,
}

/// Steps that compound.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Outlook {
    /// How many.
    pub steps: u32,
    /// What they make together, in percent.
    pub percent: f64,
}

/// The log.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Log {
    /// The version of this form.
    pub version: u32,
    /// From when.
    pub from: Timestamp,
    /// Up to when.
    pub to: Timestamp,
    /// Improvements, oldest first.
    pub entries: Vec<Entry>,
    /// What those of the same metric make together.
    pub chains: Vec<Chain>,
    /// Were there more?
    pub truncated: bool,
    /// A path that shows the receipts again.
    pub show: String,
}

/// What `steps` changes of `percent` each make together, in percent.
pub fn compounded(percent: f64, steps: u32) -> f64 {
    ((1.0 + percent / 100.0).powf(f64::from(steps)) - 1.0) * 100.0
}

/// From one value to another in percent; nothing from 0.
pub fn change_percent(before: f64, after: f64) -> Option<f64> {
    (before != 0.0).then(|| (after - before) / before.abs() * 100.0)
}

/// The improvement that `receipts`, of which there is at least one, tell, oldest first. What was said last of a thing
/// counts.
pub fn entry(receipts: &[Recorded]) -> Entry {
    let latest = |field: &str| receipts.iter().rev().find_map(|recorded| recorded.receipt.first(field));
    let text = |field: &str| latest(field).and_then(Value::as_text).map(str::to_owned);
    let number = |field: &str| latest(field).and_then(Value::as_number);
    let made = receipts
        .iter()
        .find(|recorded| is_made(recorded.receipt.text("status")))
        .filter(|_| text("status").is_none_or(|now| now != "rejected"));
    let (before, after) = (number("baseline"), number("after"));
    let first = &receipts[0];
    Entry {
        reference: text("reference").unwrap_or_else(|| first.id.to_string()),
        at: made.unwrap_or(first).occurred_at(),
        is_made: made.is_some(),
        component: first.receipt.component().unwrap_or_default().to_owned(),
        owner: text("actor"),
        title: text("title").unwrap_or_default(),
        hypothesis: text("hypothesis"),
        change: text("action"),
        why: text("reason"),
        status: text("status"),
        effort: text("effort"),
        impact_percent: number("impactPercent"),
        metric: text("metric"),
        statistic: text("statistic"),
        before,
        after,
        change_percent: before.zip(after).and_then(|(before, after)| change_percent(before, after)),
        measured: None,
        not_measured: None,
        receipts: receipts.iter().map(|recorded| recorded.id).collect(),
    }
}

/// Which way a change went, as far as it is more than chance.
pub fn direction(compared: &Compared, polarity: Option<Polarity>) -> Direction {
    if compared.is_significant { Direction::of(compared.difference.value, polarity) } else { Direction::Stable }
}

/// The newest of `entries`, oldest first, and whether there were more.
pub fn newest(mut entries: Vec<Entry>, entries_max: usize) -> (Vec<Entry>, bool) {
    entries.sort_by(|a, b| (a.at, &a.reference).cmp(&(b.at, &b.reference)));
    let more = entries.len().saturating_sub(entries_max);
    entries.drain(..more);
    (entries, more > 0)
}

/// The log of `entries`, oldest first.
pub fn log(window: Window, entries: Vec<Entry>, truncated: bool, show: String) -> Log {
    Log { version: 1, from: window.from, to: window.to, chains: chains(&entries), entries, truncated, show }
}

/// A value as told counts more than what the series say: people know what they aimed at.
fn step(entry: &Entry) -> Option<Step> {
    let measured = entry.measured.as_ref().filter(|measured| measured.compared.is_significant);
    let measured =
        measured.map(|measured| (measured.compared.control.summary.mean, measured.compared.canary.summary.mean));
    let (before, after) = entry.before.zip(entry.after).or(measured)?;
    let change_percent = change_percent(before, after)?;
    Some(Step { reference: entry.reference.clone(), before, after, change_percent })
}

fn chains(entries: &[Entry]) -> Vec<Chain> {
    let mut by_metric: BTreeMap<(&str, &str), Vec<Step>> = BTreeMap::new();
    for entry in entries.iter().filter(|entry| entry.is_made) {
        if let (Some(metric), Some(step)) = (entry.metric.as_deref(), step(entry)) {
            by_metric.entry((metric, &entry.component)).or_default().push(step);
        }
    }
    by_metric.into_iter().filter_map(|((metric, component), steps)| chain(metric, component, steps)).collect()
}

fn chain(metric: &str, component: &str, steps: Vec<Step>) -> Option<Chain> {
    let (first, last) = (steps.first()?.before, steps.last()?.after);
    let ratio = last / first;
    // Values on both sides of 0 have no pace.
    (first != 0.0 && ratio > 0.0).then_some(())?;
    let count = u32::try_from(steps.len()).ok()?;
    let percent_per_step = (ratio.powf(1.0 / f64::from(count)) - 1.0) * 100.0;
    Some(Chain {
        metric: metric.to_owned(),
        component: component.to_owned(),
        total_percent: (ratio - 1.0) * 100.0,
        percent_per_step,
        outlook: OUTLOOK.map(|steps| Outlook { steps, percent: compounded(percent_per_step, steps) }).to_vec(),
        steps,
    })
}
