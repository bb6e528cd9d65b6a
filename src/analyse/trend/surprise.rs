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

use std::cmp::Ordering;

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
///
/// The last value is taken away first: what was in order stays so, and the nth of fewer values is a neighbour of the nth
/// of more. Finding it among values that are added would cost a search each time.
fn beyond(values: &[f64], learned_min: usize) -> Vec<f64> {
    let mut past = Past::of(values);
    let [mut low, mut middle, mut high] = [1.0 - EDGE_SHARE, 0.5, EDGE_SHARE].map(|share| past.mark(share));
    let mut scores = vec![0.0; values.len()];
    for last in (learned_min..values.len()).rev() {
        let place = past.take_last();
        for mark in [&mut low, &mut middle, &mut high] {
            mark.without(place, &past);
        }
        let [low, middle, high] = [&low, &middle, &high].map(|mark| past.sorted[mark.place - 1]);
        scores[last] = distance(values[last], low, middle, high);
    }
    scores
}

/// How far a value is beyond the edges, in distances of that edge from the middle.
fn distance(value: f64, low: f64, middle: f64, high: f64) -> f64 {
    if (low..=high).contains(&value) {
        return 0.0;
    }
    let least = (DISTANCE_MIN * (high - low)).max(DISTANCE_MIN_OF_MIDDLE * middle.abs()).max(f64::MIN_POSITIVE);
    let up = (value - high) / (high - middle).max(least);
    let down = (low - value) / (middle - low).max(least);
    up.max(down).clamp(0.0, f64::MAX)
}

/// The values so far, each linked with its neighbours in order of size. Places are counted from 1; 0 and the one after
/// the last are edges, so that every value has two neighbours.
struct Past {
    /// All values, also those that were taken away.
    sorted: Vec<f64>,
    /// Places of the values that are left, in order of time.
    places: Vec<usize>,
    smaller: Vec<usize>,
    larger: Vec<usize>,
}

impl Past {
    fn of(values: &[f64]) -> Self {
        let mut order: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
        order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        let mut places = vec![0; order.len()];
        for (place, (_, at)) in (1..).zip(&order) {
            places[*at] = place;
        }
        let neighbours = 0..order.len() + 2;
        Self {
            sorted: order.into_iter().map(|(value, _)| value).collect(),
            places,
            smaller: neighbours.clone().map(|place| place.saturating_sub(1)).collect(),
            larger: neighbours.map(|place| place + 1).collect(),
        }
    }

    /// Takes the last value away, and says what its place was.
    fn take_last(&mut self) -> usize {
        let place = self.places.pop().unwrap_or_default();
        let (smaller, larger) = (self.smaller[place], self.larger[place]);
        (self.larger[smaller], self.smaller[larger]) = (larger, smaller);
        place
    }

    /// How many of the values left are smaller than the one at `share` of the way from the smallest to the largest.
    fn before(&self, share: f64) -> usize {
        (self.places.len().saturating_sub(1) as f64 * share + 0.5) as usize
    }

    /// The mark at `share` of all values, none of which has been taken away.
    fn mark(&self, share: f64) -> Mark {
        let before = self.before(share);
        Mark { share, before, place: before + 1 }
    }
}

/// The value at a share of the way from the smallest to the largest.
struct Mark {
    share: f64,
    /// How many of the values left are before it.
    before: usize,
    place: usize,
}

impl Mark {
    /// Moves to where it is of the values that `past` has now, from which the one at `taken` was taken away.
    fn without(&mut self, taken: usize, past: &Past) {
        match taken.cmp(&self.place) {
            Ordering::Less => self.before -= 1,
            Ordering::Equal => self.place = past.larger[taken],
            Ordering::Greater => {}
        }
        let before = past.before(self.share);
        while self.before > before {
            (self.before, self.place) = (self.before - 1, past.smaller[self.place]);
        }
        while self.before < before {
            (self.before, self.place) = (self.before + 1, past.larger[self.place]);
        }
    }
}
