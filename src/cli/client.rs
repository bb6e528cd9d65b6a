//! One request to naze, over the network or to the router in this process.

use std::io::Write;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{Method, Request, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use serde_json::Value as Json;
use tower::ServiceExt as _;

use crate::engine::Engine;
use crate::error::{Context as _, Error, Kind, Result};

const BROKE_OFF: &str = "the answer broke off";

/// A naze to talk to.
pub(super) enum Client {
    InProcess(Router),
    Remote { base: String, http: reqwest::Client },
}

/// What to ask for.
pub(super) struct Ask {
    method: Method,
    path: String,
    accept: &'static str,
    body: Option<(String, Bytes)>,
}

/// What came back, with a status that is not an error.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) body: Bytes,
}

impl Ask {
    /// `GET path?parameters`
    pub(super) fn get<'a>(path: &str, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        Self::new(Method::GET, path, None).with(parameters)
    }

    /// `POST path` with a body.
    pub(super) fn post(path: &str, media_type: &str, body: impl Into<Bytes>) -> Self {
        Self::new(Method::POST, path, Some((media_type.to_owned(), body.into())))
    }

    /// `PUT path` with a body.
    pub(super) fn put(path: &str, media_type: &str, body: impl Into<Bytes>) -> Self {
        Self::new(Method::PUT, path, Some((media_type.to_owned(), body.into())))
    }

    /// `DELETE path`
    pub(super) fn delete(path: &str) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    fn new(method: Method, path: &str, body: Option<(String, Bytes)>) -> Self {
        Self { method, path: path.to_owned(), accept: "application/json", body }
    }

    /// With parameters in its path.
    pub(super) fn with<'a>(mut self, parameters: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
        if !query.is_empty() {
            self.path = format!("{}?{query}", self.path);
        }
        self
    }

    /// The form wanted back.
    pub(super) fn accept(mut self, media_type: &'static str) -> Self {
        self.accept = media_type;
        self
    }
}

impl Client {
    /// The router over an engine, without a network in between.
    pub(super) fn in_process(engine: Arc<Engine>) -> Self {
        Self::InProcess(crate::http::router(engine))
    }

    /// A running naze.
    pub(super) fn remote(url: &str) -> Result<Self> {
        if !url.starts_with("http://") && !url.starts_with("https://") {
            return Err(
                Error::invalid(format!("--server \"{url}\" is no URL")).hint("write it as http://127.0.0.1:7310")
            );
        }
        let http = reqwest::Client::builder()
            .connect_timeout(std::time::Duration::from_secs(5))
            .timeout(std::time::Duration::from_mins(10))
            .build()
            .internal("cannot make an HTTP client")?;
        Ok(Self::Remote { base: url.trim_end_matches('/').to_owned(), http })
    }

    /// Sends a request; an error status becomes an [`Error`] with the problem's detail and hints.
    pub(super) async fn send(&self, ask: Ask) -> Result<Answer> {
        let answer = match self {
            Self::InProcess(router) => send_to_router(router.clone(), ask).await?,
            Self::Remote { base, http } => send_to_server(base, http, ask).await?,
        };
        if answer.status.is_client_error() || answer.status.is_server_error() {
            return match answer.status {
                // Refused receipts come with their reasons; the command shows them.
                StatusCode::UNPROCESSABLE_ENTITY => Ok(answer),
                _ => Err(error_of(&answer)),
            };
        }
        Ok(answer)
    }
}

impl Client {
    /// Writes the body of an answer while it comes in.
    pub(super) async fn download(&self, ask: Ask, out: &mut impl Write) -> Result<()> {
        let failed = "cannot write what naze answered";
        match self {
            Self::InProcess(router) => {
                let response = ask_router(router.clone(), ask).await?;
                let status = response.status();
                let mut body = response.into_body();
                if !status.is_success() {
                    let body = body.collect().await.internal(BROKE_OFF)?.to_bytes();
                    return Err(error_of(&Answer { status, body }));
                }
                while let Some(frame) = body.frame().await {
                    if let Ok(bytes) = frame.internal(BROKE_OFF)?.into_data() {
                        out.write_all(&bytes).internal(failed)?;
                    }
                }
            }
            Self::Remote { base, http } => {
                let mut response = ask_server(base, http, ask).await?;
                let status = response.status();
                if !status.is_success() {
                    let body = response.bytes().await.internal(BROKE_OFF)?;
                    return Err(error_of(&Answer { status, body }));
                }
                while let Some(bytes) = response.chunk().await.internal(BROKE_OFF)? {
                    out.write_all(&bytes).internal(failed)?;
                }
            }
        }
        Ok(())
    }
}

impl Answer {
    /// The body as JSON.
    pub(super) fn json(&self) -> Result<Json> {
        serde_json::from_slice(&self.body).internal("the answer is not JSON")
    }

    /// The body as text.
    pub(super) fn text(&self) -> Result<String> {
        String::from_utf8(self.body.to_vec()).internal("the answer is not UTF-8")
    }
}

/// The name and the value of each `name=value`.
pub(super) fn pairs<'a>(parameters: &'a [String], example: &str) -> Result<Vec<(&'a str, &'a str)>> {
    let pair = |text: &'a String| {
        text.split_once('=').ok_or_else(|| {
            Error::invalid(format!("\"{text}\" is no parameter")).hint(format!("write name=value, such as {example}"))
        })
    };
    parameters.iter().map(pair).collect()
}

async fn send_to_router(router: Router, ask: Ask) -> Result<Answer> {
    let response = ask_router(router, ask).await?;
    let status = response.status();
    let body = response.into_body().collect().await.internal(BROKE_OFF)?.to_bytes();
    Ok(Answer { status, body })
}

async fn ask_router(router: Router, ask: Ask) -> Result<Response> {
    let mut request = Request::builder().method(ask.method).uri(&ask.path).header(ACCEPT, ask.accept);
    let mut body = Body::empty();
    if let Some((media_type, bytes)) = ask.body {
        request = request.header(CONTENT_TYPE, media_type);
        body = Body::from(bytes);
    }
    let request = request.body(body).invalid("the request cannot be written")?;
    Ok(router.oneshot(request).await.expect("the router answers every request"))
}

async fn send_to_server(base: &str, http: &reqwest::Client, ask: Ask) -> Result<Answer> {
    let response = ask_server(base, http, ask).await?;
    let status = response.status();
    let body = response.bytes().await.internal(BROKE_OFF)?;
    Ok(Answer { status, body })
}

async fn ask_server(base: &str, http: &reqwest::Client, ask: Ask) -> Result<reqwest::Response> {
    let mut request = http.request(ask.method, format!("{base}{}", ask.path)).header(ACCEPT, ask.accept);
    if let Some((media_type, bytes)) = ask.body {
        request = request.header(CONTENT_TYPE, media_type).body(bytes);
    }
    let unreachable = |error: reqwest::Error| {
        Error::unavailable(format!("cannot talk to naze at {base}"))
            .because(error)
            .hint("is it running? Start it with `naze serve --data DIR`")
    };
    request.send().await.map_err(unreachable)
}

fn error_of(answer: &Answer) -> Error {
    let kind = match answer.status {
        StatusCode::NOT_FOUND => Kind::NotFound,
        StatusCode::CONFLICT => Kind::Conflict,
        StatusCode::SERVICE_UNAVAILABLE => Kind::Unavailable,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Kind::Forbidden,
        status if status.is_server_error() => Kind::Internal,
        _ => Kind::Invalid,
    };
    let problem: Json = serde_json::from_slice(&answer.body).unwrap_or(Json::Null);
    let detail = problem["detail"].as_str().map_or_else(|| format!("naze answered {}", answer.status), str::to_owned);
    let hints = problem["hints"].as_array().into_iter().flatten().filter_map(Json::as_str);
    hints.fold(Error::new(kind, detail), Error::hint)
}
