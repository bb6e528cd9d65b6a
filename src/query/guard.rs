//! The guard before ad-hoc SPARQL: what could crash or stall the evaluator is refused by its shape.
//!
//! Measured on Oxigraph 0.5: 1,000 nested braces overflow the stack and end the process, 200 OPTIONALs plan for 26 s on an
//! empty store, and a closure with both ends free ignores cancellation.

use spargebra::algebra::{GraphPattern, PropertyPathExpression};
use spargebra::term::TermPattern;
use spargebra::{Query, SparqlParser};

use super::Limits;
use super::algebra::{pattern_of, walk};
use super::text::{Token, tokens};
use crate::error::{Error, Result};

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
    let query = SparqlParser::new().parse_query(text).map_err(|error| {
        let hint = if SparqlParser::new().parse_update(text).is_ok() {
            "this is an update: evidence is append-only, record receipts with POST /v1/receipts instead"
        } else {
            "prefixes must be declared, such as PREFIX naze: <https://w3id.org/naze#>"
        };
        Error::invalid(format!("the query is not SPARQL: {error}")).hint(hint)
    })?;
    let mut refusal = None;
    walk(pattern_of(&query), &mut |pattern| refusal = refusal.take().or_else(|| refuse(pattern)));
    refusal.map_or(Ok(query), Err)
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
    /// Anything unclear counts as more, never as less.
    fn of(text: &str) -> Self {
        let mut shape = Self::default();
        let mut depth: usize = 0;
        let mut data = Data::Outside;
        for (token, range) in tokens(text) {
            match token {
                Token::Text => {}
                // `?a<((1))&&2>?b` is a comparison that looks like an IRI.
                Token::Iri => {
                    let inside = &text[range];
                    shape.operators += inside.matches(['&', '!', '=', '+', '*']).count();
                    shape.nesting = shape.nesting.max(depth + inside.matches(['(', '[']).count());
                }
                Token::Word => {
                    let word = &text[range];
                    data = data.after_word(word);
                    shape.operators += usize::from(KEYWORDS.iter().any(|keyword| word.eq_ignore_ascii_case(keyword)));
                }
                Token::Sign(sign) => {
                    data = data.after_sign(sign);
                    shape.operators += usize::from(OPERATORS.contains(sign) && data != Data::Inside);
                    match sign {
                        '{' | '(' | '[' => {
                            depth += 1;
                            shape.nesting = shape.nesting.max(depth);
                        }
                        '}' | ')' | ']' => depth = depth.saturating_sub(1),
                        _ => {}
                    }
                }
            }
        }
        shape
    }
}

/// Words that make the plan larger. `{` counts for GRAPH, UNION, OPTIONAL and MINUS, `(` for FILTER, BIND and HAVING.
const KEYWORDS: [&str; 9] = ["UNION", "OPTIONAL", "MINUS", "LATERAL", "FILTER", "VALUES", "SELECT", "EXISTS", "AS"];
const OPERATORS: &str = "{(.;,|&+-*/^!=";

/// Where the rows of a VALUES block are: many of them are data, not work for the planner.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Data {
    Outside,
    Announced,
    Inside,
}

impl Data {
    fn after_word(self, word: &str) -> Self {
        match self {
            Self::Inside => Self::Inside,
            Self::Announced if word.starts_with(['?', '$']) => Self::Announced,
            _ if word.eq_ignore_ascii_case("VALUES") => Self::Announced,
            _ => Self::Outside,
        }
    }

    fn after_sign(self, sign: char) -> Self {
        match (self, sign) {
            (Self::Announced, '{') => Self::Inside,
            (Self::Announced, '(' | ')') => Self::Announced,
            (Self::Inside, '}') | (Self::Announced, _) => Self::Outside,
            (other, _) => other,
        }
    }
}

fn refuse(pattern: &GraphPattern) -> Option<Error> {
    match pattern {
        GraphPattern::Path { subject, path, object } if is_closure(path) && is_free(subject) && is_free(object) => {
            Some(
                Error::invalid("a path with * or + has both ends free, which no deadline can stop")
                    .hint("put an IRI at one end, or write the steps out"),
            )
        }
        GraphPattern::Service { .. } => Some(
            Error::invalid("SERVICE is not available: naze asks nobody else")
                .hint("fetch the other data first, and pass it in with VALUES"),
        ),
        _ => None,
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
