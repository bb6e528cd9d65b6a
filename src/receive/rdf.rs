//! RDF: every subject with a type is a receipt.
//!
//! A receipt is named by its content, so a reference from one receipt of a document to another is known only when the
//! other one is complete. Receipts are therefore read in the order of their references; a circle of them has no such
//! order and is refused.

use std::collections::{BTreeMap, HashMap, VecDeque};

use oxjsonld::{JsonLdParser, JsonLdRemoteDocument};
use oxrdf::{BlankNode, Graph, NamedNode, NamedOrBlankNode, Quad, Term, Triple, vocab::rdf};
use oxrdfio::{RdfFormat, RdfParser};

use super::{Item, RECEIPTS_MAX, VALUES_MAX, body, json_ld};
use crate::error::{Error, Result};
use crate::receipt::{Receipt, ReceiptId, Value, read_rdf};
use crate::validate::Violation;
use crate::vocab::{NAMESPACE, Range, Vocabulary};

const BLANK_NODES_MAX: usize = 10_000;
/// Terms within terms are freed by recursion, which a long enough chain of them would turn into a crash.
const TRIPLE_TERMS_MAX: usize = 1_000;
const RULE: &str = "rdf";

/// Reads Turtle, `TriG`, N-Triples or N-Quads.
pub(super) fn rdf(format: RdfFormat, bytes: &[u8], vocabulary: &Vocabulary) -> Result<Vec<Item>> {
    let text = body::text(bytes)?;
    if text.matches("<<(").take(TRIPLE_TERMS_MAX + 1).count() > TRIPLE_TERMS_MAX {
        return Err(body::too_many("triple terms", TRIPLE_TERMS_MAX).hint("no field of a receipt takes a triple term"));
    }
    let mut stars = Stars::default();
    for quad in RdfParser::from_format(format).for_slice(text) {
        stars.add(quad.map_err(|error| not_rdf(format.name(), &error))?)?;
    }
    stars.items(vocabulary)
}

/// Reads JSON-LD with the bundled context or one of its own.
pub(super) fn json_ld(bytes: &[u8], vocabulary: &Vocabulary) -> Result<Vec<Item>> {
    let document = json_ld::prepare(body::text(bytes)?, vocabulary)?;
    let context = vocabulary.json_ld_context().to_string().into_bytes();
    let parser = JsonLdParser::new()
        .with_base_iri(json_ld::BASE)
        .expect("the base is an IRI")
        .for_slice(&document)
        .with_load_document_callback(move |url, _| {
            if url != crate::receipt::CONTEXT_URL {
                return Err(format!("{url} is not loaded").into());
            }
            Ok(JsonLdRemoteDocument { document: context.clone(), document_url: url.to_owned() })
        });
    let mut stars = Stars::default();
    for quad in parser {
        stars.add(quad.map_err(|error| not_rdf("JSON-LD", &error))?)?;
    }
    stars.items(vocabulary)
}

fn not_rdf(name: &str, error: &dyn std::error::Error) -> Error {
    Error::invalid(format!("the body is not {name}: {error}")).hint("mend it there and send it again")
}

/// The triples of a document by subject, in the order the subjects come up.
#[derive(Default)]
struct Stars {
    subjects: Vec<NamedOrBlankNode>,
    triples: Vec<Vec<(NamedNode, Term)>>,
    places: HashMap<NamedOrBlankNode, usize>,
    blank_nodes: HashMap<BlankNode, BlankNode>,
}

/// What became of one subject: its receipt and name, or why it cannot be one.
type Outcome = Result<(Receipt, ReceiptId), Vec<Violation>>;

impl Stars {
    fn add(&mut self, quad: Quad) -> Result<()> {
        let subject = match quad.subject {
            NamedOrBlankNode::BlankNode(node) => self.blank_node(node)?.into(),
            named @ NamedOrBlankNode::NamedNode(_) => named,
        };
        let object = match quad.object {
            Term::BlankNode(node) => self.blank_node(node)?.into(),
            other => other,
        };
        let place = match self.places.get(&subject) {
            Some(place) => *place,
            None if self.subjects.len() == RECEIPTS_MAX => return Err(body::too_many_receipts()),
            None => {
                self.subjects.push(subject.clone());
                self.triples.push(Vec::new());
                self.places.insert(subject, self.subjects.len() - 1);
                self.subjects.len() - 1
            }
        };
        self.triples[place].push((quad.predicate, object));
        Ok(())
    }

    /// Parsers name `[…]` at random; the same document must give the same words.
    fn blank_node(&mut self, node: BlankNode) -> Result<BlankNode> {
        if let Some(known) = self.blank_nodes.get(&node) {
            return Ok(known.clone());
        }
        let count = self.blank_nodes.len() + 1;
        if count > BLANK_NODES_MAX {
            return Err(body::too_many("blank nodes", BLANK_NODES_MAX).hint("give the receipts IRIs; any will do"));
        }
        let name = match node.as_ref().unique_id() {
            Some(_) => BlankNode::new_unchecked(format!("unnamed-{count}")),
            None => node.clone(),
        };
        self.blank_nodes.insert(node, name.clone());
        Ok(name)
    }

    fn items(&self, vocabulary: &Vocabulary) -> Result<Vec<Item>> {
        if self.subjects.is_empty() {
            return Err(Error::invalid("the body holds no triples").hint("send at least one receipt"));
        }
        let mut waits_for: Vec<usize> = vec![0; self.subjects.len()];
        let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); self.subjects.len()];
        for (place, waits) in waits_for.iter_mut().enumerate() {
            for (_, other) in self.references(place, vocabulary) {
                *waits += 1;
                waiting[other].push(place);
            }
        }
        let mut outcomes: Vec<Option<Outcome>> = vec![None; self.subjects.len()];
        let mut ready: VecDeque<usize> = (0..self.subjects.len()).filter(|place| waits_for[*place] == 0).collect();
        while let Some(place) = ready.pop_front() {
            outcomes[place] = Some(self.read(place, &outcomes, vocabulary));
            for other in &waiting[place] {
                waits_for[*other] -= 1;
                if waits_for[*other] == 0 {
                    ready.push_back(*other);
                }
            }
        }
        let items = (0..self.subjects.len()).map(|place| {
            let outcome = match &outcomes[place] {
                Some(Ok((receipt, _))) => Ok(receipt.clone()),
                Some(Err(violations)) => Err(violations.clone()),
                None => Err(vec![self.circle(place, &outcomes, vocabulary)]),
            };
            Item::from_receipt(outcome)
        });
        Ok(items.collect())
    }

    /// Fields of the subject that refer to a subject of the same document, with its place.
    fn references<'a>(&'a self, place: usize, vocabulary: &'a Vocabulary) -> impl Iterator<Item = (&'a str, usize)> {
        self.triples[place].iter().filter_map(move |(predicate, object)| {
            let (name, field) = vocabulary.field_of_iri(predicate.as_ref())?;
            let other = (field.range == Range::Receipt && !field.set_by_naze).then(|| self.place_of(object))??;
            Some((name, other))
        })
    }

    fn place_of(&self, term: &Term) -> Option<usize> {
        let subject = match term {
            Term::NamedNode(node) => NamedOrBlankNode::from(node.clone()),
            Term::BlankNode(node) => NamedOrBlankNode::from(node.clone()),
            _ => return None,
        };
        self.places.get(&subject).copied()
    }

    /// Reads one star; what it refers to is read already.
    fn read(&self, place: usize, outcomes: &[Option<Outcome>], vocabulary: &Vocabulary) -> Outcome {
        let subject = &self.subjects[place];
        let mut types =
            self.triples[place].iter().filter(|(predicate, _)| *predicate == rdf::TYPE).map(|(_, object)| object);
        let first = types.next().ok_or_else(|| vec![untyped(subject)])?;
        if let Some(other) = types.find(|other| *other != first) {
            return Err(vec![two_types(first, other)]);
        }
        let mut violations = self.overfull(place, vocabulary);
        let mut star = Graph::new();
        for (predicate, object) in &self.triples[place] {
            if let Some(violation) = unknown_name(predicate, object, vocabulary) {
                violations.push(violation);
                continue;
            }
            let mut object = object.clone();
            if let Some((name, field)) = vocabulary.field_of_iri(predicate.as_ref())
                && field.range == Range::Receipt
                && let Some(other) = self.place_of(&object)
            {
                match &outcomes[other] {
                    Some(Ok((_, id))) => object = id.iri().into(),
                    _ if field.set_by_naze => {}
                    _ => violations.push(refers_to_refused(name, &self.subjects[other])),
                }
            }
            star.insert(&Triple::new(subject.clone(), predicate.clone(), object));
        }
        if !violations.is_empty() {
            return Err(violations);
        }
        let receipt = read_rdf(&star, subject.as_ref(), vocabulary)?;
        let nameless: Vec<Violation> =
            receipt.fields().filter_map(|(name, values)| nameless_value(name, values)).collect();
        if !nameless.is_empty() {
            return Err(nameless);
        }
        let id = receipt.id(vocabulary);
        Ok((receipt, id))
    }

    /// The violations of fields with more values than a receipt holds.
    fn overfull(&self, place: usize, vocabulary: &Vocabulary) -> Vec<Violation> {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (predicate, _) in &self.triples[place] {
            if let Some((name, _)) = vocabulary.field_of_iri(predicate.as_ref()) {
                *counts.entry(name).or_default() += 1;
            }
        }
        let overfull = counts.into_iter().filter(|(_, count)| *count > VALUES_MAX);
        overfull.map(|(name, count)| body::too_many_values(name, count)).collect()
    }

    /// The violation of a subject that could not be read because something it refers to never could.
    fn circle(&self, place: usize, outcomes: &[Option<Outcome>], vocabulary: &Vocabulary) -> Violation {
        let (name, other) = self
            .references(place, vocabulary)
            .find(|(_, other)| outcomes[*other].is_none())
            .expect("what is not read waits for something not read");
        let other = self.subjects[other].to_string();
        body::violation(
            RULE,
            name,
            Some(&other),
            format!(
                "{name} leads into a circle of references by way of {other}, so the receipt has no content to be named by"
            ),
            "break the circle: a receipt refers to receipts that were complete before it",
        )
    }
}

fn untyped(subject: &NamedOrBlankNode) -> Violation {
    body::violation(
        RULE,
        "kind",
        Some(&subject.to_string()),
        format!("{subject} has no rdf:type, so it is no receipt"),
        "give it one class of the naze ontology as its type, or leave its triples out",
    )
}

fn two_types(first: &Term, other: &Term) -> Violation {
    body::violation(
        RULE,
        "kind",
        Some(&format!("{first} {other}")),
        "a receipt has one type, and this has several".into(),
        "keep one class of the naze ontology, and send further facts as receipts of their own",
    )
}

/// The violation of a class or property in our namespace that does not exist there, with the nearest that does.
fn unknown_name(predicate: &NamedNode, object: &Term, vocabulary: &Vocabulary) -> Option<Violation> {
    if *predicate == rdf::TYPE {
        let Term::NamedNode(class) = object else { return None };
        let name = class.as_str().strip_prefix(NAMESPACE)?;
        return vocabulary.kind_of_class(class.as_ref()).is_none().then(|| vocabulary.unknown_kind(name));
    }
    let name = predicate.as_str().strip_prefix(NAMESPACE)?;
    vocabulary.field_of_iri(predicate.as_ref()).is_none().then(|| vocabulary.unknown_field(name))
}

fn refers_to_refused(name: &str, other: &NamedOrBlankNode) -> Violation {
    body::violation(
        RULE,
        name,
        Some(&other.to_string()),
        format!("{name} refers to {other}, which is refused itself"),
        "mend that one first, and send both again",
    )
}

/// A receipt is a single star: it holds nothing that has a name in this document only.
fn nameless_value(name: &str, values: &[Value]) -> Option<Violation> {
    let term = values.iter().find_map(|value| match value {
        Value::Other(term) if !matches!(term, Term::NamedNode(_) | Term::Literal(_)) => Some(term.to_string()),
        _ => None,
    })?;
    Some(body::violation(
        RULE,
        name,
        Some(&term),
        format!("{name} points to {}, which is no receipt of this document", body::clip(&term)),
        "send a value, or a receipt of its own and refer to that",
    ))
}
