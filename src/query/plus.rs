//! Adds durations to times whatever their order is.
//!
//! The optimizer of Oxigraph 0.5 puts the operands of `+` in an order of its own, and the evaluator knows a time plus a
//! duration but not a duration plus a time: by chance, `?at + "PT2H"^^xsd:dayTimeDuration` is unbound. The order of `-`
//! it leaves alone, so `a + b` becomes `a - (-b)`, or `b - (-a)` should that have no value.

use oxrdf::vocab::xsd;
use spargebra::Query;
use spargebra::algebra::{AggregateExpression, Expression, GraphPattern, OrderExpression};

/// `query` with the same answers, and those that were missing.
pub(super) fn commutative(query: Query) -> Query {
    match query {
        Query::Select { dataset, pattern, base_iri } => Query::Select { dataset, pattern: within(pattern), base_iri },
        Query::Construct { template, dataset, pattern, base_iri } => {
            Query::Construct { template, dataset, pattern: within(pattern), base_iri }
        }
        Query::Describe { dataset, pattern, base_iri } => {
            Query::Describe { dataset, pattern: within(pattern), base_iri }
        }
        Query::Ask { dataset, pattern, base_iri } => Query::Ask { dataset, pattern: within(pattern), base_iri },
    }
}

fn within(pattern: GraphPattern) -> GraphPattern {
    let all = |inner: Box<GraphPattern>| Box::new(within(*inner));
    match pattern {
        GraphPattern::Join { left, right } => GraphPattern::Join { left: all(left), right: all(right) },
        GraphPattern::LeftJoin { left, right, expression } => {
            GraphPattern::LeftJoin { left: all(left), right: all(right), expression: expression.map(rewritten) }
        }
        GraphPattern::Filter { expr, inner } => GraphPattern::Filter { expr: rewritten(expr), inner: all(inner) },
        GraphPattern::Union { left, right } => GraphPattern::Union { left: all(left), right: all(right) },
        GraphPattern::Graph { name, inner } => GraphPattern::Graph { name, inner: all(inner) },
        GraphPattern::Extend { inner, variable, expression } => {
            GraphPattern::Extend { inner: all(inner), variable, expression: rewritten(expression) }
        }
        GraphPattern::Minus { left, right } => GraphPattern::Minus { left: all(left), right: all(right) },
        GraphPattern::OrderBy { inner, expression } => {
            let order = |expression| match expression {
                OrderExpression::Asc(expression) => OrderExpression::Asc(rewritten(expression)),
                OrderExpression::Desc(expression) => OrderExpression::Desc(rewritten(expression)),
            };
            GraphPattern::OrderBy { inner: all(inner), expression: expression.into_iter().map(order).collect() }
        }
        GraphPattern::Project { inner, variables } => GraphPattern::Project { inner: all(inner), variables },
        GraphPattern::Distinct { inner } => GraphPattern::Distinct { inner: all(inner) },
        GraphPattern::Reduced { inner } => GraphPattern::Reduced { inner: all(inner) },
        GraphPattern::Slice { inner, start, length } => GraphPattern::Slice { inner: all(inner), start, length },
        GraphPattern::Group { inner, variables, aggregates } => {
            let aggregates = aggregates.into_iter().map(|(variable, aggregate)| (variable, aggregated(aggregate)));
            GraphPattern::Group { inner: all(inner), variables, aggregates: aggregates.collect() }
        }
        leaf => leaf,
    }
}

fn aggregated(aggregate: AggregateExpression) -> AggregateExpression {
    match aggregate {
        AggregateExpression::FunctionCall { name, expr, distinct } => {
            AggregateExpression::FunctionCall { name, expr: rewritten(expr), distinct }
        }
        count @ AggregateExpression::CountSolutions { .. } => count,
    }
}

fn rewritten(expression: Expression) -> Expression {
    let one = |inner: Box<Expression>| Box::new(rewritten(*inner));
    let list = |inner: Vec<Expression>| inner.into_iter().map(rewritten).collect();
    match expression {
        Expression::Add(left, right) => sum(rewritten(*left), rewritten(*right)),
        Expression::Subtract(left, right) => Expression::Subtract(one(left), one(right)),
        Expression::Multiply(left, right) => Expression::Multiply(one(left), one(right)),
        Expression::Divide(left, right) => Expression::Divide(one(left), one(right)),
        Expression::And(left, right) => Expression::And(one(left), one(right)),
        Expression::Or(left, right) => Expression::Or(one(left), one(right)),
        Expression::Equal(left, right) => Expression::Equal(one(left), one(right)),
        Expression::SameTerm(left, right) => Expression::SameTerm(one(left), one(right)),
        Expression::Greater(left, right) => Expression::Greater(one(left), one(right)),
        Expression::GreaterOrEqual(left, right) => Expression::GreaterOrEqual(one(left), one(right)),
        Expression::Less(left, right) => Expression::Less(one(left), one(right)),
        Expression::LessOrEqual(left, right) => Expression::LessOrEqual(one(left), one(right)),
        Expression::Not(inner) => Expression::Not(one(inner)),
        Expression::UnaryPlus(inner) => Expression::UnaryPlus(one(inner)),
        Expression::UnaryMinus(inner) => Expression::UnaryMinus(one(inner)),
        Expression::In(needle, among) => Expression::In(one(needle), list(among)),
        Expression::If(condition, then, otherwise) => Expression::If(one(condition), one(then), one(otherwise)),
        Expression::Coalesce(inner) => Expression::Coalesce(list(inner)),
        Expression::FunctionCall(function, arguments) => Expression::FunctionCall(function, list(arguments)),
        Expression::Exists(pattern) => Expression::Exists(Box::new(within(*pattern))),
        leaf => leaf,
    }
}

/// Only variables and literals are written twice: sums of sums would double with every step.
fn sum(left: Expression, right: Expression) -> Expression {
    let is_leaf = |side: &Expression| matches!(side, Expression::Variable(_) | Expression::Literal(_));
    let difference = |from: Expression, less: Expression| {
        Expression::Subtract(Box::new(from), Box::new(Expression::UnaryMinus(Box::new(less))))
    };
    if is_duration(&right) {
        difference(left, right)
    } else if is_duration(&left) {
        difference(right, left)
    } else if is_leaf(&left) && is_leaf(&right) {
        Expression::Coalesce(vec![difference(left.clone(), right.clone()), difference(right, left)])
    } else {
        Expression::Add(Box::new(left), Box::new(right))
    }
}

fn is_duration(expression: &Expression) -> bool {
    let durations = [xsd::DURATION, xsd::DAY_TIME_DURATION, xsd::YEAR_MONTH_DURATION];
    matches!(expression, Expression::Literal(literal) if durations.contains(&literal.datatype()))
}
