//! The newest slots once more, in memory: most questions are about the last day, and on disk a look-up is a search through
//! several files.

use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};

use chrono::TimeDelta;
use oxigraph::store::Store;
use oxrdf::{GraphName, Quad, Term};

use super::Index;
use crate::clock::{Timestamp, ago};
use crate::error::{Context as _, Result};
use crate::record::Window;
use crate::record::ledger::Ledger;
use crate::record::slot::Slot;

/// Receipts that are taken into memory, about 4 KB each; when there are twice as many, it begins anew.
const RECEIPTS_MAX: usize = 20_000;
/// Their entries in the ledger; receipts may have long texts. With as many bytes of texts more, it begins anew.
const BYTES_MAX: usize = 64 << 20;
/// Quads that wait while the ledger is being read; of more it is given up.
const QUADS_WAITING_MAX: usize = 500_000;
/// Slots that ended longer ago are asked about seldom.
const BACK: TimeDelta = TimeDelta::days(31);

/// What is in memory.
#[derive(Default)]
pub(super) struct Newest(RwLock<State>);

#[derive(Default)]
enum State {
    #[default]
    Nothing,
    /// The ledger is being read; what is written meanwhile waits.
    Reading { since: Slot, written: Mutex<Vec<Quad>> },
    /// Every slot from this one on.
    Held { since: Slot, store: Store, receipts: AtomicUsize, bytes: AtomicUsize },
}

impl Newest {
    fn state(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn set(&self, state: State) {
        let before = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), state);
        // What was held is many small pieces: nobody waits while they are given back.
        drop(before);
    }

    /// Does it want what is written to this slot?
    pub(super) fn wants(&self, slot: Slot) -> bool {
        match &*self.state() {
            State::Nothing => false,
            State::Reading { since, .. } | State::Held { since, .. } => slot >= *since,
        }
    }

    /// Takes what was written of so many receipts.
    pub(super) fn add(&self, quads: Vec<Quad>, receipts: usize) {
        let is_full = match &*self.state() {
            State::Nothing => false,
            State::Reading { written, .. } => {
                let mut written = lock(written);
                written.extend(quads);
                written.len() > QUADS_WAITING_MAX
            }
            State::Held { store, receipts: held, bytes: held_bytes, .. } => {
                let bytes: usize = quads.iter().map(|quad| text_bytes(&quad.object)).sum();
                let is_added = store.extend(quads).is_ok();
                let receipts = held.fetch_add(receipts, Ordering::Relaxed) + receipts;
                let bytes = held_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
                !is_added || receipts > 2 * RECEIPTS_MAX || bytes > 2 * BYTES_MAX
            }
        };
        if is_full {
            self.set(State::Nothing);
        }
    }

    /// A handle, when everything from this slot on is here.
    pub(super) fn reader_since(&self, slot: Slot) -> Option<Store> {
        match &*self.state() {
            State::Held { since, store, .. } if slot >= *since => Some(store.clone()),
            _ => None,
        }
    }
}

fn text_bytes(term: &Term) -> usize {
    if let Term::Literal(literal) = term { literal.value().len() } else { 0 }
}

fn lock(quads: &Mutex<Vec<Quad>>) -> MutexGuard<'_, Vec<Quad>> {
    quads.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Index {
    /// Takes the newest slots into memory, as many as have room there, unless they are already. Answers stay the same.
    ///
    /// # Errors
    /// `Internal` when the ledger cannot be read; then questions go to the disk as before.
    pub fn hold_newest(&self, ledger: &Ledger, now: Timestamp) -> Result<()> {
        if !matches!(*self.newest.state(), State::Nothing) {
            return Ok(());
        }
        let Some(since) = self.first_with_room(ledger, now)? else { return Ok(()) };
        // First said, then read: what is appended to the ledger after it was read is written after this.
        self.newest.set(State::Reading { since, written: Mutex::default() });
        let read = self.read_since(ledger, since);
        let mut held = self.newest.0.write().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *held, State::Nothing);
        let (State::Reading { written, .. }, Some((store, receipts, bytes))) = (before, read?) else {
            return Ok(());
        };
        let written = written.into_inner().unwrap_or_else(PoisonError::into_inner);
        store.extend(written).internal("cannot hold the newest receipts")?;
        *held = State::Held { since, store, receipts: receipts.into(), bytes: bytes.into() };
        Ok(())
    }

    /// The oldest slot from which on all have room.
    fn first_with_room(&self, ledger: &Ledger, now: Timestamp) -> Result<Option<Slot>> {
        let lately = Window { from: ago(now, BACK), to: Timestamp::MAX };
        let slots: Vec<Slot> = self.slots().iter().rev().copied().filter(|slot| slot.overlaps(lately)).collect();
        let mut first = None;
        let mut receipts = 0;
        for slot in slots {
            receipts += ledger.count(slot.window(), RECEIPTS_MAX)?;
            if receipts > RECEIPTS_MAX {
                break;
            }
            first = Some(slot);
        }
        Ok(first)
    }

    /// The newest receipts, with their number and bytes; nothing when these are too many.
    fn read_since(&self, ledger: &Ledger, since: Slot) -> Result<Option<(Store, usize, usize)>> {
        let store = Store::new().internal("cannot hold the newest receipts")?;
        let window = Window { from: since.window().from, to: Timestamp::MAX };
        let bytes = Cell::new(0);
        let receipts = ledger.within(window, 2 * RECEIPTS_MAX, |entry| {
            bytes.update(|bytes| bytes + entry.len());
            bytes.get() <= BYTES_MAX
        })?;
        if bytes.get() > BYTES_MAX {
            return Ok(None);
        }
        let mut quads = Vec::new();
        for recorded in &receipts {
            let slot = Slot::of(recorded.occurred_at(), self.width);
            self.add_star(recorded, &GraphName::from(slot.graph()), &mut quads);
        }
        store.extend(quads).internal("cannot hold the newest receipts")?;
        Ok(Some((store, receipts.len(), bytes.get())))
    }

    /// A handle for queries over a window: evaluation never blocks the writer.
    pub(crate) fn reader_in(&self, window: Window) -> Store {
        let oldest = self.slots().iter().find(|slot| slot.overlaps(window)).copied();
        oldest.and_then(|oldest| self.newest.reader_since(oldest)).unwrap_or_else(|| self.store.clone())
    }

    /// Are the slots of this window in memory?
    pub fn holds(&self, window: Window) -> bool {
        let oldest = self.slots().iter().find(|slot| slot.overlaps(window)).copied();
        oldest.is_some_and(|oldest| self.newest.reader_since(oldest).is_some())
    }
}
