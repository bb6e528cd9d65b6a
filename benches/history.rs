//! Years of minutes by remote write into naze, and the 30-day trends of what it keeps: from minutes, and after the older ones
//! have become hours. Prints Markdown. `cargo bench --bench history [-- SERIES DAYS]`
#![expect(clippy::unwrap_used, clippy::print_stdout, clippy::print_stderr, reason = "a benchmark stops loudly")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

#[path = "common/remote_write.rs"]
mod remote_write;
#[path = "common/serve.rs"]
mod serve;

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::remote_write::{Sample, TimeSeries, label, post};
use crate::serve::{Server, naze};

const METRIC: &str = "bench_load";
const CLIENTS: usize = 4;
/// What one body holds: 2,000 samples, as Prometheus sends them.
const SERIES_A_BODY: usize = 50;
const MINUTES_A_BODY: i64 = 40;
const MINUTE_MILLIS: i64 = 60_000;
const MINUTES_A_DAY: i64 = 1_440;
/// Trends asked for.
const TRENDS: usize = 200;
const PATIENCE: Duration = Duration::from_mins(30);

/// A daily wave with noise: no two minutes alike, so that nothing compresses better than it would in life.
fn value(series: usize, minute: i64) -> f64 {
    let mut state = (series as u64) << 40 ^ minute.unsigned_abs();
    state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let noise = ((state ^ (state >> 31)) >> 11) as f64 / (1_u64 << 53) as f64;
    let day = (minute % MINUTES_A_DAY) as f64 / MINUTES_A_DAY as f64;
    100.0 + series as f64 + 20.0 * (day * std::f64::consts::TAU).sin() + 10.0 * noise
}

fn series(number: usize, minutes: std::ops::Range<i64>) -> TimeSeries {
    TimeSeries {
        labels: vec![
            label("__name__", METRIC.to_owned()),
            label("job", "bench".to_owned()),
            label("path", format!("/path/{number}")),
        ],
        samples: minutes
            .map(|minute| Sample { value: value(number, minute), timestamp: minute * MINUTE_MILLIS })
            .collect(),
    }
}

/// Sends all minutes of all series, oldest first, each client its share of the series.
fn import(url: &str, count: usize, minutes: &std::ops::Range<i64>) {
    let share = count.div_ceil(CLIENTS);
    std::thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                let http = reqwest::blocking::Client::new();
                let own: Vec<usize> = (client * share..((client + 1) * share).min(count)).collect();
                let mut from = minutes.start;
                while from < minutes.end {
                    let to = (from + MINUTES_A_BODY).min(minutes.end);
                    for part in own.chunks(SERIES_A_BODY) {
                        post(&http, url, part.iter().map(|number| series(*number, from..to)).collect());
                    }
                    from = to;
                    let done = (to - minutes.start) / MINUTES_A_BODY;
                    if client == 0 && done % 500 == 0 {
                        eprintln!(
                            "{} of {} days",
                            (to - minutes.start) / MINUTES_A_DAY,
                            (minutes.end - minutes.start) / MINUTES_A_DAY
                        );
                    }
                }
            });
        }
    });
}

/// Resident memory in MiB: now, and at most so far.
fn memory(server: &Server) -> (u64, u64) {
    let status = fs::read_to_string(format!("/proc/{}/status", server.0.id())).unwrap();
    let kib = |name: &str| -> u64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    (kib("VmRSS:") >> 10, kib("VmHWM:") >> 10)
}

fn disk_mib(folder: &Path) -> u64 {
    fs::metadata(folder.join("series.redb")).unwrap().len() >> 20
}

/// Milliseconds for the trend of each of some series, in order of length.
fn trends(url: &str, count: usize) -> Vec<f64> {
    let http = reqwest::blocking::Client::new();
    let one = |number: usize| {
        let began = Instant::now();
        let answer = http.get(format!("{url}/v1/trends/{METRIC}?label.path=/path/{number}")).send().unwrap();
        let answer: Json = answer.json().unwrap();
        let n = &answer["trends"][0]["trend"]["windows"][3]["summary"]["n"];
        assert!(n.as_u64().unwrap() > 600, "{answer}");
        began.elapsed().as_secs_f64() * 1e3
    };
    let mut times: Vec<f64> = (0..TRENDS).map(|place| one(place * 7 % count)).collect();
    times.sort_by(f64::total_cmp);
    times
}

fn print(what: &str, times: &[f64], server: &Server, folder: &Path) {
    let at = |percent: usize| times[percent * times.len() / 100];
    println!(
        "| 30-day trend from {what} | p50 {:.0} ms, p95 {:.0} ms, most {:.0} ms | {} MiB resident, {} MiB on disk |",
        at(50),
        at(95),
        times[times.len() - 1],
        memory(server).0,
        disk_mib(folder)
    );
}

/// Waits until the minutes of the last series have become hours.
fn wait_for_hours(url: &str, count: usize) {
    let until = Instant::now() + PATIENCE;
    let path = format!("{url}/v1/series/{METRIC}?label.path=/path/{}&from=-33d&to=-32d&step=1m", count - 1);
    loop {
        let answer: Json = reqwest::blocking::get(&path).unwrap().json().unwrap();
        if answer["series"][0]["points"].as_array().unwrap().len() <= 25 {
            return;
        }
        assert!(Instant::now() < until, "the minutes do not age");
        std::thread::sleep(Duration::from_millis(500));
    }
}

fn main() {
    let given: Vec<usize> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let (count, days) = (given.first().copied().unwrap_or(100), given.get(1).copied().unwrap_or(60));
    let end = chrono::Utc::now().timestamp_millis() / MINUTE_MILLIS;
    let minutes = end - i64::try_from(days).unwrap() * MINUTES_A_DAY..end;
    let samples = count as f64 * (minutes.end - minutes.start) as f64;
    println!(
        "{count} series, {days} days of minutes, {:.1} million samples.\n\n| what | figure | |\n|---|---|---|",
        samples / 1e6
    );

    let folder = tempfile::tempdir().unwrap();
    let (server, url) = naze(folder.path(), &[]);
    let began = Instant::now();
    import(&format!("{url}/api/v1/write"), count, &minutes);
    let seconds = began.elapsed().as_secs_f64();
    let (_, most) = memory(&server);
    println!(
        "| import by remote write | {seconds:.0} s, {:.0} samples/s, each fsynced | {most} MiB resident at most, {} MiB on disk |",
        samples / seconds,
        disk_mib(folder.path())
    );
    print("minutes", &trends(&url, count), &server, folder.path());
    drop(server);

    let config = folder.path().join("aged.toml");
    fs::write(&config, "[measure]\nminutes_days = 30\n").unwrap();
    let began = Instant::now();
    let (server, url) = naze(folder.path(), &["--config", config.to_str().unwrap()]);
    wait_for_hours(&url, count);
    println!(
        "| minutes become hours | {:.0} s | {} MiB resident at most |",
        began.elapsed().as_secs_f64(),
        memory(&server).1
    );
    print("30 days of minutes", &trends(&url, count), &server, folder.path());
}
