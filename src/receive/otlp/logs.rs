//! Log records: errors, exceptions, and feature flags that turned.

use std::collections::BTreeMap;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::logs::v1::LogRecord;

use super::SOURCE;
use super::attributes::{Attributes, Origin, id, text_of, time};
use super::traces::key_of_failure;
use crate::clock::{Timestamp, minute_of};
use crate::measure::{Kind, Point, Samples, Series};
use crate::receipt::Value;
use crate::receive::native::volume;
use crate::receive::{Draft, Given, Item, Observed, Received, body};

const MESSAGES: &str = "tps_andon_log_messages_total";
/// `SEVERITY_NUMBER_ERROR`, and `SEVERITY_NUMBER_FATAL`.
const ERROR: i32 = 17;
const FATAL: i32 = 21;

pub(super) fn read(request: &ExportLogsServiceRequest, given: &Given<'_>) -> Received {
    let mut received = Received::default();
    let mut volume: BTreeMap<(String, &str, Timestamp), (Timestamp, f64)> = BTreeMap::new();
    for resource in &request.resource_logs {
        let origin = Origin::of(resource.resource.as_ref(), given.mapping);
        for record in resource.scope_logs.iter().flat_map(|scope| &scope.log_records) {
            let at = at(record, given);
            let known = volume.entry((origin.component.clone(), level(record), minute_of(at))).or_insert((at, 0.0));
            *known = (at.max(known.0), known.1 + 1.0);
            match draft(record, &origin, given) {
                Some(draft) => received.items.push(Item::Receipt(draft)),
                None => received.ignored += 1,
            }
        }
    }
    let told = volume.into_iter().map(|((component, level, _), (at, count))| messages(component, level, at, count));
    received.samples = told.collect();
    received
}

/// How many entries of a level there were in a minute, told at the last of them: batches of a minute differ by that.
fn messages(component: String, level: &str, at: Timestamp, count: f64) -> Samples {
    let labels = [("level".to_owned(), level.to_owned())].into();
    let series = Series { metric: MESSAGES.to_owned(), component, kind: Kind::Delta, labels };
    Samples { series, unit: None, points: vec![Point::once(at, count)] }
}

/// One of the four levels that are counted, by the number of the record or else by its text.
fn level(record: &LogRecord) -> &'static str {
    match record.severity_number {
        1..=8 => "DEBUG",
        9..=12 => "INFO",
        13..=20 => "WARNING",
        21.. => "CRITICAL",
        _ => volume::level(&record.severity_text),
    }
}

fn at(record: &LogRecord, given: &Given<'_>) -> Timestamp {
    time(record.time_unix_nano).or_else(|| time(record.observed_time_unix_nano)).unwrap_or(given.received_at)
}

fn draft(record: &LogRecord, origin: &Origin, given: &Given<'_>) -> Option<Draft> {
    let attributes = Attributes::of(&record.attributes);
    let event =
        Some(record.event_name.as_str()).filter(|name| !name.is_empty()).or_else(|| attributes.text("event.name"));
    if event == Some("feature_flag.evaluation") || event == Some("feature_flag") {
        return flag(record, &attributes, origin, given);
    }
    let exception = attributes.first(&["exception.type", "exception.message"]);
    let is_error = record.severity_number >= ERROR || (record.severity_number == 0 && is_error(&record.severity_text));
    (is_error || exception.is_some()).then(|| failure(record, &attributes, event, origin, given))
}

fn is_error(severity: &str) -> bool {
    ["error", "err", "fatal", "critical", "crit", "alert", "emergency", "panic"]
        .iter()
        .any(|name| severity.eq_ignore_ascii_case(name))
}

fn failure(
    record: &LogRecord,
    attributes: &Attributes,
    event: Option<&str>,
    origin: &Origin,
    given: &Given<'_>,
) -> Draft {
    let failure_type = attributes.first(&["exception.type", "error.type"]).or(event).unwrap_or("error log");
    let body = record.body.as_ref().and_then(text_of);
    let message = attributes.text("exception.message").or(body.as_deref());
    let (trace, span) = (id(&record.trace_id), id(&record.span_id));
    let mut receipt = origin
        .receipt("failure", at(record, given))
        .with("failureType", Value::text(failure_type))
        .with_text("message", message)
        .with_text("severity", (record.severity_number >= FATAL).then_some("critical"))
        .with_text("traceId", trace.as_deref())
        .with_text("spanId", span.as_deref());
    if let Some(logger) = attributes.first(&["logger.name", "code.function.name", "code.namespace"]) {
        receipt.label("logger", body::clip(logger).as_str());
    }
    // Log records have no id: only an exception can be told from the same one in the span.
    let key =
        attributes.text("exception.type").and_then(|_| key_of_failure(trace.as_deref(), span.as_deref(), failure_type));
    Draft::new(receipt).with_key(key)
}

/// Every request evaluates its flags; a variant that was not seen lately means that somebody turned one.
fn flag(record: &LogRecord, attributes: &Attributes, origin: &Origin, given: &Given<'_>) -> Option<Draft> {
    let key = attributes.text("feature_flag.key")?;
    let value =
        attributes.first(&["feature_flag.result.variant", "feature_flag.variant", "feature_flag.result.value"])?;
    let at = time(record.time_unix_nano).unwrap_or(given.received_at);
    let receipt = origin
        .receipt("change", at)
        .with("changeType", Value::text("feature_flag"))
        .with("key", Value::text(key))
        .with("to", Value::text(value))
        .with_label("inferred", "feature_flag.evaluation");
    let subject = format!("{SOURCE}:flag:{}:{key}", origin.component);
    Some(Draft::new(receipt).observed(Observed { subject, value: value.to_owned(), field_before: "from" }))
}
