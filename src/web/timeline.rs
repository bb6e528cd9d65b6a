//! What happened, in order, with a form to narrow it.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use maud::{Markup, html};

use super::{brief, component_link, receipt_link, severity, time};
use crate::report::span;
use crate::report::timeline::{Entry, Event, SEVERITIES, Timeline};

/// Lines on one page; more are a link away.
const ENTRIES_MAX: usize = 120;

/// Bytes of these lines.
const BYTES_MAX: usize = 40_000;

/// Names of the parameters of the form, as in the address.
const PARAMETERS: [&str; 3] = ["kind", "component", "severity"];

/// The lines from `path`, narrowed by `given`; `kinds` may be chosen from. With more lines than fit, `given` has `after`.
pub fn section(timeline: &Timeline, path: &str, given: &BTreeMap<String, String>, kinds: &[&str]) -> Markup {
    let value = |name: &str| given.get(name).map_or("", String::as_str);
    let skipped = value("after").parse::<usize>().unwrap_or(0).min(timeline.entries.len());
    let lines = timeline.entries.iter().skip(skipped).take(ENTRIES_MAX).map(line);
    let (shown, count) = super::fit(BYTES_MAX, lines);
    let rest = timeline.entries.len() - skipped - count;
    let page = |after: usize| {
        let mut parameters: Vec<(&str, &str)> =
            given.iter().filter(|(name, _)| *name != "after").map(|(name, value)| (&**name, &**value)).collect();
        let after = if after == 0 { String::new() } else { after.to_string() };
        parameters.push(("after", &after));
        super::address(path, parameters) + "#timeline"
    };
    html! {
        section aria-labelledby="timeline" {
            h2 #timeline { "Timeline" }
            p.soft { (time(timeline.window.from)) " to " (time(timeline.window.to)) }
            (form(path, given, kinds))
            @if timeline.entries.is_empty() { p.soft { "No evidence." } }
            @else {
                div.table tabindex="0" role="region" aria-label="Events" {
                    table {
                        thead {
                            tr { @for name in ["Time", "Component", "Kind", "Severity", "What", "Receipt"] { th scope="col" { (name) } } }
                        }
                        tbody { (shown) }
                    }
                }
            }
            @if skipped > 0 { p { a href=(page(0)) { "First lines" } } }
            @if rest > 0 { p { a href=(page(skipped + count)) { "Later lines (" (rest) ")" } } }
        }
    }
}

fn form(path: &str, given: &BTreeMap<String, String>, kinds: &[&str]) -> Markup {
    let value = |name: &str| given.get(name).map_or("", String::as_str);
    html! {
        form.screen method="get" action={ (path) "#timeline" } {
            @for (name, value) in given.iter().filter(|(name, _)| *name != "after" && !PARAMETERS.contains(&name.as_str())) {
                input type="hidden" name=(name) value=(value);
            }
            label { "Kind"
                select name="kind" {
                    option value="" { "all" }
                    @for kind in kinds { option value=(kind) selected[*kind == value("kind")] { (kind) } }
                }
            }
            label { "Severity from"
                select name="severity" {
                    option value="" { "all" }
                    @for severity in SEVERITIES { option value=(severity) selected[severity == value("severity")] { (severity) } }
                }
            }
            label { "Component" input name="component" value=(value("component")) autocomplete="off"; }
            button { "Filter" }
        }
    }
}

fn line(entry: &Entry) -> Markup {
    match entry {
        Entry::Event(event) => self::event(event),
        Entry::Gap { from, to } => html! {
            tr.gap { td { (time(*from)) } td {} td { "gap" } td {} td { (span(to.since(*from))) " without evidence" } td {} }
        },
    }
}

fn event(event: &Event) -> Markup {
    let late = event.recorded_at.since(event.occurred_at) > TimeDelta::hours(1);
    html! {
        tr {
            td { (time(event.occurred_at)) }
            td { (component_link(&event.component)) }
            td { (event.kind) }
            td { (severity(event.severity.as_deref())) }
            td { (brief(&event.title)) @if let Some(source) = &event.source { " " span.soft { "(" (brief(source)) ")" } } }
            td { (receipt_link(event.id)) @if late { " " span.soft title={ "recorded " (event.recorded_at) } { "late" } } }
        }
    }
}
