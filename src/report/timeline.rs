//! Timelines: what happened, in order, each line with its receipt. Facts only.

use chrono::TimeDelta;
use serde_json::{Value as Json, json};

use super::document::{Block, Document, Inline, Section, line, link, receipt};
use super::{Form, cell, csv, html, markdown, moment, span, title_of};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::receipt::ReceiptId;
use crate::record::{Recorded, Window};

/// A silence this long shows as a gap, unless asked otherwise.
pub const GAP_MIN: TimeDelta = TimeDelta::minutes(10);
/// Severities, mildest first.
pub(crate) const SEVERITIES: [&str; 3] = ["info", "warning", "critical"];

/// Which receipts to tell of; empty lists let all through.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    kinds: Vec<String>,
    components: Vec<String>,
    /// Index into [`SEVERITIES`].
    severity_min: Option<usize>,
}

impl Filter {
    /// Reads comma-separated kinds and components, and the mildest severity wanted.
    pub fn parse(kinds: Option<&String>, components: Option<&String>, severity: Option<&String>) -> Result<Self> {
        let list = |text: Option<&String>| -> Vec<String> {
            text.into_iter()
                .flat_map(|text| text.split(','))
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect()
        };
        let severity_min = severity.map(|severity| {
            SEVERITIES.iter().position(|known| known == severity).ok_or_else(|| {
                Error::invalid(format!("severity=\"{severity}\" is not known")).hint("use info, warning or critical")
            })
        });
        Ok(Self { kinds: list(kinds), components: list(components), severity_min: severity_min.transpose()? })
    }

    fn lets_through(&self, recorded: &Recorded) -> bool {
        let receipt = &recorded.receipt;
        let has = |names: &[String], name: &str| names.is_empty() || names.iter().any(|known| known == name);
        // What says nothing of its severity is the mildest.
        let severity = receipt.text("severity").unwrap_or(SEVERITIES[0]);
        let severity = SEVERITIES.iter().position(|known| *known == severity);
        has(&self.kinds, receipt.kind())
            && has(&self.components, receipt.component().unwrap_or_default())
            && self.severity_min.is_none_or(|min| severity.is_some_and(|severity| severity >= min))
    }
}

/// One line of a timeline.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// Something happened.
    Event(Box<Event>),
    /// Nothing is known to have happened.
    Gap {
        /// The last evidence before.
        from: Timestamp,
        /// The first evidence after.
        to: Timestamp,
    },
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it happened.
    pub occurred_at: Timestamp,
    /// When naze learned of it.
    pub recorded_at: Timestamp,
    /// Its kind.
    pub kind: String,
    /// Where it happened.
    pub component: String,
    /// How bad it is.
    pub severity: Option<String>,
    /// What happened, in a sentence.
    pub title: String,
    /// Who told.
    pub source: Option<String>,
    /// Its receipt.
    pub id: ReceiptId,
}

/// What happened in a window.
#[derive(Debug, Clone, PartialEq)]
pub struct Timeline {
    /// The window.
    pub window: Window,
    /// Its lines, by time.
    pub entries: Vec<Entry>,
}

/// Tells what happened in `window`; a silence of at least `gap_min` shows as a gap. What `filter` holds back is not told,
/// but no silence either.
pub fn timeline(evidence: &[Recorded], window: Window, filter: &Filter, gap_min: TimeDelta) -> Timeline {
    let mut known: Vec<&Recorded> =
        evidence.iter().filter(|recorded| window.contains(recorded.occurred_at())).collect();
    known.sort_by_key(|recorded| (recorded.occurred_at(), recorded.id));
    let mut entries = Vec::with_capacity(known.len());
    let mut last: Option<Timestamp> = None;
    for recorded in known {
        let time = recorded.occurred_at();
        if let Some(from) = last.filter(|from| time.since(*from) >= gap_min) {
            entries.push(Entry::Gap { from, to: time });
        }
        last = Some(time);
        if filter.lets_through(recorded) {
            entries.push(Entry::Event(Box::new(event(recorded))));
        }
    }
    Timeline { window, entries }
}

fn event(recorded: &Recorded) -> Event {
    let receipt = &recorded.receipt;
    Event {
        occurred_at: recorded.occurred_at(),
        recorded_at: recorded.recorded_at,
        kind: receipt.kind().to_owned(),
        component: receipt.component().unwrap_or_default().to_owned(),
        severity: receipt.text("severity").map(str::to_owned),
        title: title_of(receipt),
        source: receipt.text("source").map(str::to_owned),
        id: recorded.id,
    }
}

impl Timeline {
    /// The timeline in one of its forms.
    pub fn render(&self, form: Form) -> Result<String> {
        Ok(match form {
            Form::Markdown => markdown::render(&self.document(), ""),
            Form::Html => html::render(&self.document(), ""),
            Form::Json => self.json().to_string(),
            Form::Csv => self.csv()?,
        })
    }

    fn document(&self) -> Document {
        Document {
            title: format!("Timeline {} to {}", moment(self.window.from), moment(self.window.to)),
            sections: vec![Section::new("What happened", vec![self.table()])],
        }
    }

    /// The lines as a table; times in UTC.
    pub(super) fn table(&self) -> Block {
        let head = ["Time (UTC)", "Recorded", "Component", "Kind", "Severity", "What", "Source", "Proof"]
            .map(str::to_owned)
            .to_vec();
        let row = |entry: &Entry| match entry {
            Entry::Event(event) => vec![
                line(moment(event.occurred_at)),
                line(moment(event.recorded_at)),
                line(&*event.component),
                line(&*event.kind),
                line(event.severity.clone().unwrap_or_default()),
                line(&*event.title),
                line(event.source.clone().unwrap_or_default()),
                vec![
                    receipt(event.id),
                    Inline::Text(" ".into()),
                    Inline::Link { text: "raw".into(), href: format!("/v1/receipts/{}/source", event.id) },
                ],
            ],
            Entry::Gap { from, to } => {
                let what = format!("{} without evidence", span(to.since(*from)));
                let query = format!("/v1/timeline?from={from}&to={to}");
                vec![
                    line(moment(*from)),
                    line(""),
                    line(""),
                    line("gap"),
                    line(""),
                    line(what),
                    line(""),
                    vec![link(&query)],
                ]
            }
        };
        Block::Table { head, rows: self.entries.iter().map(row).collect() }
    }

    fn json(&self) -> Json {
        let entry = |entry: &Entry| match entry {
            Entry::Event(event) => json!({
                "type": "event",
                "occurredAt": event.occurred_at,
                "recordedAt": event.recorded_at,
                "kind": event.kind,
                "component": event.component,
                "severity": event.severity,
                "title": event.title,
                "source": event.source,
                "id": event.id,
                "proof": format!("/v1/receipts/{}", event.id),
                "raw": format!("/v1/receipts/{}/source", event.id),
            }),
            Entry::Gap { from, to } => {
                json!({"type": "gap", "from": from, "to": to, "seconds": to.since(*from).num_seconds()})
            }
        };
        json!({
            "version": 1,
            "window": {"from": self.window.from, "to": self.window.to},
            "entries": self.entries.iter().map(entry).collect::<Vec<_>>(),
        })
    }

    pub(super) fn csv(&self) -> Result<String> {
        let head =
            ["occurredAt", "recordedAt", "component", "kind", "severity", "title", "source", "id", "proof", "raw"];
        let row = |entry: &Entry| match entry {
            Entry::Event(event) => [
                event.occurred_at.to_string(),
                event.recorded_at.to_string(),
                cell(&event.component),
                event.kind.clone(),
                event.severity.clone().unwrap_or_default(),
                cell(&event.title),
                cell(event.source.as_deref().unwrap_or_default()),
                event.id.to_string(),
                format!("/v1/receipts/{}", event.id),
                format!("/v1/receipts/{}/source", event.id),
            ],
            Entry::Gap { from, to } => {
                let mut row: [String; 10] = Default::default();
                row[0] = from.to_string();
                "gap".clone_into(&mut row[3]);
                row[5] = format!("{} without evidence", span(to.since(*from)));
                row
            }
        };
        csv(&head, self.entries.iter().map(row))
    }
}
