//! A long trend that turned.

use serde::Serialize;

use super::{Direction, WindowTrend};

/// A longer window goes one way and a shorter one the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Reversal {
    /// Name of the longer window.
    pub long: &'static str,
    /// Where that goes.
    pub was: Direction,
    /// Name of the shorter window.
    pub short: &'static str,
    /// Where that goes: `degrading` is a warning, `improving` a reason to celebrate.
    pub is: Direction,
}

/// The reversal with the longest windows: the one that rests on most.
pub(super) fn find(windows: &[WindowTrend]) -> Option<Reversal> {
    let pairs = (0..windows.len()).rev().flat_map(|long| (0..long).rev().map(move |short| (long, short)));
    pairs.map(|(long, short)| (&windows[long], &windows[short])).find_map(|(long, short)| {
        let (was, is) = (long.verdict.direction, short.verdict.direction);
        let turned = matches!(
            (was, is),
            (Direction::Improving, Direction::Degrading) | (Direction::Degrading, Direction::Improving)
        );
        turned.then_some(Reversal { long: long.window, was, short: short.window, is })
    })
}
