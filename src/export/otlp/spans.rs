//! What had a beginning and an end, as spans: alerts, incidents, andons, open circuits, deployments, stages of work.
//!
//! Ids are made of the receipt that began it, so that the same is told under the same ids whenever it is sent. The trace that
//! receipts themselves name is linked: it is somebody else's.

use chrono::TimeDelta;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::span::{Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use sha2::{Digest as _, Sha256};

use super::{any, bytes, nanoseconds, resource, scope};
use crate::clock::Timestamp;
use crate::export::destination::Export;
use crate::export::entry::Entry;
use crate::export::told::Told;
use crate::receipt::Value;

pub(super) fn spans(told: &[Told], export: &Export) -> ExportTraceServiceRequest {
    let spans = told.iter().filter_map(|told| Some(span(told, began_at(told)?))).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope()), spans, schema_url: String::new() }];
    let resource = ResourceSpans { resource: Some(resource(export)), scope_spans, schema_url: String::new() };
    ExportTraceServiceRequest { resource_spans: vec![resource] }
}

/// When it began, if anything tells: the receipt that ends it, or the one that began it.
pub(in crate::export) fn began_at(told: &Told) -> Option<Timestamp> {
    let ended = &told.recorded.receipt;
    let seconds = ["recoverySeconds", "durationSeconds"].into_iter().find_map(|field| ended.number(field));
    #[expect(clippy::cast_possible_truncation, reason = "microseconds of any duration that fits between two times fit")]
    let by_length = || told.recorded.occurred_at().checked_add(-TimeDelta::microseconds((seconds? * 1e6) as i64));
    let onset = ended.time("onset").or_else(|| told.began.as_ref()?.receipt.time("onset"));
    let began = onset.or_else(|| Some(told.began.as_ref()?.occurred_at())).or_else(by_length);
    began.filter(|began| *began <= told.recorded.occurred_at())
}

fn span(told: &Told, began_at: Timestamp) -> Span {
    let entry = Entry::of(&told.recorded);
    let first = told.began.as_ref().map_or(told.recorded.id, |began| began.id);
    let hash = Sha256::digest(first.to_string());
    let receipt = &told.recorded.receipt;
    let kind = receipt.kind();
    let name = receipt
        .text("name")
        .or_else(|| receipt.text("stageName"))
        .map_or_else(|| kind.to_owned(), |name| format!("{kind} {name}"));
    let ended_well = match kind {
        // A stage that says nothing went well.
        "stage" => receipt.first("ok") != Some(&Value::Boolean(false)),
        _ => receipt.text("status") == Some("succeeded"),
    };
    let status = if ended_well { StatusCode::Ok } else { StatusCode::Error };
    let message = if ended_well { String::new() } else { entry.message.clone() };
    let told_in = [Some(entry.clone()), told.began.as_ref().map(Entry::of)].into_iter().flatten();
    let mut links: Vec<Link> = told_in.filter_map(link).collect();
    links.dedup_by(|a, b| (&a.trace_id, &a.span_id) == (&b.trace_id, &b.span_id));
    let mut attributes: Vec<KeyValue> = entry
        .attributes
        .into_iter()
        .map(|(key, value)| KeyValue { key, value: any(value), ..KeyValue::default() })
        .collect();
    if told.began.is_some() {
        let value = any(first.to_string().into());
        attributes.push(KeyValue { key: "naze.began.id".to_owned(), value, ..KeyValue::default() });
    }
    Span {
        trace_id: hash[..16].to_vec(),
        span_id: hash[16..24].to_vec(),
        name,
        kind: SpanKind::Internal.into(),
        start_time_unix_nano: nanoseconds(began_at),
        end_time_unix_nano: nanoseconds(entry.at),
        attributes,
        links,
        status: Some(Status { code: status.into(), message }),
        ..Span::default()
    }
}

/// A link needs both ids.
fn link(entry: Entry) -> Option<Link> {
    let (trace, span) = (entry.trace_id?, entry.span_id?);
    Some(Link { trace_id: bytes(Some(trace)), span_id: bytes(Some(span)), ..Link::default() })
}
