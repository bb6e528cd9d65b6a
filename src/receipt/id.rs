//! The id of a receipt: the SHA-256 of its canonical content.

use std::fmt;
use std::str::FromStr;

use oxrdf::{NamedNode, NamedNodeRef};
use sha2::{Digest, Sha256};

use super::Receipt;
use crate::vocab::{self, Vocabulary};

/// The name of a receipt, made from its content: sending the same evidence twice names the same receipt.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReceiptId([u8; 32]);

impl ReceiptId {
    /// The id with these bytes.
    pub const fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 bytes of the hash.
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// `urn:naze:receipt:<64 hex digits>`.
    pub fn iri(&self) -> NamedNode {
        NamedNode::new_unchecked(format!("{}{self}", vocab::RECEIPT_PREFIX))
    }

    /// The id in a receipt's IRI.
    pub fn from_iri(iri: NamedNodeRef<'_>) -> Option<Self> {
        iri.as_str().strip_prefix(vocab::RECEIPT_PREFIX)?.parse().ok()
    }
}

impl Receipt {
    /// The hash of the receipt's canonical content: its N-Triples, one line a triple, sorted by bytes, with
    /// `<urn:naze:receipt:>` as the subject, without what naze itself adds (`recordedAt`, `ledgerPosition`,
    /// `sourceDocument`). Anyone can compute it again from the receipt's RDF.
    pub fn id(&self, vocabulary: &Vocabulary) -> ReceiptId {
        let nameless = NamedNode::new_unchecked(vocab::RECEIPT_PREFIX);
        let mut lines: Vec<String> =
            self.triples(&nameless, vocabulary).iter().map(|triple| format!("{triple} .\n")).collect();
        lines.sort_unstable();
        let mut hash = Sha256::new();
        for line in lines {
            hash.update(line);
        }
        ReceiptId(hash.finalize().into())
    }
}

impl fmt::Display for ReceiptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for ReceiptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceiptId({self})")
    }
}

/// Why a text is no receipt id.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is not a receipt id: 64 hexadecimal digits, with or without urn:naze:receipt: before them")]
pub struct NotAnId(String);

impl FromStr for ReceiptId {
    type Err = NotAnId;

    fn from_str(text: &str) -> Result<Self, NotAnId> {
        let digits = text.strip_prefix(vocab::RECEIPT_PREFIX).unwrap_or(text);
        let mut bytes = [0; 32];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| NotAnId(text.to_owned()))?;
        Ok(Self(bytes))
    }
}

impl serde::Serialize for ReceiptId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
