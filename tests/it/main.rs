//! One integration binary: the real router over a real store in a temporary directory.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test that cannot go on fails loudly"
)]

mod advise;
mod amtool;
mod archive;
mod asked;
mod board;
mod cases;
mod chores;
mod cli;
mod common;
mod configuration;
mod crash;
mod crossings;
mod declared;
mod defined;
mod doctor;
mod experiments;
mod export;
mod functions;
mod health;
mod hostile;
mod http;
mod idempotency;
mod kaizen;
mod kept;
mod kit;
mod limits;
mod lines;
mod mapping;
mod measure;
mod metrics;
mod newest;
mod objectives;
mod opentelemetry;
mod polarity;
mod prometheus;
mod queries;
mod receive;
mod reconcile;
mod record;
mod report;
mod reviews;
mod runbooks;
mod shacl_suite;
mod silence;
mod slo;
mod sockets;
mod sources;
mod sparkline;
mod sparql_protocol;
mod trend;
mod validate;
mod vocabulary;
mod web;
mod why;
mod workflow;
