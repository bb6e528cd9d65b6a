//! What was acknowledged and is not rolled up on disk yet.

use std::ops::Range;

use redb::{ReadableDatabase as _, ReadableTable as _};
use serde::{Deserialize, Serialize};

use super::{JOURNAL, SERIES, SeriesStore};
use crate::clock::Timestamp;
use crate::error::{Context as _, Result};
use crate::measure::{Kind, Point};

/// Points of several series under their numbers, as the journal keeps them.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::measure) struct Batch(pub(in crate::measure) Vec<(u32, Vec<Packed>)>);

/// A point: microseconds since 1970, value, count.
pub(in crate::measure) type Packed = (i64, f64, u64);

/// A point as the journal keeps it.
pub(in crate::measure) fn packed(point: &Point) -> Packed {
    (point.at.micros(), point.value, point.count)
}

impl SeriesStore {
    /// The journal's entries, as bytes.
    pub(in crate::measure) fn journal(&self) -> Result<Vec<Vec<u8>>> {
        let failed = "cannot read the journal of series";
        let read = self.0.database.begin_read().internal(failed)?;
        let journal = read.open_table(JOURNAL).internal(failed)?;
        let entries = journal.iter().internal(failed)?;
        entries.map(|entry| Ok(entry.internal(failed)?.1.value().to_vec())).collect()
    }

    /// Puts entries and new series on disk.
    pub(in crate::measure) fn append(&self, first: u64, entries: &[Vec<u8>], new: Range<u32>) -> Result<()> {
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
    pub(in crate::measure) fn take(&self, batch: &Batch, minutes_from: Timestamp) {
        let mut head = self.head_mut();
        let catalogue = self.catalogue();
        head.take(batch, &catalogue, minutes_from);
        self.touch_by(batch);
        let mut lifetimes = self.lifetimes();
        for (number, points) in &batch.0 {
            let Some(lifetime) = lifetimes.get_mut(number) else { continue };
            let is_counter = catalogue.known(*number).series.kind == Kind::Counter;
            for (micros, value, count) in points {
                match Timestamp::from_micros(*micros) {
                    Some(at) if is_counter => lifetime.read(at, *value),
                    Some(_) => lifetime.add(*value, *count),
                    None => {}
                }
            }
        }
    }
}
