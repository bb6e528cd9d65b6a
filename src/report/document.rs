//! What a report says, before it has a form.

use serde::Serialize;

use crate::receipt::ReceiptId;

/// A report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Document {
    /// Its title.
    pub title: String,
    /// Its parts.
    pub sections: Vec<Section>,
}

/// A part under a heading.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// What stands there.
    pub blocks: Vec<Block>,
}

/// A block of a section.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// Points, one a line.
    List(Vec<Vec<Inline>>),
    /// A table.
    Table {
        /// Names of the columns.
        head: Vec<String>,
        /// Cells of each row.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// A part that people write; regeneration keeps it.
    Human {
        /// Its name.
        name: String,
        /// What stands there: a placeholder, or what people wrote.
        text: String,
    },
}

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Inline {
    /// Text as it is.
    Text(String),
    /// A link on our own server, shown as code.
    Link {
        /// What is shown.
        text: String,
        /// Path and query.
        href: String,
    },
}

/// One text as a line.
pub fn line(text: impl Into<String>) -> Vec<Inline> {
    vec![Inline::Text(text.into())]
}

/// A text followed by the receipts it rests on.
pub fn cited(text: impl Into<String>, receipts: &[ReceiptId]) -> Vec<Inline> {
    let mut inlines = line(text);
    for id in receipts {
        inlines.push(Inline::Text(" ".into()));
        inlines.push(receipt(*id));
    }
    inlines
}

/// A link to a receipt, shown by its first digits.
pub fn receipt(id: ReceiptId) -> Inline {
    Inline::Link { text: id.to_string()[..12].to_owned(), href: format!("/v1/receipts/{id}") }
}

/// A link to a path.
pub fn link(path: &str) -> Inline {
    Inline::Link { text: path.to_owned(), href: path.to_owned() }
}

impl Section {
    /// A section.
    pub fn new(heading: &str, blocks: Vec<Block>) -> Self {
        Self { heading: heading.to_owned(), blocks }
    }
}
