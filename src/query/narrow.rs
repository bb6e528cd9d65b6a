//! Has a receipt's time looked at before its other properties, when the window is short against the slots it touches.
//!
//! The planner takes `?r a naze:Failure` for selective and looks up component and time of every failure of the day. In a
//! window of two hours it is cheaper to read the times of the day, one after the other, and look up only what is left.

use std::collections::BTreeMap;

use oxrdf::Variable;
use spargebra::algebra::{Expression, GraphPattern};
use spargebra::term::{GroundTerm, NamedNodePattern, TermPattern, TriplePattern};

use crate::vocab::OCCURRED_AT;

/// Conditions that bound each variable with constants.
type Bounds = BTreeMap<Variable, Vec<Expression>>;

/// `pattern` with the same answers; `terms` are the constants its parameters stand for.
pub(super) fn narrow(pattern: GraphPattern, terms: &BTreeMap<String, GroundTerm>) -> GraphPattern {
    rewrite(pattern, &Bounds::new(), terms)
}

/// Walks down to the stars of receipts. A filter's bounds hold for what is on the left of all below it; elsewhere a
/// pattern may stand without them, and they are forgotten.
fn rewrite(pattern: GraphPattern, bounds: &Bounds, terms: &BTreeMap<String, GroundTerm>) -> GraphPattern {
    let same = |inner: Box<GraphPattern>| Box::new(rewrite(*inner, bounds, terms));
    let afresh = |inner: Box<GraphPattern>| Box::new(rewrite(*inner, &Bounds::new(), terms));
    match pattern {
        GraphPattern::Filter { expr, inner } => {
            let mut bounds = bounds.clone();
            collect(&expr, terms, &mut bounds);
            GraphPattern::Filter { expr, inner: Box::new(rewrite(*inner, &bounds, terms)) }
        }
        GraphPattern::Join { left, right } => GraphPattern::Join { left: same(left), right: same(right) },
        GraphPattern::LeftJoin { left, right, expression } => {
            GraphPattern::LeftJoin { left: same(left), right: afresh(right), expression }
        }
        GraphPattern::Minus { left, right } => GraphPattern::Minus { left: same(left), right: afresh(right) },
        GraphPattern::Extend { inner, variable, expression } => {
            GraphPattern::Extend { inner: same(inner), variable, expression }
        }
        GraphPattern::Union { left, right } => GraphPattern::Union { left: afresh(left), right: afresh(right) },
        GraphPattern::Project { inner, variables } => GraphPattern::Project { inner: afresh(inner), variables },
        GraphPattern::Group { inner, variables, aggregates } => {
            GraphPattern::Group { inner: afresh(inner), variables, aggregates }
        }
        GraphPattern::OrderBy { inner, expression } => GraphPattern::OrderBy { inner: afresh(inner), expression },
        GraphPattern::Distinct { inner } => GraphPattern::Distinct { inner: afresh(inner) },
        GraphPattern::Slice { inner, start, length } => GraphPattern::Slice { inner: afresh(inner), start, length },
        GraphPattern::Graph { name: NamedNodePattern::Variable(slot), inner } => match *inner {
            GraphPattern::Bgp { patterns } => star(&slot, patterns, bounds),
            inner => GraphPattern::Graph { name: NamedNodePattern::Variable(slot), inner: Box::new(inner) },
        },
        other => other,
    }
}

/// The conjuncts that hold a variable against a constant.
fn collect(expression: &Expression, terms: &BTreeMap<String, GroundTerm>, bounds: &mut Bounds) {
    let constant = |side: &Expression| match side {
        Expression::Variable(variable) => match terms.get(variable.as_str())? {
            GroundTerm::Literal(literal) => Some(Expression::Literal(literal.clone())),
            _ => None,
        },
        _ => None,
    };
    let compared = match expression {
        Expression::And(left, right) => {
            collect(left, terms, bounds);
            collect(right, terms, bounds);
            return;
        }
        Expression::GreaterOrEqual(left, right) => (left, right, Expression::GreaterOrEqual as fn(_, _) -> _),
        Expression::Greater(left, right) => (left, right, Expression::Greater as fn(_, _) -> _),
        Expression::LessOrEqual(left, right) => (left, right, Expression::LessOrEqual as fn(_, _) -> _),
        Expression::Less(left, right) => (left, right, Expression::Less as fn(_, _) -> _),
        _ => return,
    };
    let (left, right, with) = compared;
    if let (Expression::Variable(variable), Some(limit)) = (&**left, constant(right)) {
        let condition = with(Box::new((**left).clone()), Box::new(limit));
        bounds.entry(variable.clone()).or_default().push(condition);
    }
}

/// A star whose time is bounded on both sides, with the time taken out and asked first.
fn star(slot: &Variable, mut patterns: Vec<TriplePattern>, bounds: &Bounds) -> GraphPattern {
    let timed = patterns.iter().enumerate().find_map(|(place, triple)| match (&triple.subject, &triple.object) {
        (TermPattern::Variable(receipt), TermPattern::Variable(time))
            if triple.predicate == OCCURRED_AT.into_owned().into() =>
        {
            let conditions = bounds.get(time).filter(|conditions| conditions.len() >= 2)?;
            Some((place, receipt.clone(), time.clone(), conditions.clone()))
        }
        _ => None,
    });
    let in_slot = |slot: &Variable, patterns| GraphPattern::Graph {
        name: NamedNodePattern::Variable(slot.clone()),
        inner: Box::new(GraphPattern::Bgp { patterns }),
    };
    let Some((place, receipt, time, conditions)) = timed.filter(|_| patterns.len() > 1) else {
        return in_slot(slot, patterns);
    };
    let time_pattern = patterns.remove(place);
    let within = conditions
        .into_iter()
        .reduce(|all, one| Expression::And(Box::new(all), Box::new(one)))
        .expect("there are at least two");
    // The planner reorders joins but leaves a subquery whole.
    let times = GraphPattern::Project {
        inner: Box::new(GraphPattern::Filter { expr: within, inner: Box::new(in_slot(slot, vec![time_pattern])) }),
        variables: vec![receipt, time, slot.clone()],
    };
    GraphPattern::Join { left: Box::new(times), right: Box::new(in_slot(slot, patterns)) }
}
