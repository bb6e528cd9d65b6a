//! Recommendations, for people and programs.

use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::document::{Block, Document, Section, cited, line, link};
use super::{cell, csv, figure, html, markdown, moment, one_line};
use crate::analyse::advise::{Advised, Recommendation};
use crate::error::{Error, Result};

const INFALLIBLE: &str = "writing to a String cannot fail";
/// Columns that the reason tells in a way of its own.
const TOLD: [&str; 2] = ["value", "threshold"];

/// The recommendations as `application/json`, `text/plain`, `text/markdown`, `text/html` or `text/csv`.
///
/// # Errors
/// `Invalid` for any other media type.
pub fn render(advised: &Advised, media_type: &str) -> Result<String> {
    match media_type {
        "application/json" => Ok(json(advised).to_string()),
        "text/plain" => Ok(plain(advised)),
        "text/markdown" => Ok(markdown::render(&document(advised), "")),
        "text/html" => Ok(html::render(&document(advised), "")),
        "text/csv" => rows(advised),
        other => Err(Error::invalid(format!("recommendations have no form \"{other}\""))),
    }
}

/// As JSON.
pub fn json(advised: &Advised) -> Json {
    let one = |recommendation: &Recommendation| {
        let advice = &recommendation.advice;
        json!({
            "priority": advice.priority,
            "type": recommendation.query,
            "title": recommendation.title,
            "component": recommendation.component,
            "action": advice.action,
            "reason": reason(recommendation),
            "found": recommendation.found,
            "because": recommendation.because.iter().map(ToString::to_string).collect::<Vec<_>>(),
            "show": recommendation.show,
            "runbook": advice.runbook,
            "effort": advice.effort,
            "impact": advice.impact,
            "impactPercent": advice.impact_percent,
        })
    };
    json!({
        "window": {"from": advised.window.from, "to": advised.window.to},
        "recommendations": advised.recommendations.iter().map(one).collect::<Vec<_>>(),
        "failed": advised.failed,
        "truncated": advised.truncated,
    })
}

/// What was found, in words: `failures per minute over five minutes: 12, limit 5; failureType Timeout`.
/// Why, in words: what was found.
pub(crate) fn reason(recommendation: &Recommendation) -> String {
    let found = &recommendation.found;
    let mut parts = Vec::new();
    if let (Some(measure), Some(value)) = (&recommendation.measure, found.get("value")) {
        let limit = found.get("threshold").map(|limit| format!(", limit {}", shown(limit)));
        parts.push(format!("{measure}: {}{}", shown(value), limit.unwrap_or_default()));
    }
    let others = found.iter().filter(|(name, _)| !TOLD.contains(&name.as_str()));
    parts.extend(others.map(|(name, value)| format!("{name} {}", shown(value))));
    parts.join("; ")
}

fn shown(value: &Json) -> String {
    match value {
        Json::Number(number) => number.as_f64().map_or_else(|| number.to_string(), figure),
        Json::String(text) => text.parse().map_or_else(|_| text.clone(), moment),
        other => other.to_string(),
    }
}

/// `[P1] title - action`, and what it rests on.
fn plain(advised: &Advised) -> String {
    let mut out = String::new();
    // What comes from evidence stays in its line and cannot steer the terminal.
    let mut say = |indent: usize, text: &str| {
        writeln!(out, "{}{}", " ".repeat(indent), one_line(text)).expect(INFALLIBLE);
    };
    let (from, to) = (moment(advised.window.from), moment(advised.window.to));
    if advised.recommendations.is_empty() {
        say(0, &format!("Nothing to do: nothing stood out from {from} to {to}."));
    }
    for recommendation in &advised.recommendations {
        let advice = &recommendation.advice;
        let place = recommendation.component.as_ref().map(|component| format!(" ({component})")).unwrap_or_default();
        say(0, &format!("[{:?}] {}{place} - {}", advice.priority, recommendation.title, advice.action));
        let reason = reason(recommendation);
        if !reason.is_empty() {
            say(5, &reason);
        }
        let receipts: Vec<String> = recommendation.because.iter().map(|id| id.to_string()[..12].to_owned()).collect();
        say(5, &format!("because {}  {}", receipts.join(" "), recommendation.show));
        let (effort, impact) = (advice.effort, advice.impact_percent);
        say(5, &format!("effort {effort:?}, impact {impact} %: {}; {}", advice.impact, advice.runbook));
    }
    for failed in &advised.failed {
        say(0, &format!("{} gave no answer: {}", failed.query, failed.problem));
    }
    out
}

fn document(advised: &Advised) -> Document {
    let head = ["Priority", "What to do", "Where", "Why", "Effort", "Impact", "Ask again"].map(str::to_owned).to_vec();
    let row = |recommendation: &Recommendation| {
        let advice = &recommendation.advice;
        vec![
            line(format!("{:?}", advice.priority)),
            line(format!("{}: {}", recommendation.title, advice.action)),
            line(recommendation.component.clone().unwrap_or_default()),
            cited(reason(recommendation), &recommendation.because),
            line(format!("{:?}", advice.effort)),
            line(format!("{} %: {}", advice.impact_percent, advice.impact)),
            vec![link(&recommendation.show)],
        ]
    };
    let table = Block::Table { head, rows: advised.recommendations.iter().map(row).collect() };
    let mut sections = vec![Section::new("Recommendations", vec![table])];
    if !advised.failed.is_empty() {
        let points = advised.failed.iter().map(|failed| line(format!("{}: {}", failed.query, failed.problem)));
        sections.push(Section::new("Not answered", vec![Block::List(points.collect())]));
    }
    let (from, to) = (moment(advised.window.from), moment(advised.window.to));
    Document { title: format!("What to do, from {from} to {to}"), sections }
}

fn rows(advised: &Advised) -> Result<String> {
    let head = [
        "priority",
        "type",
        "title",
        "component",
        "action",
        "reason",
        "because",
        "show",
        "runbook",
        "effort",
        "impactPercent",
    ];
    let rows = advised.recommendations.iter().map(|recommendation| {
        let advice = &recommendation.advice;
        let because: Vec<String> = recommendation.because.iter().map(ToString::to_string).collect();
        [
            format!("{:?}", advice.priority),
            recommendation.query.clone(),
            cell(&recommendation.title),
            cell(recommendation.component.as_deref().unwrap_or_default()),
            cell(&advice.action),
            cell(&reason(recommendation)),
            because.join(" "),
            recommendation.show.clone(),
            cell(&advice.runbook),
            format!("{:?}", advice.effort),
            advice.impact_percent.to_string(),
        ]
    });
    csv(&head, rows)
}
