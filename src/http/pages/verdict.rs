//! A person confirms a suspect or rules it out; that is recorded as a note.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::{HOST, ORIGIN};
use axum::response::Response;

use super::{Given, no_page, see};
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::http::body;
use crate::http::problem::Problem;
use crate::http::work::blocking;
use crate::receipt::{Receipt, Value};
use crate::web;

/// The longest form.
const BYTES_MAX: usize = 64 << 10;

/// Takes `verdict`, `cause` and `message` of the form on an incident's page.
pub(in crate::http) async fn verdict(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Response {
    match take(engine, id, &headers, body).await {
        Ok(path) => see(&path),
        Err(problem) => no_page(&problem),
    }
}

async fn take(engine: Arc<Engine>, id: String, headers: &HeaderMap, body: Body) -> Result<String, Problem> {
    own_page(headers)?;
    let bytes = body::read(headers, body, BYTES_MAX, None).await?;
    let form: Given = form_urlencoded::parse(&bytes).into_owned().collect();
    blocking(move || {
        let incident = engine.incident(&id)?;
        engine.record_own(note(&engine, &incident, &form)?)?;
        Ok(web::incident::path(&incident) + "#cause")
    })
    .await
}

fn note(engine: &Engine, incident: &crate::engine::Incident, form: &Given) -> Result<Receipt> {
    let filled = |name: &str| form.get(name).filter(|text| !text.trim().is_empty());
    let verdict = filled("verdict").map(String::as_str);
    let Some(verdict @ ("confirmed" | "ruled_out")) = verdict else {
        return Err(Error::invalid(format!("verdict={verdict:?} is not known")).hint("send confirmed or ruled_out"));
    };
    let cause = filled("cause").ok_or_else(|| Error::invalid("cause names no component"))?;
    let message = filled("message").map_or("said on the incident's page", String::as_str);
    let component = incident.opened.receipt.component().unwrap_or(cause);
    Ok(Receipt::new("note", engine.clock().now(), component)
        .with("verdict", Value::text(verdict))
        .with("causeComponent", Value::Component(cause.clone()))
        .with("incidentReceipt", Value::Receipt(incident.opened.id))
        .with("message", Value::text(message))
        .with("source", Value::text("web")))
}

/// A form of a foreign page must not speak for our reader: browsers say where it came from.
fn own_page(headers: &HeaderMap) -> Result<()> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_own = match (header("sec-fetch-site"), header(ORIGIN.as_str())) {
        (Some(site), _) => matches!(site, "same-origin" | "none"),
        (None, Some(origin)) => origin.split_once("://").map(|(_, host)| host) == header(HOST.as_str()),
        (None, None) => true,
    };
    if is_own {
        Ok(())
    } else {
        Err(Error::forbidden("this form was sent from another site").hint("send it from the incident's own page"))
    }
}
