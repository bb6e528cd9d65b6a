//! The vocabulary, read from Turtle.

use oxrdf::vocab::{rdfs, xsd};
use oxrdf::{Graph, NamedNodeRef, NamedOrBlankNodeRef, TermRef};
use oxttl::TurtleParser;

use super::{FieldTerm, KindTerm, NAMESPACE, Range, Vocabulary};
use crate::error::{Context as _, Error, Result};

const MULTIPLE: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#multiple");
const SET_BY: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#setBy");
const PRINCIPLE: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#principle");
const RECEIPT_CLASS: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#Receipt");
const NOTATION: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("http://www.w3.org/2004/02/skos/core#notation");

impl Vocabulary {
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
