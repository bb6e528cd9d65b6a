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
use crate::error::{Context as _, Error};
use crate::http::problem::{Problem, Reply};

/// One at a time: it asks other servers, and reads a week of all series.
pub(super) fn route() -> MethodRouter<Arc<Engine>> {
    let turn = Arc::new(Mutex::new(()));
    get(async move |State(engine): State<Arc<Engine>>| -> Reply {
        let Ok(turn) = Arc::clone(&turn).try_lock_owned() else {
            let busy = Error::unavailable("an examination is under way").hint("ask again in some seconds");
            return Err(Problem::from(busy));
        };
        // A client that hangs up ends its request, not what goes on in the background.
        let examination = tokio::spawn(async move {
            let _turn = turn;
            doctor::examine(&engine).await
        });
        let findings = examination.await.internal("the examination panicked")?;
        let status = findings.iter().map(|finding| finding.status).max().unwrap_or(Status::Ok);
        Ok(Json(json!({"status": status, "findings": findings})).into_response())
    })
}
