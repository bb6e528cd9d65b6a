//! What stands on the overview.

use std::collections::BTreeMap;

use super::{Asked, plots, principle};
use crate::engine::{Engine, Incident};
use crate::error::Result;
use crate::query::Rows;
use crate::web;
use crate::web::overview::Notable;
use crate::web::range::Range;

/// Rows of each list.
const ROWS_MAX: usize = 8;
/// Series of note.
const NOTABLE_MAX: usize = 6;

/// How is it, what is broken, what to do first?
pub(in crate::http) fn overview(engine: &Engine, asked: &Asked) -> Result<String> {
    let at = asked.now;
    let range = asked.range()?;
    let (from, to) = (range.window.from.to_string(), range.window.to.to_string());
    let incidents = engine.incidents()?;
    let open: Vec<&Incident> =
        incidents.iter().filter(|incident| incident.latest("status") != Some("resolved")).collect();
    let lookback = format!("{}s", range.window.length().num_seconds().max(1));
    let latest = [("at", to.clone()), ("lookback", lookback), ("limit", ROWS_MAX.to_string())];
    let mut changes = engine.query("changes_before", latest)?.rows;
    changes.keep(&["time", "component", "kind", "subject", "status", "summary", "event"]);
    // The query tells them in order of time; the newest are last.
    let mut alerts = engine.query("alert_timeline", [("from", from), ("to", to)])?.rows;
    alerts.rows = alerts.rows.into_iter().rev().take(ROWS_MAX).collect();
    alerts.keep(&["fired", "component", "rule", "severity", "resolved", "event"]);
    Ok(web::overview::render(&web::overview::Overview {
        at,
        health: &engine.health_so_far()?,
        open: &open,
        changes: &changes,
        alerts: &alerts,
        notable: &notable(engine, &range)?,
        sparks: &principle::sparks(engine, at)?,
        range: &range,
        vocabulary: engine.vocabulary(),
    }))
}

/// The series that crossed thresholds most often.
fn notable(engine: &Engine, range: &Range) -> Result<Vec<Notable>> {
    let window = range.window;
    let rows: Rows =
        engine.query("crossings", [("from", window.from.to_string()), ("to", window.to.to_string())])?.rows;
    let metrics = rows.texts("metric");
    let mut crossings: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (component, metric) in rows.components("component").into_iter().zip(metrics) {
        *crossings.entry((component, metric)).or_default() += 1;
    }
    let mut most: Vec<_> = crossings.into_iter().collect();
    most.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let notable = |((component, metric), crossings): ((String, String), usize)| {
        let found = engine.series(|series| series.metric == metric && series.component == component);
        let plot = found.first().map(|(number, known)| plots::plot(engine, *number, known, window.from..window.to));
        Ok(Notable { component, metric, crossings, plot: plot.transpose()? })
    };
    most.into_iter().take(NOTABLE_MAX).map(notable).collect()
}
