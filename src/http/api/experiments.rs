//! `/v1/experiments`: what experiments show.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use serde_json::json;

use crate::engine::Engine;
use crate::http::given::{moment, refuse_others};
use crate::http::negotiate;
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::report::experiment::render;

/// Every experiment, newest first.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Query(mut given): Query<BTreeMap<String, String>>,
) -> Reply {
    let at = moment(&mut given, engine.clock().now())?;
    refuse_others(&given, "at")?;
    let experiments = blocking(move || engine.experiments(at)).await?;
    Ok(Json(json!({"experiments": experiments})).into_response())
}

/// One experiment, by its reference or the id of one of its receipts.
pub(super) async fn show(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(mut given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    let media_type = negotiate::chosen(&headers, given.remove("format").as_deref())?;
    let at = moment(&mut given, engine.clock().now())?;
    refuse_others(&given, "at and format")?;
    let text = blocking(move || render(&engine.experiment(&id, at)?, media_type)).await?;
    Ok(negotiate::answer(media_type, text))
}
