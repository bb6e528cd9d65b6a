//! OpenTelemetry: metrics, receipts and spans by OTLP/HTTP, in protobuf.

pub(in crate::export) mod spans;

use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsServiceRequest, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs, SeverityNumber};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, ResourceMetrics,
    ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prost::Message as _;
use serde_json::Value as Json;

use super::destination::{By, Destination, Export, Metrics, Packing, Route, authorization};
use super::entry::{Entry, Severity};
use super::reading::{Reading, Value};
use super::told::{Pick, Told};
use crate::clock::Timestamp;

const URL_DEFAULT: &str = "http://localhost:4318";
const HEADERS: &[(&str, &str)] = &[("content-type", "application/x-protobuf")];
/// What receivers commonly take.
const BODY_BYTES_MAX: usize = 4 << 20;

pub(super) const DESTINATION: Destination = Destination {
    name: "otlp",
    by: By::Http,
    needs: &[],
    credentials: authorization,
    metrics: Some(Route {
        url: |export| export.address(|| format!("{URL_DEFAULT}/v1/metrics"), "/v1/metrics"),
        headers: HEADERS,
        packing: Packing::Gzip,
        write: |told, export| metrics(told, export).encode_to_vec(),
        items_max: 2_000,
        body_bytes_max: BODY_BYTES_MAX,
        packed_bytes_max: BODY_BYTES_MAX,
        age_max: None,
    }),
    receipts: Some(Route {
        url: |export| export.address(|| format!("{URL_DEFAULT}/v1/logs"), "/v1/logs"),
        headers: HEADERS,
        packing: Packing::Gzip,
        write: |receipts, export| logs(receipts, export).encode_to_vec(),
        items_max: 500,
        body_bytes_max: BODY_BYTES_MAX,
        packed_bytes_max: BODY_BYTES_MAX,
        age_max: None,
    }),
    pick: Pick::All,
    severities: &[],
    traces: Some(Route {
        url: |export| export.address(|| format!("{URL_DEFAULT}/v1/traces"), "/v1/traces"),
        headers: HEADERS,
        packing: Packing::Gzip,
        write: |told, export| spans::spans(told, export).encode_to_vec(),
        items_max: 500,
        body_bytes_max: BODY_BYTES_MAX,
        packed_bytes_max: BODY_BYTES_MAX,
        age_max: None,
    }),
    wants_growth: false,
    // All others, 500 among them, must not be tried again, says the protocol.
    is_passing: |status| matches!(status, 429 | 502 | 503 | 504),
    rejected,
};

/// All kinds of answer have the same form.
fn rejected(body: &[u8]) -> Option<(u64, String)> {
    let told = ExportLogsServiceResponse::decode(body).ok()?.partial_success?;
    let count = u64::try_from(told.rejected_log_records).unwrap_or(0);
    (count > 0 || !told.error_message.is_empty()).then_some((count, told.error_message))
}

fn metrics(told: &Metrics<'_>, export: &Export) -> ExportMetricsServiceRequest {
    let mut metrics: Vec<Metric> = Vec::new();
    for reading in told.readings {
        if let Some(last) = metrics.last_mut().filter(|last| last.name == reading.metric) {
            add(last, reading, told);
        } else {
            let mut metric = named(reading);
            add(&mut metric, reading, told);
            metrics.push(metric);
        }
    }
    let scope_metrics = vec![ScopeMetrics { scope: Some(scope()), metrics, schema_url: String::new() }];
    let resource = ResourceMetrics { resource: Some(resource(export)), scope_metrics, schema_url: String::new() };
    ExportMetricsServiceRequest { resource_metrics: vec![resource] }
}

fn named(reading: &Reading) -> Metric {
    let (description, unit) = reading.known().map_or(("", ""), |known| (known.definition, known.unit));
    let temporality = AggregationTemporality::Cumulative.into();
    let data = match reading.value {
        Value::Counter(_) => {
            Data::Sum(Sum { data_points: Vec::new(), aggregation_temporality: temporality, is_monotonic: true })
        }
        Value::Gauge(_) => Data::Gauge(Gauge::default()),
        Value::Histogram(_) => {
            Data::Histogram(Histogram { data_points: Vec::new(), aggregation_temporality: temporality })
        }
    };
    // UCUM: a ratio has no unit, and what UCUM does not know stands in braces.
    let unit = match unit {
        "ratio" => "1".to_owned(),
        "code" | "currency" => format!("{{{unit}}}"),
        "unit/day" => "{unit}/d".to_owned(),
        unit => unit.to_owned(),
    };
    Metric {
        name: reading.metric.clone(),
        description: description.to_owned(),
        unit,
        metadata: Vec::new(),
        data: Some(data),
    }
}

fn add(metric: &mut Metric, reading: &Reading, told: &Metrics<'_>) {
    let attributes: Vec<KeyValue> = reading.labels.iter().map(|(name, value)| text(name, value)).collect();
    let time_unix_nano = nanoseconds(told.at);
    let start_time_unix_nano = told.since.map_or(0, nanoseconds);
    let number = |value: f64, start_time_unix_nano: u64| NumberDataPoint {
        attributes: attributes.clone(),
        start_time_unix_nano,
        time_unix_nano,
        value: Some(Number::AsDouble(value)),
        ..NumberDataPoint::default()
    };
    match (&mut metric.data, &reading.value) {
        (Some(Data::Sum(sum)), Value::Counter(total)) => sum.data_points.push(number(*total, start_time_unix_nano)),
        (Some(Data::Gauge(gauge)), Value::Gauge(level)) => gauge.data_points.push(number(*level, 0)),
        (Some(Data::Histogram(histogram)), Value::Histogram(spread)) => {
            histogram.data_points.push(HistogramDataPoint {
                attributes,
                start_time_unix_nano,
                time_unix_nano,
                count: spread.count,
                sum: Some(spread.sum),
                bucket_counts: spread.counts(),
                explicit_bounds: spread.bounds.clone(),
                ..HistogramDataPoint::default()
            });
        }
        _ => unreachable!("readings of one metric are of one type"),
    }
}

fn logs(receipts: &[Told], export: &Export) -> ExportLogsServiceRequest {
    let log_records = receipts.iter().map(|told| log(Entry::of(&told.recorded))).collect();
    let scope_logs = vec![ScopeLogs { scope: Some(scope()), log_records, schema_url: String::new() }];
    let resource = ResourceLogs { resource: Some(resource(export)), scope_logs, schema_url: String::new() };
    ExportLogsServiceRequest { resource_logs: vec![resource] }
}

fn log(entry: Entry) -> LogRecord {
    let severity = match entry.severity {
        Severity::Info => SeverityNumber::Info,
        Severity::Warning => SeverityNumber::Warn,
        Severity::Error => SeverityNumber::Error,
        Severity::Critical => SeverityNumber::Fatal,
    };
    let attributes =
        entry.attributes.into_iter().map(|(key, value)| KeyValue { key, value: any(value), ..KeyValue::default() });
    LogRecord {
        time_unix_nano: nanoseconds(entry.at),
        observed_time_unix_nano: nanoseconds(entry.recorded_at),
        severity_number: severity.into(),
        severity_text: entry.severity.name().to_owned(),
        body: any(entry.message.into()),
        attributes: attributes.collect(),
        trace_id: bytes(entry.trace_id),
        span_id: bytes(entry.span_id),
        ..LogRecord::default()
    }
}

fn bytes(id: Option<String>) -> Vec<u8> {
    id.and_then(|id| hex::decode(id).ok()).unwrap_or_default()
}

fn any(value: Json) -> Option<AnyValue> {
    let value = match value {
        Json::Null => return None,
        Json::Bool(truth) => Any::BoolValue(truth),
        Json::Number(number) => match number.as_i64() {
            Some(whole) => Any::IntValue(whole),
            None => Any::DoubleValue(number.as_f64().unwrap_or_default()),
        },
        Json::String(text) => Any::StringValue(text),
        Json::Array(values) => Any::ArrayValue(ArrayValue { values: values.into_iter().filter_map(any).collect() }),
        object @ Json::Object(_) => Any::StringValue(object.to_string()),
    };
    Some(AnyValue { value: Some(value) })
}

fn text(key: &str, value: &str) -> KeyValue {
    KeyValue { key: key.to_owned(), value: any(value.into()), ..KeyValue::default() }
}

fn resource(export: &Export) -> Resource {
    let attributes = vec![
        text("service.name", &export.service_name),
        text("service.version", env!("CARGO_PKG_VERSION")),
        text("deployment.environment.name", &export.environment),
    ];
    Resource { attributes, ..Resource::default() }
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "naze".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

/// Nanoseconds since 1970; what was before counts as then.
fn nanoseconds(time: Timestamp) -> u64 {
    u64::try_from(time.micros()).unwrap_or(0).saturating_mul(1_000)
}
