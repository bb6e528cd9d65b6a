//! Which receipts tell of a component, as their own or as one that is called or blamed, so that its story is read without the
//! others'. Derived from the entries: a ledger that lacks it gets it when it is opened.

use redb::{Database, ReadTransaction, ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _};
use redb::{TableDefinition, WriteTransaction};
use sha2::{Digest as _, Sha256};

use super::ENTRIES;
use super::times::Place;
use crate::error::{Context as _, Result};
use crate::receipt::{ReceiptId, Value};
use crate::record::{Recorded, Window};

/// Component, microseconds since 1970 and position, to the receipt's id.
type Components = TableDefinition<'static, (u64, i64, u64), [u8; 32]>;
const COMPONENTS: Components = TableDefinition::new("components");
/// How many entries are noted.
const NOTED: TableDefinition<'static, (), u64> = TableDefinition::new("components noted");
/// Entries noted in one commit.
const BATCH: usize = 50_000;
const FAILED: &str = "cannot note which components receipts tell of";

/// Notes which components receipts tell of, in the transaction that appends them.
pub(super) fn note(write: &WriteTransaction, receipts: &[Recorded]) -> Result<()> {
    let Some(last) = receipts.last() else { return Ok(()) };
    let mut components = write.open_table(COMPONENTS).internal(FAILED)?;
    for recorded in receipts {
        let named = recorded.receipt.fields().flat_map(|(_, values)| values).filter_map(Value::as_component);
        for name in named {
            let key = (key(name), recorded.occurred_at().micros(), recorded.position);
            components.insert(key, *recorded.id.as_bytes()).internal(FAILED)?;
        }
    }
    let mut noted = write.open_table(NOTED).internal(FAILED)?;
    noted.insert((), last.position + 1).internal(FAILED)?;
    Ok(())
}

/// Notes what is missing.
pub(super) fn complete(database: &Database, read: impl Fn(u64, usize) -> Result<Vec<Recorded>>) -> Result<()> {
    let (mut noted, entries) = counts(database)?;
    while noted < entries {
        let receipts = read(noted, BATCH)?;
        let write = database.begin_write().internal(FAILED)?;
        note(&write, &receipts)?;
        write.commit().internal(FAILED)?;
        noted += receipts.len() as u64;
        tracing::info!(noted, entries, "noting which components receipts tell of, once");
    }
    Ok(())
}

fn counts(database: &Database) -> Result<(u64, u64)> {
    let write = database.begin_write().internal(FAILED)?;
    write.open_table(COMPONENTS).internal(FAILED)?;
    let noted = write.open_table(NOTED).internal(FAILED)?.get(()).internal(FAILED)?.map_or(0, |noted| noted.value());
    write.commit().internal(FAILED)?;
    let read = database.begin_read().internal(FAILED)?;
    Ok((noted, read.open_table(ENTRIES).internal(FAILED)?.len().internal(FAILED)?))
}

/// Receipts of a window that tell of a component, by time; seldom also one of another whose name has the same key.
pub(super) fn within(read: &ReadTransaction, name: &str, window: Window) -> Result<Vec<Place>> {
    let failed = "cannot read the ledger";
    let components = read.open_table(COMPONENTS).internal(failed)?;
    let key = key(name);
    let range = (key, window.from.micros(), 0)..(key, window.to.micros(), 0);
    let places = components.range(range).internal(failed)?.map(|entry| {
        let (key, id) = entry.internal(failed)?;
        Ok(Place { position: key.value().2, id: ReceiptId::from_bytes(id.value()) })
    });
    places.collect()
}

/// Stands for a name: names may be long.
fn key(name: &str) -> u64 {
    let hash = Sha256::digest(name);
    u64::from_be_bytes(hash[..8].try_into().expect("a SHA-256 has 32 bytes"))
}
