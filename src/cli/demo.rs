use std::net::SocketAddr;
use std::process::ExitCode;

use super::client::Client;
use super::output::print;
use super::replay::Case;
use super::serve::{bind, stop_signal};
use super::{Format, Global};
use crate::clock::Clock;
use crate::config::LISTEN_DEFAULT;
use crate::engine::Engine;
use crate::error::{Context as _, Result};

/// Record a real incident and print its cause
#[derive(Debug, clap::Args)]
pub(super) struct Demo {
    /// Leave the server running until Ctrl-C
    #[arg(long)]
    keep: bool,
    /// Address to serve on [default: 127.0.0.1:7310, or any free port when that is taken]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
}

impl Demo {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let case = Case::example()?;
        if let Some(server) = &global.server {
            let client = Client::remote(server)?;
            show(&case, &client, server, global.format).await?;
            return Ok(ExitCode::SUCCESS);
        }
        let listener = match self.listen {
            Some(listen) => bind(listen).await?,
            None => match bind(LISTEN_DEFAULT).await {
                Ok(listener) => listener,
                Err(_) => bind(SocketAddr::new(LISTEN_DEFAULT.ip(), 0)).await?,
            },
        };
        let address = listener.local_addr().internal("cannot tell the address")?;
        let engine = Engine::open(global.config()?, Clock::System)?;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let serving = tokio::spawn(crate::http::serve(engine, listener, async { drop(stopped.await) }));
        let url = format!("http://{address}");
        show(&case, &Client::remote(&url)?, &url, global.format).await?;
        if self.keep {
            print(&format!("\nnaze is running at {url}; Ctrl-C stops it."))?;
            stop_signal().await;
        } else {
            print("\nnaze demo --keep leaves the server running, to look around with the lines above.")?;
        }
        if stop.send(()).is_err() {
            tracing::debug!("the server has stopped already");
        }
        serving.await.internal("the server met a defect")??;
        Ok(ExitCode::SUCCESS)
    }
}

async fn show(case: &Case, client: &Client, url: &str, format: Format) -> Result<()> {
    let reference = case.record(client).await?;
    let answer = case.ask_why(client, &reference, format.of_report()).await?;
    print(&answer)?;
    if format == Format::Table {
        print(&format!(
            "\nAsk for the proof:\n  curl {url}/v1/incidents/{reference}/why\n  curl {url}/v1/incidents/{reference}/timeline -H 'Accept: text/markdown'\n  curl {url}/v1/incidents/{reference}/postmortem\n  curl {url}/v1/ledger/verify"
        ))?;
    }
    Ok(())
}
