//! Walking SPARQL algebra: every sub-pattern is reached, also those that hide in EXISTS.

use spargebra::Query;
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression};

/// What to do with each pattern once its parts have been rebuilt.
type Change<'a> = dyn FnMut(GraphPattern) -> GraphPattern + 'a;

/// The pattern that a query matches.
pub(super) fn pattern_of(query: &Query) -> &GraphPattern {
    match query {
        Query::Select { pattern, .. }
        | Query::Construct { pattern, .. }
        | Query::Describe { pattern, .. }
        | Query::Ask { pattern, .. } => pattern,
    }
}

/// `query` with its pattern rebuilt.
pub(super) fn with_pattern(query: Query, change: impl FnOnce(GraphPattern) -> GraphPattern) -> Query {
    match query {
        Query::Select { dataset, pattern, base_iri } => Query::Select { dataset, pattern: change(pattern), base_iri },
        Query::Construct { template, dataset, pattern, base_iri } => {
            Query::Construct { template, dataset, pattern: change(pattern), base_iri }
        }
        Query::Describe { dataset, pattern, base_iri } => Query::Describe { dataset, pattern: change(pattern), base_iri },
        Query::Ask { dataset, pattern, base_iri } => Query::Ask { dataset, pattern: change(pattern), base_iri },
    }
}

/// Calls `visit` with `pattern` and everything below it.
pub(super) fn walk<'a>(pattern: &'a GraphPattern, visit: &mut dyn FnMut(&'a GraphPattern)) {
    visit(pattern);
    let (patterns, expressions) = parts(pattern);
    for inner in patterns {
        walk(inner, visit);
    }
    for expression in expressions {
        walk_expression(expression, visit);
    }
}

fn walk_expression<'a>(expression: &'a Expression, visit: &mut dyn FnMut(&'a GraphPattern)) {
    if let Expression::Exists(pattern) = expression {
        walk(pattern, visit);
    }
    for operand in operands(expression) {
        walk_expression(operand, visit);
    }
}

/// Does the expression look at the data again?
pub(super) fn has_exists(expression: &Expression) -> bool {
    matches!(expression, Expression::Exists(_)) || operands(expression).into_iter().any(has_exists)
}

/// The patterns and expressions directly below a pattern.
pub(super) fn parts(pattern: &GraphPattern) -> (Vec<&GraphPattern>, Vec<&Expression>) {
    match pattern {
        GraphPattern::Bgp { .. } | GraphPattern::Path { .. } | GraphPattern::Values { .. } => (vec![], vec![]),
        GraphPattern::Join { left, right }
        | GraphPattern::Lateral { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Minus { left, right } => (vec![left, right], vec![]),
        GraphPattern::LeftJoin { left, right, expression } => (vec![left, right], expression.iter().collect()),
        GraphPattern::Filter { expr, inner } => (vec![inner], vec![expr]),
        GraphPattern::Extend { inner, expression, .. } => (vec![inner], vec![expression]),
        GraphPattern::OrderBy { inner, expression } => {
            let keys = expression.iter().map(|(OrderExpression::Asc(key) | OrderExpression::Desc(key))| key);
            (vec![inner], keys.collect())
        }
        GraphPattern::Group { inner, aggregates, .. } => {
            let arguments = aggregates.iter().filter_map(|(_, aggregate)| match aggregate {
                AggregateExpression::FunctionCall { expr, .. } => Some(expr),
                AggregateExpression::CountSolutions { .. } => None,
            });
            (vec![inner], arguments.collect())
        }
        GraphPattern::Graph { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Service { inner, .. } => (vec![inner], vec![]),
    }
}

/// The expressions directly below an expression.
fn operands(expression: &Expression) -> Vec<&Expression> {
    match expression {
        Expression::NamedNode(_)
        | Expression::Literal(_)
        | Expression::Variable(_)
        | Expression::Bound(_)
        | Expression::Exists(_) => vec![],
        Expression::Not(inner) | Expression::UnaryPlus(inner) | Expression::UnaryMinus(inner) => vec![inner],
        Expression::Or(left, right)
        | Expression::And(left, right)
        | Expression::Equal(left, right)
        | Expression::SameTerm(left, right)
        | Expression::Greater(left, right)
        | Expression::GreaterOrEqual(left, right)
        | Expression::Less(left, right)
        | Expression::LessOrEqual(left, right)
        | Expression::Add(left, right)
        | Expression::Subtract(left, right)
        | Expression::Multiply(left, right)
        | Expression::Divide(left, right) => vec![left, right],
        Expression::If(condition, then, otherwise) => vec![condition, then, otherwise],
        Expression::In(needle, list) => std::iter::once(&**needle).chain(list).collect(),
        Expression::Coalesce(list) | Expression::FunctionCall(_, list) => list.iter().collect(),
    }
}

/// Rebuilds `pattern` from its leaves up.
pub(super) fn rebuild(pattern: GraphPattern, change: &mut Change<'_>) -> GraphPattern {
    use GraphPattern as P;
    let mut all = |inner: Box<P>| Box::new(rebuild(*inner, change));
    let rebuilt = match pattern {
        leaf @ (P::Bgp { .. } | P::Path { .. } | P::Values { .. }) => leaf,
        P::Join { left, right } => P::Join { left: all(left), right: all(right) },
        P::Lateral { left, right } => P::Lateral { left: all(left), right: all(right) },
        P::Union { left, right } => P::Union { left: all(left), right: all(right) },
        P::Minus { left, right } => P::Minus { left: all(left), right: all(right) },
        P::LeftJoin { left, right, expression } => {
            let (left, right) = (all(left), all(right));
            P::LeftJoin { left, right, expression: expression.map(|expression| rebuild_expression(expression, change)) }
        }
        P::Filter { expr, inner } => {
            let inner = all(inner);
            P::Filter { expr: rebuild_expression(expr, change), inner }
        }
        P::Extend { inner, variable, expression } => {
            let inner = all(inner);
            P::Extend { inner, variable, expression: rebuild_expression(expression, change) }
        }
        P::OrderBy { inner, expression } => {
            let inner = all(inner);
            let mut key = |key| match key {
                OrderExpression::Asc(key) => OrderExpression::Asc(rebuild_expression(key, change)),
                OrderExpression::Desc(key) => OrderExpression::Desc(rebuild_expression(key, change)),
            };
            P::OrderBy { inner, expression: expression.into_iter().map(&mut key).collect() }
        }
        P::Group { inner, variables, aggregates } => {
            let inner = all(inner);
            let mut rebuilt = |aggregate| match aggregate {
                AggregateExpression::FunctionCall { name, expr, distinct } => {
                    AggregateExpression::FunctionCall { name, expr: rebuild_expression(expr, change), distinct }
                }
                count @ AggregateExpression::CountSolutions { .. } => count,
            };
            let aggregates = aggregates.into_iter().map(|(variable, aggregate)| (variable, rebuilt(aggregate))).collect();
            P::Group { inner, variables, aggregates }
        }
        P::Graph { name, inner } => P::Graph { name, inner: all(inner) },
        P::Project { inner, variables } => P::Project { inner: all(inner), variables },
        P::Distinct { inner } => P::Distinct { inner: all(inner) },
        P::Reduced { inner } => P::Reduced { inner: all(inner) },
        P::Slice { inner, start, length } => P::Slice { inner: all(inner), start, length },
        P::Service { name, inner, silent } => P::Service { name, inner: all(inner), silent },
    };
    change(rebuilt)
}

fn rebuild_expression(expression: Expression, change: &mut Change<'_>) -> Expression {
    use Expression as E;
    if !has_exists(&expression) {
        return expression;
    }
    let mut one = |inner: Box<E>| Box::new(rebuild_expression(*inner, change));
    match expression {
        leaf @ (E::NamedNode(_) | E::Literal(_) | E::Variable(_) | E::Bound(_)) => leaf,
        E::Exists(pattern) => E::Exists(Box::new(rebuild(*pattern, change))),
        E::Not(inner) => E::Not(one(inner)),
        E::UnaryPlus(inner) => E::UnaryPlus(one(inner)),
        E::UnaryMinus(inner) => E::UnaryMinus(one(inner)),
        E::Or(left, right) => E::Or(one(left), one(right)),
        E::And(left, right) => E::And(one(left), one(right)),
        E::Equal(left, right) => E::Equal(one(left), one(right)),
        E::SameTerm(left, right) => E::SameTerm(one(left), one(right)),
        E::Greater(left, right) => E::Greater(one(left), one(right)),
        E::GreaterOrEqual(left, right) => E::GreaterOrEqual(one(left), one(right)),
        E::Less(left, right) => E::Less(one(left), one(right)),
        E::LessOrEqual(left, right) => E::LessOrEqual(one(left), one(right)),
        E::Add(left, right) => E::Add(one(left), one(right)),
        E::Subtract(left, right) => E::Subtract(one(left), one(right)),
        E::Multiply(left, right) => E::Multiply(one(left), one(right)),
        E::Divide(left, right) => E::Divide(one(left), one(right)),
        E::If(condition, then, otherwise) => E::If(one(condition), one(then), one(otherwise)),
        E::In(needle, list) => {
            let needle = one(needle);
            E::In(needle, list.into_iter().map(|item| rebuild_expression(item, change)).collect())
        }
        E::Coalesce(list) => E::Coalesce(list.into_iter().map(|item| rebuild_expression(item, change)).collect()),
        E::FunctionCall(name, list) => {
            E::FunctionCall(name, list.into_iter().map(|item| rebuild_expression(item, change)).collect())
        }
    }
}
