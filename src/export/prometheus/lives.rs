//! The whole lives of series. A series is read from its beginning once after a start, and then kept in mind.

use std::time::{Duration, Instant};

use super::READING_MAX;
use crate::error::Result;
use crate::measure::store::{Lifetime, SeriesStore};

/// Reads lives for as long as a scrape may take; the next one goes on.
pub(super) struct Lives<'a> {
    store: &'a SeriesStore,
    spent: Duration,
}

impl<'a> Lives<'a> {
    pub(super) fn of(store: &'a SeriesStore) -> Self {
        Self { store, spent: Duration::ZERO }
    }

    /// The life of the series with this number; `None` when there was no time left to read it.
    pub(super) fn read(&mut self, number: u32) -> Result<Option<Lifetime>> {
        if self.spent > READING_MAX {
            return Ok(None);
        }
        let started = Instant::now();
        let life = self.store.lifetime(number)?;
        self.spent += started.elapsed();
        Ok(Some(life))
    }
}
