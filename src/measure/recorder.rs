//! The recorder: one thread that owns every change of the series, as the writer does for receipts.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::Samples;
use super::archive::Archive;
use super::store::{Batch, SeriesStore, packed};
use crate::clock::{Clock, Timestamp};
use crate::error::{Context as _, Error, Result};

/// Requests that may wait; more are asked to come again.
const QUEUE_JOBS_MAX: usize = 1_024;
/// Points that share one fsync.
const GROUP_POINTS_MAX: usize = 50_000;
/// The head is written this often, or when it has this many slots.
const FLUSH_EVERY: Duration = Duration::from_mins(1);
const HEAD_SLOTS_MAX: usize = 500_000;
/// Old minutes become hours this often.
const AGE_EVERY: Duration = Duration::from_hours(1);
/// Batches whose repetition is recognised.
const RECENT_BATCHES: usize = 20_000;
/// How far ahead a sender's clock may be.
const AHEAD_MAX: TimeDelta = TimeDelta::hours(1);

/// How long values are kept.
#[derive(Debug, Clone, Copy)]
pub struct Retention {
    /// By the minute.
    pub minutes: TimeDelta,
    /// By the hour.
    pub hours: TimeDelta,
}

impl Retention {
    /// The first moment that is kept by the minute.
    pub fn minutes_from(&self, now: Timestamp) -> Timestamp {
        now.checked_add(-self.minutes).unwrap_or(Timestamp::MIN)
    }

    fn hours_from(&self, now: Timestamp) -> Timestamp {
        now.checked_add(-self.hours).unwrap_or(Timestamp::MIN)
    }
}

/// What became of the points of a document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Measured {
    /// Points that are on disk now.
    pub recorded: u64,
    /// Points for which there is no room, or whose time cannot be.
    pub refused: u64,
    /// Why the first was refused.
    pub problem: Option<String>,
}

struct Job {
    samples: Vec<Samples>,
    /// May they be the same as before because somebody heard no answer?
    is_sent: bool,
    reply: oneshot::Sender<Result<Measured, Arc<Error>>>,
}

/// A handle to the recorder's thread. Dropping it writes what is queued, and stops.
pub struct Recorder {
    jobs: Option<SyncSender<Job>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts the thread.
    ///
    /// # Errors
    /// `Internal` when the journal cannot be read or the thread cannot be started.
    pub fn start(store: SeriesStore, clock: Clock, retention: Retention, archive: Option<Archive>) -> Result<Self> {
        let mut desk = Desk {
            next: 0,
            saved: store.len(),
            recent: Recent::default(),
            store,
            clock,
            retention,
            archive,
            flush_at: None,
            age_at: Instant::now(),
        };
        for entry in desk.store.journal()? {
            desk.recent.is_new(&entry);
            desk.next += 1;
            desk.flush_at = Some(Instant::now() + FLUSH_EVERY);
        }
        let (jobs, queue) = sync_channel(QUEUE_JOBS_MAX);
        let thread = std::thread::Builder::new()
            .name("naze-recorder".into())
            .spawn(move || desk.work(&queue))
            .internal("cannot start the recorder's thread")?;
        Ok(Self { jobs: Some(jobs), thread: Some(thread) })
    }

    /// Hands the samples of a document over; the answer arrives when they are on disk and can be read. Of a document that
    /// somebody sent a repetition is recognised; what naze itself counts is as often there as it is told.
    ///
    /// # Errors
    /// `Unavailable` when too many requests wait already.
    pub fn record(
        &self,
        samples: Vec<Samples>,
        is_sent: bool,
    ) -> Result<oneshot::Receiver<Result<Measured, Arc<Error>>>> {
        let (reply, answer) = oneshot::channel();
        let jobs = self.jobs.as_ref().expect("jobs are there until drop");
        match jobs.try_send(Job { samples, is_sent, reply }) {
            Ok(()) => Ok(answer),
            Err(TrySendError::Full(_)) => {
                Err(Error::unavailable(format!("{QUEUE_JOBS_MAX} requests wait to be recorded"))
                    .hint("send again in a second"))
            }
            Err(TrySendError::Disconnected(_)) => {
                Err(Error::unavailable("the recorder has stopped").hint("see the log; restart naze"))
            }
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the recorder's thread panicked");
        }
    }
}

struct Desk {
    store: SeriesStore,
    clock: Clock,
    retention: Retention,
    /// Where hours go that are no longer kept; without one they go for good.
    archive: Option<Archive>,
    /// Place of the next entry in the journal.
    next: u64,
    /// How many series are on disk.
    saved: u32,
    recent: Recent,
    flush_at: Option<Instant>,
    age_at: Instant,
}

impl Desk {
    fn work(&mut self, queue: &Receiver<Job>) {
        loop {
            let next = self.flush_at.map_or(self.age_at, |flush_at| flush_at.min(self.age_at));
            match queue.recv_timeout(next.saturating_duration_since(Instant::now())) {
                Ok(job) => self.write_group(gather(job, queue)),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let is_time = self.flush_at.is_some_and(|at| at <= Instant::now());
            if is_time || self.store.head_slots() > HEAD_SLOTS_MAX {
                self.flush();
            }
            if self.age_at <= Instant::now() {
                self.age();
            }
        }
        self.flush();
    }

    fn write_group(&mut self, jobs: Vec<Job>) {
        let minutes_from = self.retention.minutes_from(self.clock.now());
        let mut group = Group::default();
        let measured: Vec<Measured> = jobs.iter().map(|job| self.sort(job, &mut group)).collect();
        let known = self.store.len();
        let written = self.store.append(self.next, &group.entries, self.saved..known).map_err(Arc::new);
        match &written {
            Ok(()) => {
                self.saved = known;
                self.next += group.entries.len() as u64;
                group.batches.iter().for_each(|batch| self.store.take(batch, minutes_from));
                self.flush_at.get_or_insert_with(|| Instant::now() + FLUSH_EVERY);
            }
            Err(error) => {
                tracing::error!(%error, "cannot record samples");
                group.entries.iter().for_each(|entry| self.recent.forget(entry));
            }
        }
        for (job, measured) in jobs.into_iter().zip(measured) {
            // The client may have gone away; its samples are recorded all the same.
            drop(job.reply.send(written.clone().map(|()| measured)));
        }
    }

    /// Gives each series its number and leaves out what cannot be kept.
    fn sort(&mut self, job: &Job, group: &mut Group) -> Measured {
        let latest = self.clock.now().checked_add(AHEAD_MAX).unwrap_or(Timestamp::MAX);
        let mut measured = Measured::default();
        let refuse = |measured: &mut Measured, count: usize, problem: String| {
            measured.refused += count as u64;
            measured.problem.get_or_insert(problem);
        };
        let mut batch = Batch::default();
        let mut catalogue = self.store.catalogue_mut();
        for samples in &job.samples {
            let Some(number) = catalogue.number(samples) else {
                let problem = format!("there is no room for another series of {}", samples.series.metric);
                refuse(&mut measured, samples.points.len(), problem);
                continue;
            };
            let is_possible = |at: Timestamp| at.micros() >= 0 && at <= latest;
            let points: Vec<_> = samples.points.iter().filter(|point| is_possible(point.at)).map(packed).collect();
            let impossible = samples.points.len() - points.len();
            if impossible > 0 {
                refuse(
                    &mut measured,
                    impossible,
                    format!("a time of {} is not before {latest}", samples.series.metric),
                );
            }
            measured.recorded += points.len() as u64;
            batch.0.push((number, points));
        }
        drop(catalogue);
        let bytes = postcard::to_allocvec(&batch).expect("numbers can be written");
        // A sender that heard no answer sends the same again.
        if measured.recorded > 0 && (!job.is_sent || self.recent.is_new(&bytes)) {
            group.entries.push(bytes);
            group.batches.push(batch);
        }
        measured
    }

    fn flush(&mut self) {
        self.flush_at = None;
        match self.store.flush() {
            Ok(()) => self.next = 0,
            Err(error) => {
                tracing::error!(%error, "cannot write series; they stay in the journal");
                self.flush_at = Some(Instant::now() + FLUSH_EVERY);
            }
        }
    }

    fn age(&mut self) {
        let now = self.clock.now();
        let (minutes_from, hours_from) = (self.retention.minutes_from(now), self.retention.hours_from(now));
        match self.store.age(minutes_from, hours_from, self.archive.as_ref()) {
            Ok(0) => self.age_at = Instant::now() + AGE_EVERY,
            // There is more to do; who waits goes first.
            Ok(_) => {}
            Err(error) => {
                tracing::error!(%error, "cannot age series");
                self.age_at = Instant::now() + AGE_EVERY;
            }
        }
    }
}

/// What one transaction writes.
#[derive(Default)]
struct Group {
    entries: Vec<Vec<u8>>,
    batches: Vec<Batch>,
}

/// The batches that came last, by their hashes.
#[derive(Default)]
struct Recent {
    known: HashSet<[u8; 16]>,
    order: VecDeque<[u8; 16]>,
}

impl Recent {
    fn is_new(&mut self, bytes: &[u8]) -> bool {
        let hash = hash(bytes);
        if !self.known.insert(hash) {
            return false;
        }
        self.order.push_back(hash);
        if self.order.len() > RECENT_BATCHES
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    fn forget(&mut self, bytes: &[u8]) {
        let hash = hash(bytes);
        self.known.remove(&hash);
        self.order.retain(|known| *known != hash);
    }
}

fn hash(bytes: &[u8]) -> [u8; 16] {
    let mut short = [0; 16];
    short.copy_from_slice(&Sha256::digest(bytes)[..16]);
    short
}

fn gather(first: Job, queue: &Receiver<Job>) -> Vec<Job> {
    let size = |job: &Job| job.samples.iter().map(|samples| samples.points.len()).sum::<usize>();
    let mut points = size(&first);
    let mut jobs = vec![first];
    while points < GROUP_POINTS_MAX
        && let Ok(job) = queue.try_recv()
    {
        points += size(&job);
        jobs.push(job);
    }
    jobs
}
