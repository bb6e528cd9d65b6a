//! What stands on the page of recommendations.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;

use super::Asked;
use crate::clock::ago;
use crate::engine::Engine;
use crate::error::Result;
use crate::web;

/// What to do, most urgent first.
pub(in crate::http) fn recommendations(engine: &Engine, asked: &Asked) -> Result<String> {
    let range = asked.range()?;
    let component = asked.filled("component");
    let all = engine.advise_lately(range.window)?;
    let advised = match component {
        None => all,
        // Of a list that was cut nobody knows what else was about the component.
        Some(name) if all.truncated => {
            Arc::new(engine.advise(range.window, &BTreeMap::from([("component".to_owned(), name.to_owned())]))?)
        }
        Some(name) => Arc::new(all.of_component(name)),
    };
    // An answer of a moment ago is as of then; the present instant, which pages look at as well, is no age.
    let age = TimeDelta::seconds(range.window.to.since(advised.window.to).num_seconds());
    Ok(web::recommendations::render(&advised, &range, component.unwrap_or_default(), ago(asked.now, age)))
}
