//! The verdict on a window: a trend that is neither chance nor season nor too small to matter.

use std::ops::Range;

use serde::Serialize;

use super::grid::{Gap, Grid};
use super::kendall;
use super::line::Line;
use super::summary::{median, median_and_mad};
use super::{Direction, Polarity, days};
use crate::measure::crossing::MAD_TO_SIGMA;

/// What the window's trend is, and what that rests on.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// `not_enough_data` when nothing can be said.
    pub direction: Direction,
    /// One sentence with its numbers.
    pub statement: String,
    /// Two-sided probability of such a trend in a series without one.
    pub p_value: Option<f64>,
    /// Theil–Sen slope without the season, per day.
    pub slope_per_day: Option<f64>,
    /// Change over the window by that slope, relative to the level it began at.
    pub change: Option<f64>,
    /// Whether a daily or weekly season was taken out.
    pub seasonally_adjusted: bool,
    /// How many independent values the window is worth.
    pub n_effective: Option<f64>,
}

/// Fewest filled cells a verdict rests on.
pub(super) const CELLS_MIN: usize = 10;
/// One part in so many at the end of the window may be without points, not more.
const SILENT_PART: usize = 4;
/// Largest two-sided probability of chance: in a given direction 4.4 %, which leaves a little room below 5 % for the
/// autocorrelation being estimated.
const P_MAX: f64 = 0.088;
/// Least change over the window, relative to the level it began at.
const CHANGE_MIN: f64 = 0.05;

/// Judges a grid. `stretches` are those between its changes; if a season was taken out,
/// `freedom` is the share of the cells' freedom that this left.
pub(super) fn judge(
    grid: &Grid,
    stretches: &[Range<usize>],
    freedom: Option<f64>,
    gaps: &[Gap],
    polarity: Option<Polarity>,
) -> Verdict {
    let gap = gap(gaps);
    if let Some(why) = too_little(grid) {
        return Verdict::not_enough(&(why + &gap));
    }
    let places = numbered(&grid.cells);
    let Some(line) = Line::theil_sen(&places) else { return Verdict::not_enough("too few intervals have points") };
    let rest = rest(grid, stretches, line);
    let kendall = kendall::test(&grid.cells, &rest, stretches.len(), freedom.unwrap_or(1.0));
    let span = places[places.len() - 1].0 - places[0].0;
    let change = line.slope * span / level(&places, line);
    let significant = kendall.p_value <= P_MAX;
    let matters = change.abs() >= CHANGE_MIN;
    let direction = if significant && matters { Direction::of(change, polarity) } else { Direction::Stable };
    Verdict {
        direction,
        statement: statement(change, kendall.p_value, significant, matters, freedom.is_some()) + &gap,
        p_value: Some(kendall.p_value),
        slope_per_day: Some(line.slope / days(grid.step)),
        change: Some(change),
        seasonally_adjusted: freedom.is_some(),
        n_effective: Some(kendall.n_effective),
    }
}

/// Cells that hold something, by their number.
fn numbered(cells: &[Option<f64>]) -> Vec<(f64, f64)> {
    (0_u32..).map(f64::from).zip(cells).filter_map(|(cell, value)| Some((cell, (*value)?))).collect()
}

/// What is left of the cells beside the line of their stretch: a curve or a step is not memory. `whole` is the line
/// through all cells.
fn rest(grid: &Grid, stretches: &[Range<usize>], whole: Line) -> Vec<Option<f64>> {
    let mut rest = grid.cells.clone();
    for stretch in stretches {
        let cells = &mut rest[stretch.clone()];
        let line = match stretches {
            [_] => whole,
            _ => Line::theil_sen(&numbered(cells)).unwrap_or(Line { slope: 0.0, level: 0.0 }),
        };
        (0_u32..).zip(cells).for_each(|(cell, value)| *value = value.map(|value| value - line.at(f64::from(cell))));
    }
    rest
}

/// What a change is relative to: the level at the start, or the noise where that is larger, so that a metric that is
/// mostly 0 does not double all the time.
fn level(places: &[(f64, f64)], line: Line) -> f64 {
    let mut values: Vec<f64> = places.iter().map(|place| place.1).collect();
    let rest: Vec<f64> = places.iter().map(|place| place.1 - line.at(place.0)).collect();
    let noise = MAD_TO_SIGMA * median_and_mad(&rest).1;
    let first = line.at(places[0].0).abs();
    let floor = noise.max(0.01 * median(&mut values).abs());
    if first > floor { first } else { floor.max(f64::MIN_POSITIVE) }
}

fn too_little(grid: &Grid) -> Option<String> {
    let cells = grid.cells.len();
    let filled = grid.cells.iter().flatten().count();
    let silent = grid.cells.iter().rev().take_while(|value| value.is_none()).count();
    if filled < CELLS_MIN {
        Some(format!("{filled} of {cells} intervals have points, {CELLS_MIN} are needed"))
    } else if filled * 2 < cells {
        Some(format!("{filled} of {cells} intervals have points, half are needed"))
    } else if silent * SILENT_PART > cells {
        Some(format!("the last {silent} of {cells} intervals have no points"))
    } else {
        None
    }
}

/// The largest gap in words.
fn gap(gaps: &[Gap]) -> String {
    let largest = gaps.iter().max_by_key(|gap| (gap.missing, std::cmp::Reverse(gap.from)));
    largest.map_or_else(String::new, |gap| {
        format!("; {} points are missing between {} and {}", gap.missing, gap.from, gap.to)
    })
}

fn statement(change: f64, p_value: f64, significant: bool, matters: bool, adjusted: bool) -> String {
    let by = format!("{:+.1} % over the window", change * 100.0);
    let chance = if p_value < 0.001 { "p < 0.001".to_owned() } else { format!("p = {p_value:.3}") };
    let season = if adjusted { ", season taken out" } else { "" };
    match (significant, matters) {
        (true, true) => format!("{by} ({chance}{season})"),
        (true, false) => format!("{by} is too small to matter ({chance}{season})"),
        (false, _) => format!("{by} may be chance ({chance}{season})"),
    }
}

impl Verdict {
    fn not_enough(why: &str) -> Self {
        Self {
            direction: Direction::NotEnoughData,
            statement: format!("not enough data: {why}"),
            p_value: None,
            slope_per_day: None,
            change: None,
            seasonally_adjusted: false,
            n_effective: None,
        }
    }
}
