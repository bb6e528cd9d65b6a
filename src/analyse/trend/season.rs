//! What a metric usually does at this time of day and on this weekday.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "phases of a day are bounded and not negative"
)]

use chrono::{TimeDelta, Timelike};
use serde::Serialize;

use super::grid::Grid;
use super::summary::{mean, median, variance};
use super::{DAY, Point, Question, days};
use crate::clock::{Timestamp, ago};

/// Mean by hour of the day and by weekday.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seasonality {
    /// Mean of each hour of the UTC day, from 0.
    pub hours: Vec<Option<f64>>,
    /// Mean of each weekday, from Monday.
    pub weekdays: Vec<Option<f64>>,
}

const HOUR_MICROS: i64 = 3_600_000_000;
const DAY_MICROS: i64 = 24 * HOUR_MICROS;
/// History that [`Seasonality`] rests on at least.
const WEEKS_MIN: i64 = 2;

/// Means by hour and weekday of points in order of time, once they span two weeks.
pub(super) fn seasonality(points: &[Point]) -> Option<Seasonality> {
    let (first, last) = (points.first()?, points.last()?);
    if last.time.since(first.time) < TimeDelta::weeks(WEEKS_MIN) {
        return None;
    }
    let (mut hours, mut weekdays) = (vec![(0.0, 0_u32); 24], vec![(0.0, 0_u32); 7]);
    let hour_of = |point: &Point| point.time.micros().div_euclid(HOUR_MICROS);
    // Hour by hour, because old points stand for an hour and new ones for a minute.
    for points in points.chunk_by(|one, next| hour_of(one) == hour_of(next)) {
        let hour = hour_of(&points[0]);
        let mean = points.iter().map(|point| point.value).sum::<f64>() / points.len() as f64;
        for (sum, n) in [&mut hours[hour.rem_euclid(24) as usize], &mut weekdays[weekday_of(hour.div_euclid(24))]] {
            *sum += mean;
            *n += 1;
        }
    }
    let means = |sums: Vec<(f64, u32)>| sums.into_iter().map(|(sum, n)| (n > 0).then(|| sum / f64::from(n))).collect();
    Some(Seasonality { hours: means(hours), weekdays: means(weekdays) })
}

/// The usual deviation from the day's level by time of day, and from the week's level by weekday.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Of the middle of each phase of the day; empty without a daily season.
    day: Vec<f64>,
    /// Of each weekday, from Monday; empty without a weekly season.
    week: Vec<f64>,
    /// Days it is learned from.
    days: f64,
}

/// History the profile is learned from at most.
const HISTORY: TimeDelta = TimeDelta::days(35);
/// Days and weeks that a season must have shown itself in; half a cycle at each end only serves the level.
const DAYS_MIN: usize = 2;
const WEEKS_OF_PROFILE_MIN: usize = 3;
/// Narrowest phase of a day; between their middles the profile is a straight line.
const PHASE_MIN: TimeDelta = TimeDelta::minutes(15);
/// Share of the variance that a season explains at least, beyond what chance explains.
const STRENGTH_MIN: f64 = 0.3;

impl Profile {
    /// Learned from the last weeks of points in order of time; nothing when they show no season.
    pub(super) fn of(points: &[Point], question: &Question) -> Option<Self> {
        let from = points.first()?.time.max(ago(question.at, HISTORY));
        let step = [15, 30, 60, 120, 180, 240, 360]
            .map(TimeDelta::minutes)
            .into_iter()
            .find(|step| *step >= question.interval.max(PHASE_MIN))?;
        // Whole days back from the end, so that each phase is a cell.
        let whole_days = (days(question.at.since(from)) + days(step)).floor();
        let start = ago(question.at, DAY * whole_days as i32);
        let grid = Grid::with_step(points, start, question.at, step);
        let phases = (DAY.num_minutes() / step.num_minutes()) as usize;
        let day = cycle(&grid.cells, phases, DAYS_MIN).unwrap_or_default();
        let first_phase = phase(grid.time(0), phases).round() as usize % phases;
        let of_day = Self { days: whole_days, day: turned(day, first_phase), week: Vec::new() };
        let profile = Self { week: of_day.week(&grid, phases).unwrap_or_default(), ..of_day };
        (!profile.day.is_empty() || !profile.week.is_empty()).then_some(profile)
    }

    /// Weekday levels, from the means of the days in UTC without what is usual at that time of day.
    fn week(&self, grid: &Grid, phases: usize) -> Option<Vec<f64>> {
        let day_of = |cell: usize| grid.time(cell).micros().div_euclid(DAY_MICROS);
        let cells: Vec<usize> = (0..grid.cells.len()).collect();
        let level = |cells: &[usize]| {
            let known = cells.iter().filter_map(|cell| Some(grid.cells[*cell]? - self.at(grid.time(*cell))));
            let known: Vec<f64> = known.collect();
            (known.len() * 2 > phases).then(|| mean(&known))
        };
        let days: Vec<Option<f64>> = cells.chunk_by(|one, next| day_of(*one) == day_of(*next)).map(level).collect();
        Some(turned(cycle(&days, 7, WEEKS_OF_PROFILE_MIN)?, weekday_of(day_of(0))))
    }

    /// Share of their freedom that values keep when the profile they helped to learn is taken out.
    pub(super) fn freedom_left(&self) -> f64 {
        let kept = |cycles: f64, known: bool| if known { 1.0 - 1.0 / cycles } else { 1.0 };
        kept(self.days, !self.day.is_empty()) * kept(self.days / 7.0, !self.week.is_empty())
    }

    /// What is usual at `time`, relative to the level of the week.
    pub(super) fn at(&self, time: Timestamp) -> f64 {
        let weekday = self.week.get(weekday_of(time.micros().div_euclid(DAY_MICROS))).copied().unwrap_or(0.0);
        if self.day.is_empty() {
            return weekday;
        }
        let place = phase(time, self.day.len());
        let before = place.floor() as usize % self.day.len();
        let after = (before + 1) % self.day.len();
        weekday + self.day[before] + (self.day[after] - self.day[before]) * place.fract()
    }
}

/// The weekday, from Monday, of a day counted from 1970, which began on a Thursday.
fn weekday_of(day: i64) -> usize {
    (day + 3).rem_euclid(7) as usize
}

/// Distance from the middle of the day's first phase, in phases.
fn phase(time: Timestamp, phases: usize) -> f64 {
    let share = f64::from(time.utc().num_seconds_from_midnight()) / 86_400.0;
    (share * phases as f64 - 0.5).rem_euclid(phases as f64)
}

/// A profile that began at phase `first` of its cycle, from the beginning of the cycle.
fn turned(mut profile: Vec<f64>, first: usize) -> Vec<f64> {
    if !profile.is_empty() {
        let places = profile.len();
        profile.rotate_right(first % places);
    }
    profile
}

/// The usual deviation of each phase from a level that moves along, or nothing if phases explain too little.
fn cycle(cells: &[Option<f64>], phases: usize, cycles_min: usize) -> Option<Vec<f64>> {
    if phases < 2 || cells.len() < cycles_min * phases {
        return None;
    }
    let deviations = deviations(cells, phases);
    let mut profile = Vec::with_capacity(phases);
    for first in 0..phases {
        let mut of_phase: Vec<f64> = deviations.iter().skip(first).step_by(phases).flatten().copied().collect();
        if of_phase.is_empty() {
            return None;
        }
        profile.push(median(&mut of_phase));
    }
    let centre = mean(&profile);
    profile.iter_mut().for_each(|value| *value -= centre);
    (strength(&deviations, &profile) >= STRENGTH_MIN).then_some(profile)
}

/// Each cell less the mean of the cycle around it.
fn deviations(cells: &[Option<f64>], phases: usize) -> Vec<Option<f64>> {
    let half = phases / 2;
    let around = |place: usize| -> Option<f64> {
        // An even cycle has no middle: its two ends count half.
        let from = place.checked_sub(half)?;
        let cycle = cells.get(from..from + phases + usize::from(phases.is_multiple_of(2)))?;
        let ends = if phases.is_multiple_of(2) { 0.5 } else { 1.0 };
        let weight = |at: usize| if at == 0 || at == cycle.len() - 1 { ends } else { 1.0 };
        let known = || cycle.iter().enumerate().filter_map(|(at, value)| Some((weight(at), (*value)?)));
        let total: f64 = known().map(|(weight, _)| weight).sum();
        (total * 2.0 > phases as f64).then(|| known().map(|(weight, value)| weight * value).sum::<f64>() / total)
    };
    cells.iter().enumerate().map(|(place, value)| Some((*value)? - around(place)?)).collect()
}

/// Share of the variance that the profile explains, less what as many free phases would explain of noise.
fn strength(deviations: &[Option<f64>], profile: &[f64]) -> f64 {
    let known: Vec<(usize, f64)> =
        deviations.iter().enumerate().filter_map(|(place, value)| Some((place, (*value)?))).collect();
    let rest: Vec<f64> = known.iter().map(|(place, value)| value - profile[place % profile.len()]).collect();
    let whole: Vec<f64> = known.iter().map(|(_, value)| *value).collect();
    let freedom = known.len() as f64 - profile.len() as f64;
    let all = variance(&whole, mean(&whole));
    if freedom < 1.0 || all <= 0.0 {
        return 0.0;
    }
    1.0 - variance(&rest, mean(&rest)) / all * (known.len() as f64 - 1.0) / freedom
}
