//! Where series are heading: the list of all, and one metric with plot and verdicts.

use std::sync::Arc;

use maud::{Markup, html};

use super::plot::Plot;
use super::{Place, address, brief, chip, component_link, fit, page};
use crate::analyse::health::Colour;
use crate::analyse::trend::{Direction, Trend, WindowTrend};
use crate::measure::store::Known;
use crate::report::figure;

/// Series of one list.
const LISTED_MAX: usize = 300;
/// Bytes of its table.
const LIST_BYTES_MAX: usize = 80_000;

/// All series.
pub fn list(series: &[Arc<Known>]) -> String {
    let (lines, shown) = fit(LIST_BYTES_MAX, series.iter().take(LISTED_MAX).map(|known| line(known)));
    let main = html! {
        h1 { "Trends" }
        @if series.is_empty() { p.soft { "Nothing is measured yet: send metrics with remote write, OTLP or /v1/measurements." } }
        @else {
            div.table tabindex="0" role="region" aria-label="Series" {
                table {
                    caption { (series.len()) " series" @if series.len() > shown { ", the first " (shown) " are shown" } }
                    thead { tr { @for name in ["Metric", "Component", "Labels", "Unit"] { th scope="col" { (name) } } } }
                    tbody { (lines) }
                }
            }
        }
    };
    page("Trends", Place::Trends, &main)
}

fn line(known: &Known) -> Markup {
    let series = &known.series;
    let link = address("/trends", [("metric", &*series.metric), ("component", &*series.component)]);
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

/// A metric's series through every window; `more` of them are not shown. `window` is the one that is drawn.
pub fn show(metric: &str, component: &str, window: &str, shown: &[Shown], more: usize) -> String {
    let main = html! {
        h1 { (brief(metric)) }
        p.screen {
            "Window: "
            @for (name, _) in crate::analyse::trend::WINDOWS {
                a href=(address("/trends", [("metric", metric), ("component", component), ("window", name)]))
                    aria-current=[(name == window).then_some("true")] { (name) } " "
            }
            " · " a href="/trends" { "all series" }
        }
        @if shown.is_empty() { p.soft { "No data: nothing of this name is measured." } }
        @for series in shown { (one(series)) }
        @if more > 0 { p.soft { (more) " more series; choose a component." } }
    };
    page(metric, Place::Trends, &main)
}

fn one(shown: &Shown) -> Markup {
    html! {
        section {
            h2 { (component_link(&shown.known.series.component)) " " span.soft { (labels(&shown.known)) } }
            (shown.plot.render())
            div.table tabindex="0" role="region" aria-label="Windows" {
                table {
                    thead {
                        tr {
                            th scope="col" { "Window" } th scope="col" { "Verdict" } th scope="col" { "Why" }
                            @for name in ["Now", "Mean", "P99", "Per day"] { th.number scope="col" { (name) } }
                        }
                    }
                    tbody { @for window in &shown.trend.windows { (row(window)) } }
                }
            }
            @if let Some(reversal) = &shown.trend.reversal { p { "Reversal: " (serde_json::json!(reversal)["statement"].as_str().unwrap_or("a shorter window goes the other way")) } }
        }
    }
}

fn row(window: &WindowTrend) -> Markup {
    let number = |number: Option<f64>| number.map_or_else(String::new, figure);
    let summary = window.summary.as_ref();
    html! {
        tr {
            th scope="row" { (window.window) }
            td { (direction(window.verdict.direction)) }
            td { (window.verdict.statement) }
            td.number { (number(summary.map(|summary| summary.current))) }
            td.number { (number(summary.map(|summary| summary.mean))) }
            td.number { (number(summary.map(|summary| summary.p99))) }
            td.number { (number(window.verdict.slope_per_day)) }
        }
    }
}

fn direction(direction: Direction) -> Markup {
    match direction {
        Direction::Improving => chip(Colour::Green, "improving"),
        Direction::Stable => chip(Colour::Green, "stable"),
        Direction::Degrading => chip(Colour::Red, "degrading"),
        Direction::Rising => chip(Colour::Yellow, "rising"),
        Direction::Falling => chip(Colour::Yellow, "falling"),
        Direction::NotEnoughData => chip(Colour::Grey, "not enough data"),
    }
}
