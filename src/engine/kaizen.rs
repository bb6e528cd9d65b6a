//! The Kaizen log: receipts of improvements, and the series around each.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::Engine;
use super::pooled::path;
use crate::analyse::compare::{Sample, compare};
use crate::analyse::kaizen::{Entry, Log, Measured, direction, entry, log, newest};
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::measure::read::Statistic;
use crate::receipt::ReceiptId;
use crate::record::{Recorded, Window, standing};
use crate::slo::Selector;

/// How long the effect of an improvement is looked at, before and after it, when nobody says.
pub const EFFECT_DEFAULT: TimeDelta = TimeDelta::days(1);
/// Entries of one log.
const ENTRIES_MAX: usize = 1_000;
/// Other changes that are told of one improvement.
const CONFOUNDERS_MAX: usize = 10;

/// What of the log is asked for.
#[derive(Debug, Clone)]
pub struct KaizenAsked {
    /// When the improvements were made.
    pub window: Window,
    /// Of this component only.
    pub component: Option<String>,
    /// How long before and after is looked at.
    pub effect: TimeDelta,
}

impl Engine {
    /// The improvements of a window with what they brought, as far as `at` tells.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn kaizen(&self, asked: &KaizenAsked, at: Timestamp) -> Result<Log> {
        let mut by_name: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
        for recorded in standing(self.index.of_kind("improvement", Window::ALL)?) {
            let name = recorded.receipt.text("reference").map_or_else(|| recorded.id.to_string(), str::to_owned);
            by_name.entry(name).or_default().push(recorded);
        }
        let wanted = |entry: &Entry| {
            asked.window.contains(entry.at) && asked.component.as_ref().is_none_or(|name| *name == entry.component)
        };
        let entries = by_name.values().map(|receipts| entry(receipts)).filter(wanted).collect();
        let (mut entries, truncated) = newest(entries, ENTRIES_MAX);
        for entry in &mut entries {
            match self.effect(entry, asked.effect, at)? {
                Ok(measured) => entry.measured = Some(measured),
                Err(why) => entry.not_measured = Some(why),
            }
        }
        Ok(log(asked.window, entries, truncated, show(asked)))
    }

    fn effect(&self, entry: &Entry, span: TimeDelta, at: Timestamp) -> Result<Result<Measured, String>> {
        if !entry.is_made {
            return Ok(Err("it is not made yet".to_owned()));
        }
        let Some(metric) = &entry.metric else { return Ok(Err("it names no metric".to_owned())) };
        let statistic = entry.statistic.as_ref().and_then(|text| text.parse::<Statistic>().ok());
        let (component, labels) = (Some(entry.component.clone()), BTreeMap::new());
        let selector = Selector { metric: metric.clone(), component, labels, statistic };
        let end = entry.at.checked_add(span).unwrap_or(Timestamp::MAX);
        let window = Window { from: ago(entry.at, span), to: end.min(at).max(entry.at) };
        let Some(line) = self.pooled(&selector, window)? else {
            return Ok(Err(format!("there is no series of {metric} of {}", entry.component)));
        };
        let minutes = match line.minutes() {
            Ok(minutes) => minutes,
            Err(error) => return Ok(Err(error.in_a_line())),
        };
        let (before, after): (Vec<_>, Vec<_>) = minutes.into_iter().partition(|(minute, _)| *minute < entry.at);
        let side = |minutes: Vec<(Timestamp, f64)>| Sample::series(minutes.into_iter().map(|(_, value)| value));
        let compared = match compare(&side(before), &side(after)) {
            Ok(compared) => compared,
            // What is compared here are two times.
            Err(why) => return Ok(Err(why.replace("control", "time before").replace("canary", "time after"))),
        };
        let (confounders, changes) = self.confounders(entry, window)?;
        Ok(Ok(Measured {
            from: window.from,
            to: window.to,
            is_complete: end <= at,
            direction: direction(&compared, self.polarity(metric)),
            compared,
            confounders,
            show: vec![path(&selector, window), changes],
        }))
    }

    /// Other changes of the component in the window, and the path that shows them.
    fn confounders(&self, entry: &Entry, window: Window) -> Result<(Vec<ReceiptId>, String)> {
        let given =
            [("at", window.to.to_string()), ("lookback", window.lookback()), ("component", entry.component.clone())];
        let pairs = form_urlencoded::Serializer::new(String::new()).extend_pairs(&given).finish();
        let rows = self.query("changes_before", given)?.rows;
        let mut changes = rows.receipts("event");
        changes.truncate(CONFOUNDERS_MAX);
        Ok((changes, format!("/v1/queries/changes_before?{pairs}")))
    }
}

fn show(asked: &KaizenAsked) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("from", &asked.window.from.to_string()).append_pair("to", &asked.window.to.to_string());
    if let Some(component) = &asked.component {
        pairs.append_pair("component", component);
    }
    format!("/v1/queries/kaizen_effect?{}", pairs.finish())
}
