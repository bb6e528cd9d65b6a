//! The vocabulary: every kind and field a receipt may have, read from the ontology files.
//!
//! The ontology is data (`ontology/*.ttl`, plus a user's own folder), so a new kind needs no code. The constants here are
//! the few names that code has to know.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use include_dir::{Dir, include_dir};
use oxrdf::vocab::{rdfs, xsd};
use oxrdf::{Graph, NamedNode, NamedNodeRef, NamedOrBlankNodeRef, TermRef};
use oxttl::TurtleParser;
use serde_json::{Value as Json, json};

use crate::error::{Context as _, Error, Result};
use crate::validate::Violation;

/// Namespace of classes and properties.
pub const NAMESPACE: &str = "https://w3id.org/naze#";
/// Namespace of labels: one property per label key.
pub const LABEL_PREFIX: &str = "https://w3id.org/naze/label#";
/// Receipts are named by their content: `urn:naze:receipt:<sha256>`.
pub const RECEIPT_PREFIX: &str = "urn:naze:receipt:";
/// Components are named by their percent-encoded name.
pub const COMPONENT_PREFIX: &str = "urn:naze:component:";
/// Graphs that hold the receipts of one slot of time.
pub const SLOT_PREFIX: &str = "urn:naze:slot:";
/// Raw documents a receipt was read from: `urn:naze:source:<sha256>`.
pub const SOURCE_PREFIX: &str = "urn:naze:source:";
/// The graph of the ontology itself.
pub const ONTOLOGY_GRAPH: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("urn:naze:ontology");

/// When naze recorded the receipt.
pub const RECORDED_AT: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#recordedAt");
/// Position of the receipt in the ledger, from 0.
pub const LEDGER_POSITION: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#ledgerPosition");
/// The raw document the receipt was read from.
pub const SOURCE_DOCUMENT: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#sourceDocument");
/// When it happened.
pub const OCCURRED_AT: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#occurredAt");
/// One component calls another.
pub const DEPENDS_ON: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#dependsOn");
/// The first dependency receipt that shows a call leads to the callee.
pub const SHOWS: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#shows");
/// A sender's own name of a fact leads to the receipt that tells it.
pub const KEY_OF: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#keyOf");
/// How many ledger entries are in the index.
pub const APPLIED_POSITION: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#appliedPosition");
/// How long the index's slots are.
pub const SLOT_WIDTH: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#slotWidth");

const MULTIPLE: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#multiple");
const SET_BY: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#setBy");
const PRINCIPLE: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#principle");
const RECEIPT_CLASS: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#Receipt");
const NOTATION: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/2004/02/skos/core#notation");

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

    /// Reads ontology documents, given as (name, Turtle).
    ///
    /// # Errors
    /// `Invalid` when a document is no Turtle or a term lacks what naze needs of it; names document and term.
    pub fn load<'a>(documents: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self> {
        let mut graph = Graph::new();
        for (name, turtle) in documents {
            for triple in TurtleParser::new().for_slice(turtle) {
                graph.insert(&triple.invalid(format!("ontology file {name} is no Turtle"))?);
            }
        }
        let mut vocabulary = Self::default();
        for class in graph.subjects_for_predicate_object(rdfs::SUB_CLASS_OF, RECEIPT_CLASS) {
            vocabulary.add_kind(&graph, class)?;
        }
        for (property, range) in subjects_with(&graph, rdfs::RANGE) {
            vocabulary.add_field(&graph, property, range)?;
        }
        Ok(vocabulary)
    }

    fn add_kind(&mut self, graph: &Graph, class: NamedOrBlankNodeRef<'_>) -> Result<()> {
        let NamedOrBlankNodeRef::NamedNode(iri) = class else {
            return Err(
                Error::invalid("a kind of receipt needs an IRI").hint("name the class instead of using a blank node")
            );
        };
        let name = text_of(graph, class, NOTATION).ok_or_else(|| {
            Error::invalid(format!("class {iri} has no skos:notation"))
                .hint("add skos:notation \"<kind>\": the word that stands under \"kind\" in JSON")
        })?;
        self.kind_by_class.insert(iri.as_str().to_owned(), name.clone());
        let term = KindTerm {
            class: iri.into_owned(),
            label: text_of(graph, class, rdfs::LABEL).unwrap_or_else(|| name.clone()),
            comment: text_of(graph, class, rdfs::COMMENT).unwrap_or_default(),
            principle: text_of(graph, class, PRINCIPLE),
        };
        if let Some(other) = self.kinds.insert(name.clone(), term) {
            return Err(Error::invalid(format!("kind {name} is defined twice: {} and {iri}", other.class)));
        }
        Ok(())
    }

    fn add_field(&mut self, graph: &Graph, property: NamedOrBlankNodeRef<'_>, range: TermRef<'_>) -> Result<()> {
        let (NamedOrBlankNodeRef::NamedNode(iri), TermRef::NamedNode(range)) = (property, range) else {
            return Err(Error::invalid("a field and its range need IRIs"));
        };
        let name = iri.as_str().rsplit(['#', '/', ':']).next().unwrap_or_default().to_owned();
        let range = range_of(range).ok_or_else(|| {
            Error::invalid(format!("field {name} has the range {range}, which naze does not know")).hint(
                "use xsd:string, integer, double, boolean, dateTime, rdfs:Literal, naze:Component or naze:Receipt",
            )
        })?;
        self.field_by_iri.insert(iri.as_str().to_owned(), name.clone());
        let term = FieldTerm {
            iri: iri.into_owned(),
            range,
            multiple: text_of(graph, property, MULTIPLE).as_deref() == Some("true"),
            set_by_naze: text_of(graph, property, SET_BY).is_some(),
            comment: text_of(graph, property, rdfs::COMMENT).unwrap_or_default(),
        };
        if let Some(other) = self.fields.insert(name.clone(), term) {
            return Err(Error::invalid(format!("field {name} is defined twice: {} and {iri}", other.iri)));
        }
        Ok(())
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

    /// The JSON-LD context under which native JSON is JSON-LD.
    pub fn json_ld_context(&self) -> Json {
        let mut context = serde_json::Map::new();
        context.insert("naze".into(), NAMESPACE.into());
        context.insert("label".into(), LABEL_PREFIX.into());
        context.insert("xsd".into(), "http://www.w3.org/2001/XMLSchema#".into());
        context.insert("id".into(), json!("@id"));
        context.insert("kind".into(), json!("@type"));
        for (name, kind) in self.kinds() {
            context.insert(name.into(), kind.class.as_str().into());
        }
        context.insert("labels".into(), json!({"@id": "@nest", "@context": {"@vocab": LABEL_PREFIX}}));
        for (name, field) in self.fields() {
            let mut term = serde_json::Map::new();
            term.insert("@id".into(), field.iri.as_str().into());
            match field.range {
                Range::Component | Range::Receipt => drop(term.insert("@type".into(), "@id".into())),
                Range::Time => drop(term.insert("@type".into(), xsd::DATE_TIME.as_str().into())),
                Range::Number => drop(term.insert("@type".into(), xsd::DOUBLE.as_str().into())),
                _ => {}
            }
            if field.multiple {
                term.insert("@container".into(), "@set".into());
            }
            context.insert(name.into(), Json::Object(term));
        }
        json!({ "@context": context })
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

fn subjects_with<'a>(
    graph: &'a Graph,
    predicate: NamedNodeRef<'a>,
) -> impl Iterator<Item = (NamedOrBlankNodeRef<'a>, TermRef<'a>)> {
    graph.triples_for_predicate(predicate).map(|triple| (triple.subject, triple.object))
}

fn text_of(graph: &Graph, subject: NamedOrBlankNodeRef<'_>, predicate: NamedNodeRef<'_>) -> Option<String> {
    match graph.object_for_subject_predicate(subject, predicate)? {
        TermRef::Literal(literal) => Some(literal.value().to_owned()),
        _ => None,
    }
}

fn range_of(range: NamedNodeRef<'_>) -> Option<Range> {
    let known = [
        (xsd::STRING, Range::Text),
        (xsd::INTEGER, Range::Integer),
        (xsd::DOUBLE, Range::Number),
        (xsd::BOOLEAN, Range::Boolean),
        (xsd::DATE_TIME, Range::Time),
        (rdfs::LITERAL, Range::Any),
        (RECEIPT_CLASS, Range::Receipt),
    ];
    let component = format!("{NAMESPACE}Component");
    let source = format!("{NAMESPACE}SourceDocument");
    if range.as_str() == component {
        return Some(Range::Component);
    }
    if range.as_str() == source {
        return Some(Range::Any);
    }
    known.into_iter().find(|(iri, _)| *iri == range).map(|(_, range)| range)
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
