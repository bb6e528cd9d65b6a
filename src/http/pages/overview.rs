//! What stands on the overview.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use chrono::TimeDelta;

use super::{page, trends};
use crate::clock::{Timestamp, ago};
use crate::engine::{Engine, Incident};
use crate::error::Result;
use crate::query::Rows;
use crate::web;
use crate::web::overview::Notable;

/// Rows of each list.
const ROWS_MAX: usize = 8;
/// Series of note.
const NOTABLE_MAX: usize = 6;
/// How far back "lately" reaches.
const LATELY: TimeDelta = TimeDelta::hours(24);

/// How is it, what is broken, what to do first?
pub(in crate::http) async fn overview(State(engine): State<Arc<Engine>>) -> Response {
    page(move || {
        let at = engine.clock().now();
        let incidents = engine.incidents()?;
        let open: Vec<&Incident> =
            incidents.iter().filter(|incident| incident.latest("status") != Some("resolved")).collect();
        let changes =
            engine.query("changes_before", [("lookback", "7d".to_owned()), ("limit", ROWS_MAX.to_string())])?;
        let mut changes = changes.rows;
        changes.keep(&["time", "component", "kind", "subject", "status", "summary", "event"]);
        // The query tells them in order of time; the newest are last.
        let mut alerts = engine.query("alert_timeline", [])?.rows;
        alerts.rows = alerts.rows.into_iter().rev().take(ROWS_MAX).collect();
        alerts.keep(&["fired", "component", "rule", "severity", "resolved", "event"]);
        Ok(web::overview::render(&web::overview::Overview {
            at,
            health: &engine.health()?.health,
            open: &open,
            changes: &changes,
            alerts: &alerts,
            notable: &notable(&engine, at)?,
            vocabulary: engine.vocabulary(),
        }))
    })
    .await
}

/// The series that crossed thresholds most often lately.
fn notable(engine: &Engine, at: Timestamp) -> Result<Vec<Notable>> {
    let rows: Rows = engine.query("crossings", [])?.rows;
    let metrics = rows.texts("metric");
    let mut crossings: BTreeMap<(String, String), usize> = BTreeMap::new();
    for (component, metric) in rows.components("component").into_iter().zip(metrics) {
        *crossings.entry((component, metric)).or_default() += 1;
    }
    let mut most: Vec<_> = crossings.into_iter().collect();
    most.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let notable = |((component, metric), crossings): ((String, String), usize)| {
        let found = engine.series(|series| series.metric == metric && series.component == component);
        let plot = found.first().map(|(number, known)| trends::plot(engine, *number, known, ago(at, LATELY)..at));
        Ok(Notable { component, metric, crossings, plot: plot.transpose()? })
    };
    most.into_iter().take(NOTABLE_MAX).map(notable).collect()
}
