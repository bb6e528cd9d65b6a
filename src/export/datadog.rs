//! Datadog: metrics by the v2 series API, receipts by the v2 log intake.

use chrono::TimeDelta;
use serde_json::{Map, Value as Json, json};

use super::destination::{By, Destination, Export, Metrics, Packing, Route, is_passing};
use super::entry::Entry;
use super::reading::{Point, Reading};
use super::told::{Pick, Told};

const SITE_DEFAULT: &str = "datadoghq.com";
/// Types of metrics.
const COUNT: u8 = 1;
const GAUGE: u8 = 3;
const TAG_CHARACTERS_MAX: usize = 200;

pub(super) const DESTINATION: Destination = Destination {
    name: "datadog",
    by: By::Http,
    needs: &["token"],
    credentials: |export| vec![("dd-api-key", export.token())],
    metrics: Some(Route {
        url: |export| export.address(|| format!("https://api.{}/api/v2/series", site(export)), "/api/v2/series"),
        headers: &[("content-type", "application/json")],
        packing: Packing::Gzip,
        write: series,
        items_max: 1_000,
        body_bytes_max: 5_242_880 - 1,
        packed_bytes_max: 512_000,
        age_max: Some(TimeDelta::hours(1)),
    }),
    receipts: Some(Route {
        url: |export| {
            export.address(|| format!("https://http-intake.logs.{}/api/v2/logs", site(export)), "/api/v2/logs")
        },
        headers: &[("content-type", "application/json")],
        packing: Packing::Gzip,
        write: logs,
        items_max: 500,
        body_bytes_max: 5_000_000,
        packed_bytes_max: 5_000_000,
        age_max: Some(TimeDelta::hours(18)),
    }),
    pick: Pick::All,
    severities: &[],
    traces: None,
    wants_growth: true,
    is_passing,
    rejected: |_| None,
};

fn site(export: &Export) -> &str {
    export.site.as_deref().unwrap_or(SITE_DEFAULT)
}

fn series(metrics: &Metrics<'_>, export: &Export) -> Vec<u8> {
    let points = metrics.readings.iter().flat_map(Reading::points);
    let series: Vec<Json> = points.map(|point| one(&point, metrics, export)).collect();
    json!({"series": series}).to_string().into_bytes()
}

fn one(point: &Point, metrics: &Metrics<'_>, export: &Export) -> Json {
    let labels = point.labels.iter().map(|(name, value)| tag(name, value));
    let tags: Vec<String> = labels.chain(common(export)).collect();
    let at = metrics.at.micros() / 1_000_000;
    let mut series = json!({
        "metric": point.name,
        "type": if point.is_total { COUNT } else { GAUGE },
        "points": [{"timestamp": at, "value": point.value}],
        "tags": tags,
        "source_type_name": "naze",
    });
    if let (true, Some(since)) = (point.is_total, metrics.since) {
        series["interval"] = json!(metrics.at.since(since).num_seconds().max(1));
    }
    series
}

fn common(export: &Export) -> [String; 2] {
    [tag("env", &export.environment), tag("source_service", &export.service_name)]
}

/// `name:value` in the characters that Datadog keeps.
fn tag(name: &str, value: &str) -> String {
    let kept = |character: char| {
        if character.is_alphanumeric() || "_-:./".contains(character) { character } else { '_' }
    };
    format!("{name}:{value}").chars().map(kept).take(TAG_CHARACTERS_MAX).collect()
}

fn logs(receipts: &[Told], export: &Export) -> Vec<u8> {
    let logs: Vec<Json> = receipts.iter().map(|told| log(Entry::of(&told.recorded), export)).collect();
    Json::from(logs).to_string().into_bytes()
}

fn log(entry: Entry, export: &Export) -> Json {
    let mut log = Map::from_iter(entry.attributes);
    let tags = common(export).join(",");
    let known = [
        ("ddsource", json!("naze")),
        ("ddtags", json!(tags)),
        ("service", json!(entry.component)),
        ("message", json!(entry.message)),
        ("status", json!(entry.severity.name())),
        ("timestamp", json!(entry.at)),
    ];
    log.extend(known.map(|(name, value)| (name.to_owned(), value)));
    for (name, id) in [("trace_id", entry.trace_id), ("span_id", entry.span_id)] {
        log.extend(id.map(|id| (name.to_owned(), Json::from(id))));
    }
    Json::Object(log)
}
