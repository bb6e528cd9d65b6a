//! The weekly review: how the week was, beside the one before, what keeps going wrong, and what to do about it.
//!
//! Each part cites the receipts it rests on and a path that shows them again; what the evidence does not tell is listed as
//! missing, never guessed.

mod change;
mod figure;
mod noise;
mod pattern;
mod week;

use serde::Serialize;
use serde_json::{Map, Value as Json};

use super::health::Colour;
use super::kaizen::Entry;
use super::slo::State;
use super::trend::Direction;
use crate::clock::Timestamp;
use crate::query::Priority;
use crate::receipt::ReceiptId;
pub use change::after_changes;
pub use figure::{Figure, Opened, Told, figures};
pub use noise::{Cause, Day, Habit, Minute, Noise, NoisyRule, noise};
pub use pattern::{Blamed, Origin, Pattern, of_incidents, strongest};
pub use week::Week;

/// The review of one week.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// The version of this form.
    pub version: u32,
    /// Which week, such as `2026-W47`.
    pub week: Week,
    /// Its Monday, 00:00 UTC.
    pub from: Timestamp,
    /// The Monday after, or the present while the week lasts.
    pub to: Timestamp,
    /// Is the week over?
    pub is_complete: bool,
    /// How healthy the system was.
    pub health: HealthOfWeek,
    /// Where metrics went.
    pub trends: Vec<TrendOfWeek>,
    /// Whether promises were kept.
    pub slos: Vec<SloOfWeek>,
    /// What went wrong more than once, or brought an incident: the weightiest first.
    pub patterns: Vec<Pattern>,
    /// What to do: what brings most for its effort first.
    pub improvements: Vec<Ranked>,
    /// Alerts: how many, and which nobody needs.
    pub noise: Noise,
    /// What was improved in the week, and what that brought.
    pub kaizen: Vec<Entry>,
    /// The week in numbers, beside the one before.
    pub comparison: Vec<Figure>,
    /// What the evidence does not tell.
    pub missing: Vec<Missing>,
}

/// Scores of a week.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HealthOfWeek {
    /// Mean of the scores, 0 to 100.
    pub score: Option<f64>,
    /// Its band.
    pub band: Colour,
    /// The lowest score.
    pub lowest: Option<f64>,
    /// When that was.
    pub lowest_at: Option<Timestamp>,
    /// Moments that could be scored.
    pub scored: usize,
    /// Moments that were looked at.
    pub moments: usize,
    /// Mean of the week before.
    pub previous: Option<f64>,
    /// Paths that show the readings again.
    pub show: Vec<String>,
}

/// Where a metric went.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TrendOfWeek {
    /// Which metric.
    pub metric: String,
    /// Of which component.
    pub component: String,
    /// Labels of the series.
    pub labels: std::collections::BTreeMap<String, String>,
    /// Its unit.
    pub unit: Option<String>,
    /// Which number of each hour.
    pub statistic: String,
    /// The way it went within the week.
    pub direction: Direction,
    /// One sentence with its numbers.
    pub statement: String,
    /// Mean of the week.
    pub mean: Option<f64>,
    /// Mean of the week before.
    pub previous: Option<f64>,
    /// From the one to the other, in percent.
    pub change_percent: Option<f64>,
    /// A path that shows the values again.
    pub show: String,
}

/// Whether a promise was kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SloOfWeek {
    /// Name of the objective.
    pub name: String,
    /// Who promises it.
    pub service: String,
    /// Share that has to be good.
    pub target: f64,
    /// Share that was good in the week.
    pub attainment: Option<f64>,
    /// Whether that is enough.
    pub state: State,
    /// Share that was good in the week before.
    pub previous: Option<f64>,
    /// It fell by more than a point.
    pub is_degrading: bool,
    /// A path that shows it again.
    pub show: String,
}

/// Something to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ranked {
    /// From 1.
    pub rank: usize,
    /// When to do it.
    pub turn: Turn,
    /// How urgent it is.
    pub priority: Priority,
    /// A few words.
    pub title: String,
    /// What to do.
    pub action: String,
    /// Where, if it is about one component.
    pub component: Option<String>,
    /// What was found, by the names of the query's columns.
    pub found: Map<String, Json>,
    /// S, M or L.
    pub effort: crate::query::Effort,
    /// What it should bring, in percent.
    pub impact_percent: u32,
    /// Percent of impact for each hour of effort.
    pub worth: f64,
    /// Where it says how.
    pub runbook: String,
    /// The receipts it rests on.
    pub receipts: Vec<ReceiptId>,
    /// A path that shows what was found again.
    pub show: String,
}

/// When to do something: each engineer takes one improvement a week, and a second if there is time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// This week.
    First,
    /// This week if there is time.
    Second,
    /// Another week.
    Later,
}

/// What is not known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// In a sentence.
    pub what: String,
    /// A path that shows it, or where to begin.
    pub show: Option<String>,
}

/// Ranks recommendations by impact for effort, and gives the first to so many engineers.
pub fn rank(recommendations: &[super::advise::Recommendation], engineers: usize, max: usize) -> Vec<Ranked> {
    let mut sorted: Vec<&super::advise::Recommendation> = recommendations.iter().collect();
    // Already in the order of urgency, which decides between equal ones.
    sorted.sort_by(|a, b| b.advice.worth().total_cmp(&a.advice.worth()));
    let turn = |place: usize| match place / engineers.max(1) {
        0 => Turn::First,
        1 => Turn::Second,
        _ => Turn::Later,
    };
    let ranked = |(place, told): (usize, &super::advise::Recommendation)| Ranked {
        rank: place + 1,
        turn: turn(place),
        priority: told.advice.priority,
        title: told.title.clone(),
        action: told.advice.action.clone(),
        component: told.component.clone(),
        found: told.found.clone(),
        effort: told.advice.effort,
        impact_percent: told.advice.impact_percent,
        worth: told.advice.worth(),
        runbook: told.advice.runbook.clone(),
        receipts: told.because.clone(),
        show: told.show.clone(),
    };
    sorted.into_iter().take(max).enumerate().map(ranked).collect()
}
