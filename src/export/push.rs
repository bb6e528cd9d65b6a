//! Pushing: readings of the metrics every few seconds, and receipts as they are recorded.
//!
//! Each signal of each export has a thread of its own, so that no tool waits for another, and recording for none. Readings
//! wait in the spool, receipts in the ledger, where they are anyway; both are forgotten there only when the tool has
//! taken them or never will. What was under way when naze was killed is sent again.

mod append;
mod board;
mod lane;
mod mail;
mod post;
mod queue;
mod receipts;
mod spool;
mod trial;
mod way;

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

pub use self::board::{Board, Signal, Standing};
pub use self::trial::try_out;

use self::board::Meter;
use self::lane::Lane;
use self::queue::Readings;
use self::receipts::{Choose, Receipts};
use self::spool::Spool;
use super::destination::Export;
use super::notice;
use super::otlp::spans::began_at;
use super::reading::Snapshot;
use super::told::{Pick, Told};
use crate::engine::Engine;
use crate::error::{Context as _, Result};
use crate::record::Recorded;

/// At the end, what waits is sent for so long; the rest stays on disk.
const FLUSH_WITHIN: Duration = Duration::from_secs(5);

/// The threads that push.
pub struct Pushing {
    stop: Arc<Stop>,
    collectors: Vec<JoinHandle<()>>,
    flush: Arc<Stop>,
    lanes: Vec<JoinHandle<()>>,
}

/// Starts pushing to every export of the configuration.
///
/// # Errors
/// `Invalid` when one is configured wrongly, `Internal` when the spool cannot be opened.
pub fn start(engine: &Arc<Engine>) -> Result<Pushing> {
    let mut pushing =
        Pushing { stop: Arc::default(), collectors: Vec::new(), flush: Arc::default(), lanes: Vec::new() };
    let exports = &engine.config().exports;
    if exports.is_empty() {
        return Ok(pushing);
    }
    for (name, export) in exports {
        export.check(name)?;
    }
    let spool = Spool::open(engine.config().data.as_deref())?;
    for (name, export) in exports {
        if let Err(error) = pushing.add(engine, &spool, name, export) {
            pushing.stop();
            return Err(error);
        }
    }
    Ok(pushing)
}

impl Pushing {
    fn add(&mut self, engine: &Arc<Engine>, spool: &Spool, name: &str, export: &Export) -> Result<()> {
        let lane = |signal| {
            let meter = Meter::new(engine, name, signal);
            (meter.clone(), Lane::new(export, meter, Arc::clone(&self.flush), engine.clock()))
        };
        if let Some(route) = export.metrics() {
            let (meter, sending) = lane(Signal::Metrics);
            let shelf = spool.shelf(name, export.spool_bytes_max)?;
            let queue = Readings::new(shelf.clone(), route, export, meter.clone(), engine.clock());
            let (engine, stop, every) = (Arc::clone(engine), Arc::clone(&self.stop), export.interval_seconds);
            let collect = move || {
                loop {
                    // What is told at the end is the last reading.
                    let is_over = stop.wait(Duration::from_secs(every));
                    if let Err(error) = collect(&engine, &shelf, &meter) {
                        tracing::error!(export = meter.name(), %error, "cannot read the metrics for an export");
                    }
                    if is_over {
                        break;
                    }
                }
            };
            self.collectors.push(thread(name, "read", collect)?);
            self.lanes.push(thread(name, "metrics", move || sending.run(queue, route))?);
        }
        if let Some(route) = export.receipts() {
            let (meter, sending) = lane(Signal::Receipts);
            let cursor = spool.cursor(name, || engine.ledger().len())?;
            let queue = Receipts::new(Arc::clone(engine), receipts_for(export), cursor, export, route, meter)?;
            self.lanes.push(thread(name, "receipts", move || sending.run(queue, route))?);
        }
        if let Some(route) = export.traces() {
            let (meter, sending) = lane(Signal::Traces);
            let cursor = spool.cursor(&format!("{name}/traces"), || engine.ledger().len())?;
            let queue = Receipts::new(Arc::clone(engine), Box::new(span_of), cursor, export, route, meter)?;
            self.lanes.push(thread(name, "traces", move || sending.run(queue, route))?);
        }
        Ok(())
    }

    /// Takes a last reading and sends what waits, for a few seconds at most. What cannot be sent waits for the next start.
    pub fn stop(self) {
        self.stop.now();
        let end = Instant::now() + FLUSH_WITHIN;
        join(self.collectors, end);
        self.flush.now();
        if !join(self.lanes, end) {
            tracing::warn!("exports are still under way; what they have not sent yet waits on disk");
        }
    }
}

/// Chooses the receipts that a tool takes.
fn receipts_for(export: &Export) -> Choose {
    let export = export.clone();
    Box::new(move |engine, recorded| {
        let Some(told) = engine.chosen(export.kind.pick, recorded)? else { return Ok(None) };
        Ok(Some(told).filter(|told| export.kind.pick != Pick::Notices || notice::is_wanted(told, &export)))
    })
}

/// Chooses what has a beginning and an end.
fn span_of(engine: &Engine, recorded: Recorded) -> Result<Option<Told>> {
    Ok(engine.chosen(Pick::Ends, recorded)?.filter(|told| began_at(told).is_some()))
}

/// Puts a reading of all metrics where it waits; none while naze still reads the ledger for them.
fn collect(engine: &Engine, shelf: &spool::Shelf, meter: &Meter) -> Result<()> {
    let mut families = engine.metrics()?;
    if families.is_empty() {
        return Ok(());
    }
    families.extend(engine.telemetry().families());
    let since = engine.ledger().read(0.., 1)?.first().map(|first| first.recorded_at);
    let snapshot = Snapshot::of(&families, engine.clock().now(), since);
    let forgotten = shelf.put(&snapshot)?;
    meter.dropped("spool_full", forgotten);
    Ok(())
}

fn thread(export: &str, what: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    let name = format!("naze-{what}-{export}");
    std::thread::Builder::new().name(name).spawn(work).internal("cannot start an export's thread")
}

/// Waits until `end` for threads to end; returns whether all did.
fn join(threads: Vec<JoinHandle<()>>, end: Instant) -> bool {
    const LOOK_EVERY: Duration = Duration::from_millis(10);
    while threads.iter().any(|thread| !thread.is_finished()) {
        if Instant::now() >= end {
            return false;
        }
        std::thread::sleep(LOOK_EVERY);
    }
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("an export's thread panicked");
        }
    }
    true
}

/// A sign to stop, and a wait that it ends.
#[derive(Default)]
struct Stop {
    is_over: Mutex<bool>,
    changed: Condvar,
}

impl Stop {
    fn now(&self) {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn is_over(&self) -> bool {
        *self.is_over.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits; returns whether it is over.
    fn wait(&self, time: Duration) -> bool {
        let is_over = self.is_over.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(is_over, time, |is_over| !*is_over);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// How each signal of each export stands, before anything is pushed.
pub fn board(exports: &BTreeMap<String, Export>) -> Board {
    Board::new(exports)
}
