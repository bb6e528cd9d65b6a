//! What naze reads from an SLO's annotations: targets that grow, and whether outliers count.

use super::section::Section;
use crate::analyse::slo::{Phase, WEEKLY_STEPS, check_phases};
use crate::clock::Timestamp;
use crate::query::parse_duration;
use crate::slo::Phases;

const PREFIX: &str = "naze/";
const PHASES: &str = "naze/phases";
const FROM: &str = "naze/phases-from";
const OUTLIERS: &str = "naze/outliers";
const WEEKLY: &str = "weekly";
const EXAMPLE: &str = "0.95, 7d 0.97, 14d 0.99, 21d 0.999";

/// What the annotations say.
pub(super) struct Annotations {
    pub(super) phases: Option<Phases>,
    pub(super) counts_outliers: bool,
}

/// Reads the annotations that are meant for naze.
pub(super) fn read(metadata: &Section<'_>) -> Annotations {
    let Some(annotations) = metadata.section("annotations") else {
        return Annotations { phases: None, counts_outliers: false };
    };
    let known = [PHASES, FROM, OUTLIERS];
    for (name, _) in annotations.members().filter(|(name, _)| name.starts_with(PREFIX)) {
        if !known.contains(&name.as_str()) {
            annotations.fault("known field", name, "is not known", &format!("naze reads {}", known.join(", ")));
        }
    }
    let outliers =
        annotations.has(OUTLIERS).then(|| annotations.word(OUTLIERS, &[("left out", false), ("count", true)]));
    Annotations { phases: phases(&annotations), counts_outliers: outliers.flatten().unwrap_or_default() }
}

fn phases(annotations: &Section<'_>) -> Option<Phases> {
    if !annotations.has(PHASES) {
        if annotations.has(FROM) {
            annotations.missing(PHASES, EXAMPLE);
        }
        return None;
    }
    let text = annotations.need_text(PHASES, EXAMPLE)?;
    let steps = if text == WEEKLY { Some(WEEKLY_STEPS.to_vec()) } else { text.split(',').map(step).collect() };
    let steps: Option<Vec<Phase>> = steps;
    let Some(steps) = steps else {
        annotations.fault("phases", PHASES, "has no such form", &format!("write \"{EXAMPLE}\", or \"{WEEKLY}\""));
        return None;
    };
    if let Err(error) = check_phases(&steps) {
        let fix = error.hints().first().cloned().unwrap_or_default();
        annotations.fault("phases", PHASES, &format!("is wrong: {}", error.message()), &fix);
        return None;
    }
    let from = annotations.need_text(FROM, "\"2026-03-02T00:00:00Z\"")?;
    let start: Option<Timestamp> = from.parse().ok().or_else(|| format!("{from}T00:00:00Z").parse().ok());
    if start.is_none() {
        annotations.fault("time", FROM, "is no time", "write it as 2026-03-02 or 2026-03-02T00:00:00Z");
    }
    Some(Phases { start: start?, steps })
}

/// `7d 0.97`, or a target alone for the beginning.
fn step(text: &str) -> Option<Phase> {
    let (after, target) = match text.trim().split_once(' ') {
        Some((after, target)) => (parse_duration("after", after).ok()?, target),
        None => (chrono::TimeDelta::zero(), text),
    };
    Some(Phase { after, target: target.trim().parse().ok()? })
}
