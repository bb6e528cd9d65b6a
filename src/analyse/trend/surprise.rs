//! Moments that the past did not announce: a value, or the mean of the last few, beyond almost everything before it.
//!
//! Each value is judged by earlier values only, so that the same moment is found live and afterwards. An episode is
//! told once, when it begins and whenever it gets worse.
#![expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places in a list of bounded length"
)]

use serde::Serialize;

use super::Point;
use super::summary::mean;
use crate::clock::Timestamp;

/// A moment that stands out of its past.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Surprise {
    /// When.
    pub time: Timestamp,
    /// What was measured.
    pub value: f64,
    /// How far beyond the past's edge, in distances of that edge from the middle.
    pub score: f64,
}

/// Score from which a value is a surprise; the best on NAB.
pub const SCORE_MIN: f64 = 0.14;
/// Values that are learned from before any is judged.
const LEARNED_MIN: usize = 100;
/// Share of the past that lies within each edge.
const EDGE_SHARE: f64 = 0.999;
/// How many values the running mean is of.
const RUNNING: usize = 36;
/// An episode lasts at least so many values.
const EPISODE: usize = 200;
/// Least distance of an edge from the middle, as a share of the distance between the edges.
const DISTANCE_MIN: f64 = 0.1;
/// The same, as a share of the middle, for a metric that never moved.
const DISTANCE_MIN_OF_MIDDLE: f64 = 0.01;
/// Most points looked at; two weeks of minutes.
const POINTS_MAX: usize = 20_000;

/// The surprises among the last points, which are in order of time.
pub(super) fn surprises(points: &[Point]) -> Vec<Surprise> {
    let points = &points[points.len().saturating_sub(POINTS_MAX)..];
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let found = points.iter().zip(scores(&values)).filter(|(_, score)| *score >= SCORE_MIN);
    found.map(|(point, score)| Surprise { time: point.time, value: point.value, score }).collect()
}

/// How surprising each value is, given the values before it; 0 within an episode that has been told.
pub fn scores(values: &[f64]) -> Vec<f64> {
    let running: Vec<f64> =
        (0..values.len()).map(|last| mean(&values[(last + 1).saturating_sub(RUNNING)..=last])).collect();
    let sudden = beyond(values, LEARNED_MIN);
    let lasting = beyond(&running, LEARNED_MIN + RUNNING);
    let scores: Vec<f64> = sudden.into_iter().zip(lasting).map(|(sudden, lasting)| sudden.max(lasting)).collect();
    let told =
        |place: usize| scores[place.saturating_sub(EPISODE)..place].iter().any(|earlier| *earlier >= scores[place]);
    (0..scores.len()).map(|place| if told(place) { 0.0 } else { scores[place] }).collect()
}

/// How far each value is beyond the edges of those before it.
fn beyond(values: &[f64], learned_min: usize) -> Vec<f64> {
    let mut past = Past::to_come(values);
    let score = |value: &f64| {
        let score = if past.len < learned_min { 0.0 } else { past.distance(*value) };
        past.add(*value);
        score
    };
    values.iter().map(score).collect()
}

/// The values so far. All that will come are known beforehand, so that each has its place among them: how many came of
/// which is a Fenwick tree, where adding a value and finding the nth cost the logarithm of their number.
struct Past {
    /// All values to come, in order.
    places: Vec<f64>,
    tree: Vec<u32>,
    len: usize,
}

impl Past {
    fn to_come(values: &[f64]) -> Self {
        let mut places = values.to_vec();
        places.sort_unstable_by(f64::total_cmp);
        places.dedup();
        Self { tree: vec![0; places.len() + 1], places, len: 0 }
    }

    fn add(&mut self, value: f64) {
        let mut node = self.places.partition_point(|place| *place < value) + 1;
        while let Some(count) = self.tree.get_mut(node) {
            *count += 1;
            node += node & node.wrapping_neg();
        }
        self.len += 1;
    }

    /// The value at `share` of the way from the smallest to the largest.
    fn at(&self, share: f64) -> f64 {
        let mut before = ((self.len - 1) as f64 * share).round() as u32;
        let mut place = 0;
        let mut width = self.tree.len().next_power_of_two() / 2;
        while width > 0 {
            if let Some(count) = self.tree.get(place + width).filter(|count| **count <= before) {
                before -= count;
                place += width;
            }
            width /= 2;
        }
        self.places[place]
    }

    fn distance(&self, value: f64) -> f64 {
        let (low, high) = (self.at(1.0 - EDGE_SHARE), self.at(EDGE_SHARE));
        if (low..=high).contains(&value) {
            return 0.0;
        }
        let middle = self.at(0.5);
        let least = (DISTANCE_MIN * (high - low)).max(DISTANCE_MIN_OF_MIDDLE * middle.abs()).max(f64::MIN_POSITIVE);
        let up = (value - high) / (high - middle).max(least);
        let down = (low - value) / (middle - low).max(least);
        up.max(down).clamp(0.0, f64::MAX)
    }
}
