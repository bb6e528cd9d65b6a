mod measurements;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value as Json;

use super::client::{Answer, Ask, Client};
use super::output::{print, progress};
use super::{Format, Global};
use crate::error::{Context as _, Error, Result};
use crate::receive::Format as Document;

/// Receipts sent in one request by `import`.
const BATCH_RECEIPTS: usize = 1_000;
/// Exit code when some receipts were refused.
const REFUSED: u8 = 3;

/// Record receipts from a file or standard input
#[derive(Debug, clap::Args)]
pub(super) struct Record {
    /// File with receipts; - is standard input
    #[arg(default_value = "-")]
    file: PathBuf,
    /// Media type of the file [default: told by its name, else application/json]
    #[arg(long = "type", value_name = "MEDIA_TYPE")]
    media_type: Option<String>,
}

/// Record large files in batches, with progress: receipts, and measurements in CSV or Prometheus' text, and files of the archive
#[derive(Debug, clap::Args)]
pub(super) struct Import {
    /// Files to record; NDJSON and CSV may be of any size
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

/// What became of all receipts of a command.
#[derive(Debug, Default)]
pub(super) struct Tally {
    recorded: u64,
    duplicate: u64,
    refused: u64,
    answers: Vec<Json>,
}

impl Record {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let (bytes, told) = if self.file.as_os_str() == "-" {
            let mut bytes = Vec::new();
            std::io::stdin().lock().read_to_end(&mut bytes).internal("cannot read standard input")?;
            (bytes, None)
        } else {
            (read(&self.file)?, Document::from_path(&self.file))
        };
        let media_type = self.media_type.unwrap_or_else(|| told.unwrap_or(Document::Json).media_type().to_owned());
        let mut tally = Tally::default();
        tally.add(&global.client()?.send(Ask::post("/v1/receipts", &media_type, bytes)).await?)?;
        tally.report(global.format)
    }
}

impl Import {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let client = global.client()?;
        let mut tally = Tally::default();
        for file in &self.files {
            if let Some(media_type) = measurements::media_type(file) {
                measurements::import(&client, file, media_type, &mut tally).await?;
                continue;
            }
            let document = Document::from_path(file).ok_or_else(|| {
                Error::invalid(format!("{} has no known extension", file.display())).hint(
                    "use .json, .ndjson, .jsonld, .ttl, .trig, .nt or .nq for receipts (or `naze record --type`), and \
                     .csv, .prom, .om or .series.ndjson.gz for measurements",
                )
            })?;
            if document == Document::NdJson {
                import_lines(&client, file, &mut tally).await?;
            } else {
                tally.add(&client.send(Ask::post("/v1/receipts", document.media_type(), read(file)?)).await?)?;
            }
        }
        tally.report(global.format)
    }
}

async fn import_lines(client: &Client, file: &Path, tally: &mut Tally) -> Result<()> {
    let unreadable = || format!("cannot read {}", file.display());
    let opened = fs::File::open(file).invalid(unreadable())?;
    let bar = progress(opened.metadata().invalid(unreadable())?.len(), "bytes");
    let mut batch = Vec::new();
    let mut lines = 0;
    for line in BufReader::new(opened).split(b'\n') {
        let line = line.invalid(unreadable())?;
        bar.inc(line.len() as u64 + 1);
        batch.extend(line);
        batch.push(b'\n');
        lines += 1;
        if lines == BATCH_RECEIPTS {
            record_lines(client, std::mem::take(&mut batch), tally).await?;
            lines = 0;
        }
    }
    if lines > 0 {
        record_lines(client, batch, tally).await?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// Records NDJSON in one request.
pub(super) async fn record_lines(client: &Client, lines: Vec<u8>, tally: &mut Tally) -> Result<()> {
    tally.add(&client.send(Ask::post("/v1/receipts", Document::NdJson.media_type(), lines)).await?)
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).invalid(format!("cannot read {}", file.display()))
}

impl Tally {
    /// Counts what became of the receipts of a request.
    pub(super) fn add(&mut self, answer: &Answer) -> Result<()> {
        let json = answer.json()?;
        if json["receipts"].is_null() {
            return Err(Error::invalid(json["detail"].as_str().unwrap_or("the receipts were refused").to_owned()));
        }
        self.recorded += json["recorded"].as_u64().unwrap_or(0);
        self.duplicate += json["duplicate"].as_u64().unwrap_or(0);
        self.refused += json["refused"].as_u64().unwrap_or(0);
        let samples = &json["samples"];
        self.recorded += samples["recorded"].as_u64().unwrap_or(0);
        self.refused += samples["refused"].as_u64().unwrap_or(0);
        self.answers.push(json);
        Ok(())
    }

    fn measured(&mut self, answer: &Answer) -> Result<()> {
        let json = answer.json()?;
        if json["recorded"].is_null() {
            return Err(Error::invalid(json["detail"].as_str().unwrap_or("the measurements were refused").to_owned()));
        }
        self.recorded += json["recorded"].as_u64().unwrap_or(0);
        self.duplicate += json["duplicate"].as_u64().unwrap_or(0);
        self.refused += json["refused"].as_u64().unwrap_or(0);
        self.answers.push(json);
        Ok(())
    }

    /// How many receipts were refused.
    pub(super) fn refusals(&self) -> impl Iterator<Item = &Json> {
        let receipts = self.answers.iter().flat_map(|answer| answer["receipts"].as_array().into_iter().flatten());
        receipts.filter(|receipt| receipt["outcome"] == "refused")
    }

    /// Prints what became of all; the exit code says whether some were refused.
    pub(super) fn report(&self, format: Format) -> Result<ExitCode> {
        if format == Format::Json {
            for answer in &self.answers {
                print(&answer.to_string())?;
            }
        } else {
            print(&format!("{} recorded, {} duplicate, {} refused", self.recorded, self.duplicate, self.refused))?;
            for violation in
                self.refusals().flat_map(|receipt| receipt["problem"]["violations"].as_array().into_iter().flatten())
            {
                let text = |member: &str| violation[member].as_str().unwrap_or_default().to_owned();
                print(&format!("refused: {} ({})", text("message"), text("fix")))?;
            }
            let problems = self.answers.iter().flat_map(|answer| answer["problems"].as_array().into_iter().flatten());
            for problem in problems.filter_map(Json::as_str) {
                print(&format!("refused: {problem}"))?;
            }
        }
        Ok(if self.refused > 0 { ExitCode::from(REFUSED) } else { ExitCode::SUCCESS })
    }
}
