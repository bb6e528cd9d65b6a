//! One CloudEvent, however it was sent.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Map, Value as Json};

use super::fault;
use crate::receive::Delivery;
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
    /// From the JSON format.
    pub(super) fn structured(event: Json, what: &str) -> Result<Self, Violation> {
        let Json::Object(members) = event else {
            return Err(fault(what, Some(&event.to_string()), "an event is a JSON object"));
        };
        let data = data_of(&members)?;
        let mut attributes = BTreeMap::new();
        for (name, value) in members.iter().filter(|(name, _)| !matches!(name.as_str(), "data" | "data_base64")) {
            let text = match value {
                Json::Null => continue,
                Json::String(text) => text.clone(),
                Json::Bool(truth) => truth.to_string(),
                Json::Number(number) if number.as_i64().is_some_and(|number| i32::try_from(number).is_ok()) => {
                    number.to_string()
                }
                other => {
                    let message = format!("{name} must be a text, a boolean or an integer of 32 bits");
                    return Err(fault(name, Some(&other.to_string()), &message));
                }
            };
            attributes.insert(name.to_ascii_lowercase(), text);
        }
        Self::of(attributes, data)
    }

    /// From `ce-` headers; the body is the data.
    pub(super) fn binary(delivery: &Delivery<'_>) -> Result<Self, Violation> {
        let mut attributes = BTreeMap::new();
        for (name, value) in delivery.headers {
            let Some(name) = name.as_str().strip_prefix("ce-") else { continue };
            let text = value.to_str().ok().and_then(decoded);
            let text =
                text.ok_or_else(|| fault(name, None, &format!("the header ce-{name} is not percent-encoded UTF-8")))?;
            attributes.insert(name.to_owned(), text);
        }
        let media_type = delivery.media_type();
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

fn data_of(members: &Map<String, Json>) -> Result<Option<Json>, Violation> {
    let is_base64 = members.get("datacontentencoding").and_then(Json::as_str) == Some("base64");
    let encoded = match (members.get("data"), members.get("data_base64")) {
        (Some(_), Some(_)) => return Err(fault("data_base64", None, "an event has data or data_base64, not both")),
        (Some(Json::String(text)), None) if is_base64 => text,
        (Some(data), None) => return Ok(Some(data.clone())),
        (None, Some(Json::String(text))) => text,
        (None, Some(Json::Null) | None) => return Ok(None),
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
    let inner = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let text = inner.map_or_else(|| text.to_owned(), |inner| inner.replace("\\\"", "\"").replace("\\\\", "\\"));
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let code = (*first == b'%').then(|| after.get(..2)).flatten();
        let code = code.and_then(|code| u8::from_str_radix(std::str::from_utf8(code).ok()?, 16).ok());
        bytes.push(code.unwrap_or(*first));
        rest = if code.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).ok()
}
