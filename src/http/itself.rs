//! naze itself: metrics, health, readiness, its configuration read again, and the description of its own interface.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value as JsonValue, json};

use super::negotiate;
use super::problem::Reply;
use super::work::blocking;
use crate::engine::Engine;
use crate::error::Error;
use crate::export::prometheus::text;

/// Every route of naze about itself.
pub(super) fn routes() -> Router<Arc<Engine>> {
    Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .route("/-/healthy", get(healthz))
        .route("/-/ready", get(readyz))
        .route("/-/reload", post(reload))
        .route("/api/v2/status", get(as_alertmanager))
        .route("/openapi.json", get(openapi))
}

/// naze's own figures and those of the system under observation, in Prometheus' text or as `OpenMetrics`.
async fn metrics(State(engine): State<Arc<Engine>>, headers: HeaderMap) -> Reply {
    let form = negotiate::best(&headers, &["text/plain", "application/openmetrics-text"])?;
    let families = blocking(move || {
        engine.measure_index();
        let told = engine.metrics()?;
        let mut families = engine.telemetry().families();
        families.extend(told);
        Ok(families)
    })
    .await?;
    Ok(if form == "text/plain" {
        ([(CONTENT_TYPE, text::PLAIN)], text::plain(&families)?).into_response()
    } else {
        ([(CONTENT_TYPE, text::OPEN)], text::open(&families)).into_response()
    })
}

/// The process is alive.
async fn healthz() -> &'static str {
    "ok\n"
}

/// The process can take receipts and answer about all of them.
async fn readyz(State(engine): State<Arc<Engine>>) -> Reply {
    if blocking(move || engine.is_ready()).await? {
        Ok("ready\n".into_response())
    } else {
        Err(Error::unavailable("the index lags behind the ledger")
            .hint("see the log; it catches up with the next receipt")
            .into())
    }
}

/// What tools ask an Alertmanager before they talk to it; naze is in no cluster, and keeps its configuration to itself.
async fn as_alertmanager(State(engine): State<Arc<Engine>>) -> Json<JsonValue> {
    Json(json!({
        "cluster": {"status": "disabled", "peers": []},
        "versionInfo": {
            "version": env!("CARGO_PKG_VERSION"),
            "revision": "",
            "branch": "",
            "buildUser": "naze",
            "buildDate": "",
            "goVersion": "",
        },
        "config": {"original": ""},
        "uptime": engine.opened_at(),
    }))
}

/// Takes over what the configuration says now.
async fn reload(State(engine): State<Arc<Engine>>) -> Reply {
    blocking(move || engine.reload()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `OpenAPI` 3.1 description of every route.
async fn openapi() -> Reply {
    Ok(([(CONTENT_TYPE, "application/json")], include_str!("openapi.json")).into_response())
}
