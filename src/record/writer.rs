//! The writer: one thread that owns every mutation of ledger and index.
//!
//! Requests that wait at the same moment share one fsync and one commit.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::Recorded;
use super::ledger::{Ledger, Source};
use super::store::Index;
use crate::clock::Clock;
use crate::error::{Context as _, Error, Result};
use crate::receipt::{Receipt, ReceiptId};
use crate::telemetry::Telemetry;

/// Requests that may wait for the writer; more are refused with "try again".
const QUEUE_JOBS_MAX: usize = 1_024;
/// Receipts that share one fsync.
const GROUP_RECEIPTS_MAX: usize = 2_000;
/// The index is flushed this long after the first write that needs it, so that a restart replays little.
const FLUSH_AFTER: Duration = Duration::from_mins(1);
/// Entries replayed at a time when the index lags behind the ledger.
const REPLAY_ENTRIES: usize = 10_000;

/// An accepted receipt on its way into the ledger.
#[derive(Debug, Clone)]
pub struct Accepted {
    /// Its content hash.
    pub id: ReceiptId,
    /// What was sent.
    pub receipt: Receipt,
    /// The sender's own name for this fact.
    pub key: Option<String>,
}

/// What became of an accepted receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// It is new, and now on disk.
    Recorded(ReceiptId),
    /// It was there already, under this id.
    Duplicate(ReceiptId),
}

struct Job {
    accepted: Vec<Accepted>,
    source: Source,
    reply: oneshot::Sender<Result<Vec<Written>, Arc<Error>>>,
}

/// A handle to the writer thread. Dropping it writes what is queued, flushes and stops.
pub struct Writer {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Brings the index up to the ledger and starts the thread.
    pub fn start(ledger: Ledger, index: Index, clock: Clock, telemetry: Telemetry) -> Result<Self> {
        let mut desk =
            Desk { next: ledger.len()?, applied: index.applied()?, ledger, index, clock, telemetry, flush_at: None };
        desk.catch_up()?;
        let (jobs, queue) = sync_channel(QUEUE_JOBS_MAX);
        let thread = std::thread::Builder::new()
            .name("naze-writer".into())
            .spawn(move || desk.work(&queue))
            .internal("cannot start the writer thread")?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Hands receipts from one document to the writer.
    ///
    /// The answer arrives when all of them are on disk and can be queried.
    ///
    /// # Errors
    /// `Unavailable` when too many requests wait already.
    pub fn write(
        &self,
        accepted: Vec<Accepted>,
        source: Source,
    ) -> Result<oneshot::Receiver<Result<Vec<Written>, Arc<Error>>>> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().expect("jobs are there until drop");
        match jobs.try_send(Job { accepted, source, reply }) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => {
                Err(Error::unavailable(format!("{QUEUE_JOBS_MAX} requests wait to be recorded"))
                    .hint("send again in a second"))
            }
            Err(TrySendError::Disconnected(_)) => {
                Err(Error::unavailable("the writer has stopped").hint("see the log; restart naze"))
            }
        }
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the writer thread panicked");
        }
    }
}

/// What the writer thread works with.
struct Desk {
    ledger: Ledger,
    index: Index,
    clock: Clock,
    telemetry: Telemetry,
    next: u64,
    applied: u64,
    flush_at: Option<Instant>,
}

impl Desk {
    fn work(&mut self, queue: &Receiver<Job>) {
        loop {
            let wait = self.flush_at.map_or(FLUSH_AFTER, |at| at.saturating_duration_since(Instant::now()));
            match queue.recv_timeout(wait) {
                Ok(job) => self.write_group(gather(job, queue)),
                Err(RecvTimeoutError::Timeout) => self.flush(),
                Err(RecvTimeoutError::Disconnected) => break,
            }
            if self.flush_at.is_some_and(|at| at <= Instant::now()) {
                self.flush();
            }
        }
        self.flush();
    }

    fn flush(&mut self) {
        if self.flush_at.take().is_some()
            && let Err(error) = self.index.flush()
        {
            tracing::error!(%error, "cannot flush the index; it will be replayed from the ledger if power fails");
        }
    }

    fn write_group(&mut self, jobs: Vec<Job>) {
        let result = self.write_jobs(&jobs).map_err(Arc::new);
        if let Err(error) = &result {
            tracing::error!(%error, "cannot record");
        }
        let mut written = result.map(IntoIterator::into_iter);
        for job in jobs {
            let answer = match &mut written {
                Ok(written) => Ok(written.next().expect("one answer per job")),
                Err(error) => Err(Arc::clone(error)),
            };
            // The client may have gone away; its receipts are recorded all the same.
            drop(job.reply.send(answer));
        }
    }

    fn write_jobs(&mut self, jobs: &[Job]) -> Result<Vec<Vec<Written>>> {
        self.catch_up()?;
        let mut group = Group::default();
        let recorded_at = self.clock.now();
        let written = jobs
            .iter()
            .map(|job| {
                let source = job.source.hash();
                job.accepted
                    .iter()
                    .map(|accepted| {
                        if let Some(id) = group
                            .known(accepted)
                            .map_or_else(|| self.index.known(accepted.id, accepted.key.as_deref()), |id| Ok(Some(id)))?
                        {
                            return Ok(Written::Duplicate(id));
                        }
                        group.add(Recorded {
                            id: accepted.id,
                            receipt: accepted.receipt.clone(),
                            recorded_at,
                            position: self.next + group.receipts.len() as u64,
                            source,
                            key: accepted.key.clone(),
                        });
                        Ok(Written::Recorded(accepted.id))
                    })
                    .collect::<Result<Vec<_>>>()
            })
            .collect::<Result<Vec<_>>>()?;
        if group.receipts.is_empty() {
            return Ok(written);
        }
        let sources: Vec<&Source> = jobs
            .iter()
            .zip(&written)
            .filter(|(_, written)| written.iter().any(|written| matches!(written, Written::Recorded(_))))
            .map(|(job, _)| &job.source)
            .collect();
        let started = Instant::now();
        self.ledger.append(&group.receipts, &sources)?;
        self.telemetry.ledger_committed(group.receipts.len(), started.elapsed());
        self.next += group.receipts.len() as u64;
        self.apply(&group.receipts);
        Ok(written)
    }

    /// The receipts are safe in the ledger; if the index fails now, the next write catches up first.
    fn apply(&mut self, receipts: &[Recorded]) {
        let started = Instant::now();
        match self.index.apply(receipts, self.next) {
            Ok(()) => {
                self.applied = self.next;
                self.telemetry.index_applied(started.elapsed());
                self.flush_at.get_or_insert_with(|| Instant::now() + FLUSH_AFTER);
            }
            Err(error) => tracing::error!(%error, "the index lags behind the ledger"),
        }
        self.telemetry.positions(self.next, self.applied);
    }

    fn catch_up(&mut self) -> Result<()> {
        if self.applied > self.next {
            return Err(Error::conflict(format!(
                "the index has {} entries applied, the ledger holds {}",
                self.applied, self.next
            ))
            .hint("the index belongs to another ledger: run `naze rebuild`"));
        }
        while self.applied < self.next {
            let entries = self.ledger.read(self.applied.., REPLAY_ENTRIES)?;
            let applied = self.applied + entries.len() as u64;
            self.index.apply(&entries, applied)?;
            self.applied = applied;
            self.flush_at.get_or_insert_with(|| Instant::now() + FLUSH_AFTER);
        }
        self.telemetry.positions(self.next, self.applied);
        Ok(())
    }
}

/// New receipts of one commit, with what makes them known to those after them.
#[derive(Default)]
struct Group {
    receipts: Vec<Recorded>,
    ids: HashMap<ReceiptId, ReceiptId>,
    keys: HashMap<String, ReceiptId>,
}

impl Group {
    fn known(&self, accepted: &Accepted) -> Option<ReceiptId> {
        let by_key = || accepted.key.as_ref().and_then(|key| self.keys.get(key));
        self.ids.get(&accepted.id).or_else(by_key).copied()
    }

    fn add(&mut self, recorded: Recorded) {
        self.ids.insert(recorded.id, recorded.id);
        if let Some(key) = &recorded.key {
            self.keys.insert(key.clone(), recorded.id);
        }
        self.receipts.push(recorded);
    }
}

fn gather(first: Job, queue: &Receiver<Job>) -> Vec<Job> {
    let mut receipts = first.accepted.len();
    let mut jobs = vec![first];
    while receipts < GROUP_RECEIPTS_MAX
        && let Ok(job) = queue.try_recv()
    {
        receipts += job.accepted.len();
        jobs.push(job);
    }
    jobs
}
