//! Series by the name of their metric and some of their labels, as Prometheus writes them:
//! `http_requests_total{code="500"}`.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Series;

/// Which series of a component are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Selector {
    /// Name of the metric.
    pub metric: String,
    /// Labels that they have; they may have others.
    pub labels: BTreeMap<String, String>,
}

impl Selector {
    /// Is this one of them?
    pub fn has(&self, series: &Series) -> bool {
        self.metric == series.metric && self.labels.iter().all(|(name, value)| series.labels.get(name) == Some(value))
    }
}

impl From<&Series> for Selector {
    /// With all of its labels.
    fn from(series: &Series) -> Self {
        Self { metric: series.metric.clone(), labels: series.labels.clone() }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.metric)?;
        for (place, (name, value)) in self.labels.iter().enumerate() {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
            write!(f, "{}{name}=\"{value}\"", if place == 0 { '{' } else { ',' })?;
        }
        f.write_str(if self.labels.is_empty() { "" } else { "}" })
    }
}

impl FromStr for Selector {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (metric, labels) = match text.split_once('{') {
            None => (text, BTreeMap::new()),
            Some((metric, rest)) => match labels(rest)? {
                (labels, "") => (metric, labels),
                _ => return Err("something follows the labels"),
            },
        };
        if metric.is_empty() {
            return Err("the name of the metric is missing");
        }
        Ok(Self { metric: metric.to_owned(), labels })
    }
}

/// Labels up to the closing brace, and what follows it.
pub(crate) fn labels(text: &str) -> Result<(BTreeMap<String, String>, &str), &'static str> {
    let mut labels = BTreeMap::new();
    let mut rest = text.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((labels, after));
        }
        let (name, after) = rest.split_once('=').ok_or("a label has no value")?;
        let quoted = after.trim_start().strip_prefix('"').ok_or("the value of a label is not in quotes")?;
        let (value, after) = unquoted(quoted).ok_or("the value of a label does not end")?;
        if !value.is_empty() {
            labels.insert(name.trim().to_owned(), value);
        }
        rest = after.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest).trim_start();
    }
}

fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[place + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}
