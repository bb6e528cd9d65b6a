//! Declaring what naze watches for.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use axum::routing::{MethodRouter, put};

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
        let is_new = blocking(move || engine.declare(subject, &name, &document, actor.as_deref())).await?;
        Ok(if is_new { StatusCode::CREATED } else { StatusCode::NO_CONTENT }.into_response())
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
