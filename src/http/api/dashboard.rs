//! `/v1/dashboard`: everything that an overview shows, in one answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::IntoResponse as _;
use chrono::TimeDelta;
use serde_json::{Value as JsonValue, json};

use crate::analyse::advise::Advised;
use crate::analyse::health::State as Health;
use crate::analyse::slo::State as Kept;
use crate::clock::Timestamp;
use crate::engine::{ComponentHealth, Engine, LOOKBACK_DEFAULT, ObjectiveStatus, SloStatus, SlosStatus, SystemHealth};
use crate::error::Result;
use crate::http::given::{limit, refuse_others, window};
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::record::Window;
use crate::report::advise;

/// Entries of each list, unless asked otherwise; and most that can be asked for.
const LIMIT: usize = 10;
const LIMIT_MAX: usize = 100;
/// Evidence older than this is stale.
const STALE_AFTER: TimeDelta = TimeDelta::minutes(5);

/// Health, alerts, incidents, objectives, recommendations, changes, and how fresh all that is.
pub(super) async fn show(
    State(engine): State<Arc<Engine>>,
    Query(mut given): Query<BTreeMap<String, String>>,
) -> Reply {
    let is_past = given.contains_key("to");
    let window = window(&mut given, engine.clock().now(), LOOKBACK_DEFAULT)?;
    let limit = limit(&mut given, LIMIT, LIMIT_MAX)?;
    refuse_others(&given, "from, to and limit")?;
    Ok(Json(blocking(move || gather(&engine, window, is_past, limit)).await?).into_response())
}

fn gather(engine: &Engine, window: Window, is_past: bool, limit: usize) -> Result<JsonValue> {
    let Window { from, to } = window;
    let list = |query: &str, given: &[(&'static str, String)]| -> Result<JsonValue> {
        let rows = engine.query(query, given.iter().cloned().chain([("limit", limit.to_string())]))?.rows;
        Ok(json!({"items": rows.to_json(engine.vocabulary()), "truncated": rows.truncated}))
    };
    let at = [("at", to.to_string())];
    let lately = [("at", to.to_string()), ("lookback", window.lookback())];
    let mut health = SystemHealth::clone(&*engine.health()?);
    health.truncated |= health.components.len() > limit;
    let freshness = freshness(&health.components, health.at, engine.last_recorded_at()?);
    health.components.truncate(limit);
    health.alerts.truncated |= health.alerts.items.len() > limit;
    health.alerts.items.truncate(limit);
    let objectives = if is_past { Arc::new(engine.slos_at(to)?) } else { engine.slos()? };
    let mut advised = Advised::clone(&*engine.advise_lately(window)?);
    advised.truncated |= advised.recommendations.len() > limit;
    advised.recommendations.truncate(limit);
    Ok(json!({
        "from": from,
        "to": to,
        "health": health,
        "alerts": list("open_alerts", &at)?,
        "incidents": list("open_incidents", &at)?,
        "slos": slos(&objectives, limit),
        "recommendations": advise::json(&advised),
        "changes": list("changes_before", &lately)?,
        "freshness": freshness,
    }))
}

/// The objectives in a line each, those that are missed first.
fn slos(status: &SlosStatus, limit: usize) -> JsonValue {
    let lines = status.slos.iter().flat_map(|slo| slo.objectives.iter().map(move |objective| (slo, objective)));
    let mut lines: Vec<_> = lines.collect();
    lines.sort_by_key(|(_, objective)| match objective.told.evaluation.state {
        Kept::Missed => 0,
        Kept::Unknown => 1,
        Kept::Met => 2,
    });
    let truncated = lines.len() > limit;
    let line = |(slo, objective): (&SloStatus, &ObjectiveStatus)| {
        let evaluation = &objective.told.evaluation;
        json!({
            "name": objective.name,
            "service": slo.service,
            "window": slo.window,
            "state": evaluation.state,
            "attainment": evaluation.attainment,
            "target": evaluation.target,
            "budget": evaluation.budget,
            "firing": objective.told.firing,
        })
    };
    let items: Vec<JsonValue> = lines.into_iter().take(limit).map(line).collect();
    json!({"overall": status.overall, "items": items, "truncated": truncated})
}

/// How old the newest evidence is, and who stopped sending samples.
fn freshness(components: &[ComponentHealth], at: Timestamp, last_receipt: Option<Timestamp>) -> JsonValue {
    let last_sample = components.iter().filter_map(|one| one.last_sample_at).max();
    let is_stale = |last: Option<Timestamp>| last.is_some_and(|last| at.since(last) > STALE_AFTER);
    let silent = components.iter().filter(|one| is_stale(one.last_sample_at)).map(|one| &one.component);
    let unknown = components.iter().filter(|one| one.condition.state == Health::Unknown).count();
    json!({
        "lastReceiptAt": last_receipt,
        "lastSampleAt": last_sample,
        "silent": silent.collect::<Vec<_>>(),
        "unknownComponents": unknown,
    })
}
