//! The moving average.

use chrono::TimeDelta;

use super::Point;
use super::summary::mean;
use crate::clock::ago;

/// Narrowest width of the moving average.
const WIDTH_MIN: TimeDelta = TimeDelta::seconds(60);
/// Intervals that it covers at least: of a single point it would be that point.
const INTERVALS_MIN: i32 = 3;

/// Mean of the last point and of those less than 60 s, or three intervals where these are longer, before it; points in
/// order of time.
pub fn moving_average(points: &[Point], interval: TimeDelta) -> Option<f64> {
    let width = interval.checked_mul(INTERVALS_MIN).map_or(WIDTH_MIN, |width| width.max(WIDTH_MIN));
    let after = ago(points.last()?.time, width);
    let values = points.iter().rev().take_while(|point| point.time > after).map(|point| point.value);
    Some(mean(&values.collect::<Vec<_>>()))
}
