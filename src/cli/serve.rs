use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;

use super::Global;
use crate::chores;
use crate::clock::Clock;
use crate::engine::Engine;
use crate::error::{Context as _, Error, Result};

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
        let chores = tokio::spawn(chores::run(Arc::clone(&engine)));
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

/// Reads the configuration again on SIGHUP, as Prometheus does.
#[cfg(unix)]
async fn reload_on_hangup(engine: Arc<Engine>) {
    let hangup = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::hangup());
    let Ok(mut hangup) = hangup else { return };
    while hangup.recv().await.is_some() {
        let engine = Arc::clone(&engine);
        match tokio::task::spawn_blocking(move || engine.reload()).await {
            Ok(Ok(())) => tracing::info!("read the configuration again"),
            Ok(Err(error)) => tracing::error!(%error, "the configuration is wrong; all stays as it was"),
            Err(error) => tracing::error!(%error, "reading the configuration met a defect"),
        }
    }
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
