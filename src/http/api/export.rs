//! `/v1/export`: receipts of a window as a document. `/v1/exports`: how the tools stand that naze pushes to.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use bytes::Bytes;
use serde_json::json;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc};
use tokio_stream::wrappers::ReceiverStream;

use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::export::dump::{self, Form, Selection};
use crate::export::push;
use crate::http::given::{refuse_others, window_of_all};
use crate::http::negotiate;
use crate::http::problem::{Problem, Reply};
use crate::http::work::blocking;

/// Dumps written at the same moment; others wait, and are then refused.
static DUMPS: Semaphore = Semaphore::const_new(4);
const DUMP_WITHIN: Duration = Duration::from_secs(10);
/// A client that takes nothing for so long is given up.
const TAKE_WITHIN: Duration = Duration::from_secs(30);
const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that wait for a client.
const CHUNKS_MAX: usize = 4;

/// How each export stands.
pub(super) async fn standings(State(engine): State<Arc<Engine>>) -> Reply {
    Ok(Json(json!({"exports": engine.exports().standings()})).into_response())
}

/// Sends a notice of nothing by a channel, and its end.
pub(super) async fn test(State(engine): State<Arc<Engine>>, Path(name): Path<String>) -> Reply {
    blocking(move || push::try_out(&engine, &name)).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The receipts that the parameters pick, in the form of `?format=` or `Accept`.
pub(super) async fn dump(
    State(engine): State<Arc<Engine>>,
    Query(mut given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    let form = form(given.remove("format").as_deref(), &headers)?;
    let selected = selection(&engine, &mut given)?;
    refuse_others(&given, "from, to, kind, component and format")?;
    let permit = tokio::time::timeout(DUMP_WITHIN, DUMPS.acquire()).await;
    let Ok(Ok(permit)) = permit else {
        return Err(Error::unavailable("too many dumps are being written").hint("try again in a minute").into());
    };
    let (chunks, body) = mpsc::channel(CHUNKS_MAX);
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let mut pipe = Pipe { chunks, runtime: Handle::current(), chunk: Vec::with_capacity(CHUNK_BYTES) };
        if let Err(error) = dump::write(engine.index(), &selected, form, &mut pipe) {
            tracing::warn!(%error, "a dump broke off");
            // The body ends as broken, so that nobody takes the part for the whole.
            drop(pipe.chunks.try_send(Err(io::Error::other("the dump broke off"))));
        }
    });
    let name = format!("attachment; filename=\"receipts.{}\"", form.extension());
    let headers = [(CONTENT_TYPE, form.media_type().to_owned()), (CONTENT_DISPOSITION, name)];
    Ok((headers, Body::from_stream(ReceiverStream::new(body))).into_response())
}

fn form(given: Option<&str>, headers: &HeaderMap) -> Result<Form, Problem> {
    if let Some(name) = given {
        return Ok(name.parse()?);
    }
    let bare = |form: Form| form.media_type().split(';').next().unwrap_or_default();
    let best = negotiate::best(headers, &Form::ALL.map(bare))?;
    Ok(Form::ALL.into_iter().find(|form| bare(*form) == best).expect("only these were offered"))
}

fn selection(engine: &Engine, given: &mut BTreeMap<String, String>) -> Result<Selection> {
    let window = window_of_all(given, engine.clock().now())?;
    let kinds = given.remove("kind").unwrap_or_default();
    let kinds: BTreeSet<String> = kinds.split(',').filter(|kind| !kind.is_empty()).map(str::to_owned).collect();
    if let Some(unknown) = kinds.iter().find(|kind| engine.vocabulary().kind(kind).is_none()) {
        let known: Vec<&str> = engine.vocabulary().kinds().map(|(name, _)| name).collect();
        return Err(
            Error::invalid(format!("kind \"{unknown}\" is unknown")).hint(format!("known are {}", known.join(", ")))
        );
    }
    Ok(Selection { window, kinds, component: given.remove("component") })
}

/// Hands what is written to the client, who sets the pace.
struct Pipe {
    chunks: mpsc::Sender<io::Result<Bytes>>,
    runtime: Handle,
    chunk: Vec<u8>,
}

impl Pipe {
    fn send(&mut self) -> io::Result<()> {
        let chunk = Bytes::from(std::mem::replace(&mut self.chunk, Vec::with_capacity(CHUNK_BYTES)));
        let sent = tokio::time::timeout(TAKE_WITHIN, self.chunks.send(Ok(chunk)));
        match self.runtime.block_on(sent) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(io::Error::other("the client is gone")),
            Err(_) => Err(io::Error::other("the client takes nothing")),
        }
    }
}

impl io::Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK_BYTES {
            self.send()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() { Ok(()) } else { self.send() }
    }
}
