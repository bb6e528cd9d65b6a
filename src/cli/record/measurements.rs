//! Files of measurements.

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use super::Tally;
use crate::cli::client::{Ask, Client};
use crate::cli::output::progress;
use crate::error::{Context as _, Error, Result};
use crate::measure::archive::EXTENSION;

/// Lines of CSV in one request.
const BATCH_LINES: usize = 50_000;
const CSV: &str = "text/csv";
/// Of a file of the archive.
const ARCHIVED: &str = "application/gzip";

/// The media type of a file of measurements, by its extension.
pub(super) fn media_type(file: &Path) -> Option<&'static str> {
    match file.extension().and_then(OsStr::to_str)? {
        "csv" => Some(CSV),
        "prom" => Some("text/plain"),
        "om" => Some("application/openmetrics-text"),
        "gz" if file.to_str()?.ends_with(EXTENSION) => Some(ARCHIVED),
        _ => None,
    }
}

pub(super) async fn import(client: &Client, file: &Path, media_type: &str, tally: &mut Tally) -> Result<()> {
    let unreadable = || format!("cannot read {}", file.display());
    if media_type == ARCHIVED {
        let file = fs::read(file).invalid(unreadable())?;
        return tally.measured(&client.send(Ask::post("/v1/archive", media_type, file)).await?);
    }
    if media_type != CSV {
        return send(client, media_type, fs::read(file).invalid(unreadable())?, tally).await;
    }
    let opened = fs::File::open(file).invalid(unreadable())?;
    let bar = progress(opened.metadata().invalid(unreadable())?.len(), "bytes");
    let mut lines = BufReader::new(opened).split(b'\n');
    let header = lines.next().ok_or_else(|| Error::invalid(format!("{} is empty", file.display())))?;
    let header = header.invalid(unreadable())?;
    let mut batch = Vec::new();
    let mut count = 0;
    for line in lines {
        let line = line.invalid(unreadable())?;
        bar.inc(line.len() as u64 + 1);
        if batch.is_empty() {
            batch.clone_from(&header);
        }
        batch.push(b'\n');
        batch.extend(line);
        count += 1;
        if count == BATCH_LINES {
            send(client, media_type, std::mem::take(&mut batch), tally).await?;
            count = 0;
        }
    }
    if count > 0 {
        send(client, media_type, batch, tally).await?;
    }
    bar.finish_and_clear();
    Ok(())
}

async fn send(client: &Client, media_type: &str, body: Vec<u8>, tally: &mut Tally) -> Result<()> {
    tally.measured(&client.send(Ask::post("/v1/measurements", media_type, body)).await?)
}
