//! The worker: a process that answers one ad-hoc query over a copy of the index and ends.
//!
//! It reads a `Work` in JSON from standard input and writes one line of JSON, a `Told`, then the results. The kernel
//! holds it to its memory and its processor time, and [`super::workers`] kills it when it is late.

use std::io::{Read as _, Write as _};
use std::path::PathBuf;

use oxigraph::sparql::results::QueryResultsFormat;
use oxrdfio::RdfFormat;
use rustix::process::{Resource, Rlimit, setrlimit};
use serde::{Deserialize, Serialize};

use super::{AdhocFormat, Limits, ProtocolDataset, adhoc};
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

/// How it went, before the results.
#[derive(Debug, Serialize, Deserialize)]
pub(super) enum Told {
    /// The results follow.
    Answer {
        media_type: String,
        truncated: bool,
    },
    Error {
        kind: Kind,
        message: String,
        cause: Option<String>,
        hints: Vec<String>,
    },
}

/// Reads a `Work` from standard input, answers on standard output.
///
/// # Errors
/// `Internal` when nobody can be told what became of the query.
pub fn work() -> Result<()> {
    let mut asked = Vec::new();
    std::io::stdin().lock().read_to_end(&mut asked).internal("cannot read the query")?;
    let work: Work = serde_json::from_slice(&asked).internal("this is not for people: see naze sparql")?;
    let answer = confine(&work.limits).and_then(|()| answer(&work));
    let told = match &answer {
        Ok(answer) => Told::Answer { media_type: answer.media_type.to_owned(), truncated: answer.truncated },
        Err(error) => Told::Error {
            kind: error.kind(),
            message: error.message().to_owned(),
            cause: std::error::Error::source(error).map(ToString::to_string),
            hints: error.hints().to_vec(),
        },
    };
    let failed = "cannot tell the answer";
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &told).internal(failed)?;
    out.write_all(b"\n").internal(failed)?;
    out.write_all(&answer.map(|answer| answer.bytes).unwrap_or_default()).internal(failed)?;
    out.flush().internal(failed)
}

fn answer(work: &Work) -> Result<super::AdhocAnswer> {
    let unknown = || Error::internal("a form of results is unknown");
    let format = AdhocFormat {
        solutions: QueryResultsFormat::from_media_type(&work.solutions).ok_or_else(unknown)?.media_type(),
        graph: RdfFormat::from_media_type(&work.graph).ok_or_else(unknown)?.media_type(),
    };
    let index = Index::open_snapshot(&work.snapshot)?;
    adhoc(&index, &work.text, &work.dataset, format, &work.limits)
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
