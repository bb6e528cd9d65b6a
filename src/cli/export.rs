use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use super::client::Ask;
use super::{Format, Global};
use crate::error::{Context as _, Error, Result};
use crate::export::dump::Form;

/// Write the receipts of a window as a document: --format ndjson, jsonld, turtle, ntriples, nquads, trig or csv
///
/// By default the file's name tells the format; without a file it is NDJSON, which `naze import` takes back.
#[derive(Debug, clap::Args)]
pub(super) struct Export {
    /// First instant, such as 2026-03-10T09:00:00Z or -24h [default: all of time]
    #[arg(long, allow_hyphen_values = true)]
    from: Option<String>,
    /// First instant after
    #[arg(long, allow_hyphen_values = true)]
    to: Option<String>,
    /// Kinds of receipts, separated by commas
    #[arg(long)]
    kind: Option<String>,
    /// Component
    #[arg(long)]
    component: Option<String>,
    /// File to write; standard output by default
    file: Option<PathBuf>,
}

impl Export {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let form = self.form(global.format)?;
        let given = [
            ("from", self.from.as_deref()),
            ("to", self.to.as_deref()),
            ("kind", self.kind.as_deref()),
            ("component", self.component.as_deref()),
            ("format", Some(form.name())),
        ];
        let parameters = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let ask = Ask::get("/v1/export", parameters).accept("*/*");
        let client = global.client()?;
        if let Some(path) = &self.file {
            let failed = || format!("cannot write {}", path.display());
            let mut out = BufWriter::new(File::create(path).invalid(failed())?);
            client.download(ask, &mut out).await?;
            out.into_inner()
                .map_err(std::io::IntoInnerError::into_error)
                .and_then(|file| file.sync_all())
                .invalid(failed())?;
        } else {
            let mut out = std::io::stdout().lock();
            client.download(ask, &mut out).await?;
            out.flush().invalid("cannot print")?;
        }
        Ok(ExitCode::SUCCESS)
    }

    fn form(&self, format: Format) -> Result<Form> {
        let extension = self.file.as_ref().and_then(|file| file.extension()).and_then(|extension| extension.to_str());
        let by_name = Form::ALL.into_iter().find(|form| Some(form.extension()) == extension);
        Ok(match format {
            Format::Table => by_name.unwrap_or(Form::NdJson),
            Format::Json => Form::NdJson,
            Format::Csv => Form::Csv,
            Format::Receipts(form) => form,
            Format::Md => {
                return Err(Error::invalid("receipts are not exported as Markdown")
                    .hint("naze timeline --format md tells what happened, for people"));
            }
        })
    }
}
