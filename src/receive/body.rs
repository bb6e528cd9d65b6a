//! What all sources share: a body as text and JSON, and words for what is wrong with it.

use serde_json::{Map, Value as Json};

use super::{RECEIPTS_MAX, VALUES_MAX};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::validate::Violation;

const VALUE_CHARACTERS_MAX: usize = 200;
const GZIP: &[u8] = &[0x1f, 0x8b];

/// The body as text, without a byte order mark.
pub(super) fn text(body: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let fix = if body.starts_with(GZIP) {
            "it looks like gzip: add \"Content-Encoding: gzip\""
        } else {
            "send it as UTF-8"
        };
        Error::invalid(format!("the body is not UTF-8 at byte offset {}", error.valid_up_to())).hint(fix)
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if text.trim().is_empty() {
        return Err(Error::invalid("the body is empty").hint("send at least one receipt"));
    }
    Ok(text)
}

/// A webhook's body as the JSON object it has to be.
pub(super) fn object(body: &[u8]) -> Result<Map<String, Json>> {
    match serde_json::from_str(text(body)?).map_err(|error| not_json(&error))? {
        Json::Object(object) => Ok(object),
        other => Err(Error::invalid(format!("the body is {}, not a JSON object", type_of(&other)))
            .hint("send the sender's own payload, without a template around it")),
    }
}

/// What is wrong with JSON, where, and what to do.
pub(super) fn not_json(error: &serde_json::Error) -> Error {
    let told = error.to_string();
    let place = format!("line {} column {}", error.line(), error.column());
    if told.starts_with("recursion limit exceeded") {
        return Error::invalid(format!("the JSON is nested deeper than 127 levels at {place}"))
            .hint("a receipt is flat: send its fields side by side, and anything else as text under \"labels\"");
    }
    let fix = if told.starts_with("trailing characters") {
        "send several objects as one array, or one a line as application/x-ndjson"
    } else if error.is_eof() {
        "it ends early: send it again whole"
    } else {
        "mend the JSON there and send it again"
    };
    Error::invalid(format!("the body is not JSON: {told}")).hint(fix)
}

/// The document holds more than naze takes at once.
pub(super) fn too_many(what: &str, max: usize) -> Error {
    Error::invalid(format!("the body holds more than {max} {what}"))
        .hint("send it in several requests: order does not matter")
}

/// The document holds more receipts than naze takes at once.
pub(super) fn too_many_receipts() -> Error {
    too_many("receipts", RECEIPTS_MAX)
}

/// A field has more values than a receipt holds.
pub(super) fn too_many_values(field: &str, count: usize) -> Violation {
    violation(
        "values",
        field,
        None,
        format!("{field} has {count} values, and a field has at most {VALUES_MAX}"),
        "send the ones that matter most, or several receipts",
    )
}

/// A violation of the rules of a wire format.
pub(super) fn violation(rule: &str, field: &str, value: Option<&str>, message: String, fix: &str) -> Violation {
    Violation {
        field: Some(field.to_owned()),
        value: value.map(clip),
        rule: rule.to_owned(),
        message,
        fix: fix.to_owned(),
    }
}

/// The violation of a part of a document, told of the whole: its field begins with `.` or is empty.
pub(super) fn at(place: &str, mut violation: Violation) -> Violation {
    violation.field = violation.field.map(|field| format!("{place}{field}"));
    violation
}

/// The beginning of a text, as much of it as a violation shows.
pub(super) fn clip(text: &str) -> String {
    text.chars().take(VALUE_CHARACTERS_MAX).collect()
}

/// What a JSON value is, with its article.
pub(super) fn type_of(json: &Json) -> &'static str {
    match json {
        Json::Null => "null",
        Json::Bool(_) => "a boolean",
        Json::Number(_) => "a number",
        Json::String(_) => "a string",
        Json::Array(_) => "an array",
        Json::Object(_) => "an object",
    }
}

/// A text that is there and not empty.
pub(super) fn filled(json: Option<&Json>) -> Option<&str> {
    json.and_then(Json::as_str).filter(|text| !text.is_empty())
}

/// RFC 3339, also with an offset that lacks its colon, as some senders write it.
pub(super) fn time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let sign = text.len().checked_sub(5)?;
        let (before, offset) = (text.get(..sign)?, text.get(sign..)?);
        let is_offset = offset.starts_with(['+', '-']) && offset[1..].bytes().all(|byte| byte.is_ascii_digit());
        is_offset.then(|| format!("{before}{}:{}", &offset[..3], &offset[3..]).parse().ok())?
    })
}

/// Percent-encoded UTF-8, decoded once; a `%` without two digits after it is a `%`.
pub(super) fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let code = match (first, after) {
            (b'%', [high, low, ..]) => hex::decode([*high, *low]).ok(),
            _ => None,
        };
        bytes.push(code.as_ref().map_or(*first, |code| code[0]));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).ok()
}
