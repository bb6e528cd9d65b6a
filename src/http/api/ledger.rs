//! `/v1/ledger`: the signed checkpoint, and a check of everything under it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;

use crate::engine::Engine;
use crate::error::Error;
use crate::http::problem::Reply;
use crate::http::work::blocking;

/// The newest checkpoint as a signed note; its verifier key is in the header `Naze-Verifier-Key`.
pub(super) async fn checkpoint(State(engine): State<Arc<Engine>>) -> Reply {
    let (checkpoint, key) = blocking(move || engine.checkpoint()).await?;
    let checkpoint =
        checkpoint.ok_or_else(|| Error::not_found("nothing is recorded yet, so there is no checkpoint"))?;
    Ok(([(CONTENT_TYPE.as_str(), "text/plain; charset=utf-8"), ("naze-verifier-key", &key)], checkpoint)
        .into_response())
}

/// Reads the whole ledger and checks it; `?key=` takes a verifier key kept elsewhere.
pub(super) async fn verify(State(engine): State<Arc<Engine>>, Query(given): Query<BTreeMap<String, String>>) -> Reply {
    let verified = blocking(move || engine.verify(given.get("key").map(String::as_str), |_| ())).await?;
    Ok(Json(verified).into_response())
}
