//! Receipt ⇄ RDF: one star of triples around the receipt's IRI.

use oxrdf::{Graph, NamedNode, NamedNodeRef, NamedOrBlankNodeRef, TermRef, Triple, vocab::rdf};

use super::{Receipt, Value};
use crate::validate::Violation;
use crate::vocab::{self, Vocabulary};

/// `urn:naze:component:<name>`, percent-encoded where an IRI needs it.
pub fn component_iri(name: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{}{}", vocab::COMPONENT_PREFIX, percent_encode(name)))
}

/// The name in a component's IRI.
pub fn component_name(iri: NamedNodeRef<'_>) -> Option<String> {
    let encoded = iri.as_str().strip_prefix(vocab::COMPONENT_PREFIX)?;
    percent_decode(encoded).filter(|name| !name.is_empty())
}

/// `https://w3id.org/naze/label#<key>`, percent-encoded where an IRI needs it.
pub fn label_iri(key: &str) -> NamedNode {
    NamedNode::new_unchecked(format!("{}{}", vocab::LABEL_PREFIX, percent_encode(key)))
}

impl Receipt {
    /// The receipt's triples around `subject`, without what naze adds on recording.
    ///
    /// A kind the vocabulary does not know has no type triple: `receive` refuses it before it comes here.
    pub fn triples(&self, subject: &NamedNode, vocabulary: &Vocabulary) -> Vec<Triple> {
        let mut triples = Vec::with_capacity(12);
        if let Some(kind) = vocabulary.kind(self.kind()) {
            triples.push(Triple::new(subject.clone(), rdf::TYPE, kind.class.clone()));
        }
        for (name, values) in self.fields() {
            let Some(field) = vocabulary.field(name) else { continue };
            triples.extend(values.iter().map(|value| Triple::new(subject.clone(), field.iri.clone(), value.to_term())));
        }
        for (key, value) in self.labels() {
            triples.push(Triple::new(subject.clone(), label_iri(key), oxrdf::Literal::from(value.as_str())));
        }
        triples
    }
}

/// Reads the star around `subject` as a receipt, ignoring what naze adds on recording.
///
/// # Errors
/// A violation for each thing that no receipt can hold: an unknown type, an unknown property, a label that is no text.
pub fn read_rdf(
    graph: &Graph,
    subject: NamedOrBlankNodeRef<'_>,
    vocabulary: &Vocabulary,
) -> Result<Receipt, Vec<Violation>> {
    let kinds: Vec<_> = graph.objects_for_subject_predicate(subject, rdf::TYPE).collect();
    let kind = match kinds.as_slice() {
        [TermRef::NamedNode(class)] => {
            vocabulary.kind_of_class(*class).ok_or_else(|| vocabulary.unknown_kind(class.as_str()))
        }
        [other] => Err(vocabulary.unknown_kind(&other.to_string())),
        [] => Err(Violation::missing_kind()),
        _ => Err(Violation {
            field: Some("kind".into()),
            value: Some(kinds.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")),
            rule: "rdf".into(),
            message: "a receipt has one type".into(),
            fix: "keep one rdf:type of the naze ontology and send further facts as receipts of their own".into(),
        }),
    }
    .map_err(|violation| vec![violation])?;

    let mut receipt = Receipt::of_kind(kind);
    let mut violations = Vec::new();
    let mut triples: Vec<_> = graph.triples_for_subject(subject).collect();
    triples.sort_by_cached_key(|triple| (triple.predicate.as_str().to_owned(), triple.object.to_string()));
    for triple in triples.into_iter().filter(|triple| triple.predicate != rdf::TYPE) {
        if let Some(key) = triple.predicate.as_str().strip_prefix(vocab::LABEL_PREFIX).and_then(percent_decode) {
            match triple.object {
                TermRef::Literal(text) => receipt.label(&key, text.value()),
                other => violations.push(label_not_text(&key, &other.to_string())),
            }
        } else if let Some((name, field)) = vocabulary.field_of_iri(triple.predicate) {
            if !field.set_by_naze {
                receipt.push(name, Value::from_term(&triple.object.into_owned(), field.range));
            }
        } else {
            violations.push(vocabulary.unknown_field(triple.predicate.as_str()));
        }
    }
    if violations.is_empty() { Ok(receipt) } else { Err(violations) }
}

pub(super) fn label_not_text(key: &str, value: &str) -> Violation {
    Violation {
        field: Some(format!("labels.{key}")),
        value: Some(value.to_owned()),
        rule: "labels".into(),
        message: format!("label {key} must be a text"),
        fix: "send label values as strings".into(),
    }
}

/// Characters that may stand in an IRI as they are; the rest are percent-encoded as UTF-8.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~:@!$&'()*+,;=/".contains(&byte)
}

/// Text as part of an IRI.
pub(crate) fn percent_encode(text: &str) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if is_plain(byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("writing to a String cannot fail");
        }
    }
    out
}

fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = if let (b'%', [high, low, after @ ..]) = (first, tail) {
            bytes.push(hex::decode([*high, *low]).ok()?[0]);
            after
        } else {
            bytes.push(*first);
            tail
        };
    }
    String::from_utf8(bytes).ok()
}
