//! What stands on the page of a principle.

use chrono::TimeDelta;

use super::{Asked, plots};
use crate::analyse::health::{Colour, Principle};
use crate::clock::{Timestamp, ago};
use crate::engine::{Engine, Line};
use crate::error::{Error, Result};
use crate::query::Rows;
use crate::record::Window;
use crate::web;
use crate::web::plot::Plot;
use crate::web::principle::{About, Behind, PRINCIPLES};
use crate::web::range::Range;

const MINUTE_SECONDS: u32 = 60;
/// Components, queues and pools that are looked at, and those that are shown.
const SERIES_MAX: usize = 1_000;
const BEHIND_MAX: usize = 20;
/// What was told last in this part of the time, but at least so recently, is how something stands.
const LATE_PART: i32 = 48;
const LATE_MIN: TimeDelta = TimeDelta::minutes(10);
/// Rows of what happened.
const ROWS_MAX: &str = "10";

/// How a principle stands, and what is behind it.
pub(in crate::http) fn principle(engine: &Engine, asked: &Asked) -> Result<String> {
    let about = PRINCIPLES.iter().find(|about| about.slug == asked.id).ok_or_else(|| {
        let known = PRINCIPLES.map(|about| about.slug).join(", ");
        Error::not_found(format!("\"{}\" is no principle", asked.id)).hint(format!("there are {known}"))
    })?;
    let range = asked.range()?;
    let health = engine.health_so_far()?;
    let status = health.health.principles.iter().find(|status| status.principle == about.principle);
    let status = status.ok_or_else(|| Error::internal("a principle was not judged"))?;
    let standings = standings(engine, about.metrics, range.window)?;
    let more = standings.len().saturating_sub(BEHIND_MAX);
    let shown = standings.iter().take(BEHIND_MAX);
    let mut behind: Vec<Behind> =
        shown.map(|standing| behind(engine, standing, range.window)).collect::<Result<_>>()?;
    if let Some(worst) = behind.first_mut() {
        worst.plot.marks = plots::marks_of(engine, &worst.component, &(range.window.from..range.window.to))?;
    }
    let happened: Vec<(&str, &str, Rows)> = about
        .queries
        .iter()
        .map(|(query, title)| Ok((*query, *title, happened(engine, query, &range)?)))
        .collect::<Result<_>>()?;
    Ok(web::principle::render(&web::principle::Page {
        about,
        status,
        at: asked.now,
        range: &range,
        behind: &behind,
        more,
        happened: &happened,
        vocabulary: engine.vocabulary(),
    }))
}

/// A series that tells of a principle, with its latest value.
struct Standing {
    line: Line,
    value: f64,
    colour: Colour,
}

/// The series that tell of it with these metrics, worst first. Only what is told of late counts.
fn standings(engine: &Engine, metrics: &[&str], window: Window) -> Result<Vec<Standing>> {
    let late = ago(window.to, LATE_MIN.max(window.length() / LATE_PART)).max(window.from)..window.to;
    let found = engine.all_lines(|series| metrics.contains(&series.metric.as_str()), window.to)?;
    let mut standings = Vec::new();
    for line in found.into_iter().take(SERIES_MAX) {
        let told = engine.values(&line, &late, MINUTE_SECONDS, None)?;
        let Some((_, value)) = told.last().copied() else { continue };
        standings.push(Standing { colour: plots::colour(engine, &line.known, value), line, value });
    }
    let order = |one: &Standing| metrics.iter().position(|metric| *metric == one.line.known.series.metric);
    standings.sort_by(|a, b| {
        (badness(b.colour).cmp(&badness(a.colour)))
            .then_with(|| order(a).cmp(&order(b)))
            .then_with(|| beyond(engine, b).total_cmp(&beyond(engine, a)))
            .then_with(|| a.line.known.series.cmp(&b.line.known.series))
    });
    Ok(standings)
}

fn behind(engine: &Engine, standing: &Standing, window: Window) -> Result<Behind> {
    let series = &standing.line.known.series;
    let labels: Vec<String> = series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Ok(Behind {
        component: series.component.clone(),
        labels: labels.join(", "),
        metric: series.metric.clone(),
        value: standing.value,
        colour: standing.colour,
        plot: plots::plot(engine, &standing.line, window.from..window.to)?,
    })
}

fn badness(colour: Colour) -> u8 {
    match colour {
        Colour::Grey => 0,
        Colour::Green => 1,
        Colour::Yellow => 2,
        Colour::Orange => 3,
        Colour::Red => 4,
    }
}

/// How far a value is on the bad side: in units of its farthest limit.
fn beyond(engine: &Engine, standing: &Standing) -> f64 {
    let limits = plots::limits(engine, &standing.line);
    let Some(limit) = limits.last() else { return standing.value };
    let share = if limit.value == 0.0 { standing.value } else { standing.value / limit.value };
    if limit.text.contains('<') { -share } else { share }
}

fn happened(engine: &Engine, query: &str, range: &Range) -> Result<Rows> {
    let (from, to) = (range.window.from.to_string(), range.window.to.to_string());
    let takes = |name: &str| {
        engine.catalogue().get(query).is_ok_and(|query| query.parameters.iter().any(|one| one.name == name))
    };
    let lookback = range.window.lookback();
    let given = [("from", from.clone()), ("since", from), ("to", to.clone()), ("at", to), ("lookback", lookback)];
    let given = given.into_iter().filter(|(name, _)| takes(name)).chain([("limit", ROWS_MAX.to_owned())]);
    Ok(engine.query(query, given)?.rows)
}

/// The way of each principle's first metric, by its worst series.
pub(super) fn sparks(engine: &Engine, at: Timestamp) -> Result<Vec<(Principle, Plot)>> {
    let window = Window { from: ago(at, plots::DAY), to: at };
    let spark = |about: &About| {
        let worst = standings(engine, &about.metrics[..1], window)?.into_iter().next();
        worst.map(|worst| Ok((about.principle, behind(engine, &worst, window)?.plot))).transpose()
    };
    PRINCIPLES.iter().filter_map(|about| spark(about).transpose()).collect()
}
