//! Objectives that grow: what is asked for in the first week is not yet what is promised in the end.

use chrono::TimeDelta;
use serde::{Serialize, Serializer};

use super::check_target;
use crate::clock::Timestamp;
use crate::error::{Error, Result};

/// A target that holds from some time after the beginning.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Phase {
    /// How long after the beginning it starts to hold.
    #[serde(rename = "afterSeconds", serialize_with = "seconds")]
    pub after: TimeDelta,
    /// Share that has to be good.
    pub target: f64,
}

/// Where an objective stands on its way to what is promised.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct PhaseStatus {
    /// The phase that holds, counted from 1.
    pub number: usize,
    /// How many there are.
    pub of: usize,
    /// The share that is promised in the end.
    pub promised: f64,
    /// When the next phase begins.
    pub until: Option<Timestamp>,
}

/// The usual way up to 99.9 %, a step a week.
pub const WEEKLY_STEPS: [Phase; 4] = [
    Phase { after: TimeDelta::zero(), target: 0.95 },
    Phase { after: TimeDelta::weeks(1), target: 0.97 },
    Phase { after: TimeDelta::weeks(2), target: 0.99 },
    Phase { after: TimeDelta::weeks(3), target: 0.999 },
];

/// The phase that holds `at` some time, of phases that begin at `start`, and where it stands among them. Before the
/// beginning the first one holds.
///
/// # Errors
/// `Invalid` as for [`check_phases`].
pub fn phase_at(phases: &[Phase], start: Timestamp, at: Timestamp) -> Result<(Phase, PhaseStatus)> {
    check_phases(phases)?;
    let age = at.since(start);
    let number = phases.partition_point(|phase| phase.after <= age).max(1);
    let until = phases.get(number).and_then(|next| start.checked_add(next.after));
    let status = PhaseStatus { number, of: phases.len(), promised: phases[phases.len() - 1].target, until };
    Ok((phases[number - 1], status))
}

/// Are these phases in order, each with a target?
///
/// # Errors
/// `Invalid` naming what is wrong.
pub fn check_phases(phases: &[Phase]) -> Result<()> {
    for phase in phases {
        check_target(phase.target)?;
    }
    if phases.is_empty() {
        return Err(Error::invalid("phases is empty").hint("give at least one phase with its target"));
    }
    if let Some(late) = phases.windows(2).find(|pair| pair[1].after <= pair[0].after) {
        let (before, after) = (late[0].after.num_seconds(), late[1].after.num_seconds());
        let error = Error::invalid(format!("a phase after {after} s follows one after {before} s"));
        return Err(error.hint("give phases in the order in which they begin"));
    }
    Ok(())
}

fn seconds<S: Serializer>(after: &TimeDelta, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.serialize_i64(after.num_seconds())
}
