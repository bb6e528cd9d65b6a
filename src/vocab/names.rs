//! The few names that code has to know.

use oxrdf::NamedNodeRef;

/// Namespace of classes and properties.
pub const NAMESPACE: &str = "https://w3id.org/naze#";
/// Namespace of labels: one property per label key.
pub const LABEL_PREFIX: &str = "https://w3id.org/naze/label#";
/// Receipts are named by their content: `urn:naze:receipt:<sha256>`.
pub const RECEIPT_PREFIX: &str = "urn:naze:receipt:";
/// Components are named by their percent-encoded name.
pub const COMPONENT_PREFIX: &str = "urn:naze:component:";
/// Graphs that hold the receipts of one slot of time.
pub const SLOT_PREFIX: &str = "urn:naze:slot:";
/// Raw documents a receipt was read from: `urn:naze:source:<sha256>`.
pub const SOURCE_PREFIX: &str = "urn:naze:source:";
/// The graph of the ontology itself.
pub const ONTOLOGY_GRAPH: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("urn:naze:ontology");

/// When naze recorded the receipt.
pub const RECORDED_AT: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#recordedAt");
/// Position of the receipt in the ledger, from 0.
pub const LEDGER_POSITION: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#ledgerPosition");
/// The raw document the receipt was read from.
pub const SOURCE_DOCUMENT: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#sourceDocument");
/// When it happened.
pub const OCCURRED_AT: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#occurredAt");
/// One component calls another.
pub const DEPENDS_ON: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#dependsOn");
/// The first dependency receipt that shows a call leads to the callee.
pub const SHOWS: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#shows");
/// A sender's own name of a fact leads to the receipt that tells it.
pub const KEY_OF: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#keyOf");
/// How many ledger entries are in the index.
pub const APPLIED_POSITION: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#appliedPosition");
/// How long the index's slots are.
pub const SLOT_WIDTH: NamedNodeRef<'_> = NamedNodeRef::new_unchecked("https://w3id.org/naze#slotWidth");
