use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::client::{Ask, Client};
use super::output::print;
use super::record::{Tally, record_lines};
use super::{Format, Global};
use crate::clock::{Clock, Timestamp};
use crate::config::Config;
use crate::engine::{Engine, LOOKBACK_DEFAULT};
use crate::error::{Context as _, Error, Result};
use crate::measure::crossing::{Sample, crossings};
use crate::receipt::write_json;
use crate::vocab::Vocabulary;

/// Record a case folder and answer as of its detection
#[derive(Debug, clap::Args)]
pub(super) struct Replay {
    /// Folders with incident.json, receipts.ndjson and maybe measurements.csv; each is replayed on its own
    #[arg(required = true, value_name = "CASE_DIR")]
    cases: Vec<PathBuf>,
}

/// A case as it lies on disk.
pub(super) struct Case {
    pub(super) incident: Incident,
    pub(super) receipts: Vec<u8>,
    pub(super) samples: Vec<Sample>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Incident {
    id: String,
    pub(super) detected_at: Timestamp,
    onset: Option<Timestamp>,
    symptom: Symptom,
}

#[derive(Debug, Deserialize)]
struct Symptom {
    component: String,
    metric: Option<String>,
    summary: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Measurement {
    time: Timestamp,
    component: String,
    metric: String,
    value: f64,
    unit: Option<String>,
}

impl Replay {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        for folder in &self.cases {
            let case = Case::read(folder)?;
            let client = match (&global.data, &global.server) {
                (None, None) => {
                    Client::in_process(Engine::open(Config::in_memory(), Clock::Fixed(case.incident.detected_at))?)
                }
                _ => global.client()?,
            };
            let reference = case.record(&client).await?;
            let text = case.ask_why(&client, &reference, global.format.of_report()).await?;
            if global.format == Format::Json && self.cases.len() > 1 {
                let mut answer: Json = serde_json::from_str(&text).internal("the answer is not JSON")?;
                answer["case"] = json!(name_of(folder));
                print(&answer.to_string())?;
            } else {
                print(&text)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// `<dataset>/<case>`
fn name_of(folder: &Path) -> String {
    let parts: Vec<_> =
        folder.components().rev().take(2).map(|part| part.as_os_str().to_string_lossy().into_owned()).collect();
    parts.into_iter().rev().collect::<Vec<_>>().join("/")
}

impl Case {
    /// The bundled example, derived from a public case: see `examples/outage/README.md`.
    pub(super) fn example() -> Result<Self> {
        let incident = include_str!("../../examples/outage/incident.json");
        Ok(Self {
            incident: serde_json::from_str(incident).internal("the bundled example is broken")?,
            receipts: include_bytes!("../../examples/outage/receipts.ndjson").to_vec(),
            samples: read_samples(include_bytes!("../../examples/outage/measurements.csv"))
                .internal("the bundled example is broken")?,
        })
    }

    /// Reads a case folder; `answer.json` is never looked at.
    pub(super) fn read(folder: &Path) -> Result<Self> {
        let path = |name: &str| folder.join(name);
        let unreadable = |name: &str| format!("cannot read {}", path(name).display());
        let incident = fs::read(path("incident.json")).invalid(unreadable("incident.json"))?;
        let samples = if path("measurements.csv").exists() {
            let bytes = fs::read(path("measurements.csv")).invalid(unreadable("measurements.csv"))?;
            read_samples(&bytes).invalid(unreadable("measurements.csv"))?
        } else {
            Vec::new()
        };
        Ok(Self {
            incident: serde_json::from_slice(&incident).invalid(unreadable("incident.json"))?,
            receipts: fs::read(path("receipts.ndjson")).invalid(unreadable("receipts.ndjson"))?,
            samples,
        })
    }

    /// Records the incident, then evidence and crossings: its alerts would open another one before it. Returns its
    /// reference.
    pub(super) async fn record(&self, client: &Client) -> Result<String> {
        let Incident { id, detected_at, onset, symptom } = &self.incident;
        let incident = json!({
            "reference": id,
            "component": symptom.component,
            "metric": symptom.metric,
            "summary": symptom.summary,
            "onset": onset,
            "detectedAt": detected_at,
        });
        let answer = client.send(Ask::post("/v1/incidents", "application/json", incident.to_string())).await?;
        let reference = answer.json()?["reference"].as_str().unwrap_or(id).to_owned();
        let mut tally = Tally::default();
        if !self.receipts.is_empty() {
            record_lines(client, self.receipts.clone(), &mut tally).await?;
        }
        let vocabulary = Vocabulary::builtin();
        let mut lines = Vec::new();
        for crossing in crossings(&self.samples, self.incident.detected_at) {
            let json = Json::Object(write_json(&crossing, crossing.id(&vocabulary), &[]));
            lines.extend(json.to_string().bytes().chain([b'\n']));
        }
        if !lines.is_empty() {
            record_lines(client, lines, &mut tally).await?;
        }
        if let Some(refused) = tally.refusals().next() {
            return Err(Error::invalid(format!(
                "the case holds a receipt that is refused: {}",
                refused["problem"]["detail"]
            )));
        }
        Ok(reference)
    }

    /// Why, as of the detection, looking back to the case's beginning.
    pub(super) async fn ask_why(&self, client: &Client, reference: &str, media_type: &'static str) -> Result<String> {
        let at = self.incident.detected_at;
        let lookback = at.since(self.first()).max(LOOKBACK_DEFAULT).num_seconds() + 1;
        let (at, window) = (at.to_string(), format!("{lookback}s"));
        let path = format!("/v1/incidents/{}/why", urlencode(reference));
        let ask = Ask::get(&path, [("at", at.as_str()), ("window", window.as_str())]).accept(media_type);
        client.send(ask).await?.text()
    }

    fn first(&self) -> Timestamp {
        let lines =
            self.receipts.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Json>(line).ok());
        let times = lines.filter_map(|receipt| receipt["occurredAt"].as_str()?.parse().ok());
        times.chain(self.samples.iter().map(|sample| sample.time)).min().unwrap_or(self.incident.detected_at)
    }
}

fn urlencode(text: &str) -> String {
    form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

fn read_samples(bytes: &[u8]) -> Result<Vec<Sample>, csv::Error> {
    csv::Reader::from_reader(bytes)
        .deserialize()
        .map(|row| {
            let Measurement { time, component, metric, value, unit } = row?;
            Ok(Sample { time, component, metric, value, unit: unit.filter(|unit| !unit.is_empty()) })
        })
        .collect()
}
