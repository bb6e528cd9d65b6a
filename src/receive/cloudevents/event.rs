//! One `CloudEvent`, however it was sent.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value as Json};

use super::{cdevent, fault};
use crate::receive::members::Members;
use crate::receive::{Delivery, body};
use crate::validate::Violation;

/// An event with its attributes as texts, and its data when that is JSON.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) id: String,
    pub(super) source: String,
    pub(super) kind: String,
    pub(super) data: Option<Json>,
    attributes: BTreeMap<String, String>,
}

impl Event {
    /// From the JSON format, or from a `CDEvent` without an envelope.
    pub(super) fn from_json(event: Json) -> Result<Self, Violation> {
        match event {
            Json::Object(members) if members.contains_key("specversion") || !members.contains_key("context") => {
                Self::structured(&members)
            }
            Json::Object(_) => Self::bare(event),
            other => Err(fault("event", Some(&other.to_string()), "an event is a JSON object")),
        }
    }

    fn structured(members: &Map<String, Json>) -> Result<Self, Violation> {
        let mut attributes = BTreeMap::new();
        for (name, value) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "data" | "data_base64")) {
            let name = name.to_ascii_lowercase();
            let text = match value {
                Json::Null => continue,
                Json::String(text) => text.clone(),
                other if is_text(&name) => {
                    return Err(fault(&name, Some(&other.to_string()), &format!("{name} must be a text")));
                }
                Json::Bool(truth) => truth.to_string(),
                Json::Number(number) if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()) => {
                    number.to_string()
                }
                other => {
                    let message = format!("{name} must be a text, a boolean or an integer of 32 bits");
                    return Err(fault(&name, Some(&other.to_string()), &message));
                }
            };
            attributes.insert(name, text);
        }
        Self::of(attributes, data_of(members)?)
    }

    /// A `CDEvent` says in its context what an envelope would repeat.
    fn bare(document: Json) -> Result<Self, Violation> {
        let context = Members::of("CDEvent", &document);
        let need = |name: &str| {
            let text = context.text(&format!("/context/{name}")).map(str::to_owned);
            let field = format!("context.{name}");
            text.ok_or_else(|| cdevent::violation(&field, None, &format!("the CDEvent has no {field}")))
        };
        let (id, source, kind) = (need("id")?, need("source")?, need("type")?);
        Ok(Self { id, source, kind, data: Some(document), attributes: BTreeMap::new() })
    }

    /// From `ce-` headers; the body is the data.
    pub(super) fn binary(delivery: &Delivery<'_>) -> Result<Self, Violation> {
        let mut attributes = BTreeMap::new();
        for (name, value) in delivery.headers {
            let Some(name) = name.as_str().strip_prefix("ce-") else { continue };
            if name == "datacontenttype" {
                return Err(fault(
                    name,
                    None,
                    "the type of the data is in Content-Type, and ce-datacontenttype is not sent",
                ));
            }
            let text = std::str::from_utf8(value.as_bytes()).ok().and_then(decoded);
            let text =
                text.ok_or_else(|| fault(name, None, &format!("the header ce-{name} is not percent-encoded UTF-8")))?;
            attributes.insert(name.to_owned(), text);
        }
        let media_type = delivery.media_type().to_ascii_lowercase();
        let is_json = media_type.is_empty() || media_type.ends_with("json");
        let data = match serde_json::from_slice(delivery.body) {
            Ok(json) if is_json => Some(json),
            Err(error) if is_json && !delivery.body.is_empty() => {
                return Err(fault("data", None, &format!("the body is not JSON: {error}")));
            }
            _ => None,
        };
        Self::of(attributes, data)
    }

    fn of(mut attributes: BTreeMap<String, String>, data: Option<Json>) -> Result<Self, Violation> {
        let version = attributes.get("specversion").map(String::as_str);
        if !version.is_some_and(|version| version.starts_with("1.") || version == "0.3") {
            return Err(fault("specversion", version, "specversion must be 1.0 (0.3 is read as well)"));
        }
        if let Some(time) = attributes.get("time").filter(|time| body::time(time).is_none()) {
            return Err(fault("time", Some(time), "time must be RFC 3339, such as 2026-01-26T18:40:00Z"));
        }
        let mut need = |name: &str| {
            let value = attributes.remove(name).filter(|value| !value.is_empty());
            value.ok_or_else(|| fault(name, None, &format!("the event has no {name}")))
        };
        let (id, source, kind) = (need("id")?, need("source")?, need("type")?);
        Ok(Self { id, source, kind, data, attributes })
    }

    /// An attribute other than id, source and type.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.attributes.get(name).map(String::as_str).filter(|text| !text.is_empty())
    }
}

/// Attributes of the specification itself, which are all texts.
fn is_text(name: &str) -> bool {
    let names = ["id", "source", "specversion", "type", "datacontenttype", "dataschema", "subject", "time"];
    names.contains(&name)
}

/// Data as JSON, also when it comes as JSON in a text.
fn data_of(members: &Map<String, Json>) -> Result<Option<Json>, Violation> {
    let given = |name: &str| members.get(name).filter(|json| !json.is_null());
    let is_base64 = given("datacontentencoding").and_then(Json::as_str) == Some("base64");
    let encoded = match (given("data"), given("data_base64")) {
        (Some(_), Some(_)) => return Err(fault("data_base64", None, "an event has data or data_base64, not both")),
        (Some(Json::String(text)), None) if is_base64 => text,
        (Some(Json::String(text)), None) => return Ok(serde_json::from_str(text).ok()),
        (Some(data), None) => return Ok(Some(data.clone())),
        (None, Some(Json::String(text))) => text,
        (None, None) => return Ok(None),
        (None, Some(other)) => {
            return Err(fault("data_base64", Some(&other.to_string()), "data_base64 must be a text"));
        }
    };
    let bytes = BASE64_STANDARD.decode(encoded);
    let bytes = bytes.map_err(|_| fault("data_base64", Some(encoded), "data_base64 is not base64"))?;
    Ok(serde_json::from_slice(&bytes).ok())
}

/// A header's text: without quotes, then percent-decoded once.
fn decoded(text: &str) -> Option<String> {
    let text = text.trim();
    let Some(quoted) = text.strip_prefix('"').and_then(|text| text.strip_suffix('"')) else {
        return body::percent_decoded(text);
    };
    let mut characters = quoted.chars();
    let mut inner = String::with_capacity(quoted.len());
    while let Some(character) = characters.next() {
        // In a quoted string a backslash makes the next character stand for itself.
        inner.push(if character == '\\' { characters.next().unwrap_or(character) } else { character });
    }
    body::percent_decoded(&inner)
}
