//! A canned query with a value for each of its parameters.

use std::collections::BTreeMap;

use oxrdf::Literal;
use spargebra::term::GroundTerm;

use super::header::CannedQuery;
use super::params::{End, Given, read};
use crate::clock::{Timestamp, ago, minute_of};
use crate::error::{Error, Result};
use crate::record::Window;
use crate::vocab::{Vocabulary, nearest};

/// Parameters with values.
pub(super) struct Bound {
    pub(super) terms: BTreeMap<String, GroundTerm>,
    pub(super) texts: BTreeMap<String, String>,
    pub(super) window: Window,
}

impl CannedQuery {
    /// Gives every parameter its value and works out the window.
    pub(super) fn bind(
        &self,
        given: &BTreeMap<String, String>,
        now: Timestamp,
        vocabulary: &Vocabulary,
    ) -> Result<Bound> {
        self.refuse_unknown(given)?;
        let mut values = BTreeMap::new();
        let mut texts = BTreeMap::new();
        for parameter in &self.parameters {
            let text = given.get(&parameter.name).filter(|text| !text.is_empty()).or(parameter.default.as_ref());
            match text {
                Some(text) => {
                    let value = read(parameter, text, now, vocabulary)?;
                    texts.insert(parameter.name.clone(), value.text(text));
                    values.insert(parameter.name.clone(), value);
                }
                None if parameter.required => {
                    return Err(Error::invalid(format!("{} needs the parameter {}", self.id, parameter.name))
                        .hint(format!("add {}=…: {}", parameter.name, parameter.description)));
                }
                None => {}
            }
        }
        let window = Window { from: self.end(&self.from, &values)?, to: self.end(&self.to, &values)? };
        if window.from >= window.to {
            return Err(Error::invalid(format!("the window is empty: {} is not before {}", window.from, window.to))
                .hint("swap the times, or ask for a longer span"));
        }
        let window = self.late.map_or(window, |late| settled(window, ago(now, late)));
        let mut terms: BTreeMap<String, GroundTerm> =
            values.into_iter().map(|(name, value)| (name, value.term())).collect();
        terms.insert("from".into(), Given::Time(window.from).term());
        terms.insert("to".into(), Given::Time(window.to).term());
        terms.entry("days".into()).or_insert_with(|| Literal::from(days(window)).into());
        Ok(Bound { terms, texts, window })
    }

    /// Takes `value` for a parameter that nobody gives.
    pub(super) fn by_default(&mut self, parameter: &str, value: &str) {
        for known in self.parameters.iter_mut().filter(|known| known.name == parameter) {
            known.default = Some(value.to_owned());
        }
    }

    /// Can these parameters be read?
    ///
    /// # Errors
    /// `Invalid` naming parameter and value.
    pub fn check(&self, given: &BTreeMap<String, String>, now: Timestamp, vocabulary: &Vocabulary) -> Result<()> {
        self.bind(given, now, vocabulary).map(drop)
    }

    fn refuse_unknown(&self, given: &BTreeMap<String, String>) -> Result<()> {
        let mut known: Vec<String> = self.parameters.iter().map(|parameter| parameter.name.clone()).collect();
        known.push("limit".into());
        let Some(unknown) = given.keys().find(|name| !known.contains(name)) else { return Ok(()) };
        let hint = match nearest(unknown, known.iter()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("it takes: {}", known.join(", ")),
        };
        Err(Error::invalid(format!("{} has no parameter {unknown}", self.id)).hint(hint))
    }

    fn end(&self, end: &End, values: &BTreeMap<String, Given>) -> Result<Timestamp> {
        let missing = |name: &str| Error::internal(format!("{}: the window needs {name}, which has no value", self.id));
        let Some(Given::Time(anchor)) = values.get(&end.anchor) else { return Err(missing(&end.anchor)) };
        let Some((sign, span)) = &end.shift else { return Ok(*anchor) };
        let Some(Given::Duration(span)) = values.get(span) else { return Err(missing(span)) };
        anchor.checked_add(*span * *sign).ok_or_else(|| Error::invalid("the window reaches beyond the years 1 to 9999"))
    }
}

/// The window, as long as before, that ends with the last whole minute that is known by `known`.
fn settled(window: Window, known: Timestamp) -> Window {
    let to = minute_of(window.to.min(known));
    Window { from: ago(to, window.length()), to }
}

/// The length of a window, as `?days`.
#[expect(clippy::cast_precision_loss, reason = "seconds of any window are far less than 2^53")]
fn days(window: Window) -> f64 {
    window.length().num_seconds() as f64 / 86_400.0
}
