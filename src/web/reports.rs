//! Reports as pages: reviews of weeks, improvements, experiments.

use maud::{Markup, html};

use super::{Place, below, brief, page};
use crate::analyse::experiment::Findings;
use crate::analyse::kaizen::Log;
use crate::analyse::review::{Review, Week};
use crate::report::document::Document;
use crate::report::{self, experiment, kaizen, review};

/// The review of a week, between the week before and the one after.
pub fn of_week(told: &Review, week: Week, is_last: bool) -> String {
    let path = format!("/v1/reviews/{week}?format=");
    let around = html! {
        p {
            a href={ "/reviews/" (week.previous()) } { "The week before" }
            @if !is_last { " · " a href={ "/reviews/" (week.next()) } { "the week after" } }
            " · as " a href={ (path) "markdown" } { "Markdown" } ", " a href={ (path) "json" } { "JSON" }
        }
    };
    page_of(&review::document(told), &around)
}

/// What was improved, and what came of it.
pub fn of_improvements(log: &Log) -> String {
    page_of(&kaizen::document(log), &html! {})
}

/// What an experiment shows.
pub fn of_experiment(findings: &Findings) -> String {
    page_of(&experiment::document(findings), &html! {})
}

/// All experiments, the latest first.
pub fn of_experiments(all: &[Findings]) -> String {
    let main = html! {
        h1 { "Experiments" }
        (sisters())
        @if all.is_empty() { p.soft { "None was recorded." } }
        ul.cards {
            @for findings in all {
                @let name = &findings.experiment.reference;
                li.card {
                    h2 { a href=(below("/experiments", name)) { (brief(name)) } }
                    p { (brief(&findings.statement)) }
                    p.soft { (brief(findings.next)) }
                }
            }
        }
    };
    page("Experiments", Place::Reviews, &main)
}

fn page_of(document: &Document, around: &Markup) -> String {
    let main = html! {
        h1 { (document.title) }
        (sisters())
        (around)
        (report::html::sections(document, ""))
    };
    page(&document.title, Place::Reviews, &main)
}

fn sisters() -> Markup {
    html! {
        p {
            a href="/reviews" { "Weekly review" } " · " a href="/kaizen" { "Improvements" } " · "
            a href="/experiments" { "Experiments" }
        }
    }
}
