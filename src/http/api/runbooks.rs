//! `/v1/runbooks`: what to do about what fires.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::IntoResponse as _;
use serde_json::{Value as JsonValue, json};

use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::http::given::{moment, refuse_others};
use crate::http::negotiate;
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::runbook::Runbook;

/// Every runbook, and those for the alerts that are open.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Query(mut given): Query<BTreeMap<String, String>>,
) -> Reply {
    let now = engine.clock().now();
    let at = moment(&mut given, now)?;
    refuse_others(&given, "at")?;
    let answer = blocking(move || {
        let all: Vec<JsonValue> = engine.runbooks().iter().map(|runbook| about(runbook, at)).collect();
        Ok(json!({"runbooks": all, "alerts": engine.open_alerts(at)?}))
    })
    .await?;
    Ok(Json(answer).into_response())
}

/// One runbook, as Markdown or JSON.
pub(super) async fn show(State(engine): State<Arc<Engine>>, Path(name): Path<String>, headers: HeaderMap) -> Reply {
    let runbook = engine.runbooks().get(&name)?;
    Ok(match negotiate::best(&headers, &["application/json", "text/markdown"])? {
        "text/markdown" => {
            let text = format!("# {}\n\n{}\n", runbook.title, runbook.text);
            ([(CONTENT_TYPE, "text/markdown; charset=utf-8")], text).into_response()
        }
        _ => Json(about(runbook, engine.clock().now())).into_response(),
    })
}

fn about(runbook: &Runbook, at: Timestamp) -> JsonValue {
    let mut about = json!(runbook);
    about["isStale"] = json!(runbook.is_stale(at));
    about
}
