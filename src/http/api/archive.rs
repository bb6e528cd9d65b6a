//! `/v1/archive`: hours of series that are no longer kept, and taking them back.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::IntoResponse as _;
use serde_json::json;

use crate::engine::Engine;
use crate::http::problem::Reply;
use crate::http::work::blocking;

/// The files there are.
pub(super) async fn list(State(engine): State<Arc<Engine>>) -> Reply {
    let answer = blocking(move || {
        let Some(archive) = engine.config().archive() else {
            return Ok(json!({"folder": null, "files": [], "truncated": false}));
        };
        let (files, truncated) = archive.list()?;
        Ok(json!({"folder": archive.folder(), "files": files, "truncated": truncated}))
    })
    .await?;
    Ok(Json(answer).into_response())
}

/// Takes back the hours of one file, which is the body.
pub(super) async fn restore(State(engine): State<Arc<Engine>>, body: Bytes) -> Reply {
    let restored = blocking(move || engine.restore(&body)).await?;
    Ok(Json(restored).into_response())
}
