//! The header of a `.rq` file: `#+ key: value` lines, so that the file stays SPARQL for every other tool.

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Serialize;
use spargebra::{Query, SparqlParser};

use super::advice::Advice;
use super::measured::Listing;
use super::params::{End, Parameter, Type, parse_duration};
use super::table::Table;
use crate::error::{Error, Result};

/// A canned query.
#[derive(Debug, Clone, Serialize)]
pub struct CannedQuery {
    /// Its name: the file's stem.
    pub id: String,
    /// Folder it lies in: `cause`, `context`, `trend`, `advise`, `audit`, or `user`.
    pub group: String,
    /// A few words.
    pub title: String,
    /// The operator's question that it answers.
    pub question: String,
    /// What it takes, besides `limit`.
    pub parameters: Vec<Parameter>,
    /// What it returns.
    pub columns: Vec<Column>,
    /// How rows are ordered.
    pub order: String,
    /// How its answer is best shown: `table`, `timeline`, `bar`, `line`, `state`.
    pub chart: String,
    /// The series it goes through, if it does.
    #[serde(rename = "series", skip_serializing_if = "Option::is_none")]
    pub listing: Option<Listing>,
    /// Tables that it is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tables: Vec<Table>,
    /// What to do about each row, if the query is a recommendation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// The SPARQL, with `VALUES ?parameter { UNDEF }` where parameters go.
    pub sparql: String,
    #[serde(skip)]
    pub(super) algebra: Query,
    #[serde(skip)]
    pub(super) from: End,
    #[serde(skip)]
    pub(super) to: End,
    /// So long after a minute is over it is known what it asks of that minute; it asks of whole minutes.
    #[serde(skip)]
    pub(super) late: Option<TimeDelta>,
}

/// A column of a canned query's answer.
#[derive(Debug, Clone, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What it holds.
    #[serde(rename = "type")]
    pub holds: String,
    /// What it means.
    pub description: String,
}

/// Reads one `.rq` file.
///
/// # Errors
/// `Invalid` naming file, line and fix.
pub(super) fn read(file: &str, stem: &str, group: &str, text: &str) -> Result<CannedQuery> {
    let wrong = |line: usize, what: String| Error::invalid(format!("{file}:{line}: {what}"));
    let algebra =
        SparqlParser::new().parse_query(text).map_err(|error| wrong(1, format!("is no SPARQL query: {error}")))?;
    let mut header = Header::default();
    for (number, line) in (1..).zip(text.lines()) {
        let Some(entry) = line.strip_prefix("#+") else { continue };
        let (key, value) = entry.split_once(':').ok_or_else(|| wrong(number, "write #+ key: value".into()))?;
        header.add(key.trim(), value.trim()).map_err(|what| wrong(number, what))?;
    }
    let required =
        |value: Option<String>, key: &str| value.ok_or_else(|| wrong(1, format!("the header has no #+ {key}:")));
    let id = required(header.id, "id")?;
    if id != stem {
        return Err(wrong(1, format!("the id \"{id}\" is not the file's name \"{stem}\"")));
    }
    let (from, to) = header.window.ok_or_else(|| wrong(1, "the header has no #+ window: from=… to=…".into()))?;
    for (end, holds) in [&from, &to].into_iter().flat_map(|end| {
        let shift = end.shift.iter().map(|(_, name)| (name, Type::Duration));
        std::iter::once((&end.anchor, Type::Time)).chain(shift)
    }) {
        if !header.parameters.iter().any(|parameter| parameter.name == *end && parameter.holds == holds) {
            return Err(wrong(1, format!("the window uses {end}, which is no parameter of type {holds:?}")));
        }
    }
    let advice = Advice::read(|key| header.advice.remove(key)).map_err(|what| wrong(1, what))?;
    Ok(CannedQuery {
        id,
        group: group.to_owned(),
        title: required(header.title, "title")?,
        question: required(header.question, "question")?,
        parameters: header.parameters,
        columns: header.columns,
        order: required(header.order, "order")?,
        chart: required(header.chart, "chart")?,
        listing: header.listing,
        tables: header.tables,
        advice,
        sparql: text.lines().filter(|line| !line.starts_with("#+")).collect::<Vec<_>>().join("\n").trim().to_owned(),
        algebra,
        from,
        to,
        late: header.late,
    })
}

#[derive(Default)]
struct Header {
    id: Option<String>,
    title: Option<String>,
    question: Option<String>,
    order: Option<String>,
    chart: Option<String>,
    window: Option<(End, End)>,
    late: Option<TimeDelta>,
    parameters: Vec<Parameter>,
    columns: Vec<Column>,
    listing: Option<Listing>,
    tables: Vec<Table>,
    /// What makes it a recommendation, by key.
    advice: BTreeMap<String, String>,
}

impl Header {
    fn add(&mut self, key: &str, value: &str) -> Result<(), String> {
        let once = match key {
            "id" => &mut self.id,
            "title" => &mut self.title,
            "question" => &mut self.question,
            "order" => &mut self.order,
            "chart" => &mut self.chart,
            "window" => {
                self.window = Some(window(value)?);
                return Ok(());
            }
            "late" => {
                self.late = Some(parse_duration(key, value).map_err(|error| error.in_a_line())?);
                return Ok(());
            }
            "param" => {
                self.parameters.push(parameter(value)?);
                return Ok(());
            }
            "column" => {
                self.columns.push(column(value)?);
                return Ok(());
            }
            "series" => {
                self.listing = Some(Listing::read(value)?);
                return Ok(());
            }
            "table" => {
                self.tables.push(Table::read(value)?);
                return Ok(());
            }
            "priority" | "action" | "runbook" | "effort" | "impact" => {
                if self.advice.insert(key.to_owned(), value.to_owned()).is_some() {
                    return Err(format!("#+ {key}: stands there twice"));
                }
                return Ok(());
            }
            // Where the question comes from; for readers of the file.
            "spec" => return Ok(()),
            _ => {
                return Err(format!(
                    "\"{key}\" is not known: use id, title, question, param, window, late, series, table, column, order, chart or spec, and \
                     for a recommendation priority, action, runbook, effort and impact"
                ));
            }
        };
        if once.replace(value.to_owned()).is_some() {
            return Err(format!("#+ {key}: stands there twice"));
        }
        Ok(())
    }
}

/// `name type default description`, the default being `-` (optional) or `!` (required).
fn parameter(text: &str) -> Result<Parameter, String> {
    let parts: Vec<&str> = text.splitn(4, ' ').collect();
    let [name, holds, default, description] = parts[..] else {
        return Err("write #+ param: name type default description".into());
    };
    let holds = match holds {
        "time" => Type::Time,
        "duration" => Type::Duration,
        "component" => Type::Component,
        "text" => Type::Text,
        "integer" => Type::Integer,
        "number" => Type::Number,
        "kind" => Type::Kind,
        other => {
            return Err(format!(
                "\"{other}\" is no type: use time, duration, component, text, integer, number or kind"
            ));
        }
    };
    Ok(Parameter {
        name: name.to_owned(),
        holds,
        required: default == "!",
        default: Some(default).filter(|default| !matches!(*default, "-" | "!")).map(str::to_owned),
        description: description.to_owned(),
    })
}

fn column(text: &str) -> Result<Column, String> {
    let parts: Vec<&str> = text.splitn(3, ' ').collect();
    let [name, holds, description] = parts[..] else {
        return Err("write #+ column: name type description".into());
    };
    Ok(Column { name: name.to_owned(), holds: holds.to_owned(), description: description.to_owned() })
}

/// `from=at-lookback to=at`
fn window(text: &str) -> Result<(End, End), String> {
    let shape = || "write #+ window: from=<time or time-span> to=<time or time+span>".to_owned();
    let (from, to) = text.split_once(' ').ok_or_else(shape)?;
    let end = |text: &str, key: &str| {
        let expression = text.trim().strip_prefix(key)?.strip_prefix('=')?;
        Some(match expression.find(['+', '-']) {
            Some(place) => {
                let sign = if expression[place..].starts_with('-') { -1 } else { 1 };
                End { anchor: expression[..place].to_owned(), shift: Some((sign, expression[place + 1..].to_owned())) }
            }
            None => End { anchor: expression.to_owned(), shift: None },
        })
    };
    Ok((end(from, "from").ok_or_else(shape)?, end(to, "to").ok_or_else(shape)?))
}
