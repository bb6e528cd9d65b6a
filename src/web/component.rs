//! A component: what happened to it, what it needs, what is measured of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use maud::{Markup, html};

use super::{Place, address, brief, component_link, incident, page, timeline};
use crate::engine::Incident;
use crate::measure::store::Known;
use crate::report::timeline::Timeline;

/// Everything that stands on the page.
pub struct Page<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it calls or needs.
    pub needs: &'a [String],
    /// What calls or needs it.
    pub needed_by: &'a [String],
    /// Its incidents, newest first.
    pub incidents: &'a [&'a Incident],
    /// Its series.
    pub series: &'a [Arc<Known>],
    /// What happened to it.
    pub timeline: &'a Timeline,
    /// Kinds that happened.
    pub kinds: &'a [&'a str],
    /// The parameters of the address.
    pub given: &'a BTreeMap<String, String>,
}

const LISTED_MAX: usize = 40;

/// The page.
pub fn render(given: &Page<'_>) -> String {
    let name = given.name;
    let to = given.timeline.window.to.to_string();
    let main = html! {
        h1 { (brief(name)) }
        p.screen {
            a href=(address("/why", [("component", name), ("at", &*to)])) { "Why is it in trouble?" } " · "
            a href=(address("/queries/impact", [("component", name)])) { "What does it hit?" }
        }
        dl {
            dt { "Depends on" } dd { (names(given.needs)) }
            dt { "Needed by" } dd { (names(given.needed_by)) }
        }
        section aria-labelledby="incidents" { h2 #incidents { "Incidents" } (incident::table(given.incidents.iter().take(LISTED_MAX).copied())) }
        section aria-labelledby="series" {
            h2 #series { "Series" }
            @if given.series.is_empty() { p.soft { "Nothing is measured of it." } }
            ul {
                @for known in given.series.iter().take(LISTED_MAX) {
                    li { a href=(address("/trends", [("metric", &*known.series.metric), ("component", name)])) { (brief(&known.series.metric)) } }
                }
            }
        }
        (timeline::section(given.timeline, "/component", given.given, given.kinds))
    };
    page(name, Place::Elsewhere, &main)
}

fn names(names: &[String]) -> Markup {
    html! {
        @if names.is_empty() { span.soft { "nothing known" } }
        @for name in names.iter().take(LISTED_MAX) { (component_link(name)) " " }
    }
}
