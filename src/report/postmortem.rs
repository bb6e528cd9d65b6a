//! Post-mortems: what naze knows is filled in, what people know they write between markers, and regeneration keeps it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::json;

use super::document::{Block, Document, Section, cited, line, link};
use super::timeline::{Filter, Timeline, timeline};
use super::{Form, html, markdown, moment, span, why};
use crate::analyse::cause::{Answer, Verdict};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::record::{Recorded, Window};

/// A silence this long shows in the timeline.
const GAP_MIN: TimeDelta = TimeDelta::minutes(10);
/// Placeholder of a part that nobody has written yet.
const TO_WRITE: &str = "\n_to be written_\n";

/// A post-mortem.
#[derive(Debug, Clone)]
pub struct Postmortem {
    document: Document,
    timeline: Timeline,
    base_url: String,
}

/// Writes the post-mortem of an incident from its evidence; links lead to `base_url`, or are relative.
pub fn postmortem(
    opened: &Recorded,
    updates: &[Recorded],
    answer: &Answer,
    evidence: &[Recorded],
    base_url: Option<&str>,
) -> Postmortem {
    let window =
        evidence.iter().map(Recorded::occurred_at).fold(None, |window: Option<Window>, time| {
            let to = time.checked_add(TimeDelta::microseconds(1)).unwrap_or(time);
            Some(window.map_or(Window { from: time, to }, |window| Window {
                from: window.from.min(time),
                to: window.to.max(to),
            }))
        });
    let window = window.unwrap_or(Window { from: opened.occurred_at(), to: opened.occurred_at() });
    let timeline = timeline(evidence, window, &Filter::default(), GAP_MIN);
    let times = Times::new(opened, updates, answer);
    let text = |field: &str| updates.iter().rev().chain([opened]).find_map(|recorded| recorded.receipt.text(field));
    let reference = opened.receipt.text("reference").unwrap_or("incident");
    let mut sections = vec![
        Section::new(
            "Summary",
            vec![
                Block::Paragraph(line(text("summary").unwrap_or("No summary was given.").to_owned())),
                Block::Paragraph(line(format!(
                    "Status: {}. Detected: {}.",
                    text("status").unwrap_or("open"),
                    moment(times.detected)
                ))),
                human("authors"),
            ],
        ),
        Section::new("Impact", vec![Block::List(impact(&times, evidence)), human("impact")]),
        Section::new("Times", vec![times.table()]),
        Section::new("Cause", vec![Block::Paragraph(line(cause_words(answer, text("rootCause"))))]),
    ];
    sections.extend(why::sections_of(answer));
    let done = [("Fix", "fix"), ("Prevention", "prevention")].iter();
    let done: Vec<_> =
        done.filter_map(|(name, field)| text(field).map(|text| line(format!("{name}: {text}")))).collect();
    sections.extend([
        Section::new("Timeline", vec![timeline.table()]),
        Section::new("Action items", vec![Block::List(done), human("actions")]),
        Section::new("Lessons", vec![human("went-well"), human("went-wrong"), human("got-lucky")]),
        Section::new("Queries used", vec![Block::List(queries(answer))]),
    ]);
    Postmortem {
        document: Document { title: format!("Post-mortem {reference}"), sections },
        timeline,
        base_url: base_url.unwrap_or_default().to_owned(),
    }
}

impl Postmortem {
    /// The post-mortem in one of its forms. `previous` is an earlier Markdown version: what stands between its markers
    /// is kept byte for byte.
    ///
    /// # Errors
    /// `Invalid` naming a marker that has no end.
    pub fn render(&self, form: Form, previous: Option<&str>) -> Result<String> {
        let mut written = previous.map_or_else(|| Ok(BTreeMap::new()), human_parts)?;
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

fn human(name: &str) -> Block {
    Block::Human { name: name.to_owned(), text: format!("\n**{}:**{TO_WRITE}", name.replace('-', " ")) }
}

/// What stands between `<!-- human:NAME -->` and `<!-- /human:NAME -->`.
fn human_parts(previous: &str) -> Result<BTreeMap<String, String>> {
    let mut parts = BTreeMap::new();
    let mut rest = previous;
    while let Some((_, after)) = rest.split_once("<!-- human:") {
        let (name, after) = after.split_once(" -->").ok_or_else(|| broken("human:", "is not closed with -->"))?;
        let end = format!("<!-- /human:{name} -->");
        let (text, after) =
            after.split_once(&end).ok_or_else(|| broken(name, &format!("has no end: {end} is missing")))?;
        if parts.insert(name.to_owned(), text.to_owned()).is_some() {
            return Err(broken(name, "stands there twice"));
        }
        rest = after;
    }
    Ok(parts)
}

fn broken(name: &str, what: &str) -> Error {
    Error::invalid(format!("the marker human:{name} of the earlier version {what}"))
        .hint("repair it by hand, so that nothing people wrote is lost")
}

/// When things were noticed and done.
struct Times {
    onset: Option<Timestamp>,
    detected: Timestamp,
    acknowledged: Option<Timestamp>,
    mitigated: Option<Timestamp>,
    resolved: Option<Timestamp>,
}

impl Times {
    fn new(opened: &Recorded, updates: &[Recorded], answer: &Answer) -> Self {
        let when = |status: &str| {
            updates.iter().find(|update| update.receipt.text("status") == Some(status)).map(Recorded::occurred_at)
        };
        let detected = opened.receipt.time("detectedAt").unwrap_or_else(|| opened.occurred_at());
        Self {
            onset: opened.receipt.time("onset").or(answer.question.onset).filter(|onset| *onset <= detected),
            detected,
            acknowledged: when("acknowledged"),
            mitigated: when("mitigated"),
            resolved: when("resolved"),
        }
    }

    fn table(&self) -> Block {
        let row = |name: &str, time: Option<Timestamp>, measure: &str, from: Option<Timestamp>| {
            let took = time.zip(from).map_or_else(|| "unknown".to_owned(), |(time, from)| span(time.since(from)));
            vec![
                line(name),
                line(time.map_or_else(|| "unknown".to_owned(), moment)),
                line(measure),
                line(if measure.is_empty() { String::new() } else { took }),
            ]
        };
        let rows = vec![
            row("Onset (first sign)", self.onset, "", None),
            row("Detected", Some(self.detected), "TTD", self.onset),
            row("Acknowledged", self.acknowledged, "TTA", Some(self.detected)),
            row("Mitigated", self.mitigated, "TTM", self.onset),
            row("Resolved", self.resolved, "TTR", self.onset),
        ];
        Block::Table { head: ["Moment", "Time (UTC)", "Measure", "Took"].map(str::to_owned).to_vec(), rows }
    }
}

fn impact(times: &Times, evidence: &[Recorded]) -> Vec<Vec<super::document::Inline>> {
    let during = |recorded: &&Recorded| {
        times.onset.is_none_or(|onset| recorded.occurred_at() >= onset)
            && times.resolved.is_none_or(|end| recorded.occurred_at() <= end)
    };
    let failed: BTreeSet<&str> = evidence
        .iter()
        .filter(during)
        .filter(|recorded| recorded.receipt.kind() == "failure")
        .filter_map(|recorded| recorded.receipt.component())
        .collect();
    let alerts: Vec<&Recorded> = evidence
        .iter()
        .filter(during)
        .filter(|recorded| recorded.receipt.kind() == "alert" && recorded.receipt.text("status") == Some("firing"))
        .collect();
    let names: BTreeSet<&str> = alerts.iter().filter_map(|alert| alert.receipt.text("name")).collect();
    let lasted = times
        .resolved
        .zip(times.onset)
        .map_or_else(|| "not over, or its end is not recorded".to_owned(), |(end, onset)| span(end.since(onset)));
    let list = |names: &BTreeSet<&str>| {
        if names.is_empty() { "none recorded".to_owned() } else { names.iter().copied().collect::<Vec<_>>().join(", ") }
    };
    vec![
        line(format!("Lasted: {lasted}")),
        line(format!("Components that failed: {}", list(&failed))),
        cited(
            format!("Alerts that fired: {}", list(&names)),
            &alerts.iter().take(10).map(|alert| alert.id).collect::<Vec<_>>(),
        ),
    ]
}

fn cause_words(answer: &Answer, stated: Option<&str>) -> String {
    let proposed = match answer.verdict {
        Verdict::Confirmed => "Confirmed",
        Verdict::Likely => "Proposed by naze, not yet confirmed",
        Verdict::Inconclusive => "Open",
    };
    match stated {
        Some(stated) => format!("Stated by the responders: {stated}. {proposed}: {}", why::verdict(answer)),
        None => format!("{proposed}: {}", why::verdict(answer)),
    }
}

fn queries(answer: &Answer) -> Vec<Vec<super::document::Inline>> {
    let paths: BTreeSet<String> =
        answer.ranked.iter().take(1).flat_map(|cause| &cause.terms).map(|term| term.query.path()).collect();
    paths.iter().map(|path| vec![link(path)]).collect()
}
