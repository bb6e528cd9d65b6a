//! OTLP over HTTP, in protobuf and JSON: spans and log records that tell of failures, dependencies and changes, and metrics.
//!
//! What a healthy request leaves behind is volume, not evidence: of its spans only the duration is kept, in a series.

mod attributes;
mod logs;
mod metrics;
mod reply;
mod traces;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use prost::Message;
use serde::de::DeserializeOwned;

use super::{Delivery, Given, Received, Receiver, body};
use crate::error::{Error, Result};

/// Exporters and collectors that speak OTLP/HTTP.
pub(super) const RECEIVER: Receiver = Receiver {
    name: SOURCE,
    paths: &[TRACES_PATH, LOGS_PATH, METRICS_PATH],
    read,
    reply: Some(|delivery, told| Some(reply::reply(delivery, told))),
    ..Receiver::PLAIN
};

const SOURCE: &str = "otlp";
const TRACES_PATH: &str = "/v1/traces";
const LOGS_PATH: &str = "/v1/logs";
const METRICS_PATH: &str = "/v1/metrics";

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let received = match delivery.path {
        METRICS_PATH => metrics::read(&request::<ExportMetricsServiceRequest>(delivery)?, given),
        LOGS_PATH => logs::read(&request::<ExportLogsServiceRequest>(delivery)?, given),
        _ => traces::read(&request::<ExportTraceServiceRequest>(delivery)?, given),
    };
    if received.items.len() > super::RECEIPTS_MAX {
        return Err(body::too_many_receipts());
    }
    Ok(received)
}

fn request<T: Message + Default + DeserializeOwned>(delivery: &Delivery<'_>) -> Result<T> {
    if is_json(delivery) {
        return serde_json::from_str(body::text(delivery.body)?).map_err(|error| {
            Error::invalid(format!("the body is not OTLP in JSON: {error}"))
                .hint("ids are hexadecimal and enums are numbers in OTLP's JSON")
        });
    }
    T::decode(delivery.body).map_err(|error| {
        Error::invalid(format!("the body is not OTLP in protobuf: {error}"))
            .hint("send application/json or application/x-protobuf")
    })
}

fn is_json(delivery: &Delivery<'_>) -> bool {
    delivery.media_type().eq_ignore_ascii_case("application/json")
}
