//! The ledger: every accepted receipt in order, fsynced, hash-chained and signed. Nothing in it is ever changed.
//!
//! An entry is a line of JSON: `{"recordedAt", "source", "key"?, "receipt"}`. Its SHA-256 is the data of one leaf of an
//! RFC 6962 Merkle tree; each commit signs the tree's size and root as a checkpoint.

mod components;
mod times;

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use redb::TableDefinition;
use redb::{Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _};
use serde_json::{Value as Json, json};
use sha2::{Digest as _, Sha256};

use self::times::Place;
use super::checkpoint::{self, Notary};
use super::merkle::{Frontier, Hash};
use super::{Recorded, Window};
use crate::error::{Context as _, Error, Result};
use crate::receipt::{ReceiptId, read_json, write_json};
use crate::vocab::Vocabulary;

const ENTRIES: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("entries");
const SOURCES: TableDefinition<'_, &[u8; 32], (&str, &[u8])> = TableDefinition::new("sources");
const CHECKPOINTS: TableDefinition<'_, u64, &str> = TableDefinition::new("checkpoints");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");
const FRONTIER: &str = "frontier";

/// Checkpoints of sizes that are multiples of this are kept, besides the newest.
const CHECKPOINT_EVERY: u64 = 10_000;
/// Entries at most so far apart are read in one go.
const NEAR: u64 = 16;
/// Page cache of the ledger: it is written once and read in order.
const CACHE_BYTES: usize = 64 << 20;

/// A raw document as it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Media type it was sent as.
    pub media_type: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Source {
    /// SHA-256 of the bytes: the document's name.
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }
}

/// What `naze verify` found.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// How many entries the ledger holds.
    pub entries: u64,
    /// Root of its Merkle tree, in hexadecimal.
    pub root: String,
    /// How many signed checkpoints agree with the entries.
    pub checkpoints: u64,
    /// How many raw documents are kept.
    pub sources: u64,
}

/// The append-only file of accepted receipts. Cheap to clone.
#[derive(Clone)]
pub struct Ledger {
    database: Arc<Database>,
    notary: Arc<Notary>,
    vocabulary: Arc<Vocabulary>,
}

impl Ledger {
    /// Opens or creates the ledger in `folder`; `None` keeps it in memory.
    ///
    /// # Errors
    /// `Unavailable` when another process has it open, `Internal` when the disk fails.
    pub fn open(folder: Option<&Path>, vocabulary: Arc<Vocabulary>) -> Result<Self> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let (database, notary) = if let Some(folder) = folder {
            let path = folder.join("ledger.redb");
            let database = builder.create(&path).map_err(|error| {
                let message = format!("cannot open the ledger {}", path.display());
                match error {
                    redb::DatabaseError::DatabaseAlreadyOpen => Error::unavailable(message)
                        .because(error)
                        .hint("another naze uses this data directory: stop it, or talk to it with --server URL"),
                    error => Error::internal(message).because(error),
                }
            })?;
            (database, Notary::open(folder)?)
        } else {
            let database = builder
                .create_with_backend(redb::backends::InMemoryBackend::new())
                .internal("cannot make a ledger in memory")?;
            (database, Notary::ephemeral()?)
        };
        let ledger = Self { database: Arc::new(database), notary: Arc::new(notary), vocabulary };
        ledger.append(&[], &[])?;
        times::complete(&ledger.database, |from, count| ledger.read(from.., count))?;
        components::complete(&ledger.database, |from, count| ledger.read(from.., count))?;
        Ok(ledger)
    }

    /// How many entries there are.
    pub fn len(&self) -> Result<u64> {
        let read = self.database.begin_read().internal("cannot read the ledger")?;
        read.open_table(ENTRIES).internal("cannot read the ledger")?.len().internal("cannot read the ledger")
    }

    /// Is there no entry?
    pub fn is_empty(&self) -> Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Appends entries and their raw documents. When it returns they are on disk.
    pub(super) fn append(&self, receipts: &[Recorded], sources: &[&Source]) -> Result<()> {
        let failed = "cannot write to the ledger";
        let write = self.database.begin_write().internal(failed)?;
        {
            let mut entries = write.open_table(ENTRIES).internal(failed)?;
            let mut documents = write.open_table(SOURCES).internal(failed)?;
            let mut checkpoints = write.open_table(CHECKPOINTS).internal(failed)?;
            let mut meta = write.open_table(META).internal(failed)?;
            let mut frontier = match meta.get(FRONTIER).internal(failed)? {
                Some(bytes) => Frontier::from_bytes(bytes.value()).ok_or_else(|| {
                    Error::internal("the ledger's Merkle frontier is damaged").hint("run `naze verify`")
                })?,
                None => Frontier::default(),
            };
            for source in sources {
                documents.insert(&source.hash(), (&*source.media_type, &*source.bytes)).internal(failed)?;
            }
            let before = frontier.size();
            times::note(&write, receipts)?;
            components::note(&write, receipts)?;
            for recorded in receipts {
                let entry = write_entry(recorded);
                entries.insert(recorded.position, &*entry).internal(failed)?;
                frontier.push(&Sha256::digest(&entry));
            }
            if frontier.size() > before {
                if before % CHECKPOINT_EVERY != 0 {
                    checkpoints.remove(before).internal(failed)?;
                }
                let checkpoint = self.notary.sign(frontier.size(), &frontier.root());
                checkpoints.insert(frontier.size(), &*checkpoint).internal(failed)?;
                meta.insert(FRONTIER, &*frontier.to_bytes()).internal(failed)?;
            }
        }
        write.commit().internal(failed)
    }

    /// The entries at `positions`, at most `entries_max` of them, in order.
    pub fn read(&self, positions: std::ops::RangeFrom<u64>, entries_max: usize) -> Result<Vec<Recorded>> {
        let failed = "cannot read the ledger";
        let read = self.database.begin_read().internal(failed)?;
        let entries = read.open_table(ENTRIES).internal(failed)?;
        let mut found = Vec::new();
        for entry in entries.range(positions).internal(failed)?.take(entries_max) {
            let (position, bytes) = entry.internal(failed)?;
            found.push(read_entry(position.value(), bytes.value(), None, &self.vocabulary)?);
        }
        Ok(found)
    }

    /// The receipts at these positions, of those whose entry `is_wanted`, in order.
    pub fn among(&self, positions: Range<u64>, is_wanted: impl Fn(&[u8]) -> bool) -> Result<Vec<Recorded>> {
        let failed = "cannot read the ledger";
        let read = self.database.begin_read().internal(failed)?;
        let entries = read.open_table(ENTRIES).internal(failed)?;
        let mut found = Vec::new();
        for entry in entries.range(positions).internal(failed)? {
            let (position, entry) = entry.internal(failed)?;
            if is_wanted(entry.value()) {
                found.push(read_entry(position.value(), entry.value(), None, &self.vocabulary)?);
            }
        }
        Ok(found)
    }

    /// The receipts that occurred in `window`, by time and then id: of those whose entry `is_wanted`.
    ///
    /// # Errors
    /// `Invalid` when there are more than `receipts_max`.
    pub fn within(
        &self,
        window: Window,
        receipts_max: usize,
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Recorded>> {
        let read = self.database.begin_read().internal("cannot read the ledger")?;
        let places = times::within(&read, window)?;
        self.read_places(&read, places, window, receipts_max, is_wanted)
    }

    /// The receipts of `window` that tell of a component, as their own or as one that they name, by time and then id.
    ///
    /// # Errors
    /// As [`Ledger::within`].
    pub fn telling_of(&self, component: &str, window: Window, receipts_max: usize) -> Result<Vec<Recorded>> {
        let read = self.database.begin_read().internal("cannot read the ledger")?;
        let places = components::within(&read, component, window)?;
        self.read_places(&read, places, window, receipts_max, |_| true)
    }

    fn read_places(
        &self,
        read: &ReadTransaction,
        mut places: Vec<Place>,
        window: Window,
        receipts_max: usize,
        is_wanted: impl Fn(&[u8]) -> bool,
    ) -> Result<Vec<Recorded>> {
        let failed = "cannot read the ledger";
        let entries = read.open_table(ENTRIES).internal(failed)?;
        let mut found = Vec::new();
        places.sort_unstable_by_key(|place| place.position);
        // What happened together was mostly recorded together: going on to the next entry costs less than looking it up.
        for near in places.chunk_by(|a, b| b.position - a.position <= NEAR) {
            let (first, last) = (near[0].position, near[near.len() - 1].position);
            let mut places = near.iter().peekable();
            for entry in entries.range(first..=last).internal(failed)? {
                let (position, entry) = entry.internal(failed)?;
                let Some(place) = places.next_if(|place| place.position == position.value()) else { continue };
                if !is_wanted(entry.value()) {
                    continue;
                }
                if found.len() == receipts_max {
                    let message =
                        format!("more than {receipts_max} receipts between {} and {}", window.from, window.to);
                    return Err(Error::invalid(message).hint("ask for a shorter window"));
                }
                found.push(read_entry(place.position, entry.value(), Some(place.id), &self.vocabulary)?);
            }
        }
        found.sort_by_key(|recorded| (recorded.occurred_at(), recorded.id));
        Ok(found)
    }

    /// How many receipts occurred in `window`; of more than `receipts_max` only that there are more.
    pub fn count(&self, window: Window, receipts_max: usize) -> Result<usize> {
        let read = self.database.begin_read().internal("cannot read the ledger")?;
        times::count(&read, window, receipts_max + 1)
    }

    /// The raw document with this hash.
    pub fn source(&self, hash: &[u8; 32]) -> Result<Option<Source>> {
        let failed = "cannot read the ledger";
        let read = self.database.begin_read().internal(failed)?;
        let documents = read.open_table(SOURCES).internal(failed)?;
        Ok(documents.get(hash).internal(failed)?.map(|document| {
            let (media_type, bytes) = document.value();
            Source { media_type: media_type.to_owned(), bytes: bytes.to_vec() }
        }))
    }

    /// The newest signed checkpoint; `None` for an empty ledger.
    pub fn checkpoint(&self) -> Result<Option<String>> {
        let failed = "cannot read the ledger";
        let read = self.database.begin_read().internal(failed)?;
        let checkpoints = read.open_table(CHECKPOINTS).internal(failed)?;
        Ok(checkpoints.last().internal(failed)?.map(|(_, text)| text.value().to_owned()))
    }

    /// Does the newest checkpoint state, under our signature, as many entries as there are?
    pub fn is_sealed(&self) -> Result<bool> {
        let failed = "cannot read the ledger";
        let read = self.database.begin_read().internal(failed)?;
        let entries = read.open_table(ENTRIES).internal(failed)?.len().internal(failed)?;
        let checkpoints = read.open_table(CHECKPOINTS).internal(failed)?;
        let Some((_, newest)) = checkpoints.last().internal(failed)? else { return Ok(entries == 0) };
        Ok(checkpoint::verify(newest.value(), &self.verifier_key()).is_ok_and(|(stated, _)| stated == entries))
    }

    /// What others need to check our checkpoints.
    pub fn verifier_key(&self) -> String {
        self.notary.verifier_key()
    }

    /// Reads everything and checks it: positions without gap, every receipt readable, every raw document present and
    /// true to its name, and every signed checkpoint equal to the Merkle root over the entries of its size.
    ///
    /// # Errors
    /// `Conflict` with the first thing that does not hold.
    pub fn verify(&self, verifier_key: &str, mut progress: impl FnMut(u64)) -> Result<Verified> {
        let failed = "cannot read the ledger";
        let wrong =
            |what: String| Error::conflict(what).hint("the ledger was changed or damaged: restore it from a backup");
        let read = self.database.begin_read().internal(failed)?;
        let checkpoints = read.open_table(CHECKPOINTS).internal(failed)?;
        let documents = read.open_table(SOURCES).internal(failed)?;
        for document in documents.iter().internal(failed)? {
            let (hash, document) = document.internal(failed)?;
            if Sha256::digest(document.value().1)[..] != hash.value()[..] {
                return Err(wrong(format!("raw document {} does not match its name", hex::encode(hash.value()))));
            }
        }
        let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        let mut agreed = 0;
        for entry in read.open_table(ENTRIES).internal(failed)?.iter().internal(failed)? {
            let (position, bytes) = entry.internal(failed)?;
            let (position, bytes) = (position.value(), bytes.value());
            if position != tree.len() {
                return Err(wrong(format!("entry {} is missing", tree.len())));
            }
            let recorded = read_entry(position, bytes, None, &self.vocabulary)?;
            if documents.get(&recorded.source).internal(failed)?.is_none() {
                return Err(wrong(format!("the raw document of entry {position} is missing")));
            }
            tree.push(Sha256::digest(bytes).to_vec());
            if let Some(checkpoint) = checkpoints.get(tree.len()).internal(failed)? {
                let (_, signed) = checkpoint::verify(checkpoint.value(), verifier_key)?;
                if signed[..] != tree.root().as_bytes()[..] {
                    return Err(wrong(format!(
                        "entries up to {position} do not match the checkpoint of size {}",
                        tree.len()
                    )));
                }
                agreed += 1;
            }
            progress(tree.len());
        }
        let root: Hash = match checkpoints.last().internal(failed)? {
            Some((size, _)) if size.value() != tree.len() => {
                return Err(wrong(format!(
                    "the newest checkpoint states {} entries, there are {}",
                    size.value(),
                    tree.len()
                )));
            }
            _ => (*tree.root().as_bytes()).into(),
        };
        Ok(Verified {
            entries: tree.len(),
            root: hex::encode(root),
            checkpoints: agreed,
            sources: documents.len().internal(failed)?,
        })
    }
}

fn write_entry(recorded: &Recorded) -> Vec<u8> {
    let mut receipt = write_json(&recorded.receipt, recorded.id, &[]);
    receipt.remove("id");
    let mut entry = json!({
        "recordedAt": recorded.recorded_at,
        "source": hex::encode(recorded.source),
        "receipt": receipt,
    });
    if let Some(key) = &recorded.key {
        entry["key"] = json!(key);
    }
    entry.to_string().into_bytes()
}

/// An entry as it is written.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    recorded_at: &'a str,
    source: &'a str,
    key: Option<String>,
    receipt: Json,
}

/// Reads an entry; its id is known or computed again.
fn read_entry(position: u64, bytes: &[u8], id: Option<ReceiptId>, vocabulary: &Vocabulary) -> Result<Recorded> {
    let damaged = |what: &str| {
        Error::internal(format!("ledger entry {position} {what}"))
            .hint("was it written with a user ontology that is not configured now?")
    };
    let entry: Entry<'_> = serde_json::from_slice(bytes).map_err(|error| damaged("is no entry").because(error))?;
    let receipt = read_json(&entry.receipt, vocabulary).map_err(|violations| {
        damaged(violations.first().map_or("cannot be read", |violation| violation.message.as_str()))
    })?;
    let mut source = [0; 32];
    hex::decode_to_slice(entry.source, &mut source).map_err(|_| damaged("names no raw document"))?;
    Ok(Recorded {
        id: id.unwrap_or_else(|| receipt.id(vocabulary)),
        receipt,
        recorded_at: entry.recorded_at.parse().map_err(|_| damaged("has no recordedAt"))?,
        position,
        source,
        key: entry.key,
    })
}
