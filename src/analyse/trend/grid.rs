//! Points on an even grid: what the tests work on, bounded in size, with the gaps named.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "cells are bounded by CELLS_MAX, and places in them are not negative"
)]

use chrono::TimeDelta;
use serde::Serialize;

use super::{Point, days};
use crate::clock::Timestamp;

/// A stretch without points where points were expected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Last point before, or start of the window.
    pub from: Timestamp,
    /// First point after, or end of the window.
    pub to: Timestamp,
    /// Points that should have been there.
    pub missing: u64,
}

/// Means of the points of each cell; the tests on them are quadratic, hence the bound.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Grid {
    pub(super) start: Timestamp,
    pub(super) step: TimeDelta,
    pub(super) cells: Vec<Option<f64>>,
}

/// Most cells of a grid.
const CELLS_MAX: i64 = 360;
/// Steps, in seconds, that divide an hour or a day.
const STEPS_S: [i64; 18] =
    [1, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 43_200, 86_400];
/// Points further apart than this many intervals have a gap between them.
const GAP_INTERVALS: f64 = 2.5;
/// Most gaps that are listed; the largest are kept.
const GAPS_MAX: usize = 100;

impl Grid {
    /// A grid from `from` to `to` whose cells hold at least one interval each.
    pub(super) fn new(points: &[Point], from: Timestamp, to: Timestamp, interval: TimeDelta) -> Self {
        let length = to.since(from);
        let least = interval.num_seconds().max(length.num_seconds() / CELLS_MAX).max(1);
        let step = TimeDelta::seconds(STEPS_S.into_iter().find(|step| *step >= least).unwrap_or(least));
        Self::with_step(points, from, to, step)
    }

    pub(super) fn with_step(points: &[Point], from: Timestamp, to: Timestamp, step: TimeDelta) -> Self {
        let micros = |span: TimeDelta| span.num_microseconds().unwrap_or(i64::MAX).max(1);
        let count = (micros(to.since(from)) - 1) / micros(step) + 1;
        let mut sums = vec![(0.0, 0_u32); count as usize];
        let first = points.partition_point(|point| point.time < from);
        let end = points.partition_point(|point| point.time <= to);
        let (mut cell, mut cell_ends) = (0, from.micros() + micros(step));
        for point in &points[first..end.max(first)] {
            // A point at the end of a cell belongs to it, one at the very start to the first.
            if point.time.micros() > cell_ends {
                cell = (micros(point.time.since(from)) - 1) / micros(step);
                cell_ends = from.micros() + (cell + 1) * micros(step);
            }
            let (sum, n) = &mut sums[cell as usize];
            *sum += point.value;
            *n += 1;
        }
        let cells = sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / f64::from(n))).collect();
        Self { start: from, step, cells }
    }

    /// Middle of a cell.
    pub(super) fn time(&self, cell: usize) -> Timestamp {
        let offset = self.step * i32::try_from(cell).unwrap_or(i32::MAX) + self.step / 2;
        self.start.checked_add(offset).unwrap_or(Timestamp::MAX)
    }

    /// Days from the start to the middle of a cell.
    pub(super) fn day(&self, cell: usize) -> f64 {
        days(self.step) * (cell as f64 + 0.5)
    }

    /// The cells that hold something, with their values.
    pub(super) fn known(&self) -> impl Iterator<Item = (usize, f64)> {
        self.cells.iter().enumerate().filter_map(|(cell, value)| Some((cell, (*value)?)))
    }

    /// The same as (days since the start, value).
    pub(super) fn points(&self) -> Vec<(f64, f64)> {
        self.known().map(|(cell, value)| (self.day(cell), value)).collect()
    }

    /// Takes `expected` away from each cell.
    pub(super) fn without(mut self, expected: impl Fn(Timestamp) -> f64) -> Self {
        for cell in 0..self.cells.len() {
            let usual = expected(self.time(cell));
            self.cells[cell] = self.cells[cell].map(|value| value - usual);
        }
        self
    }
}

/// Where points are missing from `from` to `to`, in order of time.
pub(super) fn gaps(points: &[Point], from: Timestamp, to: Timestamp, interval: TimeDelta) -> Vec<Gap> {
    if interval <= TimeDelta::zero() {
        return Vec::new();
    }
    let interval_s = interval.as_seconds_f64();
    let edges = std::iter::once(from).chain(points.iter().map(|point| point.time)).chain([to]);
    let mut gaps: Vec<Gap> = edges
        .clone()
        .zip(edges.skip(1))
        .filter(|(from, to)| to.since(*from).as_seconds_f64() > GAP_INTERVALS * interval_s)
        .map(|(from, to)| Gap { from, to, missing: (to.since(from).as_seconds_f64() / interval_s).round() as u64 - 1 })
        .collect();
    gaps.sort_by_key(|gap| (std::cmp::Reverse(gap.missing), gap.from));
    gaps.truncate(GAPS_MAX);
    gaps.sort_by_key(|gap| gap.from);
    gaps
}
