use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Global;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::error::{Context as _, Error, Kind, Result};

const CHORES_EVERY: Duration = Duration::from_secs(5);
/// Alerts: minutes of series that are over are held against thresholds this often, and alerts that nobody answered escalate.
const ALERTS_EVERY: Duration = Duration::from_secs(10);
/// That takes at most this share of the time.
const ALERTS_SHARE: u32 = 5;
/// Trends are looked at this often.
const TRENDS_EVERY: Duration = Duration::from_mins(1);
/// Health is looked at this often, and kept; so is what to do.
const EXAMINE_EVERY: Duration = Duration::from_secs(30);
/// Working out what to do takes at most this share of the time, and so does holding what is new in memory.
const CHORES_SHARE: u32 = 20;

/// Serve HTTP until stopped
#[derive(Debug, clap::Args)]
pub(super) struct Serve {
    /// Address to listen on [default: 127.0.0.1:7310]
    #[arg(long, env = "NAZE_LISTEN", value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let mut config = global.config()?;
        if let Some(listen) = self.listen {
            config.listen = listen;
        }
        if config.data.is_none() {
            return Err(Error::invalid("naze serve needs a data directory").hint("add --data DIR (or set NAZE_DATA)"));
        }
        let listen = config.listen;
        let listener = bind(listen).await?;
        let address = listener.local_addr().internal("cannot tell the address")?;
        let engine = tokio::task::spawn_blocking(move || Engine::open(config, Clock::System))
            .await
            .internal("cannot open")??;
        engine.resume_alerts()?;
        let _reconciling = crate::reconcile::start(&engine)?;
        let pushing = crate::export::push::start(&engine)?;
        tracing::info!(%address, "serving");
        let chores = tokio::spawn(chores(Arc::clone(&engine)));
        #[cfg(unix)]
        let reloads = tokio::spawn(reload_on_hangup(Arc::clone(&engine)));
        let served = crate::http::serve(engine, listener, stop_signal()).await;
        chores.abort();
        #[cfg(unix)]
        reloads.abort();
        tokio::task::spawn_blocking(move || pushing.stop()).await.internal("cannot stop the exports")?;
        served?;
        tracing::info!("stopped");
        Ok(ExitCode::SUCCESS)
    }
}

/// What naze does without being asked.
async fn chores(engine: Arc<Engine>) {
    let mut every = tokio::time::interval(CHORES_EVERY);
    let mut alerts_at = Instant::now();
    let mut trends_at = Instant::now();
    let mut examine_at = Instant::now();
    let mut recommend_at = Instant::now();
    let mut hold_at = Instant::now();
    loop {
        every.tick().await;
        chore(&engine, "cannot record the end of alerts; their sender has to tell it", |engine| {
            engine.end_episodes(engine.clock().now()).map(drop)
        })
        .await;
        if hold_at <= Instant::now() {
            let began = Instant::now();
            chore(&engine, "cannot hold the newest receipts in memory; questions go to the disk", Engine::hold_newest)
                .await;
            hold_at = Instant::now() + began.elapsed() * CHORES_SHARE;
        }
        chore(&engine, "cannot tell how the system is; the next round tries again", |engine| {
            match engine.refresh_health() {
                Err(error) if error.kind() == Kind::Unavailable => Ok(()),
                refreshed => refreshed,
            }
        })
        .await;
        if is_due(examine_at) {
            examine_at = Instant::now() + EXAMINE_EVERY;
            chore(&engine, "cannot keep how the system is; the next round tries again", |engine| {
                engine.examine(engine.clock().now())
            })
            .await;
        }
        if is_due(recommend_at) {
            let began = Instant::now();
            chore(&engine, "cannot record what is recommended; the next round tries again", |engine| {
                engine.recommend(engine.clock().now())
            })
            .await;
            recommend_at = Instant::now() + EXAMINE_EVERY.max(began.elapsed() * CHORES_SHARE);
        }
        if is_due(alerts_at) {
            let began = Instant::now();
            chore(&engine, "cannot escalate unanswered alerts; the next round tries again", |engine| {
                engine.escalate_alerts(engine.clock().now())
            })
            .await;
            chore(&engine, "cannot escalate andons that nobody resolved; the next round tries again", |engine| {
                engine.escalate_andons(engine.clock().now())
            })
            .await;
            let is_more = chore(&engine, "cannot look for crossings; the next round tries again", |engine| {
                engine.watch_series(engine.clock().now())
            })
            .await;
            if is_more != Some(true) {
                alerts_at = began + ALERTS_EVERY.max(began.elapsed() * ALERTS_SHARE);
            }
        }
        if is_due(trends_at) {
            trends_at = Instant::now() + TRENDS_EVERY;
            chore(&engine, "cannot record which trends turned; a later round finds them again", |engine| {
                engine.note_reversals(engine.clock().now())
            })
            .await;
        }
    }
}

/// Is this round the one that is nearest to `at`?
fn is_due(at: Instant) -> bool {
    at <= Instant::now() + CHORES_EVERY / 2
}

/// Reads the configuration again on SIGHUP, as Prometheus does.
#[cfg(unix)]
async fn reload_on_hangup(engine: Arc<Engine>) {
    let hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
    let Ok(mut hangup) = hangup else { return };
    while hangup.recv().await.is_some() {
        if chore(&engine, "the configuration is wrong; all stays as it was", Engine::reload).await.is_some() {
            tracing::info!("read the configuration again");
        }
    }
}

async fn chore<T: Send + 'static>(
    engine: &Arc<Engine>,
    failed: &str,
    work: impl FnOnce(&Engine) -> Result<T> + Send + 'static,
) -> Option<T> {
    let engine = Arc::clone(engine);
    match tokio::task::spawn_blocking(move || work(&engine)).await {
        Ok(Ok(done)) => return Some(done),
        Ok(Err(error)) => tracing::error!(%error, "{failed}"),
        Err(error) => tracing::error!(%error, "a chore met a defect"),
    }
    None
}

pub(super) async fn bind(listen: SocketAddr) -> Result<tokio::net::TcpListener> {
    tokio::net::TcpListener::bind(listen).await.map_err(|error| {
        Error::unavailable(format!("cannot listen on {listen}"))
            .because(error)
            .hint("is another naze running? Choose an address with --listen")
    })
}

/// Resolves on SIGINT or SIGTERM.
pub(super) async fn stop_signal() {
    let interrupted = tokio::signal::ctrl_c();
    #[cfg(unix)]
    {
        let terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
        if let Ok(mut terminate) = terminate {
            tokio::select! {
                _ = interrupted => {}
                _ = terminate.recv() => {}
            }
            return;
        }
    }
    drop(interrupted.await);
}
