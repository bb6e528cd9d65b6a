//! How an answer is printed.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use super::Command;
use crate::error::{Error, Result};
use crate::export::dump::Form;

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// For people, in a terminal
    Table,
    /// For programs
    Json,
    /// For spreadsheets
    Csv,
    /// Markdown
    Md,
    /// A form of `naze export`
    Receipts(Form),
}

impl ValueEnum for Format {
    fn value_variants<'a>() -> &'a [Self] {
        &[
            Self::Table,
            Self::Json,
            Self::Csv,
            Self::Md,
            Self::Receipts(Form::NdJson),
            Self::Receipts(Form::JsonLd),
            Self::Receipts(Form::Turtle),
            Self::Receipts(Form::NTriples),
            Self::Receipts(Form::NQuads),
            Self::Receipts(Form::TriG),
        ]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Table => PossibleValue::new("table").help("For people, in a terminal"),
            Self::Json => PossibleValue::new("json").help("For programs"),
            Self::Csv => PossibleValue::new("csv").help("For spreadsheets"),
            Self::Md => PossibleValue::new("md").help("Markdown"),
            Self::Receipts(form) => PossibleValue::new(form.name()).hide(true),
        })
    }
}

impl Format {
    /// Can `command` print it?
    pub(super) fn check(self, command: &Command) -> Result<()> {
        match self {
            Self::Receipts(form) if !matches!(command, Command::Export(_)) => {
                Err(Error::invalid(format!("only naze export writes {}", form.name()))
                    .hint("use --format table, json, csv or md"))
            }
            _ => Ok(()),
        }
    }

    /// The media type to ask a report for.
    pub(super) fn of_report(self) -> &'static str {
        match self {
            Self::Table => "text/plain",
            Self::Csv => "text/csv",
            Self::Md => "text/markdown",
            Self::Json | Self::Receipts(_) => "application/json",
        }
    }
}
