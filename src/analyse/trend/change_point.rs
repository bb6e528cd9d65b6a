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
    if values.len() < 2 * STRETCH_MIN || scale <= centre.abs() * f64::EPSILON || !scale.is_finite() {
        return Vec::new();
    }
    let costs = Costs::new(values.iter().map(|value| (value - centre) / scale));
    let n = values.len() as f64;
    let mut best = (f64::INFINITY, Vec::new());
    for shape in [Shape::Level, Shape::Line] {
        let score = |cost: f64, count: usize| {
            n * (cost / n).max(VARIANCE_MIN).ln() + PENALTY * n.ln() * shape.parameters(count)
        };
        let mut segments = Segments::new(values.len(), |from, to| costs.of(shape, from, to));
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

/// Running sums, from which the squared error of any stretch follows.
struct Costs {
    value: Vec<f64>,
    square: Vec<f64>,
    placed: Vec<f64>,
}

impl Costs {
    fn new(values: impl Iterator<Item = f64>) -> Self {
        let mut sums = Self { value: vec![0.0], square: vec![0.0], placed: vec![0.0] };
        let (mut value_sum, mut square_sum, mut placed_sum) = (0.0, 0.0, 0.0);
        for (place, value) in values.enumerate() {
            value_sum += value;
            square_sum += value * value;
            placed_sum += value * place as f64;
            sums.value.push(value_sum);
            sums.square.push(square_sum);
            sums.placed.push(placed_sum);
        }
        sums
    }

    /// Squared error of the best level or line through `from..to`.
    fn of(&self, shape: Shape, from: usize, to: usize) -> f64 {
        let n = (to - from) as f64;
        let sum = self.value[to] - self.value[from];
        let error = self.square[to] - self.square[from] - sum * sum / n;
        let explained = match shape {
            Shape::Level => 0.0,
            Shape::Line => {
                let middle = f64::midpoint(from as f64, (to - 1) as f64);
                let shared = self.placed[to] - self.placed[from] - middle * sum;
                shared * shared / (n * (n * n - 1.0) / 12.0)
            }
        };
        (error - explained).max(0.0)
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
    fn new(n: usize, cost: impl Fn(usize, usize) -> f64) -> Self {
        let costs =
            (0..=n).map(|to| (0..(to + 1).saturating_sub(STRETCH_MIN)).map(|from| cost(from, to)).collect()).collect();
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
