//! The archive: hours of series that are no longer kept, in files that anyone can read and that naze takes back.
//!
//! A file is gzipped NDJSON. Its first line tells what follows: a day of hours, one line for each hour of each series. Numbers
//! are texts, as in Prometheus' API, so that none loses a digit. A file is named by its day and by the hash of its lines: the
//! same hours written again make the same file.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::rollup::{Rollup, Total, Values};
use super::sketch::Sketch;
use super::store::{Known, Tier};
use super::{Kind, Series};
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};

/// How the names of its files end.
pub const EXTENSION: &str = ".series.ndjson.gz";
/// What its files say they are.
const FORMAT: &str = "naze series";
const VERSION: u32 = 1;
/// Most bytes of a file when it is unpacked, and of one of its lines.
const PLAIN_BYTES_MAX: u64 = 512 << 20;
const LINE_BYTES_MAX: u64 = 1 << 20;
/// Most values that one hour may say it had.
const COUNT_MAX: u64 = 1 << 53;
/// Files that a list names, the oldest.
const FILES_MAX: usize = 10_000;

/// A folder of such files.
#[derive(Debug, Clone)]
pub struct Archive {
    folder: PathBuf,
}

/// A file of the archive.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Filed {
    /// Its name.
    pub name: String,
    /// The day that its hours are of.
    pub day: String,
    /// Its size.
    pub bytes: u64,
}

/// An hour of a series.
#[derive(Debug, Clone, PartialEq)]
pub struct Hour {
    /// The series, with its unit.
    pub known: Known,
    /// When the hour began.
    pub start: Timestamp,
    /// What is kept of it.
    pub rollup: Rollup,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: String,
    version: u32,
    day: String,
    lines: u64,
    /// Of the lines after this one, each with its line break.
    sha256: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Line {
    metric: String,
    component: String,
    labels: BTreeMap<String, String>,
    kind: Kind,
    #[serde(skip_serializing_if = "Option::is_none")]
    unit: Option<String>,
    start: Timestamp,
    #[serde(flatten)]
    told: Told,
}

/// A roll-up as it is written. What can be worked out from the rest is there for other readers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Told {
    #[serde(rename_all = "camelCase")]
    Values {
        count: u64,
        sum: Number,
        min: Number,
        max: Number,
        last: Number,
        last_at: u32,
        #[serde(skip_deserializing)]
        mean: Number,
        #[serde(skip_deserializing)]
        p50: Number,
        #[serde(skip_deserializing)]
        p95: Number,
        #[serde(skip_deserializing)]
        p99: Number,
        sketch: Option<Vec<(i32, u64)>>,
    },
    #[serde(rename_all = "camelCase")]
    Total { first: Number, first_at: u32, last: Number, last_at: u32, increase: Number },
}

/// A number as a text.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Number(f64);

impl From<Number> for String {
    fn from(number: Number) -> Self {
        number.0.to_string()
    }
}

impl TryFrom<String> for Number {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let number = text.parse().ok().filter(|number: &f64| number.is_finite());
        number.map(Self).ok_or_else(|| format!("\"{text}\" is no number"))
    }
}

impl Archive {
    /// The archive in `folder`, which is made when there is something to put there.
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes hours of one day. They are on disk when it returns.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn write(&self, hours: &[Hour]) -> Result<()> {
        let Some(first) = hours.first() else { return Ok(()) };
        let failed = || format!("cannot write to the archive {}", self.folder.display());
        let mut lines = Vec::new();
        for hour in hours {
            serde_json::to_writer(&mut lines, &Line::of(hour)).internal(failed())?;
            lines.push(b'\n');
        }
        let (day, sha256) = (day_of(first.start), hex::encode(Sha256::digest(&lines)));
        let path = self.folder.join(format!("{day}-{}{EXTENSION}", &sha256[..16]));
        if path.exists() {
            return Ok(());
        }
        let count = hours.len() as u64;
        let header = Header { format: FORMAT.to_owned(), version: VERSION, day, lines: count, sha256 };
        let mut packed = GzEncoder::new(Vec::new(), Compression::default());
        serde_json::to_writer(&mut packed, &header).internal(failed())?;
        packed.write_all(b"\n").and_then(|()| packed.write_all(&lines)).internal(failed())?;
        put(&self.folder, &path, &packed.finish().internal(failed())?).internal(failed())
    }

    /// The files there are, the oldest day first, and whether there are more.
    ///
    /// # Errors
    /// `Internal` when the folder cannot be read.
    pub fn list(&self) -> Result<(Vec<Filed>, bool)> {
        if !self.folder.exists() {
            return Ok((Vec::new(), false));
        }
        let failed = || format!("cannot read the archive {}", self.folder.display());
        let mut files = Vec::new();
        for entry in fs::read_dir(&self.folder).internal(failed())? {
            let entry = entry.internal(failed())?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if let Some(day) = name.strip_suffix(EXTENSION).and_then(|stem| stem.rsplit_once('-')).map(|(day, _)| day) {
                let bytes = entry.metadata().internal(failed())?.len();
                files.push(Filed { day: day.to_owned(), name, bytes });
            }
        }
        files.sort();
        let is_more = files.len() > FILES_MAX;
        files.truncate(FILES_MAX);
        Ok((files, is_more))
    }

    /// Where it is.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

/// Puts a file in its place at once, or not at all.
fn put(folder: &Path, path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    fs::create_dir_all(folder)?;
    let draft = path.with_extension("tmp");
    let mut file = File::create(&draft)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&draft, path)?;
    File::open(folder)?.sync_all()
}

/// The hours of a file, and the hash that its header tells of them.
///
/// # Errors
/// `Invalid` when it is no such file, or not all of it is there.
pub fn read(packed: &[u8]) -> Result<(String, Vec<Hour>)> {
    let broken = |why: String| {
        Error::invalid(format!("this is no whole file of the archive: {why}"))
            .hint(format!("files of the archive are named …{EXTENSION}; take another copy of this one"))
    };
    let mut lines = BufReader::new(GzDecoder::new(packed).take(PLAIN_BYTES_MAX));
    let mut line = Vec::new();
    let mut next = |line: &mut Vec<u8>| {
        line.clear();
        (&mut lines).take(LINE_BYTES_MAX).read_until(b'\n', line).map_err(|error| broken(error.to_string()))
    };
    next(&mut line)?;
    let header: Header = serde_json::from_slice(&line).map_err(|error| broken(format!("line 1: {error}")))?;
    if (header.format.as_str(), header.version) != (FORMAT, VERSION) {
        return Err(broken(format!("it is {} {}, not {FORMAT} {VERSION}", header.format, header.version)));
    }
    let (mut hash, mut hours) = (Sha256::new(), Vec::new());
    while next(&mut line)? > 0 {
        hash.update(&line);
        let place = hours.len() + 2;
        let told: Line = serde_json::from_slice(&line).map_err(|error| broken(format!("line {place}: {error}")))?;
        hours.push(told.hour().map_err(|why| broken(format!("line {place}: {why}")))?);
    }
    let sha256 = hex::encode(hash.finalize());
    if (sha256.as_str(), hours.len() as u64) != (header.sha256.as_str(), header.lines) {
        return Err(broken(format!("its lines are not those that its header tells, of sha256 {}", header.sha256)));
    }
    Ok((sha256, hours))
}

fn day_of(start: Timestamp) -> String {
    start.utc().format("%Y-%m-%d").to_string()
}

impl Line {
    fn of(hour: &Hour) -> Self {
        let Series { metric, component, kind, labels } = hour.known.series.clone();
        let told = match &hour.rollup {
            Rollup::Values(values) => Told::Values {
                count: values.count,
                sum: Number(values.sum),
                min: Number(values.min),
                max: Number(values.max),
                last: Number(values.last),
                last_at: values.last_at,
                mean: Number(values.mean()),
                p50: Number(values.quantile(0.5)),
                p95: Number(values.quantile(0.95)),
                p99: Number(values.quantile(0.99)),
                sketch: values.sketch.as_ref().map(|sketch| sketch.buckets().to_vec()),
            },
            Rollup::Total(total) => Told::Total {
                first: Number(total.first),
                first_at: total.first_at,
                last: Number(total.last),
                last_at: total.last_at,
                increase: Number(total.increase),
            },
        };
        Self { metric, component, labels, kind, unit: hour.known.unit.clone(), start: hour.start, told }
    }

    fn hour(self) -> Result<Hour, String> {
        let is_total = matches!(self.told, Told::Total { .. });
        if is_total != (self.kind == Kind::Counter) {
            return Err("its kind and its figures do not fit".to_owned());
        }
        let length = Tier::Hour.milliseconds();
        if self.start.micros() < 0 || self.start.micros() % (i64::from(length) * 1_000) != 0 {
            return Err(format!("{} is not the start of an hour since 1970", self.start));
        }
        let rollup = match self.told {
            Told::Total { first, first_at, last, last_at, increase } if first_at <= last_at && last_at < length => {
                let (first, last, increase) = (first.0, last.0, increase.0);
                Rollup::Total(Total { first, first_at, last, last_at, increase })
            }
            Told::Values { count, sum, min, max, last, last_at, sketch, .. }
                if (1..=COUNT_MAX).contains(&count) && last_at < length =>
            {
                let sketch = sketch.map(|buckets| Sketch::of(&buckets, COUNT_MAX)).transpose()?;
                let (sum, min, max, last) = (sum.0, min.0, max.0, last.0);
                Rollup::Values(Values { count, sum, min, max, last, last_at, sketch })
            }
            _ => return Err("its counts or times cannot be".to_owned()),
        };
        let Self { metric, component, labels, kind, unit, start, .. } = self;
        Ok(Hour { known: Known { series: Series { metric, component, kind, labels }, unit }, start, rollup })
    }
}
