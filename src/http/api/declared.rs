//! Declaring what naze watches for.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, put};

use serde_json::json;

use crate::engine::{Engine, Subject};
use crate::http::body;
use crate::http::given::refuse_others;
use crate::http::problem::Reply;
use crate::http::work::blocking;

const DOCUMENT_BYTES_MAX: usize = 64 << 10;

/// `PUT` and `DELETE` of one subject under a name.
pub(super) fn route(subject: Subject) -> MethodRouter<Arc<Engine>> {
    let declare = async move |State(engine): State<Arc<Engine>>,
                              Path(name): Path<String>,
                              Query(mut given): Query<BTreeMap<String, String>>,
                              headers: HeaderMap,
                              body: Body|
                -> Reply {
        let actor = given.remove("actor");
        refuse_others(&given, "actor")?;
        let document = body::read(&headers, body, DOCUMENT_BYTES_MAX, None).await?;
        let (is_new, doubts) = blocking(move || {
            let is_new = engine.declare(subject, &name, &document, actor.as_deref())?;
            Ok((is_new, engine.doubts_of(subject, &name)))
        })
        .await?;
        Ok(match (is_new, doubts.is_empty()) {
            (false, true) => StatusCode::NO_CONTENT.into_response(),
            (false, false) => Json(json!({"doubts": doubts})).into_response(),
            (true, _) => (StatusCode::CREATED, Json(json!({"doubts": doubts}))).into_response(),
        })
    };
    let withdraw = async move |State(engine): State<Arc<Engine>>,
                               Path(name): Path<String>,
                               Query(mut given): Query<BTreeMap<String, String>>|
                -> Reply {
        let actor = given.remove("actor");
        refuse_others(&given, "actor")?;
        blocking(move || engine.withdraw(subject, &name, actor.as_deref())).await?;
        Ok(StatusCode::NO_CONTENT.into_response())
    };
    put(declare).delete(withdraw)
}
