//! `/v1/health`: how the system under observation is. How naze itself is, `/healthz` and `/readyz` say.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::IntoResponse as _;

use crate::engine::Engine;
use crate::http::given::refuse_others;
use crate::http::problem::Reply;
use crate::http::work::blocking;

/// Scores, principles, checks, components, metrics, alerts, and what to do first.
pub(super) async fn show(State(engine): State<Arc<Engine>>, Query(given): Query<BTreeMap<String, String>>) -> Reply {
    refuse_others(&given, "none: health is told as of now")?;
    let health = blocking(move || engine.health()).await?;
    Ok(Json(&*health).into_response())
}
