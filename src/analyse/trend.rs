//! Where is a metric heading? Every window of a series is described twice: by the plain numbers people know (mean,
//! least-squares slope, three standard deviations), and by a verdict that has to earn itself.
//!
//! The verdict takes out the season, tests for a monotone trend with Mann–Kendall, its variance corrected for
//! autocorrelation after Hamed and Rao, and measures the trend by Theil–Sen. Only a trend that is both significant and
//! larger than a floor is one; what rests on too little says `not_enough_data`.

mod autocorrelation;
pub mod capacity;
pub mod change_point;
mod comparison;
mod forecast;
mod grid;
mod heading;
mod interval;
mod kendall;
mod line;
pub mod outlier;
mod reversal;
mod season;
mod shift;
pub mod smooth;
mod summary;
pub mod surprise;
mod verdict;
mod window;

use chrono::TimeDelta;
use rayon::iter::{IntoParallelRefIterator as _, ParallelIterator as _};
use serde::Serialize;

use crate::clock::{Timestamp, ago};
pub use capacity::Growth;
pub use change_point::ChangePoint;
pub use comparison::{Comparison, Comparisons};
pub use forecast::{Arrival, Projection};
pub use grid::Gap;
pub use heading::verdict_over;
pub use interval::interval;
pub use outlier::Outliers;
pub use reversal::Reversal;
pub use season::{Profile, Seasonality};
pub use shift::shift;
pub use summary::Summary;
pub(super) use summary::nearest_rank;
pub use surprise::Surprise;
pub use verdict::Verdict;
pub use window::WindowTrend;

/// One value of a series.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Point {
    /// When it was taken.
    pub time: Timestamp,
    /// What was measured.
    pub value: f64,
}

impl From<(Timestamp, f64)> for Point {
    fn from((time, value): (Timestamp, f64)) -> Self {
        Self { time, value }
    }
}

/// Which way is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Polarity {
    /// Latency, errors, queue depth.
    LowerIsBetter,
    /// Throughput, success, attainment.
    HigherIsBetter,
}

/// What is asked about a series.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Question {
    /// End of all windows; later points are not looked at.
    pub at: Timestamp,
    /// Distance at which points are expected.
    #[serde(serialize_with = "seconds")]
    pub interval: TimeDelta,
    /// Which way is good; without it a trend is `rising` or `falling`, without judgement.
    pub polarity: Option<Polarity>,
    /// A value worth knowing when it will be reached.
    pub threshold: Option<f64>,
    /// How far ahead to project; without it as far as each window looks back.
    #[serde(serialize_with = "some_seconds")]
    pub horizon: Option<TimeDelta>,
}

/// The way a series goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Towards the good.
    Improving,
    /// Towards the bad.
    Degrading,
    /// Neither.
    Stable,
    /// Up, and nobody said whether that is good.
    Rising,
    /// Down, and nobody said whether that is good.
    Falling,
    /// Too few points to tell.
    NotEnoughData,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Trend {
    /// What was asked.
    pub question: Question,
    /// Points that are no finite number and were left out.
    pub ignored: usize,
    /// One hour, one day, seven days, thirty days.
    pub windows: Vec<WindowTrend>,
    /// A longer window that improves while a shorter one degrades, or the opposite.
    pub reversal: Option<Reversal>,
    /// Means by hour and weekday, once there are two weeks of points.
    pub seasonality: Option<Seasonality>,
}

/// The windows every series is looked at through, shortest first: name and length in seconds.
pub const WINDOWS: [(&str, i64); 4] = [("1h", 3_600), ("24h", 86_400), ("7d", 604_800), ("30d", 2_592_000)];

const DAY: TimeDelta = TimeDelta::days(1);
/// As far back as any of the numbers needs, but for those a year ago: the longest window and the one before it.
pub const LOOKBACK: TimeDelta = TimeDelta::days(60);
/// A year of whole weeks, so that Mondays are compared with Mondays.
pub const YEAR: TimeDelta = TimeDelta::weeks(52);

/// Looks at `points` through every window. Their order does not matter. Those older than [`LOOKBACK`] only serve to be
/// compared with. Windows are looked through side by side on rayon's threads, so call it from a thread that may block.
pub fn trend(question: &Question, points: &[Point]) -> Trend {
    let mut known = points.to_vec();
    known.retain(|point| point.value.is_finite() && point.time <= question.at);
    known.sort_by(|a, b| a.time.cmp(&b.time).then(a.value.total_cmp(&b.value)));
    let recent = &known[known.partition_point(|point| point.time < ago(question.at, LOOKBACK))..];
    let look_through_windows = || -> Vec<WindowTrend> {
        let profile = Profile::of(recent, question);
        let look = |(name, seconds): &(&'static str, i64)| {
            window::look(question, name, TimeDelta::seconds(*seconds), &known, profile.as_ref())
        };
        WINDOWS.par_iter().map(look).collect()
    };
    let (windows, (surprises, seasonality)) =
        rayon::join(look_through_windows, || (surprise::surprises(recent), season::seasonality(recent)));
    let windows: Vec<WindowTrend> = windows.into_iter().map(|window| window.with(&surprises)).collect();
    Trend {
        question: question.clone(),
        ignored: points.iter().filter(|point| !point.value.is_finite()).count(),
        reversal: reversal::find(&windows),
        seasonality,
        windows,
    }
}

impl Direction {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Improving => "improving",
            Self::Degrading => "degrading",
            Self::Stable => "stable",
            Self::Rising => "rising",
            Self::Falling => "falling",
            Self::NotEnoughData => "not enough data",
        }
    }

    /// The direction of a change by `sign`, judged by `polarity`.
    pub(super) fn of(sign: f64, polarity: Option<Polarity>) -> Self {
        match (polarity, sign > 0.0) {
            _ if sign == 0.0 => Self::Stable,
            (None, true) => Self::Rising,
            (None, false) => Self::Falling,
            (Some(Polarity::LowerIsBetter), false) | (Some(Polarity::HigherIsBetter), true) => Self::Improving,
            (Some(_), _) => Self::Degrading,
        }
    }
}

/// The points after `from`, up to and including `to`, of points in order of time: windows that follow each other share
/// none.
fn between(points: &[Point], from: Timestamp, to: Timestamp) -> &[Point] {
    let first = points.partition_point(|point| point.time <= from);
    let end = points.partition_point(|point| point.time <= to);
    &points[first.min(end)..end]
}

/// A span in days.
fn days(span: TimeDelta) -> f64 {
    span.as_seconds_f64() / 86_400.0
}

fn seconds<S: serde::Serializer>(span: &TimeDelta, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(span.as_seconds_f64())
}

#[expect(clippy::ref_option, reason = "serde passes references")]
fn some_seconds<S: serde::Serializer>(span: &Option<TimeDelta>, serializer: S) -> Result<S::Ok, S::Error> {
    span.map(TimeDelta::as_seconds_f64).serialize(serializer)
}

/// The slope of the line through points by least squares; nothing of fewer than three.
pub fn slope(points: &[(f64, f64)]) -> Option<f64> {
    line::Line::least_squares(points).map(|line| line.slope)
}
