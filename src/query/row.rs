//! One row of an answer, read by column.

use oxrdf::Term;

use super::Rows;
use crate::clock::Timestamp;
use crate::receipt::{ReceiptId, component_name};
use crate::vocab::Vocabulary;

/// A row with the names of its columns.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    rows: &'a Rows,
    place: usize,
}

impl Rows {
    /// Its rows, in order.
    pub fn iter(&self) -> impl Iterator<Item = Row<'_>> {
        (0..self.rows.len()).map(|place| Row { rows: self, place })
    }
}

impl Row<'_> {
    /// The component in a column.
    pub fn component(&self, column: &str) -> Option<String> {
        match self.term(column)? {
            Term::NamedNode(iri) => component_name(iri.as_ref()),
            _ => None,
        }
    }

    /// The receipt in a column.
    pub fn receipt(&self, column: &str) -> Option<ReceiptId> {
        match self.term(column)? {
            Term::NamedNode(iri) => ReceiptId::from_iri(iri.as_ref()),
            _ => None,
        }
    }

    /// The kind of receipt in a column.
    pub fn kind<'v>(&self, column: &str, vocabulary: &'v Vocabulary) -> Option<&'v str> {
        match self.term(column)? {
            Term::NamedNode(iri) => vocabulary.kind_of_class(iri.as_ref()),
            _ => None,
        }
    }

    /// The text in a column.
    pub fn text(&self, column: &str) -> Option<&str> {
        match self.term(column)? {
            Term::Literal(literal) => Some(literal.value()),
            _ => None,
        }
    }

    /// The time in a column.
    pub fn time(&self, column: &str) -> Option<Timestamp> {
        self.text(column)?.parse().ok()
    }

    fn term(&self, column: &str) -> Option<&Term> {
        let place = self.rows.columns.iter().position(|known| known == column)?;
        self.rows.rows.get(self.place)?.get(place)?.as_ref()
    }
}
