//! `/v1/thresholds`: what is held against series, and how they stand to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Query, State};
use axum::response::IntoResponse as _;
use serde_json::{Value as JsonValue, json};

use super::problem::Reply;
use super::series::{SERIES_MAX, Wanted, about, refuse_others};
use super::work::blocking;
use crate::engine::{Engine, Origin, Watching};
use crate::error::Result;
use crate::measure::crossing::watched::Rules;
use crate::measure::crossing::{Basis, Direction, Threshold};
use crate::measure::relabel::Anchored;
use crate::measure::store::Known;

/// All thresholds; with parameters also the series they pick, and what applies to each.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Query(mut given): Query<BTreeMap<String, String>>,
) -> Reply {
    let is_asked = !given.is_empty();
    let wanted = Wanted::of(&mut given, None);
    refuse_others(&given, "metric, component and label.<name>")?;
    let answer = blocking(move || {
        let watching = engine.watching();
        let named =
            |threshold: &Threshold| wanted.metric.as_ref().is_none_or(|metric| threshold.metric.contains(metric));
        let thresholds = watching.origins().filter(|(_, threshold)| named(threshold));
        let thresholds: Vec<JsonValue> = thresholds.map(|(origin, threshold)| told(origin, threshold)).collect();
        let learned = &watching.learned;
        let mut answer = json!({
            "thresholds": thresholds,
            "learned": {
                "enabled": learned.enabled,
                "deviations": learned.deviations,
                "for": format!("{}s", learned.beyond_for.num_seconds()),
            },
        });
        if is_asked {
            let found = engine.series(|series| wanted.has(series));
            let shown = found.iter().take(SERIES_MAX);
            let series: Result<Vec<JsonValue>> =
                shown.map(|(number, known)| standing(&engine, &watching, *number, known)).collect();
            answer["series"] = json!(series?);
            answer["truncated"] = json!(found.len() > SERIES_MAX);
        }
        Ok(answer)
    })
    .await?;
    Ok(Json(answer).into_response())
}

fn told(origin: &Origin, threshold: &Threshold) -> JsonValue {
    let labels: BTreeMap<&str, &str> =
        threshold.labels.iter().map(|(name, value)| (name.as_str(), value.text())).collect();
    let (origin, name) = match origin {
        Origin::Declared(name) => ("declared", Some(name)),
        Origin::Configured => ("configuration", None),
        Origin::Shipped => ("shipped", None),
    };
    json!({
        "name": name,
        "rule": threshold.to_string(),
        "metric": threshold.metric,
        "component": threshold.component.as_ref().map(Anchored::text),
        "labels": labels,
        "statistic": threshold.statistic.map(|statistic| statistic.to_string()),
        "warning": threshold.warning.map(|limit| limit.to_string()),
        "critical": threshold.critical.map(|limit| limit.to_string()),
        "direction": threshold.direction().map(Direction::name),
        "hysteresis": threshold.hysteresis,
        "for": format!("{}s", threshold.beyond_for.num_seconds()),
        "origin": origin,
    })
}

/// How a series stands to what applies to it.
fn standing(engine: &Engine, watching: &Watching, number: u32, known: &Known) -> Result<JsonValue> {
    let rules = Rules::of(known, watching.thresholds(), &watching.learned);
    let watched = engine.watched(number)?;
    let mut series = about(known);
    series["thresholds"] = rules.declared.iter().map(ToString::to_string).collect();
    series["usual"] = json!(watched.usual().filter(|_| rules.learned.is_some()).map(|(band, basis)| json!({
        "median": band.median,
        "scale": band.scale,
        "low": band.low,
        "high": band.high,
        "basis": match basis {
            Basis::Recent => "last day".to_owned(),
            Basis::Weeks(weeks) => format!("same hour of {weeks} weeks"),
        },
    })));
    series["beyond"] = watched.open().map(|(rule, since)| json!({"rule": rule, "since": since})).collect();
    series["seen"] = json!(watched.seen);
    Ok(series)
}
