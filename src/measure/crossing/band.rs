//! What is usual: the median of a series, and a robust scale around it.
//!
//! The scale has a floor, so that a metric that never moved (its median absolute deviation is 0) does not make every
//! wiggle an alarm.

use serde::{Deserialize, Serialize};

/// Smallest scale, as a share of the median.
const SCALE_FLOOR_SHARE: f64 = 0.05;
/// Smallest scale of a median of zero, as a share of the largest value.
const SCALE_FLOOR_AT_ZERO_SHARE: f64 = 0.2;
/// Smallest scale of a bounded metric, as a share of its range.
const SCALE_FLOOR_OF_RANGE: f64 = 0.002_5;
/// Makes the median absolute deviation of a normal distribution its standard deviation.
pub const MAD_TO_SIGMA: f64 = 1.4826;
/// The same for the distance of the 5th and 95th percentile from the median.
const P95_TO_SIGMA: f64 = 1.645;
/// Values this rare are usual, however far out they are, and somewhat farther out.
const RARE_SHARE: f64 = 0.005;
const RARE_MARGIN: f64 = 1.5;
/// What left a metric that never was anything but zero deviates by this much.
const DEVIATION_FROM_ZERO: f64 = 5.0;

/// Where a metric can go no farther: near its ends small moves matter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Bounded {
    /// Nowhere.
    Nowhere,
    /// At 0 and at this.
    At(f64),
}

impl Bounded {
    /// A percentage is bounded.
    pub(super) fn by_unit(unit: Option<&str>) -> Self {
        if unit == Some("%") { Self::At(100.0) } else { Self::Nowhere }
    }

    /// So is a ratio, which its values give away: between 0 and 1, and not only those.
    fn by_values(unit: Option<&str>, sorted: &[f64]) -> Self {
        let is_ratio = sorted.first().is_some_and(|least| *least >= 0.0)
            && sorted.last().is_some_and(|most| *most <= 1.0)
            && sorted.iter().any(|value| value.fract() != 0.0)
            && unit.is_none_or(|unit| unit == "1");
        if is_ratio { Self::At(1.0) } else { Self::by_unit(unit) }
    }
}

/// The robust standard deviation of sorted values, or its floor.
pub(super) fn scale(sorted: &[f64], median: f64, largest: f64, bounded: Bounded) -> f64 {
    let mut distances: Vec<f64> = sorted.iter().map(|value| (value - median).abs()).collect();
    distances.sort_by(f64::total_cmp);
    let mad = MAD_TO_SIGMA * quantile(&distances, 0.5);
    let spread = [0.05, 0.95].map(|share| (quantile(sorted, share) - median).abs()).into_iter().fold(0.0, f64::max)
        / P95_TO_SIGMA;
    let floor = match bounded {
        Bounded::At(end) if (0.0..=end).contains(&median) => {
            (SCALE_FLOOR_SHARE * median.min(end - median)).max(SCALE_FLOOR_OF_RANGE * end)
        }
        _ if median == 0.0 => SCALE_FLOOR_AT_ZERO_SHARE * largest,
        _ => SCALE_FLOOR_SHARE * median.abs(),
    };
    mad.max(spread).max(floor)
}

/// Linear interpolation between the sorted values around the place.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "a place in a list"
)]
pub(super) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place as usize;
    let above = (below + 1).min(sorted.len() - 1);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

/// Where the values of a series usually lie.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Band {
    /// The median.
    pub median: f64,
    /// The robust standard deviation.
    pub scale: f64,
    /// What lies below is not usual.
    pub low: f64,
    /// What lies above is not usual.
    pub high: f64,
}

impl Band {
    /// The band of at least one value, `deviations` scales wide to either side, and no narrower than what was seen but for
    /// the rarest.
    pub fn of(mut values: Vec<f64>, unit: Option<&str>, deviations: f64) -> Self {
        values.sort_by(f64::total_cmp);
        let median = quantile(&values, 0.5);
        let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
        let scale = scale(&values, median, largest, Bounded::by_values(unit, &values));
        let rare = |share: f64| median + RARE_MARGIN * (quantile(&values, share) - median);
        Self {
            median,
            scale,
            low: (median - deviations * scale).min(rare(RARE_SHARE)),
            high: (median + deviations * scale).max(rare(1.0 - RARE_SHARE)),
        }
    }

    /// Distance of a value from the median, in scales.
    pub fn deviation(&self, value: f64) -> f64 {
        let distance = value - self.median;
        if self.scale > 0.0 {
            distance / self.scale
        } else if distance == 0.0 {
            0.0
        } else {
            DEVIATION_FROM_ZERO * distance.signum()
        }
    }
}
