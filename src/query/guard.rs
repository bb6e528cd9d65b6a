//! The guard before ad-hoc SPARQL: what is known to crash or stall the evaluator is refused by its shape, with a reason that
//! helps. What it does not know ends with its process (see [`super::workers`]).
//!
//! Measured on Oxigraph 0.5: 1,000 nested braces overflow the stack, 200 OPTIONALs plan for 26 s on an empty store, and a
//! closure with both ends free ignores cancellation.

use spargebra::algebra::{GraphPattern, PropertyPathExpression};
use spargebra::term::TermPattern;
use spargebra::{Query, SparqlParser};

use super::Limits;
use crate::error::{Error, Result};

/// What relative IRIs in a query are relative to: the same at every address naze is reached under.
const BASE: &str = "naze:/sparql";

/// Parses a query that keeps the limits.
///
/// # Errors
/// `Invalid` naming the limit, the value and the fix.
pub(super) fn parse(text: &str, limits: &Limits) -> Result<Query> {
    if text.len() > limits.text_bytes_max {
        return Err(too_much("length", text.len(), limits.text_bytes_max, "bytes"));
    }
    let shape = Shape::of(text);
    if shape.nesting > limits.nesting_max {
        return Err(too_much("nesting", shape.nesting, limits.nesting_max, "levels of brackets"));
    }
    if shape.operators > limits.operators_max {
        return Err(too_much("size", shape.operators, limits.operators_max, "operators and patterns"));
    }
    let parser = SparqlParser::new().with_base_iri(BASE).expect("the base is an IRI");
    let query = parser.parse_query(text).map_err(|error| {
        let hint = if SparqlParser::new().parse_update(text).is_ok() {
            "this is an update: evidence is append-only, record receipts with POST /v1/receipts instead"
        } else {
            "prefixes must be declared, such as PREFIX naze: <https://w3id.org/naze#>"
        };
        Error::invalid(format!("the query is not SPARQL: {error}")).hint(hint)
    })?;
    refuse_in(pattern_of(&query))?;
    Ok(query)
}

pub(super) fn pattern_of(query: &Query) -> &GraphPattern {
    match query {
        Query::Select { pattern, .. }
        | Query::Construct { pattern, .. }
        | Query::Describe { pattern, .. }
        | Query::Ask { pattern, .. } => pattern,
    }
}

fn too_much(what: &str, found: usize, max: usize, unit: &str) -> Error {
    Error::invalid(format!("the query's {what} is {found} {unit}, the limit is {max}"))
        .hint("ask in several smaller queries, or use a canned one")
}

/// What can be told of a query without parsing it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shape {
    nesting: usize,
    operators: usize,
}

impl Shape {
    /// Reads over strings, IRIs and comments. Anything unclear counts as more, never as less.
    fn of(text: &str) -> Self {
        let mut shape = Self::default();
        let mut depth: usize = 0;
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            let skipped = match character {
                '#' => rest.find('\n'),
                '"' | '\'' => Some(string_length(rest, character)),
                '<' => iri_length(rest),
                _ => None,
            };
            if let Some(length) = skipped {
                rest = &rest[length.max(1)..];
                continue;
            }
            if character == '#' {
                break;
            }
            match character {
                '{' | '(' | '[' => {
                    depth += 1;
                    shape.nesting = shape.nesting.max(depth);
                }
                '}' | ')' | ']' => depth = depth.saturating_sub(1),
                '.' | ';' | ',' | '|' | '&' | '+' | '*' | '/' | '^' | '!' | '=' => shape.operators += 1,
                _ => {}
            }
            let word = rest.find(|next: char| !next.is_ascii_alphabetic()).unwrap_or(rest.len());
            let keyword = rest.get(..word).unwrap_or_default();
            if ["UNION", "OPTIONAL", "MINUS", "FILTER", "BIND", "VALUES", "SELECT", "EXISTS"]
                .iter()
                .any(|known| keyword.eq_ignore_ascii_case(known))
            {
                shape.operators += 1;
            }
            rest = &rest[word.max(character.len_utf8())..];
        }
        shape
    }
}

/// Length of the string literal at the start, quotes included; all of the rest when it does not end.
fn string_length(text: &str, quote: char) -> usize {
    let long: String = [quote; 3].iter().collect();
    let end = if text.starts_with(&long) { long.as_str() } else { &long[..1] };
    let mut place = end.len();
    while let Some(rest) = text.get(place..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(end) {
            return place + end.len();
        }
        let step = if rest.starts_with('\\') { rest.chars().take(2) } else { rest.chars().take(1) };
        place += step.map(char::len_utf8).sum::<usize>();
    }
    text.len()
}

/// Length of the IRI at the start, if it is one and not a comparison.
fn iri_length(text: &str) -> Option<usize> {
    let end = text.find('>')?;
    let is_iri = !text[1..end].contains(|c: char| c.is_whitespace() || "<\"{}|^`\\".contains(c));
    is_iri.then_some(end + 1)
}

fn refuse_in(pattern: &GraphPattern) -> Result<()> {
    match pattern {
        GraphPattern::Path { subject, path, object } => {
            if is_closure(path) && is_free(subject) && is_free(object) {
                return Err(Error::invalid("a path with * or + has both ends free, which no deadline can stop")
                    .hint("bind one end, or write the steps out"));
            }
            Ok(())
        }
        GraphPattern::Service { .. } => Err(Error::invalid("SERVICE is not available: naze asks nobody else")
            .hint("fetch the other data first, and pass it in with VALUES")),
        GraphPattern::Join { left, right }
        | GraphPattern::Union { left, right }
        | GraphPattern::Minus { left, right }
        | GraphPattern::LeftJoin { left, right, .. } => {
            refuse_in(left)?;
            refuse_in(right)
        }
        GraphPattern::Filter { inner, expr } => {
            refuse_in_expression(expr)?;
            refuse_in(inner)
        }
        GraphPattern::Extend { inner, expression, .. } => {
            refuse_in_expression(expression)?;
            refuse_in(inner)
        }
        GraphPattern::Graph { inner, .. }
        | GraphPattern::OrderBy { inner, .. }
        | GraphPattern::Project { inner, .. }
        | GraphPattern::Distinct { inner }
        | GraphPattern::Reduced { inner }
        | GraphPattern::Slice { inner, .. }
        | GraphPattern::Group { inner, .. } => refuse_in(inner),
        _ => Ok(()),
    }
}

fn refuse_in_expression(expression: &spargebra::algebra::Expression) -> Result<()> {
    use spargebra::algebra::Expression;
    match expression {
        Expression::Exists(pattern) => refuse_in(pattern),
        Expression::Not(inner) | Expression::UnaryPlus(inner) | Expression::UnaryMinus(inner) => {
            refuse_in_expression(inner)
        }
        Expression::And(left, right) | Expression::Or(left, right) | Expression::Equal(left, right) => {
            refuse_in_expression(left)?;
            refuse_in_expression(right)
        }
        Expression::If(condition, then, otherwise) => {
            refuse_in_expression(condition)?;
            refuse_in_expression(then)?;
            refuse_in_expression(otherwise)
        }
        _ => Ok(()),
    }
}

fn is_closure(path: &PropertyPathExpression) -> bool {
    match path {
        PropertyPathExpression::ZeroOrMore(_) | PropertyPathExpression::OneOrMore(_) => true,
        PropertyPathExpression::Reverse(inner) | PropertyPathExpression::ZeroOrOne(inner) => is_closure(inner),
        PropertyPathExpression::Sequence(left, right) | PropertyPathExpression::Alternative(left, right) => {
            is_closure(left) || is_closure(right)
        }
        PropertyPathExpression::NamedNode(_) | PropertyPathExpression::NegatedPropertySet(_) => false,
    }
}

fn is_free(term: &TermPattern) -> bool {
    matches!(term, TermPattern::Variable(_) | TermPattern::BlankNode(_))
}
