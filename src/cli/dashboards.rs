use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::{Value as Json, json};

use super::output::{print, print_rows};
use super::{Format, Global};
use crate::error::{Context as _, Result};
use crate::export::dashboard::Dashboard;

/// Write dashboards for Grafana
#[derive(Debug, clap::Args)]
pub(super) struct Dashboards {
    /// Dashboards of your own (TOML, or JSON) in place of those that come with naze
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Folder to write them to, as NAME.json; without it they are listed, or printed with --format json
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl Dashboards {
    pub(super) fn run(self, global: &Global) -> Result<ExitCode> {
        let dashboards = if self.files.is_empty() {
            Dashboard::builtin()?
        } else {
            self.files.iter().map(|file| read(file)).collect::<Result<_>>()?
        };
        match self.out {
            Some(out) => write(&dashboards, &out)?,
            None if global.format == Format::Json => {
                let document = match dashboards.as_slice() {
                    [one] => one.grafana(),
                    all => all.iter().map(Dashboard::grafana).collect(),
                };
                print(&pretty(&document))?;
            }
            None => {
                let rows = dashboards.iter().map(|dashboard| {
                    json!({
                        "name": dashboard.name, "title": dashboard.title, "panels": dashboard.panels.len(),
                        "description": dashboard.description,
                    })
                });
                let columns = ["name", "title", "panels", "description"].map(str::to_owned);
                print_rows(&columns, &rows.collect::<Vec<_>>())?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn read(file: &Path) -> Result<Dashboard> {
    let text = fs::read_to_string(file).invalid(format!("cannot read the dashboard {}", file.display()))?;
    if file.extension().is_some_and(|extension| extension == "json") {
        return Dashboard::read_json(text.as_bytes());
    }
    Dashboard::read(&file.file_stem().unwrap_or_default().to_string_lossy(), &text)
}

fn write(dashboards: &[Dashboard], out: &Path) -> Result<()> {
    fs::create_dir_all(out).invalid(format!("cannot make the folder {}", out.display()))?;
    for dashboard in dashboards {
        let path = out.join(&dashboard.name).with_extension("json");
        fs::write(&path, pretty(&dashboard.grafana())).invalid(format!("cannot write {}", path.display()))?;
        print(&path.display().to_string())?;
    }
    Ok(())
}

fn pretty(json: &Json) -> String {
    format!("{json:#}\n")
}
