//! How the work on an incident stands, for people.

use serde_json::{Value as Json, json};

use super::document::{Block, Document, Inline, Section, line, link, receipt};
use super::{moment, span, written};
use crate::analyse::workflow::{State, Step, Workflow};
use crate::error::Result;
use crate::receipt::ReceiptId;
use crate::runbook::Matched;

/// The clock of an incident with its runbooks as `application/json`, `text/plain`, `text/markdown` or `text/html`.
///
/// # Errors
/// `Invalid` for any other media type.
pub fn render(reference: &str, told: &Workflow, runbooks: &[Matched], media_type: &str) -> Result<String> {
    let whole = json!({"version": 1, "incident": reference, "workflow": told, "runbooks": runbooks});
    let document = || Document {
        title: format!("Incident {reference}"),
        sections: vec![section(told), changes(told), instructions(runbooks)],
    };
    written(&whole, document, media_type)
}

/// The steps, and what happens when nobody answers.
pub(super) fn section(told: &Workflow) -> Section {
    let row = |step: &Step| {
        let state = match step.state {
            State::Done => "done",
            State::DoneLate => "done, late",
            State::Due => "due",
            State::Late => "late",
            State::Skipped => "skipped",
        };
        let took = step.done_at.map(|done_at| span(done_at.since(told.detected_at))).unwrap_or_default();
        vec![
            line(step.title),
            line(state),
            line(step.done_at.map(moment).unwrap_or_default()),
            line(moment(step.due_at)),
            line(took),
            step.receipt.map(receipt).into_iter().collect(),
        ]
    };
    let head = ["Step", "State", "Done", "Due", "After the detection", "Proof"].map(str::to_owned).to_vec();
    let table = Block::Table { head, rows: told.steps.iter().map(row).collect() };
    Section::new("Work", vec![table, Block::Paragraph(escalation(told))])
}

fn escalation(told: &Workflow) -> Vec<Inline> {
    let escalation = &told.escalation;
    match (escalation.escalated_at, escalation.receipt) {
        (Some(at), Some(id)) => vec![Inline::Text(format!("Escalated {} ", moment(at))), receipt(id)],
        _ if escalation.is_due => line("Nobody answered: it is to be escalated."),
        _ => line(format!("Not escalated; an alert that nobody answers is at {}.", moment(escalation.due_at))),
    }
}

fn changes(told: &Workflow) -> Section {
    let text = |row: &Json, name: &str| row[name].as_str().unwrap_or_default().to_owned();
    let point = |row: &Json| {
        let rollback = if row["rollbackCandidate"] == true { ", can be rolled back" } else { "" };
        let (before, after) = (text(row, "previous"), text(row, "next"));
        let moved = if before.is_empty() { after } else { format!("{before} to {after}") };
        let mut point = line(format!(
            "{} {} {} {}: {moved}{rollback} ",
            text(row, "time"),
            text(row, "kind"),
            text(row, "component"),
            text(row, "status"),
        ));
        point.extend(text(row, "event").parse::<ReceiptId>().ok().map(receipt));
        point
    };
    let mut blocks = vec![Block::List(told.changes.iter().map(point).collect())];
    blocks.extend(told.show.iter().map(|path| Block::Paragraph(vec![link(path)])));
    Section::new("Changes in the hour before", blocks)
}

fn instructions(runbooks: &[Matched]) -> Section {
    let points = runbooks.iter().flat_map(|runbook| {
        let stale = if runbook.is_stale { ", not looked at for half a year" } else { "" };
        let mut title = line(format!("{}{stale} ", runbook.title));
        title.push(link(&runbook.show));
        let steps = runbook.steps.iter().zip(1..).map(|(step, number)| line(format!("{number}. {step}")));
        std::iter::once(title).chain(steps)
    });
    Section::new("Runbooks", vec![Block::List(points.collect())])
}
