//! What waits for one tool, in order: readings of the spool, receipts of the ledger.

use std::sync::Arc;

use chrono::TimeDelta;

use super::super::cooldown::Cooling;
use super::super::destination::{Export, Metrics, Route, WriteMetrics, WriteReceipts};
use super::super::reading::{Reading, Snapshot};
use super::super::told::{Pick, Told};
use super::board::{Meter, Waiting};
use super::spool::{Cursor, Shelf};
use crate::clock::{Clock, Timestamp};
use crate::engine::Engine;
use crate::error::Result;
use crate::record::Recorded;

/// What waits, oldest first.
pub(super) trait Queue {
    /// How many items come first, at most `items_max`; none when nothing waits.
    fn first(&mut self, items_max: usize) -> Result<usize>;
    /// Writes the first items as the body of a request.
    fn write(&self, items: usize) -> Vec<u8>;
    /// The first items are delivered, or never will be.
    fn take(&mut self, items: usize, is_delivered: bool) -> Result<()>;
    /// The first items have to wait.
    fn release(&mut self);
    /// All that waits.
    fn waiting(&self) -> Result<Waiting>;
}

/// Readings of the spool. A snapshot that is too large for one request is sent in several.
pub(super) struct Readings {
    shelf: Shelf,
    route: &'static Route<WriteMetrics>,
    export: Export,
    meter: Meter,
    clock: Clock,
    under_way: Option<UnderWay>,
}

struct UnderWay {
    number: u64,
    snapshot: Snapshot,
    /// Since when totals count.
    since: Option<Timestamp>,
    readings: Vec<Reading>,
    /// How many of them are done.
    done: usize,
    /// Was any of them delivered? What they tell must not be told again with the next one's growth.
    is_told: bool,
}

impl Readings {
    pub(super) fn new(
        shelf: Shelf,
        route: &'static Route<WriteMetrics>,
        export: &Export,
        meter: Meter,
        clock: Clock,
    ) -> Self {
        Self { shelf, route, export: export.clone(), meter, clock, under_way: None }
    }

    /// What is left to send of the oldest snapshot that can still be delivered.
    fn left(&mut self) -> Result<Option<&UnderWay>> {
        loop {
            let Some((number, snapshot)) = self.shelf.oldest()? else {
                self.under_way = None;
                return Ok(None);
            };
            if is_too_old(self.clock, snapshot.at(), self.route.age_max) {
                self.meter.dropped("too_old", snapshot.readings.len() as u64);
                let is_told = self.under_way.as_ref().is_some_and(|begun| begun.number == number && begun.is_told);
                self.shelf.take(number, is_told)?;
                continue;
            }
            if self.under_way.as_ref().is_none_or(|under_way| under_way.number != number) {
                self.under_way = Some(self.begin(number, snapshot)?);
            }
            if self.under_way.as_ref().is_some_and(|under_way| under_way.done < under_way.readings.len()) {
                return Ok(self.under_way.as_ref());
            }
            self.shelf.take(number, true)?;
        }
    }

    fn begin(&self, number: u64, snapshot: Snapshot) -> Result<UnderWay> {
        let (since, readings) = if self.export.kind.wants_growth {
            let before = self.shelf.delivered()?;
            (before.as_ref().map(Snapshot::at), snapshot.growth(before.as_ref()))
        } else {
            (snapshot.since(), snapshot.readings.clone())
        };
        Ok(UnderWay { number, snapshot, since, readings, done: 0, is_told: false })
    }
}

impl Queue for Readings {
    fn first(&mut self, items_max: usize) -> Result<usize> {
        Ok(self.left()?.map_or(0, |under_way| (under_way.readings.len() - under_way.done).min(items_max)))
    }

    fn write(&self, items: usize) -> Vec<u8> {
        let Some(under_way) = &self.under_way else { return Vec::new() };
        let readings = &under_way.readings[under_way.done..][..items];
        (self.route.write)(&Metrics::of(&under_way.snapshot, under_way.since, readings), &self.export)
    }

    fn take(&mut self, items: usize, is_delivered: bool) -> Result<()> {
        let Some(under_way) = &mut self.under_way else { return Ok(()) };
        under_way.done += items;
        under_way.is_told |= is_delivered;
        if under_way.done >= under_way.readings.len() {
            self.shelf.take(under_way.number, under_way.is_told)?;
            self.under_way = None;
        }
        Ok(())
    }

    fn release(&mut self) {
        if self.under_way.as_ref().is_none_or(|under_way| under_way.done == 0) {
            self.shelf.release();
        }
    }

    fn waiting(&self) -> Result<Waiting> {
        let stock = self.shelf.stock();
        Ok(Waiting { items: stock.readings, bytes: stock.bytes })
    }
}

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
        Ok(Self { engine, choose, cursor, export: export.clone(), route, meter, clock, read: Vec::new(), cooling })
    }

    /// Passes over what is told too soon after the same.
    fn hold_back(&mut self) -> Result<()> {
        if self.export.kind.pick != Pick::Notices {
            return Ok(());
        }
        let cooldown = |told: &Told| self.export.cooldown.unwrap_or_default().max(told.cooldown);
        while let Some(first) = self.read.first().filter(|first| self.cooling.holds(first, cooldown(first))) {
            self.cooling.note(first, false);
            self.cursor.set_told(first.recorded.position + 1, &self.cooling)?;
            self.read.remove(0);
        }
        Ok(())
    }
}

impl Queue for Receipts {
    fn first(&mut self, items_max: usize) -> Result<usize> {
        self.hold_back()?;
        while self.read.is_empty() {
            let entries_max = self.route.items_max.max(ENTRIES_MIN);
            let mut read = self.engine.ledger().read(self.cursor.get()?.., entries_max)?;
            // What a receipt ends is looked for in the index, which gets it a moment after the ledger.
            let indexed = self.engine.index().applied()?;
            read.retain(|recorded| recorded.position < indexed);
            let Some(last) = read.last().map(|recorded| recorded.position) else { return Ok(0) };
            let all = read.len();
            read.retain(|recorded| !is_too_old(self.clock, recorded.occurred_at(), self.route.age_max));
            self.meter.dropped("too_old", (all - read.len()) as u64);
            let chosen = read.into_iter().map(|recorded| (self.choose)(&self.engine, recorded));
            self.read = chosen.filter_map(Result::transpose).collect::<Result<_>>()?;
            if self.read.is_empty() {
                self.cursor.set(last + 1)?;
            }
            self.hold_back()?;
        }
        Ok(self.read.len().min(items_max))
    }

    fn write(&self, items: usize) -> Vec<u8> {
        (self.route.write)(&self.read[..items], &self.export)
    }

    fn take(&mut self, items: usize, is_delivered: bool) -> Result<()> {
        if is_delivered && self.export.kind.pick == Pick::Notices {
            self.read[..items].iter().for_each(|told| self.meter.notified(told.recorded.recorded_at));
        }
        let Some(last) = self.read[..items].last() else { return Ok(()) };
        let next = last.recorded.position + 1;
        if is_delivered && self.export.kind.pick == Pick::Notices {
            self.read[..items].iter().for_each(|told| self.cooling.note(told, true));
            self.cursor.set_told(next, &self.cooling)?;
        } else {
            self.cursor.set(next)?;
        }
        self.read.drain(..items);
        Ok(())
    }

    fn release(&mut self) {}

    fn waiting(&self) -> Result<Waiting> {
        Ok(Waiting { items: self.engine.ledger().len()?.saturating_sub(self.cursor.get()?), bytes: 0 })
    }
}

fn is_too_old(clock: Clock, at: Timestamp, age_max: Option<TimeDelta>) -> bool {
    age_max.is_some_and(|age_max| clock.now().since(at) > age_max)
}
