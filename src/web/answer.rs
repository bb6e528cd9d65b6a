//! The answer to "why": the verdict, suspects with the terms of their score, why not the others, the chain of whys.

use maud::{Markup, html};

use super::plot::Plot;
use super::{ask_again, brief, class, component_link, fit, graph, receipt_links};
use crate::analyse::cause::{Answer, Cause, Term, Verdict};
use crate::analyse::health::Colour;
use crate::record::Recorded;
use crate::report::why::verdict;

/// Suspects shown with all their terms.
const EXPLAINED_MAX: usize = 5;
/// Suspects named at all.
const LISTED_MAX: usize = 12;
/// Bytes of the suspects with all their terms, and of the terms of one.
const CAUSES_BYTES_MAX: usize = 25_000;
const TERMS_BYTES_MAX: usize = 10_000;
/// Terms of one suspect.
const TERMS_MAX: usize = 12;
/// Length of a term's bar for one unit of log-odds.
const BAR_UNIT: f64 = 12.0;
const BAR_MAX: f64 = 60.0;

/// All that is said about the cause, with the metric that shows the trouble. `judge` makes the buttons with which a suspect
/// is confirmed or ruled out.
pub fn sections(
    answer: &Answer,
    evidence: &[Recorded],
    symptom: Option<&Plot>,
    judge: impl Fn(&Cause) -> Markup,
) -> Markup {
    let suspects = answer.ranked.iter().zip(1..).take(EXPLAINED_MAX);
    let (suspects, shown) = fit(CAUSES_BYTES_MAX, suspects.map(|(cause, rank)| suspect(cause, rank, &judge(cause))));
    html! {
        section aria-labelledby="cause" {
            h2 #cause { "Why" }
            p class={ "first " (class(colour(answer.verdict))) } {
                (brief(&verdict(answer)))
                @if let Some(first) = answer.ranked.first() { small { (brief(&first.summary)) } }
            }
            @if let Some(symptom) = symptom { (symptom.render()) }
            @if !answer.chain.is_empty() { (chain(answer)) }
            h3 { "Suspects" }
            ol.causes { (suspects) }
            @if answer.ranked.len() > shown {
                details {
                    summary { "Other suspects" }
                    ul {
                        @for cause in answer.ranked.iter().skip(shown).take(LISTED_MAX) {
                            li { (component_link(&cause.component)) " " (odds(cause.score)) " " (brief(&cause.summary)) }
                        }
                    }
                }
            }
        }
        (graph::section(answer, evidence))
        @if !answer.why_not.is_empty() { (why_not(answer)) }
        @if !answer.missing.is_empty() { (missing(answer)) }
    }
}

fn colour(verdict: Verdict) -> Colour {
    match verdict {
        Verdict::Confirmed => Colour::Green,
        Verdict::Likely => Colour::Yellow,
        Verdict::Inconclusive => Colour::Grey,
    }
}

fn suspect(cause: &Cause, rank: usize, judge: &Markup) -> Markup {
    let (terms, _) = fit(TERMS_BYTES_MAX, cause.terms.iter().take(TERMS_MAX).map(term));
    html! {
        li.card {
            h3 { span { (rank) ". " (component_link(&cause.component)) } span.soft title="Sum of the weights below: what speaks for it less what speaks against it" { "weight " (odds(cause.score)) } }
            p { (brief(&cause.summary)) " " @if let Some(id) = cause.receipt { (super::receipt_link(id)) } }
            @if rank == 1 { (judge) }
            details open[rank == 1] {
                summary { "What speaks for it and against it" }
                div.table tabindex="0" role="region" aria-label={ "What speaks for suspect " (rank) } {
                    table {
                        thead {
                            tr {
                                th scope="col" { "Sign" }
                                th.number scope="col" { "Weight" }
                                td {}
                                th scope="col" { "Because" }
                                th scope="col" { "Receipts" }
                                th scope="col" { "Proof" }
                            }
                        }
                        tbody { (terms) }
                    }
                }
                @if rank > 1 { (judge) }
            }
        }
    }
}

fn term(term: &Term) -> Markup {
    html! {
        tr {
            th scope="row" { (term.name) }
            td.number { (odds(term.log_odds)) }
            td { (bar(term.log_odds)) }
            td { (brief(&term.statement)) }
            td { (receipt_links(&term.receipts)) }
            td { a href=(ask_again(&term.query.path())) { "ask again" } }
        }
    }
}

fn bar(log_odds: f64) -> Markup {
    let length = (log_odds.abs() * BAR_UNIT).min(BAR_MAX);
    let start = if log_odds < 0.0 { BAR_MAX - length } else { BAR_MAX };
    html! {
        svg width="120" height="12" viewBox="0 0 120 12" aria-hidden="true" {
            line.axis x1="60" y1="0" x2="60" y2="12" {}
            rect.bar.against[log_odds < 0.0] x=(format!("{start:.0}")) y="2" width=(format!("{length:.0}")) height="8" {}
        }
    }
}

fn odds(log_odds: f64) -> String {
    format!("{log_odds:+.1}")
}

fn chain(answer: &Answer) -> Markup {
    html! {
        section aria-labelledby="whys" {
            h3 #whys { "From symptom to cause" }
            ol {
                @for step in &answer.chain {
                    li {
                        strong { (brief(&step.question)) } " " (brief(&step.because)) " " (receipt_links(&step.receipts))
                    }
                }
            }
        }
    }
}

fn why_not(answer: &Answer) -> Markup {
    html! {
        section aria-labelledby="why-not" {
            h2 #why-not { "Why not the others" }
            ul {
                @for other in answer.why_not.iter().take(LISTED_MAX) {
                    li {
                        (component_link(&other.component)) " (" (format!("{:.1}", other.against)) " behind): "
                        (brief(&other.statement)) " " (receipt_links(&other.receipts))
                    }
                }
            }
        }
    }
}

fn missing(answer: &Answer) -> Markup {
    html! {
        section aria-labelledby="missing" {
            h2 #missing { "What is missing" }
            ul { @for missing in &answer.missing { li { (brief(&missing.what)) ". Next: " (next(&missing.next)) } } }
        }
    }
}

/// What to do next; if it begins with the path of a query, that is a link.
fn next(text: &str) -> Markup {
    let (path, rest) = text.split_once(' ').unwrap_or((text, ""));
    html! {
        @if path.starts_with("/v1/queries/") { a href=(ask_again(path)) { (ask_again(path)) } " " (brief(rest)) }
        @else { (brief(text)) }
    }
}
