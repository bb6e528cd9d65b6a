//! `/v1/dashboards`: dashboards for Grafana, naze's and those that are sent to be built.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use serde_json::json;

use crate::engine::Engine;
use crate::error::Error;
use crate::export::dashboard::Dashboard;
use crate::http::body;
use crate::http::problem::Reply;
use crate::vocab::nearest;

/// A definition has at most a hundred panels.
const BYTES_MAX: usize = 1 << 20;

/// Those that come with naze.
pub(super) async fn list() -> Reply {
    let dashboards = Dashboard::builtin()?;
    let about = dashboards.iter().map(|dashboard| {
        json!({
            "name": dashboard.name, "title": dashboard.title, "description": dashboard.description,
            "timeRange": dashboard.time_range, "panels": dashboard.panels.len(),
        })
    });
    Ok(Json(json!({"dashboards": about.collect::<Vec<_>>()})).into_response())
}

/// One of them, as Grafana imports it.
pub(super) async fn show(Path(name): Path<String>) -> Reply {
    let dashboards = Dashboard::builtin()?;
    if let Some(dashboard) = dashboards.iter().find(|dashboard| dashboard.name == name) {
        return Ok(Json(dashboard.grafana()).into_response());
    }
    let near = nearest(&name, dashboards.iter().map(|dashboard| &dashboard.name));
    let hint = near.map_or("GET /v1/dashboards lists them".to_owned(), |near| format!("did you mean {near}?"));
    Err(Error::not_found(format!("there is no dashboard \"{name}\"")).hint(hint).into())
}

/// One of the sender's own, as Grafana imports it. naze does not keep it.
pub(super) async fn build(State(engine): State<Arc<Engine>>, headers: HeaderMap, body: Body) -> Reply {
    let bytes_max = engine.config().limits.body_bytes_max.min(BYTES_MAX);
    let definition = body::read(&headers, body, bytes_max, None).await?;
    Ok(Json(Dashboard::read_json(&definition)?.grafana()).into_response())
}
