//! What a receipt is: one piece of evidence, told as a kind and the fields that kind has.
//!
//! ```
//! use naze::receipt::{Receipt, Value};
//! use naze::vocab::Vocabulary;
//!
//! let vocabulary = Vocabulary::builtin();
//! let receipt = Receipt::new("failure", "2026-03-10T10:00:00Z".parse()?, "checkout")
//!     .with("failureType", Value::text("TimeoutError"))
//!     .with("count", Value::Integer(3));
//! assert_eq!(receipt.text("failureType"), Some("TimeoutError"));
//! assert_eq!(receipt.id(&vocabulary).to_string().len(), 64);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod id;
mod json;
mod rdf;
mod value;

pub use id::ReceiptId;
pub use json::{CONTEXT_URL, read_json, write_json, write_json_ld};
pub(crate) use rdf::percent_encode;
pub use rdf::{component_iri, component_name, label_iri, read_rdf};
pub use value::Value;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::clock::Timestamp;

/// One piece of evidence. Two receipts with the same content are the same receipt: see [`Receipt::id`].
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    kind: Arc<str>,
    /// In the order of their names.
    fields: Vec<(Arc<str>, Vec<Value>)>,
    labels: BTreeMap<String, String>,
}

impl Receipt {
    /// A receipt of `kind`, as named in JSON (`failure`, `deployment` …), with the two fields every receipt has.
    pub fn new(kind: &str, occurred_at: Timestamp, component: &str) -> Self {
        Self::of_kind(kind)
            .with("occurredAt", Value::Time(occurred_at))
            .with("component", Value::Component(component.to_owned()))
    }

    /// A receipt of `kind` without any field: whether it may stay so is for the shapes to say.
    pub fn of_kind(kind: &str) -> Self {
        Self { kind: kind.into(), fields: Vec::new(), labels: BTreeMap::new() }
    }

    /// Adds one value of a field; the shapes decide how many a field may have.
    #[must_use]
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.push(field, value);
        self
    }

    /// Adds a text field when there is one to add.
    #[must_use]
    pub fn with_text(self, field: &str, text: Option<&str>) -> Self {
        match text {
            Some(text) if !text.is_empty() => self.with(field, Value::text(text)),
            _ => self,
        }
    }

    /// Adds or replaces a label.
    #[must_use]
    pub fn with_label(mut self, key: &str, value: &str) -> Self {
        self.labels.insert(key.to_owned(), value.to_owned());
        self
    }

    /// Adds one value of a field in place. Values are a set: a repeated one is kept once.
    pub fn push(&mut self, field: &str, value: Value) {
        match self.place(field) {
            Ok(place) => {
                let values = &mut self.fields[place].1;
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            Err(place) => self.fields.insert(place, (field.into(), vec![value])),
        }
    }

    /// Puts one value in the place of all that a field had.
    pub fn set(&mut self, field: &str, value: Value) {
        match self.place(field) {
            Ok(place) => self.fields[place].1 = vec![value],
            Err(place) => self.fields.insert(place, (field.into(), vec![value])),
        }
    }

    /// Adds or replaces a label in place.
    pub fn label(&mut self, key: &str, value: &str) {
        self.labels.insert(key.to_owned(), value.to_owned());
    }

    /// The kind as named in JSON.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// When it happened, if the receipt says so.
    pub fn occurred_at(&self) -> Option<Timestamp> {
        self.time("occurredAt")
    }

    /// The component it happened to, if the receipt says so.
    pub fn component(&self) -> Option<&str> {
        self.first("component").and_then(Value::as_component)
    }

    /// The first value of a field.
    pub fn first(&self, field: &str) -> Option<&Value> {
        self.values(field).first()
    }

    /// A text field.
    pub fn text(&self, field: &str) -> Option<&str> {
        self.first(field).and_then(Value::as_text)
    }

    /// All values of a text field.
    pub fn texts(&self, field: &str) -> impl Iterator<Item = &str> {
        self.values(field).iter().filter_map(Value::as_text)
    }

    /// All values of a field.
    pub fn values(&self, field: &str) -> &[Value] {
        // Names mostly differ in length: looking at all of them costs less than a search by order.
        self.fields.iter().find(|(name, _)| **name == *field).map_or(&[], |(_, values)| values)
    }

    /// Where a field is, or would be.
    fn place(&self, field: &str) -> Result<usize, usize> {
        self.fields.binary_search_by(|(name, _)| (**name).cmp(field))
    }

    /// A number field, whole or not.
    pub fn number(&self, field: &str) -> Option<f64> {
        self.first(field).and_then(Value::as_number)
    }

    /// A time field.
    pub fn time(&self, field: &str) -> Option<Timestamp> {
        self.first(field).and_then(Value::as_time)
    }

    /// A component-valued field such as `target` or `peer`.
    pub fn component_field(&self, field: &str) -> Option<&str> {
        self.first(field).and_then(Value::as_component)
    }

    /// How bad it is: `critical`, `warning` or `info`, as its severity says, else the level of an andon, else the colour
    /// of a cord.
    pub fn severity(&self) -> Option<&'static str> {
        let word = ["severity", "level", "colour"].into_iter().find_map(|field| self.text(field))?;
        Some(match word {
            "critical" | "red" => "critical",
            "warning" | "yellow" => "warning",
            _ => "info",
        })
    }

    /// All fields with their values, in the order of their names.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &[Value])> {
        self.fields.iter().map(|(name, values)| (&**name, values.as_slice()))
    }

    /// Labels: whatever the sender knew beyond the fields.
    pub fn labels(&self) -> &BTreeMap<String, String> {
        &self.labels
    }
}
