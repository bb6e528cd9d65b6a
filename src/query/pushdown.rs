//! Reads time bounds out of an ad-hoc query, so that it, too, searches the slots of its window only.
//!
//! Answers must not change. A receipt's triples all lie in the slot of its time. So a triple pattern loses nothing when
//! the other slots are away, if its subject is *timed*: the same conjunction says `?receipt naze:occurredAt ?time`, and a
//! filter that every solution must pass bounds `?time`. The window is used when each triple pattern of the whole query is
//! of that sort, or asks for what no receipt has; anything else, and the query sees all slots.

use std::collections::{BTreeMap, BTreeSet};

use oxrdf::vocab::{rdf, xsd};
use oxrdf::{NamedNode, NamedNodeRef, Variable};
use spargebra::Query;
use spargebra::algebra::{Expression, GraphPattern, PropertyPathExpression};
use spargebra::term::{NamedNodePattern, TermPattern, TriplePattern};

use super::algebra::{has_exists, parts, pattern_of};
use crate::clock::Timestamp;
use crate::record::Window;
use crate::vocab::{LABEL_PREFIX, Vocabulary};

const OCCURRED_AT: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#occurredAt");

/// Variable → first and last instant it can hold.
type Bounds = BTreeMap<Variable, (Timestamp, Timestamp)>;
/// Variables that hold receipts whose time is bounded.
type Timed = BTreeSet<Variable>;

/// The windows that hold every receipt the query can match; `None` when that is not plain to see.
pub(super) fn windows(query: &Query, vocabulary: &Vocabulary) -> Option<Vec<Window>> {
    // DESCRIBE reads more than it matches.
    if matches!(query, Query::Describe { .. }) {
        return None;
    }
    let mut reader = Reader { vocabulary, windows: Vec::new() };
    reader.read(pattern_of(query), &Bounds::new(), &Timed::new())?;
    (!reader.windows.is_empty()).then_some(reader.windows)
}

struct Reader<'a> {
    vocabulary: &'a Vocabulary,
    windows: Vec<Window>,
}

impl Reader<'_> {
    /// Reads a pattern whose solutions all pass `bounds`, and join with receipts that are `timed`.
    fn read(&mut self, pattern: &GraphPattern, bounds: &Bounds, timed: &Timed) -> Option<()> {
        if parts(pattern).1.into_iter().any(has_exists) {
            return None;
        }
        match pattern {
            GraphPattern::Bgp { patterns } => {
                let timed = union(timed, &self.timed_by(pattern, bounds));
                patterns.iter().all(|triple| self.keeps_triple(triple, &timed)).then_some(())
            }
            GraphPattern::Path { subject, path, .. } => (is_one_step(path) && is_timed(subject, timed)).then_some(()),
            GraphPattern::Join { left, right } => {
                let timed = union(timed, &union(&self.timed_by(left, bounds), &self.timed_by(right, bounds)));
                self.read(left, bounds, &timed)?;
                self.read(right, bounds, &timed)
            }
            GraphPattern::LeftJoin { left, right, expression } => {
                self.read(left, bounds, timed)?;
                // A row of `left` stays when `right` has none for it. So only what `left` itself has counts on the right.
                let timed_on_the_left = union(&self.timed_by(left, bounds), &common(timed, &certain(left)));
                let mut own = Bounds::new();
                expression.iter().for_each(|expression| narrow(&mut own, expression));
                self.read(right, &own, &timed_on_the_left)
            }
            GraphPattern::Union { left, right } => {
                self.read(left, bounds, timed)?;
                self.read(right, bounds, timed)
            }
            GraphPattern::Minus { left, right } => {
                self.read(left, bounds, timed)?;
                self.read(right, &Bounds::new(), &Timed::new())
            }
            GraphPattern::Filter { expr, inner } => self.read(inner, &narrowed(bounds, expr), timed),
            // A graph may be asked for itself; then it counts which ones there are.
            GraphPattern::Graph { inner, .. } => {
                (!certain(inner).is_empty()).then(|| self.read(inner, bounds, timed))?
            }
            GraphPattern::Extend { inner, .. }
            | GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::OrderBy { inner, .. } => self.read(inner, bounds, timed),
            GraphPattern::Project { inner, variables } => self.read(
                inner,
                &projected(bounds, variables),
                &timed.iter().filter(|v| variables.contains(v)).cloned().collect(),
            ),
            GraphPattern::Values { .. } => Some(()),
            // What is outside cannot be taken inside: it decides which rows are counted or cut off.
            GraphPattern::Group { inner, .. } | GraphPattern::Slice { inner, .. } => {
                self.read(inner, &Bounds::new(), &Timed::new())
            }
            GraphPattern::Lateral { .. } | GraphPattern::Service { .. } => None,
        }
    }

    /// Does the triple pattern match the same without the other slots?
    fn keeps_triple(&self, triple: &TriplePattern, timed: &Timed) -> bool {
        let is_of_no_receipt = match &triple.predicate {
            NamedNodePattern::NamedNode(predicate) => !self.is_of_receipts(predicate),
            NamedNodePattern::Variable(_) => false,
        };
        is_of_no_receipt || is_timed(&triple.subject, timed)
    }

    fn is_of_receipts(&self, predicate: &NamedNode) -> bool {
        *predicate == rdf::TYPE
            || predicate.as_str().starts_with(LABEL_PREFIX)
            || self.vocabulary.field_of_iri(predicate.as_ref()).is_some()
    }

    /// The receipts that every solution of `pattern` has, and whose time `bounds` and the pattern's own filters bound.
    fn timed_by(&mut self, pattern: &GraphPattern, bounds: &Bounds) -> Timed {
        match pattern {
            GraphPattern::Bgp { patterns } => {
                patterns.iter().filter_map(|triple| self.timed_subject(triple, bounds)).collect()
            }
            GraphPattern::Join { left, right } => union(&self.timed_by(left, bounds), &self.timed_by(right, bounds)),
            GraphPattern::Union { left, right } => common(&self.timed_by(left, bounds), &self.timed_by(right, bounds)),
            GraphPattern::Filter { expr, inner } => self.timed_by(inner, &narrowed(bounds, expr)),
            GraphPattern::LeftJoin { left: inner, .. }
            | GraphPattern::Minus { left: inner, .. }
            | GraphPattern::Graph { inner, .. }
            | GraphPattern::Extend { inner, .. }
            | GraphPattern::Distinct { inner }
            | GraphPattern::Reduced { inner }
            | GraphPattern::OrderBy { inner, .. } => self.timed_by(inner, bounds),
            GraphPattern::Project { inner, variables } => {
                let timed = self.timed_by(inner, &projected(bounds, variables));
                timed.into_iter().filter(|variable| variables.contains(variable)).collect()
            }
            _ => Timed::new(),
        }
    }

    fn timed_subject(&mut self, triple: &TriplePattern, bounds: &Bounds) -> Option<Variable> {
        let NamedNodePattern::NamedNode(predicate) = &triple.predicate else { return None };
        let (TermPattern::Variable(subject), TermPattern::Variable(time)) = (&triple.subject, &triple.object) else {
            return None;
        };
        let (from, last) = *bounds.get(time).filter(|_| *predicate == OCCURRED_AT)?;
        // A window is half-open; its slots are whole, so one more instant never leaves one out.
        let to = last.checked_add(chrono::TimeDelta::microseconds(1)).unwrap_or(Timestamp::MAX);
        self.windows.push(Window { from, to });
        Some(subject.clone())
    }
}

fn is_timed(subject: &TermPattern, timed: &Timed) -> bool {
    matches!(subject, TermPattern::Variable(subject) if timed.contains(subject))
}

/// From a receipt to a value of its own, not further.
fn is_one_step(path: &PropertyPathExpression) -> bool {
    match path {
        PropertyPathExpression::NamedNode(_) => true,
        PropertyPathExpression::Alternative(left, right) => is_one_step(left) && is_one_step(right),
        _ => false,
    }
}

/// Variables that have a value, taken from the data, in every solution.
fn certain(pattern: &GraphPattern) -> Timed {
    match pattern {
        GraphPattern::Bgp { patterns } => patterns
            .iter()
            .flat_map(|triple| [&triple.subject, &triple.object])
            .filter_map(|term| match term {
                TermPattern::Variable(variable) => Some(variable.clone()),
                _ => None,
            })
            .collect(),
        GraphPattern::Join { left, right } => union(&certain(left), &certain(right)),
        GraphPattern::Union { left, right } => common(&certain(left), &certain(right)),
        GraphPattern::LeftJoin { left: inner, .. }
        | GraphPattern::Minus { left: inner, .. }
        | GraphPattern::Filter { inner, .. }
        | GraphPattern::Graph { inner, .. }
        | GraphPattern::Extend { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::OrderBy { inner, .. } => certain(inner),
        GraphPattern::Project { inner, variables } => {
            certain(inner).into_iter().filter(|variable| variables.contains(variable)).collect()
        }
        _ => Timed::new(),
    }
}

fn narrowed(bounds: &Bounds, filter: &Expression) -> Bounds {
    let mut bounds = bounds.clone();
    narrow(&mut bounds, filter);
    bounds
}

/// Takes the conditions that must hold; those that need not are no bounds.
fn narrow(bounds: &mut Bounds, filter: &Expression) {
    match filter {
        Expression::And(left, right) => {
            narrow(bounds, left);
            narrow(bounds, right);
        }
        Expression::Greater(later, earlier) | Expression::GreaterOrEqual(later, earlier) => {
            order(bounds, earlier, later)
        }
        Expression::Less(earlier, later) | Expression::LessOrEqual(earlier, later) => order(bounds, earlier, later),
        Expression::Equal(left, right) => {
            order(bounds, left, right);
            order(bounds, right, left);
        }
        _ => {}
    }
}

/// `earlier` is not after `later`.
fn order(bounds: &mut Bounds, earlier: &Expression, later: &Expression) {
    let (variable, from, last) = match (earlier, later) {
        (Expression::Literal(_), Expression::Variable(variable)) => (variable, time_of(earlier), Some(Timestamp::MAX)),
        (Expression::Variable(variable), Expression::Literal(_)) => (variable, Some(Timestamp::MIN), time_of(later)),
        _ => return,
    };
    if let (Some(from), Some(last)) = (from, last) {
        let bound = bounds.entry(variable.clone()).or_insert((Timestamp::MIN, Timestamp::MAX));
        *bound = (bound.0.max(from), bound.1.min(last));
    }
}

/// The instant a literal stands for, cut to the microsecond as receipts are; without a zone it stands for many.
fn time_of(expression: &Expression) -> Option<Timestamp> {
    match expression {
        Expression::Literal(literal) if literal.datatype() == xsd::DATE_TIME => literal.value().parse().ok(),
        _ => None,
    }
}

fn projected(bounds: &Bounds, variables: &[Variable]) -> Bounds {
    bounds.iter().filter(|(variable, _)| variables.contains(variable)).map(|(v, bound)| (v.clone(), *bound)).collect()
}

fn union(left: &Timed, right: &Timed) -> Timed {
    left | right
}

fn common(left: &Timed, right: &Timed) -> Timed {
    left & right
}
