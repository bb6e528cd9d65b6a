//! What stands on the page of a principle.

use super::{Asked, plots};
use crate::analyse::health::{Colour, Principle};
use crate::clock::{Timestamp, ago};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::query::Rows;
use crate::record::Window;
use crate::web;
use crate::web::plot::Plot;
use crate::web::principle::{About, Behind, PRINCIPLES};
use crate::web::range::Range;

/// Components, queues and pools that are looked at, and those that are shown.
const SERIES_MAX: usize = 200;
const BEHIND_MAX: usize = 20;
/// Rows of what happened.
const ROWS_MAX: &str = "10";

/// How a principle stands, and what is behind it.
pub(in crate::http) fn principle(engine: &Engine, asked: &Asked) -> Result<String> {
    let about = PRINCIPLES.iter().find(|about| about.slug == asked.id).ok_or_else(|| {
        let known = PRINCIPLES.map(|about| about.slug).join(", ");
        Error::not_found(format!("\"{}\" is no principle", asked.id)).hint(format!("there are {known}"))
    })?;
    let range = asked.range()?;
    let health = engine.health()?.health;
    let status = health.principles.iter().find(|status| status.principle == about.principle);
    let status = status.ok_or_else(|| Error::internal("a principle was not judged"))?;
    let mut behind = behind(engine, about, range.window)?;
    let more = behind.len().saturating_sub(BEHIND_MAX);
    behind.truncate(BEHIND_MAX);
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

/// The series that tell of it, worst first.
fn behind(engine: &Engine, about: &About, window: Window) -> Result<Vec<Behind>> {
    let mut found = engine.series(|series| about.metrics.contains(&series.metric.as_str()));
    found.sort_by(|a, b| a.1.series.cmp(&b.1.series));
    let mut behind = Vec::new();
    for (number, known) in found.into_iter().take(SERIES_MAX) {
        let plot = plots::plot(engine, number, &known, window.from..window.to)?;
        let Some((_, value)) = plot.points.last().copied() else { continue };
        let labels: Vec<String> = known.series.labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        behind.push(Behind {
            component: known.series.component.clone(),
            labels: labels.join(", "),
            metric: known.series.metric.clone(),
            value,
            colour: plots::colour(engine, &known, value),
            plot,
        });
    }
    let order = |metric: &str| about.metrics.iter().position(|known| *known == metric);
    behind.sort_by(|a, b| {
        (badness(b.colour).cmp(&badness(a.colour)))
            .then_with(|| order(&a.metric).cmp(&order(&b.metric)))
            .then_with(|| beyond(b).total_cmp(&beyond(a)))
            .then_with(|| a.component.cmp(&b.component))
    });
    Ok(behind)
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
fn beyond(behind: &Behind) -> f64 {
    let Some(limit) = behind.plot.limits.last() else { return behind.value };
    let share = if limit.value == 0.0 { behind.value } else { behind.value / limit.value };
    if limit.text.contains('<') { -share } else { share }
}

fn happened(engine: &Engine, query: &str, range: &Range) -> Result<Rows> {
    let (from, to) = (range.window.from.to_string(), range.window.to.to_string());
    let takes = |name: &str| {
        engine.catalogue().get(query).is_ok_and(|query| query.parameters.iter().any(|one| one.name == name))
    };
    let lookback = format!("{}s", range.window.length().num_seconds().max(1));
    let given = [("from", from.clone()), ("since", from), ("to", to.clone()), ("at", to), ("lookback", lookback)];
    let given = given.into_iter().filter(|(name, _)| takes(name)).chain([("limit", ROWS_MAX.to_owned())]);
    Ok(engine.query(query, given)?.rows)
}

/// The way of each principle's first metric, by its worst series.
pub(super) fn sparks(engine: &Engine, at: Timestamp) -> Result<Vec<(Principle, Plot)>> {
    let window = Window { from: ago(at, plots::DAY), to: at };
    let spark = |about: &'static About| {
        let first = About { metrics: &about.metrics[..1], ..*about };
        Ok(behind(engine, &first, window)?.into_iter().next().map(|worst| (about.principle, worst.plot)))
    };
    PRINCIPLES.iter().filter_map(|about| spark(about).transpose()).collect()
}
