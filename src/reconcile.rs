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

use crate::asked::{self, Server};
use crate::clock::{Timestamp, ago};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::receive::Given;
use crate::record::{Recorded, Window};

/// One answer may take this long.
const ANSWER_WITHIN: Duration = Duration::from_secs(10);
/// Where the servers are named in the configuration.
const TABLE: &str = "reconcile";
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
    let client = asked::client(ANSWER_WITHIN)?;
    let since = prometheus::since(engine)?;
    for origin in &config.alertmanager {
        tasks.spawn(alertmanager::follow(Arc::clone(engine), Server::new(&client, origin, TABLE)?));
    }
    for origin in &config.prometheus {
        tasks.spawn(prometheus::follow(Arc::clone(engine), Server::new(&client, origin, TABLE)?, since));
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

/// What documents are read with, as if `sender` had sent them.
fn given<'a>(engine: &'a Engine, sender: &str) -> Given<'a> {
    Given { received_at: engine.clock().now(), mapping: engine.mapping(sender), vocabulary: engine.vocabulary() }
}

/// The alert receipts of the time that rounds look back to.
fn known_alerts(engine: &Engine) -> Result<Vec<Recorded>> {
    let from = ago(engine.clock().now(), prometheus::LOOKBACK_MAX * 2);
    engine.index().of_kind("alert", Window { from, to: Timestamp::MAX })
}
