//! When each receipt occurred, so that a window is read without the rest of the ledger. Derived from the entries: a ledger
//! that lacks it gets it when it is opened.

use redb::{Database, ReadTransaction, ReadableDatabase as _, ReadableTableMetadata as _};
use redb::{TableDefinition, WriteTransaction};

use super::ENTRIES;
use crate::error::{Context as _, Result};
use crate::receipt::ReceiptId;
use crate::record::{Recorded, Window};

/// Microseconds since 1970 and position, to the receipt's id.
type Times = TableDefinition<'static, (i64, u64), [u8; 32]>;
const TIMES: Times = TableDefinition::new("times");
/// Entries noted in one commit.
const BATCH: u64 = 50_000;
const FAILED: &str = "cannot note when receipts occurred";

/// Where a receipt lies, and which it is.
pub(super) struct Place {
    pub(super) position: u64,
    pub(super) id: ReceiptId,
}

/// Notes when receipts occurred, in the transaction that appends them.
pub(super) fn note(write: &WriteTransaction, receipts: &[Recorded]) -> Result<()> {
    let mut times = write.open_table(TIMES).internal(FAILED)?;
    for recorded in receipts {
        let key = (recorded.occurred_at().micros(), recorded.position);
        times.insert(key, *recorded.id.as_bytes()).internal(FAILED)?;
    }
    Ok(())
}

/// Notes what is missing.
pub(super) fn complete(database: &Database, read: impl Fn(u64, usize) -> Result<Vec<Recorded>>) -> Result<()> {
    let (mut noted, entries) = counts(database)?;
    while noted < entries {
        let receipts = read(noted, usize::try_from(BATCH).unwrap_or(usize::MAX))?;
        let write = database.begin_write().internal(FAILED)?;
        note(&write, &receipts)?;
        write.commit().internal(FAILED)?;
        noted += receipts.len() as u64;
        tracing::info!(noted, entries, "noting when receipts occurred, once");
    }
    Ok(())
}

fn counts(database: &Database) -> Result<(u64, u64)> {
    let read = database.begin_read().internal(FAILED)?;
    let noted = read.open_table(TIMES).internal(FAILED)?.len().internal(FAILED)?;
    Ok((noted, read.open_table(ENTRIES).internal(FAILED)?.len().internal(FAILED)?))
}

/// The receipts of a window, by time.
pub(super) fn within(read: &ReadTransaction, window: Window) -> Result<Vec<Place>> {
    let failed = "cannot read the ledger";
    let times = read.open_table(TIMES).internal(failed)?;
    let range = (window.from.micros(), 0)..(window.to.micros(), 0);
    times
        .range(range)
        .internal(failed)?
        .map(|entry| {
            let (key, id) = entry.internal(failed)?;
            Ok(Place { position: key.value().1, id: ReceiptId::from_bytes(id.value()) })
        })
        .collect()
}

/// How many receipts a window has, counted up to `receipts_max`.
pub(super) fn count(read: &ReadTransaction, window: Window, receipts_max: usize) -> Result<usize> {
    let failed = "cannot read the ledger";
    let times = read.open_table(TIMES).internal(failed)?;
    let range = (window.from.micros(), 0)..(window.to.micros(), 0);
    times.range(range).internal(failed)?.take(receipts_max).try_fold(0, |count, entry| {
        entry.internal(failed)?;
        Ok(count + 1)
    })
}
