//! A component: what happened to it, what it needs, what is measured of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use maud::{Markup, html};

use super::range::Range;
use super::{Frame, Place, address, brief, incident, timeline};
use crate::clock::Timestamp;
use crate::engine::Incident;
use crate::measure::store::Known;
use crate::report::timeline::Timeline;

/// Everything that stands on the page.
pub struct Page<'a> {
    /// Its name.
    pub name: &'a str,
    /// When it was asked.
    pub at: Timestamp,
    /// The time looked at.
    pub range: &'a Range,
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
    let (name, range) = (given.name, given.range);
    let to = range.window.to.to_string();
    let main = html! {
        p.path { a href=(range.keep("/", [])) { "Overview" } " › component" }
        h1 { (brief(name)) }
        p.screen {
            a href=(address("/why", [("component", name), ("at", &*to)])) { "Why is it in trouble?" } " · "
            a href=(range.keep("/recommendations", [("component", name)])) { "What to do?" } " · "
            a href=(address("/queries/impact", [("component", name)])) { "What does it hit?" }
        }
        (range.picker("/component", &[("name", name)]))
        dl {
            dt { "Depends on" } dd { (names(given.needs, range)) }
            dt { "Needed by" } dd { (names(given.needed_by, range)) }
        }
        div.columns {
            section aria-labelledby="incidents" { h2 #incidents { "Incidents" } (incident::table(given.incidents.iter().take(LISTED_MAX).copied())) }
            section aria-labelledby="series" {
                h2 #series { "Metrics" }
                @if given.series.is_empty() { p.soft { "Nothing is measured of it." } }
                ul.plain {
                    @for known in given.series.iter().take(LISTED_MAX) {
                        li { a href=(range.keep("/trends", [("metric", &*known.series.metric), ("component", name)])) { (brief(&known.series.metric)) } }
                    }
                }
            }
        }
        (timeline::section(given.timeline, "/component", given.given, given.kinds))
    };
    Frame { title: name, here: Place::Elsewhere, range: Some(range), as_of: Some(given.at) }.around(&main)
}

fn names(names: &[String], range: &Range) -> Markup {
    html! {
        @if names.is_empty() { span.soft { "nothing known" } }
        @for (place, name) in names.iter().take(LISTED_MAX).enumerate() {
            @let address = range.keep("/component", [("name", name.as_str())]);
            @if place > 0 { ", " }
            @if address.len() > super::ADDRESS_BYTES_MAX { (brief(name)) } @else { a href=(address) { (brief(name)) } }
        }
    }
}
