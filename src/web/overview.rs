//! The first page: how it is, what is broken, what to do first.

use maud::{Markup, html};

use super::plot::Plot;
use super::{Place, brief, chip, component_link, incident, page, rows};
use crate::analyse::health::{Colour, Health, Principle, Status};
use crate::clock::Timestamp;
use crate::engine::Incident;
use crate::query::Rows;
use crate::report::figure;
use crate::vocab::Vocabulary;

/// Everything that stands on the page.
pub struct Overview<'a> {
    /// The moment it tells of.
    pub at: Timestamp,
    /// The six principles.
    pub health: &'a Health,
    /// Incidents that are not resolved, newest first.
    pub open: &'a [&'a Incident],
    /// Latest changes, newest first.
    pub changes: &'a Rows,
    /// Latest alerts, newest first.
    pub alerts: &'a Rows,
    /// Series that crossed a threshold lately.
    pub notable: &'a [Notable],
    /// Kinds and fields.
    pub vocabulary: &'a Vocabulary,
}

/// A series that stands out.
pub struct Notable {
    /// Where it is measured.
    pub component: String,
    /// What is measured.
    pub metric: String,
    /// How often it crossed a threshold.
    pub crossings: usize,
    /// Its values, if naze has them.
    pub plot: Option<Plot>,
}

/// Open incidents named on the page.
const OPEN_MAX: usize = 10;
/// Bytes of one list.
const LIST_BYTES_MAX: usize = 20_000;

/// The page.
pub fn render(given: &Overview<'_>) -> String {
    let main = html! {
        h1 { "Overview" }
        (first(given))
        section aria-labelledby="principles" {
            h2 #principles { "Principles" }
            ul.cards { @for status in &given.health.principles { (card(status)) } }
        }
        section aria-labelledby="open" {
            h2 #open { "Open incidents" }
            (incident::table(given.open.iter().take(OPEN_MAX).copied()))
            @if given.open.len() > OPEN_MAX { p { a href="/incidents" { (given.open.len() - OPEN_MAX) " more" } } }
        }
        section aria-labelledby="alerts" {
            h2 #alerts { "Latest alerts" }
            (rows::table(given.alerts, "Alerts of the last day, newest first", LIST_BYTES_MAX, given.vocabulary))
        }
        section aria-labelledby="changes" {
            h2 #changes { "Latest changes" }
            (rows::table(given.changes, "Deployments and changes of the last week, newest first", LIST_BYTES_MAX, given.vocabulary))
        }
        section aria-labelledby="notable" {
            h2 #notable { "Series of note" }
            @if given.notable.is_empty() { p.soft { "No metric crossed a threshold in the last day." } }
            @else { ul.cards { @for series in given.notable { (notable(series)) } } }
        }
        p.soft { "As of " (super::time(given.at)) }
    };
    page("Overview", Place::Overview, &main)
}

/// What to do first: an open incident before anything that a colour says.
fn first(given: &Overview<'_>) -> Markup {
    let decision = &given.health.decision;
    html! {
        p.lead {
            @if let Some(incident) = given.open.first() {
                (chip(Colour::Red, "incident")) " Find the cause of "
                a href=(incident::path(incident)) { (brief(incident.latest("summary").unwrap_or(&incident.reference))) }
            } @else if decision.unseen.len() == given.health.principles.len() {
                (chip(Colour::Grey, "unknown")) " No incident is open; nothing is measured: " (decision.action) "."
            } @else {
                (chip(given.health.band, colour(given.health.band))) " " (decision.finding) ": " (decision.action) "."
            }
        }
    }
}

fn card(status: &Status) -> Markup {
    let (name, what) = principle(status.principle);
    html! {
        li.card {
            h3 { (name) " " (chip(status.colour, colour(status.colour))) }
            p.soft { (what) }
            @if let Some(value) = status.value { p { (reading(status, value)) ": " (status.action) } }
            @else { p { "no data" } }
            p { a href=(super::address("/trends", [("metric", status.metric)])) { (status.metric) } }
        }
    }
}

fn reading(status: &Status, value: f64) -> String {
    match status.principle {
        Principle::Kanban => format!("{} waiting", figure(value)),
        Principle::Tracing => format!("{} s", figure(value)),
        _ => format!("{} %", figure(value * 100.0)),
    }
}

fn principle(principle: Principle) -> (&'static str, &'static str) {
    match principle {
        Principle::Jidoka => ("Jidoka", "Is the line protected?"),
        Principle::Kanban => ("Kanban", "Are customers waiting?"),
        Principle::Andon => ("Andon", "Are there problems?"),
        Principle::Kaizen => ("Kaizen", "Are promises kept?"),
        Principle::Heijunka => ("Heijunka", "Is load level?"),
        Principle::Tracing => ("Tracing", "Is it fast?"),
    }
}

fn colour(colour: Colour) -> &'static str {
    match colour {
        Colour::Green => "good",
        Colour::Yellow => "watch",
        Colour::Orange => "degraded",
        Colour::Red => "act now",
        Colour::Grey => "unknown",
    }
}

fn notable(series: &Notable) -> Markup {
    let link = super::address("/trends", [("metric", &*series.metric), ("component", &*series.component)]);
    html! {
        li.card {
            h3 { a href=(link) { (brief(&series.metric)) } }
            p { (component_link(&series.component)) }
            @if let Some(plot) = &series.plot { (plot.spark()) }
            p.soft { "crossed " (series.crossings) " times" }
        }
    }
}
