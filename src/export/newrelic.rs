//! New Relic: metrics by the Metric API, receipts by the Log API.

use chrono::TimeDelta;
use serde_json::{Map, Value as Json, json};

use super::destination::{By, Destination, Export, Metrics, Packing, Route, is_passing};
use super::entry::Entry;
use super::reading::{Point, Reading};
use super::told::{Pick, Told};

const SITE_DEFAULT: &str = "newrelic.com";
/// Of one request, as it is sent.
const PACKED_BYTES_MAX: usize = 1_000_000;
const BODY_BYTES_MAX: usize = 8_000_000;
const AGE_MAX: TimeDelta = TimeDelta::hours(48);
const TEXT_CHARACTERS_MAX: usize = 4_000;

pub(super) const DESTINATION: Destination = Destination {
    name: "newrelic",
    by: By::Http,
    needs: &["token"],
    credentials: |export| vec![("api-key", export.token())],
    metrics: Some(Route {
        url: |export| export.address(|| format!("https://metric-api.{}/metric/v1", site(export)), "/metric/v1"),
        headers: &[("content-type", "application/json")],
        packing: Packing::Gzip,
        write: metrics,
        items_max: 2_000,
        body_bytes_max: BODY_BYTES_MAX,
        packed_bytes_max: PACKED_BYTES_MAX,
        age_max: Some(AGE_MAX),
    }),
    receipts: Some(Route {
        url: |export| export.address(|| format!("https://log-api.{}/log/v1", site(export)), "/log/v1"),
        headers: &[("content-type", "application/json")],
        packing: Packing::Gzip,
        write: logs,
        items_max: 500,
        body_bytes_max: BODY_BYTES_MAX,
        packed_bytes_max: PACKED_BYTES_MAX,
        age_max: Some(AGE_MAX),
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

fn common(export: &Export) -> Json {
    json!({"service.name": export.service_name, "environment": export.environment, "instrumentation.provider": "naze"})
}

fn metrics(metrics: &Metrics<'_>, export: &Export) -> Vec<u8> {
    let points = metrics.readings.iter().flat_map(Reading::points);
    let written: Vec<Json> =
        points.filter(|point| !point.is_total || point.value > 0.0).map(|p| one(&p, metrics)).collect();
    json!([{"common": {"attributes": common(export)}, "metrics": written}]).to_string().into_bytes()
}

/// A count is told with the span of time it covers, and the beginning of that.
fn one(point: &Point, metrics: &Metrics<'_>) -> Json {
    let labels = point.labels.iter();
    let attributes: Map<String, Json> = labels
        .map(|(name, value)| (name.clone(), Json::from(value.chars().take(TEXT_CHARACTERS_MAX).collect::<String>())))
        .collect();
    let mut written = json!({"name": point.name, "value": point.value, "attributes": attributes});
    let since = if point.is_total { metrics.since.unwrap_or(metrics.at) } else { metrics.at };
    written["type"] = if point.is_total { "count" } else { "gauge" }.into();
    written["timestamp"] = (since.micros() / 1_000).into();
    if point.is_total {
        written["interval.ms"] = metrics.at.since(since).num_milliseconds().max(1).into();
    }
    written
}

fn logs(receipts: &[Told], export: &Export) -> Vec<u8> {
    let logs: Vec<Json> = receipts.iter().map(|told| log(Entry::of(&told.recorded))).collect();
    json!([{"common": {"attributes": common(export)}, "logs": logs}]).to_string().into_bytes()
}

fn log(entry: Entry) -> Json {
    let attributes = entry.attributes.into_iter().map(|(name, value)| (name, scalar(value)));
    let mut attributes: Map<String, Json> = attributes.collect();
    attributes.insert("level".to_owned(), entry.severity.name().into());
    for (name, id) in [("trace.id", entry.trace_id), ("span.id", entry.span_id)] {
        attributes.extend(id.map(|id| (name.to_owned(), Json::from(id))));
    }
    json!({"timestamp": entry.at.micros() / 1_000, "message": entry.message, "attributes": attributes})
}

/// Attributes hold one value each.
fn scalar(value: Json) -> Json {
    match value {
        Json::Array(values) => {
            let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            Json::from(values.iter().map(text).collect::<Vec<_>>().join(", "))
        }
        other => other,
    }
}
