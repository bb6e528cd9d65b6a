//! What a shape expects of a value, said as a noun.

use oxrdf::vocab::xsd;
use oxrdf::{Literal, NamedNodeRef, NamedOrBlankNodeRef, TermRef};

use super::names::{human, local_name, prefixed};
use super::words::Words;
use super::{as_subject, list};
use crate::vocab::{COMPONENT_PREFIX, RECEIPT_PREFIX, SOURCE_PREFIX};

impl Words<'_> {
    /// What the shape expects of a value, as a noun: `a whole number of at least 1`.
    pub(super) fn expectation(&self, shape: NamedOrBlankNodeRef<'_>) -> Option<String> {
        let allowed = self.allowed(shape);
        if !allowed.is_empty() {
            return Some(one_of(&allowed));
        }
        let pattern = self.literal(shape, sh!("pattern"));
        if let Some(thing) = pattern.as_deref().and_then(thing_named) {
            return Some(thing.to_owned());
        }
        let noun = self.noun(shape)?;
        let sizes = [
            (self.literal(shape, sh!("minLength")), self.literal(shape, sh!("maxLength")), " characters"),
            (self.literal(shape, sh!("minInclusive")), self.literal(shape, sh!("maxInclusive")), ""),
        ];
        let mut words = noun;
        for (least, most, unit) in sizes {
            let size = match (least.as_deref().map(number), most.as_deref().map(number)) {
                (Some(least), Some(most)) => format!(" of {least} to {most}{unit}"),
                (Some(least), None) => format!(" of at least {least}{unit}"),
                (None, Some(most)) => format!(" of at most {most}{unit}"),
                (None, None) => String::new(),
            };
            words += &size;
        }
        for (limit, words_before) in [(sh!("minExclusive"), " above "), (sh!("maxExclusive"), " below ")] {
            if let Some(limit) = self.literal(shape, limit) {
                words = words + words_before + &number(&limit);
            }
        }
        if let Some(pattern) = pattern {
            words = words + " that matches " + &pattern;
        }
        Some(words)
    }

    fn noun(&self, shape: NamedOrBlankNodeRef<'_>) -> Option<String> {
        if let Some(TermRef::NamedNode(datatype)) = self.shapes.object_for_subject_predicate(shape, sh!("datatype")) {
            return Some(noun_of(datatype));
        }
        if let Some(TermRef::NamedNode(class)) = self.shapes.object_for_subject_predicate(shape, sh!("class")) {
            return Some(format!("a {}", local_name(class.as_str())));
        }
        let choices = list(self.shapes, self.shapes.object_for_subject_predicate(shape, sh!("or")));
        let choices: Vec<String> =
            choices.into_iter().filter_map(as_subject).filter_map(|s| self.expectation(s)).collect();
        if !choices.is_empty() {
            return Some(choices.join(" or "));
        }
        let kind = match self.shapes.object_for_subject_predicate(shape, sh!("nodeKind")) {
            Some(TermRef::NamedNode(kind)) => Some(kind),
            _ => None,
        };
        if kind == Some(sh!("IRI")) {
            return Some("an IRI".to_owned());
        }
        if kind == Some(sh!("Literal")) {
            return Some("a text, number or truth value".to_owned());
        }
        let sized = [sh!("minLength"), sh!("maxLength"), sh!("pattern")];
        if sized.iter().any(|rule| self.literal(shape, *rule).is_some()) {
            return Some("a text".to_owned());
        }
        let ranged = [sh!("minInclusive"), sh!("maxInclusive"), sh!("minExclusive"), sh!("maxExclusive")];
        ranged.iter().any(|rule| self.literal(shape, *rule).is_some()).then(|| "a value".to_owned())
    }

    pub(super) fn allowed(&self, shape: NamedOrBlankNodeRef<'_>) -> Vec<String> {
        let head = self.shapes.object_for_subject_predicate(shape, sh!("in"));
        list(self.shapes, head).into_iter().map(human).collect()
    }

    pub(super) fn literal(&self, shape: NamedOrBlankNodeRef<'_>, predicate: NamedNodeRef<'_>) -> Option<String> {
        self.literals(shape, predicate).first().map(|literal| literal.value().to_owned())
    }

    pub(super) fn literals(&self, shape: NamedOrBlankNodeRef<'_>, predicate: NamedNodeRef<'_>) -> Vec<Literal> {
        let literals = self.shapes.objects_for_subject_predicate(shape, predicate).filter_map(|term| match term {
            TermRef::Literal(literal) => Some(literal.into_owned()),
            _ => None,
        });
        let mut literals: Vec<Literal> = literals.collect();
        literals.sort_by_cached_key(Literal::to_string);
        literals
    }
}

pub(super) fn one_of(allowed: &[String]) -> String {
    match allowed {
        [only] => only.clone(),
        _ => format!("one of {}", allowed.join(", ")),
    }
}

/// Patterns that tell what an IRI names.
fn thing_named(pattern: &str) -> Option<&'static str> {
    let start = pattern.strip_prefix('^')?;
    let things = [
        (COMPONENT_PREFIX, "the name of a component"),
        (RECEIPT_PREFIX, "the id of a receipt"),
        (SOURCE_PREFIX, "the id of a source document"),
    ];
    things.into_iter().find(|(prefix, _)| start.starts_with(prefix)).map(|(_, thing)| thing)
}

fn noun_of(datatype: NamedNodeRef<'_>) -> String {
    let nouns = [
        (xsd::STRING, "a text"),
        (xsd::INTEGER, "a whole number"),
        (xsd::DOUBLE, "a number"),
        (xsd::DECIMAL, "a number"),
        (xsd::BOOLEAN, "true or false"),
        (xsd::DATE_TIME, "a date and time such as 2026-03-10T10:00:00Z"),
        (xsd::DATE, "a date such as 2026-03-10"),
    ];
    let known = nouns.iter().find(|(iri, _)| *iri == datatype).map(|(_, noun)| (*noun).to_owned());
    known.unwrap_or_else(|| format!("a value of type {}", prefixed(datatype)))
}

/// `0e0` is how a shape says 0.
fn number(written: &str) -> String {
    written.parse::<f64>().map_or_else(|_| written.to_owned(), |number| number.to_string())
}
