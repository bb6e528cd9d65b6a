//! Native JSON: one object, an array of them, or one a line.

pub(super) mod volume;

use std::fmt;

use serde::Deserialize as _;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer as _, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::Value as Json;

use super::{Draft, Item, RECEIPTS_MAX, Received, VALUES_MAX, body};
use crate::error::{Error, Result};
use crate::receipt::read_json;
use crate::validate::Violation;
use crate::vocab::Vocabulary;

/// One object, or an array of them.
pub(super) fn json(bytes: &[u8], vocabulary: &Vocabulary) -> Result<Received> {
    let mut received = Received::default();
    let mut deserializer = serde_json::Deserializer::from_str(body::text(bytes)?);
    let outcome = deserializer.deserialize_any(Receipts { vocabulary, received: &mut received });
    match outcome.and_then(|()| deserializer.end()) {
        Ok(()) => Ok(received),
        Err(_) if is_full(&received) => Err(body::too_many_receipts()),
        Err(error) if error.is_data() => {
            Err(Error::invalid("the body is neither a JSON object nor an array of objects")
                .hint("send {\"kind\": …, \"occurredAt\": …, \"component\": …} or several of them in an array"))
        }
        Err(error) => Err(body::not_json(&error)),
    }
}

/// Turns each object into an item as it is parsed, so that a large array is never in memory as JSON.
struct Receipts<'a> {
    vocabulary: &'a Vocabulary,
    received: &'a mut Received,
}

impl Receipts<'_> {
    fn push(&mut self, json: &Json) {
        take(json, self.vocabulary, self.received);
    }
}

impl<'de> Visitor<'de> for Receipts<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or an array of objects")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, map: A) -> Result<(), A::Error> {
        let json = Json::deserialize(MapAccessDeserializer::new(map))?;
        self.push(&json);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut array: A) -> Result<(), A::Error> {
        while let Some(json) = array.next_element()? {
            self.push(&json);
            if is_full(self.received) {
                return Err(A::Error::custom("too many receipts"));
            }
        }
        Ok(())
    }
}

fn is_full(received: &Received) -> bool {
    received.items.len() + received.measured.len() > RECEIPTS_MAX
}

/// A receipt, or what comes in volume; a user's own kind goes first.
fn take(json: &Json, vocabulary: &Vocabulary, received: &mut Received) {
    let is_kind = json["kind"].as_str().is_some_and(|kind| vocabulary.kind(kind).is_some());
    let volume = json.as_object().filter(|_| !is_kind).and_then(volume::read);
    let item = match volume {
        None => item(json, vocabulary),
        Some(Err(violations)) => Item::Refused(violations),
        Some(Ok(told)) => {
            received.samples.extend(told.samples);
            let Some(receipt) = told.receipt else {
                received.measured.push(received.items.len());
                return;
            };
            Item::Receipt(Draft::new(receipt))
        }
    };
    received.items.push(item);
}

fn item(json: &Json, vocabulary: &Vocabulary) -> Item {
    let too_long = json.as_object().into_iter().flatten().find_map(|(name, value)| {
        let count = value.as_array().map_or(0, Vec::len);
        (count > VALUES_MAX).then(|| body::too_many_values(name, count))
    });
    match too_long {
        Some(violation) => Item::Refused(vec![violation]),
        None => Item::from_receipt(read_json(json, vocabulary)),
    }
}

/// One object a line; empty lines are skipped, and a broken line costs that line only.
pub(super) fn ndjson(bytes: &[u8], vocabulary: &Vocabulary) -> Result<Received> {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut received = Received::default();
    for (place, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        match serde_json::from_slice::<Json>(line) {
            Ok(json) => take(&json, vocabulary, &mut received),
            Err(error) => received.items.push(Item::Refused(vec![not_a_line(place + 1, line, &error)])),
        }
        if is_full(&received) {
            return Err(body::too_many_receipts());
        }
    }
    if received.items.is_empty() && received.measured.is_empty() {
        return Err(Error::invalid("the body is empty").hint("send at least one receipt"));
    }
    Ok(received)
}

fn not_a_line(number: usize, line: &[u8], error: &serde_json::Error) -> Violation {
    let told = error.to_string();
    let told = told.split(" at line ").next().unwrap_or(&told);
    Violation {
        field: None,
        value: Some(body::clip(&String::from_utf8_lossy(line))),
        rule: "json".into(),
        message: format!("line {number} is not JSON: {told} at column {}", error.column()),
        fix: "mend that line and send it again; the other lines are not affected".into(),
    }
}
