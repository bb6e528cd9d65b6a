//! The archive: what is no longer kept leaves in files, whole and once, and comes back as it was.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::process::Command;

use flate2::read::GzDecoder;
use naze::clock::{Clock, Timestamp};
use naze::config::Config;
use naze::engine::Engine;
use naze::measure::store::Slot;
use naze::measure::{Kind, Point, Samples, Series};
use serde_json::{Value as Json, json};

use crate::common::{Naze, Reply};

const KINDS: [Kind; 3] = [Kind::Gauge, Kind::Counter, Kind::Distribution];
const BEGIN: &str = "2025-01-01T00:00:00Z";
/// Hours from [`BEGIN`] are still kept here, and not any more at [`crate::common::NOW`].
const KEPT: &str = "2026-01-01T00:00:00Z";

fn at(time: &str) -> Timestamp {
    time.parse().unwrap()
}

fn later(time: &str, seconds: i64) -> Timestamp {
    at(time).checked_add(chrono::TimeDelta::seconds(seconds)).unwrap()
}

fn series(kind: Kind) -> Series {
    let labels = BTreeMap::from([("queue".to_owned(), "in\"1\"".to_owned())]);
    Series { metric: "m".to_owned(), component: "a".to_owned(), kind, labels }
}

/// Every 100 s for three days, with values that no decimal fraction tells exactly.
fn three_days() -> Vec<Samples> {
    let point = |n: u32| Point {
        count: 1 + u64::from(n) % 3,
        ..Point::once(later(BEGIN, i64::from(n) * 100), f64::from(n).sqrt() / 3.0)
    };
    let points: Vec<Point> = (0..2_592).map(point).collect();
    let once = |point: &Point| Point { count: 1, ..*point };
    let samples = |kind: Kind| Samples {
        series: series(kind),
        unit: Some("s".to_owned()),
        points: points.iter().map(|point| if kind == Kind::Distribution { *point } else { once(point) }).collect(),
    };
    KINDS.map(samples).to_vec()
}

fn naze(config: Config, now: &str) -> Naze {
    Naze::of(Engine::open(config, Clock::Fixed(at(now))).unwrap())
}

/// Waits until the recorder has done what was due at its start: it answers the second only afterwards.
fn settle(naze: &Naze) {
    for second in 0..2 {
        let point = Point::once(later("2026-01-01T00:00:00Z", second), 1.0);
        let other = Series { metric: "other".to_owned(), ..series(Kind::Gauge) };
        naze.engine.measure("test", vec![Samples { series: other, unit: None, points: vec![point] }]).unwrap();
    }
}

fn hours(naze: &Naze) -> Vec<Vec<Slot>> {
    let all = |kind: Kind| {
        let known = naze.engine.series(|series| series.metric == "m" && series.kind == kind);
        known.first().map_or_else(Vec::new, |(number, _)| {
            naze.engine.slots(*number, at(BEGIN)..later(BEGIN, 3 * 86_400)).unwrap()
        })
    };
    KINDS.map(all).to_vec()
}

fn trend(naze: &Naze) -> Json {
    let reply = naze.get("/v1/trends/m?at=2025-01-04T00:00:00Z");
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// A data directory with three days of hours that are no longer kept at `NOW`, and what was read of them before.
fn filled(folder: &Path) -> Vec<Vec<Slot>> {
    {
        let young = naze(Config::with_data(folder), "2025-01-05T00:00:00Z");
        assert_eq!(young.engine.measure("test", three_days()).unwrap().recorded, 3 * 2_592);
    }
    let kept = naze(Config::with_data(folder), KEPT);
    settle(&kept);
    let before = hours(&kept);
    assert_eq!(before.iter().map(Vec::len).collect::<Vec<_>>(), [72, 72, 72]);
    before
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).map(|all| all.map(|entry| entry.unwrap().path()).collect::<Vec<_>>());
    let name = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
    entries.unwrap_or_default().iter().map(|path| (name(path), std::fs::read(path).unwrap())).collect()
}

fn import(naze: &Naze, file: &[u8]) -> Reply {
    naze.post("/v1/archive", "application/gzip", file.to_vec())
}

#[test]
fn what_is_no_longer_kept_comes_back_from_the_archive_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path());
    let trend_before = trend(&naze(Config::with_data(folder.path()), KEPT));

    let old = Naze::in_folder(folder.path());
    settle(&old);
    assert_eq!(hours(&old), [vec![], vec![], vec![]]);
    let files = files(&folder.path().join("archive"));
    let days: Vec<&str> = files.keys().map(|name| &name[..10]).collect();
    assert_eq!(days, ["2025-01-01", "2025-01-02", "2025-01-03"]);
    let listed = old.get("/v1/archive").json();
    let names = listed["files"].as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap());
    assert_eq!(names.collect::<Vec<_>>(), files.keys().collect::<Vec<_>>());

    for file in files.values() {
        assert_eq!(import(&old, file).json(), json!({"recorded": 72, "duplicate": 0, "refused": 0}));
        assert_eq!(import(&old, file).json(), json!({"recorded": 0, "duplicate": 72, "refused": 0}));
    }
    assert_eq!(hours(&old), before);
    assert_eq!(trend(&old), trend_before);

    // It stays, and another naze can read it as well.
    drop(old);
    let again = Naze::in_folder(folder.path());
    settle(&again);
    assert_eq!(hours(&again), before);
    let other = Naze::in_memory();
    files.values().for_each(|file| assert_eq!(import(&other, file).status, 200));
    assert_eq!(hours(&other), before);
}

#[test]
fn a_file_tells_its_hours_to_anyone() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    settle(&Naze::in_folder(folder.path()));
    let (_, packed) = files(&folder.path().join("archive")).into_iter().next().unwrap();
    let mut text = String::new();
    GzDecoder::new(&*packed).read_to_string(&mut text).unwrap();
    let lines: Vec<Json> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (&lines[0]["format"], &lines[0]["day"], &lines[0]["lines"]),
        (&json!("naze series"), &json!("2025-01-01"), &json!(72))
    );
    let gauge = lines.iter().find(|line| line["kind"] == "gauge" && line["start"] == "2025-01-01T01:00:00Z").unwrap();
    // The values told at 3600, 3700 … 7100 s are those of 36 to 71.
    let values: Vec<f64> = (36..72).map(|n| f64::from(n).sqrt() / 3.0).collect();
    let number = |member: &str| gauge[member].as_str().unwrap().parse::<f64>().unwrap();
    assert_eq!(
        (&gauge["metric"], &gauge["labels"], &gauge["unit"], &gauge["count"]),
        (&json!("m"), &json!({"queue": "in\"1\""}), &json!("s"), &json!(36))
    );
    assert!((number("sum") - values.iter().sum::<f64>()).abs() < 1e-9 && (number("min") - 2.0).abs() < 1e-12);
    // Nearest rank of 36 values is the 18th.
    assert!((number("p50") - values[17]).abs() <= values[17] * 0.01, "{gauge}");
}

#[test]
fn a_broken_file_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    settle(&Naze::in_folder(folder.path()));
    let (_, file) = files(&folder.path().join("archive")).into_iter().next().unwrap();
    let mut text = Vec::new();
    GzDecoder::new(&*file).read_to_end(&mut text).unwrap();
    let packed = |text: &[u8]| {
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut packed, text).unwrap();
        packed.finish().unwrap()
    };
    let whole = String::from_utf8(text).unwrap();
    let cut = whole.rfind("\n{").unwrap();
    let other = naze(Config::in_memory(), KEPT);
    for (defect, broken) in [
        ("empty", Vec::new()),
        ("plain", whole.clone().into_bytes()),
        ("cut off", file[..file.len() / 2].to_vec()),
        ("without its last line", packed(&whole.as_bytes()[..=cut])),
        ("a figure changed", packed(whole.replacen("\"count\":36", "\"count\":35", 1).as_bytes())),
        ("of a later version", packed(whole.replacen("\"version\":1", "\"version\":2", 1).as_bytes())),
    ] {
        let reply = import(&other, &broken);
        assert_eq!(reply.status, 400, "{defect}: {}", reply.text());
        assert!(reply.text().contains("this is no whole file of the archive"), "{defect}: {}", reply.text());
    }
    assert!(other.engine.series(|_| true).is_empty());
    assert_eq!(import(&other, &packed(whole.as_bytes())).status, 200);
}

#[test]
fn an_archive_that_cannot_be_written_loses_nothing_and_a_kill_before_letting_go_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let before = filled(folder.path());
    let (archive, table) = (folder.path().join("archive"), folder.path().join("series.redb"));
    std::fs::write(&archive, "no folder").unwrap();
    settle(&Naze::in_folder(folder.path()));
    // What leaves is on disk, but in no file yet: as when naze is killed while it writes one.
    let leaving = std::fs::read(&table).unwrap();

    std::fs::remove_file(&archive).unwrap();
    settle(&Naze::in_folder(folder.path()));
    let written = files(&archive);
    assert_eq!(written.len(), 3);

    // The files are there, and what they hold has not been let go of: as when naze is killed in between.
    std::fs::write(&table, leaving).unwrap();
    settle(&Naze::in_folder(folder.path()));
    assert_eq!(files(&archive), written);
    let other = Naze::in_memory();
    written.values().for_each(|file| assert_eq!(import(&other, file).status, 200));
    assert_eq!(hours(&other), before);
}

#[test]
fn what_comes_late_for_an_archived_hour_is_archived_beside_it() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let late = |naze: &Naze| {
        let point = Point::once(later(BEGIN, 50), 1_000.0);
        let samples = Samples { series: series(Kind::Gauge), unit: None, points: vec![point] };
        assert_eq!(naze.engine.measure("test", vec![samples]).unwrap().recorded, 1);
    };
    {
        let old = Naze::in_folder(folder.path());
        settle(&old);
        late(&old);
    }
    settle(&Naze::in_folder(folder.path()));
    let files = files(&folder.path().join("archive"));
    assert_eq!(files.len(), 4, "{:?}", files.keys());
    let other = Naze::in_memory();
    files.values().for_each(|file| assert_eq!(import(&other, file).status, 200));
    let naze::measure::rollup::Rollup::Values(first) = &hours(&other)[0][0].rollup else {
        panic!("a gauge has values")
    };
    // 0 to 3500 s, and the one that came late.
    assert_eq!((first.count, first.max.to_string()), (37, "1000".to_owned()));
}

#[test]
fn no_archive_is_made_where_none_is_wanted() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    let mut config = Config::with_data(folder.path());
    config.measure.archive = Some("".into());
    let none = Naze::with(config);
    settle(&none);
    assert_eq!(hours(&none), [vec![], vec![], vec![]]);
    assert!(!folder.path().join("archive").exists());
    assert_eq!(none.get("/v1/archive").json(), json!({"folder": null, "files": [], "truncated": false}));
}

#[test]
fn the_command_line_lists_the_archive_and_takes_files_back() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path());
    settle(&Naze::in_folder(folder.path()));
    let archive = folder.path().join("archive");
    let names: Vec<String> = files(&archive).into_keys().collect();
    let run = |arguments: &[&str]| {
        let ran =
            Command::new(env!("CARGO_BIN_EXE_naze")).args(arguments).arg("--data").arg(folder.path()).output().unwrap();
        assert!(ran.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&ran.stderr));
        String::from_utf8(ran.stdout).unwrap()
    };
    let listed = run(&["archive"]);
    assert!(names.iter().all(|name| listed.contains(name)), "{listed}");
    let file = archive.join(&names[0]);
    assert_eq!(run(&["import", file.to_str().unwrap()]), "72 recorded, 0 duplicate, 0 refused\n");
    assert_eq!(run(&["import", file.to_str().unwrap()]), "0 recorded, 72 duplicate, 0 refused\n");
}

#[test]
fn the_file_of_series_gets_smaller_after_most_of_it_left() {
    let folder = tempfile::tempdir().unwrap();
    let table = folder.path().join("series.redb");
    let size = || std::fs::metadata(&table).unwrap().len();
    {
        let young = naze(Config::with_data(folder.path()), "2025-01-20T00:00:00Z");
        for number in 0..50_u32 {
            let mut state = number + 1;
            let mut random = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from(state)
            };
            let points = (0..10_080).map(|minute| Point::once(later(BEGIN, minute * 60), random())).collect();
            let series = Series { component: format!("c{number}"), ..series(Kind::Gauge) };
            young.engine.measure("test", vec![Samples { series, unit: None, points }]).unwrap();
        }
    }
    let full = size();
    {
        let old = Naze::in_folder(folder.path());
        (0..5).for_each(|_| settle(&old));
    }
    drop(Naze::in_folder(folder.path()));
    assert!(size() < full / 2, "{} of {full} bytes", size());
    // Fifty series of seven days.
    let days: std::collections::BTreeSet<String> =
        files(&folder.path().join("archive")).keys().map(|name| name[..10].to_owned()).collect();
    assert_eq!(days.len(), 7, "{days:?}");
}
