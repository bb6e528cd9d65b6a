//! Post-mortems: what naze knows is filled in, what people know they write between markers, and regeneration keeps it.

mod facts;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use self::facts::{Times, detection, impact};
use super::document::{Block, Document, Inline, Section, cited, line, link, receipt};
use super::timeline::{Filter, GAP_MIN, Timeline, timeline};
use super::{Form, html, human, markdown, moment, why, workflow};
use crate::analyse::cause::{Answer, Verdict};
use crate::analyse::workflow::Workflow;
use crate::error::Result;
use crate::record::{Recorded, Window};

const TIMES: &str = "Times";
const AUTHORS: &str = "\n_Authors: to be named_\n";
const CUSTOMERS: &str = "\n_Customers, support and money: to be written_\n";
const ACTIONS: &str = "\n| Action | Type | Owner | Ticket | Due |\n|---|---|---|---|---|\n\
    |  | prevent, detect or mitigate |  |  |  |\n";
const LESSONS: &str = "\n### What went well\n\n### What went wrong\n\n### Where we got lucky\n\n";

/// A post-mortem.
#[derive(Debug, Clone)]
pub struct Postmortem {
    document: Document,
    timeline: Timeline,
    base_url: String,
}

/// Writes the post-mortem of an incident from its evidence; links lead to `base_url`, or are relative. The order of
/// `updates` and `evidence` does not matter.
pub fn postmortem(
    opened: &Recorded,
    updates: &[Recorded],
    answer: &Answer,
    evidence: &[Recorded],
    base_url: Option<&str>,
) -> Postmortem {
    let timeline = timeline(evidence, window(opened, evidence), &Filter::default(), GAP_MIN);
    let (updates, evidence) = (in_order(updates), in_order(evidence));
    let times = Times::new(opened, &updates, answer);
    let text = |field: &str| updates.iter().copied().rev().chain([opened]).find_map(|told| told.receipt.text(field));
    let mut sections = vec![
        Section::new("Summary", vec![summary(opened, &text, &times, answer), human("authors", AUTHORS)]),
        Section::new("Impact", vec![Block::List(impact(&times, &evidence)), human("customers", CUSTOMERS)]),
        Section::new("Detection", vec![Block::List(detection(opened, &times, &evidence))]),
        Section::new(TIMES, vec![times.table()]),
        Section::new("Root cause", root_cause(answer, text("rootCause"))),
        Section::new("Trigger", vec![Block::Paragraph(trigger(answer))]),
    ];
    sections.extend(why::reasons(answer));
    let done = [("Fix", text("fix")), ("Prevention", text("prevention"))];
    let done: Vec<_> =
        done.into_iter().filter_map(|(name, text)| text.map(|text| line(format!("{name}: {text}")))).collect();
    let mut actions = vec![human("actions", ACTIONS)];
    if !done.is_empty() {
        actions.insert(0, Block::List(done));
    }
    sections.extend([
        Section::new("Timeline", vec![timeline.table()]),
        why::open_questions(answer),
        Section::new("Action items", actions),
        Section::new("Lessons", vec![human("lessons", LESSONS)]),
        Section::new("Supporting information", queries(answer)),
    ]);
    let title = format!("Post-mortem {}", opened.receipt.text("reference").unwrap_or("of an incident"));
    Postmortem { document: Document { title, sections }, timeline, base_url: base_url.unwrap_or_default().to_owned() }
}

impl Postmortem {
    /// The same with how the work on the incident went, after its times.
    #[must_use]
    pub fn with_workflow(mut self, told: &Workflow) -> Self {
        let sections = &mut self.document.sections;
        let place =
            sections.iter().position(|section| section.heading == TIMES).map_or(sections.len(), |place| place + 1);
        sections.insert(place, workflow::section(told));
        self
    }

    /// The post-mortem in one of its forms. `previous` is an earlier Markdown version: what stands between its markers
    /// is kept byte for byte.
    ///
    /// # Errors
    /// `Invalid` naming a broken marker.
    pub fn render(&self, form: Form, previous: Option<&str>) -> Result<String> {
        let mut written = previous.map_or_else(|| Ok(BTreeMap::new()), human::parts)?;
        let mut document = self.document.clone();
        for block in document.sections.iter_mut().flat_map(|section| &mut section.blocks) {
            if let Block::Human { name, text } = block
                && let Some(kept) = written.remove(name)
            {
                *text = kept;
            }
        }
        if !written.is_empty() {
            let kept = written.into_iter().map(|(name, text)| Block::Human { name, text }).collect();
            document.sections.push(Section::new("Kept from the previous version", kept));
        }
        Ok(match form {
            Form::Markdown => markdown::render(&document, &self.base_url),
            Form::Html => html::render(&document, &self.base_url),
            Form::Json => json!({"version": 1, "title": document.title, "sections": document.sections}).to_string(),
            Form::Csv => self.timeline.csv()?,
        })
    }
}

fn human(name: &str, text: &str) -> Block {
    Block::Human { name: name.to_owned(), text: text.to_owned() }
}

fn in_order(told: &[Recorded]) -> Vec<&Recorded> {
    let mut told: Vec<&Recorded> = told.iter().collect();
    told.sort_by_key(|recorded| (recorded.occurred_at(), recorded.id));
    told
}

/// From the first to the last event. What was known of the topology long before is no event of this story.
fn window(opened: &Recorded, evidence: &[Recorded]) -> Window {
    let events = evidence.iter().filter(|recorded| recorded.receipt.kind() != "dependency").chain([opened]);
    let (from, last) = events.fold((opened.occurred_at(), opened.occurred_at()), |(from, last), event| {
        (from.min(event.occurred_at()), last.max(event.occurred_at()))
    });
    Window { from, to: last.just_after() }
}

fn summary<'a>(opened: &'a Recorded, text: &dyn Fn(&str) -> Option<&'a str>, times: &Times, answer: &Answer) -> Block {
    let row = |name: &str, value: &str| vec![line(name), line(value)];
    let rows = vec![
        row("Summary", text("summary").unwrap_or("none was given")),
        row("Reference", text("reference").unwrap_or("unknown")),
        row("Component", opened.receipt.component().unwrap_or("unknown")),
        row("Status", text("status").unwrap_or("open")),
        row("Severity", text("severity").unwrap_or("unknown")),
        row("Date", &times.detected.utc().format("%Y-%m-%d").to_string()),
        row("Evidence as of", &moment(answer.question.at)),
        vec![line("Proof"), vec![receipt(opened.id)]],
    ];
    Block::Table { head: ["What", "Value"].map(str::to_owned).to_vec(), rows }
}

/// Words tell apart what is proposed from what somebody confirmed.
fn root_cause(answer: &Answer, stated: Option<&str>) -> Vec<Block> {
    let proposed = match answer.verdict {
        Verdict::Confirmed => "Confirmed",
        Verdict::Likely => "Proposed by naze, not yet confirmed",
        Verdict::Inconclusive => "Open",
    };
    let verdict = format!("{proposed}: {}", why::verdict(answer));
    let mut blocks = vec![Block::Paragraph(line(match stated {
        Some(stated) => format!("Stated by the responders: {stated}. {verdict}"),
        None => verdict,
    }))];
    blocks.extend(answer.ranked.first().map(why::terms));
    blocks
}

fn trigger(answer: &Answer) -> Vec<Inline> {
    let Some((cause, change)) = answer.ranked.first().and_then(|cause| cause.receipt.map(|change| (cause, change)))
    else {
        return line("No recorded change is blamed.");
    };
    let certainty = match answer.verdict {
        Verdict::Confirmed => "Confirmed",
        Verdict::Likely => "Proposed",
        Verdict::Inconclusive => "Only suspected",
    };
    cited(format!("{certainty}: {}", cause.summary), &[change])
}

/// The queries the answer rests on, to run again.
fn queries(answer: &Answer) -> Vec<Block> {
    let paths: BTreeSet<String> =
        answer.ranked.iter().take(1).flat_map(|cause| &cause.terms).map(|term| term.query.path()).collect();
    vec![Block::Paragraph(line("Queries used:")), Block::List(paths.iter().map(|path| vec![link(path)]).collect())]
}
