//! The first page: how it is, what is broken, what to do first.

use maud::{Markup, html};

use super::plot::Plot;
use super::principle::About;
use super::range::Range;
use super::{Frame, Place, brief, chip, class, component_link, incident, rows, word};
use crate::analyse::health::{Colour, Outlook, Principle, State, Status};
use crate::clock::Timestamp;
use crate::engine::{Incident, SystemHealth};
use crate::query::Rows;
use crate::report::{figure, span};
use crate::vocab::Vocabulary;

/// Everything that stands on the page.
pub struct Overview<'a> {
    /// The moment it tells of.
    pub at: Timestamp,
    /// The six principles, and everything in one word.
    pub health: &'a SystemHealth,
    /// Incidents that are not resolved, newest first.
    pub open: &'a [&'a Incident],
    /// Latest changes, newest first.
    pub changes: &'a Rows,
    /// Latest alerts, newest first.
    pub alerts: &'a Rows,
    /// Series that crossed a threshold lately.
    pub notable: &'a [Notable],
    /// The way of each principle's metric, as far as it is measured.
    pub sparks: &'a [(Principle, Plot)],
    /// The time looked at.
    pub range: &'a Range,
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
        h1.hidden { "Overview" }
        (first(given))
        section aria-labelledby="principles" {
            h2 #principles { "How it is" (score(given.health)) }
            ul.cards { @for status in &given.health.health.principles { (card(status, given)) } }
        }
        (given.range.picker("/", &[]))
        section aria-labelledby="open" {
            h2 #open { "Open incidents" }
            (incident::table(given.open.iter().take(OPEN_MAX).copied()))
            @if given.open.len() > OPEN_MAX { p { a href="/incidents" { (given.open.len() - OPEN_MAX) " more" } } }
        }
        section aria-labelledby="alerts" {
            h2 #alerts { "Latest alerts" }
            (rows::table(given.alerts, &format!("Alerts, {}, newest first", given.range.words()), LIST_BYTES_MAX, given.vocabulary))
        }
        section aria-labelledby="changes" {
            h2 #changes { "Latest changes" }
            (rows::table(given.changes, &format!("Deployments and changes, {}, newest first", given.range.words()), LIST_BYTES_MAX, given.vocabulary))
        }
        section aria-labelledby="notable" {
            h2 #notable { "Metrics that crossed a threshold" }
            @if given.notable.is_empty() { p.soft { "None in this time." } }
            @else { ul.cards { @for series in given.notable { (notable(series, given.range)) } } }
        }
    };
    Frame { title: "Overview", here: Place::Overview, range: Some(given.range), as_of: Some(given.at) }.around(&main)
}

/// The overall score, and how little it may rest on.
fn score(health: &SystemHealth) -> Markup {
    let coverage = &health.health.coverage;
    html! {
        @if let Some(score) = health.health.overall {
            " " span.soft {
                "health " (figure(score)) " of 100"
                @if coverage.scored < coverage.of { ", from " (coverage.scored) " of " (coverage.of) " pillars" }
            }
        }
    }
}

/// What to do first: an open incident before anything that a colour says.
fn first(given: &Overview<'_>) -> Markup {
    let decision = &given.health.health.decision;
    if let Some(incident) = given.open.first() {
        let since = span(given.at.since(incident.opened.occurred_at()));
        return html! {
            p class={ "first " (class(Colour::Red)) } {
                "Incident: " a href=(incident::path(incident)) { (brief(incident.latest("summary").unwrap_or(&incident.reference))) }
                small {
                    "open for " (since) @if given.open.len() > 1 { ", one of " (given.open.len()) }
                    @if let Some(principle) = decision.principle { "; also: " (decision.finding) ", " a href=(About::of(principle).path()) { (decision.action) } }
                }
            }
        };
    }
    let principles = &given.health.health.principles;
    let is_unseen = decision.unseen.len() == principles.len();
    let trouble = decision.principle.map(About::of);
    let worst = principles.iter().map(|status| status.colour).filter(|colour| *colour != Colour::Grey).max();
    let colour = match (trouble, given.health.status) {
        (Some(_), _) => worst.unwrap_or(Colour::Grey),
        (None, State::Unhealthy) => Colour::Red,
        (None, State::Degraded) => Colour::Yellow,
        (None, State::Healthy) if decision.unseen.is_empty() => Colour::Green,
        (None, State::Healthy | State::Unknown) => Colour::Grey,
    };
    html! {
        p class={ "first " (class(colour)) } {
            @if let Some(about) = trouble { (about.name) ": " (decision.finding) ", " a href=(given.range.keep(&about.path(), [])) { (decision.action) } }
            @else if let (State::Unhealthy | State::Degraded, Some(reason)) = (given.health.status, &given.health.reason) { (brief(reason)) }
            @else if is_unseen { "Unknown: no incident is open, but nothing is measured" }
            @else if decision.unseen.is_empty() { "All is well: no incident is open" }
            @else { "No trouble is known: no incident is open" }
            small {
                @if is_unseen { (decision.action) }
                @else if !decision.unseen.is_empty() { "Nothing is known of " @for (place, principle) in decision.unseen.iter().enumerate() { @if place > 0 { ", " } (About::of(*principle).name) } "." }
                @else { "All six principles are measured." }
            }
        }
    }
}

fn card(status: &Status, given: &Overview<'_>) -> Markup {
    let about = About::of(status.principle);
    let spark = given.sparks.iter().find(|(principle, _)| *principle == status.principle).map(|(_, plot)| plot.spark());
    html! {
        li class={ "card state is-" (class(status.colour)) } {
            h3 { a href=(given.range.keep(&about.path(), [])) { (about.name) } " " (chip(status.colour, word(status.colour))) }
            p.soft { (about.question) }
            p.value { @if let Some(value) = status.value { (about.figure(value)) } @else { "–" } }
            p { (about.reading) }
            @if let Some(spark) = spark { (spark) }
            @if let Some(Outlook { hour, day, .. }) = &status.outlook {
                p { "1h " (hour.direction.words()) ", 24h " (day.direction.words()) }
            }
            p.soft { (about.bands(status.thresholds)) }
        }
    }
}

fn notable(series: &Notable, range: &Range) -> Markup {
    let link = range.keep("/trends", [("metric", &*series.metric), ("component", &*series.component)]);
    html! {
        li.card {
            h3 { a href=(link) { (brief(&series.metric)) } }
            p { (component_link(&series.component)) }
            @if let Some(plot) = &series.plot { (plot.spark()) }
            p.soft { "crossed " @if series.crossings == 1 { "once" } @else { (series.crossings) " times" } }
        }
    }
}
