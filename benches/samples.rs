//! Samples a second by remote write, into naze and into Prometheus in the same run. Prints Markdown.
//! `cargo bench --bench samples [-- SECONDS]`
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that cannot go on stops loudly")]

#[path = "common/remote_write.rs"]
mod remote_write;
#[path = "common/serve.rs"]
mod serve;

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::remote_write::{Sample, TimeSeries, label, post};
use crate::serve::{Server, naze};

const CLIENTS: i64 = 8;
const SECONDS_DEFAULT: u64 = 10;
/// Series of one client, and samples of each in one body.
const SERIES: i64 = 500;
const SAMPLES: i64 = 4;
/// Samples begin so long ago, a second apart.
const BEGIN_SECONDS_AGO: i64 = 3_000;

/// What `client` sends as its `number`th body.
fn body(client: i64, number: i64, begin: i64) -> Vec<TimeSeries> {
    let timeseries = (0..SERIES).map(|series| TimeSeries {
        labels: vec![
            label("__name__", "bench_requests_total".to_owned()),
            label("instance", format!("host-{client}:9090")),
            label("job", "bench".to_owned()),
            label("path", format!("/path/{series}")),
        ],
        samples: (number * SAMPLES..(number + 1) * SAMPLES)
            .map(|n| Sample { value: f64::from(u32::try_from(n).unwrap()), timestamp: begin + n * 1_000 })
            .collect(),
    });
    timeseries.collect()
}

/// Samples a second that are acknowledged at `url`.
fn throughput(url: &str, duration: Duration) -> f64 {
    let begin = chrono::Utc::now().timestamp_millis() - BEGIN_SECONDS_AGO * 1_000;
    let sent = AtomicU64::new(0);
    let began = Instant::now();
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            let sent = &sent;
            scope.spawn(move || {
                let http = reqwest::blocking::Client::new();
                for number in 0..BEGIN_SECONDS_AGO / SAMPLES {
                    if began.elapsed() >= duration {
                        break;
                    }
                    post(&http, url, body(client, number, begin));
                    sent.fetch_add(u64::try_from(SERIES * SAMPLES).unwrap(), Ordering::Relaxed);
                }
            });
        }
    });
    f64::from(u32::try_from(sent.into_inner()).unwrap()) / began.elapsed().as_secs_f64()
}

/// `None` when Prometheus is not installed.
fn prometheus(folder: &Path) -> Option<(Server, String)> {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    std::fs::write(folder.join("prometheus.yml"), "{}").unwrap();
    let process = Command::new("prometheus")
        .args(["--config.file=prometheus.yml", "--storage.tsdb.path=data", "--web.enable-remote-write-receiver"])
        .arg(format!("--web.listen-address=127.0.0.1:{port}"))
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .ok()?;
    let server = Server(process);
    let ready = format!("http://127.0.0.1:{port}/-/ready");
    let until = Instant::now() + Duration::from_secs(30);
    while !reqwest::blocking::get(&ready).is_ok_and(|answer| answer.status().is_success()) {
        assert!(Instant::now() < until, "Prometheus does not get ready");
        std::thread::sleep(Duration::from_millis(100));
    }
    Some((server, format!("http://127.0.0.1:{port}/api/v1/write")))
}

fn main() {
    let seconds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(SECONDS_DEFAULT);
    let duration = Duration::from_secs(seconds);
    println!("{CLIENTS} clients for {seconds} s, {SERIES} series each, {} samples a request.\n", SERIES * SAMPLES);
    println!("| remote write into | samples/s acknowledged | |\n|---|---|---|");
    let folder = tempfile::tempdir().unwrap();
    let (server, url) = naze(folder.path(), &[]);
    let url = format!("{url}/api/v1/write");
    println!("| naze | {:.0} | fsynced before the answer |", throughput(&url, duration));
    drop(server);
    match prometheus(folder.path()) {
        Some((_server, url)) => println!("| Prometheus | {:.0} | not fsynced |", throughput(&url, duration)),
        None => println!("| Prometheus | not installed | |"),
    }
}
