//! Plots of series, with their limits and what happened meanwhile.

use std::ops::Range;

use chrono::TimeDelta;

use crate::analyse::health::Colour;
use crate::clock::Timestamp;
use crate::engine::{Engine, Incident, Line};
use crate::error::Result;
use crate::measure::crossing::Threshold;
use crate::measure::store::Known;
use crate::record::{Recorded, Window};
use crate::web::plot::{Limit, Mark, Plot};

/// What is drawn when nobody says.
pub(super) const DAY: TimeDelta = TimeDelta::hours(24);
/// Points of one plot.
const POINTS_MAX: i64 = 240;
const STEP_MIN_SECONDS: i64 = 60;
/// Events of each sort that are marked.
const MARKS_MAX: &str = "20";

/// A line with its limits.
pub(in crate::http) fn plot(engine: &Engine, line: &Line, window: Range<Timestamp>) -> Result<Plot> {
    let length = window.end.since(window.start).num_seconds();
    let step = u32::try_from((length / POINTS_MAX).max(STEP_MIN_SECONDS)).unwrap_or(u32::MAX);
    let now = engine.clock().now();
    let runs = engine.runs(now)?;
    Ok(Plot {
        title: title(&line.known),
        unit: line.known.unit.clone(),
        points: engine.values(line, &window, step, None)?,
        from: window.start,
        to: window.end,
        marks: Vec::new(),
        limits: limits(engine, line),
        forecast: None,
        stalled_since: engine.stalled_since(line, now, &runs)?,
    })
}

/// What is held against the values that are drawn.
pub(super) fn limits(engine: &Engine, line: &Line) -> Vec<Limit> {
    let watching = engine.watching();
    let (series, statistic) = (&line.known.series, line.statistic());
    let applying = Threshold::applying(watching.thresholds(), series);
    let is_plotted = |threshold: &&Threshold| threshold.is_plain() && threshold.statistic_of(series) == statistic;
    let held = applying.into_iter().filter(is_plotted);
    held.flat_map(|threshold| {
        let limits = [(threshold.warning, Colour::Yellow, "warning"), (threshold.critical, Colour::Red, "critical")];
        limits.into_iter().filter_map(|(limit, colour, name)| {
            let limit = limit?;
            Some(Limit { value: limit.value(), text: format!("{name} {limit}"), colour })
        })
    })
    .collect()
}

fn title(known: &Known) -> String {
    let series = &known.series;
    let labels: Vec<String> = series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let labels = if labels.is_empty() { String::new() } else { format!(" ({})", labels.join(", ")) };
    format!("{} of {}{labels}", series.metric, series.component)
}

/// How a value of a series stands to its limits.
pub(super) fn colour(engine: &Engine, known: &Known, value: f64) -> Colour {
    let watching = engine.watching();
    let mut applying = Threshold::applying(watching.thresholds(), &known.series);
    applying.retain(|threshold| threshold.is_plain());
    let is_beyond = |limit: fn(&Threshold) -> Option<crate::measure::crossing::Limit>| {
        applying.iter().any(|threshold| limit(threshold).is_some_and(|limit| limit.is_beyond(value)))
    };
    if is_beyond(|threshold| threshold.critical) {
        Colour::Red
    } else if is_beyond(|threshold| threshold.warning) {
        Colour::Yellow
    } else if applying.is_empty() {
        Colour::Grey
    } else {
        Colour::Green
    }
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
    let found = engine.lines(metric, |series| series.component == component, window.to)?;
    let Some(line) = found.first() else { return Ok(None) };
    let mut plot = plot(engine, line, window.from..window.to)?;
    plot.marks = story.iter().filter_map(Mark::of).collect();
    Ok(Some(plot))
}

/// What happened to the component in the window.
pub(in crate::http) fn marks_of(engine: &Engine, component: &str, window: &Range<Timestamp>) -> Result<Vec<Mark>> {
    let (from, to) = (window.start.to_string(), window.end.to_string());
    let lookback = format!("{}s", window.end.since(window.start).num_seconds().max(1));
    let mut marks = Vec::new();
    for (query, times) in [
        ("changes_before", [("at", to.clone()), ("lookback", lookback)]),
        ("alert_timeline", [("from", from.clone()), ("to", to.clone())]),
        ("crossings", [("from", from), ("to", to)]),
    ] {
        let given = times.into_iter().chain([("component", component.to_owned()), ("limit", MARKS_MAX.to_owned())]);
        for id in engine.query(query, given)?.rows.receipts("event") {
            marks.extend(Mark::of(&engine.receipt(id)?));
        }
    }
    Ok(marks)
}
