//! `/v1/doctor`: what works around naze and what does not, with the fix of each.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, get};
use serde_json::json;
use tokio::sync::Mutex;

use crate::doctor::{self, Status};
use crate::engine::Engine;
use crate::error::Error;
use crate::http::problem::{Problem, Reply};

/// One at a time: it asks other servers, and reads a week of all series.
pub(super) fn route() -> MethodRouter<Arc<Engine>> {
    let turn = Arc::new(Mutex::new(()));
    get(async move |State(engine): State<Arc<Engine>>| -> Reply {
        let Ok(_turn) = turn.try_lock() else {
            let busy = Error::unavailable("an examination is under way").hint("ask again in some seconds");
            return Err(Problem::from(busy));
        };
        let findings = doctor::examine(&engine).await;
        let status = findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
        Ok(Json(json!({"status": status, "findings": findings})).into_response())
    })
}
