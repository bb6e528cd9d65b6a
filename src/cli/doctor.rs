use std::process::ExitCode;

use serde_json::json;

use super::client::{Ask, Client};
use super::output::print;
use super::{Format, Global};
use crate::analyse::limits;
use crate::clock::Clock;
use crate::config::{Config, LISTEN_DEFAULT};
use crate::doctor::{self, Finding, Status};
use crate::engine::Engine;
use crate::error::{Context as _, Result};
use crate::slo::Book;

/// Exit code when a check failed.
const FAILED: u8 = 5;

/// Check that naze and what it is connected with work here, and say what to do where they do not
#[derive(Debug, clap::Args)]
pub(super) struct Doctor {}

impl Doctor {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let mut findings = own(global);
        if global.data.is_some() || global.server.is_some() {
            match global.client() {
                Ok(client) => {
                    findings.push(ask(&client, "ready", "/readyz").await);
                    findings.push(ask(&client, "ledger", "/v1/ledger/verify").await);
                    findings.extend(examined(&client).await);
                }
                Err(error) => findings.push(Finding::of_error("data", &error)),
            }
        } else {
            let free = tokio::net::TcpListener::bind(LISTEN_DEFAULT).await;
            let free = free.map_or_else(
                |_| format!("{LISTEN_DEFAULT} is in use: try --server http://{LISTEN_DEFAULT}"),
                |_| format!("{LISTEN_DEFAULT} is free"),
            );
            findings.push(Finding::ok("address", free));
            if let Ok(config) = global.config() {
                findings.extend(doubts(&config));
                findings.extend(surroundings(config).await);
            }
        }
        for finding in &findings {
            print(&match global.format {
                Format::Json => json!(finding).to_string(),
                _ => line(finding),
            })?;
        }
        let has_failed = findings.iter().any(|finding| finding.status == Status::Fail);
        Ok(if has_failed { ExitCode::from(FAILED) } else { ExitCode::SUCCESS })
    }
}

fn line(finding: &Finding) -> String {
    let mark = match finding.status {
        Status::Ok => "ok",
        Status::Warn => "warn",
        Status::Fail => "FAILED",
    };
    let fix = finding.fix.iter().map(|fix| format!("; {fix}"));
    format!("{mark:6} {}: {}{}", finding.check, finding.detail, fix.collect::<String>())
}

fn of_result(check: &str, result: Result<String>) -> Finding {
    result.map_or_else(|error| Finding::of_error(check, &error), |detail| Finding::ok(check, detail))
}

/// What needs no naze that runs.
fn own(global: &Global) -> Vec<Finding> {
    let config = global.config();
    let mut findings = vec![of_result("configuration", config.map(|_| "reads".to_owned()))];
    let memory = Engine::open(Config::in_memory(), Clock::System);
    let counted = memory.map(|engine| {
        format!("{} kinds, {} queries", engine.vocabulary().kinds().count(), engine.catalogue().iter().count())
    });
    findings.push(of_result("vocabulary, shapes and queries", counted));
    let Ok(config) = global.config() else { return findings };
    if let Some(folder) = config.slos {
        let own = |book: Book| book.iter().filter(|entry| !entry.is_shipped).count();
        let result = Book::load(Some(&folder)).map(|book| format!("{} in {}", own(book), folder.display()));
        findings.push(of_result("SLOs", result));
    }
    if !config.exports.is_empty() {
        let checked = config.exports.iter().try_for_each(|(name, export)| export.check(name));
        let names: Vec<&str> = config.exports.keys().map(String::as_str).collect();
        findings.push(of_result("exports", checked.map(|()| names.join(", "))));
    }
    findings
}

async fn ask(client: &Client, check: &'static str, path: &str) -> Finding {
    let result = async { client.send(Ask::get(path, [])).await?.text() }.await;
    of_result(check, result.map(|text| text.trim().to_owned()))
}

/// What a naze finds out about itself.
async fn examined(client: &Client) -> Vec<Finding> {
    let answer = async {
        let mut answer = client.send(Ask::get("/v1/doctor", [])).await?.json()?;
        serde_json::from_value(answer["findings"].take()).internal("the answer tells no findings")
    };
    answer.await.unwrap_or_else(|error| vec![Finding::of_error("examination", &error)])
}

/// Limits of the configuration that are what an objective promises.
fn doubts(config: &Config) -> Vec<Finding> {
    let Ok(book) = Book::load(config.slos.as_deref()) else { return Vec::new() };
    let promises: Vec<_> = book.iter().map(|entry| &entry.definition).collect();
    let named = config.thresholds.iter().flat_map(|threshold| threshold.metric.clone()).collect();
    limits::of_promises(&config.thresholds, &promises, &named).iter().map(Finding::from).collect()
}

/// What the configuration connects a naze with, without its data.
async fn surroundings(config: Config) -> Vec<Finding> {
    match Engine::open(Config { data: None, ..config }, Clock::System) {
        Ok(engine) => doctor::surroundings(&engine).await,
        Err(error) => vec![Finding::of_error("configuration", &error)],
    }
}
