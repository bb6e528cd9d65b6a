//! Content negotiation: which of the forms we have does the client like best? And the answer in that form.

use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};

use super::problem::Problem;
use crate::error::Error;

/// The first of `offered` (our own order of preference) that the client likes best.
///
/// # Errors
/// 406 naming what is offered.
pub(super) fn best<'a>(headers: &HeaderMap, offered: &[&'a str]) -> Result<&'a str, Problem> {
    let accept = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok()).collect::<Vec<_>>().join(",");
    if accept.trim().is_empty() {
        return Ok(offered[0]);
    }
    let ranges: Vec<(&str, f32)> = accept.split(',').map(range).collect();
    let liked = |media_type: &str| {
        let specific = |range: &str| {
            if range == media_type {
                3
            } else if range.ends_with("/*") && range != "*/*" {
                2
            } else {
                1
            }
        };
        ranges
            .iter()
            .filter(|(range, _)| matches(range, media_type))
            .max_by_key(|(range, _)| specific(range))
            .map_or(0.0, |(_, q)| *q)
    };
    let mut best = ("", 0.0);
    for media_type in offered {
        let quality = liked(media_type);
        if quality > best.1 {
            best = (media_type, quality);
        }
    }
    if best.1 > 0.0 {
        return Ok(best.0);
    }
    let error = Error::invalid(format!("none of \"{accept}\" is offered here"))
        .hint(format!("accept one of: {}", offered.join(", ")));
    Err(Problem::with_status(StatusCode::NOT_ACCEPTABLE, error))
}

/// Forms of an answer that has them all.
pub(super) const FORMS: [&str; 5] = ["application/json", "text/markdown", "text/html", "text/csv", "text/plain"];

/// The form that `format` names (`json`, `markdown`, `html` or `text`), or else what the client likes best.
///
/// # Errors
/// `Invalid` for an unknown name, 406 naming what is offered.
pub(super) fn chosen(headers: &HeaderMap, format: Option<&str>) -> Result<&'static str, Problem> {
    const OFFERED: [(&str, &str); 4] =
        [("json", "application/json"), ("markdown", "text/markdown"), ("html", "text/html"), ("text", "text/plain")];
    let Some(format) = format else { return best(headers, &OFFERED.map(|(_, media_type)| media_type)) };
    let named = OFFERED.into_iter().find(|(name, _)| *name == format);
    named.map(|(_, media_type)| media_type).ok_or_else(|| {
        let names = OFFERED.map(|(name, _)| name).join(", ");
        Error::invalid(format!("format=\"{format}\" is no form of this report")).hint(format!("use {names}")).into()
    })
}

/// A text in the form that was chosen.
pub(super) fn answer(media_type: &str, text: String) -> Response {
    ([(CONTENT_TYPE, format!("{media_type}; charset=utf-8"))], text).into_response()
}

fn range(text: &str) -> (&str, f32) {
    let mut parts = text.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let quality = parts.find_map(|part| part.strip_prefix("q=")).and_then(|q| q.parse().ok()).unwrap_or(1.0);
    (range, quality)
}

fn matches(range: &str, media_type: &str) -> bool {
    let kind = range.strip_suffix("/*");
    range == "*/*"
        || range.eq_ignore_ascii_case(media_type)
        || kind.is_some_and(|kind| media_type.split('/').next() == Some(kind))
}
