//! `/v1/recommendations`: what to do.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;

use super::negotiate;
use super::problem::Reply;
use super::work::blocking;
use crate::clock::ago;
use crate::engine::{Engine, LOOKBACK_DEFAULT};
use crate::error::Error;
use crate::query::parse_time;
use crate::record::Window;
use crate::report::advise as report;

/// `GET /v1/recommendations?from=…&to=…&component=…`, and any parameter of the queries.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Query(mut given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    let media_type =
        negotiate::best(&headers, &["application/json", "text/markdown", "text/html", "text/csv", "text/plain"])?;
    let now = engine.clock().now();
    let time = |name: &str, text: Option<String>| text.map(|text| parse_time(name, &text, now)).transpose();
    let to = time("to", given.remove("to"))?.unwrap_or(now);
    let from = time("from", given.remove("from"))?.unwrap_or_else(|| ago(to, LOOKBACK_DEFAULT));
    if from >= to {
        return Err(Error::invalid(format!("from ({from}) is not before to ({to})")).hint("swap them").into());
    }
    let text = blocking(move || report::render(&engine.advise(Window { from, to }, &given)?, media_type)).await?;
    Ok(([(CONTENT_TYPE, format!("{media_type}; charset=utf-8"))], text).into_response())
}
