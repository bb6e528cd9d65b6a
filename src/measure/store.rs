//! The table of series: roll-ups per minute while they are young, per hour afterwards, and a journal of what is not rolled
//! up yet.
//!
//! A chunk holds an hour of minutes, or a day of hours. Values are acknowledged when the journal has them on disk; they are
//! rolled up in memory, the *head*, and written as chunks in the transaction that empties the journal.

mod catalogue;
mod chunk;
mod head;
mod lifetime;

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use redb::{Database, ReadableDatabase as _, ReadableTable as _, TableDefinition};
use serde::{Deserialize, Serialize};

pub use self::catalogue::{Bounds, Catalogue, Known};
pub use self::chunk::{Slot, Tier};
use self::head::Head;
pub use self::lifetime::Lifetime;
use super::crossing::Watched;
use super::{Point, Series};
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};

const SERIES: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("series");
const MINUTES: TableDefinition<'_, (u32, u32), &[u8]> = TableDefinition::new("minutes");
const HOURS: TableDefinition<'_, (u32, u32), &[u8]> = TableDefinition::new("hours");
const JOURNAL: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("journal");
/// How each series stands to what is usual for it and declared of it.
const WATCHED: TableDefinition<'_, u32, &[u8]> = TableDefinition::new("watched");

/// Page cache of the table.
const CACHE_BYTES: usize = 128 << 20;
/// Chunks of minutes that become hours in one transaction.
const AGED_CHUNKS: usize = 5_000;

/// Points of several series under their numbers, as the journal keeps them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Batch(pub(super) Vec<(u32, Vec<Packed>)>);

/// A point: microseconds since 1970, value, count.
pub(super) type Packed = (i64, f64, u64);

/// All series. Cheap to clone; one [`super::recorder::Recorder`] writes.
#[derive(Clone)]
pub struct SeriesStore(Arc<Inner>);

struct Inner {
    database: Database,
    catalogue: RwLock<Catalogue>,
    head: RwLock<Head>,
    /// Series with values that nobody has looked at.
    touched: Mutex<BTreeSet<u32>>,
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
        let database = match folder {
            Some(folder) => builder.create(folder.join("series.redb")).map_err(|error| match error {
                redb::DatabaseError::DatabaseAlreadyOpen => {
                    Error::unavailable("another process has the series open").because(error)
                }
                error => Error::internal("cannot open the series").because(error),
            })?,
            None => builder
                .create_with_backend(redb::backends::InMemoryBackend::new())
                .internal("cannot make a table of series in memory")?,
        };
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
                self.touch(batch.0.iter().map(|(number, _)| *number));
            }
            write.open_table(WATCHED).internal(failed)?;
        }
        write.commit().internal(failed)
    }

    /// The journal's entries, as bytes.
    pub(super) fn journal(&self) -> Result<Vec<Vec<u8>>> {
        let failed = "cannot read the journal of series";
        let read = self.0.database.begin_read().internal(failed)?;
        let journal = read.open_table(JOURNAL).internal(failed)?;
        let entries = journal.iter().internal(failed)?;
        entries.map(|entry| Ok(entry.internal(failed)?.1.value().to_vec())).collect()
    }

    /// Puts entries and new series on disk.
    pub(super) fn append(&self, first: u64, entries: &[Vec<u8>], new: Range<u32>) -> Result<()> {
        let failed = "cannot write to the journal of series";
        let write = self.0.database.begin_write().internal(failed)?;
        {
            let mut journal = write.open_table(JOURNAL).internal(failed)?;
            for (place, bytes) in (first..).zip(entries) {
                journal.insert(place, &**bytes).internal(failed)?;
            }
            let mut series = write.open_table(SERIES).internal(failed)?;
            let catalogue = self.catalogue();
            for number in new {
                let bytes = postcard::to_allocvec(&**catalogue.known(number)).internal(failed)?;
                series.insert(number, &*bytes).internal(failed)?;
            }
        }
        write.commit().internal(failed)
    }

    /// Rolls up a batch that the journal has.
    pub(super) fn take(&self, batch: &Batch, minutes_from: Timestamp) {
        let mut head = self.head_mut();
        head.take(batch, &self.catalogue(), minutes_from);
        self.touch(batch.0.iter().map(|(number, _)| *number));
        let mut lifetimes = self.lifetimes();
        for (number, points) in &batch.0 {
            if let Some(lifetime) = lifetimes.get_mut(number) {
                points.iter().for_each(|(_, value, count)| lifetime.add(*value, *count));
            }
        }
    }

    /// Notes that series have values that nobody has looked at.
    pub fn touch(&self, numbers: impl Iterator<Item = u32>) {
        self.touched().extend(numbers);
    }

    /// Up to `max` of the series with values that nobody has looked at, going round from `first`; they count as looked at.
    pub fn take_touched(&self, first: u32, max: usize) -> Vec<u32> {
        let mut touched = self.touched();
        let round = touched.range(first..).chain(touched.range(..first));
        let taken: Vec<u32> = round.take(max).copied().collect();
        for number in &taken {
            touched.remove(number);
        }
        taken
    }

    /// How a series stands to its limits, as it was kept.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn watched(&self, number: u32) -> Result<Option<Watched>> {
        let failed = "cannot read how a series stands";
        let read = self.0.database.begin_read().internal(failed)?;
        let table = read.open_table(WATCHED).internal(failed)?;
        let bytes = table.get(number).internal(failed)?;
        // What an older naze wrote in another form is learned again.
        Ok(bytes.and_then(|bytes| postcard::from_bytes(bytes.value()).ok()))
    }

    /// The series that are beyond a limit, as it was kept.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn beyond(&self) -> Result<Vec<u32>> {
        self.of_all_watched(|number, watched| watched.open().next().map(|_| number))
    }

    /// Up to which minute each series was looked at, as it was kept.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn seen(&self) -> Result<Vec<(u32, Option<Timestamp>)>> {
        self.of_all_watched(|number, watched| Some((number, watched.seen)))
    }

    fn of_all_watched<T>(&self, tell: impl Fn(u32, &Watched) -> Option<T>) -> Result<Vec<T>> {
        let failed = "cannot read how series stand";
        let read = self.0.database.begin_read().internal(failed)?;
        let mut told = Vec::new();
        for entry in read.open_table(WATCHED).internal(failed)?.iter().internal(failed)? {
            let (number, bytes) = entry.internal(failed)?;
            let watched: Option<Watched> = postcard::from_bytes(bytes.value()).ok();
            told.extend(watched.and_then(|watched| tell(number.value(), &watched)));
        }
        Ok(told)
    }

    /// Keeps how series stand to their limits.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn keep_watched<'a>(&self, all: impl Iterator<Item = (u32, &'a Watched)>) -> Result<()> {
        let failed = "cannot write how series stand";
        let write = self.0.database.begin_write().internal(failed)?;
        {
            let mut table = write.open_table(WATCHED).internal(failed)?;
            for (number, watched) in all {
                let bytes = postcard::to_allocvec(watched).internal(failed)?;
                table.insert(number, &*bytes).internal(failed)?;
            }
        }
        write.commit().internal(failed)
    }

    /// All that is kept of a series that is no counter, in one. The first call reads it from disk.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn lifetime(&self, number: u32) -> Result<Lifetime> {
        // Nothing is rolled up meanwhile, so that no value is counted twice or not at all.
        let head = self.head();
        if let Some(known) = self.lifetimes().get(&number) {
            return Ok(known.clone());
        }
        let mut lifetime = Lifetime::default();
        for slot in self.slots_with(&head, number, Timestamp::MIN..Timestamp::MAX)? {
            lifetime.merge(&slot.rollup);
        }
        self.lifetimes().insert(number, lifetime.clone());
        Ok(lifetime)
    }

    fn lifetimes(&self) -> std::sync::MutexGuard<'_, HashMap<u32, Lifetime>> {
        self.0.lifetimes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many slots wait in memory.
    pub(super) fn head_slots(&self) -> usize {
        self.head().len()
    }

    /// Writes the head as chunks and empties the journal.
    pub(super) fn flush(&self) -> Result<()> {
        let failed = "cannot write series";
        // Readers wait, so that nobody sees a value in both places or in none.
        let mut head = self.head_mut();
        if head.len() == 0 {
            return Ok(());
        }
        let write = self.0.database.begin_write().internal(failed)?;
        {
            let mut minutes = write.open_table(MINUTES).internal(failed)?;
            let mut hours = write.open_table(HOURS).internal(failed)?;
            for ((number, tier, chunk), slots) in head.chunks() {
                let table = if tier == Tier::Minute { &mut minutes } else { &mut hours };
                let before = table.get((number, chunk)).internal(failed)?.map(|bytes| chunk::read(bytes.value()));
                let mut merged = before.transpose()?.unwrap_or_default();
                slots.into_iter().for_each(|(place, rollup)| chunk::merge(&mut merged, place, rollup, 0));
                table.insert((number, chunk), &*chunk::write(&merged)?).internal(failed)?;
            }
        }
        write.delete_table(JOURNAL).internal(failed)?;
        write.open_table(JOURNAL).internal(failed)?;
        write.commit().internal(failed)?;
        head.clear();
        Ok(())
    }

    /// Turns minutes before `minutes_from` into hours and drops hours before `hours_from`; returns how many chunks changed,
    /// zero when nothing is left to do.
    pub(super) fn age(&self, minutes_from: Timestamp, hours_from: Timestamp) -> Result<usize> {
        let failed = "cannot age series";
        let write = self.0.database.begin_write().internal(failed)?;
        let mut changed = 0;
        {
            let mut minutes = write.open_table(MINUTES).internal(failed)?;
            let mut hours = write.open_table(HOURS).internal(failed)?;
            let numbers = self.catalogue().numbers();
            for number in numbers {
                let old = (number, 0)..(number, Tier::Minute.chunk_of(minutes_from));
                let chunks: Vec<u32> = minutes
                    .range(old)
                    .internal(failed)?
                    .take(AGED_CHUNKS - changed)
                    .map(|entry| entry.map(|(key, _)| key.value().1))
                    .collect::<std::result::Result<_, _>>()
                    .internal(failed)?;
                for hour in &chunks {
                    let Some(bytes) = minutes.remove((number, *hour)).internal(failed)? else { continue };
                    let Some(rollup) = chunk::hour_of(chunk::read(bytes.value())?) else { continue };
                    let (day, place) = (hour / 24, u8::try_from(hour % 24).unwrap_or_default());
                    let before = hours.get((number, day)).internal(failed)?.map(|bytes| chunk::read(bytes.value()));
                    let mut merged = before.transpose()?.unwrap_or_default();
                    chunk::merge(&mut merged, place, rollup, 0);
                    hours.insert((number, day), &*chunk::write(&merged)?).internal(failed)?;
                }
                let gone = (number, 0)..(number, Tier::Hour.chunk_of(hours_from));
                let dropped = hours.extract_from_if(gone, |_, _| true).internal(failed)?.take(AGED_CHUNKS).count();
                changed += chunks.len() + dropped;
                if changed >= AGED_CHUNKS {
                    break;
                }
            }
        }
        write.commit().internal(failed)?;
        Ok(changed)
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
        let read = self.0.database.begin_read().internal(failed)?;
        let mut slots = Vec::new();
        for tier in [Tier::Hour, Tier::Minute] {
            let table = read.open_table(if tier == Tier::Hour { HOURS } else { MINUTES }).internal(failed)?;
            let chunks = (number, tier.chunk_of(window.start))..=(number, tier.chunk_of(window.end));
            let first = slots.len();
            for entry in table.range(chunks).internal(failed)? {
                let (key, bytes) = entry.internal(failed)?;
                let chunk = key.value().1;
                slots.extend(
                    chunk::read(bytes.value())?.into_iter().map(|(place, rollup)| tier.slot(chunk, place, rollup)),
                );
            }
            for slot in head.slots(number, tier, &window) {
                match slots[first..].binary_search_by_key(&slot.start, |slot| slot.start) {
                    Ok(place) => slots[first + place].rollup.merge(&slot.rollup, 0),
                    Err(place) => slots.insert(first + place, slot),
                }
            }
        }
        slots.retain(|slot| slot.start >= window.start && slot.start < window.end);
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

    fn touched(&self) -> MutexGuard<'_, BTreeSet<u32>> {
        self.0.touched.lock().unwrap_or_else(PoisonError::into_inner)
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

/// A point as the journal keeps it.
pub(super) fn packed(point: &Point) -> Packed {
    (point.at.micros(), point.value, point.count)
}
