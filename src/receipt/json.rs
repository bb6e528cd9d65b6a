//! Receipt ⇄ native JSON: field names are the local names of the ontology's properties.

use oxrdf::{
    Literal, NamedNode, Term,
    vocab::{rdf, xsd},
};
use serde_json::{Map, Value as Json};

use super::rdf::{label_iri, label_not_text};
use super::value::normal_zero;
use super::{Receipt, ReceiptId, Value};
use crate::validate::Violation;
use crate::vocab::{Range, Vocabulary};

/// Reads one native JSON object as a receipt.
///
/// `null` is the same as absent; `id` and what naze adds on recording are ignored, so that an exported receipt can be
/// sent back. A value of the wrong type is kept as it is, for the shapes to refuse by name.
///
/// # Errors
/// A violation for each thing that no receipt can hold: no object, an unknown kind, an unknown field, a label that is no
/// text.
pub fn read_json(json: &Json, vocabulary: &Vocabulary) -> Result<Receipt, Vec<Violation>> {
    let Json::Object(object) = json else {
        return Err(vec![Violation {
            field: None,
            value: Some(json.to_string()),
            rule: "json".into(),
            message: "a receipt is a JSON object".into(),
            fix: "send {\"kind\": …, \"occurredAt\": …, \"component\": …}".into(),
        }]);
    };
    let kind = match object.get("kind") {
        Some(Json::String(kind)) if vocabulary.kind(kind).is_some() => kind,
        Some(Json::String(kind)) => return Err(vec![vocabulary.unknown_kind(kind)]),
        Some(other) if !other.is_null() => return Err(vec![vocabulary.unknown_kind(&other.to_string())]),
        _ => return Err(vec![Violation::missing_kind()]),
    };
    let mut receipt = Receipt::of_kind(kind);
    let mut violations = Vec::new();
    for (name, value) in object {
        match (name.as_str(), value) {
            ("kind" | "id" | "@context", _) | (_, Json::Null) => {}
            ("labels", labels) => read_labels(labels, &mut receipt, &mut violations),
            _ => match vocabulary.field(name) {
                Some(field) if field.set_by_naze => {}
                Some(field) => {
                    let values = match value {
                        Json::Array(values) => values.as_slice(),
                        one => std::slice::from_ref(one),
                    };
                    for value in values {
                        receipt.push(name, read_value(value, field.range));
                    }
                }
                None => violations.push(vocabulary.unknown_field(name)),
            },
        }
    }
    if violations.is_empty() { Ok(receipt) } else { Err(violations) }
}

fn read_labels(labels: &Json, receipt: &mut Receipt, violations: &mut Vec<Violation>) {
    let Json::Object(labels) = labels else {
        violations.push(label_not_text("*", &labels.to_string()));
        return;
    };
    for (key, value) in labels {
        match value {
            Json::String(text) => receipt.label(key, text),
            Json::Null => {}
            other => violations.push(label_not_text(key, &other.to_string())),
        }
    }
}

fn read_value(json: &Json, range: Range) -> Value {
    let fitting = match (json, range) {
        (Json::String(text), Range::Text | Range::Any) => Some(Value::text(text)),
        (Json::String(text), Range::Component) if !text.is_empty() => Some(Value::Component(text.clone())),
        (Json::String(text), Range::Receipt) => text.parse::<ReceiptId>().ok().map(Value::Receipt),
        (Json::String(text), Range::Time) => text.parse().ok().map(Value::Time),
        (Json::Number(number), Range::Time) => number.to_string().parse().ok().map(Value::Time),
        (Json::Number(number), Range::Integer) => whole(number).map(Value::Integer),
        (Json::Number(number), Range::Any) if number.is_i64() => number.as_i64().map(Value::Integer),
        (Json::Number(number), Range::Number | Range::Any) => number.as_f64().map(normal_zero).map(Value::Number),
        (Json::Bool(truth), Range::Boolean | Range::Any) => Some(Value::Boolean(*truth)),
        _ => None,
    };
    fitting.unwrap_or_else(|| Value::Other(as_it_came(json)))
}

/// `3` and `3.0` are the same count to a sender.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and within 2^53")]
fn whole(number: &serde_json::Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        let float = number.as_f64()?;
        (float.fract() == 0.0 && float.abs() < 9_007_199_254_740_992.0).then_some(float as i64)
    })
}

/// A literal with the type JSON gave it, which is not the one the field wants.
fn as_it_came(json: &Json) -> Term {
    let datatype = match json {
        Json::Number(number) if number.is_f64() => xsd::DOUBLE,
        Json::Number(_) => xsd::INTEGER,
        Json::Bool(_) => xsd::BOOLEAN,
        Json::String(text) => return Literal::from(text.as_str()).into(),
        Json::Null | Json::Array(_) | Json::Object(_) => rdf::JSON,
    };
    Literal::new_typed_literal(json.to_string(), NamedNode::from(datatype)).into()
}

/// Writes a receipt as native JSON: `id`, `kind`, time and component first, then the other fields by name, then labels.
pub fn write_json(receipt: &Receipt, id: ReceiptId, recorded: &[(&str, Json)]) -> Map<String, Json> {
    let mut object = Map::new();
    object.insert("id".into(), Json::String(id.to_string()));
    object.insert("kind".into(), Json::String(receipt.kind().to_owned()));
    for name in ["occurredAt", "component"] {
        if let Some(value) = receipt.first(name) {
            object.insert(name.into(), write_value(value));
        }
    }
    for (name, json) in recorded {
        object.insert((*name).to_owned(), json.clone());
    }
    for (name, values) in receipt.fields().filter(|(name, _)| !matches!(*name, "occurredAt" | "component")) {
        let json = match values {
            [one] => write_value(one),
            many => many.iter().map(write_value).collect(),
        };
        object.insert(name.to_owned(), json);
    }
    if !receipt.labels().is_empty() {
        let labels = receipt.labels().iter().map(|(key, value)| (key.clone(), Json::String(value.clone())));
        object.insert("labels".into(), Json::Object(labels.collect()));
    }
    object
}

/// Where the context of [`write_json_ld`] is published; naze serves its own copy at `/ontology/context.jsonld`.
pub const CONTEXT_URL: &str = "https://w3id.org/naze/context.jsonld";

/// Writes a receipt as JSON-LD: as native JSON, with IRIs for ids and components and one member per label.
pub fn write_json_ld(receipt: &Receipt, id: ReceiptId, recorded: &[(&str, Json)]) -> Json {
    let mut object = Map::new();
    object.insert("@context".into(), CONTEXT_URL.into());
    object.insert("id".into(), id.iri().as_str().into());
    object.insert("kind".into(), receipt.kind().into());
    for (name, json) in recorded {
        object.insert((*name).to_owned(), json.clone());
    }
    for (name, values) in receipt.fields() {
        let iri_or_value = |value: &Value| match value.to_term() {
            Term::NamedNode(iri) => Json::String(iri.into_string()),
            _ => write_value(value),
        };
        let json = match values {
            [one] => iri_or_value(one),
            many => many.iter().map(iri_or_value).collect(),
        };
        object.insert(name.to_owned(), json);
    }
    for (key, text) in receipt.labels() {
        object.insert(label_iri(key).into_string(), text.as_str().into());
    }
    Json::Object(object)
}

fn write_value(value: &Value) -> Json {
    match value {
        Value::Text(text) | Value::Component(text) => Json::String(text.clone()),
        Value::Integer(number) => Json::from(*number),
        Value::Number(number) => Json::from(*number),
        Value::Boolean(truth) => Json::Bool(*truth),
        Value::Time(time) => Json::String(time.to_string()),
        Value::Receipt(id) => Json::String(id.to_string()),
        Value::Other(Term::Literal(literal)) => Json::String(literal.value().to_owned()),
        Value::Other(term) => Json::String(term.to_string()),
    }
}
