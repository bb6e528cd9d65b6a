//! How far apart points are expected.

use chrono::TimeDelta;

use super::Point;

/// Distance of points by the minute, and of a point alone.
const MINUTE: TimeDelta = TimeDelta::minutes(1);
/// The last points tell: what is older may be kept by the hour.
const LAST: usize = 60;

/// The distance at which points come, in order of time: most of the last ones are so far apart.
pub fn interval(points: &[Point]) -> TimeDelta {
    let last = &points[points.len().saturating_sub(LAST + 1)..];
    let mut distances: Vec<TimeDelta> = last.windows(2).map(|pair| pair[1].time.since(pair[0].time)).collect();
    if distances.is_empty() {
        return MINUTE;
    }
    let middle = distances.len() / 2;
    *distances.select_nth_unstable(middle).1
}
