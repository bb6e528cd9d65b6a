//! `/v1/metrics`: metrics of a user's own, and what is said of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::IntoResponse as _;
use serde_json::{Value as JsonValue, json};

use crate::engine::{Engine, Origin};
use crate::http::given::refuse_others;
use crate::http::problem::Reply;
use crate::http::work::blocking;

/// Every one that was registered.
pub(super) async fn list(State(engine): State<Arc<Engine>>, Query(given): Query<BTreeMap<String, String>>) -> Reply {
    refuse_others(&given, "none")?;
    let answer = blocking(move || {
        let watching = engine.watching();
        let told = watching.metrics.values().map(|(origin, definition)| {
            let series = engine.series(|series| series.metric == definition.name && !series.is_own()).len();
            json!({
                "name": definition.name,
                "description": definition.description,
                "unit": definition.unit,
                "polarity": definition.polarity(),
                "kind": definition.kind,
                "component": definition.component,
                "principle": definition.principle,
                "threshold": definition.threshold.as_ref().map(ToString::to_string),
                "origin": if matches!(origin, Origin::Declared(_)) { "declared" } else { "configuration" },
                "series": series,
            })
        });
        let metrics: Vec<JsonValue> = told.collect();
        Ok(json!({"metrics": metrics, "doubts": engine.doubts_of_metrics(|_, _| true)}))
    })
    .await?;
    Ok(Json(answer).into_response())
}
