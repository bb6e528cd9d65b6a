//! Values far from the others, by two rules: mean and standard deviation, which large outliers hide from by widening
//! both (masking), and median and MAD, which they cannot widen.

use serde::Serialize;

use super::summary::{mean, median_and_mad, variance};
use super::{Point, Polarity};
use crate::measure::crossing::MAD_TO_SIGMA;

/// Outliers of a window by both rules. They stay in the raw data.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Outliers {
    /// Above mean + 3 standard deviations.
    pub three_sigma: Rule,
    /// Beyond median ± 3 × 1.4826 × MAD, on the bad side.
    pub robust: Rule,
    /// Mean without what the robust rule found: the baseline to compare with.
    pub baseline: f64,
}

/// What one rule finds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rule {
    /// Values beyond this are outliers.
    pub limit: f64,
    /// How many there are.
    pub count: usize,
    /// The last of them.
    pub points: Vec<Point>,
}

/// Distance of an outlier from the middle, in (robust) standard deviations.
const DISTANCE_SIGMA: f64 = 3.0;
/// Makes the mean absolute deviation of a normal distribution its standard deviation.
const MEAN_DEVIATION_TO_SIGMA: f64 = 1.2533;
/// Most outliers that are listed.
const LISTED_MAX: usize = 100;

/// Outliers among points; without a polarity the bad side is up. Nothing of no points.
pub fn outliers(points: &[Point], polarity: Option<Polarity>) -> Option<Outliers> {
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    if values.is_empty() {
        return None;
    }
    let centre = mean(&values);
    let three_sigma = rule(points, centre + DISTANCE_SIGMA * variance(&values, centre).sqrt(), 1.0);
    let (median, mad) = median_and_mad(&values);
    let mut sigma = MAD_TO_SIGMA * mad;
    if sigma == 0.0 {
        // More than half of the values are equal: MAD says nothing about the others.
        let distances: Vec<f64> = values.iter().map(|value| (value - median).abs()).collect();
        sigma = MEAN_DEVIATION_TO_SIGMA * mean(&distances);
    }
    let side = if polarity == Some(Polarity::HigherIsBetter) { -1.0 } else { 1.0 };
    let robust = rule(points, median + side * DISTANCE_SIGMA * sigma, side);
    let kept: Vec<f64> = values.iter().filter(|value| (*value - robust.limit) * side <= 0.0).copied().collect();
    Some(Outliers { three_sigma, robust, baseline: mean(&kept) })
}

fn rule(points: &[Point], limit: f64, side: f64) -> Rule {
    let beyond: Vec<Point> = points.iter().filter(|point| (point.value - limit) * side > 0.0).copied().collect();
    let listed = beyond.len().saturating_sub(LISTED_MAX);
    Rule { limit, count: beyond.len(), points: beyond[listed..].to_vec() }
}
