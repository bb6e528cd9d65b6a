//! `/v1/queries`: the catalogue of canned questions.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use serde_json::json;

use crate::engine::Engine;
use crate::http::negotiate;
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::query::{FUNCTIONS, ResultsForm};

/// Every canned query: what it answers, what it takes, what it returns; and the functions that any query may call.
pub(super) async fn list(State(engine): State<Arc<Engine>>) -> Reply {
    let queries: Vec<_> = engine.catalogue().iter().collect();
    Ok(Json(json!({"queries": queries, "functions": FUNCTIONS})).into_response())
}

/// Runs a canned query; parameters come as `?name=value`.
pub(super) async fn run(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    let offered = [
        "application/json",
        "application/sparql-results+json",
        "application/sparql-results+xml",
        "text/csv",
        "text/tab-separated-values",
        "text/markdown",
    ];
    let media_type = negotiate::best(&headers, &offered)?;
    let bytes = blocking(move || {
        let answered = engine.query(&id, given.iter().map(|(name, value)| (name.as_str(), value.clone())))?;
        answered.render(
            ResultsForm::from_media_type(media_type).expect("only known forms are offered"),
            engine.vocabulary(),
        )
    })
    .await?;
    Ok(([(CONTENT_TYPE, media_type)], bytes).into_response())
}
