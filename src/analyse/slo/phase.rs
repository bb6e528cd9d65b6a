//! Objectives that grow: what is asked for in the first week is not yet what is promised in the end.

use chrono::TimeDelta;

use super::check_target;
use crate::clock::Timestamp;
use crate::error::{Error, Result};

/// A target that holds from some time after the beginning.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Phase {
    /// How long after the beginning it starts to hold.
    pub after: TimeDelta,
    /// Share that has to be good.
    pub target: f64,
}

/// The usual way up to 99.9 %, a step a week.
pub const WEEKLY_STEPS: [Phase; 4] = [
    Phase { after: TimeDelta::zero(), target: 0.95 },
    Phase { after: TimeDelta::weeks(1), target: 0.97 },
    Phase { after: TimeDelta::weeks(2), target: 0.99 },
    Phase { after: TimeDelta::weeks(3), target: 0.999 },
];

/// The phase that holds `at` some time, of phases that begin at `start`. Before the beginning the first one holds.
pub fn phase_at(phases: &[Phase], start: Timestamp, at: Timestamp) -> Result<Phase> {
    for phase in phases {
        check_target(phase.target)?;
    }
    let Some(first) = phases.first() else {
        return Err(Error::invalid("phases is empty").hint("give at least one phase with its target"));
    };
    if let Some(late) = phases.windows(2).find(|pair| pair[1].after <= pair[0].after) {
        let (before, after) = (late[0].after.num_seconds(), late[1].after.num_seconds());
        let error = Error::invalid(format!("a phase after {after} s follows one after {before} s"));
        return Err(error.hint("give phases in the order in which they begin"));
    }
    let age = at.since(start);
    Ok(*phases.iter().rev().find(|phase| phase.after <= age).unwrap_or(first))
}
