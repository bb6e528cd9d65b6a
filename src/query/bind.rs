//! Puts parameters into the algebra, where nothing they hold can be read as SPARQL.
//!
//! A query marks their places with `VALUES ?name { UNDEF }`. Values are the form that the planner turns into a join from
//! the bound end (14 ms against 5.4 s for substitution after planning, DESIGN §6). Places of tables are told in
//! [`super::measured`].

use std::collections::BTreeMap;

use oxrdf::Variable;
use spargebra::Query;
use spargebra::algebra::{Expression, GraphPattern, OrderExpression};
use spargebra::term::GroundTerm;

use super::measured::Measured;
use super::narrow::narrow;

/// What goes into the places.
struct Filling<'a> {
    terms: &'a BTreeMap<String, GroundTerm>,
    measured: &'a Measured,
}

/// `query` with its parameters filled in, and at most `rows_max + 1` rows: the last one only tells that there are more.
///
/// A short window is worth a look at the times first.
pub(super) fn bind(
    query: Query,
    terms: &BTreeMap<String, GroundTerm>,
    measured: &Measured,
    short: bool,
    rows_max: usize,
) -> Query {
    match query {
        Query::Select { dataset, pattern, base_iri } => {
            let pattern = fill(pattern, &Filling { terms, measured });
            let pattern = limit(if short { narrow(pattern, terms) } else { pattern }, rows_max + 1);
            Query::Select { dataset, pattern, base_iri }
        }
        other => other,
    }
}

/// At most `rows_max` solutions.
pub(super) fn limit(pattern: GraphPattern, rows_max: usize) -> GraphPattern {
    match pattern {
        // A canned query's own LIMIT stands for the default, which the caller has already applied.
        GraphPattern::Slice { inner, start, .. } => GraphPattern::Slice { inner, start, length: Some(rows_max) },
        inner => GraphPattern::Slice { inner: Box::new(inner), start: 0, length: Some(rows_max) },
    }
}

fn fill(pattern: GraphPattern, filling: &Filling<'_>) -> GraphPattern {
    let all = |inner: Box<GraphPattern>| Box::new(fill(*inner, filling));
    match pattern {
        GraphPattern::Values { variables, bindings } if is_place(&bindings) => values(variables, filling),
        GraphPattern::Join { left, right } => GraphPattern::Join { left: all(left), right: all(right) },
        GraphPattern::LeftJoin { left, right, expression } => {
            let expression = expression.map(|expression| fill_expression(expression, filling));
            GraphPattern::LeftJoin { left: all(left), right: all(right), expression }
        }
        GraphPattern::Filter { expr, inner } => {
            GraphPattern::Filter { expr: fill_expression(expr, filling), inner: all(inner) }
        }
        GraphPattern::Union { left, right } => GraphPattern::Union { left: all(left), right: all(right) },
        GraphPattern::Graph { name, inner } => GraphPattern::Graph { name, inner: all(inner) },
        GraphPattern::Extend { inner, variable, expression } => {
            GraphPattern::Extend { inner: all(inner), variable, expression: fill_expression(expression, filling) }
        }
        GraphPattern::Minus { left, right } => GraphPattern::Minus { left: all(left), right: all(right) },
        GraphPattern::OrderBy { inner, expression } => {
            let order = |expression| match expression {
                OrderExpression::Asc(expression) => OrderExpression::Asc(fill_expression(expression, filling)),
                OrderExpression::Desc(expression) => OrderExpression::Desc(fill_expression(expression, filling)),
            };
            GraphPattern::OrderBy { inner: all(inner), expression: expression.into_iter().map(order).collect() }
        }
        GraphPattern::Project { inner, variables } => GraphPattern::Project { inner: all(inner), variables },
        GraphPattern::Distinct { inner } => GraphPattern::Distinct { inner: all(inner) },
        GraphPattern::Reduced { inner } => GraphPattern::Reduced { inner: all(inner) },
        GraphPattern::Slice { inner, start, length } => GraphPattern::Slice { inner: all(inner), start, length },
        GraphPattern::Group { inner, variables, aggregates } => {
            GraphPattern::Group { inner: all(inner), variables, aggregates }
        }
        leaf => leaf,
    }
}

/// One row of nothing but UNDEF.
fn is_place(bindings: &[Vec<Option<GroundTerm>>]) -> bool {
    matches!(bindings, [row] if row.iter().all(Option::is_none))
}

fn values(variables: Vec<Variable>, filling: &Filling<'_>) -> GraphPattern {
    if let Some(table) = filling.measured.table(&variables) {
        return table;
    }
    let term = |variable: &Variable| filling.terms.get(variable.as_str()).cloned();
    let bound = variables.into_iter().filter_map(|variable| Some((term(&variable)?, variable)));
    let (row, variables): (Vec<_>, Vec<_>) = bound.map(|(term, variable)| (Some(term), variable)).unzip();
    if variables.is_empty() {
        return GraphPattern::Bgp { patterns: Vec::new() };
    }
    GraphPattern::Values { variables, bindings: vec![row] }
}

fn fill_expression(expression: Expression, filling: &Filling<'_>) -> Expression {
    let one = |inner: Box<Expression>| Box::new(fill_expression(*inner, filling));
    match expression {
        Expression::Exists(pattern) => Expression::Exists(Box::new(fill(*pattern, filling))),
        Expression::Not(inner) => Expression::Not(one(inner)),
        Expression::And(left, right) => Expression::And(one(left), one(right)),
        Expression::Or(left, right) => Expression::Or(one(left), one(right)),
        Expression::If(condition, then, otherwise) => Expression::If(one(condition), one(then), one(otherwise)),
        other => other,
    }
}
