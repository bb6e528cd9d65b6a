//! Members of an object that comes in volume, with a violation for each that is wrong.

use std::collections::BTreeSet;

use serde_json::{Map, Value as Json};

use super::Labels;
use crate::clock::Timestamp;
use crate::receive::body;
use crate::validate::Violation;
use crate::vocab::nearest;

/// Members that every kind may have.
const COMMON: [&str; 15] = [
    "kind",
    "id",
    "@context",
    "occurredAt",
    "component",
    "environment",
    "instance",
    "severity",
    "summary",
    "source",
    "labels",
    "traceId",
    "spanId",
    "correlationId",
    "principle",
];

/// The members of one object: those that are read, and what is wrong with them.
pub(super) struct Members<'a> {
    kind: &'a str,
    object: &'a Map<String, Json>,
    known: BTreeSet<&'a str>,
    violations: Vec<Violation>,
}

impl<'a> Members<'a> {
    pub(super) fn of(kind: &'a str, object: &'a Map<String, Json>) -> Self {
        Self { kind, object, known: COMMON.into_iter().collect(), violations: Vec::new() }
    }

    pub(super) fn text(&mut self, names: &[&'static str]) -> Option<String> {
        self.first(names, "a text", |json| body::filled(Some(json)).map(str::to_owned))
    }

    pub(super) fn number(&mut self, names: &[&'static str]) -> Option<f64> {
        self.first(names, "a number", Json::as_f64)
    }

    /// RFC 3339, or milliseconds since 1970.
    pub(super) fn time(&mut self, names: &[&'static str]) -> Option<Timestamp> {
        self.first(names, "a time, such as 2026-01-26T18:40:00Z", |json| match json {
            Json::String(text) => body::time(text),
            Json::Number(number) => number.to_string().parse().ok(),
            _ => None,
        })
    }

    /// A duration of 0 or more, told in seconds or in milliseconds.
    pub(super) fn seconds(&mut self, seconds: &[&'static str], milliseconds: &[&'static str]) -> Option<f64> {
        let positive = |json: &Json| json.as_f64().filter(|number| *number >= 0.0);
        let told = self.first(seconds, "a number of seconds, 0 or more", positive);
        told.or(self.first(milliseconds, "a number of milliseconds, 0 or more", positive).map(|told| told / 1_000.0))
    }

    pub(super) fn one_of(&mut self, names: &[&'static str], values: &[&'static str]) -> Option<&'static str> {
        let one = |json: &Json| values.iter().find(|value| json.as_str() == Some(**value)).copied();
        self.first(names, &format!("one of {}", values.join(", ")), one)
    }

    /// Numbers by name.
    pub(super) fn numbers(&mut self, name: &'static str) -> Vec<(String, f64)> {
        let read = |json: &Json| {
            let members = json.as_object()?.iter();
            members.map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
        };
        self.first(&[name], "an object of numbers, such as {\"in\": 120}", read).unwrap_or_default()
    }

    pub(super) fn labels(&mut self) -> Labels {
        let read = |json: &Json| {
            let labels = json.as_object()?.iter().filter(|(_, value)| !value.is_null());
            labels.map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect()
        };
        self.first(&["labels"], "an object of texts", read).unwrap_or_default()
    }

    /// Members that may be there and are not looked at.
    pub(super) fn ignore(&mut self, names: &[&'static str]) {
        self.known.extend(names);
    }

    /// A member that has to be there.
    pub(super) fn need<T>(
        &mut self,
        name: &'static str,
        read: impl Fn(&mut Self, &[&'static str]) -> Option<T>,
    ) -> Option<T> {
        let faults = self.violations.len();
        let told = read(self, &[name]);
        if told.is_none() && self.violations.len() == faults {
            let message = format!("{name} is missing");
            self.violations.push(body::violation("required", name, None, message, &format!("add {name}")));
        }
        told
    }

    /// Something is wrong with the object as a whole.
    pub(super) fn fault(&mut self, field: &str, message: &str) {
        if self.violations.is_empty() {
            self.violations.push(body::violation(
                "volume",
                field,
                None,
                message.to_owned(),
                "add it and send it again",
            ));
        }
    }

    /// Members that nobody knows are faults.
    pub(super) fn finish(mut self) -> Result<(), Vec<Violation>> {
        for name in self.object.keys().filter(|name| !self.known.contains(name.as_str())) {
            let fix = nearest(name, self.known.iter().map(|known| (*known).to_owned()).collect::<Vec<_>>().iter())
                .map_or_else(|| "put it under \"labels\"".to_owned(), |near| format!("did you mean \"{near}\"?"));
            let message = format!("\"{name}\" is not a field of a {}", self.kind);
            self.violations.push(body::violation("known field", name, None, message, &fix));
        }
        if self.violations.is_empty() { Ok(()) } else { Err(self.violations) }
    }

    fn first<T>(&mut self, names: &[&'static str], what: &str, read: impl Fn(&Json) -> Option<T>) -> Option<T> {
        self.known.extend(names);
        let (name, json) = names
            .iter()
            .find_map(|name| self.object.get(*name).filter(|json| !json.is_null()).map(|json| (*name, json)))?;
        let value = read(json);
        if value.is_none() {
            let shown = json.as_str().map_or_else(|| json.to_string(), str::to_owned);
            let message = format!("{name} \"{}\" is not {what}", body::clip(&shown));
            self.violations.push(body::violation("type", name, Some(&shown), message, &format!("send {what}")));
        }
        value
    }
}
