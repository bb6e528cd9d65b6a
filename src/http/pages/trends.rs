//! What stands on the pages of trends, and the plots of others.

use std::ops::Range;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Response;
use chrono::TimeDelta;

use super::{Given, page};
use crate::analyse::trend::WINDOWS;
use crate::clock::{Timestamp, ago};
use crate::engine::{Engine, Incident};
use crate::error::{Error, Result};
use crate::http::trends::Asked;
use crate::measure::read::{Statistic, steps};
use crate::measure::store::Known;
use crate::record::{Recorded, Window};
use crate::web;
use crate::web::plot::{Mark, Plot};
use crate::web::trend::Shown;

/// Series of one page.
const SERIES_MAX: usize = 4;
/// Points of one plot.
const POINTS_MAX: i64 = 240;
const STEP_MIN_SECONDS: i64 = 60;
/// The window that is drawn when nobody says.
const WINDOW_DEFAULT: &str = "24h";

/// All series, or those of `metric`.
pub(in crate::http) async fn trends(State(engine): State<Arc<Engine>>, Query(given): Query<Given>) -> Response {
    page(move || {
        let filled = |name: &str| given.get(name).filter(|text| !text.is_empty()).map(String::as_str);
        let component = filled("component");
        let mut found = engine.series(|series| {
            component.is_none_or(|component| component == series.component)
                && filled("metric").is_none_or(|metric| metric == series.metric)
        });
        let Some(metric) = filled("metric") else {
            let mut all: Vec<Arc<Known>> = found.into_iter().map(|(_, known)| known).collect();
            all.sort_by(|a, b| a.series.cmp(&b.series));
            return Ok(web::trend::list(&all));
        };
        found.sort_by(|a, b| a.1.series.cmp(&b.1.series));
        let name = filled("window").unwrap_or(WINDOW_DEFAULT);
        let (_, seconds) = WINDOWS
            .into_iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| Error::invalid(format!("window=\"{name}\" is not known")).hint("use 1h, 24h, 7d or 30d"))?;
        let at = engine.clock().now();
        let window = ago(at, TimeDelta::seconds(seconds))..at;
        let more = found.len().saturating_sub(SERIES_MAX);
        let shown = |(number, known): (u32, Arc<Known>)| {
            let mut plot = plot(&engine, number, &known, window.clone())?;
            plot.marks = marks_of(&engine, &known.series.component, &window)?;
            Ok(Shown { trend: Asked::at(at).trend(&engine, number, &known)?, known, plot })
        };
        let shown = found.into_iter().take(SERIES_MAX).map(shown).collect::<Result<Vec<_>>>()?;
        Ok(web::trend::show(metric, component.unwrap_or_default(), name, &shown, more))
    })
    .await
}

/// A series as a line.
pub(super) fn plot(engine: &Engine, number: u32, known: &Known, window: Range<Timestamp>) -> Result<Plot> {
    let length = window.end.since(window.start).num_seconds();
    let step = u32::try_from((length / POINTS_MAX).max(STEP_MIN_SECONDS)).unwrap_or(u32::MAX);
    let slots = engine.slots(number, window.clone())?;
    Ok(Plot {
        title: format!("{} of {}", known.series.metric, known.series.component),
        unit: known.unit.clone(),
        points: steps(&slots, &window, step, Statistic::of(known.series.kind)),
        from: window.start,
        to: window.end,
        marks: Vec::new(),
    })
}

/// The metric that shows the incident, with what happened meanwhile.
pub(super) fn symptom(
    engine: &Engine,
    incident: &Incident,
    window: Window,
    story: &[Recorded],
) -> Result<Option<Plot>> {
    let opened = &incident.opened.receipt;
    let (Some(metric), Some(component)) = (opened.text("metric"), opened.component()) else { return Ok(None) };
    let found = engine.series(|series| series.metric == metric && series.component == component);
    let Some((number, known)) = found.first() else { return Ok(None) };
    let mut plot = plot(engine, *number, known, window.from..window.to)?;
    plot.marks = story.iter().filter_map(Mark::of).collect();
    Ok(Some(plot))
}

/// What happened to the component in the window.
fn marks_of(engine: &Engine, component: &str, window: &Range<Timestamp>) -> Result<Vec<Mark>> {
    let mut marks = Vec::new();
    for query in ["changes_before", "alert_timeline"] {
        let (from, to) = (window.start.to_string(), window.end.to_string());
        let lookback = format!("{}s", window.end.since(window.start).num_seconds());
        let given = if query == "changes_before" {
            vec![("at", to), ("lookback", lookback)]
        } else {
            vec![("from", from), ("to", to)]
        };
        let given = given.into_iter().chain([("component", component.to_owned()), ("limit", "20".to_owned())]);
        for id in engine.query(query, given)?.rows.receipts("event") {
            marks.extend(Mark::of(&engine.receipt(id)?));
        }
    }
    Ok(marks)
}
