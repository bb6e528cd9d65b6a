//! Where series are heading: the list of all, and one metric with plot and verdicts.

use std::sync::Arc;

use maud::{Markup, html};

use super::plot::{Forecast, Plot};
use super::range::Range;
use super::{Frame, Place, brief, chip, component_link, fit, time};
use crate::analyse::health::Colour;
use crate::analyse::trend::{Direction, Trend, WindowTrend};
use crate::measure::store::Known;
use crate::report::figure;

/// Series of one list.
const LISTED_MAX: usize = 300;
/// Bytes of its table.
const LIST_BYTES_MAX: usize = 80_000;

/// All series.
pub fn list(series: &[Arc<Known>], range: &Range) -> String {
    let (lines, shown) = fit(LIST_BYTES_MAX, series.iter().take(LISTED_MAX).map(|known| line(known, range)));
    let main = html! {
        h1 { "Trends" }
        (range.picker("/trends", &[]))
        @if series.is_empty() { p.soft { "Nothing is measured yet: send metrics with remote write, OTLP or /v1/measurements." } }
        @else {
            div.table tabindex="0" role="region" aria-label="List of series" {
                table {
                    caption { (series.len()) " series" @if series.len() > shown { ", the first " (shown) " are shown" } }
                    thead { tr { @for name in ["Metric", "Component", "Labels", "Unit"] { th scope="col" { (name) } } } }
                    tbody { (lines) }
                }
            }
        }
    };
    Frame { title: "Trends", here: Place::Trends, range: Some(range), as_of: None }.around(&main)
}

fn line(known: &Known, range: &Range) -> Markup {
    let series = &known.series;
    let link = range.keep("/trends", [("metric", &*series.metric), ("component", &*series.component)]);
    html! {
        tr {
            td { a href=(link) { (brief(&series.metric)) } }
            td { (component_link(&series.component)) }
            td { (labels(known)) }
            td { (known.unit.as_deref().unwrap_or_default()) }
        }
    }
}

fn labels(known: &Known) -> String {
    let labels = known.series.labels.iter().map(|(name, value)| format!("{name}={value}"));
    brief(&labels.collect::<Vec<_>>().join(", "))
}

/// One series of a metric.
pub struct Shown {
    /// What it is of.
    pub known: Arc<Known>,
    /// Where it is heading.
    pub trend: Trend,
    /// Its values in the window that is looked at.
    pub plot: Plot,
}

/// Everything that stands on a metric's page.
pub struct Page<'a> {
    /// The metric.
    pub metric: &'a str,
    /// What was said of it.
    pub about: Option<String>,
    /// The component it is narrowed to, if any.
    pub component: &'a str,
    /// How far it is continued, as it was asked.
    pub horizon: &'a str,
    /// The time that is drawn.
    pub range: &'a Range,
    /// Its series.
    pub shown: &'a [Shown],
    /// How many more there are.
    pub more: usize,
}

/// A metric's series through every window.
pub fn show(given: &Page<'_>) -> String {
    let Page { metric, component, range, .. } = *given;
    let main = html! {
        p.path {
            a href=(range.keep("/trends", [])) { "All series" }
            @if !component.is_empty() { " › " a href=(range.keep("/component", [("name", component)])) { (brief(component)) } }
        }
        h1 { (brief(metric)) }
        @if let Some(about) = &given.about { p.soft { (about) } }
        (range.picker("/trends", &[("metric", metric), ("component", component), ("horizon", given.horizon)]))
        (continued(given))
        @if given.shown.is_empty() { p.soft { "No data: nothing of this name is measured." } }
        @for series in given.shown { (one(series, range)) }
        @if given.more > 0 { p.soft { (given.more) " more series; choose a component." } }
    };
    Frame { title: metric, here: Place::Trends, range: Some(range), as_of: None }.around(&main)
}

/// A form that continues the line into the future.
fn continued(given: &Page<'_>) -> Markup {
    let kept = [("metric", given.metric), ("component", given.component)].into_iter().chain(given.range.parameters());
    html! {
        form.screen method="get" action="/trends" {
            @for (name, value) in kept { @if !value.is_empty() { input type="hidden" name=(name) value=(value); } }
            label { "Look ahead" input name="horizon" value=(given.horizon) placeholder="such as 2h or 7d" autocomplete="off"; }
            button { "Show" }
        }
    }
}

fn one(shown: &Shown, range: &Range) -> Markup {
    let series = &shown.known.series;
    let file = range.keep(
        &format!("/v1/trends/{}", path_part(&series.metric)),
        [("component", &*series.component), ("format", "svg")],
    );
    html! {
        section {
            h2 { (component_link(&series.component)) " " span.soft { (labels(&shown.known)) } }
            (shown.plot.render())
            div.table tabindex="0" role="region" aria-label={ "Windows of " (brief(&series.component)) " " (labels(&shown.known)) } {
                table {
                    thead {
                        tr {
                            th scope="col" { "Over" } th scope="col" { "It is" } th scope="col" { "Why" }
                            @for name in ["Now", "Mean", "P99", "A day"] { th.number scope="col" { (name) } }
                        }
                    }
                    tbody { @for window in &shown.trend.windows { (row(window)) } }
                }
            }
            @if let Some(reversal) = &shown.trend.reversal {
                p { "It turned: over " (reversal.long) " " (direction(reversal.was)) ", over " (reversal.short) " " (direction(reversal.is)) }
            }
            @if let Some(ahead) = &shown.plot.forecast { (projected(ahead)) }
            p.screen { a href=(file) { "As a picture" } }
        }
    }
}

fn projected(ahead: &Forecast) -> Markup {
    html! {
        p.soft {
            "If it goes on as it did: " (figure(ahead.expected)) " at " (time(ahead.time))
            @if let Some((low, high)) = ahead.between { ", most likely between " (figure(low)) " and " (figure(high)) }
        }
    }
}

/// A name as a part of a path.
fn path_part(name: &str) -> String {
    form_urlencoded::byte_serialize(name.as_bytes()).collect::<String>().replace('+', "%20")
}

fn row(window: &WindowTrend) -> Markup {
    let number = |number: Option<f64>| number.map_or_else(String::new, figure);
    let summary = window.summary.as_ref();
    html! {
        tr {
            th scope="row" { (window.window) }
            td { (direction(window.verdict.direction)) }
            td { (window.verdict.statement.split("; ").next().unwrap_or_default()) }
            td.number { (number(summary.map(|summary| summary.current))) }
            td.number { (number(summary.map(|summary| summary.mean))) }
            td.number { (number(summary.map(|summary| summary.p99))) }
            td.number { (number(window.verdict.slope_per_day)) }
        }
    }
}

/// A direction as a chip.
pub(super) fn direction(direction: Direction) -> Markup {
    let colour = match direction {
        Direction::Improving | Direction::Stable => Colour::Green,
        Direction::Degrading => Colour::Red,
        Direction::Rising | Direction::Falling => Colour::Yellow,
        Direction::NotEnoughData => Colour::Grey,
    };
    chip(colour, direction.words())
}
