//! Reports: what was found, for people. A report is first a [`document::Document`], then text in one of its forms.
//!
//! Same evidence, same bytes; evidence text is data and never becomes markup.

pub mod document;
mod html;
mod markdown;
pub mod postmortem;
pub mod timeline;
mod title;
pub mod why;

pub use title::title_of;

use crate::clock::Timestamp;
use crate::error::{Context as _, Result};

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

/// `2026-03-10 10:04:05Z`: to the second, for people.
fn moment(time: Timestamp) -> String {
    time.utc().format("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// `1 h 05 min`, `12 min`, `40 s`.
fn span(span: chrono::TimeDelta) -> String {
    let seconds = span.num_seconds();
    match seconds {
        ..0 => format!("-{}", self::span(-span)),
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        _ => format!("{} h {:02} min", seconds / 3_600, seconds / 60 % 60),
    }
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
