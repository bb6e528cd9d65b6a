//! `/v1/reviews`: how a week was.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;

use crate::analyse::review::Week;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::http::given::refuse_others;
use crate::http::negotiate;
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::report::review::render;

/// More engineers than this need more than one review.
const ENGINEERS_MAX: usize = 100;

/// The last week that is over.
pub(super) async fn last(
    State(engine): State<Arc<Engine>>,
    Query(given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    let week = Week::last_complete(engine.clock().now());
    answer(engine, week, given, &headers).await
}

/// The week of this name, such as `2026-W47`.
pub(super) async fn show(
    State(engine): State<Arc<Engine>>,
    Path(week): Path<String>,
    Query(given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    answer(engine, week.parse()?, given, &headers).await
}

async fn answer(engine: Arc<Engine>, week: Week, mut given: BTreeMap<String, String>, headers: &HeaderMap) -> Reply {
    let media_type = negotiate::chosen(headers, given.remove("format").as_deref())?;
    let engineers = given.remove("engineers").map_or(Ok(1), |text| engineers(&text))?;
    refuse_others(&given, "format and engineers")?;
    let text = blocking(move || render(&engine.review(week, engineers, engine.clock().now())?, media_type)).await?;
    Ok(negotiate::answer(media_type, text))
}

fn engineers(text: &str) -> Result<usize> {
    text.parse().ok().filter(|count| (1..=ENGINEERS_MAX).contains(count)).ok_or_else(|| {
        Error::invalid(format!("engineers=\"{text}\" is not a whole number from 1 to {ENGINEERS_MAX}"))
            .hint("say how many people improve things: each gets one improvement, and a second if there is time")
    })
}
