//! What waits on disk: readings that were not delivered yet, how far each export came in the ledger, and what it was told.

use std::io::Write as _;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use flate2::Compression;
use flate2::write::{GzDecoder, GzEncoder};
use redb::{Database, ReadOnlyTable, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde::de::DeserializeOwned;

use super::super::cooldown::Cooling;
use super::super::reading::Snapshot;
use crate::error::{Context as _, Error, Result};

/// Readings by export and number: how many there are in a snapshot, and the snapshot.
const SNAPSHOTS: TableDefinition<'_, (&str, u64), (u64, &[u8])> = TableDefinition::new("snapshots");
/// The snapshot that was delivered last.
const DELIVERED: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("delivered");
/// Place in the ledger of the receipt to deliver next.
const POSITIONS: TableDefinition<'_, &str, u64> = TableDefinition::new("positions");
/// What each export was told, for its cooldown.
const TOLD: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("told");
/// What each export was not told yet for its cooldown.
const HELD: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("held");
const CACHE_BYTES: usize = 8 << 20;
const FAILED: &str = "cannot use the spool of exports";

/// The file of all exports. Cheap to clone.
#[derive(Clone)]
pub(super) struct Spool(Arc<Database>);

impl Spool {
    /// Opens or creates the spool in `folder`; `None` keeps it in memory.
    pub(super) fn open(folder: Option<&Path>) -> Result<Self> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let database = match folder {
            Some(folder) => builder.create(folder.join("exports.redb")).internal(FAILED)?,
            None => builder.create_with_backend(redb::backends::InMemoryBackend::new()).internal(FAILED)?,
        };
        let write = database.begin_write().internal(FAILED)?;
        write.open_table(SNAPSHOTS).internal(FAILED)?;
        write.open_table(DELIVERED).internal(FAILED)?;
        write.open_table(POSITIONS).internal(FAILED)?;
        write.open_table(TOLD).internal(FAILED)?;
        write.open_table(HELD).internal(FAILED)?;
        write.commit().internal(FAILED)?;
        Ok(Self(Arc::new(database)))
    }

    /// Where the readings of one export wait.
    pub(super) fn shelf(&self, export: &str, bytes_max: u64) -> Result<Shelf> {
        let read = self.0.begin_read().internal(FAILED)?;
        let snapshots = read.open_table(SNAPSHOTS).internal(FAILED)?;
        let mut stock = Stock::default();
        for row in snapshots.range((export, 0)..=(export, u64::MAX)).internal(FAILED)? {
            let (key, row) = row.internal(FAILED)?;
            let (readings, bytes) = row.value();
            stock.next = key.value().1 + 1;
            stock.add(readings, bytes.len());
        }
        let stock = Arc::new(Mutex::new(stock));
        Ok(Shelf { database: Arc::clone(&self.0), export: export.to_owned(), bytes_max, stock })
    }

    /// How far an export came in the ledger; where it begins, when it is new.
    pub(super) fn cursor(&self, export: &str, begin: impl FnOnce() -> Result<u64>) -> Result<Cursor> {
        let cursor = Cursor { database: Arc::clone(&self.0), export: export.to_owned() };
        let read = self.0.begin_read().internal(FAILED)?;
        let positions = read.open_table(POSITIONS).internal(FAILED)?;
        if positions.get(export).internal(FAILED)?.is_none() {
            cursor.set(begin()?)?;
        }
        Ok(cursor)
    }
}

/// Where the readings of one export wait.
#[derive(Clone)]
pub(super) struct Shelf {
    database: Arc<Database>,
    export: String,
    bytes_max: u64,
    stock: Arc<Mutex<Stock>>,
}

/// What a shelf holds.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Stock {
    /// Readings.
    pub(super) readings: u64,
    /// Bytes on disk.
    pub(super) bytes: u64,
    snapshots: u64,
    /// Number of the next snapshot.
    next: u64,
    /// The snapshot that is being sent: it stays.
    under_way: Option<u64>,
}

impl Stock {
    fn add(&mut self, readings: u64, bytes: usize) {
        self.readings += readings;
        self.bytes += bytes as u64;
        self.snapshots += 1;
    }

    fn remove(&mut self, readings: u64, bytes: usize) {
        self.readings -= readings;
        self.bytes -= bytes as u64;
        self.snapshots -= 1;
    }
}

impl Shelf {
    fn lock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits here.
    pub(super) fn stock(&self) -> Stock {
        *self.lock()
    }

    /// Adds a snapshot. Returns how many readings had to go for it, the oldest first.
    pub(super) fn put(&self, snapshot: &Snapshot) -> Result<u64> {
        let packed = pack(snapshot)?;
        let mut stock = self.lock();
        let mut now = *stock;
        let mut forgotten = 0;
        let write = self.database.begin_write().internal(FAILED)?;
        {
            let mut snapshots = write.open_table(SNAPSHOTS).internal(FAILED)?;
            let readings = snapshot.readings.len() as u64;
            snapshots.insert((&*self.export, now.next), (readings, &*packed)).internal(FAILED)?;
            now.next += 1;
            now.add(readings, packed.len());
            let first = now.under_way.map_or(0, |number| number + 1);
            while now.bytes > self.bytes_max && now.snapshots > 1 {
                let others = (&*self.export, first)..(&*self.export, now.next - 1);
                let oldest = snapshots.range(others).internal(FAILED)?.next().transpose().internal(FAILED)?;
                let oldest = oldest.map(|(key, row)| (key.value().1, row.value().0, row.value().1.len()));
                let Some((number, readings, bytes)) = oldest else { break };
                snapshots.remove((&*self.export, number)).internal(FAILED)?;
                now.remove(readings, bytes);
                forgotten += readings;
            }
        }
        write.commit().internal(FAILED)?;
        *stock = now;
        Ok(forgotten)
    }

    /// The oldest snapshot, with its number. It stays until it is taken away or released.
    pub(super) fn oldest(&self) -> Result<Option<(u64, Snapshot)>> {
        let mut stock = self.lock();
        let read = self.database.begin_read().internal(FAILED)?;
        let snapshots = read.open_table(SNAPSHOTS).internal(FAILED)?;
        let first = snapshots.range((&*self.export, 0)..=(&*self.export, u64::MAX)).internal(FAILED)?.next();
        let Some(first) = first else { return Ok(None) };
        let (key, row) = first.internal(FAILED)?;
        let number = key.value().1;
        stock.under_way = Some(number);
        Ok(Some((number, unpack(row.value().1)?)))
    }

    /// What is being sent may be forgotten again when there is no room.
    pub(super) fn release(&self) {
        self.lock().under_way = None;
    }

    /// Takes a snapshot away. One that was delivered is what the next one's growth is told from.
    pub(super) fn take(&self, number: u64, is_delivered: bool) -> Result<()> {
        let mut stock = self.lock();
        let write = self.database.begin_write().internal(FAILED)?;
        let mut taken = None;
        {
            let mut snapshots = write.open_table(SNAPSHOTS).internal(FAILED)?;
            let mut delivered = write.open_table(DELIVERED).internal(FAILED)?;
            if let Some(row) = snapshots.remove((&*self.export, number)).internal(FAILED)? {
                let (readings, bytes) = row.value();
                taken = Some((readings, bytes.len()));
                if is_delivered {
                    delivered.insert(&*self.export, bytes).internal(FAILED)?;
                }
            }
        }
        write.commit().internal(FAILED)?;
        if let Some((readings, bytes)) = taken {
            stock.remove(readings, bytes);
        }
        stock.under_way = None;
        Ok(())
    }

    /// The snapshot that was delivered last.
    pub(super) fn delivered(&self) -> Result<Option<Snapshot>> {
        let read = self.database.begin_read().internal(FAILED)?;
        let delivered = read.open_table(DELIVERED).internal(FAILED)?;
        delivered.get(&*self.export).internal(FAILED)?.map(|bytes| unpack(bytes.value())).transpose()
    }
}

/// How far one export came in the ledger.
pub(super) struct Cursor {
    database: Arc<Database>,
    export: String,
}

impl Cursor {
    /// Place of the receipt to deliver next.
    pub(super) fn get(&self) -> Result<u64> {
        let read = self.database.begin_read().internal(FAILED)?;
        let positions = read.open_table(POSITIONS).internal(FAILED)?;
        Ok(positions.get(&*self.export).internal(FAILED)?.map_or(0, |position| position.value()))
    }

    /// Everything before `position` is delivered, or never will be.
    pub(super) fn set(&self, position: u64) -> Result<()> {
        self.put(position, None)
    }

    /// What was told when everything before the position was.
    pub(super) fn told(&self) -> Result<Cooling> {
        let read = self.database.begin_read().internal(FAILED)?;
        let (told, held) = (read.open_table(TOLD).internal(FAILED)?, read.open_table(HELD).internal(FAILED)?);
        let mut cooling: Cooling = stored(&told, &self.export)?;
        cooling.held = stored(&held, &self.export)?;
        Ok(cooling)
    }

    /// As [`Cursor::set`], with what is told by then.
    pub(super) fn set_told(&self, position: u64, told: &Cooling) -> Result<()> {
        let held = postcard::to_allocvec(&told.held).internal(FAILED)?;
        self.put(position, Some([postcard::to_allocvec(told).internal(FAILED)?, held]))
    }

    fn put(&self, position: u64, told: Option<[Vec<u8>; 2]>) -> Result<()> {
        let write = self.database.begin_write().internal(FAILED)?;
        write.open_table(POSITIONS).internal(FAILED)?.insert(&*self.export, position).internal(FAILED)?;
        if let Some([told, held]) = told {
            write.open_table(TOLD).internal(FAILED)?.insert(&*self.export, &*told).internal(FAILED)?;
            write.open_table(HELD).internal(FAILED)?.insert(&*self.export, &*held).internal(FAILED)?;
        }
        write.commit().internal(FAILED)
    }
}

/// What an export was told, or was not yet.
fn stored<T: Default + DeserializeOwned>(table: &ReadOnlyTable<&str, &[u8]>, export: &str) -> Result<T> {
    let bytes = table.get(export).internal(FAILED)?;
    let stored = bytes.map(|bytes| postcard::from_bytes(bytes.value())).transpose();
    stored.map(Option::unwrap_or_default).internal("what an export was told is damaged in the spool")
}

fn pack(snapshot: &Snapshot) -> Result<Vec<u8>> {
    let bytes = postcard::to_allocvec(snapshot).internal(FAILED)?;
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(&bytes).and_then(|()| packed.finish()).internal(FAILED)
}

fn unpack(packed: &[u8]) -> Result<Snapshot> {
    let mut bytes = GzDecoder::new(Vec::new());
    let bytes = bytes.write_all(packed).and_then(|()| bytes.finish()).internal(FAILED)?;
    postcard::from_bytes(&bytes).map_err(|error| Error::internal("a spooled reading is damaged").because(error))
}
