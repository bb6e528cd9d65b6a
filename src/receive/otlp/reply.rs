//! What an exporter wants to hear, in the encoding it spoke.

use http::StatusCode;
use opentelemetry_proto::tonic::collector::logs::v1::{ExportLogsPartialSuccess, ExportLogsServiceResponse};
use opentelemetry_proto::tonic::collector::metrics::v1::{ExportMetricsPartialSuccess, ExportMetricsServiceResponse};
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use serde_json::json;

use super::{LOGS_PATH, METRICS_PATH, is_json};
use crate::error::{Error, Kind};
use crate::receive::{Delivery, Reply, Tally};

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
struct Status {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
}

const INVALID_ARGUMENT: i32 = 3;
const PERMISSION_DENIED: i32 = 7;
const INTERNAL: i32 = 13;
const UNAVAILABLE: i32 = 14;

pub(super) fn reply(delivery: &Delivery<'_>, told: Result<&Tally, &Error>) -> Reply {
    match told {
        Ok(tally) => success(delivery, tally),
        Err(error) => failure(delivery, error),
    }
}

fn success(delivery: &Delivery<'_>, tally: &Tally) -> Reply {
    let rejected = i64::try_from(tally.refused.len() as u64 + tally.samples_refused).unwrap_or(i64::MAX);
    let error_message = tally.refused.iter().chain(&tally.samples_problem).next().cloned().unwrap_or_default();
    let body = if is_json(delivery) {
        let member = match delivery.path {
            LOGS_PATH => "rejectedLogRecords",
            METRICS_PATH => "rejectedDataPoints",
            _ => "rejectedSpans",
        };
        let partial = json!({"partialSuccess": {member: rejected.to_string(), "errorMessage": error_message}});
        if rejected > 0 { partial } else { json!({}) }.to_string().into_bytes()
    } else {
        let is_partial = rejected > 0;
        match delivery.path {
            LOGS_PATH => {
                let partial = ExportLogsPartialSuccess { rejected_log_records: rejected, error_message };
                ExportLogsServiceResponse { partial_success: is_partial.then_some(partial) }.encode_to_vec()
            }
            METRICS_PATH => {
                let partial = ExportMetricsPartialSuccess { rejected_data_points: rejected, error_message };
                ExportMetricsServiceResponse { partial_success: is_partial.then_some(partial) }.encode_to_vec()
            }
            _ => {
                let partial = ExportTracePartialSuccess { rejected_spans: rejected, error_message };
                ExportTraceServiceResponse { partial_success: is_partial.then_some(partial) }.encode_to_vec()
            }
        }
    };
    Reply { status: StatusCode::OK, headers: vec![content_type(delivery)], body }
}

fn failure(delivery: &Delivery<'_>, error: &Error) -> Reply {
    let (status, code) = match error.kind() {
        Kind::Invalid | Kind::NotFound | Kind::Conflict => (StatusCode::BAD_REQUEST, INVALID_ARGUMENT),
        Kind::Forbidden => (StatusCode::FORBIDDEN, PERMISSION_DENIED),
        Kind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, UNAVAILABLE),
        Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, INTERNAL),
    };
    let message = if error.kind() == Kind::Internal { error.message().to_owned() } else { error.to_string() };
    let body = if is_json(delivery) {
        json!({"code": code, "message": message}).to_string().into_bytes()
    } else {
        Status { code, message }.encode_to_vec()
    };
    let mut headers = vec![content_type(delivery)];
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.push(("retry-after", "1".to_owned()));
    }
    Reply { status, headers, body }
}

fn content_type(delivery: &Delivery<'_>) -> (&'static str, String) {
    let media_type = if is_json(delivery) { "application/json" } else { "application/x-protobuf" };
    ("content-type", media_type.to_owned())
}
