//! Answers of queries as tables: receipts and components are links, times and numbers are readable.

use maud::{Markup, html};
use oxrdf::vocab::xsd;
use oxrdf::{Literal, Term};

use super::{component_link, cut, fit, receipt_link};
use crate::query::Rows;
use crate::receipt::{ReceiptId, component_name};
use crate::report::{figure, one_line};
use crate::vocab::Vocabulary;

/// Characters of one cell.
const CELL_CHARACTERS_MAX: usize = 300;
/// Characters of a word that is not broken.
const WORD_CHARACTERS_MAX: usize = 24;

/// A table of as many rows as have room; `caption` says what it shows.
pub fn table(found: &Rows, caption: &str, bytes_max: usize, vocabulary: &Vocabulary) -> Markup {
    if found.rows.is_empty() {
        return html! { p.soft { "Nothing found." } };
    }
    let row = |row: &Vec<Option<Term>>| html! { tr { @for term in row { (cell(term.as_ref(), vocabulary)) } } };
    let (rows, count) = fit(bytes_max, found.rows.iter().map(row));
    html! {
        div.table tabindex="0" role="region" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for column in &found.columns { th scope="col" { (spaced(column)) } } } }
                tbody { (rows) }
            }
        }
        @if count < found.rows.len() { p { "The first " (count) " of " (found.rows.len()) " are shown." } }
    }
}

/// `lastReceipt` as `last receipt`.
pub fn spaced(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_uppercase() && !out.is_empty() {
            out.push(' ');
            out.extend(character.to_lowercase());
        } else {
            out.push(character);
        }
    }
    out
}

fn cell(term: Option<&Term>, vocabulary: &Vocabulary) -> Markup {
    match term {
        None => html! { td {} },
        Some(Term::Literal(literal)) => literal_cell(literal),
        Some(Term::NamedNode(iri)) => {
            let iri = iri.as_ref();
            let name = component_name(iri);
            html! {
                td.long[name.as_deref().is_some_and(is_long)] {
                    @if let Some(id) = ReceiptId::from_iri(iri) { (receipt_link(id)) }
                    @else if let Some(name) = name { (component_link(&name)) }
                    @else if let Some(kind) = vocabulary.kind_of_class(iri) { (kind) }
                    @else { (cut(iri.as_str(), CELL_CHARACTERS_MAX)) }
                }
            }
        }
        Some(other) => html! { td { (cut(&other.to_string(), CELL_CHARACTERS_MAX)) } },
    }
}

fn literal_cell(literal: &Literal) -> Markup {
    let text = literal.value();
    match literal.datatype() {
        xsd::INTEGER => html! { td.number { (text) } },
        xsd::DECIMAL | xsd::DOUBLE | xsd::FLOAT => {
            html! { td.number title=(text) { @if let Ok(number) = text.parse() { (figure(number)) } @else { (text) } } }
        }
        xsd::DATE_TIME => html! { td { @if let Ok(time) = text.parse() { (super::time(time)) } @else { (text) } } },
        xsd::BOOLEAN => html! { td { @if text == "true" { "yes" } @else { "no" } } },
        xsd::DAY_TIME_DURATION | xsd::DURATION => html! { td.number { (duration(text)) } },
        _ => html! { td.long[is_long(text)] { (cut(&one_line(text), CELL_CHARACTERS_MAX)) } },
    }
}

/// Has it a word that no column is wide enough for?
fn is_long(text: &str) -> bool {
    text.split_whitespace().any(|word| word.chars().nth(WORD_CHARACTERS_MAX).is_some())
}

/// `PT1H5M7.25S` as `1h 5m 7s`.
fn duration(text: &str) -> String {
    let mut out = String::new();
    let (whole, has_fraction) = text.split_once('.').map_or((text, false), |(whole, _)| (whole, true));
    let end = if has_fraction { "S" } else { "" };
    for character in whole.chars().chain(end.chars()).filter(|character| !matches!(character, 'P' | 'T')) {
        out.extend(character.to_lowercase());
        if character.is_alphabetic() {
            out.push(' ');
        }
    }
    out.trim_end().to_owned()
}
