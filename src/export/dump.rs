//! Dumps: the receipts of a window as a document, written while it is read.

mod csv;

use std::collections::BTreeSet;
use std::io::Write;

use oxrdfio::{JsonLdProfileSet, RdfFormat, RdfSerializer};

use crate::error::{Context as _, Error, Result};
use crate::receipt::write_json;
use crate::record::store::{Index, added, star_of};
use crate::record::{Recorded, Window};
use crate::vocab::{LABEL_PREFIX, NAMESPACE, Vocabulary};

const FAILED: &str = "cannot write the dump";

/// Forms of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A native receipt per line, as `naze import` takes it.
    NdJson,
    /// JSON-LD in expanded form, with the slots as graphs.
    JsonLd,
    /// Turtle; it has no graphs.
    Turtle,
    /// N-Triples; it has no graphs.
    NTriples,
    /// N-Quads, with the slots as graphs.
    NQuads,
    /// `TriG`, with the slots as graphs.
    TriG,
    /// A row per receipt and a column per field.
    Csv,
}

impl Form {
    /// All forms; the first one is for those who do not mind.
    pub const ALL: [Self; 7] =
        [Self::NdJson, Self::JsonLd, Self::Turtle, Self::NTriples, Self::NQuads, Self::TriG, Self::Csv];

    /// Its name, as in `?format=`.
    pub fn name(self) -> &'static str {
        match self {
            Self::NdJson => "ndjson",
            Self::JsonLd => "jsonld",
            Self::Turtle => "turtle",
            Self::NTriples => "ntriples",
            Self::NQuads => "nquads",
            Self::TriG => "trig",
            Self::Csv => "csv",
        }
    }

    /// Its media type.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::NdJson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::JsonLd | Self::Turtle | Self::NTriples | Self::NQuads | Self::TriG => {
                self.rdf().map_or("", |format| format.media_type())
            }
        }
    }

    /// How its files are called.
    pub fn extension(self) -> &'static str {
        match self {
            Self::NdJson => "ndjson",
            Self::JsonLd => "jsonld",
            Self::Turtle => "ttl",
            Self::NTriples => "nt",
            Self::NQuads => "nq",
            Self::TriG => "trig",
            Self::Csv => "csv",
        }
    }

    fn rdf(self) -> Option<RdfFormat> {
        match self {
            Self::NdJson | Self::Csv => None,
            Self::JsonLd => Some(RdfFormat::JsonLd { profile: JsonLdProfileSet::empty() }),
            Self::Turtle => Some(RdfFormat::Turtle),
            Self::NTriples => Some(RdfFormat::NTriples),
            Self::NQuads => Some(RdfFormat::NQuads),
            Self::TriG => Some(RdfFormat::TriG),
        }
    }
}

impl std::str::FromStr for Form {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|form| form.name() == text).ok_or_else(|| {
            let known: Vec<&str> = Self::ALL.into_iter().map(Self::name).collect();
            Error::invalid(format!("format \"{text}\" is unknown")).hint(format!("known are {}", known.join(", ")))
        })
    }
}

/// Which receipts a dump holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// When they occurred.
    pub window: Window,
    /// Of which kinds; none for all.
    pub kinds: BTreeSet<String>,
    /// Of which component; `None` for all.
    pub component: Option<String>,
}

impl Selection {
    fn has(&self, recorded: &Recorded) -> bool {
        let receipt = &recorded.receipt;
        (self.kinds.is_empty() || self.kinds.contains(receipt.kind()))
            && self.component.as_ref().is_none_or(|component| receipt.component() == Some(component))
    }
}

/// Writes what is selected, by time, and returns how many receipts that were.
///
/// # Errors
/// `Internal` when the index cannot be read or `out` takes no more.
pub fn write(index: &Index, selected: &Selection, form: Form, out: impl Write) -> Result<u64> {
    let mut written = 0;
    let mut count = |is_in: bool| {
        written += u64::from(is_in);
        is_in
    };
    let vocabulary = index.vocabulary();
    match form.rdf() {
        Some(format) => {
            let mut writer = serializer(format)?.for_writer(out);
            index.scan(selected.window, |recorded, graph| {
                if count(selected.has(recorded)) {
                    for triple in star_of(recorded, vocabulary) {
                        if format.supports_datasets() {
                            writer.serialize_quad(&triple.in_graph(graph.clone())).internal(FAILED)?;
                        } else {
                            writer.serialize_triple(&triple).internal(FAILED)?;
                        }
                    }
                }
                Ok(())
            })?;
            writer.finish().internal(FAILED)?.flush().internal(FAILED)?;
        }
        None if form == Form::Csv => {
            let mut table = csv::Table::new(out, vocabulary)?;
            index.scan(
                selected.window,
                |recorded, _| {
                    if count(selected.has(recorded)) { table.add(recorded) } else { Ok(()) }
                },
            )?;
            table.finish()?;
        }
        None => {
            let mut out = out;
            index.scan(selected.window, |recorded, _| {
                if count(selected.has(recorded)) { line(&mut out, recorded) } else { Ok(()) }
            })?;
            out.flush().internal(FAILED)?;
        }
    }
    Ok(written)
}

fn serializer(format: RdfFormat) -> Result<RdfSerializer> {
    let prefixes = [
        ("naze", NAMESPACE),
        ("label", LABEL_PREFIX),
        ("xsd", "http://www.w3.org/2001/XMLSchema#"),
        ("rdf", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"),
    ];
    let serializer = RdfSerializer::from_format(format);
    prefixes.into_iter().try_fold(serializer, |with, (prefix, iri)| with.with_prefix(prefix, iri)).internal(FAILED)
}

fn line(out: &mut impl Write, recorded: &Recorded) -> Result<()> {
    serde_json::to_writer(&mut *out, &write_json(&recorded.receipt, recorded.id, &added(recorded))).internal(FAILED)?;
    out.write_all(b"\n").internal(FAILED)
}

/// Every field that a receipt may have, in the order of a table's columns.
fn columns(vocabulary: &Vocabulary) -> Vec<String> {
    let first = ["occurredAt", "recordedAt", "component"];
    let others = vocabulary.fields().map(|(name, _)| name).filter(|name| !first.contains(name));
    first.into_iter().chain(others).map(str::to_owned).collect()
}
