//! What stands on the overview.

use std::collections::BTreeMap;

use super::{Asked, plots, principle};
use crate::clock::ago;
use crate::engine::{Engine, Incident};
use crate::error::Result;
use crate::query::Rows;
use crate::record::{Window, standing};
use crate::web;
use crate::web::overview::Notable;
use crate::web::range::Range;

/// Rows of each list.
const ROWS_MAX: usize = 8;
/// Parts of the window that the newest things are looked for in, before all of it.
const PARTS: [i32; 2] = [64, 8];
/// Series of note.
const NOTABLE_MAX: usize = 6;

/// How is it, what is broken, what to do first?
pub(in crate::http) fn overview(engine: &Engine, asked: &Asked) -> Result<String> {
    let at = asked.now;
    let range = asked.range()?;
    let incidents = engine.incidents()?;
    let open: Vec<&Incident> =
        incidents.iter().filter(|incident| incident.latest("status") != Some("resolved")).collect();
    let mut changes = newest(range.window, |window| {
        let given = [("at", window.to.to_string()), ("lookback", window.lookback()), ("limit", ROWS_MAX.to_string())];
        Ok(engine.query("changes_before", given)?.rows)
    })?;
    changes.keep(&["time", "component", "kind", "subject", "status", "summary", "event"]);
    // The query tells them in order of time; the newest are last.
    let mut alerts = newest(range.window, |window| {
        let given = [("from", window.from.to_string()), ("to", window.to.to_string())];
        Ok(engine.query("alert_timeline", given)?.rows)
    })?;
    alerts.rows = alerts.rows.into_iter().rev().take(ROWS_MAX).collect();
    alerts.keep(&["fired", "component", "rule", "severity", "resolved", "event"]);
    Ok(web::overview::render(&web::overview::Overview {
        at,
        health: &*engine.health_so_far()?,
        open: &open,
        changes: &changes,
        alerts: &alerts,
        notable: &notable(engine, &range)?,
        sparks: &principle::sparks(engine, at)?,
        range: &range,
        vocabulary: engine.vocabulary(),
    }))
}

/// What is known of a window's newest things: its last part is asked first, and mostly that is enough and costs little.
fn newest(window: Window, ask: impl Fn(Window) -> Result<Rows>) -> Result<Rows> {
    for part in PARTS {
        let rows = ask(Window { from: ago(window.to, window.length() / part), to: window.to })?;
        if rows.rows.len() >= ROWS_MAX {
            return Ok(rows);
        }
    }
    ask(window)
}

/// The series that crossed thresholds most often.
fn notable(engine: &Engine, range: &Range) -> Result<Vec<Notable>> {
    let window = range.window;
    let mut crossings: BTreeMap<(String, String), usize> = BTreeMap::new();
    for crossing in standing(engine.evidence_of_kind("crossing", window)?) {
        let receipt = &crossing.receipt;
        let begins = receipt.text("status").is_none();
        if let (true, Some(component), Some(metric)) = (begins, receipt.component(), receipt.text("metric")) {
            *crossings.entry((component.to_owned(), metric.to_owned())).or_default() += 1;
        }
    }
    let mut most: Vec<_> = crossings.into_iter().collect();
    most.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let notable = |((component, metric), crossings): ((String, String), usize)| {
        let found = engine.lines(&metric, |series| series.component == component, window.to)?;
        let plot = found.first().map(|line| plots::plot(engine, line, window.from..window.to));
        Ok(Notable { component, metric, crossings, plot: plot.transpose()? })
    };
    most.into_iter().take(NOTABLE_MAX).map(notable).collect()
}
