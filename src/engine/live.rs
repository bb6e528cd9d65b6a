//! What comes in, told to those who watch: how many receipts there are now, and which the newest are.

use std::sync::Arc;

use tokio::sync::watch;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::Engine;
use crate::error::{Error, Result};
use crate::record::Recorded;

/// Most watchers at a time.
const WATCHERS_MAX: usize = 64;
/// Receipts told in one go; of more only the number is told.
const RECEIPTS_MAX: u64 = 10;

/// The one number that is told to all watchers. Whoever is slow gets the newest one, never a queue of older ones.
pub struct Live {
    entries: watch::Sender<u64>,
    places: Arc<Semaphore>,
}

/// Receipts that came in after a moment.
#[derive(Debug, Clone)]
pub struct News {
    /// Entries in the ledger now: say this number to hear only of later ones.
    pub entries: u64,
    /// How many are new.
    pub new: u64,
    /// The newest of them, in order.
    pub receipts: Vec<Recorded>,
}

impl Live {
    pub(super) fn new(entries: u64) -> Self {
        Self { entries: watch::Sender::new(entries), places: Arc::new(Semaphore::new(WATCHERS_MAX)) }
    }

    /// A watcher, and the place it takes until it is dropped. It ends when naze stops.
    ///
    /// # Errors
    /// `Unavailable` when too many watch already.
    pub fn watch(&self) -> Result<(watch::Receiver<u64>, OwnedSemaphorePermit)> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| {
            Error::unavailable(format!("{WATCHERS_MAX} watch already, or naze stops"))
                .hint("load the page again to see what is new")
        })?;
        Ok((self.entries.subscribe(), place))
    }

    /// Says that there are so many entries now.
    pub(super) fn tell(&self, entries: u64) {
        self.entries.send_if_modified(|known| {
            let is_more = entries > *known;
            *known = entries.max(*known);
            is_more
        });
    }

    /// Lets all watchers end, and takes no more.
    pub fn close(&self) {
        self.places.close();
        self.entries.send_modify(|_| ());
    }

    /// Is naze about to stop?
    pub fn is_closed(&self) -> bool {
        self.places.is_closed()
    }
}

impl Engine {
    /// Those who want to hear what comes in.
    pub fn live(&self) -> &Live {
        &self.live
    }

    /// What came in after the ledger had `since` entries; nothing when there is nothing.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn news(&self, since: u64) -> Result<Option<News>> {
        let entries = self.ledger.len()?;
        if entries <= since {
            return Ok(None);
        }
        let first = since.max(entries.saturating_sub(RECEIPTS_MAX));
        let receipts = self.ledger.read(first.., usize::try_from(entries - first).unwrap_or(usize::MAX))?;
        Ok(Some(News { entries, new: entries - since, receipts }))
    }
}
