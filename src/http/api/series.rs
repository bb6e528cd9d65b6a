//! `/v1/series`: which series there are, and their values.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use chrono::TimeDelta;
use serde_json::{Value as JsonValue, json};

use super::lines::{self, Asked, Source, Told, Values};
use super::picked::{Wanted, about};
use crate::clock::Timestamp;
use crate::engine::{self, Engine};
use crate::error::{Context as _, Error, Result};
use crate::http::given::{refuse_others, window};
use crate::http::negotiate;
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::measure::read::Statistic;
use crate::measure::store::Known;
use crate::query::parse_duration;
use crate::record::Window;

/// Series of one answer.
pub(super) const SERIES_MAX: usize = 1_000;
/// Points of one answer.
const POINTS_MAX: i64 = 50_000;
/// Points that a window is shown in when nobody says how many.
const POINTS_SHOWN: i64 = 240;
const WINDOW_DEFAULT: TimeDelta = TimeDelta::hours(1);
const STEP_MIN_SECONDS: i64 = 60;

/// Every series that the parameters pick.
pub(super) async fn list(
    State(engine): State<Arc<Engine>>,
    Query(mut given): Query<BTreeMap<String, String>>,
) -> Reply {
    let wanted = Wanted::of(&mut given, None);
    refuse_others(&given, "metric, component and label.<name>")?;
    let answer = blocking(move || {
        let found = engine.series(|series| wanted.has(series));
        let truncated = found.len() > SERIES_MAX;
        let now = engine.clock().now();
        let runs = engine.runs(now)?;
        let tell = |(number, known): (u32, Arc<Known>)| {
            let mut series = about(&known);
            series["stalledSince"] =
                json!(engine.stalled_since(&engine::Line::of_series(number, known), now, &runs)?);
            Ok(series)
        };
        let series = found.into_iter().take(SERIES_MAX).map(tell).collect::<Result<Vec<JsonValue>>>()?;
        Ok(json!({"series": series, "truncated": truncated}))
    })
    .await?;
    Ok(Json(answer).into_response())
}

/// The values of a metric's series, a value for each step.
pub(super) async fn show(
    State(engine): State<Arc<Engine>>,
    Path(metric): Path<String>,
    Query(mut given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    let media_type = negotiate::best(&headers, &["application/json", "text/csv"])?;
    let wanted = Wanted::of(&mut given, Some(&metric));
    let Window { from, to } = window(&mut given, engine.clock().now(), WINDOW_DEFAULT)?;
    let step = step(given.remove("step").as_deref(), &(from..to))?;
    let statistic: Option<Statistic> = given.remove("stat").map(|text| text.parse()).transpose()?;
    let source = Source::of(&mut given)?;
    refuse_others(&given, "component, label.<name>, from, to, step, stat and source")?;
    let windows = vec![from..to];
    let asked = Asked { metric, wanted, source, windows, step, statistic, lines_max: SERIES_MAX };
    let told = lines::read(&engine, asked).await?;
    Ok(if media_type == "text/csv" { csv(&told.lines)? } else { json(&told, from, to) })
}

type Line = (Arc<Known>, Values);

/// The length of a step in seconds: as asked, or what shows the window well.
fn step(given: Option<&str>, window: &Range<Timestamp>) -> Result<u32> {
    let length = window.end.since(window.start).num_seconds();
    let seconds = match given {
        Some(text) => parse_duration("step", text)?.num_seconds(),
        None => (length / POINTS_SHOWN).max(STEP_MIN_SECONDS),
    };
    if seconds < STEP_MIN_SECONDS {
        return Err(Error::invalid(format!("step={seconds}s is shorter than a minute"))
            .hint("series are kept by the minute: ask for 1m or more"));
    }
    if length / seconds > POINTS_MAX {
        return Err(Error::invalid(format!("the answer would have more than {POINTS_MAX} points a series"))
            .hint("ask for a longer step or a shorter window"));
    }
    u32::try_from(seconds).invalid("the step is too long")
}

fn json(told: &Told, from: Timestamp, to: Timestamp) -> Response {
    let line = |(place, (known, points)): (usize, &Line)| {
        let mut series = about(known);
        series["points"] = json!(points);
        if let Some(silence) = told.silences.get(place) {
            silence.tell(&mut series);
        }
        series
    };
    let series: Vec<JsonValue> = told.lines.iter().enumerate().map(line).collect();
    let Told { source, step, truncated, .. } = told;
    let answer = json!({
        "from": from, "to": to, "stepSeconds": step, "source": source, "series": series, "truncated": truncated,
    });
    Json(answer).into_response()
}

fn csv(lines: &[Line]) -> Result<Response> {
    let failed = "cannot write CSV";
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["time", "component", "metric", "value", "unit", "labels"]).internal(failed)?;
    for (known, points) in lines {
        let labels = json!(known.series.labels).to_string();
        let unit = known.unit.as_deref().unwrap_or_default();
        for (at, value) in points {
            let row =
                [&at.to_string(), &known.series.component, &known.series.metric, &value.to_string(), unit, &labels];
            writer.write_record(row).internal(failed)?;
        }
    }
    let bytes = writer.into_inner().internal(failed)?;
    Ok(([(CONTENT_TYPE, "text/csv")], bytes).into_response())
}
