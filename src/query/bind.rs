//! Puts parameters into the algebra, where nothing they hold can be read as SPARQL.
//!
//! A query marks their places with `VALUES ?name { UNDEF }`. Values are the form that the planner turns into a join from
//! the bound end (14 ms against 5.4 s for substitution after planning, DESIGN §6).

use std::collections::BTreeMap;

use oxrdf::{NamedNodeRef, Variable};
use spargebra::Query;
use spargebra::algebra::{Expression, GraphPattern};
use spargebra::term::{GroundTerm, NamedNodePattern, TermPattern};

use super::algebra::{rebuild, walk, with_pattern};

const SUPERSEDES: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#supersedes");

/// `query` with its parameters filled in.
pub(super) fn fill(query: Query, terms: &BTreeMap<String, GroundTerm>) -> Query {
    let mut place = |pattern| match pattern {
        GraphPattern::Values { variables, bindings } if is_place(&bindings) => values(variables, terms),
        // What is not asked for must not stay in the plan as a join with nothing.
        GraphPattern::Join { left, right } if is_unit(&left) => *right,
        GraphPattern::Join { left, right } if is_unit(&right) => *left,
        other => other,
    };
    with_pattern(query, |pattern| rebuild(pattern, &mut place))
}

/// At most `rows_max` solutions, whatever the query's own LIMIT says.
pub(super) fn limit(pattern: GraphPattern, rows_max: usize) -> GraphPattern {
    match pattern {
        GraphPattern::Slice { inner, start, .. } => GraphPattern::Slice { inner, start, length: Some(rows_max) },
        inner => GraphPattern::Slice { inner: Box::new(inner), start: 0, length: Some(rows_max) },
    }
}

/// Lets a correction count wherever it lies: `MINUS { GRAPH ?slot { ?correction naze:supersedes ?receipt } }` would look
/// in the window's slots only, and a receipt may be corrected long after. Asks the default graph, receipt by receipt,
/// so that the cost stays that of the window.
pub(super) fn see_all_corrections(query: Query) -> Query {
    let mut ask = |pattern| match pattern {
        GraphPattern::Minus { left, right } => match correction(&right) {
            Some(inner) => {
                let exists = Expression::Exists(Box::new(inner.clone()));
                GraphPattern::Filter { expr: Expression::Not(Box::new(exists)), inner: left }
            }
            None => GraphPattern::Minus { left, right },
        },
        other => other,
    };
    with_pattern(query, |pattern| rebuild(pattern, &mut ask))
}

fn correction(pattern: &GraphPattern) -> Option<&GraphPattern> {
    let GraphPattern::Graph { name: NamedNodePattern::Variable(_), inner } = pattern else { return None };
    let GraphPattern::Bgp { patterns } = &**inner else { return None };
    let [triple] = patterns.as_slice() else { return None };
    let is_supersedes = matches!(&triple.predicate, NamedNodePattern::NamedNode(predicate) if *predicate == SUPERSEDES);
    (is_supersedes && matches!(&triple.object, TermPattern::Variable(_))).then_some(inner)
}

/// The variables that parameters may fill.
pub(super) fn places(pattern: &GraphPattern) -> Vec<&Variable> {
    let mut found = Vec::new();
    walk(pattern, &mut |part| match part {
        GraphPattern::Values { variables, bindings } if is_place(bindings) => found.extend(variables),
        _ => {}
    });
    found
}

/// One row of nothing but UNDEF.
fn is_place(bindings: &[Vec<Option<GroundTerm>>]) -> bool {
    matches!(bindings, [row] if !row.is_empty() && row.iter().all(Option::is_none))
}

fn is_unit(pattern: &GraphPattern) -> bool {
    matches!(pattern, GraphPattern::Bgp { patterns } if patterns.is_empty())
}

fn values(variables: Vec<Variable>, terms: &BTreeMap<String, GroundTerm>) -> GraphPattern {
    let bound = variables.into_iter().filter_map(|variable| Some((terms.get(variable.as_str())?.clone(), variable)));
    let (row, variables): (Vec<_>, Vec<_>) = bound.map(|(term, variable)| (Some(term), variable)).unzip();
    if variables.is_empty() {
        return GraphPattern::Bgp { patterns: Vec::new() };
    }
    GraphPattern::Values { variables, bindings: vec![row] }
}
