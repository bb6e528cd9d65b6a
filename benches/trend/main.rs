//! How good the trend analysis is: change points on TCPD, surprises on NAB, verdicts on simulated metrics.
//!
//! usage: `cargo bench --bench trend [-- power|tcpd|nab ...]`; the data are those of `../shared/data/trend`, or
//! of the folder named by `TREND_DATA`
#![expect(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and stops at broken data")]

mod nab;
mod power;
mod tcpd;

use std::path::PathBuf;

fn main() {
    let asked: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| asked.is_empty() || asked.iter().any(|name| name == part);
    let folder = std::env::var_os("TREND_DATA")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/trend"), PathBuf::from);
    if wanted("power") {
        power::print();
    }
    for part in ["tcpd", "nab"].into_iter().filter(|part| wanted(part)) {
        let folder = folder.join(part);
        match part {
            _ if !folder.is_dir() => println!("{part}: {} is not there", folder.display()),
            "tcpd" => tcpd::print(&folder),
            _ => nab::print(&folder),
        }
    }
}
