//! Reads time bounds out of an ad-hoc query, so that it, too, searches the slots of its window only.
//!
//! Answers must not change, so the window is used only when it plainly holds for everything that is matched: the pattern
//! is a conjunction of triples, every subject is a variable with a `naze:occurredAt`, and a filter over all of it bounds
//! that time. A receipt's triples all lie in the slot of its time, so slots outside cannot add to such a match.

use std::collections::{BTreeMap, BTreeSet};

use oxrdf::Variable;
use oxrdf::vocab::xsd;
use spargebra::Query;
use spargebra::algebra::{Expression, GraphPattern};
use spargebra::term::{NamedNodePattern, TermPattern};

use super::guard::pattern_of;
use crate::clock::Timestamp;
use crate::record::Window;
use crate::vocab::OCCURRED_AT;

/// The windows that hold everything the query can match, one per receipt it joins; `None` when that is not plain to see.
pub(super) fn windows(query: &Query) -> Option<Vec<Window>> {
    if !matches!(query, Query::Select { .. } | Query::Ask { .. }) {
        return None;
    }
    let mut found = Found::default();
    found.read(inside(pattern_of(query)))?;
    if found.subjects.is_empty() {
        return None;
    }
    found.subjects.iter().map(|subject| found.window_of(subject)).collect()
}

/// Below what only shapes the answer.
fn inside(pattern: &GraphPattern) -> &GraphPattern {
    match pattern {
        GraphPattern::Slice { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Group { inner, .. } => inside(inner),
        GraphPattern::Extend { inner, expression, .. } if !has_exists(expression) => inside(inner),
        other => other,
    }
}

#[derive(Default)]
struct Found {
    subjects: BTreeSet<Variable>,
    /// Subject → variables that hold its time.
    times: BTreeMap<Variable, Vec<Variable>>,
    /// Variable → bounds, both inclusive.
    bounds: BTreeMap<Variable, (Timestamp, Timestamp)>,
}

impl Found {
    /// `None` for anything but conjunctions of triples and filters over all of them.
    fn read(&mut self, pattern: &GraphPattern) -> Option<()> {
        match pattern {
            GraphPattern::Filter { expr, inner } => {
                self.read_filter(expr)?;
                self.read(inner)
            }
            GraphPattern::Join { left, right } => {
                self.read(left)?;
                self.read(right)
            }
            GraphPattern::Graph { inner, .. } => self.read(inner),
            GraphPattern::Values { .. } => Some(()),
            GraphPattern::Extend { inner, expression, .. } if !has_exists(expression) => self.read(inner),
            GraphPattern::Bgp { patterns } => patterns.iter().try_for_each(|triple| {
                let TermPattern::Variable(subject) = &triple.subject else { return None };
                self.subjects.insert(subject.clone());
                if let (NamedNodePattern::NamedNode(predicate), TermPattern::Variable(time)) =
                    (&triple.predicate, &triple.object)
                    && *predicate == OCCURRED_AT
                {
                    self.times.entry(subject.clone()).or_default().push(time.clone());
                }
                Some(())
            }),
            _ => None,
        }
    }

    /// Takes the bounds that must hold; other conditions can only remove solutions, unless they look at the data again.
    fn read_filter(&mut self, expression: &Expression) -> Option<()> {
        if has_exists(expression) {
            return None;
        }
        match expression {
            Expression::And(left, right) => {
                self.read_filter(left)?;
                self.read_filter(right)
            }
            Expression::Greater(left, right) | Expression::GreaterOrEqual(left, right) => {
                self.bound(left, right);
                Some(())
            }
            Expression::Less(left, right) | Expression::LessOrEqual(left, right) => {
                self.bound(right, left);
                Some(())
            }
            Expression::Equal(left, right) => {
                self.bound(left, right);
                self.bound(right, left);
                Some(())
            }
            _ => Some(()),
        }
    }

    /// `later` is not before `earlier`.
    fn bound(&mut self, later: &Expression, earlier: &Expression) {
        match (later, earlier) {
            (Expression::Variable(variable), Expression::Literal(_)) => {
                if let Some(time) = time_of(earlier) {
                    let bounds = self.bounds.entry(variable.clone()).or_insert((Timestamp::MIN, Timestamp::MAX));
                    bounds.0 = bounds.0.max(time);
                }
            }
            (Expression::Literal(_), Expression::Variable(variable)) => {
                if let Some(time) = time_of(later) {
                    let bounds = self.bounds.entry(variable.clone()).or_insert((Timestamp::MIN, Timestamp::MAX));
                    bounds.1 = bounds.1.min(time);
                }
            }
            _ => {}
        }
    }

    fn window_of(&self, subject: &Variable) -> Option<Window> {
        let bounds = self.times.get(subject)?.iter().filter_map(|time| self.bounds.get(time));
        let (from, to) = bounds.copied().reduce(|a, b| (a.0.max(b.0), a.1.min(b.1)))?;
        // A window is half-open; its slots are whole, so one more instant never leaves one out.
        let to = to.checked_add(chrono::TimeDelta::microseconds(1)).unwrap_or(Timestamp::MAX);
        Some(Window { from, to })
    }
}

/// The instant a literal stands for, widened to the microsecond it lies in; without a zone it stands for many.
fn time_of(expression: &Expression) -> Option<Timestamp> {
    match expression {
        Expression::Literal(literal) if literal.datatype() == xsd::DATE_TIME => literal.value().parse().ok(),
        _ => None,
    }
}

fn has_exists(expression: &Expression) -> bool {
    match expression {
        Expression::Exists(_) => true,
        Expression::Not(inner) | Expression::UnaryPlus(inner) | Expression::UnaryMinus(inner) => has_exists(inner),
        Expression::And(left, right)
        | Expression::Or(left, right)
        | Expression::Equal(left, right)
        | Expression::SameTerm(left, right)
        | Expression::Greater(left, right)
        | Expression::GreaterOrEqual(left, right)
        | Expression::Less(left, right)
        | Expression::LessOrEqual(left, right)
        | Expression::Add(left, right)
        | Expression::Subtract(left, right)
        | Expression::Multiply(left, right)
        | Expression::Divide(left, right) => has_exists(left) || has_exists(right),
        Expression::If(condition, then, otherwise) => {
            has_exists(condition) || has_exists(then) || has_exists(otherwise)
        }
        Expression::In(needle, list) => has_exists(needle) || list.iter().any(has_exists),
        Expression::Coalesce(list) | Expression::FunctionCall(_, list) => list.iter().any(has_exists),
        Expression::NamedNode(_) | Expression::Literal(_) | Expression::Variable(_) | Expression::Bound(_) => false,
    }
}
