//! What stands on a component's page.

use std::collections::BTreeSet;

use super::Asked;
use crate::engine::Engine;
use crate::error::Result;
use crate::report::timeline::{GAP_MIN, timeline};
use crate::web;

/// Neighbours of a component.
const NEIGHBOURS_MAX: &str = "100";

/// What happened to a component, what it needs, what is measured of it.
pub(in crate::http) fn component(engine: &Engine, asked: &Asked) -> Result<String> {
    let name = asked.required("name")?;
    let range = asked.range()?;
    let story = engine.evidence_of(name, range.window)?;
    let kinds: BTreeSet<&str> = story.iter().map(|recorded| recorded.receipt.kind()).collect();
    // Most of the time of an answer goes into finding that there is none.
    let [calls, is_called] = engine.index().is_known_to_call(name)?;
    let neighbours = |is_known: bool, parameter: &'static str, column: &str| -> Result<Vec<String>> {
        if !is_known {
            return Ok(Vec::new());
        }
        let given = [(parameter, name.to_owned()), ("limit", NEIGHBOURS_MAX.to_owned())];
        Ok(engine.query("dependencies", given)?.rows.components(column))
    };
    let incidents = engine.incidents()?;
    let own: Vec<_> = incidents.iter().filter(|one| one.opened.receipt.component() == Some(name)).collect();
    let lines = engine.all_lines(|series| series.component == name, range.window.to)?;
    let series: Vec<_> = lines.into_iter().map(|line| line.known).collect();
    Ok(web::component::render(&web::component::Page {
        name,
        at: asked.now,
        range: &range,
        needs: &neighbours(calls, "component", "target")?,
        needed_by: &neighbours(is_called, "target", "component")?,
        incidents: &own,
        series: &series,
        timeline: &timeline(&story, range.window, &asked.filter()?, GAP_MIN),
        kinds: &kinds.into_iter().collect::<Vec<_>>(),
        given: &asked.given,
    }))
}
