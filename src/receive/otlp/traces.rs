//! Spans: failed ones, calls between components, and deployments that a pipeline traces.

use std::collections::BTreeMap;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use super::SOURCE;
use super::attributes::{Attributes, Origin, id, time};
use crate::clock::Timestamp;
use crate::measure::{Kind, Point, Samples, Series};
use crate::receipt::{Receipt, Value};
use crate::receive::{Draft, Given, Item, Observed, Received};

/// Names of whom a client calls, best first.
const PEERS: [&str; 8] = [
    "service.peer.name",
    "peer.service",
    "db.system.name",
    "db.system",
    "messaging.system",
    "rpc.service",
    "server.address",
    "net.peer.name",
];

/// What names the endpoint of a request, best first; else the span's name does.
const ENDPOINTS: [&str; 3] = ["http.route", "rpc.method", "messaging.destination.name"];
/// Seconds it took to serve requests.
const DURATION: &str = "tps_tracing_duration_seconds";
/// Requests that failed.
const ERRORS: &str = "tps_tracing_error_traces_total";

pub(super) fn read(request: &ExportTraceServiceRequest, given: &Given<'_>) -> Received {
    let mut received = Received::default();
    let origins: Vec<Origin> =
        request.resource_spans.iter().map(|resource| Origin::of(resource.resource.as_ref(), given.mapping)).collect();
    let spans = || {
        request.resource_spans.iter().zip(&origins).flat_map(|(resource, origin)| {
            resource.scope_spans.iter().flat_map(|scope| &scope.spans).map(move |span| Call { span, origin })
        })
    };
    let callees = callees(spans());
    let mut edges: BTreeMap<(String, String), Timestamp> = BTreeMap::new();
    let mut ends: BTreeMap<&str, (Timestamp, Vec<Point>)> = BTreeMap::new();
    for call in spans() {
        let at = time(call.span.end_time_unix_nano).or_else(|| time(call.span.start_time_unix_nano));
        let at = at.unwrap_or(given.received_at);
        let attributes = Attributes::of(&call.span.attributes);
        let before = received.items.len();
        let peer = call.peer(&attributes, &callees);
        if let Some(peer) = peer.as_ref().filter(|peer| **peer != call.origin.component) {
            let first = edges.entry((call.origin.component.clone(), peer.clone())).or_insert(at);
            *first = at.min(*first);
        }
        received.items.extend(call.failure(&attributes, peer.as_deref(), at).map(Item::Receipt));
        received.items.extend(call.deployment(&attributes, at).map(Item::Receipt));
        received.ignored += usize::from(received.items.len() == before);
        if call.is_served() {
            received.samples.push(call.served(&attributes, at));
            let (last, failed) = ends.entry(&call.origin.component).or_insert((at, Vec::new()));
            *last = at.max(*last);
            failed.extend(call.is_error().then_some(Point::once(at, 1.0)));
        }
    }
    let ended = ends.into_iter().map(|(component, (last, failed))| ended(component, last, failed));
    received.samples.extend(ended);
    received.items.extend(edges.into_iter().map(|((caller, callee), at)| Item::Receipt(edge(&caller, &callee, at))));
    received.items.extend(origins.iter().filter_map(|origin| version(origin, given.received_at)).map(Item::Receipt));
    received
}

/// One span, and who sent it.
struct Call<'a> {
    span: &'a Span,
    origin: &'a Origin,
}

/// Who served the calls whose server spans are in the same request, by the id of the client's span.
fn callees<'a>(spans: impl Iterator<Item = Call<'a>>) -> BTreeMap<(&'a [u8], &'a [u8]), &'a str> {
    spans
        .filter(Call::is_served)
        .filter(|call| !call.span.parent_span_id.is_empty())
        .map(|call| ((&*call.span.trace_id, &*call.span.parent_span_id), call.origin.component.as_str()))
        .collect()
}

impl Call<'_> {
    /// Whom it calls, by the callee's own word or else by what the caller knows of it.
    fn peer(&self, attributes: &Attributes, callees: &BTreeMap<(&[u8], &[u8]), &str>) -> Option<String> {
        if !matches!(self.span.kind(), SpanKind::Client | SpanKind::Producer) {
            return None;
        }
        let served = callees.get(&(&*self.span.trace_id, &*self.span.span_id)).copied();
        served.or_else(|| attributes.first(&PEERS)).map(str::to_owned)
    }

    /// A span that failed, or met an exception: one failure, whatever it says of it.
    fn failure(&self, attributes: &Attributes, peer: Option<&str>, at: Timestamp) -> Option<Draft> {
        let exception = self.span.events.iter().find(|event| event.name == "exception");
        let status = self.span.status.as_ref().filter(|status| status.code() == StatusCode::Error);
        if exception.is_none() && status.is_none() {
            return None;
        }
        let told = exception.map(|event| Attributes::of(&event.attributes)).unwrap_or_default();
        let failure_type = told.text("exception.type").or_else(|| {
            attributes.first(&[
                "error.type",
                "exception.type",
                "http.response.status_code",
                "http.status_code",
                "rpc.grpc.status_code",
            ])
        });
        let failure_type = failure_type.unwrap_or("error");
        let status_message = status.map(|status| status.message.as_str());
        let message = told.text("exception.message").or(status_message.filter(|message| !message.is_empty()));
        let at = exception.and_then(|event| time(event.time_unix_nano)).unwrap_or(at);
        let mut receipt = self
            .origin
            .receipt("failure", at)
            .with("failureType", Value::text(failure_type))
            .with_text("message", message);
        if let Some(peer) = peer {
            receipt.push("peer", Value::Component(peer.to_owned()));
        }
        receipt.label("span.name", &self.span.name);
        if let Some(route) = attributes.first(&["http.route", "rpc.method", "url.path", "http.target"]) {
            receipt.label("route", route);
        }
        let (trace, span) = (id(&self.span.trace_id), id(&self.span.span_id));
        let key = key_of_failure(trace.as_deref(), span.as_deref(), failure_type);
        let receipt = receipt.with_text("traceId", trace.as_deref()).with_text("spanId", span.as_deref());
        Some(Draft::new(receipt).with_key(key))
    }

    /// Does it tell how a request was served?
    fn is_served(&self) -> bool {
        matches!(self.span.kind(), SpanKind::Server | SpanKind::Consumer)
    }

    fn is_error(&self) -> bool {
        self.span.status.as_ref().is_some_and(|status| status.code() == StatusCode::Error)
    }

    /// How long it took to serve a request.
    fn served(&self, attributes: &Attributes, at: Timestamp) -> Samples {
        let endpoint = attributes.first(&ENDPOINTS).unwrap_or(&self.span.name).to_owned();
        let nanoseconds = self.span.end_time_unix_nano.saturating_sub(self.span.start_time_unix_nano);
        let seconds = Duration::from_nanos(nanoseconds).as_secs_f64();
        let series = Series {
            metric: DURATION.to_owned(),
            component: self.origin.component.clone(),
            kind: Kind::Distribution,
            labels: BTreeMap::from([("endpoint".to_owned(), endpoint)]),
        };
        Samples { series, unit: Some("s".to_owned()), points: vec![Point::once(at, seconds)] }
    }

    /// A pipeline's task that deploys.
    fn deployment(&self, attributes: &Attributes, at: Timestamp) -> Option<Draft> {
        let is_task = attributes.text("cicd.pipeline.task.type") == Some("deploy");
        let deployment = attributes.first(&["deployment.id", "deployment.name"]);
        if !is_task && deployment.is_none() {
            return None;
        }
        let result = attributes.first(&["deployment.status", "cicd.pipeline.task.run.result", "cicd.pipeline.result"]);
        let status = match result {
            Some("failed" | "failure" | "error" | "timeout" | "cancellation") => "failed",
            _ if self.is_error() => "failed",
            _ => "succeeded",
        };
        let (trace, span) = (id(&self.span.trace_id), id(&self.span.span_id));
        let (name, version) = attributes.text("deployment.name").map_or((None, None), named);
        let version = attributes.first(&["service.version", "vcs.ref.head.revision"]).or(version);
        let mut receipt = self
            .origin
            .receipt("deployment", at)
            .with("status", Value::text(status))
            .with_text("version", version.or_else(|| attributes.text("deployment.id")))
            .with_text("commit", attributes.text("vcs.ref.head.revision"))
            .with_text("summary", attributes.first(&["deployment.name", "cicd.pipeline.task.name"]))
            .with_text("url", attributes.first(&["cicd.pipeline.task.run.url.full", "url.full"]))
            .with_text("traceId", trace.as_deref())
            .with_text("spanId", span.as_deref());
        if let Some(component) = attributes.text("service.peer.name").or(name) {
            receipt.set("component", Value::Component(component.to_owned()));
        }
        let key = trace.zip(span).map(|(trace, span)| format!("{SOURCE}:deployment:{trace}:{span}"));
        Some(Draft::new(receipt).with_key(key))
    }
}

/// The requests of a component that failed. That none did is told too: it is known then, and not nothing.
fn ended(component: &str, last: Timestamp, failed: Vec<Point>) -> Samples {
    let series = Series {
        metric: ERRORS.to_owned(),
        component: component.to_owned(),
        kind: Kind::Delta,
        labels: BTreeMap::new(),
    };
    let points = if failed.is_empty() { vec![Point::once(last, 0.0)] } else { failed };
    Samples { series, unit: None, points }
}

/// A deployment's name is its component, with the version behind it when that is told as well.
fn named(deployment: &str) -> (Option<&str>, Option<&str>) {
    let is_version = |word: &str| word.trim_start_matches('v').starts_with(|first: char| first.is_ascii_digit());
    match deployment.rsplit_once([' ', '@', ':']) {
        Some((name, version)) if is_version(version) => (Some(name), Some(version)),
        _ => (Some(deployment), None),
    }
}

/// The same exception may come as a span's event and as a log record, and a span may come twice. Python's SDK names its
/// module in the one and not in the other.
pub(super) fn key_of_failure(trace: Option<&str>, span: Option<&str>, failure_type: &str) -> Option<String> {
    let bare = failure_type.rsplit(['.', ':']).next().filter(|bare| !bare.is_empty()).unwrap_or(failure_type);
    Some(format!("{SOURCE}:failure:{}:{}:{bare}", trace?, span?))
}

/// An edge is told once a day.
fn edge(caller: &str, callee: &str, at: Timestamp) -> Draft {
    let receipt = Receipt::new("dependency", at, caller)
        .with("target", Value::Component(callee.to_owned()))
        .with("source", Value::text(SOURCE));
    let day = at.utc().date_naive();
    Draft::new(receipt).with_key(Some(format!("{SOURCE}:dependency:{caller}>{callee}:{day}")))
}

/// A version that was not seen lately means that somebody deployed it.
fn version(origin: &Origin, received_at: Timestamp) -> Option<Draft> {
    let version = origin.attributes.text("service.version")?;
    let receipt = origin
        .receipt("deployment", received_at)
        .with("status", Value::text("succeeded"))
        .with("version", Value::text(version))
        .with_label("inferred", "service.version");
    let subject = format!("{SOURCE}:version:{}:{}", origin.component, origin.environment().unwrap_or_default());
    Some(Draft::new(receipt).observed(Observed { subject, value: version.to_owned(), field_before: "previousVersion" }))
}
