//! Hours on their way into the archive, and hours that came back from it.

use std::collections::{BTreeMap, BTreeSet};

use redb::{ReadableDatabase as _, ReadableTable as _, ReadableTableMetadata as _, TableDefinition};
use serde::Serialize;

use super::chunk::{self, Tier};
use super::{HOURS, SERIES, SeriesStore};
use crate::error::{Context as _, Result};
use crate::measure::Samples;
use crate::measure::archive::{Archive, Hour};

/// Days of hours that are no longer kept, and not in the archive yet.
pub(super) const LEAVING: TableDefinition<'_, (u32, u32), &[u8]> = TableDefinition::new("leaving");
/// Days of hours that came back from the archive; they are kept.
pub(super) const RESTORED: TableDefinition<'_, (u32, u32), &[u8]> = TableDefinition::new("restored");
/// Files that they came from, by the hash of their lines.
pub(super) const FILES: TableDefinition<'_, &str, u64> = TableDefinition::new("restored_files");

/// Size of the lines of one file, nearly.
const FILE_BYTES: usize = 64 << 20;
/// Size of a line, and of a bucket in it, nearly.
const LINE_BYTES: usize = 400;
const BUCKET_BYTES: usize = 16;

/// Hours with their places in a day, by series and day.
type Days<'a> = BTreeMap<(u32, u32), Vec<(u8, &'a Hour)>>;

/// What became of the hours of a file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Restored {
    /// Hours that can be read again.
    pub recorded: u64,
    /// Hours that were there already.
    pub duplicate: u64,
    /// Hours of series for which there is no room.
    pub refused: u64,
}

impl SeriesStore {
    /// Writes what is leaving into the archive, and then lets go of it. After a crash in between the same files are written
    /// again; what comes late in the meantime leaves later, in files of its own.
    pub(super) fn leave(&self, archive: &Archive) -> Result<()> {
        let failed = "cannot archive series";
        let mut days: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let read = self.0.database.begin_read().internal(failed)?;
        let leaving = read.open_table(LEAVING).internal(failed)?;
        for entry in leaving.iter().internal(failed)? {
            let (number, day) = entry.internal(failed)?.0.value();
            days.entry(day).or_default().push(number);
        }
        if days.is_empty() {
            return Ok(());
        }
        for (day, numbers) in days {
            let (mut hours, mut bytes) = (Vec::new(), 0);
            for number in numbers {
                let Some(chunk) = leaving.get((number, day)).internal(failed)? else { continue };
                let known = self.known(number);
                for (place, rollup) in chunk::read(chunk.value())? {
                    bytes += LINE_BYTES + BUCKET_BYTES * rollup.buckets();
                    let start = Tier::Hour.slot(day, place, rollup);
                    hours.push(Hour { known: (*known).clone(), start: start.start, rollup: start.rollup });
                }
                if bytes > FILE_BYTES {
                    archive.write(&hours)?;
                    (hours, bytes) = (Vec::new(), 0);
                }
            }
            archive.write(&hours)?;
        }
        drop((leaving, read));
        let write = self.0.database.begin_write().internal(failed)?;
        write.delete_table(LEAVING).internal(failed)?;
        write.open_table(LEAVING).internal(failed)?;
        write.commit().internal(failed)
    }

    /// Takes hours back that a file of the archive holds. The same file again changes nothing.
    ///
    /// # Errors
    /// `Internal` when the disk fails; then nothing is taken.
    pub fn restore(&self, sha256: &str, hours: &[Hour]) -> Result<Restored> {
        let failed = "cannot restore series";
        // Nobody may read a series between its hours and what is known of its whole life.
        let _head = self.head_mut();
        let write = self.0.database.begin_write().internal(failed)?;
        let mut told = Restored::default();
        {
            let mut files = write.open_table(FILES).internal(failed)?;
            if files.insert(sha256, hours.len() as u64).internal(failed)?.is_some() {
                return Ok(Restored { duplicate: hours.len() as u64, ..told });
            }
            let kept = write.open_table(HOURS).internal(failed)?;
            let mut series = write.open_table(SERIES).internal(failed)?;
            let mut restored = write.open_table(RESTORED).internal(failed)?;
            let days = self.numbered(hours, &mut told);
            // All that have a number, also those that the recorder has yet to write: none may be missing between others.
            let saved = u32::try_from(series.len().internal(failed)?).unwrap_or(u32::MAX);
            let told_of: BTreeSet<u32> = days.keys().map(|(number, _)| *number).chain(saved..self.len()).collect();
            for number in told_of {
                let known = postcard::to_allocvec(&*self.known(number)).internal(failed)?;
                series.insert(number, &*known).internal(failed)?;
            }
            for ((number, day), hours) in days {
                let read = |bytes: Option<redb::AccessGuard<'_, &[u8]>>| bytes.map(|bytes| chunk::read(bytes.value()));
                let kept = read(kept.get((number, day)).internal(failed)?).transpose()?.unwrap_or_default();
                let before = read(restored.get((number, day)).internal(failed)?).transpose()?;
                let mut merged = before.unwrap_or_default();
                for (place, hour) in hours {
                    if kept.iter().chain(&merged).any(|(at, rollup)| (*at, rollup) == (place, &hour.rollup)) {
                        told.duplicate += 1;
                    } else {
                        chunk::merge(&mut merged, place, hour.rollup.clone(), 0);
                        told.recorded += 1;
                    }
                }
                restored.insert((number, day), &*chunk::write(&merged)?).internal(failed)?;
            }
        }
        write.commit().internal(failed)?;
        self.lifetimes().clear();
        Ok(told)
    }

    /// Hours by series and day, each with its place in the day. Series that are not known yet get a number.
    fn numbered<'a>(&self, hours: &'a [Hour], told: &mut Restored) -> Days<'a> {
        let mut days = Days::new();
        let mut catalogue = self.catalogue_mut();
        for hour in hours {
            let samples =
                Samples { series: hour.known.series.clone(), unit: hour.known.unit.clone(), points: Vec::new() };
            let Some(number) = catalogue.number(&samples) else {
                told.refused += 1;
                continue;
            };
            let slot = Tier::Hour.slot_of(hour.start);
            let (day, place) = (slot / Tier::Hour.slots_per_chunk(), slot % Tier::Hour.slots_per_chunk());
            days.entry((number, day)).or_default().push((u8::try_from(place).unwrap_or_default(), hour));
        }
        days
    }
}
