//! The verdict alone, over one window, for those who look at many series often.

use chrono::TimeDelta;

use super::grid::{Grid, gaps};
use super::{Point, Polarity, Verdict, change_point, interval, verdict};
use crate::clock::{Timestamp, ago};

/// Where points in order of time were heading in the last `length` before `at`. No season is taken out.
pub fn verdict_over(points: &[Point], at: Timestamp, length: TimeDelta, polarity: Option<Polarity>) -> Verdict {
    let from = ago(at, length);
    let interval = interval(&points[..points.partition_point(|point| point.time <= at)]);
    let points = super::between(points, from, at);
    let grid = Grid::new(points, from, at, interval).without(|_| 0.0);
    let gaps = gaps(points, from, at, interval);
    verdict::judge(&grid, &change_point::stretches(&grid), None, &gaps, polarity)
}
