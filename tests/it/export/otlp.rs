//! OTLP/HTTP, decoded with the protocol's own messages; and naze as its own collector.

use std::collections::BTreeMap;

use chrono::DateTime;
use opentelemetry_proto::tonic::collector::logs::v1::{
    ExportLogsPartialSuccess, ExportLogsServiceRequest, ExportLogsServiceResponse,
};
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value as Json, json};

use super::tool::{Mood, Seen, Tool, must};
use super::{Pusher, SPAN, TRACE, eventually, failures, shown, totals};

const LOGS: &str = "/v1/logs";
const METRICS: &str = "/v1/metrics";
const TRACES: &str = "/v1/traces";

pub(super) fn contract(seen: &Seen) -> Result<(u16, Vec<u8>), String> {
    must(seen.header("content-type") == "application/x-protobuf", "content-type")?;
    must(seen.header("content-encoding") == "gzip", "content-encoding")?;
    must(seen.header("user-agent").starts_with("naze/"), "user-agent")?;
    let resources: Vec<Option<Resource>> = match seen.path.as_str() {
        LOGS => {
            let told = ExportLogsServiceRequest::decode(&*seen.body).map_err(|error| error.to_string())?;
            let records: Vec<&LogRecord> = told
                .resource_logs
                .iter()
                .flat_map(|logs| &logs.scope_logs)
                .flat_map(|logs| &logs.log_records)
                .collect();
            must(!records.is_empty(), "no records")?;
            for record in records {
                must(record.time_unix_nano > 0 && record.observed_time_unix_nano >= record.time_unix_nano, "times")?;
                must((1..=24).contains(&record.severity_number), "severity_number")?;
                must(matches!(record.trace_id.len(), 0 | 16) && matches!(record.span_id.len(), 0 | 8), "ids")?;
            }
            told.resource_logs.into_iter().map(|logs| logs.resource).collect()
        }
        METRICS => {
            let told = ExportMetricsServiceRequest::decode(&*seen.body).map_err(|error| error.to_string())?;
            let metrics = told.resource_metrics.iter().flat_map(|metrics| &metrics.scope_metrics);
            for metric in metrics.flat_map(|metrics| &metrics.metrics) {
                check(metric.data.as_ref()).map_err(|why| format!("{}: {why}", metric.name))?;
            }
            told.resource_metrics.into_iter().map(|metrics| metrics.resource).collect()
        }
        TRACES => {
            let told = ExportTraceServiceRequest::decode(&*seen.body).map_err(|error| error.to_string())?;
            let spans = told.resource_spans.iter().flat_map(|spans| &spans.scope_spans).flat_map(|spans| &spans.spans);
            for span in spans {
                must(span.trace_id.len() == 16 && span.span_id.len() == 8, "ids")?;
                must(span.trace_id.iter().any(|byte| *byte > 0) && !span.name.is_empty(), "name")?;
                must(0 < span.start_time_unix_nano && span.start_time_unix_nano <= span.end_time_unix_nano, "times")?;
                let links = span.links.iter();
                must(links.map(|link| (link.trace_id.len(), link.span_id.len())).all(|ids| ids == (16, 8)), "links")?;
            }
            told.resource_spans.into_iter().map(|spans| spans.resource).collect()
        }
        other => return Err(format!("there is no {other}")),
    };
    for resource in resources {
        let attributes = resource.ok_or("no resource")?.attributes;
        must(text(&attributes, "service.name") == "naze", "service.name")?;
        must(text(&attributes, "service.version") == env!("CARGO_PKG_VERSION"), "service.version")?;
        must(text(&attributes, "deployment.environment.name") == "staging", "deployment.environment.name")?;
    }
    Ok((200, Vec::new()))
}

fn check(data: Option<&Data>) -> Result<(), String> {
    match data.ok_or("no data")? {
        Data::Sum(sum) => {
            must(sum.is_monotonic && sum.aggregation_temporality == 2, "not cumulative")?;
            must(
                sum.data_points.iter().all(|p| p.start_time_unix_nano <= p.time_unix_nano && p.value.is_some()),
                "times",
            )
        }
        Data::Gauge(gauge) => must(gauge.data_points.iter().all(|point| point.value.is_some()), "no value"),
        Data::Histogram(histogram) => {
            must(histogram.aggregation_temporality == 2, "not cumulative")?;
            for point in &histogram.data_points {
                must(point.bucket_counts.len() == point.explicit_bounds.len() + 1, "buckets")?;
                must(point.bucket_counts.iter().sum::<u64>() == point.count, "count")?;
                must(point.explicit_bounds.windows(2).all(|pair| pair[0] < pair[1]), "bounds")?;
            }
            Ok(())
        }
        other => Err(format!("{other:?}")),
    }
}

fn any(value: Option<&AnyValue>) -> Json {
    match value.and_then(|value| value.value.as_ref()) {
        Some(Any::StringValue(text)) => json!(text),
        Some(Any::IntValue(number)) => json!(number),
        Some(Any::DoubleValue(number)) => json!(number),
        Some(Any::BoolValue(truth)) => json!(truth),
        Some(Any::ArrayValue(array)) => array.values.iter().map(|value| any(Some(value))).collect(),
        _ => Json::Null,
    }
}

fn attributes(pairs: &[KeyValue]) -> BTreeMap<String, Json> {
    pairs.iter().map(|pair| (pair.key.clone(), any(pair.value.as_ref()))).collect()
}

fn text(pairs: &[KeyValue], key: &str) -> String {
    attributes(pairs).get(key).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// All records that were taken.
pub(super) fn records(tool: &Tool) -> Vec<LogRecord> {
    let requests = tool.taken(LOGS).into_iter().map(|seen| ExportLogsServiceRequest::decode(&*seen.body).unwrap());
    requests.flat_map(|told| told.resource_logs).flat_map(|logs| logs.scope_logs).flat_map(|l| l.log_records).collect()
}

/// The receipts' ids, in the order in which they were taken.
pub(super) fn ids(tool: &Tool) -> Vec<String> {
    records(tool).iter().map(|record| text(&record.attributes, "naze.receipt.id")).collect()
}

/// Values of the newest reading, in the words of the text exposition.
fn newest(tool: &Tool) -> BTreeMap<String, f64> {
    let mut newest = (0, BTreeMap::new());
    for seen in tool.taken(METRICS) {
        let told = ExportMetricsServiceRequest::decode(&*seen.body).unwrap();
        for metric in told.resource_metrics.into_iter().flat_map(|m| m.scope_metrics).flat_map(|m| m.metrics) {
            for (name, labels, at, value) in points(&metric.name, metric.data.as_ref().unwrap()) {
                if at > newest.0 {
                    newest = (at, BTreeMap::new());
                }
                if at == newest.0 {
                    newest.1.insert(shown(&name, &labels), value);
                }
            }
        }
    }
    newest.1
}

type Told = (String, BTreeMap<String, String>, u64, f64);

fn points(name: &str, data: &Data) -> Vec<Told> {
    let labels = |pairs: &[KeyValue]| -> BTreeMap<String, String> {
        attributes(pairs).into_iter().map(|(key, value)| (key, value.as_str().unwrap().to_owned())).collect()
    };
    let numbers = match data {
        Data::Sum(sum) => &sum.data_points,
        Data::Gauge(gauge) => &gauge.data_points,
        Data::Histogram(histogram) => {
            let spread = |point: &opentelemetry_proto::tonic::metrics::v1::HistogramDataPoint| {
                let bounds = point.explicit_bounds.iter().map(f64::to_string).chain(["+Inf".to_owned()]);
                let mut below = 0;
                let mut told: Vec<Told> = Vec::new();
                for (bound, count) in bounds.zip(&point.bucket_counts) {
                    below += count;
                    let mut labels = labels(&point.attributes);
                    labels.insert("le".to_owned(), bound);
                    told.push((format!("{name}_bucket"), labels, point.time_unix_nano, below as f64));
                }
                let labels = labels(&point.attributes);
                told.push((format!("{name}_count"), labels.clone(), point.time_unix_nano, point.count as f64));
                told.push((format!("{name}_sum"), labels, point.time_unix_nano, point.sum.unwrap()));
                told
            };
            return histogram.data_points.iter().flat_map(spread).collect();
        }
        _ => panic!("{name} is of another type"),
    };
    let number = |value: Option<Number>| match value.unwrap() {
        Number::AsDouble(number) => number,
        Number::AsInt(number) => number as f64,
    };
    let told = numbers.iter();
    told.map(|p| (name.to_owned(), labels(&p.attributes), p.time_unix_nano, number(p.value))).collect()
}

pub(super) fn config(url: &str) -> String {
    format!(
        "[exports.otel]\nkind = \"otlp\"\nurl = \"{url}/\"\nenvironment = \"staging\"\ninterval_seconds = 1\ntimeout_seconds = 2\n"
    )
}

#[test]
fn every_receipt_is_a_log_record_once_and_the_totals_are_those_of_the_metrics_page() {
    let tool = Tool::start(contract);
    let naze = Pusher::new(&config(&tool.url));
    let mut recorded = naze.record(&failures(0..700));
    let alert = json!({"kind": "alert", "occurredAt": super::ago(30), "component": "search", "name": "Slow",
        "status": "firing", "severity": "critical", "summary": "p99 is 4 s"});
    recorded.extend(naze.record(&[alert]));
    recorded.extend(naze.record(&failures(700..1_200)));
    eventually("all receipts", |ids: &Vec<String>| ids.len() >= recorded.len(), || ids(&tool));
    // A critical alert opens an incident, which is a receipt of naze's own.
    let told = ids(&tool);
    assert_eq!(told.iter().filter(|id| recorded.contains(id)).count(), recorded.len(), "each of them once");
    let order: Vec<&String> = told.iter().filter(|id| recorded.contains(id)).collect();
    assert_eq!(order, recorded.iter().collect::<Vec<_>>(), "in the order of the ledger");

    let records = records(&tool);
    let of = |id: &str| records.iter().find(|record| text(&record.attributes, "naze.receipt.id") == id).unwrap();
    let failure = of(&recorded[3]);
    let receipt: Json = serde_json::from_str(&naze.text(&format!("/v1/receipts/{}", recorded[3]))).unwrap();
    let nanoseconds = |member: &str| {
        let time = DateTime::parse_from_rfc3339(receipt[member].as_str().unwrap()).unwrap();
        u64::try_from(time.timestamp_nanos_opt().unwrap()).unwrap()
    };
    assert_eq!(failure.time_unix_nano, nanoseconds("occurredAt"));
    assert_eq!(failure.observed_time_unix_nano, nanoseconds("recordedAt"));
    assert_eq!((hex::encode(&failure.trace_id), hex::encode(&failure.span_id)), (TRACE.to_owned(), SPAN.to_owned()));
    assert_eq!((failure.severity_number, failure.severity_text.as_str()), (17, "error"));
    assert_eq!(any(failure.body.as_ref()), json!("Timeout: number 3"));
    let expected = json!({"naze.receipt.id": recorded[3], "naze.receipt.kind": "failure",
        "naze.occurredAt": receipt["occurredAt"], "naze.component": "checkout", "naze.failureType": "Timeout",
        "naze.message": "number 3", "naze.traceId": TRACE, "naze.spanId": SPAN, "naze.label.team": "pay"});
    assert_eq!(json!(attributes(&failure.attributes)), expected);
    let alert = of(&recorded[700]);
    assert_eq!((alert.severity_number, alert.trace_id.len()), (21, 0));

    let scraped = naze.scraped();
    assert!(scraped["tps_jidoka_failures_total{component=\"checkout\"}"] >= 1_200.0);
    let expected = totals(&scraped);
    let is_there = |told: &BTreeMap<String, f64>| totals(told) == expected;
    eventually("the totals of the metrics page", is_there, || newest(&tool));
    assert!(naze.figure("naze_export_sent_total{export=\"otel\",signal=\"receipts\"}") >= 1_201.0);
    assert_eq!(naze.figure("naze_export_waiting{export=\"otel\",signal=\"receipts\"}"), 0.0);
}

#[test]
fn what_a_collector_rejects_of_a_request_is_counted_and_not_sent_again() {
    let tool = Tool::start(contract);
    let naze = Pusher::new(&format!("{}metrics = false\n", config(&tool.url)));
    let partial = ExportLogsPartialSuccess { rejected_log_records: 2, error_message: "too long".to_owned() };
    let says = ExportLogsServiceResponse { partial_success: Some(partial) }.encode_to_vec();
    tool.will([Mood::Says(200, says)]);
    naze.record(&failures(0..5));
    let taken = "naze_export_sent_total{export=\"otel\",signal=\"receipts\"}";
    eventually("three taken", |sent| *sent == 3.0, || naze.figure(taken));
    assert_eq!(naze.figure("naze_export_dropped_total{export=\"otel\",reason=\"refused\",signal=\"receipts\"}"), 2.0);
    assert!(naze.standing("receipts")["lastProblem"]["message"].as_str().unwrap().contains("too long"));
    let next = naze.record(&failures(5..6));
    eventually("the next", |ids: &Vec<String>| ids.ends_with(&next), || ids(&tool));
    assert_eq!(ids(&tool).len(), 6);
}

#[test]
fn naze_takes_what_naze_exports() {
    let other = tempfile::tempdir().unwrap();
    let (_other, url) = crate::common::serve(other.path(), crate::common::LOOPBACK);
    let naze = Pusher::new(&config(&url));
    naze.record(&failures(0..7));
    let series = || -> Json {
        let path =
            format!("{url}/v1/series/tps_jidoka_failures_total?label.component=checkout&from=-10m&to=%2B1m&stat=last");
        naze.http.get(path).send().unwrap().json().unwrap()
    };
    let has_seven = |told: &Json| {
        let points = told["series"][0]["points"].as_array();
        points.is_some_and(|points| points.iter().any(|point| point[1] == 7.0))
    };
    eventually("seven failures", has_seven, series);
    assert_eq!(naze.standing("metrics")["dropped"], 0);
    assert_eq!(naze.standing("receipts")["dropped"], 0);
}

fn spans(tool: &Tool) -> Vec<Span> {
    let requests = tool.taken(TRACES).into_iter().map(|seen| ExportTraceServiceRequest::decode(&*seen.body).unwrap());
    requests.flat_map(|told| told.resource_spans).flat_map(|spans| spans.scope_spans).flat_map(|s| s.spans).collect()
}

fn nanoseconds(json: &Json) -> u64 {
    let time = DateTime::parse_from_rfc3339(json.as_str().unwrap()).unwrap();
    time.timestamp_nanos_opt().unwrap().try_into().unwrap()
}

#[test]
fn what_has_a_beginning_and_an_end_is_a_span_and_the_trace_it_names_is_linked() {
    let tool = Tool::start(contract);
    // Spans alone, so that what the tool does is done to them.
    let mut naze = Pusher::new(&format!("{}metrics = false\nreceipts = false\n", config(&tool.url)));
    let step = |kind: &str, seconds: i64, more: Json| {
        let mut receipt = json!({"kind": kind, "occurredAt": super::ago(seconds), "component": "checkout"});
        receipt.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        receipt
    };
    let receipts = [
        step("deployment", 900, json!({"status": "started", "version": "2"})),
        step("deployment", 800, json!({"status": "started", "version": "3", "traceId": TRACE, "spanId": SPAN})),
        step("incident", 700, json!({"reference": "INC-1", "status": "open", "onset": super::ago(760)})),
        step("deployment", 600, json!({"status": "succeeded", "version": "2"})),
        step("deployment", 500, json!({"status": "failed", "version": "3"})),
        step("circuit", 400, json!({"state": "closed", "recoverySeconds": 90.5})),
        step("alert", 390, json!({"name": "Slow", "status": "firing", "severity": "warning", "fingerprint": "f"})),
        step(
            "alert",
            380,
            json!({"name": "Slow", "status": "acknowledged", "severity": "warning", "fingerprint": "f"}),
        ),
        step("alert", 370, json!({"name": "Slow", "status": "resolved", "severity": "warning", "fingerprint": "f"})),
        step("incident", 360, json!({"reference": "INC-1", "status": "resolved"})),
        // Nobody knows when it began.
        step("deployment", 350, json!({"status": "succeeded", "version": "9"})),
    ];
    naze.record(&receipts);
    let told = eventually("spans", |spans: &Vec<Span>| spans.len() >= 5, || spans(&tool));
    let at = |place: usize| nanoseconds(&receipts[place]["occurredAt"]);
    let expected = [
        ("deployment", at(0), at(3), 1),
        ("deployment", at(1), at(4), 2),
        ("circuit", at(5) - 90_500_000_000, at(5), 2),
        ("alert Slow", at(6), at(8), 2),
        ("incident", nanoseconds(&receipts[2]["onset"]), at(9), 2),
    ];
    let shown: Vec<_> = told
        .iter()
        .map(|span| {
            let status = span.status.as_ref().unwrap().code;
            (span.name.as_str(), span.start_time_unix_nano, span.end_time_unix_nano, status)
        })
        .collect();
    assert_eq!(shown, expected);
    let links: Vec<(String, String)> =
        told[1].links.iter().map(|link| (hex::encode(&link.trace_id), hex::encode(&link.span_id))).collect();
    assert_eq!(links, [(TRACE.to_owned(), SPAN.to_owned())]);
    assert!(told.iter().all(|span| hex::encode(&span.trace_id) != TRACE), "the trace is not naze's");
    assert!(told[0].links.is_empty() && text(&told[0].attributes, "naze.component") == "checkout");
    eventually(
        "counted",
        |count| *count == 5.0,
        || naze.figure("naze_export_sent_total{export=\"otel\",signal=\"traces\"}"),
    );
    assert!(naze.figure("tps_self_trace_export_seconds_count") >= 1.0);

    // The same again, after a tool that took them without saying so: the ids are those of before.
    tool.will([Mood::TakesSilently(std::time::Duration::from_secs(4))]);
    naze.record(&[step("stage", 10, json!({"stageName": "testing", "durationSeconds": 4}))]);
    let again = eventually("a stage twice", |spans: &Vec<Span>| spans.len() >= 7, || spans(&tool));
    assert_eq!((&again[5].span_id, &again[5].trace_id), (&again[6].span_id, &again[6].trace_id));
    assert_eq!(again[5].end_time_unix_nano - again[5].start_time_unix_nano, 4_000_000_000);

    // A stage that failed is a span that failed.
    let stage = |name: &str, ok: bool| step("stage", 5, json!({"stageName": name, "durationSeconds": 1, "ok": ok}));
    naze.record(&[stage("linking", true), stage("packing", false)]);
    let stages = eventually("two more stages", |spans: &Vec<Span>| spans.len() >= 9, || spans(&tool));
    let statuses: Vec<(&str, i32, bool)> = stages[6..]
        .iter()
        .map(|span| (span, span.status.as_ref().unwrap()))
        .map(|(span, status)| (span.name.as_str(), status.code, status.message.is_empty()))
        .collect();
    assert_eq!(statuses, [("stage testing", 1, true), ("stage linking", 1, true), ("stage packing", 2, false)]);
    naze.stop();
}
