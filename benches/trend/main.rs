//! How good the trend analysis is: change points on TCPD, surprises on NAB, verdicts on simulated metrics.
//!
//! usage: `cargo test --release --bench trend [-- FOLDER]` (default `../shared/data/trend`; its README says what is in it)
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and stops at broken data")]

mod nab;
mod power;
mod tcpd;

use std::path::PathBuf;

fn main() {
    let given = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let folder =
        given.map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/trend"), PathBuf::from);
    if std::env::var_os("QUICK").is_none() {
        power::print();
    }
    if folder.is_dir() {
        tcpd::print(&folder.join("tcpd"));
        nab::print(&folder.join("nab"));
    } else {
        println!("{} is not there: no TCPD, no NAB", folder.display());
    }
}
