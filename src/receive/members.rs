//! Members of a sender's JSON document, by pointer, with errors that name the member.

use serde_json::Value as Json;

use super::body::{self, filled};
use crate::clock::Timestamp;
use crate::error::{Error, Result};

/// A document, and what it is called in errors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Members<'a> {
    what: &'a str,
    document: &'a Json,
}

impl<'a> Members<'a> {
    pub(super) fn of(what: &'a str, document: &'a Json) -> Self {
        Self { what, document }
    }

    /// The member at a JSON pointer.
    pub(super) fn at(self, pointer: &str) -> Option<&'a Json> {
        self.document.pointer(pointer).filter(|json| !json.is_null())
    }

    /// A text that is there and not empty.
    pub(super) fn text(self, pointer: &str) -> Option<&'a str> {
        filled(self.document.pointer(pointer))
    }

    /// The first of several texts that is there.
    pub(super) fn first(self, pointers: &[&str]) -> Option<&'a str> {
        pointers.iter().find_map(|pointer| self.text(pointer))
    }

    pub(super) fn need(self, pointer: &str) -> Result<&'a str> {
        self.text(pointer).ok_or_else(|| self.missing(pointer))
    }

    pub(super) fn number(self, pointer: &str) -> Result<u64> {
        self.at(pointer).and_then(Json::as_u64).ok_or_else(|| self.missing(pointer))
    }

    /// A time, or `otherwise` when the document does not say.
    pub(super) fn time(self, pointer: &str, otherwise: Timestamp) -> Result<Timestamp> {
        let Some(text) = self.text(pointer) else { return Ok(otherwise) };
        body::time(text).ok_or_else(|| {
            Error::invalid(format!("{} \"{}\" is not a time", name(pointer), body::clip(text)))
                .hint("send RFC 3339, such as 2026-01-26T18:40:00Z")
        })
    }

    pub(super) fn missing(self, pointer: &str) -> Error {
        Error::invalid(format!("the {} has no {}", self.what, name(pointer)))
            .hint("send the sender's own payload, without a template around it")
    }
}

fn name(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}
