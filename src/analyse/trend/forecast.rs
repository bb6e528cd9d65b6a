//! Where the line leads, how wide of it the truth may be, and when it reaches a threshold.
#![expect(clippy::cast_precision_loss, reason = "counts of points fit 53 bits")]

use chrono::TimeDelta;
use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

use super::line::{Line, spread};
use super::{Growth, capacity, days};
use crate::clock::Timestamp;

/// The series continued.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Projection {
    /// The instant it is for.
    pub time: Timestamp,
    /// By the least-squares line, from the current value on.
    pub linear: f64,
    /// By the compound growth fitted, from the current value on; nothing beyond ten times the window.
    pub compound: Option<f64>,
    /// The fitted line there: the middle of the interval.
    pub expected: f64,
    /// Below the truth with 97.5 %, if the trend goes on.
    pub low: Option<f64>,
    /// Above the truth with 97.5 %, if the trend goes on.
    pub high: Option<f64>,
    /// Compound growth per day.
    pub growth_per_day: Option<Growth>,
    /// Capacity to have ready for the larger of the two projections.
    pub capacity_needed: f64,
    /// When the threshold is reached.
    pub arrival: Option<Arrival>,
}

/// When a threshold is reached.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Arrival {
    /// Days until then: `(threshold - current) / slope`; nothing when the line leads away.
    pub days: Option<f64>,
    /// Days until the near edge of the interval reaches it, within ten times the window.
    pub earliest_days: Option<f64>,
    /// Days until the far edge does: by then it has happened with 97.5 %.
    pub latest_days: Option<f64>,
}

/// Quantile of the upper edge of the interval.
const EDGE: f64 = 0.975;
/// Arrivals are looked for, and growth compounds, within so many times the window.
const REACH: f64 = 10.0;
/// Steps in which they are looked for.
const STEPS: u32 = 2_000;

/// What the window knows, with places in days.
pub(super) struct Basis<'a> {
    /// Points: days since the start of the window, value.
    pub(super) points: &'a [(f64, f64)],
    /// The least-squares line through them.
    pub(super) line: Option<Line>,
    /// The window's cells without the season, whose scatter makes the interval.
    pub(super) adjusted: &'a [(f64, f64)],
    /// How many independent values they are worth.
    pub(super) n_effective: f64,
    /// The usual seasonal deviation at an instant.
    pub(super) season: &'a dyn Fn(Timestamp) -> f64,
    /// End of the window, and its place.
    pub(super) at: Timestamp,
    pub(super) length: TimeDelta,
}

/// Projects to `horizon` after the end of the window; nothing when there is no line.
pub(super) fn project(basis: &Basis<'_>, horizon: TimeDelta, threshold: Option<f64>) -> Option<Projection> {
    let line = basis.line?;
    let (first, last) = (basis.points.first()?, basis.points.last()?);
    let time = basis.at.checked_add(horizon)?;
    let ahead = days(horizon);
    let observed = capacity::growth(first.1, last.1, last.0 - first.0);
    let growth = observed.map(|observed| Growth { observed, fitted: fitted_growth(basis.points) });
    let linear = last.1 + line.slope * ahead;
    // Growth compounds: farther ahead the least noise becomes a number without end.
    let compounds = growth.and_then(|growth| growth.fitted).filter(|_| ahead <= REACH * days(basis.length));
    let compound = compounds.map(|growth| capacity::compound(last.1, growth, ahead)).filter(|value| value.is_finite());
    let band = Band::of(basis);
    let season = (basis.season)(time);
    let expected = band.as_ref().map_or(linear, |band| band.line.at(days(basis.length) + ahead) + season);
    let half = band.as_ref().map(|band| band.half_width(days(basis.length) + ahead));
    Some(Projection {
        time,
        linear,
        compound,
        expected,
        low: half.map(|half| expected - half),
        high: half.map(|half| expected + half),
        growth_per_day: growth,
        capacity_needed: capacity::needed(linear.max(compound.unwrap_or(linear))),
        arrival: threshold.map(|threshold| arrival(threshold, last.1, line.slope, band.as_ref(), basis)),
    })
}

/// Growth per day of the least-squares line through the logarithms.
fn fitted_growth(points: &[(f64, f64)]) -> Option<f64> {
    if points.iter().any(|point| point.1 <= 0.0) {
        return None;
    }
    let logs: Vec<(f64, f64)> = points.iter().map(|point| (point.0, point.1.ln())).collect();
    Line::least_squares(&logs).map(|line| line.slope.exp_m1())
}

/// The line with its prediction interval.
struct Band {
    line: Line,
    quantile: f64,
    scatter: f64,
    n_effective: f64,
    centre: f64,
    spread_effective: f64,
}

impl Band {
    /// Nothing when there are too few independent values for an interval.
    fn of(basis: &Basis<'_>) -> Option<Self> {
        let line = Line::least_squares(basis.adjusted)?;
        let n = basis.adjusted.len() as f64;
        let freedom = basis.n_effective - 2.0;
        let error: f64 = basis.adjusted.iter().map(|point| (point.1 - line.at(point.0)).powi(2)).sum();
        let (centre, spread) = spread(basis.adjusted);
        let quantile = StudentsT::new(0.0, 1.0, freedom).ok()?.inverse_cdf(EDGE);
        // Scatter around the line is less than the truth by as many values as the line could choose freely.
        let scatter = (error / n * basis.n_effective / freedom).sqrt();
        let spread_effective = spread * basis.n_effective / n;
        Some(Self { line, quantile, scatter, n_effective: basis.n_effective, centre, spread_effective })
    }

    fn half_width(&self, place: f64) -> f64 {
        let of_line = 1.0 / self.n_effective + (place - self.centre).powi(2) / self.spread_effective;
        self.quantile * self.scatter * (1.0 + of_line).sqrt()
    }
}

fn arrival(threshold: f64, current: f64, slope: f64, band: Option<&Band>, basis: &Basis<'_>) -> Arrival {
    let days_left = (threshold - current) / slope;
    let side = if threshold >= current { 1.0 } else { -1.0 };
    let end = days(basis.length);
    let first = |edge: f64| {
        let band = band?;
        let ahead = |step: u32| REACH * end * f64::from(step) / f64::from(STEPS);
        (0..=STEPS).map(ahead).find(|ahead| {
            let place = end + ahead;
            (band.line.at(place) + edge * side * band.half_width(place) - threshold) * side >= 0.0
        })
    };
    Arrival {
        days: (days_left.is_finite() && days_left >= 0.0).then_some(days_left),
        earliest_days: first(1.0),
        latest_days: first(-1.0),
    }
}
