//! `/v1/thresholds`: what is held against series, and how they stand to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse as _;
use serde_json::{Value as JsonValue, json};

use super::lines::{self, Asked, Source, Values};
use super::picked::{Wanted, about};
use super::series::SERIES_MAX;
use super::trends::polarity;
use crate::analyse::limits;
use crate::analyse::trend::Polarity;
use crate::clock::ago;
use crate::engine::{Engine, Origin, Watching};
use crate::error::{Error, Result};
use crate::http::given::refuse_others;
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::measure::crossing::watched::Rules;
use crate::measure::crossing::{Basis, Direction, Threshold};
use crate::measure::read::Statistic;
use crate::measure::relabel::Anchored;
use crate::measure::store::Known;

/// Limits are held against minutes, so they are advised by them.
const STEP_SECONDS: u32 = 60;

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
        let doubts = engine.doubts(|_, threshold| named(threshold));
        let mut answer = json!({
            "thresholds": thresholds,
            "doubts": doubts,
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

/// A limit for each series of a metric, from what it did in the last week.
pub(super) async fn advise(
    State(engine): State<Arc<Engine>>,
    Path(metric): Path<String>,
    Query(mut given): Query<BTreeMap<String, String>>,
) -> Reply {
    let wanted = Wanted::of(&mut given, Some(&metric));
    let source = Source::of(&mut given)?;
    let statistic: Option<Statistic> = given.remove("stat").map(|text| text.parse()).transpose()?;
    let polarity = given.remove("polarity").map(|text| polarity(&text)).transpose()?;
    let polarity = polarity.or_else(|| engine.polarity(&metric)).unwrap_or(Polarity::LowerIsBetter);
    let margin = given.remove("margin").map_or(Ok(limits::MARGIN_PERCENT), |text| margin(&text))?;
    refuse_others(&given, "component, label.<name>, stat, polarity, margin and source")?;
    let now = engine.clock().now();
    let windows = vec![ago(now, limits::OBSERVED)..now];
    let asked = Asked { metric, wanted, source, windows, step: STEP_SECONDS, statistic, lines_max: SERIES_MAX };
    let told = lines::read(&engine, asked).await?;
    let watching = engine.watching();
    let advice = |(known, values): &(Arc<Known>, Values)| {
        let applying = Threshold::applying(watching.thresholds(), &known.series);
        let mut series = about(known);
        series["advice"] = json!(limits::advise(values, polarity, margin));
        series["thresholds"] = applying.iter().map(ToString::to_string).collect();
        series
    };
    let series: Vec<JsonValue> = told.lines.iter().map(advice).collect();
    let answer =
        json!({"series": series, "source": told.source, "stepSeconds": told.step, "truncated": told.truncated});
    Ok(Json(answer).into_response())
}

/// In percent.
fn margin(text: &str) -> Result<f64> {
    let number = text.trim_end_matches('%').trim_end().parse::<f64>().ok();
    number.filter(|percent| (0.0..=100.0).contains(percent)).ok_or_else(|| {
        Error::invalid(format!("margin=\"{text}\" is no share from 0 to 100 %"))
            .hint("write 15 for 15 %; 10 to 20 suit most")
    })
}

fn told(origin: &Origin, threshold: &Threshold) -> JsonValue {
    let labels: BTreeMap<&str, &str> =
        threshold.labels.iter().map(|(name, value)| (name.as_str(), value.text())).collect();
    let (origin, name) = match origin {
        Origin::Declared(name) => ("declared", Some(name)),
        Origin::Metric(name) => ("metric", Some(name)),
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
        "colours": threshold.colours,
        "direction": threshold.direction().map(Direction::name),
        "hysteresis": threshold.hysteresis,
        "for": format!("{}s", threshold.beyond_for.num_seconds()),
        "changeIn": threshold.change.map(|change| format!("{}s", change.span.num_seconds())),
        "firstIn": threshold.first_in.map(|span| format!("{}s", span.num_seconds())),
        "cooldown": threshold.cooldown.map(|span| format!("{}s", span.num_seconds())),
        "and": threshold.and.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "origin": origin,
    })
}

/// How a series stands to what applies to it.
fn standing(engine: &Engine, watching: &Watching, number: u32, known: &Known) -> Result<JsonValue> {
    let rules = Rules::of(known, watching.thresholds(), &watching.learned);
    let watched = engine.watched(number)?;
    let mut series = about(known);
    series["thresholds"] = rules.thresholds().map(ToString::to_string).collect();
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
