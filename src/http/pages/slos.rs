//! What stands on the pages of objectives.

use std::sync::Arc;

use super::{Asked, plots};
use crate::clock::ago;
use crate::engine::Engine;
use crate::error::{Context as _, Result};
use crate::web;

/// All objectives.
pub(in crate::http) fn slos(engine: &Engine, asked: &Asked) -> Result<String> {
    let slos = match asked.filled("at") {
        Some(_) => Arc::new(engine.slos_at(asked.moment("at")?)?),
        None => engine.slos()?,
    };
    Ok(web::slos::list(&slos))
}

/// One SLO with its objectives.
pub(in crate::http) fn slo(engine: &Engine, asked: &Asked) -> Result<String> {
    let watching = engine.watching();
    let entry = watching.slos.get(&asked.id)?;
    let at = asked.moment("at")?;
    let slo = engine.slo_at(entry, at)?;
    let definition = serde_json::to_string_pretty(&entry.definition).internal("cannot write the definition")?;
    let selector = entry.definition.indicator.measure.whole().selector.as_ref();
    let lines = selector.map(|selector| engine.lines(&selector.metric, |series| selector.has(series), at));
    let found = lines.transpose()?.unwrap_or_default();
    let plot = found.first().map(|line| plots::plot(engine, line, slo.from.unwrap_or_else(|| ago(at, plots::DAY))..at));
    Ok(web::slos::show(&slo, &definition, plot.transpose()?.as_ref()))
}
