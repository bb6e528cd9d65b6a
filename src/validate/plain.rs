//! Most receipts plainly keep every rule: one type, one star, and rules about single fields. Saying so takes microseconds
//! here and a fifth of a millisecond in the engine.
//!
//! This never says that a rule is broken. Whatever is not plainly right goes to the engine, which has the last word; a test
//! holds the two against each other.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use oxrdf::vocab::{rdf, rdfs, xsd};
use oxrdf::{Graph, NamedNode, NamedNodeRef, NamedOrBlankNodeRef, Term, TermRef};
use rudof_rdf::rdf_core::utils::RDFRegex;

use super::amend::{characters, compare, engine_order, is_well_formed};
use super::{SHACL, as_subject, list};

/// Rules by class; none for a class with rules that only the engine knows.
pub(super) struct Plain {
    stars: HashMap<String, Option<Vec<Star>>>,
}

/// What a closed or open shape asks of a receipt, by property.
struct Star {
    closed: bool,
    fields: HashMap<String, Field>,
    /// Fields that must be there, with how many values.
    required: Vec<(NamedNode, usize)>,
}

#[derive(Default)]
struct Field {
    values_max: Option<usize>,
    checks: Vec<Check>,
}

enum Check {
    Datatype(NamedNode),
    AnyDatatype(Vec<NamedNode>),
    Iri,
    Literal,
    In(Vec<Term>),
    Pattern(RDFRegex),
    LengthMin(usize),
    LengthMax(usize),
    Range(Term, &'static [Ordering]),
    /// Compared with every value of another field.
    Field(NamedNode, &'static [Ordering]),
}

const LESS: &[Ordering] = &[Ordering::Less];
const LESS_OR_EQUAL: &[Ordering] = &[Ordering::Less, Ordering::Equal];
const GREATER: &[Ordering] = &[Ordering::Greater];
const GREATER_OR_EQUAL: &[Ordering] = &[Ordering::Greater, Ordering::Equal];

/// SHACL terms that change nothing about what is valid.
const DESCRIPTIVE: &[NamedNodeRef<'_>] = &[
    sh!("message"),
    sh!("severity"),
    sh!("name"),
    sh!("description"),
    sh!("order"),
    sh!("group"),
    sh!("defaultValue"),
];

impl Plain {
    /// The shapes as plain rules; none at all when some shape may concern any receipt.
    pub(super) fn new(shapes: &Graph) -> Option<Self> {
        let anywhere = [sh!("targetNode"), sh!("targetSubjectsOf"), sh!("targetObjectsOf")];
        if anywhere.iter().any(|target| shapes.triples_for_predicate(*target).next().is_some()) {
            return None;
        }
        let is_shape = |node| {
            let mut types = shapes.objects_for_subject_predicate(node, rdf::TYPE);
            types.any(|class| class == sh!("NodeShape").into() || class == sh!("PropertyShape").into())
        };
        if shapes.subjects_for_predicate_object(rdf::TYPE, rdfs::CLASS).any(is_shape) {
            return None;
        }
        let mut stars: HashMap<String, Option<Vec<Star>>> = HashMap::new();
        for triple in shapes.triples_for_predicate(sh!("targetClass")) {
            let TermRef::NamedNode(class) = triple.object else { return None };
            let known = stars.entry(class.as_str().to_owned()).or_insert_with(|| Some(Vec::new()));
            match (Star::new(shapes, triple.subject), known.as_mut()) {
                (Some(star), Some(known)) => known.push(star),
                _ => *known = None,
            }
        }
        Some(Self { stars })
    }

    /// The part of `data` that needs the engine; none when all of it plainly conforms.
    pub(super) fn left_over<'a>(&self, data: &'a Graph) -> Option<Cow<'a, Graph>> {
        if data.triples_for_predicate(rdfs::SUB_CLASS_OF).next().is_some() {
            return Some(Cow::Borrowed(data));
        }
        let mut left_over = Graph::new();
        for typed in data.triples_for_predicate(rdf::TYPE) {
            let TermRef::NamedNode(class) = typed.object else { continue };
            match self.stars.get(class.as_str()) {
                None => {}
                // The engine may need the neighbours too.
                Some(None) => return Some(Cow::Borrowed(data)),
                Some(Some(stars)) if stars.iter().all(|star| star.admits(data, typed.subject)) => {}
                Some(Some(_)) => left_over.extend(data.triples_for_subject(typed.subject)),
            }
        }
        (!left_over.is_empty()).then_some(Cow::Owned(left_over))
    }
}

impl Star {
    /// None when the shape says anything that is not a plain rule.
    fn new(shapes: &Graph, shape: NamedOrBlankNodeRef<'_>) -> Option<Self> {
        let mut star = Self { closed: false, fields: HashMap::new(), required: Vec::new() };
        for triple in shapes.triples_for_subject(shape) {
            let is = |term: NamedNodeRef<'_>| triple.predicate == term;
            if is(sh!("property")) {
                star.add(shapes, as_subject(triple.object)?)?;
            } else if is(sh!("ignoredProperties")) {
                for ignored in list(shapes, Some(triple.object)) {
                    let TermRef::NamedNode(ignored) = ignored else { return None };
                    star.fields.entry(ignored.as_str().to_owned()).or_default();
                }
            } else if is(sh!("closed")) {
                star.closed = truth(triple.object)?;
            } else if !is(sh!("targetClass")) && !is_inert(triple.predicate) {
                return None;
            }
        }
        Some(star)
    }

    fn add(&mut self, shapes: &Graph, property: NamedOrBlankNodeRef<'_>) -> Option<()> {
        let mut paths = shapes.objects_for_subject_predicate(property, sh!("path"));
        let (Some(TermRef::NamedNode(path)), None) = (paths.next(), paths.next()) else { return None };
        let field = self.fields.entry(path.as_str().to_owned()).or_default();
        for triple in shapes.triples_for_subject(property) {
            let is = |term: NamedNodeRef<'_>| triple.predicate == term;
            if is(sh!("path")) || is_inert(triple.predicate) {
                continue;
            }
            if is(sh!("minCount")) {
                self.required.push((path.into_owned(), count(triple.object)?));
            } else if is(sh!("maxCount")) {
                let most = count(triple.object)?;
                field.values_max = Some(field.values_max.map_or(most, |earlier| earlier.min(most)));
            } else {
                field.checks.push(Check::new(shapes, triple.predicate, triple.object, property)?);
            }
        }
        Some(())
    }

    /// Does the star around `focus` plainly keep every rule?
    fn admits(&self, data: &Graph, focus: NamedOrBlankNodeRef<'_>) -> bool {
        let mut counts: HashMap<&str, usize> = HashMap::with_capacity(16);
        for triple in data.triples_for_subject(focus) {
            let Some(field) = self.fields.get(triple.predicate.as_str()) else {
                if self.closed {
                    return false;
                }
                continue;
            };
            let count = counts.entry(triple.predicate.as_str()).or_default();
            *count += 1;
            let too_many = field.values_max.is_some_and(|most| *count > most);
            if too_many || !field.checks.iter().all(|check| check.admits(triple.object, data, focus)) {
                return false;
            }
        }
        let has = |path: &NamedNode, least: usize| counts.get(path.as_str()).copied().unwrap_or_default() >= least;
        self.required.iter().all(|(path, least)| has(path, *least))
    }
}

impl Check {
    /// None for a rule that is not plain.
    fn new(
        shapes: &Graph,
        rule: NamedNodeRef<'_>,
        set_to: TermRef<'_>,
        property: NamedOrBlankNodeRef<'_>,
    ) -> Option<Self> {
        let limit = |orderings| Some(Self::Range(set_to.into_owned(), orderings));
        let iri = || match set_to {
            TermRef::NamedNode(iri) => Some(iri.into_owned()),
            _ => None,
        };
        match rule.as_str().strip_prefix(SHACL)? {
            "datatype" => iri().map(Self::Datatype),
            "nodeKind" if set_to == sh!("IRI").into() => Some(Self::Iri),
            "nodeKind" if set_to == sh!("Literal").into() => Some(Self::Literal),
            "minLength" => count(set_to).map(Self::LengthMin),
            "maxLength" => count(set_to).map(Self::LengthMax),
            "minInclusive" => limit(GREATER_OR_EQUAL),
            "maxInclusive" => limit(LESS_OR_EQUAL),
            "minExclusive" => limit(GREATER),
            "maxExclusive" => limit(LESS),
            "lessThan" => Some(Self::Field(iri()?, LESS)),
            "lessThanOrEquals" => Some(Self::Field(iri()?, LESS_OR_EQUAL)),
            "in" => {
                let allowed = list(shapes, Some(set_to));
                allowed.iter().all(|term| is_same_everywhere(*term)).then_some(())?;
                Some(Self::In(allowed.into_iter().map(TermRef::into_owned).collect()))
            }
            "pattern" => {
                let TermRef::Literal(pattern) = set_to else { return None };
                let flags = shapes.object_for_subject_predicate(property, sh!("flags"));
                flags.is_none().then(|| RDFRegex::new(pattern.value(), None).ok())?.map(Self::Pattern)
            }
            "or" => {
                let choices = list(shapes, Some(set_to));
                choices
                    .into_iter()
                    .map(|choice| only_datatype(shapes, choice))
                    .collect::<Option<_>>()
                    .map(Self::AnyDatatype)
            }
            _ => None,
        }
    }

    fn admits(&self, value: TermRef<'_>, data: &Graph, focus: NamedOrBlankNodeRef<'_>) -> bool {
        match self {
            Self::Datatype(datatype) => has_datatype(value, datatype),
            Self::AnyDatatype(datatypes) => datatypes.iter().any(|datatype| has_datatype(value, datatype)),
            Self::Iri => matches!(value, TermRef::NamedNode(_)),
            Self::Literal => matches!(value, TermRef::Literal(_)),
            Self::In(allowed) => allowed.iter().any(|term| term.as_ref() == value),
            Self::Pattern(pattern) => written(value).is_some_and(|text| pattern.is_match(text)),
            Self::LengthMin(least) => characters(value).is_some_and(|length| length >= *least),
            Self::LengthMax(most) => characters(value).is_some_and(|length| length <= *most),
            Self::Range(limit, orderings) => compare(value, limit.as_ref()).is_some_and(|o| orderings.contains(&o)),
            Self::Field(other, orderings) => data
                .objects_for_subject_predicate(focus, other)
                .all(|other| engine_order(value, other).is_some_and(|o| orderings.contains(&o))),
        }
    }
}

fn is_inert(predicate: NamedNodeRef<'_>) -> bool {
    !predicate.as_str().starts_with(SHACL) || DESCRIPTIVE.contains(&predicate)
}

fn truth(term: TermRef<'_>) -> Option<bool> {
    match term {
        TermRef::Literal(literal) if literal.datatype() == xsd::BOOLEAN => literal.value().parse().ok(),
        _ => None,
    }
}

fn count(term: TermRef<'_>) -> Option<usize> {
    match term {
        TermRef::Literal(literal) if literal.datatype() == xsd::INTEGER => literal.value().parse().ok(),
        _ => None,
    }
}

/// IRIs and plain texts are written in one way only.
fn is_same_everywhere(term: TermRef<'_>) -> bool {
    match term {
        TermRef::NamedNode(_) => true,
        TermRef::Literal(literal) => literal.datatype() == xsd::STRING,
        _ => false,
    }
}

/// The datatype of a shape that says nothing else.
fn only_datatype(shapes: &Graph, shape: TermRef<'_>) -> Option<NamedNode> {
    let mut rules = shapes.triples_for_subject(as_subject(shape)?);
    match (rules.next(), rules.next()) {
        (Some(rule), None) if rule.predicate == sh!("datatype") => match rule.object {
            TermRef::NamedNode(datatype) => Some(datatype.into_owned()),
            _ => None,
        },
        _ => None,
    }
}

fn has_datatype(value: TermRef<'_>, datatype: &NamedNode) -> bool {
    let TermRef::Literal(literal) = value else { return false };
    literal.datatype() == datatype.as_ref() && (datatype.as_ref() == xsd::STRING || is_well_formed(literal))
}

fn written(value: TermRef<'_>) -> Option<&str> {
    match value {
        TermRef::NamedNode(iri) => Some(iri.as_str()),
        TermRef::Literal(literal) => Some(literal.value()),
        _ => None,
    }
}
