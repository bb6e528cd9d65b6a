//! Where a series becomes another one: the best cut into stretches of one level each, or of one straight line each.
//!
//! For every number of cuts the best places are found exactly, by dynamic programming; how many cuts, and whether level
//! or line, is decided by BIC with a stiffened penalty, because neighbouring values of a metric are alike and plain BIC
//! takes that for change.
#![expect(clippy::cast_precision_loss, reason = "counts of points fit 53 bits")]

use std::ops::Range;

use serde::Serialize;

use super::grid::Grid;
use super::summary::{mean, variance};
use crate::clock::Timestamp;

/// A change of level or slope.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChangePoint {
    /// Middle of the first cell after the change.
    pub time: Timestamp,
    /// Mean since the change before.
    pub before: f64,
    /// Mean until the next change.
    pub after: f64,
    /// `(after - before) / |before|`; nothing when it was 0 before.
    pub change: Option<f64>,
}

/// Most changes looked for.
const CUTS_MAX: usize = 20;
/// Fewest values between two changes.
const STRETCH_MIN: usize = 5;
/// Price of each parameter, in units of ln(n); BIC has 1. Scores on TCPD are flat from 3.5 to 6.
const PENALTY: f64 = 4.5;
/// Standard deviation, relative to the level, up to which values are equal but for rounding.
const SCALE_MIN: f64 = 1e-12;
/// Residual variance that counts as none, relative to the series.
const VARIANCE_MIN: f64 = 1e-9;

/// The stretches of cells between changes, one at least.
pub(super) fn stretches(grid: &Grid) -> Vec<Range<usize>> {
    let (cells, values): (Vec<usize>, Vec<f64>) = grid.known().unzip();
    let inner = cuts(&values).into_iter().map(|cut| cells[cut]);
    let edges: Vec<usize> = [0].into_iter().chain(inner).chain([grid.cells.len()]).collect();
    edges.windows(2).map(|edge| edge[0]..edge[1]).collect()
}

/// The changes between the stretches of a grid.
pub(super) fn between(grid: &Grid, stretches: &[Range<usize>]) -> Vec<ChangePoint> {
    let level =
        |stretch: &Range<usize>| mean(&grid.cells[stretch.clone()].iter().flatten().copied().collect::<Vec<_>>());
    let change_at = |pair: &[Range<usize>]| {
        let (before, after) = (level(&pair[0]), level(&pair[1]));
        let change = (before != 0.0).then(|| (after - before) / before.abs());
        ChangePoint { time: grid.time(pair[1].start), before, after, change }
    };
    stretches.windows(2).map(change_at).collect()
}

/// Places of the first values after each change. Quadratic in the number of values.
pub fn cuts(values: &[f64]) -> Vec<usize> {
    let centre = mean(values);
    let scale = variance(values, centre).sqrt();
    if values.len() < 2 * STRETCH_MIN || scale <= centre.abs() * SCALE_MIN || !scale.is_finite() {
        return Vec::new();
    }
    let costs = Costs::new(values.iter().map(|value| (value - centre) / scale));
    let n = values.len() as f64;
    let mut best = (f64::INFINITY, Vec::new());
    for shape in [Shape::Level, Shape::Line] {
        let score = |cost: f64, count: usize| {
            n * (cost / n).max(VARIANCE_MIN).ln() + PENALTY * n.ln() * shape.parameters(count)
        };
        let mut segments = Segments::new(costs.of(shape));
        let least = segments.least();
        for count in 0..=CUTS_MAX {
            // Costs only fall to the least of any number of cuts: when that does not pay, no more cuts do.
            if score(least, count) >= best.0 {
                break;
            }
            let Some((cost, cuts)) = segments.next() else { break };
            let score = score(cost, count);
            if score < best.0 {
                best = (score, cuts);
            }
        }
    }
    best.1
}

/// What a stretch is described by.
#[derive(Debug, Clone, Copy)]
enum Shape {
    Level,
    Line,
}

impl Shape {
    /// Parameters of so many cuts, beyond those of one level: a place, and what the new stretch looks like.
    fn parameters(self, cuts: usize) -> f64 {
        match self {
            Self::Level => 2.0 * cuts as f64,
            Self::Line => 1.0 + 3.0 * cuts as f64,
        }
    }
}

/// Running sums up to each place, from which the squared error of any stretch follows.
struct Costs(Vec<Sums>);

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    /// How many values there are.
    count: f64,
    value: f64,
    square: f64,
    placed: f64,
}

impl Costs {
    fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut sums = Sums::default();
        let mut costs = Self(vec![sums]);
        for value in values {
            sums = Sums {
                value: sums.value + value,
                square: sums.square + value * value,
                placed: sums.placed + value * sums.count,
                count: sums.count + 1.0,
            };
            costs.0.push(sums);
        }
        costs
    }

    /// What every stretch costs that is long enough, by its end, then by its start.
    fn of(&self, shape: Shape) -> Vec<Vec<f64>> {
        let to_each = (1..=self.0.len()).map(|end| (self.0[end - 1], &self.0[..end.saturating_sub(STRETCH_MIN)]));
        let row = |(to, starts): (Sums, &[Sums])| match shape {
            Shape::Level => starts.iter().map(|from| to.error_of_level(from).max(0.0)).collect(),
            Shape::Line => starts.iter().map(|from| to.error_of_line(from).max(0.0)).collect(),
        };
        to_each.map(row).collect()
    }
}

impl Sums {
    /// Squared error of the best level from `from` to here.
    fn error_of_level(&self, from: &Self) -> f64 {
        let sum = self.value - from.value;
        self.square - from.square - sum * sum / (self.count - from.count)
    }

    /// Squared error of the best line from `from` to here.
    fn error_of_line(&self, from: &Self) -> f64 {
        let n = self.count - from.count;
        let middle = 0.5 * (from.count + self.count - 1.0);
        let shared = self.placed - from.placed - middle * (self.value - from.value);
        self.error_of_level(from) - shared * shared / (n * (n * n - 1.0) / 12.0)
    }
}

/// The least cost of `0..n` for 0, 1, 2 … cuts, and where they are.
struct Segments {
    /// What each stretch costs, asked once for every number of cuts: by its end, then by its start.
    costs: Vec<Vec<f64>>,
    /// The least cost of each beginning with the cuts so far; nothing before the first answer.
    least: Vec<f64>,
    /// For each cut so far, by where the stretch after it ends, where it is.
    last_cut: Vec<Vec<usize>>,
}

impl Segments {
    fn new(costs: Vec<Vec<f64>>) -> Self {
        Self { costs, least: Vec::new(), last_cut: Vec::new() }
    }

    /// The least cost of any number of cuts.
    fn least(&self) -> f64 {
        let mut least = vec![f64::INFINITY; self.costs.len()];
        least[0] = 0.0;
        for to in STRETCH_MIN..self.costs.len() {
            if let Some((_, total)) = cheapest(&least, &self.costs[to]) {
                least[to] = total;
            }
        }
        least[self.costs.len() - 1]
    }

    /// With one cut more than the answer before.
    fn next(&mut self) -> Option<(f64, Vec<usize>)> {
        let n = self.costs.len() - 1;
        if self.least.is_empty() {
            self.least = self.costs.iter().map(|of_end| of_end.first().copied().unwrap_or(f64::INFINITY)).collect();
            return Some((self.least[n], Vec::new()));
        }
        let cuts = self.last_cut.len() + 1;
        if (cuts + 1) * STRETCH_MIN > n {
            return None;
        }
        let mut next = vec![f64::INFINITY; n + 1];
        let mut chosen = vec![0; n + 1];
        for to in (cuts + 1) * STRETCH_MIN..=n {
            let first = cuts * STRETCH_MIN;
            if let Some((place, total)) = cheapest(&self.least[first..], &self.costs[to][first..]) {
                (next[to], chosen[to]) = (total, first + place);
            }
        }
        self.least = next;
        self.last_cut.push(chosen);
        Some((self.least[n], trace(&self.last_cut, n)))
    }
}

/// Where the sum of two numbers at one place is least, and what it is; the first of equal places.
fn cheapest(before: &[f64], last: &[f64]) -> Option<(usize, f64)> {
    // The least of every few places first: that has no branches, and a machine compares several at once.
    const LANES: usize = 8;
    let places = before.len().min(last.len());
    let (before, last) = (&before[..places], &last[..places]);
    let ((before_lanes, before_rest), (last_lanes, last_rest)) =
        (before.as_chunks::<LANES>(), last.as_chunks::<LANES>());
    let mut lanes = [f64::INFINITY; LANES];
    for (before, last) in before_lanes.iter().zip(last_lanes) {
        for lane in 0..LANES {
            let total = before[lane] + last[lane];
            lanes[lane] = if total < lanes[lane] { total } else { lanes[lane] };
        }
    }
    let rest = before_rest.iter().zip(last_rest).map(|(before, last)| before + last);
    let least = lanes.into_iter().chain(rest).fold(f64::INFINITY, f64::min);
    let place = before.iter().zip(last).position(|(before, last)| before + last <= least)?;
    least.is_finite().then_some((place, least))
}

fn trace(last_cut: &[Vec<usize>], n: usize) -> Vec<usize> {
    let mut to = n;
    let mut cuts: Vec<usize> = last_cut
        .iter()
        .rev()
        .map(|chosen| {
            to = chosen[to];
            to
        })
        .collect();
    cuts.reverse();
    cuts
}
