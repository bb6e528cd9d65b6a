//! The table of series: roll-ups per minute while they are young, per hour afterwards, and a journal of what is not rolled
//! up yet.
//!
//! A chunk holds an hour of minutes, or a day of hours. Values are acknowledged when the journal has them on disk; they are
//! rolled up in memory, the *head*, and written as chunks in the transaction that empties the journal.

mod ageing;
mod catalogue;
mod chunk;
mod cold;
mod head;
mod journal;
mod lifetime;
mod shrink;
mod watched;

use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};

pub use self::catalogue::{Bounds, Catalogue, Known};
pub use self::chunk::{Slot, Tier};
pub use self::cold::Restored;
use self::cold::{FILES, LEAVING, RESTORED};
use self::head::Head;
pub(super) use self::journal::{Batch, packed};
pub use self::lifetime::Lifetime;
use self::shrink::shrink;
use self::watched::Touched;
use super::Series;
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};

const SERIES: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("series");
const MINUTES: TableDefinition<'_, (u32, u32), &[u8]> = TableDefinition::new("minutes");
const HOURS: TableDefinition<'_, (u32, u32), &[u8]> = TableDefinition::new("hours");
const JOURNAL: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("journal");
/// How each series stands to what is usual for it and declared of it.
const WATCHED: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("watched");

/// Where it all is, in the data directory.
const FILE: &str = "series.redb";
/// Room that is made for slots before they are read, at most: a month of minutes that grows is copied many times.
const RESERVED_MAX: u64 = 100_000;
/// Page cache of the table.
const CACHE_BYTES: usize = 128 << 20;

/// All series. Cheap to clone; one [`super::recorder::Recorder`] writes.
#[derive(Clone)]
pub struct SeriesStore(Arc<Inner>);

struct Inner {
    database: Database,
    catalogue: RwLock<Catalogue>,
    head: RwLock<Head>,
    /// Series with values that nobody has looked at.
    touched: Mutex<Touched>,
    /// Of the series that somebody asked for; kept in step with the head.
    lifetimes: Mutex<HashMap<u32, Lifetime>>,
}

impl SeriesStore {
    /// Opens or creates the table in `folder`; `None` keeps it in memory. Points older than `minutes_from` are kept by the
    /// hour.
    ///
    /// # Errors
    /// `Unavailable` when another process has it open, `Internal` when the disk fails or the table is damaged.
    pub fn open(folder: Option<&Path>, bounds: Bounds, minutes_from: Timestamp) -> Result<Self> {
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_BYTES);
        let mut database = match folder {
            Some(folder) => builder.create(folder.join(FILE)).map_err(|error| match error {
                redb::DatabaseError::DatabaseAlreadyOpen => {
                    Error::unavailable("another process has the series open").because(error)
                }
                error => Error::internal("cannot open the series").because(error),
            })?,
            None => builder
                .create_with_backend(redb::backends::InMemoryBackend::new())
                .internal("cannot make a table of series in memory")?,
        };
        if let Some(folder) = folder {
            shrink(&mut database, &folder.join(FILE))?;
        }
        let store = Self(Arc::new(Inner {
            database,
            catalogue: RwLock::new(Catalogue::new(bounds)),
            head: RwLock::default(),
            touched: Mutex::default(),
            lifetimes: Mutex::default(),
        }));
        store.load(minutes_from)?;
        Ok(store)
    }

    fn load(&self, minutes_from: Timestamp) -> Result<()> {
        let failed = "cannot read the series";
        let write = self.0.database.begin_write().internal(failed)?;
        {
            let mut catalogue = self.catalogue_mut();
            for entry in write.open_table(SERIES).internal(failed)?.iter().internal(failed)? {
                let (number, bytes) = entry.internal(failed)?;
                let known: Known = postcard::from_bytes(bytes.value()).internal("the list of series is damaged")?;
                catalogue.restore(number.value(), known)?;
            }
            write.open_table(MINUTES).internal(failed)?;
            write.open_table(HOURS).internal(failed)?;
            let mut head = self.head_mut();
            for entry in write.open_table(JOURNAL).internal(failed)?.iter().internal(failed)? {
                let (_, bytes) = entry.internal(failed)?;
                let batch: Batch = postcard::from_bytes(bytes.value()).internal("the journal of series is damaged")?;
                head.take(&batch, &catalogue, minutes_from);
                self.touch_by(&batch);
            }
            write.open_table(WATCHED).internal(failed)?;
            write.open_table(LEAVING).internal(failed)?;
            write.open_table(RESTORED).internal(failed)?;
            write.open_table(FILES).internal(failed)?;
        }
        write.commit().internal(failed)
    }

    /// How many slots wait in memory.
    pub(super) fn head_slots(&self) -> usize {
        self.head().len()
    }

    /// What is kept of a series in a window, oldest first: hours where it is old, minutes where it is young.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn slots(&self, number: u32, window: Range<Timestamp>) -> Result<Vec<Slot>> {
        self.slots_with(&self.head(), number, window)
    }

    fn slots_with(&self, head: &Head, number: u32, window: Range<Timestamp>) -> Result<Vec<Slot>> {
        let failed = "cannot read the series";
        let mut slots = Vec::new();
        if window.is_empty() {
            return Ok(slots);
        }
        let read = self.0.database.begin_read().internal(failed)?;
        let mut reader = chunk::Reader::default();
        for tier in [Tier::Hour, Tier::Minute] {
            let table = read.open_table(if tier == Tier::Hour { HOURS } else { MINUTES }).internal(failed)?;
            let chunks = (number, tier.chunk_of(window.start))..=(number, tier.chunk_of(window.end));
            let first = slots.len();
            let expected =
                (u64::from(chunks.end().1.saturating_sub(chunks.start().1)) + 1) * u64::from(tier.slots_per_chunk());
            for entry in table.range(chunks.clone()).internal(failed)? {
                let (key, bytes) = entry.internal(failed)?;
                if slots.len() == first {
                    slots.reserve(expected.min(RESERVED_MAX) as usize);
                }
                let chunk = key.value().1;
                reader.read(bytes.value(), |place, rollup| {
                    let slot = tier.slot(chunk, place, rollup);
                    if window.contains(&slot.start) {
                        slots.push(slot);
                    }
                })?;
            }
            let mut more = head.slots(number, tier, &window);
            if tier == Tier::Hour {
                for entry in read.open_table(RESTORED).internal(failed)?.range(chunks).internal(failed)? {
                    let (key, bytes) = entry.internal(failed)?;
                    let chunk = key.value().1;
                    let back = chunk::read(bytes.value())?.into_iter();
                    more.extend(back.map(|(place, rollup)| tier.slot(chunk, place, rollup)));
                }
            }
            for slot in more.into_iter().filter(|slot| window.contains(&slot.start)) {
                match slots[first..].binary_search_by_key(&slot.start, |slot| slot.start) {
                    Ok(place) => slots[first + place].rollup.merge(&slot.rollup, 0),
                    Err(place) => slots.insert(first + place, slot),
                }
            }
        }
        slots.sort_by_key(|slot| slot.start);
        Ok(slots)
    }

    /// How many series there are.
    pub fn len(&self) -> u32 {
        self.catalogue().numbers().end
    }

    /// Is there none?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The series that `wanted` picks, by metric, component and labels, with their numbers.
    pub fn find(&self, wanted: impl Fn(&Series) -> bool) -> Vec<(u32, Arc<Known>)> {
        self.catalogue().find(wanted)
    }

    /// The series with this number.
    pub fn known(&self, number: u32) -> Arc<Known> {
        Arc::clone(self.catalogue().known(number))
    }

    pub(super) fn catalogue_mut(&self) -> RwLockWriteGuard<'_, Catalogue> {
        self.0.catalogue.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn catalogue(&self) -> RwLockReadGuard<'_, Catalogue> {
        self.0.catalogue.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn head(&self) -> RwLockReadGuard<'_, Head> {
        self.0.head.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn head_mut(&self) -> RwLockWriteGuard<'_, Head> {
        self.0.head.write().unwrap_or_else(PoisonError::into_inner)
    }
}
