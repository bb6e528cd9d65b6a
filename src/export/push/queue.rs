//! What waits for one tool, in order: here readings of the spool; receipts of the ledger in [`super::receipts`].

use chrono::TimeDelta;

use super::super::destination::{Export, Metrics, Route, WriteMetrics};
use super::super::reading::{Reading, Snapshot};
use super::board::{Meter, Waiting};
use super::spool::Shelf;
use crate::clock::{Clock, Timestamp};
use crate::error::Result;

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

pub(super) fn is_too_old(clock: Clock, at: Timestamp, age_max: Option<TimeDelta>) -> bool {
    age_max.is_some_and(|age_max| clock.now().since(at) > age_max)
}
