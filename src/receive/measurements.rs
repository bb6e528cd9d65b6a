//! naze's own intake of measurements: JSON, NDJSON, CSV, and the text that exporters show to Prometheus.

mod csv;
mod exposition;
mod json;

use std::collections::BTreeMap;

use http::StatusCode;
use serde_json::json;

use super::{COMPONENT_UNKNOWN, Delivery, Given, Item, Received, Receiver, Reply, Tally, body};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::measure::{Kind, Point, Samples, Series};
use crate::validate::Violation;

/// Whoever measures something and speaks no other protocol.
pub(super) const RECEIVER: Receiver = Receiver {
    name: SOURCE,
    paths: &["/v1/measurements"],
    read,
    reply: Some(|_, told| told.ok().map(reply)),
    ..Receiver::PLAIN
};

const SOURCE: &str = "measurements";
/// Measurements of one body.
const MEASUREMENTS_MAX: usize = 1_000_000;
/// Refused ones that an answer names.
const PROBLEMS_MAX: usize = 100;

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let text = body::text(delivery.body)?;
    let mut taken = Taken { given, series: BTreeMap::new(), count: 0, refused: Vec::new() };
    match delivery.media_type().to_ascii_lowercase().as_str() {
        "" | "application/json" => json::document(text, &mut taken)?,
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" => json::lines(text, &mut taken)?,
        "text/csv" => csv::read(text, &mut taken)?,
        "text/plain" | "application/openmetrics-text" => exposition::read(text, &mut taken)?,
        other => {
            return Err(Error::invalid(format!("Content-Type \"{other}\" holds no measurements")).hint(
                "send application/json, application/x-ndjson, text/csv, text/plain or application/openmetrics-text",
            ));
        }
    }
    Ok(taken.received())
}

/// One measurement, as any of the formats tells it.
#[derive(Debug, Default)]
struct Measurement {
    metric: String,
    component: Option<String>,
    kind: Option<Kind>,
    labels: BTreeMap<String, String>,
    unit: Option<String>,
    at: Option<Timestamp>,
    value: f64,
    count: Option<u64>,
}

/// What was read so far, by series.
struct Taken<'a> {
    given: &'a Given<'a>,
    series: BTreeMap<Series, (Option<String>, Vec<Point>)>,
    count: usize,
    refused: Vec<Violation>,
}

impl Taken<'_> {
    fn take(&mut self, told: Measurement) -> Result<()> {
        self.count += 1;
        if self.count > MEASUREMENTS_MAX {
            return Err(Error::invalid(format!("the body holds more than {MEASUREMENTS_MAX} measurements"))
                .hint("send them in several requests"));
        }
        let mut labels = told.labels;
        let named = told.component.or_else(|| labels.remove("component"));
        let component = named.filter(|name| !name.is_empty()).or_else(|| {
            let label = |name: &str| labels.get(name).map(String::as_str);
            self.given.mapping.component(label)
        });
        let kind = told.kind.unwrap_or(Kind::Gauge);
        let component = component.unwrap_or_else(|| COMPONENT_UNKNOWN.to_owned());
        let series = Series { metric: told.metric, component, kind, labels };
        let point =
            Point { at: told.at.unwrap_or(self.given.received_at), value: told.value, count: told.count.unwrap_or(1) };
        let (unit, points) = self.series.entry(series).or_default();
        *unit = unit.take().or(told.unit);
        points.push(point);
        Ok(())
    }

    /// Notes that the measurement at `place` cannot be read.
    fn refuse(&mut self, place: &str, field: &str, value: &str, message: &str, fix: &str) {
        let field = format!("{place}{field}");
        self.refused.push(body::violation(SOURCE, &field, Some(value), format!("{field}: {message}"), fix));
    }

    fn received(self) -> Received {
        let samples = self.series.into_iter().map(|(series, (unit, points))| Samples { series, unit, points });
        Received {
            samples: samples.collect(),
            items: self.refused.into_iter().map(|violation| Item::Refused(vec![violation])).collect(),
            ..Received::default()
        }
    }
}

/// As for receipts: 201, 207 when some were refused, 422 when all were.
fn reply(tally: &Tally) -> Reply {
    let refused = tally.refused.len() as u64 + tally.samples_refused;
    let status = match (tally.samples, refused) {
        (0, 1..) => StatusCode::UNPROCESSABLE_ENTITY,
        (_, 1..) => StatusCode::MULTI_STATUS,
        (0, 0) => StatusCode::OK,
        _ => StatusCode::CREATED,
    };
    let problems: Vec<&String> = tally.refused.iter().chain(&tally.samples_problem).take(PROBLEMS_MAX).collect();
    let answer = json!({"recorded": tally.samples, "refused": refused, "problems": problems});
    let headers = vec![("content-type", "application/json".to_owned())];
    Reply { status, headers, body: answer.to_string().into_bytes() }
}
