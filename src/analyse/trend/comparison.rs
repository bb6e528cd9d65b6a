//! This window beside an earlier one of the same length.

use chrono::TimeDelta;
use serde::Serialize;

use super::grid::Grid;
use super::summary::mean;
use super::{Point, YEAR, between};
use crate::clock::{Timestamp, ago};

/// Two means and the change between them.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Mean of this window.
    pub current: f64,
    /// Mean of the earlier window.
    pub previous: f64,
    /// Change in percent; nothing when the earlier mean is 0.
    pub change_percent: Option<f64>,
}

/// A window beside earlier ones; what lies before the history is nothing.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparisons {
    /// The window right before.
    pub previous: Option<Comparison>,
    /// The same weekdays a year ago (52 weeks).
    pub year_ago: Option<Comparison>,
}

impl Comparison {
    /// Compares the `length` up to `at` with the `length` that ended `before` it, of points in order of time.
    pub fn of(points: &[Point], at: Timestamp, length: TimeDelta, before: TimeDelta) -> Option<Self> {
        // Means of cells, because old points stand for an hour and new ones for a minute.
        let mean_until = |end: Timestamp| {
            let from = ago(end, length);
            let grid = Grid::new(between(points, from, end), from, end, TimeDelta::zero());
            let values: Vec<f64> = grid.known().map(|(_, value)| value).collect();
            (!values.is_empty()).then(|| mean(&values))
        };
        let (current, previous) = (mean_until(at)?, mean_until(ago(at, before))?);
        let change_percent = (previous != 0.0).then(|| (current - previous) / previous.abs() * 100.0);
        Some(Self { current, previous, change_percent })
    }
}

impl Comparisons {
    pub(super) fn of(points: &[Point], at: Timestamp, length: TimeDelta) -> Self {
        Self {
            previous: Comparison::of(points, at, length, length),
            year_ago: Comparison::of(points, at, length, YEAR),
        }
    }
}
