use std::process::ExitCode;

use serde_json::json;

use super::client::{Ask, Client};
use super::output::print;
use super::{Format, Global};
use crate::analyse::limits::{self, Doubt};
use crate::clock::Clock;
use crate::config::{Config, LISTEN_DEFAULT};
use crate::engine::Engine;
use crate::error::Result;
use crate::slo::Book;

/// Exit code when a check failed.
const FAILED: u8 = 5;

/// Check that naze works here, and say what to do where it does not
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {}

/// One check, and what it found.
struct Finding {
    check: &'static str,
    result: Result<String>,
    /// It works, and is probably not what was meant.
    is_doubt: bool,
}

impl Finding {
    fn new(check: &'static str, result: Result<String>) -> Self {
        Self { check, result, is_doubt: false }
    }

    fn doubt(doubt: &Doubt) -> Self {
        let text = format!("{}: {}; {}", doubt.rule, doubt.problem, doubt.fix);
        Self { check: "thresholds", result: Ok(text), is_doubt: true }
    }
}

impl Doctor {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let mut findings = vec![Finding::new("configuration", global.config().map(|_| "reads".to_owned()))];
        let memory = Engine::open(Config::in_memory(), Clock::System);
        let counted = memory.map(|engine| {
            format!("{} kinds, {} queries", engine.vocabulary().kinds().count(), engine.catalogue().iter().count())
        });
        findings.push(Finding::new("vocabulary, shapes and queries", counted));
        if let Some(folder) = global.config().ok().and_then(|config| config.slos) {
            let own = |book: Book| book.iter().filter(|entry| !entry.is_shipped).count();
            let result = Book::load(Some(&folder)).map(|book| format!("{} in {}", own(book), folder.display()));
            findings.push(Finding::new("SLOs", result));
        }
        let exports = global.config().map(|config| config.exports).unwrap_or_default();
        if !exports.is_empty() {
            let checked = exports.iter().try_for_each(|(name, export)| export.check(name));
            let names: Vec<&str> = exports.keys().map(String::as_str).collect();
            findings.push(Finding::new("exports", checked.map(|()| names.join(", "))));
        }
        if global.data.is_some() || global.server.is_some() {
            match global.client() {
                Ok(client) => {
                    findings.push(ask(&client, "ready", "/readyz").await);
                    findings.push(ask(&client, "ledger", "/v1/ledger/verify").await);
                    findings.extend(doubts(&client).await);
                }
                Err(error) => findings.push(Finding::new("data", Err(error))),
            }
        } else {
            let free = tokio::net::TcpListener::bind(LISTEN_DEFAULT).await;
            let free = free.map_or_else(
                |_| format!("{LISTEN_DEFAULT} is in use: try --server http://{LISTEN_DEFAULT}"),
                |_| format!("{LISTEN_DEFAULT} is free"),
            );
            findings.push(Finding::new("address", Ok(free)));
            findings.extend(global.config().map(|config| configured_doubts(&config)).unwrap_or_default());
        }
        let failed = findings.iter().any(|finding| finding.result.is_err());
        for finding in &findings {
            let (mark, text) = match &finding.result {
                Ok(text) => (if finding.is_doubt { "doubt" } else { "ok" }, text.clone()),
                Err(error) => ("FAILED", [vec![error.to_string()], error.hints().to_vec()].concat().join("; ")),
            };
            print(&match global.format {
                Format::Json => {
                    json!({"check": finding.check, "ok": finding.result.is_ok(), "doubt": finding.is_doubt, "detail": text})
                        .to_string()
                }
                _ => format!("{mark:6} {}: {text}", finding.check),
            })?;
        }
        Ok(if failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
    }
}

async fn ask(client: &Client, check: &'static str, path: &str) -> Finding {
    let result = async { client.send(Ask::get(path, [])).await?.text() }.await;
    Finding::new(check, result.map(|text| text.trim().to_owned()))
}

/// What a naze that runs doubts.
async fn doubts(client: &Client) -> Vec<Finding> {
    let answer = async { client.send(Ask::get("/v1/thresholds", [])).await?.json() }.await;
    match answer {
        Ok(answer) => {
            let doubts: Vec<Doubt> = serde_json::from_value(answer["doubts"].clone()).unwrap_or_default();
            doubts.iter().map(Finding::doubt).collect()
        }
        Err(error) => vec![Finding::new("thresholds", Err(error))],
    }
}

/// Limits of the configuration that are what an objective promises.
fn configured_doubts(config: &Config) -> Vec<Finding> {
    let Ok(book) = Book::load(config.slos.as_deref()) else { return Vec::new() };
    let promises: Vec<_> = book.iter().map(|entry| &entry.definition).collect();
    let named = config.thresholds.iter().flat_map(|threshold| threshold.metric.clone()).collect();
    limits::of_promises(&config.thresholds, &promises, &named).iter().map(Finding::doubt).collect()
}
