//! Parameters: text from a URL or a command line, typed and ready to be put into the algebra.

use chrono::TimeDelta;
use oxrdf::vocab::xsd;
use oxrdf::{Literal, NamedNode};
use serde::Serialize;
use spargebra::term::GroundTerm;

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::receipt::component_iri;
use crate::vocab::Vocabulary;

/// What a parameter holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Type {
    /// RFC 3339, milliseconds since 1970, `now`, or a span before now such as `-2h`.
    Time,
    /// A span such as `90s`, `5m`, `1h30m`, `7d`.
    Duration,
    /// A component, by name.
    Component,
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// A kind of receipt, by name.
    Kind,
}

/// A parameter of a canned query.
#[derive(Debug, Clone, Serialize)]
pub struct Parameter {
    /// Its name in URLs and in the query.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub holds: Type,
    /// Must it be given?
    pub required: bool,
    /// Its value when it is not given.
    pub default: Option<String>,
    /// What it means.
    pub description: String,
}

/// One end of a window: a parameter, maybe moved by another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct End {
    pub(super) anchor: String,
    pub(super) shift: Option<(i32, String)>,
}

/// A typed value.
pub(super) enum Given {
    Time(Timestamp),
    Duration(TimeDelta),
    Term(GroundTerm),
}

impl Given {
    pub(super) fn term(self) -> GroundTerm {
        match self {
            Self::Time(time) => Literal::new_typed_literal(time.to_string(), xsd::DATE_TIME).into(),
            Self::Duration(span) => {
                Literal::new_typed_literal(format!("PT{}S", span.num_seconds()), xsd::DAY_TIME_DURATION).into()
            }
            Self::Term(term) => term,
        }
    }

    /// Times are shown as they were understood, so that an answer can be asked for again later.
    pub(super) fn text(&self, given: &str) -> String {
        match self {
            Self::Time(time) => time.to_string(),
            _ => given.to_owned(),
        }
    }
}

pub(super) fn read(parameter: &Parameter, text: &str, now: Timestamp, vocabulary: &Vocabulary) -> Result<Given> {
    let name = &parameter.name;
    Ok(match parameter.holds {
        Type::Time => Given::Time(parse_time(name, text, now)?),
        Type::Duration => Given::Duration(parse_duration(name, text)?),
        Type::Component => Given::Term(component_iri(text).into()),
        Type::Text => Given::Term(Literal::from(text).into()),
        Type::Integer => {
            let number: i64 = text.parse().map_err(|_| {
                Error::invalid(format!("{name}=\"{text}\" is not a whole number")).hint(parameter.description.clone())
            })?;
            Given::Term(Literal::from(number).into())
        }
        Type::Number => {
            let number = text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| {
                Error::invalid(format!("{name}=\"{text}\" is not a number")).hint(parameter.description.clone())
            })?;
            Given::Term(Literal::from(number).into())
        }
        Type::Kind => {
            let class: NamedNode = if let Some(kind) = vocabulary.kind(text) {
                kind.class.clone()
            } else {
                let unknown = vocabulary.unknown_kind(text);
                return Err(Error::invalid(format!("{name}: {}", unknown.message)).hint(unknown.fix));
            };
            Given::Term(class.into())
        }
    })
}

/// A time as text: RFC 3339, milliseconds since 1970, `now`, or a span before (or after) now such as `-2h`.
///
/// # Errors
/// `Invalid` naming parameter and value.
pub fn parse_time(name: &str, text: &str, now: Timestamp) -> Result<Timestamp> {
    let wrong = || {
        Error::invalid(format!("{name}=\"{text}\" is no time"))
            .hint("write 2026-03-10T10:05:00Z, milliseconds since 1970, now, or a span before now such as -2h")
    };
    if text == "now" {
        return Ok(now);
    }
    if let Ok(time) = text.parse() {
        return Ok(time);
    }
    let (sign, span) = match text.split_at_checked(1) {
        Some(("-", span)) => (-1, span),
        Some(("+", span)) => (1, span),
        _ => return Err(wrong()),
    };
    let span = parse_duration(name, span).map_err(|_| wrong())?;
    now.checked_add(span * sign).ok_or_else(wrong)
}

/// A span as text: numbers with the units `s`, `m`, `h`, `d`, `w`, such as `1h30m`.
///
/// # Errors
/// `Invalid` naming parameter and value.
pub fn parse_duration(name: &str, text: &str) -> Result<TimeDelta> {
    let wrong =
        || Error::invalid(format!("{name}=\"{text}\" is no span of time")).hint("write 90s, 5m, 1h30m, 7d or 2w");
    let mut seconds: i64 = 0;
    let mut number = String::new();
    for character in text.chars() {
        let unit = match character {
            '0'..='9' => {
                number.push(character);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            'w' => 604_800,
            _ => return Err(wrong()),
        };
        let count: i64 = number.parse().map_err(|_| wrong())?;
        number.clear();
        seconds = count.checked_mul(unit).and_then(|part| seconds.checked_add(part)).ok_or_else(wrong)?;
    }
    // Ten thousand years are enough for anybody, and keep the arithmetic on times in range.
    if !number.is_empty() || seconds == 0 || seconds > 315_360_000_000 {
        return Err(wrong());
    }
    Ok(TimeDelta::seconds(seconds))
}
