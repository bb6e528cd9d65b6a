//! `naze`: parse, run, say what went wrong, exit with a code that scripts can rely on.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    match naze::cli::run(naze::cli::Args::parse()) {
        Ok(code) => code,
        Err(error) => {
            naze::cli::complain(&error);
            naze::cli::exit_code(&error)
        }
    }
}
