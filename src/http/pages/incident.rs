//! What stands on the pages of incidents.

use super::{Asked, plots};
use crate::engine::{Engine, LOOKBACK_DEFAULT};
use crate::error::Result;
use crate::report::timeline::{GAP_MIN, timeline};
use crate::web;

/// Earlier incidents that are alike.
const SIMILAR_MAX: usize = 5;

/// All incidents.
pub(in crate::http) fn incidents(engine: &Engine, asked: &Asked) -> Result<String> {
    Ok(web::incident::list(&engine.incidents()?, asked.now))
}

/// One incident: cause, reasons, timeline.
pub(in crate::http) fn incident(engine: &Engine, asked: &Asked) -> Result<String> {
    let incident = engine.incident(&asked.id)?;
    let (answer, evidence) = engine.investigate(&incident.question(), LOOKBACK_DEFAULT)?;
    let window = incident.story(asked.now);
    let story = engine.evidence(window)?;
    let similar = engine.similar_incidents(&incident.reference, asked.now, SIMILAR_MAX)?;
    Ok(web::incident::render(&web::incident::Page {
        at: asked.now,
        incident: &incident,
        answer: &answer,
        evidence: &evidence,
        timeline: &timeline(&story, window, &asked.filter()?, GAP_MIN),
        given: &asked.given,
        symptom: plots::symptom(engine, &incident, window, &story)?,
        similar: &similar,
        vocabulary: engine.vocabulary(),
    }))
}
