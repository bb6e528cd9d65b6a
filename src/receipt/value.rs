//! The value of a field, typed as the ontology says.

use oxrdf::{Literal, NamedNode, Term, vocab::xsd};

use super::ReceiptId;
use super::rdf::{component_iri, component_name};
use crate::clock::Timestamp;
use crate::vocab::Range;

/// One value of one field.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// A finite number.
    Number(f64),
    /// True or false.
    Boolean(bool),
    /// An instant.
    Time(Timestamp),
    /// A component, by name.
    Component(String),
    /// Another receipt.
    Receipt(ReceiptId),
    /// Anything that does not fit the field: kept as it came, so that the shapes can say what is wrong with it.
    Other(Term),
}

impl Value {
    /// A text value.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// The text of a text value.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number of a whole or fractional value.
    #[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 need no exactness in analysis")]
    pub fn as_number(&self) -> Option<f64> {
        match self {
            Self::Integer(number) => Some(*number as f64),
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// The instant of a time value.
    pub fn as_time(&self) -> Option<Timestamp> {
        match self {
            Self::Time(time) => Some(*time),
            _ => None,
        }
    }

    /// The name of a component value.
    pub fn as_component(&self) -> Option<&str> {
        match self {
            Self::Component(name) => Some(name),
            _ => None,
        }
    }

    /// The receipt a value points to.
    pub fn as_receipt(&self) -> Option<ReceiptId> {
        match self {
            Self::Receipt(id) => Some(*id),
            _ => None,
        }
    }

    /// The canonical RDF term.
    pub fn to_term(&self) -> Term {
        match self {
            Self::Text(text) => Literal::from(text.as_str()).into(),
            Self::Integer(number) => Literal::from(*number).into(),
            Self::Number(number) => Literal::new_typed_literal(format!("{number}"), xsd::DOUBLE).into(),
            Self::Boolean(truth) => Literal::from(*truth).into(),
            Self::Time(time) => Literal::new_typed_literal(time.to_string(), xsd::DATE_TIME).into(),
            Self::Component(name) => component_iri(name).into(),
            Self::Receipt(id) => id.iri().into(),
            Self::Other(term) => term.clone(),
        }
    }

    /// Reads a term as a value of a field with `range`; what does not fit becomes [`Value::Other`].
    pub fn from_term(term: &Term, range: Range) -> Self {
        let fitting = match term {
            Term::NamedNode(iri) => from_iri(iri, range),
            Term::Literal(literal) => from_literal(literal, range),
            _ => None,
        };
        fitting.unwrap_or_else(|| Self::Other(term.clone()))
    }
}

fn from_iri(iri: &NamedNode, range: Range) -> Option<Value> {
    match range {
        Range::Component => component_name(iri.as_ref()).map(Value::Component),
        Range::Receipt => ReceiptId::from_iri(iri.as_ref()).map(Value::Receipt),
        _ => None,
    }
}

fn from_literal(literal: &Literal, range: Range) -> Option<Value> {
    let text = literal.value();
    let datatype = literal.datatype();
    let is_integer = datatype == xsd::INTEGER || datatype == xsd::LONG || datatype == xsd::INT;
    let is_number = is_integer || datatype == xsd::DECIMAL || datatype == xsd::DOUBLE || datatype == xsd::FLOAT;
    let is_string = datatype == xsd::STRING;
    match range {
        Range::Text if is_string => Some(Value::text(text)),
        Range::Integer if is_integer => text.parse().ok().map(Value::Integer),
        Range::Number if is_number => finite(text),
        Range::Boolean if datatype == xsd::BOOLEAN => match text {
            "true" | "1" => Some(Value::Boolean(true)),
            "false" | "0" => Some(Value::Boolean(false)),
            _ => None,
        },
        Range::Time if datatype == xsd::DATE_TIME => text.parse().ok().map(Value::Time),
        Range::Component if is_string && !text.is_empty() => Some(Value::Component(text.to_owned())),
        Range::Any if is_string => Some(Value::text(text)),
        Range::Any if is_integer => text.parse().ok().map(Value::Integer),
        Range::Any if is_number => finite(text),
        Range::Any if datatype == xsd::BOOLEAN => text.parse().ok().map(Value::Boolean),
        _ => None,
    }
}

fn finite(text: &str) -> Option<Value> {
    text.parse::<f64>().ok().filter(|number| number.is_finite()).map(normal_zero).map(Value::Number)
}

/// `-0` and `0` are one number, so they must be one text.
pub(super) fn normal_zero(number: f64) -> f64 {
    if number == 0.0 { 0.0 } else { number }
}
