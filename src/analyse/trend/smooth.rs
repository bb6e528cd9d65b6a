//! The moving average.
#![expect(clippy::cast_precision_loss, reason = "counts of points fit 53 bits")]

use chrono::TimeDelta;

use super::{Point, back};

/// Width of the moving average where none is given.
pub const WIDTH: TimeDelta = TimeDelta::seconds(60);

/// Mean of the points of the last `width` up to each point; points in order of time.
pub fn moving_average(points: &[Point], width: TimeDelta) -> Vec<Point> {
    let mut first = 0;
    let mut sum = 0.0;
    let average = |(place, point): (usize, &Point)| {
        sum += point.value;
        while points[first].time <= back(point.time, width) && first < place {
            sum -= points[first].value;
            first += 1;
        }
        Point { time: point.time, value: sum / (place - first + 1) as f64 }
    };
    points.iter().enumerate().map(average).collect()
}
