//! Bytes in, receipts out: what a sender's document says, as receipts. Pure: no IO, no clock, no async.
//!
//! One file per source. Each maps its wire format to the same [`Received`]: one [`Item`] per fact, in the order the
//! document tells them. A fault of one fact costs that fact only, as [`Item::Refused`] with what is wrong; only what
//! makes the document unreadable as a whole is an error, and names the place. Whether a receipt keeps the rules of its
//! kind is not asked here: that is `validate`'s work.
//!
//! ```
//! use naze::receive::{Format, Item, receive};
//! use naze::vocab::Vocabulary;
//!
//! let body = br#"[{"kind": "failure", "occurredAt": "2026-03-10T10:00:00Z", "component": "checkout", "failureType": "Timeout"},
//!                 {"kind": "failed"}]"#;
//! let received = receive(Format::Json, body, &Vocabulary::builtin())?;
//! let [Item::Receipt(draft), Item::Refused(violations)] = &received.items[..] else { panic!("{received:?}") };
//! assert_eq!(draft.receipt.component(), Some("checkout"));
//! assert_eq!(violations[0].message, "\"failed\" is not a kind of receipt");
//! # Ok::<(), naze::error::Error>(())
//! ```

pub(crate) mod alertmanager;
mod argocd;
mod body;
pub(crate) mod cloudevents;
pub mod episode;
mod flagger;
mod github;
mod grafana;
mod json_ld;
mod measurements;
mod members;
mod native;
mod openslo;
mod otlp;
mod pagerduty;
mod rdf;
pub mod receiver;
pub(crate) mod remote_write;
pub mod signature;
mod title;
pub(crate) mod yaml;

pub use alertmanager::alertmanager;
pub use alertmanager::api::active_alerts;
pub use github::github;
pub use openslo::{Definitions, openslo};
pub use receiver::{Delivery, Given, RECEIVERS, Receiver, Reply, Tally};
pub(crate) use remote_write::kind_by_name;

use std::ffi::OsStr;
use std::path::Path;

use crate::error::Result;
use crate::measure::Samples;
use crate::receipt::Receipt;
use crate::validate::Violation;
use crate::vocab::Vocabulary;

/// Most receipts that one document may hold.
pub const RECEIPTS_MAX: usize = 100_000;
/// The component of a receipt whose sender does not name one.
pub const COMPONENT_UNKNOWN: &str = "unknown";
/// The label with the id that an event has at its sender, by which later events name it as their cause.
pub const EVENT_LABEL: &str = "event.id";
/// Most values that one field may have; it takes no more to say what a receipt rests on.
pub const VALUES_MAX: usize = 1_000;

/// One fact of a document: a receipt, or why it cannot be one.
#[derive(Debug, Clone, PartialEq)]
pub enum Item {
    /// It can be read; whether it keeps the rules of its kind is still to be seen.
    Receipt(Draft),
    /// It cannot be read.
    Refused(Vec<Violation>),
}

impl Item {
    fn from_receipt(read: std::result::Result<Receipt, Vec<Violation>>) -> Self {
        match read {
            Ok(receipt) => Self::Receipt(Draft::new(receipt)),
            Err(violations) => Self::Refused(violations),
        }
    }
}

/// A receipt as its sender tells it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What is told.
    pub receipt: Receipt,
    /// The sender's own name of the fact: drafts with the same key are the same fact, even when they tell it with other
    /// details. Without one, only drafts of equal content are.
    pub key: Option<String>,
    /// Earlier receipts that this one goes on with, when it does not say what it is about.
    pub follows: Option<Follows>,
    /// What its sender gives as the reasons; those that are recorded become `causedBy`.
    pub causes: Vec<Cause>,
    /// What was seen in passing: it is recorded only when that is new.
    pub observed: Option<Box<Observed>>,
}

/// A value that a sender mentions all the time, and that matters when it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// What has the value.
    pub subject: String,
    /// The value.
    pub value: String,
    /// The field that takes the value before.
    pub field_before: &'static str,
}

/// How a sender names what led to a fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// The latest receipt with a value.
    Latest(Follows),
    /// An event, by the [`EVENT_LABEL`] of its receipts.
    Event(String),
}

impl Draft {
    /// A receipt that its sender gives no name.
    pub fn new(receipt: Receipt) -> Self {
        Self { receipt, key: None, follows: None, causes: Vec::new(), observed: None }
    }

    /// The same under the sender's own name.
    #[must_use]
    pub fn with_key(self, key: Option<String>) -> Self {
        Self { key, ..self }
    }

    /// The same, going on with earlier ones.
    #[must_use]
    pub fn following(self, follows: Option<Follows>) -> Self {
        Self { follows, ..self }
    }

    fn caused_by(mut self, cause: Cause) -> Self {
        self.causes.push(cause);
        self
    }

    fn observed(self, observed: Observed) -> Self {
        Self { observed: Some(Box::new(observed)), ..self }
    }
}

/// Receipts that have a value in common, such as the alerts of an episode or the steps of an incident. Naming the latest
/// of them is for the engine, which has them: it gives its component and its name to a receipt that has none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Follows {
    /// The field they share.
    pub field: &'static str,
    /// Its value.
    pub value: String,
    /// While the latest has one of these statuses, the receipt tells it again and is nothing new, unless its severity is
    /// another one.
    pub unless: &'static [&'static str],
}

impl Follows {
    fn fingerprint(value: &str) -> Self {
        Self { field: "fingerprint", value: value.to_owned(), unless: &[] }
    }

    fn reference(value: &str) -> Self {
        Self { field: "reference", value: value.to_owned(), unless: &[] }
    }

    fn not_repeating(self, unless: &'static [&'static str]) -> Self {
        Self { unless, ..self }
    }
}

/// What a document holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Received {
    /// One per fact, in the order of the document.
    pub items: Vec<Item>,
    /// Events that were understood and record nothing, such as GitHub's ping.
    pub ignored: usize,
    /// Evidence that the sender says it left out, in a sentence.
    pub missing: Option<String>,
    /// Values of series.
    pub samples: Vec<Samples>,
    /// How many items stand before each object that is no item, because all of it is in `samples`.
    pub measured: Vec<usize>,
    /// Which of the items are steps of alerts that their sender repeats while they last.
    pub repeated: Vec<episode::Step>,
}

impl Received {
    fn of(items: Vec<Item>) -> Self {
        Self { items, ..Self::default() }
    }

    fn nothing() -> Self {
        Self { ignored: 1, ..Self::default() }
    }
}

/// How a document of receipts is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One native JSON object, or an array of them.
    Json,
    /// One native JSON object a line.
    NdJson,
    /// JSON-LD, with the bundled context or one of its own.
    JsonLd,
    /// Turtle.
    Turtle,
    /// `TriG`; the names of graphs are ignored.
    TriG,
    /// N-Triples.
    NTriples,
    /// N-Quads; the names of graphs are ignored.
    NQuads,
}

impl Format {
    /// The format of a media type, in any case and with any parameters.
    pub fn from_media_type(media_type: &str) -> Option<Self> {
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        Some(match essence.as_str() {
            "application/json" => Self::Json,
            "application/x-ndjson" | "application/ndjson" | "application/jsonl" => Self::NdJson,
            "application/ld+json" => Self::JsonLd,
            "text/turtle" => Self::Turtle,
            "application/trig" => Self::TriG,
            "application/n-triples" => Self::NTriples,
            "application/n-quads" => Self::NQuads,
            _ => return None,
        })
    }

    /// The format that files with this extension are in; the extension comes without its dot.
    pub fn from_extension(extension: &str) -> Option<Self> {
        Some(match extension.to_ascii_lowercase().as_str() {
            "json" => Self::Json,
            "ndjson" | "jsonl" => Self::NdJson,
            "jsonld" => Self::JsonLd,
            "ttl" => Self::Turtle,
            "trig" => Self::TriG,
            "nt" => Self::NTriples,
            "nq" => Self::NQuads,
            _ => return None,
        })
    }

    /// The format that a file is in by its extension.
    pub fn from_path(path: &Path) -> Option<Self> {
        path.extension().and_then(OsStr::to_str).and_then(Self::from_extension)
    }

    /// The media type to send it as.
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::NdJson => "application/x-ndjson",
            Self::JsonLd => "application/ld+json",
            Self::Turtle => "text/turtle",
            Self::TriG => "application/trig",
            Self::NTriples => "application/n-triples",
            Self::NQuads => "application/n-quads",
        }
    }
}

/// Reads native JSON or RDF.
///
/// In RDF every subject with a type is a receipt, under any IRI or blank node: naze names it by its content, in references
/// from other receipts of the document too. The names of graphs are ignored: a receipt's graph follows from its time.
///
/// # Errors
/// `Invalid`, naming the place and the remedy, when the document is empty, no UTF-8, wrong in its syntax, or too large.
pub fn receive(format: Format, body: &[u8], vocabulary: &Vocabulary) -> Result<Received> {
    let items = match format {
        Format::Json => return native::json(body, vocabulary),
        Format::NdJson => return native::ndjson(body, vocabulary),
        Format::JsonLd => rdf::json_ld(body, vocabulary),
        Format::Turtle => rdf::rdf(oxrdfio::RdfFormat::Turtle, body, vocabulary),
        Format::TriG => rdf::rdf(oxrdfio::RdfFormat::TriG, body, vocabulary),
        Format::NTriples => rdf::rdf(oxrdfio::RdfFormat::NTriples, body, vocabulary),
        Format::NQuads => rdf::rdf(oxrdfio::RdfFormat::NQuads, body, vocabulary),
    };
    items.map(Received::of)
}

/// Which of a sender's labels names the component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentMapping(Vec<String>);

impl ComponentMapping {
    /// The first label present wins; `namespace/app` joins two, and needs both.
    pub fn new(labels: Vec<String>) -> Self {
        Self(labels)
    }

    /// The component that `label`, given a label's name, tells.
    pub fn component<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
        self.0.iter().find_map(|name| named_by(name, &label))
    }

    /// As [`ComponentMapping::component`], without the labels that say where something runs rather than what it is.
    fn component_by_name<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
        let names = self.0.iter().filter(|name| !matches!(name.as_str(), "job" | "namespace" | "instance"));
        names.into_iter().find_map(|name| named_by(name, &label))
    }
}

fn named_by<'a>(name: &str, label: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let present = |name: &str| label(name).filter(|text| !text.is_empty());
    if let Some(text) = present(name) {
        return Some(text.to_owned());
    }
    let parts: Option<Vec<&str>> = name.split('/').map(present).collect();
    parts.filter(|parts| parts.len() > 1).map(|parts| parts.join("/"))
}
