//! Canned queries: the list, and a form with the answer below.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::{Place, address, chart, page, rows};
use crate::error::Error;
use crate::query::{Answered, CannedQuery, Catalogue, Parameter, Type};
use crate::vocab::Vocabulary;

/// Bytes of the answer's table.
const TABLE_BYTES_MAX: usize = 60_000;
/// Groups in the order of an investigation.
const GROUPS: [(&str, &str); 6] = [
    ("cause", "What caused it"),
    ("context", "What was going on"),
    ("trend", "Where it is heading"),
    ("advise", "What to improve"),
    ("audit", "Whether the record is whole"),
    ("user", "Your own"),
];

/// All queries by group.
pub fn list(catalogue: &Catalogue) -> String {
    let of = |group: &'static str| catalogue.iter().filter(move |query| query.group == group);
    let main = html! {
        h1 { "Queries" }
        p { "Every answer has a link to share. " a href="/explore" { "Write your own in SPARQL" } "." }
        @for (group, title) in GROUPS {
            @if of(group).next().is_some() {
                h2 { (title) }
                ul { @for query in of(group) { li { a href={ "/queries/" (query.id) } { (query.title) } ": " (query.question) } } }
            }
        }
    };
    page("Queries", Place::Queries, &main)
}

/// One query with its form; `answered` is missing until everything it requires is given.
pub fn show(
    query: &CannedQuery,
    given: &BTreeMap<String, String>,
    answered: Option<&Result<Answered, Error>>,
    vocabulary: &Vocabulary,
) -> String {
    let main = html! {
        h1 { (query.title) }
        p { (query.question) }
        (form(query, given, vocabulary))
        @match answered {
            None => p.soft { "Fill in what is required, then run it." },
            Some(Err(error)) => {
                div.problem role="alert" { p { (error) } @for hint in error.hints() { p.soft { (hint) } } }
            },
            Some(Ok(answered)) => (answer(query, answered, vocabulary)),
        }
        details {
            summary { "What the columns mean" }
            dl { @for column in &query.columns { dt { (rows::spaced(&column.name)) } dd { (column.description) } } }
            p { "Order: " (query.order) }
        }
        details { summary { "SPARQL" } pre tabindex="0" { (query.sparql) } }
    };
    page(&query.title, Place::Queries, &main)
}

fn form(query: &CannedQuery, given: &BTreeMap<String, String>, vocabulary: &Vocabulary) -> Markup {
    html! {
        form method="get" action={ "/queries/" (query.id) } {
            @for parameter in &query.parameters { (field(parameter, given, vocabulary)) }
            label { "limit" input name="limit" type="number" min="1" value=[given.get("limit")] placeholder="1000"; }
            button { "Run" }
        }
    }
}

fn field(parameter: &Parameter, given: &BTreeMap<String, String>, vocabulary: &Vocabulary) -> Markup {
    let value = given.get(&parameter.name);
    let placeholder = parameter.default.as_deref().unwrap_or(match parameter.holds {
        Type::Time => "2026-03-10T10:05:00Z or -2h",
        Type::Duration => "1h30m",
        _ => "",
    });
    html! {
        label {
            span { (rows::spaced(&parameter.name)) @if parameter.required { " (required)" } " " span.soft { (parameter.description) } }
            @if parameter.holds == Type::Kind {
                select name=(parameter.name) {
                    option value="" { "all" }
                    @for (kind, _) in vocabulary.kinds() { option value=(kind) selected[value.is_some_and(|value| value == kind)] { (kind) } }
                }
            } @else {
                input name=(parameter.name) value=[value] placeholder=(placeholder) required[parameter.required] autocomplete="off"
                    inputmode=[(parameter.holds == Type::Integer).then_some("numeric")];
            }
        }
    }
}

fn answer(query: &CannedQuery, answered: &Answered, vocabulary: &Vocabulary) -> Markup {
    let found = &answered.rows;
    let bound = || answered.bound.iter().map(|(name, value)| (&**name, &**value));
    let programs = address(&format!("/v1/queries/{}", query.id), bound());
    html! {
        section aria-labelledby="answer" {
            h2 #answer { (found.rows.len()) @if found.truncated { " or more" } " rows" }
            p.soft { (super::time(answered.window.from)) " to " (super::time(answered.window.to)) }
            @if query.chart != "table" { (chart::section(found, &query.title)) }
            (rows::table(found, &query.title, TABLE_BYTES_MAX, vocabulary))
            p.screen {
                a href=(address(&format!("/queries/{}", query.id), bound())) { "Link to this answer" } " · "
                a href=(programs) { "JSON" }
            }
        }
    }
}
