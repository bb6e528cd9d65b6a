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
use super::negotiate;
use super::problem::Reply;
use super::work::blocking;
use crate::clock::Timestamp;
use crate::engine::{self, Engine};
use crate::error::{Context as _, Error, Result};
use crate::measure::Series;
use crate::measure::read::Statistic;
use crate::measure::store::Known;
use crate::query::{parse_duration, parse_time};

/// Series of one answer.
pub(super) const SERIES_MAX: usize = 1_000;
/// Points of one answer.
const POINTS_MAX: i64 = 50_000;
/// Points that a window is shown in when nobody says how many.
const POINTS_SHOWN: i64 = 240;
const WINDOW_DEFAULT: TimeDelta = TimeDelta::hours(1);
const STEP_MIN_SECONDS: i64 = 60;

/// Which series are asked for, by `metric`, `component` and `label.<name>`.
pub(super) struct Wanted {
    pub(super) metric: Option<String>,
    component: Option<String>,
    pub(super) labels: BTreeMap<String, String>,
}

impl Wanted {
    /// Takes what it knows out of `given`.
    pub(super) fn of(given: &mut BTreeMap<String, String>, metric: Option<&str>) -> Self {
        let labels = given.extract_if(.., |name, _| name.starts_with("label."));
        let labels = labels.map(|(name, value)| (name["label.".len()..].to_owned(), value)).collect();
        let metric = metric.map_or_else(|| given.remove("metric"), |metric| Some(metric.to_owned()));
        Self { metric, component: given.remove("component"), labels }
    }

    pub(super) fn has(&self, series: &Series) -> bool {
        self.metric.as_ref().is_none_or(|metric| *metric == series.metric)
            && self.component.as_ref().is_none_or(|component| *component == series.component)
            && self.labels.iter().all(|(name, value)| series.labels.get(name) == Some(value))
    }
}

pub(super) fn refuse_others(given: &BTreeMap<String, String>, known: &str) -> Result<()> {
    match given.keys().next() {
        None => Ok(()),
        Some(name) => Err(Error::invalid(format!("there is no parameter {name}")).hint(format!("known are {known}"))),
    }
}

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
        let runs = engine.runs(now..now)?;
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
    let now = engine.clock().now();
    let time = |name: &str, text: Option<String>| text.map(|text| parse_time(name, &text, now)).transpose();
    let to = time("to", given.remove("to"))?.unwrap_or(now);
    let from =
        time("from", given.remove("from"))?.or_else(|| to.checked_add(-WINDOW_DEFAULT)).unwrap_or(Timestamp::MIN);
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
    if length <= 0 {
        return Err(Error::invalid(format!("the window from {} to {} is empty", window.start, window.end)));
    }
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

pub(super) fn about(known: &Known) -> JsonValue {
    let Series { metric, component, kind, labels } = &known.series;
    json!({"metric": metric, "component": component, "kind": kind, "unit": known.unit, "labels": labels})
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
