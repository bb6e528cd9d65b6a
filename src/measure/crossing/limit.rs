//! What a value must not do: an operator and a number, written `>= 500`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};

use crate::error::Error;

/// Which way a metric went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Its value rose.
    Up,
    /// Its value fell.
    Down,
}

impl Direction {
    /// As receipts name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Down => "down",
        }
    }

    /// The way back.
    #[must_use]
    pub fn back(self) -> Self {
        match self {
            Self::Up => Self::Down,
            Self::Down => Self::Up,
        }
    }

    /// Which of two values went farther.
    pub(super) fn farther(self, one: f64, other: f64) -> f64 {
        match self {
            Self::Up => one.max(other),
            Self::Down => one.min(other),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Above,
    AtLeast,
    Below,
    AtMost,
    Equal,
}

const OPERATORS: [(&str, Operator); 5] = [
    (">=", Operator::AtLeast),
    ("<=", Operator::AtMost),
    ("==", Operator::Equal),
    (">", Operator::Above),
    ("<", Operator::Below),
];

/// What a value must not do.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub struct Limit {
    operator: Operator,
    value: f64,
    is_percent: bool,
}

impl Limit {
    pub(super) fn above(value: f64) -> Self {
        Self { operator: Operator::Above, value, is_percent: false }
    }

    pub(super) fn below(value: f64) -> Self {
        Self { operator: Operator::Below, value, is_percent: false }
    }

    /// The number.
    pub fn value(&self) -> f64 {
        self.value
    }

    /// Is it a share of something, in percent?
    pub fn is_percent(&self) -> bool {
        self.is_percent
    }

    /// Which way a value goes that goes beyond it.
    pub fn direction(&self) -> Direction {
        match self.operator {
            Operator::Above | Operator::AtLeast | Operator::Equal => Direction::Up,
            Operator::Below | Operator::AtMost => Direction::Down,
        }
    }

    /// Does the value do what it must not?
    #[expect(clippy::float_cmp, reason = "states are told by numbers that are equal or not")]
    pub fn is_beyond(&self, value: f64) -> bool {
        match self.operator {
            Operator::Above => value > self.value,
            Operator::AtLeast => value >= self.value,
            Operator::Below => value < self.value,
            Operator::AtMost => value <= self.value,
            Operator::Equal => value == self.value,
        }
    }

    /// Is a value that goes farther beyond it as well?
    pub fn is_ordered(&self) -> bool {
        self.operator != Operator::Equal
    }

    /// Is the bound itself beyond it?
    pub fn includes_bound(&self) -> bool {
        matches!(self.operator, Operator::AtLeast | Operator::AtMost | Operator::Equal)
    }

    /// Is it at least as far in the same direction as `nearer`?
    pub fn is_farther(&self, nearer: Self) -> bool {
        self.direction() == nearer.direction()
            && match self.direction() {
                Direction::Up => self.value >= nearer.value,
                Direction::Down => self.value <= nearer.value,
            }
    }

    /// Is the value back, and by at least `hysteresis`?
    pub fn is_back(&self, value: f64, hysteresis: f64) -> bool {
        let is_far_enough = match (self.operator, self.direction()) {
            (Operator::Equal, _) => true,
            (_, Direction::Up) => value <= self.value - hysteresis,
            (_, Direction::Down) => value >= self.value + hysteresis,
        };
        is_far_enough && !self.is_beyond(value)
    }
}

impl FromStr for Limit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wrong = || {
            Error::invalid(format!("\"{text}\" is no limit"))
                .hint("write an operator (>, >=, <, <= or ==) and a number, such as \">= 500\"")
        };
        let (sign, operator) = OPERATORS.iter().find(|(sign, _)| text.trim().starts_with(sign)).ok_or_else(wrong)?;
        let told = text.trim()[sign.len()..].trim();
        let (number, is_percent) = told.strip_suffix('%').map_or((told, false), |number| (number.trim_end(), true));
        let value: f64 = number.parse().map_err(|_| wrong())?;
        if !value.is_finite() {
            return Err(wrong());
        }
        Ok(Self { operator: *operator, value, is_percent })
    }
}

impl TryFrom<String> for Limit {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse().map_err(|error: Error| error.in_a_line())
    }
}

impl Serialize for Limit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = OPERATORS.iter().find(|(_, operator)| *operator == self.operator).map_or("", |(sign, _)| sign);
        write!(f, "{sign} {}{}", self.value, if self.is_percent { "%" } else { "" })
    }
}
