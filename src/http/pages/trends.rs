//! What stands on the pages of trends.

use std::sync::Arc;

use super::{Asked, plots};
use crate::analyse::trend::{Polarity, Trend};
use crate::engine::{Engine, Line};
use crate::error::Result;
use crate::export::prometheus::named;
use crate::http::api::trends::Asked as Question;
use crate::measure::Series;
use crate::measure::store::Known;
use crate::query::parse_duration;
use crate::web;
use crate::web::plot::Forecast;
use crate::web::range::Range;
use crate::web::trend::Shown;

/// Series of one page.
const SERIES_MAX: usize = 4;

/// All series, or those of `metric`.
pub(in crate::http) fn trends(engine: &Engine, asked: &Asked) -> Result<String> {
    let (metric, component) = (asked.filled("metric"), asked.filled("component"));
    let range = asked.range()?;
    let of_component = |series: &Series| component.is_none_or(|component| component == series.component);
    let until = asked.now.min(range.window.to);
    let mut found = match metric {
        Some(metric) => engine.lines(metric, of_component, until)?,
        None => engine.all_lines(of_component, until)?,
    };
    found.sort_by(|a, b| a.known.series.cmp(&b.known.series));
    let Some(metric) = metric else {
        let all: Vec<Arc<Known>> = found.into_iter().map(|line| line.known).collect();
        return Ok(web::trend::list(&all, &range));
    };
    let horizon = asked.filled("horizon").map(|text| parse_duration("horizon", text)).transpose()?;
    let window = range.window.from..range.window.to;
    let question = Question::ahead(until, horizon);
    let more = found.len().saturating_sub(SERIES_MAX);
    let shown = |line: Line| {
        let mut plot = plots::plot(engine, &line, window.clone())?;
        plot.marks = plots::marks_of(engine, &line.known.series.component, &window)?;
        let trend = question.trend(engine, &line)?;
        plot.forecast = horizon.and_then(|_| forecast(&trend, &range));
        Ok(Shown { known: line.known, trend, plot })
    };
    let shown = found.into_iter().take(SERIES_MAX).map(shown).collect::<Result<Vec<_>>>()?;
    Ok(web::trend::show(&web::trend::Page {
        metric,
        about: about(engine, metric),
        component: component.unwrap_or_default(),
        horizon: asked.filled("horizon").unwrap_or_default(),
        range: &range,
        shown: &shown,
        more,
    }))
}

/// What is known of a metric, in a line.
fn about(engine: &Engine, metric: &str) -> Option<String> {
    let watching = engine.watching();
    let own = watching.definition(metric);
    let means = own.map(|own| own.description.as_str()).or_else(|| named(metric).map(|known| known.definition));
    let better = engine.polarity(metric).map(|polarity| match polarity {
        Polarity::LowerIsBetter => "lower is better",
        Polarity::HigherIsBetter => "higher is better",
    });
    let parts = [
        means.filter(|text| !text.is_empty()).map(str::to_owned),
        own.map(|own| format!("in {}", own.unit)),
        better.map(str::to_owned),
        own.and_then(|own| own.principle.clone()),
    ];
    let told: Vec<String> = parts.into_iter().flatten().collect();
    (!told.is_empty()).then(|| told.join("; "))
}

/// Where a series leads, by the window that is as long as what is drawn.
pub(in crate::http) fn forecast(trend: &Trend, range: &Range) -> Option<Forecast> {
    let length = range.window.length().num_seconds();
    let looked_at = trend
        .windows
        .iter()
        .find(|window| window.to.since(window.from).num_seconds() >= length)
        .or(trend.windows.last());
    let projection = looked_at?.projection?;
    let between = projection.low.zip(projection.high);
    Some(Forecast { time: projection.time, expected: projection.expected, between })
}
