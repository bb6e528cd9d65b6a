//! Receipts of the ledger that wait for one tool, and notices that were held back until their cooldown ends.

use std::sync::Arc;

use super::super::cooldown::Cooling;
use super::super::destination::{Export, Route, WriteReceipts};
use super::super::told::{Pick, Told};
use super::board::{Meter, Waiting};
use super::queue::{Queue, is_too_old};
use super::spool::Cursor;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::error::Result;
use crate::record::Recorded;

/// Entries of the ledger that are read at least at a time: a tool may take few of them.
const ENTRIES_MIN: usize = 500;

/// Chooses a receipt and adds what the tool wants to know besides; `None` for what it does not take.
pub(super) type Choose = Box<dyn Fn(&Engine, Recorded) -> Result<Option<Told>> + Send>;

/// Receipts of the ledger.
pub(super) struct Receipts {
    engine: Arc<Engine>,
    choose: Choose,
    cursor: Cursor,
    export: Export,
    route: &'static Route<WriteReceipts>,
    meter: Meter,
    clock: Clock,
    /// Read, and not delivered.
    read: Vec<Told>,
    /// What it was told, where it is told notices.
    cooling: Cooling,
    /// Was held back, and goes on though the cooldown is over: chosen when nothing else waits.
    due: Option<Told>,
}

impl Receipts {
    pub(super) fn new(
        engine: Arc<Engine>,
        choose: Choose,
        cursor: Cursor,
        export: &Export,
        route: &'static Route<WriteReceipts>,
        meter: Meter,
    ) -> Result<Self> {
        let (clock, cooling) = (engine.clock(), cursor.told()?);
        let (export, read) = (export.clone(), Vec::new());
        Ok(Self { engine, choose, cursor, export, route, meter, clock, read, cooling, due: None })
    }

    fn are_notices(&self) -> bool {
        self.export.kind.pick == Pick::Notices
    }

    /// Everything before `next` is told, or never will be.
    fn went_to(&self, next: u64) -> Result<()> {
        if self.are_notices() { self.cursor.set_told(next, &self.cooling) } else { self.cursor.set(next) }
    }

    /// Passes over what became too old while it waited, and what is told too soon after the same.
    fn pass(&mut self) -> Result<()> {
        while let Some(first) = self.read.first() {
            let next = first.recorded.position + 1;
            let cooldown = self.export.cooldown.unwrap_or_default().max(first.cooldown);
            if is_too_old(self.clock, first.recorded.occurred_at(), self.route.age_max) {
                self.cooling.pass(first);
                self.meter.dropped("too_old", 1);
            } else if self.are_notices() && self.cooling.holds(first, cooldown) {
                self.cooling.hold(first, cooldown);
            } else {
                break;
            }
            self.went_to(next)?;
            self.read.remove(0);
        }
        Ok(())
    }

    /// Entries that are no news are not told, but end what is held back.
    fn drop_old(&mut self, read: &mut Vec<Recorded>) -> Result<()> {
        let (clock, age_max) = (self.clock, self.route.age_max);
        let is_old = |recorded: &mut Recorded| is_too_old(clock, recorded.occurred_at(), age_max);
        let old: Vec<Recorded> = read.extract_if(.., is_old).collect();
        self.meter.dropped("too_old", old.len() as u64);
        if self.cooling.holds_any() {
            for recorded in old {
                let told = (self.choose)(&self.engine, recorded)?;
                told.iter().for_each(|told| self.cooling.pass(told));
            }
        }
        Ok(())
    }

    /// The first of what was held back whose cooldown is over. What has ended is not held any more.
    fn find_due(&mut self) -> Result<usize> {
        while let Some(position) = self.cooling.due(self.clock.now()) {
            let recorded = self.engine.ledger().read(position.., 1)?.pop();
            let told = recorded.map(|recorded| (self.choose)(&self.engine, recorded)).transpose()?.flatten();
            if told.is_some() {
                self.due = told;
                return Ok(1);
            }
            // It would not be told by now, whatever its cooldown.
            self.cooling.release(position);
        }
        Ok(0)
    }
}

impl Queue for Receipts {
    fn first(&mut self, items_max: usize) -> Result<usize> {
        // Some may have it already: it is settled before another is begun.
        if self.due.is_some() {
            return Ok(1);
        }
        self.pass()?;
        while self.read.is_empty() {
            let entries_max = self.route.items_max.max(ENTRIES_MIN);
            let mut read = self.engine.ledger().read(self.cursor.get()?.., entries_max)?;
            // What a receipt ends is looked for in the index, which gets it a moment after the ledger.
            let indexed = self.engine.index().applied()?;
            read.retain(|recorded| recorded.position < indexed);
            let Some(last) = read.last().map(|recorded| recorded.position) else { return self.find_due() };
            self.drop_old(&mut read)?;
            let chosen = read.into_iter().map(|recorded| (self.choose)(&self.engine, recorded));
            self.read = chosen.filter_map(Result::transpose).collect::<Result<_>>()?;
            if self.read.is_empty() {
                self.went_to(last + 1)?;
            }
            self.pass()?;
        }
        Ok(self.read.len().min(items_max))
    }

    fn write(&self, items: usize) -> Vec<u8> {
        let told = self.due.as_ref().map_or(&self.read[..items.min(self.read.len())], std::slice::from_ref);
        (self.route.write)(told, &self.export)
    }

    fn take(&mut self, items: usize, is_delivered: bool) -> Result<()> {
        if let Some(due) = self.due.take() {
            if is_delivered {
                self.cooling.tell(&due, self.clock.now());
            } else {
                self.cooling.release(due.recorded.position);
            }
            return self.went_to(self.cursor.get()?);
        }
        let Some(last) = self.read[..items].last() else { return Ok(()) };
        let next = last.recorded.position + 1;
        if is_delivered && self.are_notices() {
            for told in &self.read[..items] {
                self.meter.notified(told.recorded.recorded_at);
                self.cooling.tell(told, told.recorded.occurred_at());
            }
        }
        if !is_delivered {
            self.read[..items].iter().for_each(|told| self.cooling.pass(told));
        }
        self.went_to(next)?;
        self.read.drain(..items);
        Ok(())
    }

    fn release(&mut self) {}

    fn waiting(&self) -> Result<Waiting> {
        Ok(Waiting { items: self.engine.ledger().len()?.saturating_sub(self.cursor.get()?), bytes: 0 })
    }
}
