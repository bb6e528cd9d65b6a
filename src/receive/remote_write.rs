//! Prometheus remote write, versions 1.0 and 2.0: samples of series.
//!
//! Version 1 does not say what a series is: those named `_total`, `_bucket`, `_count` and `_sum` are counters, all others
//! gauges. Native histograms are not kept.

pub(crate) mod wire;

use std::collections::BTreeMap;

use http::StatusCode;
use prost::Message as _;

use super::{COMPONENT_UNKNOWN, Delivery, Given, Received, Receiver, Reply, Tally, body};
use crate::clock::Timestamp;
use crate::error::{Error, Kind as ErrorKind, Result};
use crate::measure::{Kind, Point, Samples, Series};

/// Prometheus, and everything that writes as it does.
pub(super) const RECEIVER: Receiver = Receiver {
    name: SOURCE,
    paths: &["/api/v1/write"],
    read,
    encoding: Some("snappy"),
    reply: Some(|delivery, told| Some(reply(delivery, told))),
    ..Receiver::PLAIN
};

const SOURCE: &str = "remote_write";
/// The label that holds the name of the metric.
const NAME: &str = "__name__";
const PROTOBUF: &str = "application/x-protobuf";
const VERSION_2: &str = "io.prometheus.write.v2.Request";
const VERSION_1: &str = "prometheus.WriteRequest";
/// Largest message after decompression.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// How Prometheus says that a series ended.
const STALE: u64 = 0x7ff0_0000_0000_0002;

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let version = version(delivery).ok_or_else(|| {
        Error::invalid("the body is no remote write")
            .hint(format!("send Content-Type: {PROTOBUF} and Content-Encoding: snappy"))
    })?;
    let message = decompressed(delivery.body)?;
    match version {
        Version::One => one(&message, given),
        Version::Two => two(&message, given),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    One,
    Two,
}

/// By the content type; `None` for what is not spoken here.
fn version(delivery: &Delivery<'_>) -> Option<Version> {
    let is_snappy = delivery.header("content-encoding").is_some_and(|encoding| encoding.eq_ignore_ascii_case("snappy"));
    if !is_snappy || !delivery.media_type().eq_ignore_ascii_case(PROTOBUF) {
        return None;
    }
    let mut parameters = delivery.header("content-type").unwrap_or_default().split(';').skip(1);
    match parameters.find_map(|one| one.trim().strip_prefix("proto=")) {
        None | Some(VERSION_1) => Some(Version::One),
        Some(VERSION_2) => Some(Version::Two),
        Some(_) => None,
    }
}

fn decompressed(bytes: &[u8]) -> Result<Vec<u8>> {
    let wrong =
        |error: snap::Error| Error::invalid("the body is not compressed by snappy's block format").because(error);
    let length = snap::raw::decompress_len(bytes).map_err(wrong)?;
    if length > MESSAGE_BYTES_MAX {
        return Err(Error::invalid(format!("the message is {length} bytes long, the limit is {MESSAGE_BYTES_MAX}"))
            .hint("lower max_samples_per_send in queue_config"));
    }
    snap::raw::Decoder::new().decompress_vec(bytes).map_err(wrong)
}

fn one(message: &[u8], given: &Given<'_>) -> Result<Received> {
    let request = wire::WriteRequest::decode(message).map_err(|error| not_the_message(&error))?;
    let mut received = Received::default();
    for series in request.timeseries {
        let labels = series.labels.into_iter().map(|label| (label.name, label.value)).collect();
        let samples: Vec<(i64, f64)> = series.samples.iter().map(|sample| (sample.timestamp, sample.value)).collect();
        received.take(labels, &samples, None, None, given);
    }
    received.ignored = usize::from(received.samples.is_empty() && received.items.is_empty());
    Ok(received)
}

fn two(message: &[u8], given: &Given<'_>) -> Result<Received> {
    let request = wire::Request::decode(message).map_err(|error| not_the_message(&error))?;
    let symbol = |reference: u32| {
        request.symbols.get(reference as usize).cloned().ok_or_else(|| {
            Error::invalid(format!("the symbol {reference} is not among the {} given", request.symbols.len()))
        })
    };
    let mut received = Received::default();
    for series in &request.timeseries {
        let texts: Vec<String> =
            series.labels_refs.iter().map(|reference| symbol(*reference)).collect::<Result<_>>()?;
        let labels = texts.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone())).collect();
        let metadata = series.metadata.as_ref();
        let kind = metadata.and_then(|metadata| kind_of(metadata.r#type));
        let unit = metadata.map(|metadata| symbol(metadata.unit_ref)).transpose()?.filter(|unit| !unit.is_empty());
        let samples: Vec<(i64, f64)> = series.samples.iter().map(|sample| (sample.timestamp, sample.value)).collect();
        received.take(labels, &samples, kind, unit, given);
    }
    received.ignored = usize::from(received.samples.is_empty() && received.items.is_empty());
    Ok(received)
}

/// The kind that version 2 tells. Buckets, counts and sums of a histogram or summary go by their names.
fn kind_of(told: i32) -> Option<Kind> {
    match told {
        1 => Some(Kind::Counter),
        2 => Some(Kind::Gauge),
        _ => None,
    }
}

/// What a series is whose kind nobody tells.
pub(crate) fn kind_by_name(metric: &str) -> Kind {
    let counts = ["_total", "_bucket", "_count", "_sum"].iter().any(|suffix| metric.ends_with(suffix));
    if counts { Kind::Counter } else { Kind::Gauge }
}

impl Received {
    fn take(
        &mut self,
        mut labels: BTreeMap<String, String>,
        samples: &[(i64, f64)],
        kind: Option<Kind>,
        unit: Option<String>,
        given: &Given<'_>,
    ) {
        let points = samples.iter().filter(|(_, value)| value.to_bits() != STALE && value.is_finite());
        let point = |(milliseconds, value): &(i64, f64)| {
            Some(Point::once(Timestamp::from_micros(milliseconds.checked_mul(1_000)?)?, *value))
        };
        let points: Vec<Point> = points.filter_map(point).collect();
        let Some(metric) = labels.remove(NAME).filter(|name| !name.is_empty()) else {
            let fix = "send the name of the metric in the label __name__";
            let violation = body::violation(SOURCE, NAME, None, "a series has no name".to_owned(), fix);
            self.items.push(super::Item::Refused(vec![violation]));
            return;
        };
        if points.is_empty() {
            return;
        }
        let component = given.mapping.component(|name| labels.get(name).map(String::as_str));
        let component = component.unwrap_or_else(|| COMPONENT_UNKNOWN.to_owned());
        let kind = kind.unwrap_or_else(|| kind_by_name(&metric));
        self.samples.push(Samples { series: Series { metric, component, kind, labels }, unit, points });
    }
}

fn not_the_message(error: &prost::DecodeError) -> Error {
    Error::invalid(format!("the body is no remote write message: {error}"))
}

/// 204 when all is taken; 400 stops a sender from sending the same again, 5xx makes it.
fn reply(delivery: &Delivery<'_>, told: std::result::Result<&Tally, &Error>) -> Reply {
    let (status, text, written) = match told {
        Ok(tally) => match tally.refused.iter().chain(&tally.samples_problem).next() {
            None => (StatusCode::NO_CONTENT, String::new(), tally.samples),
            Some(problem) => (StatusCode::BAD_REQUEST, problem.clone(), tally.samples),
        },
        Err(error) if version(delivery).is_none() && error.kind() == ErrorKind::Invalid => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, error.to_string(), 0)
        }
        Err(error) => match error.kind() {
            ErrorKind::Invalid | ErrorKind::NotFound | ErrorKind::Conflict => {
                (StatusCode::BAD_REQUEST, error.to_string(), 0)
            }
            ErrorKind::Forbidden => (StatusCode::UNAUTHORIZED, error.to_string(), 0),
            ErrorKind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, error.to_string(), 0),
            ErrorKind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, error.message().to_owned(), 0),
        },
    };
    let mut headers = vec![
        ("x-prometheus-remote-write-samples-written", written.to_string()),
        ("x-prometheus-remote-write-histograms-written", "0".to_owned()),
        ("x-prometheus-remote-write-exemplars-written", "0".to_owned()),
    ];
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.push(("retry-after", "1".to_owned()));
    }
    if !text.is_empty() {
        headers.push(("content-type", "text/plain; charset=utf-8".to_owned()));
    }
    Reply { status, headers, body: text.into_bytes() }
}
