//! What naze knows of a sender: where its documents arrive, how it proves who it is, what it wants to hear back.

use http::{HeaderMap, StatusCode};

use super::{
    ComponentMapping, Received, alertmanager, argocd, cloudevents, flagger, github, grafana, measurements, otlp,
    pagerduty, remote_write,
};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::vocab::Vocabulary;

/// Everyone naze listens to; one line each.
pub const RECEIVERS: &[Receiver] = &[
    alertmanager::RECEIVER,
    alertmanager::api::RECEIVER,
    alertmanager::events::RECEIVER,
    argocd::RECEIVER,
    cloudevents::RECEIVER,
    flagger::RECEIVER,
    github::RECEIVER,
    grafana::RECEIVER,
    measurements::RECEIVER,
    otlp::RECEIVER,
    pagerduty::events::RECEIVER,
    pagerduty::webhook::RECEIVER,
    remote_write::RECEIVER,
];

/// One source of documents.
#[derive(Debug, Clone, Copy)]
pub struct Receiver {
    /// Its name: `[senders.<name>]` in the configuration, `source` in the metrics.
    pub name: &'static str,
    /// Where its documents are posted.
    pub paths: &'static [&'static str],
    /// Reads one document.
    pub read: fn(&Delivery<'_>, &Given<'_>) -> Result<Received>,
    /// The content encoding that it undoes itself.
    pub encoding: Option<&'static str>,
    /// Checks the signature that the sender makes with the shared secret; `None` for senders that do not sign.
    pub verify: Option<Verify>,
    /// Where the sender puts its token when that is in the body.
    pub token_in_body: Option<FindToken>,
    /// What the sender's protocol wants to hear; `None`, here or from the function, for naze's own answer.
    pub reply: Option<Answer>,
    /// The answer to OPTIONS, for protocols that ask before they send.
    pub handshake: Option<fn(&Delivery<'_>) -> Reply>,
}

impl Receiver {
    /// One that signs nothing and hears naze's own answers; name, paths and reader are still to be given.
    pub(super) const PLAIN: Self = Self {
        name: "",
        paths: &[],
        read: |_, _| Ok(Received::nothing()),
        encoding: None,
        verify: None,
        token_in_body: None,
        reply: None,
        handshake: None,
    };
}

/// Finds the sender's token in a body.
pub type FindToken = fn(&[u8]) -> Option<String>;
/// Checks a signature made with the secret given first.
pub type Verify = fn(&[u8], &Delivery<'_>) -> Result<()>;
/// Tells what became of a document.
pub type Answer = fn(&Delivery<'_>, std::result::Result<&Tally, &Error>) -> Option<Reply>;

/// A document as it arrived.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The path it was posted to.
    pub path: &'a str,
    /// Its headers.
    pub headers: &'a HeaderMap,
    /// Its bytes, decompressed.
    pub body: &'a [u8],
}

impl<'a> Delivery<'a> {
    /// The text of a header.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The media type without its parameters.
    pub fn media_type(&self) -> &'a str {
        self.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().trim()
    }
}

/// What a document is read with.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// When it arrived, for facts that do not say when they happened.
    pub received_at: Timestamp,
    /// Which labels name the component.
    pub mapping: &'a ComponentMapping,
    /// The kinds of receipts.
    pub vocabulary: &'a Vocabulary,
}

/// What became of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// Receipts that are new.
    pub recorded: usize,
    /// Receipts that were there already.
    pub duplicate: usize,
    /// Samples of series that were taken.
    pub samples: u64,
    /// Samples that were not.
    pub samples_refused: u64,
    /// Why the first of them was not.
    pub samples_problem: Option<String>,
    /// Why each refused item was refused.
    pub refused: Vec<String>,
}

/// An answer in a sender's own protocol.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// HTTP status.
    pub status: StatusCode,
    /// Headers, `content-type` among them when there is a body.
    pub headers: Vec<(&'static str, String)>,
    /// Body.
    pub body: Vec<u8>,
}
