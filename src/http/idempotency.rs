//! `Idempotency-Key`, as in draft-ietf-httpapi-idempotency-key-header-07: a request that is sent again under its key hears
//! the first answer.
//!
//! Receipts are named by their content, so sending them twice is harmless anyway; but an incident without a time takes
//! the present, and would be opened twice.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use chrono::TimeDelta;
use http_body_util::BodyExt as _;
use sha2::{Digest as _, Sha256};
use tracing::Instrument as _;

use super::body;
use super::problem::{Problem, Reply};
use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::error::{Context as _, Error, Result};

const HEADER: &str = "idempotency-key";
/// Tells that an answer is the one of an earlier request.
const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const KEY_CHARACTERS_MAX: usize = 255;
/// An answer is kept for so long, unless newer ones need its place.
const KEPT_FOR: TimeDelta = TimeDelta::hours(24);
/// Keys that are remembered at the same moment.
const KEYS_MAX: usize = 10_000;
/// Bytes of all answers that are remembered.
const ANSWERS_BYTES_MAX: usize = 32 << 20;

/// The engine, and the requests that came with a key.
#[derive(Clone)]
pub(super) struct Once {
    engine: Arc<Engine>,
    requests: Arc<Mutex<Requests>>,
}

impl Once {
    pub(super) fn new(engine: &Arc<Engine>) -> Self {
        Self { engine: Arc::clone(engine), requests: Arc::default() }
    }

    fn requests(&self) -> MutexGuard<'_, Requests> {
        self.requests.lock().expect("nobody panics while holding the requests")
    }
}

/// SHA-256 over the path and the key that was sent to it.
type Name = [u8; 32];
/// SHA-256 over a body and its media type.
type Fingerprint = [u8; 32];

/// Requests by name.
#[derive(Default)]
struct Requests {
    known: HashMap<Name, Known>,
    /// Those that were answered, the oldest first.
    answered: VecDeque<(Name, Timestamp)>,
    answers_bytes: usize,
}

struct Known {
    fingerprint: Fingerprint,
    /// `None` while the request is under way.
    answer: Option<Answer>,
}

#[derive(Clone)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    fn size_bytes(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.as_str().len() + value.len());
        self.body.len() + headers.sum::<usize>()
    }
}

impl Requests {
    /// The answer that was given already, or none if the request is to be answered now.
    fn begin(&mut self, name: Name, fingerprint: Fingerprint, now: Timestamp) -> Result<Option<Answer>, Problem> {
        while self.answered.front().is_some_and(|(_, at)| now.since(*at) >= KEPT_FOR) {
            self.forget_oldest();
        }
        match self.known.get(&name) {
            Some(known) if known.fingerprint != fingerprint => Err(other_body()),
            Some(Known { answer: Some(answer), .. }) => Ok(Some(answer.clone())),
            Some(_) => Err(Error::conflict("a request with this Idempotency-Key is under way")
                .hint("send it again in a moment to hear its answer")
                .into()),
            None => {
                if self.known.len() >= KEYS_MAX && !self.forget_oldest() {
                    let error =
                        Error::unavailable(format!("{KEYS_MAX} requests with an Idempotency-Key are under way"));
                    return Err(error.hint("send again in a second").into());
                }
                self.known.insert(name, Known { fingerprint, answer: None });
                Ok(None)
            }
        }
    }

    /// Keeps the answer of a request under way.
    fn end(&mut self, name: Name, answer: Answer, now: Timestamp) {
        let Some(known) = self.known.get_mut(&name) else { return };
        self.answers_bytes += answer.size_bytes();
        known.answer = Some(answer);
        self.answered.push_back((name, now));
        while self.answers_bytes > ANSWERS_BYTES_MAX && self.forget_oldest() {}
    }

    fn forget_oldest(&mut self) -> bool {
        let Some((name, _)) = self.answered.pop_front() else { return false };
        let forgotten = self.known.remove(&name).and_then(|known| known.answer);
        self.answers_bytes -= forgotten.map_or(0, |answer| answer.size_bytes());
        true
    }
}

fn other_body() -> Problem {
    let error = Error::invalid("this Idempotency-Key came with another body before")
        .hint("choose a new key for a new request, such as a UUID");
    Problem::with_status(StatusCode::UNPROCESSABLE_ENTITY, error)
}

/// Answers a POST with a key once, and again with the same answer.
pub(super) async fn answer_once(State(once): State<Once>, request: Request, next: Next) -> Reply {
    let Some(key) = key(request.headers())?.filter(|_| request.method() == Method::POST) else {
        return Ok(next.run(request).await);
    };
    let (parts, sent) = request.into_parts();
    let bytes = body::read(&parts.headers, sent, once.engine.config().limits.body_bytes_max, None).await?;
    let name = digest(parts.uri.path(), key.as_bytes());
    let fingerprint = digest(&body::media_type(&parts.headers), &bytes);
    if let Some(answer) = once.requests().begin(name, fingerprint, once.engine.clock().now())? {
        let mut response = answer.into_response();
        response.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        return Ok(response);
    }
    // In a task of its own, so that a client that goes away can come back for the answer.
    let under_way = UnderWay { once, name };
    let answering = async move {
        let response = next.run(Request::from_parts(parts, Body::from(bytes))).await;
        under_way.end(response).await
    };
    tokio::spawn(answering.in_current_span()).await.internal("naze met a defect")?
}

fn digest(text: &str, bytes: &[u8]) -> [u8; 32] {
    Sha256::new().chain_update(text).chain_update([0]).chain_update(bytes).finalize().into()
}

/// A request under way, which is forgotten when it ends without an answer worth keeping.
struct UnderWay {
    once: Once,
    name: Name,
}

impl UnderWay {
    async fn end(self, response: Response) -> Reply {
        let (parts, body) = response.into_parts();
        let body = body.collect().await.internal("cannot make the answer")?.to_bytes();
        let answer = Answer { status: parts.status, headers: parts.headers, body };
        // What was not naze's last word is worth another try.
        if !answer.status.is_server_error() {
            self.once.requests().end(self.name, answer.clone(), self.once.engine.clock().now());
        }
        Ok(answer.into_response())
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let mut requests = self.once.requests();
        if requests.known.get(&self.name).is_some_and(|known| known.answer.is_none()) {
            requests.known.remove(&self.name);
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        (self.status, self.headers, self.body).into_response()
    }
}

/// The key: a quoted string of RFC 9651, or bare, as many clients send it.
fn key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut sent = headers.get_all(HEADER).iter();
    let Some(value) = sent.next() else { return Ok(None) };
    let text = value.to_str().unwrap_or_default().trim();
    let key = if text.starts_with('"') { quoted(text) } else { Some(text.to_owned()) };
    let is_key = |key: &String| !key.is_empty() && key.len() <= KEY_CHARACTERS_MAX;
    match key.filter(is_key).filter(|_| sent.next().is_none()) {
        Some(key) => Ok(Some(key)),
        None => Err(Error::invalid(format!("the header Idempotency-Key {value:?} is not one key"))
            .hint(format!("send one string of 1 to {KEY_CHARACTERS_MAX} characters, such as \"8e03978e-40d5-43dd-bc93-6894a57f9324\""))
            .into()),
    }
}

/// What stands between quotes; parameters behind them mean nothing here.
fn quoted(text: &str) -> Option<String> {
    let mut key = String::new();
    let mut rest = text.strip_prefix('"')?.chars();
    loop {
        match rest.next()? {
            '"' => break,
            '\\' => key.push(rest.next().filter(|escaped| matches!(escaped, '"' | '\\'))?),
            other => key.push(other),
        }
    }
    let rest = rest.as_str().trim_start();
    (rest.is_empty() || rest.starts_with(';')).then_some(key)
}
