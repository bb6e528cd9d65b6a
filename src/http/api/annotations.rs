//! `/v1/annotations`: deployments, changes and incidents in the form that Grafana's data sources for JSON take as
//! annotations: times in milliseconds since 1970.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::IntoResponse as _;
use serde::Serialize;

use crate::clock::Timestamp;
use crate::engine::{Engine, Incident, LOOKBACK_DEFAULT};
use crate::error::Result;
use crate::http::given::{limit, refuse_others, window};
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::query::Row;
use crate::record::{Recorded, Window};
use crate::vocab::Vocabulary;

/// Annotations of one answer, unless asked otherwise; and most that can be asked for.
const LIMIT: usize = 200;
const LIMIT_MAX: usize = 1_000;

/// A mark on a panel.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Annotation {
    time: i64,
    /// Of what lasted; equal to `time` for what did not.
    time_end: i64,
    is_region: bool,
    title: String,
    text: String,
    tags: Vec<String>,
    /// The receipt that tells it.
    receipt: String,
}

/// What was deployed, changed or broken in a window, the latest first.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Query(mut given): Query<BTreeMap<String, String>>,
) -> Reply {
    let window = window(&mut given, engine.clock().now(), LOOKBACK_DEFAULT)?;
    let limit = limit(&mut given, LIMIT, LIMIT_MAX)?;
    let component = given.remove("component");
    refuse_others(&given, "from, to, limit and component")?;
    let annotations = blocking(move || gather(&engine, window, limit, component.as_deref())).await?;
    Ok(Json(annotations).into_response())
}

fn gather(engine: &Engine, window: Window, limit: usize, component: Option<&str>) -> Result<Vec<Annotation>> {
    let mut given = vec![("at", window.to.to_string()), ("lookback", window.lookback()), ("limit", limit.to_string())];
    given.extend(component.map(|component| ("component", component.to_owned())));
    let changes = engine.query("changes_before", given)?.rows;
    let (incidents, _) = engine.incidents_before(window.to)?;
    let is_asked =
        |incident: &&Incident| component.is_none_or(|component| incident.opened.receipt.component() == Some(component));
    let incidents = incidents.iter().filter(is_asked).filter_map(|one| of_incident(one, window));
    let mut annotations: Vec<Annotation> =
        changes.iter().filter_map(|row| of_change(&row, engine.vocabulary())).chain(incidents).collect();
    annotations.sort_by(|a, b| b.time.cmp(&a.time).then_with(|| a.receipt.cmp(&b.receipt)));
    annotations.truncate(limit);
    Ok(annotations)
}

fn of_change(row: &Row<'_>, vocabulary: &Vocabulary) -> Option<Annotation> {
    let component = row.component("component")?;
    let words = ["subject", "status", "summary"].iter().filter_map(|column| row.text(column));
    let kind = row.kind("kind", vocabulary)?;
    Some(Annotation {
        time: milliseconds(row.time("time")?),
        time_end: milliseconds(row.time("time")?),
        is_region: false,
        title: format!("{kind} of {component}"),
        text: words.collect::<Vec<_>>().join(" · "),
        tags: vec![kind.to_owned(), component],
        receipt: row.receipt("event")?.to_string(),
    })
}

/// An incident that lasted into the window; one that is not resolved lasts to its end.
fn of_incident(incident: &Incident, window: Window) -> Option<Annotation> {
    let opened = incident.opened.occurred_at();
    let resolved = incident.updates.iter().rev().find(|update| update.receipt.text("status") == Some("resolved"));
    let ended = resolved.map_or(window.to, Recorded::occurred_at);
    if opened >= window.to || ended < window.from {
        return None;
    }
    let component = incident.opened.receipt.component().unwrap_or_default();
    let severity = incident.latest("severity").map(str::to_owned);
    Some(Annotation {
        time: milliseconds(opened),
        time_end: milliseconds(ended),
        is_region: true,
        title: format!("incident of {component}"),
        text: incident.latest("summary").unwrap_or(&incident.reference).to_owned(),
        tags: ["incident".to_owned(), component.to_owned()].into_iter().chain(severity).collect(),
        receipt: incident.opened.id.to_string(),
    })
}

fn milliseconds(at: Timestamp) -> i64 {
    at.micros() / 1_000
}
