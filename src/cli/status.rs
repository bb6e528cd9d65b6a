use std::process::ExitCode;

use serde_json::Value as Json;

use super::board::Board;
use super::client::{Ask, Client};
use super::output::print;
use super::screen::{HEIGHT, WIDTH, is_coloured};
use super::{Format, Global};
use crate::error::Result;

/// Say on one screen what is red, why, since when, and what to do first
#[derive(Debug, clap::Args)]
pub(super) struct Status {}

impl Status {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let dashboard = fetch(&global.client()?).await?;
        if global.format == Format::Json {
            print(&format!("{dashboard:#}"))?;
            return Ok(ExitCode::SUCCESS);
        }
        let width = crossterm::terminal::size().map_or(WIDTH, |(columns, _)| usize::from(columns).max(40));
        let is_coloured = is_coloured();
        let width = if is_coloured { width } else { WIDTH };
        let lines = Board::of(&dashboard).lines(HEIGHT);
        print(&lines.iter().map(|line| line.paint(width, is_coloured) + "\n").collect::<String>())?;
        Ok(ExitCode::SUCCESS)
    }
}

/// Everything that an overview shows.
pub(super) async fn fetch(client: &Client) -> Result<Json> {
    client.send(Ask::get("/v1/dashboard", [])).await?.json()
}
