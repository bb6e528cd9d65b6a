//! Servers that naze asks, rather than being told.

pub mod prometheus;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value as Json;

use crate::config::Origin;
use crate::engine::Engine;
use crate::error::{Context as _, Error, Result};

/// Largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// Of what a server says went wrong, so many characters are told on.
const PROBLEM_CHARS_MAX: usize = 500;

/// What asks. It may be shared by servers.
pub(crate) fn client(answer_within: Duration) -> Result<reqwest::Client> {
    reqwest::Client::builder().timeout(answer_within).build().internal("cannot make an HTTP client")
}

/// A server that is asked.
pub(crate) struct Server {
    client: reqwest::Client,
    origin: Origin,
    /// Its URL, without what may not be shown.
    pub(crate) name: String,
    /// Where the configuration names it.
    table: &'static str,
}

impl Server {
    pub(crate) fn new(client: &reqwest::Client, origin: &Origin, table: &'static str) -> Result<Self> {
        let parsed = reqwest::Url::parse(&origin.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let mut shown = parsed.ok_or_else(|| {
            let without_password = origin.url.rsplit('@').next().unwrap_or_default();
            Error::invalid(format!("configuration: \"{without_password}\", a url under {table}, is not one"))
                .hint("write it as http://127.0.0.1:9090")
        })?;
        // Only a URL that cannot have them refuses this.
        let _ = shown.set_username("").and_then(|()| shown.set_password(None));
        Ok(Self { client: client.clone(), origin: origin.clone(), name: shown.to_string(), table })
    }

    /// The body of a good answer.
    pub(crate) async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>> {
        let unreachable = |error: reqwest::Error| {
            Error::unavailable(format!("no answer to {path} of {}", self.name))
                .because(root_of(error))
                .hint(format!("check the URL under {} in the configuration", self.table))
        };
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let mut request = self.client.get(format!("{}{path}?{encoded}", self.origin.url.trim_end_matches('/')));
        if let Some(token) = &self.origin.token {
            request = request.bearer_auth(String::from_utf8_lossy(token.expose()));
        }
        let mut answer = request.send().await.map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(Error::unavailable(format!(
                    "the answer to {path} is larger than {ANSWER_BYTES_MAX} bytes"
                )));
            }
        }
        if answer.status().is_success() { Ok(body) } else { Err(self.refusal(path, answer.status(), &body)) }
    }

    /// What a server says of a request that it does not answer.
    fn refusal(&self, path: &str, status: reqwest::StatusCode, body: &[u8]) -> Error {
        let problem: Json = serde_json::from_slice(body).unwrap_or(Json::Null);
        let said: Option<String> = problem["error"].as_str().map(|text| text.chars().take(PROBLEM_CHARS_MAX).collect());
        let said = said.map_or_else(String::new, |text| format!(": {text}"));
        let message = format!("{} answered {path} with {status}{said}", self.name);
        match status.as_u16() {
            401 | 403 => Error::unavailable(message)
                .hint(format!("check the token, or user and password, under {} in the configuration", self.table)),
            400 => Error::invalid(message),
            _ => Error::unavailable(message),
        }
    }
}

/// What went wrong at the bottom, such as "connection refused"; the layers above only say that something did.
pub(crate) fn root_of(error: reqwest::Error) -> String {
    // The URL may hold a password.
    let error = error.without_url();
    if error.is_timeout() {
        return "it took too long".to_owned();
    }
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

/// What is made of an answer may block: not on the threads that serve connections.
pub(crate) async fn blocking<T: Send + 'static>(
    engine: &Arc<Engine>,
    work: impl FnOnce(&Engine) -> Result<T> + Send + 'static,
) -> Result<T> {
    let engine = Arc::clone(engine);
    tokio::task::spawn_blocking(move || work(&engine)).await.internal("a background task panicked")?
}
