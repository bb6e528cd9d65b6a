//! What stands on the pages of reviews, improvements and experiments.

use chrono::TimeDelta;

use super::Asked;
use crate::analyse::review::Week;
use crate::clock::ago;
use crate::engine::{EFFECT_DEFAULT, Engine, KaizenAsked};
use crate::error::Result;
use crate::record::Window;
use crate::web;

/// How far back improvements are shown.
const BACK: TimeDelta = TimeDelta::days(90);

/// The review of a week, or of the last one that is over.
pub(in crate::http) fn review(engine: &Engine, asked: &Asked) -> Result<String> {
    let last = Week::last_complete(asked.now);
    let week = if asked.id.is_empty() { last } else { asked.id.parse()? };
    let told = engine.review(week, 1, asked.now)?;
    Ok(web::reports::of_week(&told, week, week.next().window().from >= asked.now))
}

/// Improvements of the last months.
pub(in crate::http) fn improvements(engine: &Engine, asked: &Asked) -> Result<String> {
    let window = Window { from: ago(asked.now, BACK), to: asked.now };
    let log = engine.kaizen(&KaizenAsked { window, component: None, effect: EFFECT_DEFAULT }, asked.now)?;
    Ok(web::reports::of_improvements(&log))
}

/// All experiments.
pub(in crate::http) fn experiments(engine: &Engine, asked: &Asked) -> Result<String> {
    Ok(web::reports::of_experiments(&engine.experiments(asked.now)?))
}

/// One experiment.
pub(in crate::http) fn experiment(engine: &Engine, asked: &Asked) -> Result<String> {
    Ok(web::reports::of_experiment(&engine.experiment(&asked.id, asked.now)?))
}
