//! What every command takes: which naze, and how to print its answer.

use std::path::PathBuf;

use super::client::Client;
use super::format::Format;
use crate::clock::Clock;
use crate::config::{Config, Overrides};
use crate::engine::Engine;
use crate::error::{Context as _, Error, Result};

#[derive(Debug, clap::Args)]
pub(super) struct Global {
    /// Data directory to work on in this process
    #[arg(long, global = true, env = "NAZE_DATA", value_name = "DIR")]
    pub(super) data: Option<PathBuf>,
    /// A running naze to talk to, such as <http://127.0.0.1:7310>
    #[arg(long, global = true, env = "NAZE_URL", value_name = "URL")]
    pub(super) server: Option<String>,
    /// Configuration file (TOML)
    #[arg(long, global = true, env = "NAZE_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// How to print the answer
    #[arg(long, global = true, value_enum, default_value_t = Format::Table)]
    pub(super) format: Format,
}

impl Global {
    /// Flag over environment over file over default.
    pub(super) fn config(&self) -> Result<Config> {
        let variables =
            std::env::vars_os().filter_map(|(name, text)| Some((name.into_string().ok()?, text.into_string().ok()?)));
        let mut config = Config::load(self.config.as_deref(), Overrides::of(variables))?;
        if let Some(data) = &self.data {
            config.data = Some(data.clone());
        }
        config.take_credentials(|name| std::env::var(name).ok());
        config.worker = Some(this_program()?);
        Ok(config)
    }

    /// The naze to talk to: `--server`, or `--data` in process.
    pub(super) fn client(&self) -> Result<Client> {
        if let Some(server) = &self.server {
            return Client::remote(server);
        }
        let config = self.config()?;
        if config.data.is_none() {
            return Err(Error::invalid("which naze?")
                .hint("add --server http://127.0.0.1:7310 (or set NAZE_URL) to talk to a running one")
                .hint("add --data DIR (or set NAZE_DATA) to work on a data directory"));
        }
        Ok(Client::in_process(Engine::open(config, Clock::System)?))
    }
}

/// As it was started, even when another version has been installed over it since.
fn this_program() -> Result<PathBuf> {
    let running = PathBuf::from("/proc/self/exe");
    if running.exists() { Ok(running) } else { std::env::current_exe().internal("cannot tell where this program is") }
}
