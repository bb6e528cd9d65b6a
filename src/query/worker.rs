//! The worker: a process that answers one ad-hoc query over a copy of the index and ends.
//!
//! It reads a line of JSON from standard input, a `Work`, and writes a line of JSON, a `Told`, then the results. Series are
//! not in the copy: for each figure of them it writes a line with a `Call` and reads a line with the answer. The kernel
//! holds it to its memory and its processor time, and [`super::workers`] kills it when it is late.

use std::io::{BufRead as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use oxigraph::sparql::results::QueryResultsFormat;
use oxrdf::{Literal, NamedNode};
use oxrdfio::RdfFormat;
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::{AdhocFormat, Call, Limits, ProtocolDataset, adhoc};
use crate::error::{Context as _, Error, Kind, Result};
use crate::record::store::Index;

/// Memory of a worker before it has done anything: the stack of the evaluating thread, reserved whole, and the store.
const OVERHEAD_BYTES: u64 = 512 << 20;

/// What a worker is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Work {
    pub(super) snapshot: PathBuf,
    pub(super) text: String,
    pub(super) dataset: ProtocolDataset,
    pub(super) solutions: String,
    pub(super) graph: String,
    pub(super) limits: Limits,
}

/// A line of a worker.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// It waits for an answer.
    Call(Call),
    /// The results follow.
    Answer {
        media_type: String,
        truncated: bool,
    },
    Error(Problem),
}

/// The answer to a call.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Figured {
    Nothing,
    /// A literal in the form it is to have, so that no digit is lost.
    Value {
        value: String,
        datatype: String,
    },
    Error(Problem),
}

/// An error on its way between processes.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Problem {
    kind: Kind,
    message: String,
    cause: Option<String>,
    hints: Vec<String>,
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind(),
            message: error.message().to_owned(),
            cause: std::error::Error::source(error).map(ToString::to_string),
            hints: error.hints().to_vec(),
        }
    }
}

impl From<Problem> for Error {
    fn from(problem: Problem) -> Self {
        let error = problem.hints.into_iter().fold(Self::new(problem.kind, problem.message), Self::hint);
        match problem.cause {
            Some(cause) => error.because(cause),
            None => error,
        }
    }
}

/// Reads a `Work` from standard input, answers on standard output.
///
/// # Errors
/// `Internal` when nobody can be told what became of the query.
pub fn work() -> Result<()> {
    let work: Work = hear("cannot read the query")?;
    let answer = confine(&work.limits).and_then(|()| answer(&work));
    tell(&match &answer {
        Ok(answer) => Told::Answer { media_type: answer.media_type.to_owned(), truncated: answer.truncated },
        Err(error) => Told::Error(error.into()),
    })?;
    let failed = "cannot tell the answer";
    let mut out = std::io::stdout().lock();
    out.write_all(&answer.map(|answer| answer.bytes).unwrap_or_default()).internal(failed)?;
    out.flush().internal(failed)
}

fn hear<T: for<'de> Deserialize<'de>>(failed: &str) -> Result<T> {
    let mut line = String::new();
    std::io::stdin().lock().read_line(&mut line).internal(failed)?;
    serde_json::from_str(&line).internal(format!("{failed}; this is not for people: see naze sparql"))
}

fn tell(told: &Told) -> Result<()> {
    let failed = "cannot tell what became of the query";
    let mut line = serde_json::to_vec(told).internal(failed)?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line).and_then(|()| out.flush()).internal(failed)
}

/// Has whoever started this process answer a call.
fn ask(call: &Call) -> Result<Option<Literal>> {
    tell(&Told::Call(call.clone()))?;
    match hear("cannot read what a function tells")? {
        Figured::Nothing => Ok(None),
        Figured::Value { value, datatype } => {
            let datatype = NamedNode::new(datatype).internal("a function's datatype is no IRI")?;
            Ok(Some(Literal::new_typed_literal(value, datatype)))
        }
        Figured::Error(problem) => Err(problem.into()),
    }
}

fn answer(work: &Work) -> Result<super::AdhocAnswer> {
    let unknown = || Error::internal("a form of results is unknown");
    let format = AdhocFormat {
        solutions: QueryResultsFormat::from_media_type(&work.solutions).ok_or_else(unknown)?.media_type(),
        graph: RdfFormat::from_media_type(&work.graph).ok_or_else(unknown)?.media_type(),
    };
    let index = Index::open_snapshot(&work.snapshot)?;
    adhoc(&index, &work.text, &work.dataset, format, Arc::new(ask), &work.limits)
}

/// Gives away what an honest query does not need. Memory that cannot be had ends the process.
fn confine(limits: &Limits) -> Result<()> {
    let at_most = |resource, most| {
        let limit = Rlimit { current: Some(most), maximum: Some(most) };
        setrlimit(resource, limit).internal("cannot limit the worker")
    };
    at_most(Resource::Data, limits.memory_bytes_max.saturating_add(OVERHEAD_BYTES))?;
    // Should the parent be killed, nobody else ends this process.
    at_most(Resource::Cpu, limits.deadline.as_secs() + 2)?;
    at_most(Resource::Core, 0)
}
