//! Rows: a query's answer, for programs and for people.

use std::fmt::Write as _;

use oxigraph::sparql::results::{QueryResultsFormat, QueryResultsSerializer};
use oxrdf::vocab::xsd;
use oxrdf::{Literal, Term, Variable};
use serde_json::{Map, Value as Json, json};

use super::Answered;
use crate::error::{Context as _, Result};
use crate::receipt::{ReceiptId, component_name};
use crate::vocab::Vocabulary;

/// What a SELECT found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rows {
    /// Names of the columns.
    pub columns: Vec<String>,
    /// One value per column, where there is one.
    pub rows: Vec<Vec<Option<Term>>>,
    /// Were there more rows than asked for?
    pub truncated: bool,
}

/// Forms in which rows are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultsForm {
    /// Objects with names instead of IRIs, for jq and dashboards.
    Json,
    /// A form of the SPARQL 1.1 results.
    Sparql(QueryResultsFormat),
    /// CSV with names instead of IRIs.
    Csv,
    /// A Markdown table.
    Markdown,
}

impl ResultsForm {
    /// The form with this media type.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        match media_type {
            "application/json" => Some(Self::Json),
            "text/csv" => Some(Self::Csv),
            "text/markdown" => Some(Self::Markdown),
            other => QueryResultsFormat::from_media_type(other).map(Self::Sparql),
        }
    }
}

impl Rows {
    /// One object per row; components, receipts and kinds by name, numbers as numbers, nothing for what is unbound.
    pub fn to_json(&self, vocabulary: &Vocabulary) -> Vec<Json> {
        let object = |row: &Vec<Option<Term>>| {
            let members = self.columns.iter().zip(row);
            Json::Object(
                members
                    .filter_map(|(column, term)| Some((column.clone(), plain(term.as_ref()?, vocabulary))))
                    .collect::<Map<_, _>>(),
            )
        };
        self.rows.iter().map(object).collect()
    }

    /// Leaves out every other column, and puts these in this order.
    pub fn keep(&mut self, columns: &[&str]) {
        let places: Vec<usize> = columns.iter().filter_map(|column| self.place(column)).collect();
        let pick = |row: &Vec<Option<Term>>| places.iter().map(|place| row[*place].clone()).collect();
        self.rows = self.rows.iter().map(pick).collect();
        self.columns = places.iter().map(|place| self.columns[*place].clone()).collect();
    }

    /// The components of a column.
    pub fn components(&self, column: &str) -> Vec<String> {
        self.column(column, |term| match term {
            Term::NamedNode(iri) => component_name(iri.as_ref()),
            _ => None,
        })
    }

    /// The receipts of a column.
    pub fn receipts(&self, column: &str) -> Vec<ReceiptId> {
        self.column(column, |term| match term {
            Term::NamedNode(iri) => ReceiptId::from_iri(iri.as_ref()),
            _ => None,
        })
    }

    /// The texts of a column.
    pub fn texts(&self, column: &str) -> Vec<String> {
        self.column(column, |term| match term {
            Term::Literal(literal) => Some(literal.value().to_owned()),
            _ => None,
        })
    }

    fn column<T>(&self, column: &str, read: impl Fn(&Term) -> Option<T>) -> Vec<T> {
        let Some(place) = self.place(column) else { return Vec::new() };
        self.rows.iter().filter_map(|row| read(row[place].as_ref()?)).collect()
    }

    fn place(&self, column: &str) -> Option<usize> {
        self.columns.iter().position(|known| known == column)
    }

    fn write_results(&self, format: QueryResultsFormat) -> Result<Vec<u8>> {
        let failed = "cannot write the results";
        let variables: Vec<Variable> = self.columns.iter().map(Variable::new_unchecked).collect();
        let serializer = QueryResultsSerializer::from_format(format);
        let mut writer = serializer.serialize_solutions_to_writer(Vec::new(), variables.clone()).internal(failed)?;
        for row in &self.rows {
            let bound = variables.iter().zip(row).filter_map(|(variable, term)| Some((variable, term.as_ref()?)));
            writer.serialize(bound).internal(failed)?;
        }
        writer.finish().internal(failed)
    }

    fn write_csv(&self, vocabulary: &Vocabulary) -> Result<Vec<u8>> {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(&self.columns).internal("cannot write CSV")?;
        for row in &self.rows {
            let cells =
                row.iter().map(|term| term.as_ref().map_or_else(String::new, |term| cell(&plain(term, vocabulary))));
            writer.write_record(cells).internal("cannot write CSV")?;
        }
        writer.into_inner().internal("cannot write CSV")
    }

    fn write_markdown(&self, vocabulary: &Vocabulary) -> String {
        let mut out = format!("| {} |\n|{}\n", self.columns.join(" | "), "---|".repeat(self.columns.len()));
        for row in &self.rows {
            for term in row {
                let text = term.as_ref().map_or_else(String::new, |term| cell(&plain(term, vocabulary)));
                write!(out, "| {} ", escape(&text)).expect("writing to a String cannot fail");
            }
            out.push_str("|\n");
        }
        out
    }
}

impl Answered {
    /// The answer in one of its forms.
    pub fn render(&self, form: ResultsForm, vocabulary: &Vocabulary) -> Result<Vec<u8>> {
        match form {
            ResultsForm::Json => {
                let mut answer = json!({
                    "query": self.id,
                    "parameters": self.bound,
                    "window": {"from": self.window.from, "to": self.window.to},
                    "columns": self.rows.columns,
                    "rows": self.rows.to_json(vocabulary),
                    "truncated": self.rows.truncated,
                });
                if self.series_left_out > 0 {
                    answer["seriesLeftOut"] = self.series_left_out.into();
                }
                Ok(answer.to_string().into_bytes())
            }
            ResultsForm::Sparql(format) => self.rows.write_results(format),
            ResultsForm::Csv => self.rows.write_csv(vocabulary),
            ResultsForm::Markdown => Ok(self.rows.write_markdown(vocabulary).into_bytes()),
        }
    }
}

fn cell(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

fn escape(text: &str) -> String {
    // A link in a cell would be one of the sender's.
    let cell = text.replace('\\', "\\\\").replace('|', "\\|").replace('[', "\\[").replace(']', "\\]");
    cell.replace(['\n', '\r'], " ").replace('<', "&lt;").replace('`', "\\`")
}

fn plain(term: &Term, vocabulary: &Vocabulary) -> Json {
    match term {
        Term::NamedNode(iri) => {
            let iri = iri.as_ref();
            let id = || ReceiptId::from_iri(iri).map(|id| id.to_string());
            let kind = || vocabulary.kind_of_class(iri).map(str::to_owned);
            component_name(iri).or_else(id).or_else(kind).unwrap_or_else(|| iri.as_str().to_owned()).into()
        }
        Term::Literal(literal) => plain_literal(literal),
        other => other.to_string().into(),
    }
}

fn plain_literal(literal: &Literal) -> Json {
    let text = literal.value();
    let datatype = literal.datatype();
    let number = |text: &str| serde_json::from_str::<serde_json::Number>(text).ok().map(Json::Number);
    let parsed = match datatype {
        // 1900 and 1900.0 are the same number; arithmetic gives either.
        xsd::INTEGER | xsd::DECIMAL | xsd::DOUBLE | xsd::FLOAT => number(text.strip_suffix(".0").unwrap_or(text)),
        xsd::BOOLEAN => text.parse().ok().map(Json::Bool),
        _ => None,
    };
    parsed.unwrap_or_else(|| text.into())
}
