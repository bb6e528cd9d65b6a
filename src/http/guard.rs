//! What surrounds every request: an id in the log, its time in the metrics, a bound on number and duration.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request, State};
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use tracing::Instrument as _;

use super::problem::Problem;
use crate::engine::Engine;
use crate::error::Error;
use crate::receive::cloudevents::trace_context;
use crate::report;

/// Refuses what is too much at once and ends what takes too long.
pub(super) async fn bound(State(engine): State<Arc<Engine>>, request: Request, next: Next) -> Response {
    let limits = &engine.config().limits;
    let in_progress = engine.telemetry().in_progress();
    if usize::try_from(in_progress.get()).unwrap_or(0) > limits.requests_max {
        let error = Error::unavailable(format!("{} requests are being answered already", limits.requests_max));
        return Problem::from(error.hint("send again in a second")).into_response();
    }
    if let Ok(response) = tokio::time::timeout(Duration::from_secs(limits.request_seconds), next.run(request)).await {
        response
    } else {
        let error = Error::unavailable(format!("no answer within {} seconds", limits.request_seconds));
        Problem::from(error.hint("ask for less: a shorter window, a smaller body")).into_response()
    }
}

/// Counts the request and times it under its route.
pub(super) async fn measure(State(engine): State<Arc<Engine>>, request: Request, next: Next) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str).to_owned();
    let method = request.method().to_string();
    let started = Instant::now();
    let in_progress = engine.telemetry().in_progress();
    in_progress.inc();
    let _leave = Leave(in_progress.clone());
    let response = next.run(request).await;
    engine.telemetry().answered(&route, &method, response.status().as_u16(), started.elapsed());
    response
}

/// A request that is dropped half-way is no longer in progress either.
struct Leave(prometheus::IntGauge);

impl Drop for Leave {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// Tells browsers to take every answer for what it says it is, and to run nothing in a report.
pub(super) async fn strict(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    let is_html = headers.get(CONTENT_TYPE).is_some_and(|media_type| media_type.as_bytes().starts_with(b"text/html"));
    if is_html && !headers.contains_key(CONTENT_SECURITY_POLICY) {
        let policy = HeaderValue::from_str(&report::html::policy()).expect("a policy is ASCII");
        headers.insert(CONTENT_SECURITY_POLICY, policy);
    }
    response
}

/// Gives the log of this request its id, and the trace that its sender follows.
pub(super) async fn trace(request: Request, next: Next) -> Response {
    let span = span_of(&request);
    async {
        let response = next.run(request).await;
        tracing::debug!(status = response.status().as_u16(), "answered");
        response
    }
    .instrument(span)
    .await
}

fn span_of(request: &Request) -> tracing::Span {
    let header = |name: &str| request.headers().get(name).and_then(|text| text.to_str().ok());
    let id = header("x-request-id").unwrap_or("-");
    let (trace_id, span_id) = header("traceparent").and_then(trace_context).unzip();
    tracing::info_span!("request", %id, method = %request.method(), path = request.uri().path(), trace_id, span_id)
}
