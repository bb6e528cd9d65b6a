//! What naze pushes, at tools that check every byte of it, and dumps, read by others.
#![expect(clippy::float_cmp, clippy::cast_precision_loss, reason = "counts are whole numbers far below 2^53")]

mod crossed;
mod datadog;
mod delivery;
mod dump;
mod file;
mod mail;
mod newrelic;
mod notices;
mod otlp;
pub(crate) mod remote_write;
mod tool;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value as Json, json};

use crate::common::{LOOPBACK, Program, serve};

/// Longest wait for any one thing.
const PATIENCE: Duration = Duration::from_mins(1);

/// Waits until it is so.
#[track_caller]
fn eventually<T: std::fmt::Debug>(what: &str, is_so: impl Fn(&T) -> bool, look: impl Fn() -> T) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = look();
        if is_so(&found) {
            return found;
        }
        assert!(Instant::now() < deadline, "{what}: {found:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// A real naze that pushes.
struct Pusher {
    folder: tempfile::TempDir,
    program: Option<Program>,
    url: String,
    http: reqwest::blocking::Client,
}

impl Pusher {
    /// One with these exports, and nothing that is told again for a while.
    fn new(exports: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let http = reqwest::blocking::Client::builder().timeout(Duration::from_secs(20)).build().unwrap();
        let mut pusher = Self { folder, program: None, url: String::new(), http };
        pusher.configure(exports);
        pusher.start();
        pusher
    }

    fn configure(&self, exports: &str) {
        let config = format!(
            "default_thresholds = false\nrecord_recommendations = false\n[metrics]\ncache_seconds = 0\n{exports}"
        );
        std::fs::write(self.folder.path().join("naze.toml"), config).unwrap();
    }

    fn start(&mut self) {
        let (program, url) = serve(self.folder.path(), LOOPBACK);
        self.program = Some(program);
        self.url = url;
    }

    /// As a power cut would.
    fn kill(&mut self) {
        self.program.take().unwrap().kill();
    }

    /// As an operator would; returns how long it took.
    fn stop(&mut self) -> Duration {
        let mut program = self.program.take().unwrap();
        let started = Instant::now();
        let pid = rustix::process::Pid::from_raw(i32::try_from(program.0.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(program.0.wait().unwrap().success());
        started.elapsed()
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("naze")
    }

    /// Records receipts and returns their ids in order.
    fn record(&self, receipts: &[Json]) -> Vec<String> {
        let request = self.http.post(format!("{}/v1/receipts", self.url)).header("content-type", "application/json");
        let answer = request.body(json!(receipts).to_string()).send().unwrap();
        assert_eq!(answer.status(), 201);
        let answer: Json = answer.json().unwrap();
        answer["receipts"].as_array().unwrap().iter().map(|told| told["id"].as_str().unwrap().to_owned()).collect()
    }

    fn text(&self, path: &str) -> String {
        self.http.get(format!("{}{path}", self.url)).send().unwrap().text().unwrap()
    }

    /// Values of `/metrics` by name and labels.
    fn scraped(&self) -> BTreeMap<String, f64> {
        values(&self.text("/metrics"))
    }

    /// One of naze's own figures.
    fn figure(&self, name: &str) -> f64 {
        self.scraped().get(name).copied().unwrap_or_else(|| panic!("{name} is not told"))
    }

    /// How a signal stands.
    fn standing(&self, signal: &str) -> Json {
        let told: Json = serde_json::from_str(&self.text("/v1/exports")).unwrap();
        let standings = told["exports"].as_array().unwrap();
        standings.iter().find(|standing| standing["signal"] == signal).unwrap().clone()
    }
}

/// Values of a text exposition by name and labels.
fn values(text: &str) -> BTreeMap<String, f64> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let values = lines.map(|line| line.rsplit_once(' ').unwrap());
    values.map(|(name, value)| (name.to_owned(), value.parse().unwrap())).collect()
}

/// How the text exposition writes a name with labels.
fn shown(name: &str, labels: &BTreeMap<String, String>) -> String {
    if labels.is_empty() {
        return name.to_owned();
    }
    // `le` comes last there.
    let (le, others): (Vec<_>, Vec<_>) = labels.iter().partition(|(name, _)| *name == "le");
    let pairs: Vec<String> = others.into_iter().chain(le).map(|(name, value)| format!("{name}=\"{value}\"")).collect();
    format!("{name}{{{}}}", pairs.join(","))
}

/// Totals do not change while nothing is recorded; levels do, with the time.
fn totals(scraped: &BTreeMap<String, f64>) -> BTreeMap<String, f64> {
    let is_total = |name: &str| {
        let name = name.split('{').next().unwrap();
        // What naze itself does goes on while nothing is recorded.
        name.starts_with("tps_")
            && !name.starts_with("tps_self_")
            && !name.contains("_ms")
            && ["_total", "_bucket", "_sum", "_count"].iter().any(|end| name.ends_with(end))
    };
    scraped.iter().filter(|(name, _)| is_total(name)).map(|(name, value)| (name.clone(), *value)).collect()
}

fn ago(seconds: i64) -> String {
    (Utc::now() - TimeDelta::seconds(seconds)).to_rfc3339_opts(SecondsFormat::Micros, true)
}

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SPAN: &str = "b7ad6b7169203331";

/// Failures, each another.
fn failures(numbers: std::ops::Range<usize>) -> Vec<Json> {
    numbers
        .map(|number| {
            json!({"kind": "failure", "occurredAt": ago(60), "component": "checkout", "failureType": "Timeout",
                "message": format!("number {number}"), "traceId": TRACE, "spanId": SPAN, "labels": {"team": "pay"}})
        })
        .collect()
}

/// A file of this crate's.
fn file(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join(name)).unwrap()
}
