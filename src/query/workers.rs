//! Ad-hoc queries in processes that can be killed.
//!
//! Text can make the evaluator overflow its stack, take memory without end, or overlook that it is cancelled (see
//! `query/guard.rs`). In a process of its own that costs the query and nothing else.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::adhoc::ANSWER_BYTES_MAX;
use super::worker::{Figured, Told, Work};
use super::{AdhocAnswer, AdhocFormat, Call, Limits, Meter, ProtocolDataset, evaluate};
use crate::error::{Context as _, Error, Result};
use crate::record::snapshot::Snapshots;
use crate::record::store::Index;

/// Workers at the same moment; more wait, until their deadline.
const WORKERS_MAX: usize = 4;
/// Longest line before the results, and longest complaint of a dying worker, in bytes.
const TOLD_BYTES_MAX: usize = 1 << 20;
/// How long a worker may take to end by itself after its deadline, so that it can say why.
const GRACE: Duration = Duration::from_millis(500);

/// The argument that makes naze a worker.
pub const ARGUMENT: &str = "query-worker";

/// Starts workers and hears them out.
pub struct Workers {
    program: PathBuf,
    snapshots: Snapshots,
    running: Mutex<usize>,
    ended: Condvar,
}

/// A place among the workers, given back at the end.
struct Place<'a>(&'a Workers);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        *self.0.count() -= 1;
        self.0.ended.notify_one();
    }
}

/// What was heard of a worker until it ended.
struct Heard {
    out: Vec<u8>,
    complaint: String,
}

impl Workers {
    /// Workers are `<program> query-worker`; copies of the index go to `folder`.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn new(program: PathBuf, folder: PathBuf) -> Result<Self> {
        Ok(Self { program, snapshots: Snapshots::new(folder)?, running: Mutex::new(0), ended: Condvar::new() })
    }

    /// Answers a query as [`super::adhoc`] does.
    ///
    /// # Errors
    /// The same, and `Unavailable` when the query took more memory than it may.
    pub fn answer(
        &self,
        index: &Index,
        text: &str,
        dataset: &ProtocolDataset,
        format: AdhocFormat,
        meter: &Meter,
        limits: &Limits,
    ) -> Result<AdhocAnswer> {
        let until = Instant::now() + limits.deadline;
        let _place = self.place(until, limits)?;
        let snapshot = self.snapshots.take(index)?;
        let left = until.saturating_duration_since(Instant::now());
        let work = Work {
            snapshot: snapshot.path().to_owned(),
            text: text.to_owned(),
            dataset: dataset.clone(),
            solutions: format.solutions.to_owned(),
            graph: format.graph.to_owned(),
            limits: Limits { deadline: left, ..limits.clone() },
        };
        let (heard, status) = run(&self.program, &work, meter, left + GRACE)?;
        read(heard, status, format, limits)
    }

    /// Waits for a place as long as the query may take.
    fn place(&self, until: Instant, limits: &Limits) -> Result<Place<'_>> {
        let left = until.saturating_duration_since(Instant::now());
        let waited = self.ended.wait_timeout_while(self.count(), left, |running| *running >= WORKERS_MAX);
        let (mut running, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if *running >= WORKERS_MAX {
            return Err(Error::unavailable(format!(
                "{WORKERS_MAX} ad-hoc queries are running, and none ended within {} s",
                limits.deadline.as_secs_f64()
            ))
            .hint("ask again in a second, or use a canned query"));
        }
        *running += 1;
        Ok(Place(self))
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has one worker do its work; it is dead when this returns.
fn run(program: &Path, work: &Work, meter: &Meter, at_most: Duration) -> Result<(Option<Heard>, ExitStatus)> {
    let mut command = Command::new(program);
    command.arg(ARGUMENT).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    // Memory that the allocator took before it is limited would be free to use: it takes it piece by piece instead.
    command.env("MIMALLOC_ARENA_EAGER_COMMIT", "0");
    let mut worker = command.spawn().internal(format!("cannot start {} for the query", program.display()))?;
    let heard = hear(&mut worker, work, meter, at_most);
    // Whatever went wrong: nothing of a query outlives its answer.
    if !matches!(heard, Ok(Some(_))) {
        drop(worker.kill());
    }
    let status = worker.wait().internal("cannot tell how the query ended")?;
    Ok((heard?, status))
}

/// `None` when it is late.
fn hear(worker: &mut Child, work: &Work, meter: &Meter, at_most: Duration) -> Result<Option<Heard>> {
    let (Some(stdin), Some(stdout), Some(stderr)) = (worker.stdin.take(), worker.stdout.take(), worker.stderr.take())
    else {
        return Err(Error::internal("a worker has no pipes"));
    };
    let (send, receive) = sync_channel(1);
    let mut asked = serde_json::to_vec(work).internal("cannot write the query")?;
    asked.push(b'\n');
    let mut talk =
        Talk { stdin, stdout: BufReader::new(stdout), meter: meter.clone(), until: Instant::now() + at_most };
    let listen = move || {
        // A pipe that breaks is the end of what there is to hear; the worker's status tells the rest.
        drop(talk.stdin.write_all(&asked));
        let out = talk.hear_out();
        let mut complaint = Vec::new();
        drop(stderr.take(TOLD_BYTES_MAX as u64).read_to_end(&mut complaint));
        drop(send.send(Heard { out, complaint: String::from_utf8_lossy(&complaint).into_owned() }));
    };
    std::thread::Builder::new()
        .name("naze-hear".into())
        .spawn(listen)
        .internal("cannot start a thread for the query")?;
    match receive.recv_timeout(at_most) {
        Ok(heard) => Ok(Some(heard)),
        Err(RecvTimeoutError::Timeout) => Ok(None),
        Err(RecvTimeoutError::Disconnected) => Err(Error::internal("the query met a defect")),
    }
}

/// A worker at work.
struct Talk {
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
    meter: Meter,
    until: Instant,
}

impl Talk {
    /// The line before the results, and the results; calls on the way are answered.
    fn hear_out(&mut self) -> Vec<u8> {
        loop {
            let mut out = Vec::new();
            drop(self.stdout.by_ref().take(TOLD_BYTES_MAX as u64).read_until(b'\n', &mut out));
            match serde_json::from_slice(&out) {
                // The thread must not outlive the worker by more than one call.
                Ok(Told::Call(call)) if Instant::now() < self.until => {
                    if self.answer(&call).is_err() {
                        return Vec::new();
                    }
                }
                _ => {
                    drop(self.stdout.by_ref().take(ANSWER_BYTES_MAX as u64).read_to_end(&mut out));
                    return out;
                }
            }
        }
    }

    fn answer(&mut self, call: &Call) -> std::io::Result<()> {
        let figured = match (self.meter)(call) {
            Ok(None) => Figured::Nothing,
            Ok(Some(told)) => {
                Figured::Value { value: told.value().to_owned(), datatype: told.datatype().as_str().to_owned() }
            }
            Err(error) => Figured::Error((&error).into()),
        };
        let mut line = serde_json::to_vec(&figured)?;
        line.push(b'\n');
        self.stdin.write_all(&line)
    }
}

fn read(heard: Option<Heard>, status: ExitStatus, format: AdhocFormat, limits: &Limits) -> Result<AdhocAnswer> {
    let Some(heard) = heard else { return Err(evaluate::too_late(limits.deadline)) };
    if !status.success() {
        return Err(cause_of_death(&heard.complaint, status, limits));
    }
    let damaged = "a worker's answer cannot be read";
    let end = heard.out.iter().position(|byte| *byte == b'\n').ok_or_else(|| Error::internal(damaged))?;
    match serde_json::from_slice(&heard.out[..end]).internal(damaged)? {
        Told::Answer { media_type, truncated } => {
            let is_graph = oxrdfio::RdfFormat::from_media_type(&media_type).is_some();
            let media_type = if is_graph { format.graph } else { format.solutions };
            Ok(AdhocAnswer { media_type, bytes: heard.out[end + 1..].to_vec(), truncated })
        }
        Told::Error(problem) => Err(problem.into()),
        Told::Call(_) => Err(Error::internal(damaged)),
    }
}

/// Why a worker ended without an answer.
fn cause_of_death(complaint: &str, status: ExitStatus, limits: &Limits) -> Error {
    tracing::warn!(%status, complaint, "an ad-hoc query ended its process");
    if complaint.contains("overflowed its stack") {
        return Error::invalid("the query is nested too deeply to be evaluated")
            .hint("ask in several smaller queries, or use a canned one");
    }
    if status.code().is_some() {
        return Error::internal("the query met a defect");
    }
    Error::unavailable(format!("the query needed more than {} MiB of memory", limits.memory_bytes_max >> 20))
        .hint("narrow its window, select fewer columns, or ask for fewer joins")
}
