//! `/v1/recommendations`: what to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;

use crate::engine::{Engine, LOOKBACK_DEFAULT};
use crate::http::given::window;
use crate::http::negotiate;
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::report::advise as report;

/// `GET /v1/recommendations?from=…&to=…&component=…`, and any parameter of the queries.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Query(mut given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    let media_type = negotiate::best(&headers, &negotiate::FORMS)?;
    let window = window(&mut given, engine.clock().now(), LOOKBACK_DEFAULT)?;
    let text = blocking(move || report::render(&engine.advise(window, &given)?, media_type)).await?;
    Ok(negotiate::answer(media_type, text))
}
