//! A real `naze serve`, for benchmarks that talk to one.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// A program that ends with the benchmark.
pub(crate) struct Server(pub(crate) Child);

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Serves the data in `folder`, with more arguments before `serve`; the second is its address, such as
/// `http://127.0.0.1:40123`.
pub(crate) fn naze(folder: &Path, arguments: &[&str]) -> (Server, String) {
    let mut process = Command::new(env!("CARGO_BIN_EXE_naze"))
        .args(arguments)
        .args(["serve", "--listen", "127.0.0.1:0", "--data"])
        .arg(folder)
        .env("NAZE_LOG", "naze=info")
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(process.stderr.take().unwrap()).lines();
    let address = lines.find_map(|line| line.unwrap().split("address=").nth(1).map(str::to_owned)).unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    (Server(process), format!("http://{}", address.trim()))
}
