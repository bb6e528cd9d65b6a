//! Minutes that do not count: single values far above all others are errors of measurement or pauses, not how the service
//! is. They stay in the series.

use std::ops::Range;

use crate::analyse::trend::Summary;

/// Distance from the mean, in standard deviations, above which a value is an outlier.
const DISTANCE_SIGMA: f64 = 3.0;
/// More minutes in a row are no outlier: that is how it was.
const ROW_MAX: usize = 5;

/// The minutes with a value above mean + 3 standard deviations of those in `window`.
pub(super) fn outliers(levels: &[Option<f64>], window: Range<usize>) -> Vec<usize> {
    let known: Vec<f64> = levels[window].iter().flatten().copied().collect();
    let Some(summary) = Summary::of(&known) else { return Vec::new() };
    let limit = summary.mean + DISTANCE_SIGMA * summary.stddev;
    let is_beyond = |level: &Option<f64>| level.is_some_and(|level| level > limit);
    let mut found = Vec::new();
    let mut place = 0;
    while place < levels.len() {
        let row = levels[place..].iter().take_while(|level| is_beyond(level)).count();
        if (1..=ROW_MAX).contains(&row) {
            found.extend(place..place + row);
        }
        place += row.max(1);
    }
    found
}
