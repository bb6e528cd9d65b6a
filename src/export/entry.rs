//! A receipt as an entry of a log: what a tool needs that knows nothing of receipts.

use serde_json::Value as Json;

use crate::clock::Timestamp;
use crate::receipt::write_json;
use crate::record::Recorded;
use crate::report::title_of;

/// A longer text is cut; naze has it all, under the receipt's id.
const TEXT_CHARACTERS_MAX: usize = 4_000;
/// Attributes beyond are left out; labels come last.
const ATTRIBUTES_MAX: usize = 200;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Severity {
    Info,
    Warning,
    Error,
    Critical,
}

impl Severity {
    /// What log levels are called nearly everywhere.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Error => "error",
            Self::Critical => "critical",
        }
    }
}

/// One entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    /// When it happened.
    pub(super) at: Timestamp,
    /// When naze recorded it.
    pub(super) recorded_at: Timestamp,
    pub(super) severity: Severity,
    /// What happened, in one line.
    pub(super) message: String,
    /// What it happened to.
    pub(super) component: String,
    pub(super) trace_id: Option<String>,
    pub(super) span_id: Option<String>,
    /// `naze.receipt.id`, `naze.receipt.kind`, `naze.<field>` and `naze.label.<key>`.
    pub(super) attributes: Vec<(String, Json)>,
}

impl Entry {
    pub(super) fn of(recorded: &Recorded) -> Self {
        let receipt = &recorded.receipt;
        let severity = match receipt.text("severity") {
            Some("critical") => Severity::Critical,
            Some("warning") => Severity::Warning,
            None if receipt.kind() == "failure" => Severity::Error,
            _ => Severity::Info,
        };
        let mut attributes = Vec::new();
        for (name, value) in write_json(receipt, recorded.id, &[]) {
            match (name.as_str(), value) {
                ("id" | "kind", value) => attributes.push((format!("naze.receipt.{name}"), value)),
                ("labels", Json::Object(labels)) => {
                    attributes.extend(labels.into_iter().map(|(key, value)| (format!("naze.label.{key}"), value)));
                }
                (_, value) => attributes.push((format!("naze.{name}"), value)),
            }
        }
        attributes.truncate(ATTRIBUTES_MAX);
        attributes.iter_mut().for_each(|(_, value)| cut(value));
        Self {
            at: recorded.occurred_at(),
            recorded_at: recorded.recorded_at,
            severity,
            message: title_of(receipt),
            component: receipt.component().unwrap_or_default().to_owned(),
            trace_id: receipt.text("traceId").and_then(|id| hexadecimal(id, 32)),
            span_id: receipt.text("spanId").and_then(|id| hexadecimal(id, 16)),
            attributes,
        }
    }
}

/// An id of W3C Trace Context: so many digits, not all of them zero.
fn hexadecimal(id: &str, digits: usize) -> Option<String> {
    let is_one = id.len() == digits && id.bytes().all(|byte| byte.is_ascii_hexdigit()) && id.bytes().any(|b| b != b'0');
    is_one.then(|| id.to_ascii_lowercase())
}

fn cut(value: &mut Json) {
    match value {
        Json::String(text) => {
            if let Some((end, _)) = text.char_indices().nth(TEXT_CHARACTERS_MAX) {
                text.truncate(end);
                text.push('…');
            }
        }
        Json::Array(values) => {
            values.truncate(ATTRIBUTES_MAX);
            values.iter_mut().for_each(cut);
        }
        _ => {}
    }
}
