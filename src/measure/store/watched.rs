//! How series stand to their limits, and which of them nobody has looked at since they got values.

use std::collections::BTreeSet;
use std::sync::{MutexGuard, PoisonError};

use redb::{ReadableDatabase as _, ReadableTable as _};

use super::{Batch, SeriesStore, WATCHED};
use crate::clock::Timestamp;
use crate::error::{Context as _, Result};
use crate::measure::crossing::Watched;

/// Series with values that nobody has looked at.
#[derive(Default)]
pub(super) struct Touched {
    now: BTreeSet<u32>,
    /// Those with nothing but minutes that are not over.
    later: BTreeSet<u32>,
    /// Minutes before this one are over, as far as anybody said.
    over: Option<Timestamp>,
}

impl SeriesStore {
    /// Notes that series have values that nobody has looked at.
    pub fn touch(&self, numbers: impl Iterator<Item = u32>) {
        self.touched().now.extend(numbers);
    }

    /// Notes that series have values in minutes that are not over, and nothing else that nobody has looked at.
    pub fn touch_later(&self, numbers: impl Iterator<Item = u32>) {
        self.touched().later.extend(numbers);
    }

    /// Notes the series of a batch: what is in a minute that is not over waits until it is.
    pub(super) fn touch_by(&self, batch: &Batch) {
        let mut touched = self.touched();
        for (number, points) in &batch.0 {
            let is_over = touched.over.is_none_or(|over| points.iter().any(|(micros, ..)| *micros < over.micros()));
            let touched = &mut *touched;
            if is_over { &mut touched.now } else { &mut touched.later }.insert(*number);
        }
    }

    /// Minutes before this one are over: what waited for that can be looked at.
    pub fn set_over(&self, minute: Timestamp) {
        let touched = &mut *self.touched();
        if touched.over != Some(minute) {
            touched.over = Some(minute);
            touched.now.append(&mut touched.later);
        }
    }

    /// Up to `max` of the series with values that nobody has looked at, going round from `first`; they count as looked at.
    pub fn take_touched(&self, first: u32, max: usize) -> Vec<u32> {
        let touched = &mut self.touched().now;
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

    fn touched(&self) -> MutexGuard<'_, Touched> {
        self.0.touched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
