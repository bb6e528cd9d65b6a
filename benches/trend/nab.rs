//! Surprises against labelled windows: the score of the Numenta Anomaly Benchmark, standard profile, one threshold for
//! all files, chosen as NAB chooses it; and plain event counts at the threshold that naze uses.
#![expect(clippy::cast_precision_loss, reason = "files have thousands of rows")]

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::Path;

use naze::analyse::trend::surprise::{SCORE_MIN, scores};

const FALSE_POSITIVE_WEIGHT: f64 = 0.11;
const PROBATION_PERCENT: usize = 15;
const PROBATION_ROWS_MAX: usize = 5_000;

/// One row that counts: its score, what a detection there is worth, and the window it is in.
struct Row {
    score: f64,
    worth: f64,
    window: Option<usize>,
}

pub(crate) fn print(folder: &Path) {
    let text = std::fs::read(folder.join("combined_windows.json")).expect("the windows of NAB");
    let labels: BTreeMap<String, Vec<(String, String)>> = serde_json::from_slice(&text).expect("windows by file");
    let mut rows = Vec::new();
    let mut windows = 0;
    for (name, labels) in &labels {
        let (times, values) = read(&folder.join("data").join(name));
        let labels: Vec<RangeInclusive<usize>> =
            labels.iter().map(|(from, to)| place(&times, from)..=place(&times, to)).collect();
        rows.extend(judge(&scores(&values), &labels, windows));
        windows += labels.len();
    }
    rows.sort_by(|a, b| b.score.total_cmp(&a.score));
    let (best, threshold) = sweep(&rows, windows);
    let perfect = windows as f64;
    println!("\nNAB, {} files, {windows} windows", labels.len());
    println!(
        "standard score {:.1} at the best threshold {threshold:.3} (goal: at least 47.1)",
        100.0 * (best + perfect) / (2.0 * perfect)
    );
    let told: Vec<&Row> = rows.iter().filter(|row| row.score >= SCORE_MIN).collect();
    let mut hit: Vec<usize> = told.iter().filter_map(|row| row.window).collect();
    hit.sort_unstable();
    hit.dedup();
    let wrong = told.iter().filter(|row| row.window.is_none()).count();
    println!(
        "at naze's threshold {SCORE_MIN}: {} of {windows} windows found, {wrong} detections outside windows; \
         event precision {:.2}, recall {:.2}",
        hit.len(),
        hit.len() as f64 / (hit.len() + wrong) as f64,
        hit.len() as f64 / windows as f64
    );
}

fn read(path: &Path) -> (Vec<String>, Vec<f64>) {
    let mut reader = csv::Reader::from_path(path).expect("a readable file of NAB");
    reader.deserialize::<(String, f64)>().map(|row| row.expect("timestamp,value")).unzip()
}

/// Row of a label, whose time has a fraction that the rows lack.
fn place(times: &[String], label: &str) -> usize {
    let label = label.split('.').next().unwrap_or(label);
    times.iter().position(|time| time == label).expect("a row at the edge of the window")
}

/// 1 far before the end of a window, -1 far behind it.
fn sigmoid(position: f64) -> f64 {
    if position > 3.0 { -1.0 } else { 2.0 / (1.0 + (5.0 * position).exp()) - 1.0 }
}

fn judge(scores: &[f64], windows: &[RangeInclusive<usize>], first_window: usize) -> Vec<Row> {
    let probation = scores.len().min(PROBATION_ROWS_MAX) * PROBATION_PERCENT / 100;
    let judge = |place: usize| {
        let inside = windows.iter().position(|window| window.contains(&place));
        let worth = match inside {
            Some(window) => {
                let (from, to) = (*windows[window].start(), *windows[window].end());
                sigmoid(-((to - place + 1) as f64) / (to - from + 1) as f64) / sigmoid(-1.0)
            }
            None => {
                FALSE_POSITIVE_WEIGHT
                    * windows.iter().rfind(|window| *window.end() < place).map_or(-1.0, |before| {
                        sigmoid((place - before.end()) as f64 / (before.end() - before.start()) as f64)
                    })
            }
        };
        Row { score: scores[place], worth, window: inside.map(|window| first_window + window) }
    };
    (probation..scores.len()).map(judge).collect()
}

/// The best total over all thresholds, and its threshold. Rows have falling scores.
fn sweep(rows: &[Row], windows: usize) -> (f64, f64) {
    let mut found = vec![-1.0; windows];
    let mut total = -(windows as f64);
    let mut best = (total, f64::INFINITY);
    for equal in rows.chunk_by(|a, b| a.score.total_cmp(&b.score).is_eq()) {
        for row in equal {
            match row.window {
                Some(window) if row.worth > found[window] => {
                    total += row.worth - found[window];
                    found[window] = row.worth;
                }
                Some(_) => {}
                None => total += row.worth,
            }
        }
        if total > best.0 {
            best = (total, equal[0].score);
        }
    }
    best
}
