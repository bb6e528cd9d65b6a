//! Are promises kept? Good events out of all against an objective: attainment, error budget, how fast it burns, who
//! burns it, and rules that let Prometheus watch it.
//!
//! ```
//! use naze::analyse::slo::{Count, Measured, State, evaluate};
//! use naze::measure::crossing::Palette;
//!
//! let measured = Measured::events(&[Some(Count::new(9_970, 10_000)?)]);
//! let evaluation = evaluate(0.9995, &measured, Palette::shipped())?;
//! assert_eq!(evaluation.state, State::Missed);
//! let budget = evaluation.budget.expect("there were events");
//! assert_eq!((budget.consumed, budget.remaining.raw, budget.remaining.value), (6.0, -5.0, 0.0));
//! # Ok::<(), naze::error::Error>(())
//! ```

pub mod burn;
mod burner;
pub mod chronic;
pub mod frame;
pub mod judge;
mod measured;
mod outlier;
mod phase;
pub mod prometheus;
pub mod report;
mod threshold;
mod watched;

use serde::Serialize;

use super::Clamped;
use super::clamped::settled;
use super::health::Colour;
use crate::error::{Error, Result};
use crate::measure::crossing::Palette;
use crate::slo::{Comparison, Threshold};
pub use burner::{Burner, Contribution, burners};
pub use measured::{Count, Measured};
pub use phase::{Phase, PhaseStatus, WEEKLY_STEPS, check_phases, phase_at};

/// Is the objective met?
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// Enough was good.
    Met,
    /// Too little was good.
    Missed,
    /// Nothing was measured.
    Unknown,
}

/// How a promise was kept in one window.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Evaluation {
    /// Share that has to be good.
    pub target: f64,
    /// What was good: events, or slices of time.
    pub good: u64,
    /// All of them.
    pub total: u64,
    /// Share that was good; nothing when nothing was measured.
    pub attainment: Option<f64>,
    /// Whether the objective is met.
    pub state: State,
    /// The measured value, where a threshold divides values; else the attainment.
    pub value: Option<f64>,
    /// What the value is held against: the threshold, or else the target.
    pub threshold: f64,
    /// How far the value is on the good side, relative to the threshold; negative on the bad side.
    pub headroom: Option<f64>,
    /// What may still go wrong.
    pub budget: Option<Budget>,
    /// Less than 99 % was good, whatever the objective.
    pub is_degraded: bool,
    /// Green above 95 %, yellow from 90 %, else red, unless thresholds say otherwise; grey when nothing was measured.
    pub colour: Colour,
    /// Every slice of the window was measured.
    pub is_complete: bool,
    /// Slices of the window.
    pub slices: usize,
    /// Those about which nothing is known.
    pub slices_missing: usize,
}

/// What may go wrong, and what did.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Budget {
    /// Share that may be bad: one minus the target.
    pub total: f64,
    /// Share that was bad.
    pub spent: f64,
    /// Spent of total: 1 is all of it, 6 six times as much as there was.
    pub consumed: f64,
    /// One minus what is consumed; raw it is negative when overspent.
    pub remaining: Clamped,
}

/// Share of good events below which a service is degraded.
const DEGRADED_BELOW: f64 = 0.99;

/// Holds what was `measured` against a `target`, the share that has to be good; its colour is that of `palette`.
pub fn evaluate(target: f64, measured: &Measured, palette: &Palette) -> Result<Evaluation> {
    check_target(target)?;
    let attainment = measured.attainment;
    let threshold = measured.threshold.unwrap_or(Threshold { comparison: Comparison::GreaterOrEqual, value: target });
    let value = if measured.threshold.is_some() { measured.value } else { attainment };
    Ok(Evaluation {
        target,
        good: measured.count.good(),
        total: measured.count.total(),
        attainment,
        state: match attainment {
            None => State::Unknown,
            Some(attainment) if attainment >= target => State::Met,
            Some(_) => State::Missed,
        },
        value,
        threshold: threshold.value,
        headroom: value.and_then(|value| threshold.headroom(value)),
        budget: attainment.map(|attainment| Budget::of(target, attainment)),
        is_degraded: attainment.is_some_and(|attainment| attainment < DEGRADED_BELOW),
        colour: Colour::of(attainment, "tps_kaizen_slo_attainment", palette),
        is_complete: measured.slices_missing == 0 && measured.slices > 0,
        slices: measured.slices,
        slices_missing: measured.slices_missing,
    })
}

/// The largest target, nine nines: numbers are told apart to nine decimals.
const TARGET_MAX: f64 = 0.999_999_999;

fn check_target(target: f64) -> Result<()> {
    if (0.0..=TARGET_MAX).contains(&target) {
        return Ok(());
    }
    let error = Error::invalid(format!("target is {target}, but has to be at least 0 and at most {TARGET_MAX}"));
    Err(error.hint("give the share that has to be good, such as 0.999; 1 would leave no error budget"))
}

impl Evaluation {
    /// Is the objective met? What was not measured is not.
    pub fn is_met(&self) -> bool {
        self.state == State::Met
    }
}

impl Budget {
    fn of(target: f64, attainment: f64) -> Self {
        let (total, spent) = (settled(1.0 - target), settled(1.0 - attainment));
        let consumed = settled(spent / total);
        Self { total, spent, consumed, remaining: Clamped::new(1.0 - consumed, 1.0 - consumed, 1.0) }
    }
}

/// Several objectives in one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Overall {
    /// The lowest remaining budget.
    pub remaining: Option<Clamped>,
    /// Name of the objective that has it.
    pub lowest: Option<String>,
    /// Names of those met.
    pub met: Vec<String>,
    /// Names of those missed.
    pub missed: Vec<String>,
    /// Names of those without a measurement.
    pub unknown: Vec<String>,
    /// Names of those measured with gaps.
    pub incomplete: Vec<String>,
}

/// Sums up named evaluations; their order does not matter.
pub fn overall(evaluations: &[(&str, &Evaluation)]) -> Overall {
    let mut sorted = evaluations.to_vec();
    sorted.sort_by_key(|(name, _)| *name);
    let lowest = sorted
        .iter()
        .filter_map(|(name, evaluation)| Some((*name, evaluation.budget?.remaining)))
        .min_by(|(_, a), (_, b)| a.raw.total_cmp(&b.raw));
    let names = |is_wanted: &dyn Fn(&Evaluation) -> bool| {
        sorted.iter().filter(|(_, evaluation)| is_wanted(evaluation)).map(|(name, _)| (*name).to_owned()).collect()
    };
    Overall {
        remaining: lowest.map(|(_, remaining)| remaining),
        lowest: lowest.map(|(name, _)| name.to_owned()),
        met: names(&|evaluation| evaluation.state == State::Met),
        missed: names(&|evaluation| evaluation.state == State::Missed),
        unknown: names(&|evaluation| evaluation.state == State::Unknown),
        incomplete: names(&|evaluation| evaluation.state != State::Unknown && !evaluation.is_complete),
    }
}

/// This week beside the last.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Weekly {
    /// This week's attainment less the last one's.
    pub change: f64,
    /// It fell by more than a point.
    pub is_degrading: bool,
}

/// Fall from one week to the next above which an objective degrades.
const WEEKLY_FALL_MAX: f64 = 0.01;

/// Compares the attainments of two weeks.
pub fn weekly(this_week: f64, last_week: f64) -> Weekly {
    let change = settled(this_week - last_week);
    Weekly { change, is_degrading: -change > WEEKLY_FALL_MAX }
}
