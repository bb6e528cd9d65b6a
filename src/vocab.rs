//! The vocabulary: every kind and field a receipt may have, read from the ontology files.
//!
//! The ontology is data (`ontology/*.ttl`, plus a user's own folder), so a new kind needs no code.

mod context;
mod load;
mod names;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use include_dir::{Dir, include_dir};
use oxrdf::{NamedNode, NamedNodeRef};

use crate::validate::Violation;

pub use self::names::*;

static ONTOLOGY: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/ontology");
static SHAPES: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/shapes");
static BUILTIN: LazyLock<Arc<Vocabulary>> = LazyLock::new(|| {
    let vocabulary = Vocabulary::load(ontology_documents()).expect("the bundled ontology is checked by tests");
    Arc::new(vocabulary)
});

/// What values a field takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Range {
    /// `xsd:string`
    Text,
    /// `xsd:integer`
    Integer,
    /// `xsd:double`; whole numbers and decimals are taken too.
    Number,
    /// `xsd:boolean`
    Boolean,
    /// `xsd:dateTime` in UTC; milliseconds since 1970 are taken too.
    Time,
    /// A component, by name in JSON and by IRI in RDF.
    Component,
    /// Another receipt, by id.
    Receipt,
    /// Any literal.
    Any,
}

/// A kind of receipt.
#[derive(Debug, Clone)]
pub struct KindTerm {
    /// Its class.
    pub class: NamedNode,
    /// One word or two for people.
    pub label: String,
    /// What it is evidence of.
    pub comment: String,
    /// The principle it belongs to: `jidoka`, `kanban` …
    pub principle: Option<String>,
}

/// A field of receipts.
#[derive(Debug, Clone)]
pub struct FieldTerm {
    /// Its property.
    pub iri: NamedNode,
    /// What values it takes.
    pub range: Range,
    /// May it have several values?
    pub multiple: bool,
    /// Does naze itself set it on recording?
    pub set_by_naze: bool,
    /// What it means.
    pub comment: String,
}

/// Every kind and field, by JSON name.
#[derive(Debug, Clone, Default)]
pub struct Vocabulary {
    kinds: BTreeMap<String, KindTerm>,
    fields: BTreeMap<String, FieldTerm>,
    kind_by_class: BTreeMap<String, String>,
    field_by_iri: BTreeMap<String, String>,
}

impl Vocabulary {
    /// The bundled ontology.
    pub fn builtin() -> Arc<Self> {
        Arc::clone(&BUILTIN)
    }

    /// The kind with this JSON name.
    pub fn kind(&self, name: &str) -> Option<&KindTerm> {
        self.kinds.get(name)
    }

    /// The field with this JSON name.
    pub fn field(&self, name: &str) -> Option<&FieldTerm> {
        self.fields.get(name)
    }

    /// All kinds by name.
    pub fn kinds(&self) -> impl Iterator<Item = (&str, &KindTerm)> {
        self.kinds.iter().map(|(name, term)| (name.as_str(), term))
    }

    /// All fields by name.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &FieldTerm)> {
        self.fields.iter().map(|(name, term)| (name.as_str(), term))
    }

    /// The JSON name of the kind with this class.
    pub fn kind_of_class(&self, class: NamedNodeRef<'_>) -> Option<&str> {
        self.kind_by_class.get(class.as_str()).map(String::as_str)
    }

    /// The field with this property.
    pub fn field_of_iri(&self, iri: NamedNodeRef<'_>) -> Option<(&str, &FieldTerm)> {
        let name = self.field_by_iri.get(iri.as_str())?;
        self.fields.get_key_value(name).map(|(name, term)| (name.as_str(), term))
    }

    /// The violation for a kind that is not here, with the nearest one that is.
    pub fn unknown_kind(&self, given: &str) -> Violation {
        let fix = match nearest(given, self.kinds.keys()) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => format!("use one of: {}", self.kinds.keys().cloned().collect::<Vec<_>>().join(", ")),
        };
        Violation {
            field: Some("kind".into()),
            value: Some(given.to_owned()),
            rule: "known kind".into(),
            message: format!("\"{given}\" is not a kind of receipt"),
            fix,
        }
    }

    /// The violation for a field that is not here, with the nearest one that is.
    pub fn unknown_field(&self, given: &str) -> Violation {
        let settable = self.fields.iter().filter(|(_, term)| !term.set_by_naze).map(|(name, _)| name);
        let fix = match nearest(given, settable) {
            Some(near) => format!("did you mean \"{near}\"? Anything else goes under \"labels\""),
            None => "put it under \"labels\"".into(),
        };
        Violation {
            field: Some(given.to_owned()),
            value: None,
            rule: "known field".into(),
            message: format!("\"{given}\" is not a field of any receipt"),
            fix,
        }
    }
}

/// The bundled ontology files as (name, Turtle).
pub fn ontology_documents() -> impl Iterator<Item = (&'static str, &'static str)> {
    documents(&ONTOLOGY)
}

/// The bundled shapes files as (name, Turtle).
pub fn shapes_documents() -> impl Iterator<Item = (&'static str, &'static str)> {
    documents(&SHAPES)
}

fn documents(folder: &'static Dir<'static>) -> impl Iterator<Item = (&'static str, &'static str)> {
    folder.files().filter_map(|file| Some((file.path().to_str()?, file.contents_utf8()?)))
}

/// The known name most like `given`, if any is alike enough to be meant.
pub(crate) fn nearest<'a, S: AsRef<str> + 'a>(given: &str, known: impl Iterator<Item = &'a S>) -> Option<&'a str> {
    let lower = given.to_lowercase();
    known
        .map(AsRef::as_ref)
        .map(|name| (strsim::damerau_levenshtein(&lower, &name.to_lowercase()), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min()
        .map(|(_, name)| name)
}
