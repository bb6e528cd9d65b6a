//! A tool of a vendor: takes what its contract allows, notes what breaks it, and fails on demand.

use std::collections::VecDeque;
use std::io::Read as _;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Response};

/// What the vendor's documentation demands of a request; the status and body of success, or what is wrong.
pub(super) type Contract = fn(&Seen) -> Result<(u16, Vec<u8>), String>;

/// How the next request is answered, whatever it is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Mood {
    /// With this status.
    Status(u16),
    /// With this status, and `Retry-After`.
    After(u16, String),
    /// By this status and body.
    Says(u16, Vec<u8>),
    /// Not at all, for a while.
    Silent(Duration),
    /// It is taken, but nobody hears so.
    TakesSilently(Duration),
    /// Only the larger of the two limits of size.
    AtMost(usize),
}

/// A request, as it was answered.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) path: String,
    pub(super) headers: HeaderMap,
    pub(super) packed_bytes: usize,
    /// Without its compression.
    pub(super) body: Vec<u8>,
    pub(super) at: Instant,
    pub(super) status: u16,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

#[derive(Default)]
struct Notes {
    seen: Vec<Seen>,
    moods: VecDeque<Mood>,
    broken: Vec<String>,
}

/// It ends with the test.
pub(super) struct Tool {
    pub(super) url: String,
    pub(super) port: u16,
    notes: Arc<Mutex<Notes>>,
    _runtime: tokio::runtime::Runtime,
}

impl Tool {
    pub(super) fn start(contract: Contract) -> Self {
        Self::at(0, contract)
    }

    /// At a port that is free again.
    pub(super) fn at(port: u16, contract: Contract) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let notes = Arc::new(Mutex::new(Notes::default()));
        let listener = runtime.block_on(tokio::net::TcpListener::bind(("127.0.0.1", port))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let kept = Arc::clone(&notes);
        let router = Router::new().fallback(move |uri: Uri, headers: HeaderMap, body: Bytes| {
            let notes = Arc::clone(&kept);
            async move { answer(&notes, contract, &uri, headers, &body).await }
        });
        runtime.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url: format!("http://127.0.0.1:{port}"), port, notes, _runtime: runtime }
    }

    /// How the next requests are answered.
    pub(super) fn will(&self, moods: impl IntoIterator<Item = Mood>) {
        self.notes.lock().unwrap().moods.extend(moods);
    }

    /// From now on as the contract says.
    pub(super) fn behave(&self) {
        self.notes.lock().unwrap().moods.clear();
    }

    /// Everything it was sent.
    pub(super) fn seen(&self) -> Vec<Seen> {
        self.notes.lock().unwrap().seen.clone()
    }

    /// What it took at this path.
    #[track_caller]
    pub(super) fn taken(&self, path: &str) -> Vec<Seen> {
        let notes = self.notes.lock().unwrap();
        assert_eq!(notes.broken, Vec::<String>::new(), "the contract");
        notes.seen.iter().filter(|seen| seen.path == path && (200..300).contains(&seen.status)).cloned().collect()
    }
}

async fn answer(notes: &Mutex<Notes>, contract: Contract, uri: &Uri, headers: HeaderMap, packed: &[u8]) -> Response {
    let at = Instant::now();
    let body = unpacked(&headers, packed);
    let mut seen = Seen { path: uri.path().to_owned(), headers, packed_bytes: packed.len(), body, at, status: 0 };
    let judged = contract(&seen);
    let mood = {
        let mut notes = notes.lock().unwrap();
        if let Err(why) = &judged {
            notes.broken.push(format!("{}: {why}", seen.path));
        }
        notes.moods.pop_front()
    };
    let (status, body) = judged.unwrap_or_else(|why| (400, why.into_bytes()));
    let mut after = None;
    let (status, body) = match &mood {
        None => (status, body),
        Some(Mood::Status(status)) => (*status, b"as asked".to_vec()),
        Some(Mood::Says(status, body)) => (*status, body.clone()),
        Some(Mood::After(status, wait)) => {
            after = Some(wait.clone());
            (*status, Vec::new())
        }
        Some(Mood::Silent(_)) => (0, Vec::new()),
        Some(Mood::TakesSilently(_)) => (status, body),
        Some(Mood::AtMost(bytes)) => {
            notes.lock().unwrap().moods.push_front(Mood::AtMost(*bytes));
            if seen.body.len() > *bytes { (413, Vec::new()) } else { (status, body) }
        }
    };
    seen.status = status;
    notes.lock().unwrap().seen.push(seen);
    if let Some(Mood::Silent(time) | Mood::TakesSilently(time)) = mood {
        tokio::time::sleep(time).await;
    }
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    let mut response = (status, Body::from(body)).into_response();
    if let Some(after) = after {
        response.headers_mut().insert("retry-after", after.parse().unwrap());
    }
    response
}

fn unpacked(headers: &HeaderMap, packed: &[u8]) -> Vec<u8> {
    match headers.get("content-encoding").map(|encoding| encoding.to_str().unwrap()) {
        Some("gzip") => {
            let mut body = Vec::new();
            flate2::read::GzDecoder::new(packed).read_to_end(&mut body).unwrap();
            body
        }
        Some("snappy") => snap::raw::Decoder::new().decompress_vec(packed).unwrap(),
        None => packed.to_vec(),
        other => panic!("content-encoding {other:?}"),
    }
}

/// Is it so? The name of what is not.
pub(super) fn must(is_so: bool, what: impl Into<String>) -> Result<(), String> {
    if is_so { Ok(()) } else { Err(what.into()) }
}
