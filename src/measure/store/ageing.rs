//! Values from memory to disk, from minutes to hours, from hours to the archive.

use redb::ReadableTable as _;

use super::chunk::{self, Tier};
use super::cold::LEAVING;
use super::{HOURS, JOURNAL, MINUTES, SeriesStore, shrink};
use crate::clock::Timestamp;
use crate::error::{Context as _, Result};
use crate::measure::archive::Archive;

/// Chunks of minutes that become hours in one transaction.
const AGED_CHUNKS: usize = 5_000;

impl SeriesStore {
    /// Writes the head as chunks and empties the journal.
    pub(in crate::measure) fn flush(&self) -> Result<()> {
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

    /// Turns minutes before `minutes_from` into hours, and hours before `hours_from` leave for the archive or, without one,
    /// for good. Returns how many chunks changed, zero when nothing is left to do.
    pub(in crate::measure) fn age(
        &self,
        minutes_from: Timestamp,
        hours_from: Timestamp,
        archive: Option<&Archive>,
    ) -> Result<usize> {
        let failed = "cannot age series";
        if let Some(archive) = archive {
            self.leave(archive)?;
        }
        let write = self.0.database.begin_write().internal(failed)?;
        let (mut changed, mut freed) = (0, 0);
        {
            let mut minutes = write.open_table(MINUTES).internal(failed)?;
            let mut hours = write.open_table(HOURS).internal(failed)?;
            let mut leaving = write.open_table(LEAVING).internal(failed)?;
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
                    freed += bytes.value().len() as u64;
                    let Some(rollup) = chunk::hour_of(chunk::read(bytes.value())?) else { continue };
                    let (day, place) = (hour / 24, u8::try_from(hour % 24).unwrap_or_default());
                    let before = hours.get((number, day)).internal(failed)?.map(|bytes| chunk::read(bytes.value()));
                    let mut merged = before.transpose()?.unwrap_or_default();
                    chunk::merge(&mut merged, place, rollup, 0);
                    hours.insert((number, day), &*chunk::write(&merged)?).internal(failed)?;
                }
                let gone = (number, 0)..(number, Tier::Hour.chunk_of(hours_from));
                let gone = hours.extract_from_if(gone, |_, _| true).internal(failed)?.take(AGED_CHUNKS - changed);
                for entry in gone {
                    let (key, bytes) = entry.internal(failed)?;
                    freed += bytes.value().len() as u64;
                    if archive.is_some() {
                        leaving.insert(key.value(), bytes.value()).internal(failed)?;
                    }
                    changed += 1;
                }
                changed += chunks.len();
                if changed >= AGED_CHUNKS {
                    break;
                }
            }
        }
        shrink::note(&write, freed)?;
        write.commit().internal(failed)?;
        if let Some(archive) = archive {
            self.leave(archive)?;
        }
        Ok(changed)
    }
}
