//! What to do, the most urgent first, each with what it rests on.

use maud::{Markup, html};

use super::range::Range;
use super::{Frame, Place, ask_again, brief, chip, class, component_link, fit, receipt_links};
use crate::analyse::advise::{Advised, Recommendation};
use crate::analyse::health::Colour;
use crate::clock::Timestamp;
use crate::query::Priority;
use crate::report::advise::reason;

/// Bytes of the list.
const LIST_BYTES_MAX: usize = 75_000;

/// The page; `component` narrows it, and runbooks that are no address of their own are under `runbooks`.
pub fn render(advised: &Advised, range: &Range, component: &str, at: Timestamp) -> String {
    let all = &advised.recommendations;
    let (cards, shown) = fit(LIST_BYTES_MAX, all.iter().map(|one| card(one, range)));
    let urgent = all.iter().filter(|one| one.advice.priority == Priority::P1).count();
    let main = html! {
        h1 { "What to do" @if !component.is_empty() { " about " (brief(component)) } }
        p class={ "first " (class(if urgent > 0 { Colour::Red } else if all.is_empty() { Colour::Green } else { Colour::Yellow })) } {
            @if all.is_empty() { "Nothing stood out" } @else if urgent > 0 { (urgent) " of " (all.len()) " cannot wait" } @else { (all.len()) " improvements, none urgent" }
            small { "Most urgent first; of equally urgent ones what brings most for its effort." }
        }
        (range.picker("/recommendations", &[("component", component)]))
        form.screen method="get" action="/recommendations" {
            @for (name, value) in range.parameters() { input type="hidden" name=(name) value=(value); }
            label { "Component" input name="component" value=(component) autocomplete="off"; }
            button { "Only this" }
        }
        ol.causes { (cards) }
        @if shown < all.len() || advised.truncated { p.soft { "The first " (shown) " are shown; choose a component or a shorter time." } }
        @if !advised.failed.is_empty() {
            section aria-labelledby="failed" {
                h2 #failed { "Not answered" }
                ul { @for failed in advised.failed.iter().take(20) { li { a href={ "/queries/" (failed.query) } { (failed.query) } ": " (brief(&failed.problem)) } } }
            }
        }
    };
    Frame { title: "What to do", here: Place::Recommendations, range: Some(range), as_of: Some(at) }.around(&main)
}

fn card(one: &Recommendation, range: &Range) -> Markup {
    let advice = &one.advice;
    let (colour, when) = match advice.priority {
        Priority::P1 => (Colour::Red, "P1 now"),
        Priority::P2 => (Colour::Yellow, "P2 today"),
        Priority::P3 => (Colour::Grey, "P3 when there is time"),
    };
    let reason = reason(one);
    html! {
        li.card {
            h2 { span { (brief(&one.title)) @if let Some(component) = &one.component { ": " (component_in(component, range)) } } (chip(colour, when)) }
            p { strong { (brief(&advice.action)) } }
            @if !reason.is_empty() { p { (brief(&reason)) } }
            p { "Because " (receipt_links(&one.because)) " " a href=(ask_again(&one.show)) { "ask again" } }
            p.soft { "Effort " (effort(advice.effort)) "; expected: " (advice.impact_percent) " % " (brief(&advice.impact)) ". Runbook: " (runbook(&advice.runbook)) }
        }
    }
}

fn component_in(component: &str, range: &Range) -> Markup {
    let address = range.keep("/component", [("name", component)]);
    html! { @if address.len() > super::ADDRESS_BYTES_MAX { (component_link(component)) } @else { a href=(address) { (brief(component)) } } }
}

fn effort(effort: crate::query::Effort) -> &'static str {
    match effort {
        crate::query::Effort::S => "an hour or two",
        crate::query::Effort::M => "half a day",
        crate::query::Effort::L => "a day or more",
    }
}

/// A runbook of naze's own is a page here; another's address stays text, because pages lead nowhere else.
fn runbook(runbook: &str) -> Markup {
    let section = runbook.strip_prefix("docs/runbooks.md#");
    html! {
        @if let Some(section) = section {
            a href={ "/runbooks#" (section) } { (section.replace('-', " ")) }
        } @else {
            code { (brief(runbook)) }
        }
    }
}
