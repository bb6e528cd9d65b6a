//! Straight lines through points: least squares, and Theil–Sen, which a third of wild points cannot bend.
#![expect(clippy::cast_precision_loss, reason = "counts of points fit 53 bits")]

use super::summary::{mean, median};

/// `value = level + slope * x`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Line {
    pub(super) slope: f64,
    pub(super) level: f64,
}

/// Fewest points a slope rests on.
const POINTS_MIN: usize = 3;

impl Line {
    pub(super) fn at(self, x: f64) -> f64 {
        self.level + self.slope * x
    }

    /// Least squares; nothing of fewer than three points or of points at one place.
    pub(super) fn least_squares(points: &[(f64, f64)]) -> Option<Self> {
        if points.len() < POINTS_MIN {
            return None;
        }
        let n = points.len() as f64;
        let (x_mean, y_mean) =
            (points.iter().map(|p| p.0).sum::<f64>() / n, points.iter().map(|p| p.1).sum::<f64>() / n);
        let spread: f64 = points.iter().map(|p| (p.0 - x_mean).powi(2)).sum();
        let shared: f64 = points.iter().map(|p| (p.0 - x_mean) * (p.1 - y_mean)).sum();
        let slope = shared / spread;
        slope.is_finite().then_some(Self { slope, level: y_mean - slope * x_mean })
    }

    /// The median of the slopes of all pairs, through the median of what remains. The points are in order of place, no
    /// two at one; quadratic, so bound them first.
    pub(super) fn theil_sen(points: &[(f64, f64)]) -> Option<Self> {
        if points.len() < POINTS_MIN {
            return None;
        }
        let mut slopes: Vec<f64> = Vec::with_capacity(points.len() * points.len() / 2);
        for (place, later) in points.iter().enumerate() {
            slopes.extend(points[..place].iter().map(|p| (later.1 - p.1) / (later.0 - p.0)));
        }
        let slope = median(&mut slopes);
        let mut rest: Vec<f64> = points.iter().map(|p| p.1 - slope * p.0).collect();
        Some(Self { slope, level: median(&mut rest) })
    }
}

/// Mean and sum of squared distances of the places.
pub(super) fn spread(points: &[(f64, f64)]) -> (f64, f64) {
    let places: Vec<f64> = points.iter().map(|p| p.0).collect();
    let centre = mean(&places);
    (centre, places.iter().map(|x| (x - centre).powi(2)).sum())
}
