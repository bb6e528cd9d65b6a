//! The command-line door. Every command is one request, or a few, to the same router that `naze serve` offers: over the
//! network with `--server`, in process with `--data`.
//!
//! Exit codes: 0 done; 1 naze failed; 2 wrong usage or input; 3 some receipts were refused; 4 not found; 5 a check failed
//! or something conflicts; 6 not available now; 7 forbidden. `naze health` has its own for what it found: 0 healthy; 10
//! degraded; 11 unhealthy; 12 unknown.

mod advise;
mod archive;
mod board;
mod client;
mod completions;
mod component;
mod dashboards;
mod declare;
mod demo;
mod doctor;
mod experiment;
mod export;
mod exports;
mod format;
mod global;
mod health;
mod incident;
mod kaizen;
mod metrics;
mod output;
mod postmortem;
mod query;
mod rebuild;
mod record;
mod reload;
mod replay;
mod review;
mod runbooks;
mod screen;
mod series;
mod serve;
mod slo;
mod sparql;
mod status;
mod thresholds;
mod timeline;
mod trend;
mod verify;
mod watch;
mod why;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::{Context as _, Error, Kind, Result};
use format::Format;
use global::Global;

/// When production breaks, naze says why, and proves it.
#[derive(Debug, Parser)]
#[command(
    name = "naze",
    version,
    max_term_width = 100,
    after_help = "Exit codes: 0 done; 1 naze failed; 2 wrong usage or input; \
    3 some receipts were refused; 4 not found; 5 a check failed or something conflicts; 6 not available now; 7 forbidden. \
    naze health: 0 healthy; 10 degraded; 11 unhealthy; 12 unknown."
)]
pub struct Args {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve HTTP until stopped
    Serve(serve::Serve),
    /// Tell how the system is; the exit code says so too
    Health(health::Health),
    /// Say on one screen what is red, why, since when, and what to do first
    Status(status::Status),
    /// Show the status again and again
    Watch(watch::Watch),
    /// Show all that is known of a component, or list components
    Component(component::Component),
    /// Record receipts from a file or standard input
    Record(record::Record),
    /// Record large files in batches, with progress
    Import(record::Import),
    /// Run a canned query, or list them
    Query(query::Query),
    /// Show the values of a metric, or list the series that are kept
    Series(series::Series),
    /// Tell where a metric is heading
    Trend(trend::Trend),
    /// Tell whether promises are kept
    Slo(slo::Slo),
    /// Run ad-hoc SPARQL
    Sparql(sparql::Sparql),
    /// Ask why a component or an incident broke
    Why(why::Why),
    /// List what is held against series, and how they stand to it
    Thresholds(thresholds::Thresholds),
    /// List metrics of your own, and what was said of them
    Metrics(metrics::Metrics),
    /// Declare a threshold, an SLO or a metric of your own, without a restart
    Declare(declare::Declare),
    /// Have a running naze read its thresholds, metrics and SLOs again
    Reload(reload::Reload),
    /// Say what to do about what happened
    Advise(advise::Advise),
    /// Tell what happened, in order
    Timeline(timeline::Timeline),
    /// Write the post-mortem of an incident
    Postmortem(postmortem::Postmortem),
    /// Open, update, show or list incidents
    Incident(incident::Incident),
    /// Review a week: health, trends, promises, patterns, what to do
    Review(review::Review),
    /// Show the Kaizen log, or add to it
    Kaizen(kaizen::Kaizen),
    /// List runbooks and the open alerts they are for, or show one
    Runbooks(runbooks::Runbooks),
    /// Tell what an experiment shows, or list all
    Experiment(experiment::Experiment),
    /// Write the receipts of a window as a document
    Export(export::Export),
    /// Show how the tools stand that naze pushes to, or try a channel
    Exports(exports::Exports),
    Archive(archive::Archive),
    /// Check the ledger against its signed checkpoints
    Verify(verify::Verify),
    /// Make the index anew from the ledger
    Rebuild(rebuild::Rebuild),
    /// Record a case folder and answer as of its detection
    Replay(replay::Replay),
    /// Record a real incident and print its cause
    Demo(demo::Demo),
    /// Write dashboards for Grafana
    Dashboards(dashboards::Dashboards),
    /// Check that naze works here, and say what to do where it does not
    Doctor(doctor::Doctor),
    /// Answer one ad-hoc query for another naze
    #[command(hide = true)]
    QueryWorker,
    /// Print completions for a shell
    Completions(completions::Completions),
}

/// Runs one command.
///
/// # Errors
/// What went wrong, for [`complain`] and [`exit_code`].
pub fn run(args: Args) -> Result<ExitCode> {
    let Args { global, command } = args;
    global.format.check(&command)?;
    let filter = tracing_subscriber::EnvFilter::try_from_env("NAZE_LOG")
        .unwrap_or_else(|_| if matches!(command, Command::Serve(_)) { "info".into() } else { "warn".into() });
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match std::env::var("NAZE_LOG_FORMAT").as_deref() {
        Ok("json") => log.json().flatten_event(true).init(),
        Ok("text" | "") | Err(_) => log.with_ansi(std::io::stderr().is_terminal()).init(),
        Ok(other) => {
            return Err(Error::invalid(format!("NAZE_LOG_FORMAT={other} is unknown")).hint("write json or text"));
        }
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().internal("cannot start")?;
    runtime.block_on(async {
        match command {
            Command::Serve(command) => command.run(&global).await,
            Command::Health(command) => command.run(&global).await,
            Command::Status(command) => command.run(&global).await,
            Command::Watch(command) => command.run(&global).await,
            Command::Component(command) => command.run(&global).await,
            Command::Record(command) => command.run(&global).await,
            Command::Import(command) => command.run(&global).await,
            Command::Query(command) => command.run(&global).await,
            Command::Series(command) => command.run(&global).await,
            Command::Trend(command) => command.run(&global).await,
            Command::Slo(command) => command.run(&global).await,
            Command::Sparql(command) => command.run(&global).await,
            Command::Why(command) => command.run(&global).await,
            Command::Thresholds(command) => command.run(&global).await,
            Command::Metrics(command) => command.run(&global).await,
            Command::Declare(command) => command.run(&global).await,
            Command::Reload(command) => command.run(&global).await,
            Command::Advise(command) => command.run(&global).await,
            Command::Timeline(command) => command.run(&global).await,
            Command::Postmortem(command) => command.run(&global).await,
            Command::Incident(command) => command.run(&global).await,
            Command::Review(command) => command.run(&global).await,
            Command::Kaizen(command) => command.run(&global).await,
            Command::Runbooks(command) => command.run(&global).await,
            Command::Experiment(command) => command.run(&global).await,
            Command::Export(command) => command.run(&global).await,
            Command::Exports(command) => command.run(&global).await,
            Command::Archive(command) => command.run(&global).await,
            Command::Verify(command) => command.run(&global).await,
            Command::Rebuild(command) => command.run(&global),
            Command::Replay(command) => command.run(&global).await,
            Command::Demo(command) => command.run(&global).await,
            Command::Dashboards(command) => command.run(&global),
            Command::Doctor(command) => command.run(&global).await,
            Command::Completions(command) => command.run(),
            Command::QueryWorker => crate::query::worker::work().map(|()| ExitCode::SUCCESS),
        }
    })
}

/// Prints an error with its hints.
#[expect(clippy::print_stderr, reason = "this is where the program speaks to people")]
pub fn complain(error: &Error) {
    eprintln!("error: {error}");
    for hint in error.hints() {
        eprintln!("  hint: {hint}");
    }
}

/// The exit code that an error stands for.
pub fn exit_code(error: &Error) -> ExitCode {
    ExitCode::from(match error.kind() {
        Kind::Internal => 1,
        Kind::Invalid => 2,
        Kind::NotFound => 4,
        Kind::Conflict => 5,
        Kind::Unavailable => 6,
        Kind::Forbidden => 7,
    })
}
