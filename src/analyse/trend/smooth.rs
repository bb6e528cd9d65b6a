//! The moving average.

use chrono::TimeDelta;

use super::summary::mean;
use super::{Point, back};

/// Width of the moving average where none is given.
pub const WIDTH: TimeDelta = TimeDelta::seconds(60);

/// Mean of the last point and of those less than `width` before it; points in order of time.
pub fn moving_average(points: &[Point], width: TimeDelta) -> Option<f64> {
    let after = back(points.last()?.time, width);
    let values = points.iter().rev().take_while(|point| point.time > after).map(|point| point.value);
    Some(mean(&values.collect::<Vec<_>>()))
}
