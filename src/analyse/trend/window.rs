//! One series through one window.

use chrono::TimeDelta;
use serde::Serialize;

use super::forecast::Basis;
use super::grid::{Gap, Grid, gaps};
use super::line::Line;
use super::{
    ChangePoint, Comparisons, Direction, Outliers, Point, Polarity, Profile, Projection, Question, Summary, Surprise,
    Verdict, change_point, days, forecast, outlier, smooth, verdict,
};
use crate::clock::{Timestamp, ago};

/// Everything that is said about one window.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct WindowTrend {
    /// Its name, such as `7d`.
    pub window: &'static str,
    /// Its start; a point there is part of it.
    pub from: Timestamp,
    /// Its end; a point there is part of it.
    pub to: Timestamp,
    /// Where points are missing.
    pub gaps: Vec<Gap>,
    /// The plain numbers; nothing without points.
    pub summary: Option<Summary>,
    /// The least-squares slope and what follows from it; nothing of fewer than three points.
    pub slope: Option<Slope>,
    /// Direction of the least-squares slope: `stable` when it makes less than 1 % of the mean over the window.
    pub direction: Direction,
    /// The verdict that has to earn itself.
    pub verdict: Verdict,
    /// Moving average of the last 60 s, or of three intervals where these are longer, so that it rests on more than the
    /// current value.
    pub smoothed: Option<f64>,
    /// Values far from the others.
    pub outliers: Option<Outliers>,
    /// Moments that the past did not announce.
    pub surprises: Vec<Surprise>,
    /// Where the level changed, the season taken out.
    pub change_points: Vec<ChangePoint>,
    /// The window continued.
    pub projection: Option<Projection>,
    /// The window beside earlier ones.
    pub comparison: Comparisons,
}

/// The least-squares slope in its units.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Slope {
    /// Units per day.
    pub per_day: f64,
    /// Units per hour.
    pub per_hour: f64,
    /// Percent of the window's mean per day; nothing when that is 0.
    pub percent_per_day: Option<f64>,
}

/// Least change over the window, relative to the mean, that the least-squares direction is not `stable` at.
const STABLE_BELOW: f64 = 0.01;

/// Looks at points in order of time, none after the question's `at`, through the window of `length` that ends there. It
/// has no surprises: those are the same for all windows.
pub(super) fn look(
    question: &Question,
    window: &'static str,
    length: TimeDelta,
    all: &[Point],
    profile: Option<&Profile>,
) -> WindowTrend {
    let (from, to) = (ago(question.at, length), question.at);
    let points = &all[all.partition_point(|point| point.time < from)..];
    let places: Vec<(f64, f64)> = points.iter().map(|point| (days(point.time.since(from)), point.value)).collect();
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let summary = Summary::of(&values);
    let line = Line::least_squares(&places);
    let slope = line.zip(summary).map(|(line, summary)| Slope::of(line, summary.mean));
    let season = |time: Timestamp| profile.map_or(0.0, |profile| profile.at(time));
    let grid = Grid::new(points, from, to, question.interval).without(season);
    let gaps = gaps(points, from, to, question.interval);
    let stretches = change_point::stretches(&grid);
    let verdict = verdict::judge(&grid, &stretches, profile.map(Profile::freedom_left), &gaps, question.polarity);
    let adjusted = grid.points();
    let basis = Basis {
        points: &places,
        line,
        adjusted: &adjusted,
        n_effective: verdict.n_effective.unwrap_or(0.0),
        season: &season,
        at: to,
        length,
    };
    WindowTrend {
        window,
        from,
        to,
        slope,
        direction: slope.map_or(Direction::NotEnoughData, |slope| direction(slope, length, question.polarity)),
        smoothed: smooth::moving_average(points, question.interval),
        outliers: outlier::outliers(points, question.polarity),
        surprises: Vec::new(),
        change_points: change_point::between(&grid, &stretches),
        projection: forecast::project(&basis, question.horizon.unwrap_or(length), question.threshold),
        comparison: Comparisons::of(all, to, length),
        summary,
        gaps,
        verdict,
    }
}

impl WindowTrend {
    /// With those of the surprises that are in it.
    pub(super) fn with(self, surprises: &[Surprise]) -> Self {
        Self { surprises: surprises.iter().filter(|moment| moment.time >= self.from).copied().collect(), ..self }
    }
}

impl Slope {
    fn of(line: Line, mean: f64) -> Self {
        let percent_per_day = (mean != 0.0).then(|| line.slope / mean * 100.0);
        Self { per_day: line.slope, per_hour: line.slope / 24.0, percent_per_day }
    }
}

fn direction(slope: Slope, length: TimeDelta, polarity: Option<Polarity>) -> Direction {
    let over_window = slope.percent_per_day.map(|percent| percent / 100.0 * days(length));
    match over_window {
        Some(change) if change.abs() < STABLE_BELOW => Direction::Stable,
        _ => Direction::of(slope.per_day, polarity),
    }
}
