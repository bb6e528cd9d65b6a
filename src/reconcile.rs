//! Catching up: alerts that began or ended while naze was down, from the Alertmanagers and Prometheus servers that know.
//!
//! An Alertmanager that could not deliver gives up, and never tells an alert that ended meanwhile. It still knows what fires
//! now; Prometheus knows the whole story, as samples of `ALERTS`.

mod alertmanager;
mod prometheus;

use std::sync::{Arc, Weak};
use std::time::Duration;

use backon::{BlockingRetryable as _, ExponentialBuilder};
use serde_json::{Value as Json, json};

use crate::config::Reconcile;
use crate::engine::Engine;
use crate::error::{Context as _, Error, Result};
use crate::receive;
use crate::record::ledger::Source;

/// The longest wait for one answer.
const TIMEOUT: Duration = Duration::from_secs(30);
/// A server that does not answer is asked again, up to an hour in all.
const ATTEMPTS: usize = 30;
const PAUSE_LONGEST: Duration = Duration::from_mins(2);

/// Asks every configured server once, in a thread of its own, so that nothing waits for it.
///
/// # Errors
/// `Internal` when the thread cannot be started.
pub fn start(engine: &Arc<Engine>) -> Result<()> {
    let config = engine.config().reconcile.clone();
    if config == Reconcile::default() {
        return Ok(());
    }
    // The thread must not keep naze open that wants to end.
    let engine = Arc::downgrade(engine);
    let catch_up = move || {
        for url in &config.alertmanagers {
            patiently(url, || alertmanager::alerts(&engine, url));
        }
        for url in &config.prometheus {
            patiently(url, || prometheus::alerts(&engine, url, config.lookback_hours));
        }
    };
    let thread = std::thread::Builder::new().name("naze-reconcile".into()).spawn(catch_up);
    thread.map(drop).internal("cannot start the thread that catches up")
}

fn patiently(url: &str, ask: impl Fn() -> Result<usize>) {
    let pauses = ExponentialBuilder::default().with_max_times(ATTEMPTS).with_max_delay(PAUSE_LONGEST);
    let failed = |error: &Error, pause: Duration| {
        tracing::warn!(url, %error, pause_seconds = pause.as_secs(), "cannot catch up on alerts; trying again");
    };
    match ask.retry(pauses).when(|error| error.kind() == crate::error::Kind::Unavailable).notify(failed).call() {
        Ok(recorded) => tracing::info!(url, recorded, "caught up on alerts"),
        Err(error) => tracing::error!(url, %error, "alerts told while naze was down may be missing"),
    }
}

fn fetch(url: &str, parameters: &[(&str, String)]) -> Result<(Json, Vec<u8>)> {
    let unavailable = |error: reqwest::Error| Error::unavailable(format!("{url} does not answer")).because(error);
    let client =
        reqwest::blocking::Client::builder().timeout(TIMEOUT).build().internal("cannot make an HTTP client")?;
    let address = reqwest::Url::parse_with_params(url, parameters).invalid(format!("\"{url}\" is no URL"))?;
    let reply =
        client.get(address).send().and_then(reqwest::blocking::Response::error_for_status).map_err(unavailable)?;
    let bytes = reply.bytes().map_err(unavailable)?.to_vec();
    let json = serde_json::from_slice(&bytes).invalid(format!("{url} did not answer in JSON"))?;
    Ok((json, bytes))
}

/// Records alerts as if an Alertmanager had delivered them; what is known already stays once.
fn record(engine: &Weak<Engine>, alerts: &[Json], answer: Vec<u8>) -> Result<usize> {
    let Some(engine) = engine.upgrade() else { return Ok(0) };
    let notification = json!({"version": "4", "alerts": alerts}).to_string();
    let now = engine.clock().now();
    let received = receive::alertmanager(notification.as_bytes(), now, engine.mapping(), engine.vocabulary())?;
    let source = Source { media_type: "application/json".into(), bytes: answer };
    let outcomes = engine.record("alertmanager", received, source)?;
    Ok(outcomes.iter().filter(|outcome| matches!(outcome, crate::engine::Outcome::Recorded(_))).count())
}
