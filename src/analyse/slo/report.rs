//! An objective as an answer tells it: the window, how fast its budget burns, and this week beside the last.

use std::ops::Range;

use chrono::{Datelike as _, TimeDelta};
use serde::Serialize;

use super::burn::{Burn, LeftOut, Policy, Severity};
use super::chronic::{Chronic, chronic};
use super::frame::{Frame, Minutes};
use super::judge::Judged;
use super::measured::{judged, levelled};
use super::{Count, Evaluation, Measured, Weekly, evaluate, weekly};
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::crossing::Palette;
use crate::slo::{Budgeting, Objective, Span};

/// Minutes of an hour.
const HOUR: usize = 60;

/// How an objective is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Told {
    /// Its name for people.
    pub display_name: Option<String>,
    /// In its window.
    #[serde(flatten)]
    pub evaluation: Evaluation,
    /// Minutes of the window that do not count, because their value is far above all others.
    pub outliers: usize,
    /// The most severe of its rules that fires.
    pub firing: Option<Severity>,
    /// How fast its budget burns, for each rule.
    pub burn: Vec<Burn>,
    /// Rules that cannot fire.
    pub left_out: Vec<LeftOut>,
    /// This week and the last one, from Monday, UTC.
    pub weekly: Weeks,
}

/// The attainments of two weeks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Weeks {
    /// Of this week so far.
    pub current: Option<f64>,
    /// Of the week before.
    pub previous: Option<f64>,
    /// The two beside each other, when both are known.
    #[serde(flatten)]
    pub change: Option<Weekly>,
}

/// What an objective is asked about.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The objective.
    pub objective: &'a Objective,
    /// What its budget is made of.
    pub budgeting: Budgeting,
    /// Do values count that are far above all others?
    pub counts_outliers: bool,
    /// How long its window is.
    pub span: Span,
    /// The part of its window that is over.
    pub window: Range<Timestamp>,
    /// Where values change colour.
    pub palette: &'a Palette,
}

impl Asked<'_> {
    /// Its burn rates.
    pub fn policy(&self) -> Result<Policy> {
        Policy::new(self.objective.target, self.span.length())
    }

    /// All minutes that its answer rests on.
    pub fn frame(&self) -> Result<Frame> {
        let now = self.window.end;
        let back = self.policy()?.rules.iter().map(|rule| rule.long).max().unwrap_or_default();
        let burning = now.checked_add(-back).unwrap_or(Timestamp::MIN);
        let start = self.window.start.min(burning).min(self.last_week().start);
        Ok(Frame::of(&(start..now)))
    }

    fn this_week(&self) -> Range<Timestamp> {
        let now = self.window.end;
        let midnight = now.micros().div_euclid(86_400_000_000) * 86_400_000_000;
        let midnight = Timestamp::from_micros(midnight).unwrap_or(now);
        let days = TimeDelta::days(i64::from(now.utc().weekday().num_days_from_monday()));
        midnight.checked_add(-days).unwrap_or(midnight)..now
    }

    fn last_week(&self) -> Range<Timestamp> {
        let end = self.this_week().start;
        end.checked_add(-TimeDelta::weeks(1)).unwrap_or(end)..end
    }

    /// What is told of it, by the minutes of its frame.
    pub fn told(&self, frame: &Frame, judged: &Judged) -> Result<Told> {
        let policy = self.policy()?;
        let measured = self.measured(frame, &judged.minutes, &self.window);
        let measured = match judged.value {
            Some((threshold, value)) => measured.with_value(value, threshold),
            None => measured,
        };
        let week = |week: Range<Timestamp>| self.measured(frame, &judged.minutes, &week).attainment;
        let (current, previous) = (week(self.this_week()), week(self.last_week()));
        let burn = policy.burn(&self.burning(frame, &judged.minutes), self.step());
        Ok(Told {
            display_name: self.objective.display_name.clone(),
            evaluation: evaluate(self.objective.target, &measured, self.palette)?,
            outliers: judged.outliers,
            firing: burn.iter().filter(|burn| burn.is_firing).map(|burn| burn.rule.severity).min(),
            burn,
            left_out: policy.left_out,
            weekly: Weeks { current, previous, change: current.zip(previous).map(|(now, before)| weekly(now, before)) },
        })
    }

    /// Is it missed again and again, hour by hour?
    pub fn chronic(&self, frame: &Frame, minutes: &Minutes<Count>) -> Result<Option<Chronic>> {
        let window = part(frame, &self.window);
        let hours = window.slices(&minutes[frame.places(&self.window)], HOUR);
        let first = window.start.micros().div_euclid(3_600_000_000);
        let begins = (first..).map(|hour| Timestamp::from_micros(hour * 3_600_000_000).unwrap_or(Timestamp::MAX));
        let hours: Vec<(Timestamp, Count)> =
            begins.zip(hours).filter_map(|(begins, count)| Some((begins, count?))).collect();
        chronic(self.objective.target, &hours)
    }

    fn measured(&self, frame: &Frame, minutes: &Minutes<Count>, window: &Range<Timestamp>) -> Measured {
        let minutes = &minutes[frame.places(window)];
        let slices = || part(frame, window).slices(minutes, self.slice_minutes());
        match self.budgeting {
            Budgeting::Occurrences => Measured::events(minutes),
            Budgeting::Timeslices => Measured::timeslices(&slices(), self.slice_target()),
            Budgeting::RatioTimeslices => Measured::ratio_timeslices(&slices()),
        }
    }

    /// The slices that the budget is made of.
    fn burning(&self, frame: &Frame, minutes: &Minutes<Count>) -> Vec<Option<Count>> {
        let slices = || frame.slices(minutes, self.slice_minutes());
        match self.budgeting {
            Budgeting::Occurrences => minutes.clone(),
            Budgeting::Timeslices => judged(&slices(), self.slice_target()),
            Budgeting::RatioTimeslices => levelled(&slices()),
        }
    }

    fn step(&self) -> TimeDelta {
        match self.budgeting {
            Budgeting::Occurrences => TimeDelta::minutes(1),
            _ => TimeDelta::minutes(i64::try_from(self.slice_minutes()).unwrap_or(1)),
        }
    }

    fn slice_minutes(&self) -> usize {
        let minutes = self.objective.slice.map_or(1, |slice| slice.length().num_minutes());
        usize::try_from(minutes).unwrap_or(1).max(1)
    }

    fn slice_target(&self) -> f64 {
        self.objective.slice_target.unwrap_or(self.objective.target)
    }
}

/// The part of a window that a frame has.
fn part(frame: &Frame, window: &Range<Timestamp>) -> Frame {
    Frame::of(&(window.start.max(frame.start)..window.end))
}
