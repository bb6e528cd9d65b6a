//! Receipts as a table: RFC 4180, with CRLF, and safe to open in a spreadsheet.
//!
//! A field with several values is a JSON array in its cell, the labels are a JSON object. A text that a spreadsheet would
//! take for a formula has an apostrophe before it; numbers and times stay as they are.

use std::io::Write;

use ::csv::{Terminator, Writer, WriterBuilder};
use serde_json::json;

use super::{FAILED, columns};
use crate::error::{Context as _, Result};
use crate::receipt::{Value, write_json};
use crate::record::Recorded;
use crate::record::store::source_iri;
use crate::report::cell;
use crate::vocab::Vocabulary;

/// A table under way.
pub(super) struct Table<W: Write> {
    writer: Writer<W>,
    columns: Vec<String>,
}

impl<W: Write> Table<W> {
    /// Writes the head.
    pub(super) fn new(out: W, vocabulary: &Vocabulary) -> Result<Self> {
        let mut table = Self {
            writer: WriterBuilder::new().terminator(Terminator::CRLF).from_writer(out),
            columns: columns(vocabulary),
        };
        let names = table.columns.iter().map(String::as_str);
        let head: Vec<&str> = ["id", "kind"].into_iter().chain(names).chain(["labels"]).collect();
        table.writer.write_record(head).internal(FAILED)?;
        Ok(table)
    }

    /// Writes one row.
    pub(super) fn add(&mut self, recorded: &Recorded) -> Result<()> {
        let receipt = &recorded.receipt;
        let mut row = vec![recorded.id.to_string(), cell(receipt.kind())];
        row.extend(self.columns.iter().map(|name| value(recorded, name)));
        let labels = receipt.labels();
        row.push(if labels.is_empty() { String::new() } else { json!(labels).to_string() });
        self.writer.write_record(row).internal(FAILED)
    }

    /// Writes what is left.
    pub(super) fn finish(mut self) -> Result<()> {
        self.writer.flush().internal(FAILED)
    }
}

fn value(recorded: &Recorded, name: &str) -> String {
    match name {
        "recordedAt" => return recorded.recorded_at.to_string(),
        "ledgerPosition" => return recorded.position.to_string(),
        "sourceDocument" => return source_iri(&recorded.source).into_string(),
        _ => {}
    }
    let mut values = recorded.receipt.fields().filter(|(field, _)| *field == name).flat_map(|(_, values)| values);
    match (values.next(), values.next()) {
        (None, _) => String::new(),
        (Some(Value::Text(text) | Value::Component(text)), None) => cell(text),
        (Some(Value::Integer(number)), None) => number.to_string(),
        (Some(Value::Number(number)), None) => number.to_string(),
        (Some(Value::Boolean(truth)), None) => truth.to_string(),
        (Some(Value::Time(time)), None) => time.to_string(),
        (Some(Value::Receipt(id)), None) => id.to_string(),
        (Some(_), _) => cell(&write_json(&recorded.receipt, recorded.id, &[])[name].to_string()),
    }
}
