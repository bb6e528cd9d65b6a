//! `/v1/slos`: are promises kept?

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use serde_json::json;

use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::error::Result;
use crate::http::given::{moment, refuse_others};
use crate::http::problem::Reply;
use crate::http::work::blocking;

/// Every objective, and all of them in one line.
pub(super) async fn list(State(engine): State<Arc<Engine>>, Query(given): Query<BTreeMap<String, String>>) -> Reply {
    let slos = if given.is_empty() {
        blocking(move || engine.slos()).await?
    } else {
        let at = at(&engine, given)?;
        Arc::new(blocking(move || engine.slos_at(at)).await?)
    };
    Ok(Json(&*slos).into_response())
}

/// One objective, with its definition.
pub(super) async fn show(
    State(engine): State<Arc<Engine>>,
    Path(name): Path<String>,
    Query(given): Query<BTreeMap<String, String>>,
) -> Reply {
    let at = at(&engine, given)?;
    let answer = blocking(move || {
        let watching = engine.watching();
        let entry = watching.slos.get(&name)?;
        Ok(json!({"slo": engine.slo_at(entry, at)?, "definition": entry.definition}))
    })
    .await?;
    Ok(Json(answer).into_response())
}

/// Rules that let Prometheus watch the objectives.
pub(super) async fn rules(State(engine): State<Arc<Engine>>) -> Reply {
    let rules = blocking(move || Ok(engine.slo_rules())).await?;
    Ok(([(CONTENT_TYPE, "application/yaml")], rules).into_response())
}

fn at(engine: &Engine, mut given: BTreeMap<String, String>) -> Result<Timestamp> {
    let now = engine.clock().now();
    let at = moment(&mut given, now)?;
    refuse_others(&given, "at")?;
    Ok(at)
}
