//! What naze missed: while it was down, or its senders were.
//!
//! Alertmanager forgets an alert that was over before anyone could be told, and Prometheus never repeats an old one. So
//! `naze serve` asks: Alertmanager for the alerts that fire, Prometheus for those that fired ([`history`]). What it hears is
//! recorded under the keys that the senders' own words would have had, so nothing is recorded twice. A server that does
//! not answer is asked again later, and nothing waits for it.

mod alertmanager;
pub mod history;
mod prometheus;

use std::sync::Arc;
use std::time::Duration;

use backon::{ExponentialBuilder, Retryable as _};
use tokio::task::JoinSet;

use crate::clock::{Timestamp, ago};
use crate::config::Origin;
use crate::engine::Engine;
use crate::error::{Context as _, Error, Result};
use crate::receive::Given;
use crate::record::{Recorded, Window};

/// One answer may take this long.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Largest answer that is read.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// A server that does not answer is asked again after this long, then after twice as long, and so on.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// Tries before the next round is waited for.
const TRIES_MAX: usize = 8;

/// Starts asking, beside serving, until the set is dropped.
///
/// # Errors
/// `Internal` when the ledger cannot be read.
pub fn start(engine: &Arc<Engine>) -> Result<JoinSet<()>> {
    let mut tasks = JoinSet::new();
    let config = &engine.config().reconcile;
    if config.alertmanager.is_empty() && config.prometheus.is_empty() {
        return Ok(tasks);
    }
    let client = client()?;
    let since = prometheus::since(engine)?;
    for origin in &config.alertmanager {
        tasks.spawn(alertmanager::follow(Arc::clone(engine), Server::new(&client, origin)?));
    }
    for origin in &config.prometheus {
        tasks.spawn(prometheus::follow(Arc::clone(engine), Server::new(&client, origin)?, since));
    }
    Ok(tasks)
}

/// Runs rounds for ever: each is tried again for a while when it fails, and then waits for the next.
async fn rounds<F: Future<Output = Result<usize>>>(
    engine: &Engine,
    source: &str,
    server: &Server,
    round: impl Fn() -> F,
) {
    let every = Duration::from_secs(engine.config().reconcile.interval_seconds.max(1));
    let backoff = ExponentialBuilder::default()
        .with_min_delay(RETRY_AFTER)
        .with_max_delay(every)
        .with_max_times(TRIES_MAX)
        .with_jitter();
    let server = &server.name;
    let failed = |error: &Error, after: Duration| {
        engine.telemetry().reconciled(source, "error");
        tracing::warn!(server, %error, again_in_seconds = after.as_secs_f64(), "cannot reconcile");
    };
    loop {
        match (|| round()).retry(backoff).notify(failed).await {
            Ok(recorded) => {
                engine.telemetry().reconciled(source, "ok");
                if recorded > 0 {
                    tracing::info!(server, recorded, "recorded what was missed");
                }
            }
            Err(error) => failed(&error, every),
        }
        tokio::time::sleep(every).await;
    }
}

/// Runs `work` where it may block.
async fn blocking<T: Send + 'static>(
    engine: &Arc<Engine>,
    work: impl FnOnce(&Engine) -> Result<T> + Send + 'static,
) -> Result<T> {
    let engine = Arc::clone(engine);
    tokio::task::spawn_blocking(move || work(&engine)).await.internal("a background task panicked")?
}

/// What documents are read with, as if `sender` had sent them.
fn given<'a>(engine: &'a Engine, sender: &str) -> Given<'a> {
    Given { received_at: engine.clock().now(), mapping: engine.mapping(sender), vocabulary: engine.vocabulary() }
}

fn client() -> Result<reqwest::Client> {
    reqwest::Client::builder().timeout(ANSWER_WITHIN).build().internal("cannot make an HTTP client")
}

/// The alert receipts of the time that rounds look back to.
fn known_alerts(engine: &Engine) -> Result<Vec<Recorded>> {
    let from = ago(engine.clock().now(), prometheus::LOOKBACK_MAX * 2);
    engine.index().of_kind("alert", Window { from, to: Timestamp::MAX })
}

/// A server that is asked.
struct Server {
    client: reqwest::Client,
    origin: Origin,
    /// Its URL, without what may not be shown.
    name: String,
}

impl Server {
    fn new(client: &reqwest::Client, origin: &Origin) -> Result<Self> {
        let parsed = reqwest::Url::parse(&origin.url).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
        let mut shown = parsed.ok_or_else(|| {
            let without_password = origin.url.rsplit('@').next().unwrap_or_default();
            Error::invalid(format!("configuration: \"{without_password}\", a url under reconcile, is not one"))
                .hint("write it as http://127.0.0.1:9090")
        })?;
        // Only a URL that cannot have them refuses this.
        let _ = shown.set_username("").and_then(|()| shown.set_password(None));
        Ok(Self { client: client.clone(), origin: origin.clone(), name: shown.to_string() })
    }

    /// The body of a good answer.
    async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Vec<u8>> {
        let unreachable = |error: reqwest::Error| {
            Error::unavailable(format!("no answer to {path}"))
                .because(root_of(error))
                .hint("check the URL under reconcile in the configuration")
        };
        let encoded = form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
        let mut request = self.client.get(format!("{}{path}?{encoded}", self.origin.url.trim_end_matches('/')));
        if let Some(token) = &self.origin.token {
            request = request.bearer_auth(String::from_utf8_lossy(token.expose()));
        }
        let mut answer = request.send().await.and_then(reqwest::Response::error_for_status).map_err(unreachable)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(unreachable)? {
            body.extend_from_slice(&chunk);
            if body.len() > ANSWER_BYTES_MAX {
                return Err(Error::unavailable(format!(
                    "the answer to {path} is larger than {ANSWER_BYTES_MAX} bytes"
                )));
            }
        }
        Ok(body)
    }
}

/// What went wrong at the bottom, such as "connection refused"; the layers above only say that something did.
pub(crate) fn root_of(error: reqwest::Error) -> String {
    // The URL may hold a password.
    let error = error.without_url();
    let mut cause: &dyn std::error::Error = &error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    match error.status() {
        Some(status) => format!("it answered {status}"),
        None => cause.to_string(),
    }
}
