//! Are promises kept? All objectives with what is left of their budgets, and one of them in full.

use chrono::TimeDelta;
use maud::{Markup, html};

use super::plot::Plot;
use super::{Place, below, brief, chip, class, cut, fit, page, time};
use crate::analyse::health::Colour;
use crate::analyse::slo::State;
use crate::analyse::slo::burn::{Burn, Severity};
use crate::analyse::slo::report::Told;
use crate::engine::{ObjectiveStatus, SloStatus, SlosStatus};
use crate::report::{figure, span};

/// Bytes of the list.
const LIST_BYTES_MAX: usize = 70_000;
/// Length of a full budget.
const METER: f64 = 120.0;
/// Share of the budget below which it is nearly gone.
const NEARLY_GONE: f64 = 0.25;
const TEXT_CHARACTERS_MAX: usize = 4_000;

/// All objectives, those in trouble first.
pub fn list(status: &SlosStatus) -> String {
    let mut all: Vec<(&SloStatus, &ObjectiveStatus)> =
        status.slos.iter().flat_map(|slo| slo.objectives.iter().map(move |objective| (slo, objective))).collect();
    all.sort_by(|a, b| rank(&a.1.told).total_cmp(&rank(&b.1.told)).then_with(|| a.1.name.cmp(&b.1.name)));
    let (lines, shown) = fit(LIST_BYTES_MAX, all.iter().map(|(slo, objective)| line(slo, objective)));
    let main = html! {
        h1 { "Service level objectives" }
        (summary(status))
        @if !all.is_empty() {
            div.table tabindex="0" role="region" aria-label="Objectives" {
                table {
                    caption { "As of " (time(status.at)) ", those in trouble first" }
                    thead {
                        tr {
                            @for name in ["State", "Objective", "Service"] { th scope="col" { (name) } }
                            @for name in ["Kept", "Promised"] { th.number scope="col" { (name) } }
                            @for name in ["Budget left", "Burning", "Week", "Window"] { th scope="col" { (name) } }
                        }
                    }
                    tbody { (lines) }
                }
            }
            @if shown < all.len() { p.soft { (all.len() - shown) " more: " a href="/v1/slos" { "JSON" } } }
        }
        p.screen { a href="/v1/slos" { "JSON" } " · " a href="/v1/slos/rules" { "Alerting rules for Prometheus" } " · " a href="/principles/kaizen" { "Kaizen" } }
    };
    page("SLOs", Place::Slos, &main)
}

fn summary(status: &SlosStatus) -> Markup {
    let overall = &status.overall;
    let missed = overall.missed.len();
    if status.slos.is_empty() {
        return html! { p.soft { "No objective is watched yet: write them as OpenSLO documents in the folder that " code { "slos" } " in the configuration names. Those that naze ships appear once their metric is measured." } };
    }
    let colour = if missed > 0 {
        Colour::Red
    } else if overall.met.is_empty() {
        Colour::Grey
    } else {
        Colour::Green
    };
    html! {
        p class={ "first " (class(colour)) } {
            @if missed > 0 { (missed) " of " (missed + overall.met.len()) " measured promises are broken" }
            @else if overall.met.is_empty() { "Nothing is measured yet" }
            @else { "All " (overall.met.len()) " measured promises are kept" }
            small {
                @if let (Some(remaining), Some(lowest)) = (&overall.remaining, &overall.lowest) {
                    "least budget left: " (percent(remaining.raw)) " of " a href=(path(lowest)) { (brief(lowest)) }
                }
                @if !overall.unknown.is_empty() { "; " (overall.unknown.len()) " without data" }
            }
        }
    }
}

/// What is worst comes first: what fires, then what is overspent most; what is unknown last.
fn rank(told: &Told) -> f64 {
    let remaining = told.evaluation.budget.map_or(2.0, |budget| budget.remaining.raw);
    match told.firing {
        Some(Severity::Page) => remaining - 2e6,
        Some(Severity::Ticket) => remaining - 1e6,
        None => remaining,
    }
}

/// Where an objective's page is; one of several of an SLO is on the page of that.
fn path(name: &str) -> String {
    below("/slos", name)
}

fn line(slo: &SloStatus, objective: &ObjectiveStatus) -> Markup {
    let told = &objective.told;
    let evaluation = &told.evaluation;
    html! {
        tr {
            td { (state(told)) }
            td { a href=(path(&slo.name)) { (brief(told.display_name.as_deref().or(slo.display_name.as_deref()).unwrap_or(&objective.name))) } }
            td { (brief(&slo.service)) }
            td.number { (evaluation.attainment.map_or_else(|| "–".to_owned(), percent)) }
            td.number { (percent(evaluation.target)) }
            td { (budget(told)) }
            td { (burning(told)) }
            td { (week(told)) }
            td { (brief(&slo.window)) }
        }
    }
}

fn state(told: &Told) -> Markup {
    match (told.evaluation.state, told.firing) {
        (_, Some(Severity::Page)) => chip(Colour::Red, "burning fast"),
        (State::Missed, _) => chip(Colour::Red, "missed"),
        (_, Some(Severity::Ticket)) => chip(Colour::Yellow, "burning"),
        (State::Met, None) => chip(Colour::Green, "met"),
        (State::Unknown, None) => chip(Colour::Grey, "no data"),
    }
}

/// What is left of the budget, as a bar with its number.
fn budget(told: &Told) -> Markup {
    let Some(budget) = told.evaluation.budget else { return html! { span.soft { "no data" } } };
    let remaining = budget.remaining;
    let colour = match remaining.raw {
        ..=0.0 => Colour::Red,
        left if left < NEARLY_GONE => Colour::Yellow,
        _ => Colour::Green,
    };
    html! {
        svg.meter width=(METER) height="10" viewBox={ "0 0 " (METER) " 10" } aria-hidden="true" {
            rect.of x="0" y="0" width=(METER) height="10" rx="3" {}
            rect class={ "is-" (class(colour)) } x="0" y="0" width=(format!("{:.0}", METER * remaining.value)) height="10" rx="3" {}
        }
        " " (percent(remaining.raw)) @if remaining.raw < 0.0 { " (overspent)" }
    }
}

fn burning(told: &Told) -> Markup {
    let fastest = told.burn.iter().filter_map(|burn| burn.long.rate).reduce(f64::max);
    html! { @if let Some(rate) = fastest { (figure(rate)) "×" } @else { span.soft { "–" } } }
}

fn week(told: &Told) -> Markup {
    let weeks = &told.weekly;
    html! {
        @if let Some(change) = weeks.change {
            (signed(change.change)) @if change.is_degrading { " " (chip(Colour::Yellow, "falling")) }
        } @else { span.soft { "–" } }
    }
}

/// One of them with every number, its burn rates and its definition; `plot` is the way of its metric.
pub fn show(slo: &SloStatus, definition: &str, plot: Option<&Plot>) -> String {
    let title = slo.display_name.as_deref().unwrap_or(&slo.name);
    let main = html! {
        p.path { a href="/slos" { "SLOs" } " › " (brief(&slo.name)) }
        h1 { (brief(title)) }
        p { "Service " (brief(&slo.service)) ", over " (brief(&slo.window)) @if let Some(from) = slo.from { ", since " (time(from)) } ", as of " (time(slo.to)) }
        @for problem in &slo.problems { p.problem { (brief(problem)) } }
        @for objective in &slo.objectives { (in_full(objective)) }
        @if let Some(plot) = plot { section aria-labelledby="metric" { h2 #metric { "What it is measured by" } (plot.render()) } }
        section aria-labelledby="definition" {
            h2 #definition { "Definition" }
            p.soft { "From " @if slo.file == "naze" { "naze itself" } @else { code { (brief(&slo.file)) } } }
            pre tabindex="0" { (cut(definition, TEXT_CHARACTERS_MAX)) }
        }
        p.screen { a href={ "/v1" (path(&slo.name)) } { "JSON" } }
    };
    page(title, Place::Slos, &main)
}

fn in_full(objective: &ObjectiveStatus) -> Markup {
    let told = &objective.told;
    let evaluation = &told.evaluation;
    html! {
        section {
            h2 { (brief(told.display_name.as_deref().unwrap_or(&objective.name))) " " (state(told)) }
            dl {
                dt { "Kept" } dd { (evaluation.attainment.map_or_else(|| "no data".to_owned(), percent)) " of " (percent(evaluation.target)) " promised, " (evaluation.good) " of " (evaluation.total) " good" }
                @if let Some(value) = evaluation.value { dt { "Measured" } dd { (figure(value)) " against " (figure(evaluation.threshold)) @if let Some(headroom) = evaluation.headroom { ", headroom " (percent(headroom)) } } }
                dt { "Budget left" } dd { (budget(told)) }
                @if let (Some(current), Some(previous)) = (told.weekly.current, told.weekly.previous) { dt { "This week" } dd { (percent(current)) ", last week " (percent(previous)) " " (week(told)) } }
                @if !evaluation.is_complete { dt { "Gaps" } dd { (evaluation.slices_missing) " of " (evaluation.slices) " slices are not measured" } }
            }
            (burns(&told.burn))
            @for left_out in &told.left_out { p.soft { "Left out: " (brief(&left_out.reason)) } }
            @if let Some(chronic) = &objective.chronic {
                h3 { "Missed again and again: " (chronic.missed) " of " (chronic.of) " hours" }
                ul { @for advice in &chronic.advice { li { (brief(advice)) } } }
            }
        }
    }
}

fn burns(burns: &[Burn]) -> Markup {
    if burns.is_empty() {
        return html! {};
    }
    html! {
        div.table tabindex="0" role="region" aria-label="How fast the budget burns" {
            table {
                caption { "How fast the budget burns: 1 spends it exactly by the end of the window" }
                thead {
                    tr {
                        th scope="col" { "Rule" }
                        @for name in ["Fires above", "Long window", "burns at", "Short window", "burns at"] { th.number scope="col" { (name) } }
                        th scope="col" { "State" }
                    }
                }
                tbody { @for burn in burns { (burn_line(burn)) } }
            }
        }
    }
}

fn burn_line(burn: &Burn) -> Markup {
    let rate = |rate: Option<f64>| rate.map_or_else(|| "–".to_owned(), |rate| format!("{}×", figure(rate)));
    html! {
        tr {
            th scope="row" { @if burn.rule.severity == Severity::Page { "page" } @else { "ticket" } }
            td.number { (figure(burn.rule.factor)) "×" }
            td.number { (length(burn.rule.long)) } td.number { (rate(burn.long.rate)) }
            td.number { (length(burn.rule.short)) } td.number { (rate(burn.short.rate)) }
            td { @if burn.is_firing { (chip(Colour::Red, "firing")) } @else if burn.long.rate.is_none() { (chip(Colour::Grey, "no data")) } @else { (chip(Colour::Green, "quiet")) } }
        }
    }
}

fn length(length: TimeDelta) -> String {
    if length.num_minutes() % 60 == 0 { format!("{} h", length.num_hours()) } else { span(length) }
}

fn percent(share: f64) -> String {
    let text = format!("{:.3}", share * 100.0);
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

fn signed(change: f64) -> String {
    format!("{:+.2} points", change * 100.0)
}
