//! Where the engine departs from SHACL, its findings are put right. Each case has a test.
//!
//! - It measures texts in bytes; SHACL measures characters, so it refuses `é` where `e` is fine.
//! - It compares doubles as decimals of 28 digits, so it refuses 1e30 where at least 0 is asked for.

use std::cmp::Ordering;

use oxrdf::vocab::xsd;
use oxrdf::{Graph, LiteralRef, TermRef};
use rudof_rdf::rdf_core::term::literal::ConcreteLiteral;

use super::as_subject;
use super::report::Finding;

/// Is this a finding of the engine that SHACL does not know?
pub(super) fn is_mistaken(finding: &Finding, shapes: &Graph) -> bool {
    let (Some(value), Some(source)) = (&finding.value, &finding.source) else { return false };
    let Some(shape) = as_subject(source.as_ref()) else { return false };
    let value = value.as_ref();
    let component = finding.component.as_ref();
    let kept = |rule, holds: &dyn Fn(TermRef<'_>) -> bool| {
        // With several limits the engine does not say which one is broken; then its word stands.
        let mut limits = shapes.objects_for_subject_predicate(shape, rule);
        matches!((limits.next(), limits.next()), (Some(limit), None) if holds(limit))
    };
    let length = |limit: TermRef<'_>| match limit {
        TermRef::Literal(limit) => characters(value).zip(limit.value().parse::<usize>().ok()),
        _ => None,
    };
    let order =
        |limit: TermRef<'_>| double(value).zip(number(limit)).and_then(|(value, limit)| value.partial_cmp(&limit));
    if component == sh!("MaxLengthConstraintComponent") {
        return kept(sh!("maxLength"), &|limit| length(limit).is_some_and(|(length, most)| length <= most));
    }
    if component == sh!("MinInclusiveConstraintComponent") {
        return kept(sh!("minInclusive"), &|limit| order(limit).is_some_and(Ordering::is_ge));
    }
    if component == sh!("MaxInclusiveConstraintComponent") {
        return kept(sh!("maxInclusive"), &|limit| order(limit).is_some_and(Ordering::is_le));
    }
    if component == sh!("MinExclusiveConstraintComponent") {
        return kept(sh!("minExclusive"), &|limit| order(limit).is_some_and(Ordering::is_gt));
    }
    if component == sh!("MaxExclusiveConstraintComponent") {
        return kept(sh!("maxExclusive"), &|limit| order(limit).is_some_and(Ordering::is_lt));
    }
    false
}

/// The length of a text or IRI in characters.
pub(super) fn characters(value: TermRef<'_>) -> Option<usize> {
    match value {
        TermRef::NamedNode(iri) => Some(iri.as_str().chars().count()),
        TermRef::Literal(literal) => Some(literal.value().chars().count()),
        _ => None,
    }
}

/// The order of two values, if they have one.
pub(super) fn compare(value: TermRef<'_>, other: TermRef<'_>) -> Option<Ordering> {
    if let (Some(value), Some(other)) = (double(value), number(other)) {
        return value.partial_cmp(&other);
    }
    engine_order(value, other)
}

/// The order of two values as the engine sees it.
pub(super) fn engine_order(value: TermRef<'_>, other: TermRef<'_>) -> Option<Ordering> {
    let (TermRef::Literal(value), TermRef::Literal(other)) = (value, other) else { return None };
    concrete(value)?.partial_cmp(&concrete(other)?)
}

/// Does the text of a literal fit its datatype?
pub(super) fn is_well_formed(literal: LiteralRef<'_>) -> bool {
    concrete(literal).is_some_and(|value| !matches!(value, ConcreteLiteral::WrongDatatypeLiteral { .. }))
}

fn concrete(literal: LiteralRef<'_>) -> Option<ConcreteLiteral> {
    ConcreteLiteral::try_from(literal.into_owned()).ok()
}

fn double(term: TermRef<'_>) -> Option<f64> {
    match term {
        TermRef::Literal(literal) if literal.datatype() == xsd::DOUBLE => literal.value().parse().ok(),
        _ => None,
    }
}

fn number(term: TermRef<'_>) -> Option<f64> {
    match term {
        TermRef::Literal(literal) if [xsd::DOUBLE, xsd::INTEGER, xsd::DECIMAL].contains(&literal.datatype()) => {
            literal.value().parse().ok()
        }
        _ => None,
    }
}
