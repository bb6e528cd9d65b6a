//! Moments that the past did not announce.
use super::{Point, between};
use crate::clock::Timestamp;
use serde::Serialize;

/// A moment.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Surprise {
    /// When.
    pub time: Timestamp,
    /// What was measured.
    pub value: f64,
    /// How unlikely.
    pub score: f64,
}

pub(super) fn surprises(points: &[Point], from: Timestamp, to: Timestamp) -> Vec<Surprise> {
    let _ = between(points, from, to);
    Vec::new()
}
