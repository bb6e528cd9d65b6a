//! A mapping of a file, and what is wrong with its members.

use std::cell::RefCell;

use serde_json::{Map, Value as Json};

use crate::receive::body::{self, type_of, violation};
use crate::validate::Violation;
use crate::vocab::nearest;

/// What is wrong with a file, in the order it was found.
#[derive(Default)]
pub(super) struct Faults(RefCell<Vec<Violation>>);

impl Faults {
    pub(super) fn add(&self, violation: Violation) {
        self.0.borrow_mut().push(violation);
    }

    pub(super) fn count(&self) -> usize {
        self.0.borrow().len()
    }

    pub(super) fn into_list(self) -> Vec<Violation> {
        self.0.into_inner()
    }
}

/// A mapping. What a member should be and is not becomes a fault, and the member then counts as absent.
pub(super) struct Section<'a> {
    members: &'a Map<String, Json>,
    place: String,
    faults: &'a Faults,
}

impl<'a> Section<'a> {
    pub(super) fn of(json: &'a Json, place: String, faults: &'a Faults) -> Option<Self> {
        if let Json::Object(members) = json {
            return Some(Self { members, place, faults });
        }
        faults.add(wrong_type(&place, json, "a mapping"));
        None
    }

    /// Tells what is wrong with a member, and shows it unless it is large.
    pub(super) fn fault(&self, rule: &str, name: &str, told: &str, fix: &str) {
        let json = self.members.get(name).filter(|json| !json.is_array() && !json.is_object());
        let field = self.field(name);
        let message = match json {
            Some(json) => format!("{field} {} {told}", shown(json)),
            None => format!("{field} {told}"),
        };
        self.faults.add(violation(rule, &field, json.map(shown).as_deref(), message, fix));
    }

    pub(super) fn missing(&self, name: &str, example: &str) {
        let field = self.field(name);
        let fix = format!("add \"{name}: {example}\"");
        self.faults.add(violation("required", &field, None, format!("{field} is missing"), &fix));
    }

    /// Tells of members that nobody knows.
    pub(super) fn only(&self, known: &[&str]) {
        for name in self.members.keys().filter(|name| !known.contains(&name.as_str())) {
            let fix = match nearest(name, known.iter()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("remove it: known here are {}", known.join(", ")),
            };
            let message = format!("{} is not a field of OpenSLO v1", self.field(name));
            self.faults.add(violation("known field", &self.field(name), None, message, &fix));
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.present(name).is_some()
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&'a String, &'a Json)> + use<'a> {
        self.members.iter()
    }

    pub(super) fn any(&self, name: &str) -> Option<&'a Json> {
        self.present(name)
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.typed(name, "a text", Json::as_str)
    }

    pub(super) fn need_text(&self, name: &str, example: &str) -> Option<&'a str> {
        if !self.has(name) {
            self.missing(name, example);
            return None;
        }
        let text = self.text(name)?;
        if text.trim().is_empty() {
            self.missing(name, example);
            return None;
        }
        Some(text)
    }

    /// One of several words.
    pub(super) fn word<T>(&self, name: &str, words: &[(&str, T)]) -> Option<T>
    where
        T: Copy,
    {
        let names: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let given = self.need_text(name, names.first().copied().unwrap_or_default())?;
        let found = words.iter().find(|(word, _)| *word == given).map(|(_, meaning)| *meaning);
        if found.is_none() {
            let fix = match nearest(given, names.iter()) {
                Some(near) => format!("did you mean \"{near}\"?"),
                None => format!("write one of {}", names.join(", ")),
            };
            self.fault("in", name, &format!("is not one of {}", names.join(", ")), &fix);
        }
        found
    }

    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.typed(name, "a number", Json::as_f64)
    }

    pub(super) fn truth(&self, name: &str) -> Option<bool> {
        self.typed(name, "true or false", Json::as_bool)
    }

    pub(super) fn section(&self, name: &str) -> Option<Self> {
        Self::of(self.present(name)?, self.field(name), self.faults)
    }

    pub(super) fn need_section(&self, name: &str, example: &str) -> Option<Self> {
        if !self.has(name) {
            self.missing(name, example);
        }
        self.section(name)
    }

    /// The mappings of a list.
    pub(super) fn sections(&self, name: &str) -> Vec<Self> {
        let list = self.typed(name, "a list", Json::as_array).into_iter().flatten();
        let place = self.field(name);
        list.enumerate().filter_map(|(at, json)| Self::of(json, format!("{place}[{at}]"), self.faults)).collect()
    }

    fn field(&self, name: &str) -> String {
        format!("{}.{name}", self.place)
    }

    fn present(&self, name: &str) -> Option<&'a Json> {
        self.members.get(name).filter(|json| !json.is_null())
    }

    fn typed<T>(&self, name: &str, what: &str, read: impl Fn(&'a Json) -> Option<T>) -> Option<T> {
        let json = self.present(name)?;
        let typed = read(json);
        if typed.is_none() {
            self.faults.add(wrong_type(&self.field(name), json, what));
        }
        typed
    }
}

fn wrong_type(field: &str, json: &Json, what: &str) -> Violation {
    let message = format!("{field} is {}, not {what}", type_of(json));
    let fix = match (json, what) {
        (Json::String(_), "a number" | "true or false") => format!("write {what}, without quotes"),
        (_, "a text") => "put it into quotes".to_owned(),
        _ => format!("write {what}"),
    };
    violation("type", field, Some(&shown(json)), message, &fix)
}

/// As people see it in a message.
fn shown(json: &Json) -> String {
    body::clip(&json.to_string())
}
