//! `/v1/incidents`: open, list, tell what happened, write the post-mortem.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::IntoResponse as _;
use serde_json::{Map, Value as JsonValue, json};

use super::why::{Options, timeline_reply};
use crate::clock::Timestamp;
use crate::engine::{Engine, Incident, refusal};
use crate::error::{Error, Result};
use crate::http::given::{moment, refuse_others};
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::http::{body, negotiate};
use crate::receipt::{Receipt, Value, read_json};
use crate::report::Form;
use crate::report::postmortem::{Postmortem, postmortem as write_postmortem};
use crate::report::workflow::render as render_workflow;

/// Opens an incident: `{"component", "summary", "metric"?, "onset"?, "detectedAt"?, "reference"?}`.
pub(super) async fn open(State(engine): State<Arc<Engine>>, headers: HeaderMap, body: Body) -> Reply {
    let mut given = object(&engine, &headers, body).await?;
    let incident = blocking(move || {
        let now = engine.clock().now();
        let detected_at = given.get("detectedAt").cloned().unwrap_or_else(|| json!(now));
        given.entry("detectedAt").or_insert_with(|| detected_at.clone());
        given.entry("occurredAt").or_insert(detected_at);
        given.entry("status").or_insert_with(|| json!("open"));
        given.entry("severity").or_insert_with(|| json!("critical"));
        if !given.contains_key("reference") {
            let component = given.get("component").and_then(JsonValue::as_str).unwrap_or_default();
            let name = Receipt::new("incident", now, component).with("summary", Value::text(json!(given).to_string()));
            given.insert("reference".into(), json!(format!("inc-{}", &name.id(engine.vocabulary()).to_string()[..8])));
        }
        record(&engine, given)
    })
    .await?;
    let location = format!("/v1/incidents/{}", incident.reference);
    Ok((StatusCode::CREATED, [("location", location)], Json(show_incident(&incident))).into_response())
}

/// Adds to an incident: `{"status"?: "acknowledged"|"mitigated"|"resolved", "step"?, "rootCause"?, "fix"?, …}`.
pub(super) async fn update(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let mut given = object(&engine, &headers, body).await?;
    let incident = blocking(move || {
        let incident = engine.incident(&id)?;
        given.entry("occurredAt").or_insert_with(|| json!(engine.clock().now()));
        given.entry("component").or_insert_with(|| json!(incident.opened.receipt.component()));
        given.insert("reference".into(), json!(incident.reference));
        // Who adds a step or a cause does not change how it stands.
        given.entry("status").or_insert_with(|| json!(incident.latest("status").unwrap_or("open")));
        record(&engine, given)
    })
    .await?;
    Ok(Json(show_incident(&incident)).into_response())
}

async fn object(
    engine: &Engine,
    headers: &HeaderMap,
    body: Body,
) -> std::result::Result<Map<String, JsonValue>, crate::http::problem::Problem> {
    let bytes = body::read(headers, body, engine.config().limits.body_bytes_max, None).await?;
    let not_json = |error: serde_json::Error| Error::invalid("the body is not a JSON object").because(error);
    let mut given: Map<String, JsonValue> = serde_json::from_slice(&bytes).map_err(not_json)?;
    given.insert("kind".into(), json!("incident"));
    Ok(given)
}

fn record(engine: &Engine, given: Map<String, JsonValue>) -> Result<Incident> {
    let receipt =
        read_json(&JsonValue::Object(given), engine.vocabulary()).map_err(|violations| refusal(&violations))?;
    let id = engine.record_own(receipt)?;
    engine.incident(&id.to_string())
}

/// Incidents, newest first.
pub(super) async fn list(State(engine): State<Arc<Engine>>) -> Reply {
    let (incidents, truncated) = blocking(move || engine.incidents_before(Timestamp::MAX)).await?;
    let incidents: Vec<JsonValue> = incidents.iter().map(show_incident).collect();
    Ok(Json(json!({"incidents": incidents, "truncated": truncated})).into_response())
}

/// One incident with its state.
pub(super) async fn show(State(engine): State<Arc<Engine>>, Path(id): Path<String>) -> Reply {
    let incident = blocking(move || engine.incident(&id)).await?;
    Ok(Json(show_incident(&incident)).into_response())
}

/// How the work on an incident stands: `GET /v1/incidents/{id}/workflow?at=…`
pub(super) async fn workflow(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(mut given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    let media_type = negotiate::chosen(&headers, given.remove("format").as_deref())?;
    let now = engine.clock().now();
    let at = moment(&mut given, now)?;
    refuse_others(&given, "at and format")?;
    let text = blocking(move || {
        let incident = engine.incident(&id)?;
        let runbooks = engine.runbooks_of(&incident, at)?;
        render_workflow(&incident.reference, &engine.workflow(&incident, at)?, &runbooks, media_type)
    })
    .await?;
    Ok(negotiate::answer(media_type, text))
}

fn show_incident(incident: &Incident) -> JsonValue {
    let opened = &incident.opened.receipt;
    let receipts: Vec<_> =
        std::iter::once(&incident.opened).chain(&incident.updates).map(|recorded| recorded.id).collect();
    json!({
        "reference": incident.reference,
        "component": opened.component(),
        "status": incident.latest("status"),
        "severity": incident.latest("severity"),
        "summary": incident.latest("summary"),
        "metric": opened.text("metric"),
        "onset": opened.time("onset"),
        "detectedAt": opened.time("detectedAt"),
        "rootCause": incident.latest("rootCause"),
        "fix": incident.latest("fix"),
        "prevention": incident.latest("prevention"),
        "receipts": receipts,
        "workflow": format!("/v1/incidents/{}/workflow", incident.reference),
        "why": format!("/v1/incidents/{}/why", incident.reference),
        "timeline": format!("/v1/incidents/{}/timeline", incident.reference),
        "postmortem": format!("/v1/incidents/{}/postmortem", incident.reference),
    })
}

/// What happened around the incident, in order.
pub(super) async fn timeline(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(mut given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    let lookup = Arc::clone(&engine);
    let window = blocking(move || Ok(lookup.incident(&id)?.story(lookup.clock().now()))).await?;
    given.entry("from".into()).or_insert_with(|| window.from.to_string());
    given.entry("to".into()).or_insert_with(|| window.to.to_string());
    timeline_reply(engine, given, &headers).await
}

/// The post-mortem with empty human parts.
pub(super) async fn postmortem(
    state: State<Arc<Engine>>,
    path: Path<String>,
    options: Query<Options>,
    headers: HeaderMap,
) -> Reply {
    write(state.0, path.0, options.0, headers, None).await
}

/// The post-mortem anew, keeping the human parts of the earlier Markdown in the body.
pub(super) async fn regenerate(
    State(engine): State<Arc<Engine>>,
    path: Path<String>,
    options: Query<Options>,
    headers: HeaderMap,
    body: Body,
) -> Reply {
    let bytes = body::read(&headers, body, engine.config().limits.body_bytes_max, None).await?;
    let previous = String::from_utf8(bytes.to_vec())
        .map_err(|error| Error::invalid("the earlier post-mortem is not UTF-8").because(error))?;
    write(engine, path.0, options.0, headers, Some(previous)).await
}

async fn write(
    engine: Arc<Engine>,
    id: String,
    options: Options,
    headers: HeaderMap,
    previous: Option<String>,
) -> Reply {
    let media_type = negotiate::best(&headers, &["text/markdown", "text/html", "application/json", "text/csv"])?;
    let form = Form::from_media_type(media_type).expect("only forms of reports are offered");
    let text = blocking(move || compose(&engine, &id, &options)?.render(form, previous.as_deref())).await?;
    Ok(negotiate::answer(media_type, text))
}

fn compose(engine: &Engine, id: &str, options: &Options) -> Result<Postmortem> {
    let incident = engine.incident(id)?;
    let question = incident.question();
    let (answer, _) = engine.investigate(&question, options.lookback()?)?;
    let now = engine.clock().now();
    let evidence = engine.evidence(incident.story(now))?;
    let postmortem = write_postmortem(&incident.opened, &incident.updates, &answer, &evidence, None);
    Ok(postmortem.with_workflow(&engine.workflow(&incident, now)?))
}
