//! What stands on the page of recommendations.

use std::collections::BTreeMap;

use super::Asked;
use crate::engine::Engine;
use crate::error::Result;
use crate::web;

/// What to do, most urgent first.
pub(in crate::http) fn recommendations(engine: &Engine, asked: &Asked) -> Result<String> {
    let range = asked.range()?;
    let component = asked.filled("component");
    let given: BTreeMap<String, String> =
        component.map(|name| ("component".to_owned(), name.to_owned())).into_iter().collect();
    let advised = engine.advise(range.window, &given)?;
    Ok(web::recommendations::render(&advised, &range, component.unwrap_or_default(), asked.now))
}
