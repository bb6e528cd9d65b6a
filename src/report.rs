//! Reports: what was found, for people. A report is first a [`document::Document`], then text in one of its forms.
//!
//! Same evidence, same bytes; evidence text is data and never becomes markup.

pub mod advise;
pub mod document;
pub mod experiment;
pub(crate) mod html;
mod human;
pub mod kaizen;
mod markdown;
mod plain;
pub mod postmortem;
pub mod review;
pub mod sparkline;
pub mod timeline;
mod title;
pub mod why;
pub mod workflow;

pub use title::title_of;

use self::document::Document;
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};

/// Forms in which a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// For wikis and pull requests.
    Markdown,
    /// A page that needs nothing else.
    Html,
    /// For programs.
    Json,
    /// For spreadsheets.
    Csv,
}

impl Form {
    /// The form with this media type.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            "text/markdown" => Some(Self::Markdown),
            "text/html" => Some(Self::Html),
            "application/json" => Some(Self::Json),
            "text/csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// What was found in one of the forms it has: itself as JSON, or `document` for people.
fn written(found: &impl serde::Serialize, document: impl Fn() -> Document, media_type: &str) -> Result<String> {
    match media_type {
        "application/json" => serde_json::to_string(found).internal("cannot write the report"),
        "text/plain" => Ok(plain::render(&document())),
        "text/markdown" => Ok(markdown::render(&document(), "")),
        "text/html" => Ok(html::render(&document(), "")),
        other => Err(Error::invalid(format!("this report has no form \"{other}\""))),
    }
}

/// `2026-03-10 10:04:05Z`: to the second, for people.
pub(crate) fn moment(time: Timestamp) -> String {
    time.utc().format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `2 d 03 h`, `1 h 05 min`, `12 min`, `40 s`.
pub(crate) fn span(span: chrono::TimeDelta) -> String {
    let seconds = span.num_seconds();
    match seconds {
        ..0 => format!("-{}", self::span(-span)),
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds / 3_600 % 24),
    }
}

/// Does it turn the direction of writing, so that a reader sees something else than a program?
fn turns(character: char) -> bool {
    matches!(character, '\u{200E}' | '\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Up to four significant digits, without needless zeros: `0.92`, `1234`, `0.00031`.
#[expect(clippy::cast_possible_truncation, reason = "the magnitude of a double lies within ±324")]
pub(crate) fn figure(number: f64) -> String {
    let magnitude = if number == 0.0 { 0 } else { number.abs().log10().floor() as i32 };
    let decimals = usize::try_from(3 - magnitude).unwrap_or(0);
    let text = format!("{number:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// Evidence text as one line: runs of white space and control characters become one space, and marks that turn the
/// direction of writing go, so that no text can pass for lines or columns of the report.
pub(crate) fn one_line(text: &str) -> String {
    let plain: String = text
        .chars()
        .filter(|character| !turns(*character))
        .map(|character| if character.is_control() { ' ' } else { character })
        .collect();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn csv<R: AsRef<[String]>>(head: &[&str], rows: impl IntoIterator<Item = R>) -> Result<String> {
    let failed = "cannot write CSV";
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.write_record(head).internal(failed)?;
    for row in rows {
        writer.write_record(row.as_ref()).internal(failed)?;
    }
    String::from_utf8(writer.into_inner().internal(failed)?).internal(failed)
}

/// Evidence text as a cell of a spreadsheet, which must not take it for a formula.
pub(crate) fn cell(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠']) {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}
