//! `/v1/trends/{metric}`: where the series of a metric are heading.

mod picture;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::IntoResponse as _;
use chrono::TimeDelta;
use serde_json::json;

use super::negotiate;
use super::problem::Reply;
use super::series::{Wanted, about, refuse_others};
use super::work::blocking;
use crate::analyse::trend::{self, Point, Polarity, Question, Trend};
use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::measure::read::{Statistic, steps};
use crate::measure::store::Known;
use crate::query::{parse_duration, parse_time};

/// Series of one answer.
const SERIES_MAX: usize = 50;
/// As far back as any of the numbers needs: the longest window and the one before it.
const LOOKBACK: TimeDelta = TimeDelta::days(60);
const MINUTE_SECONDS: u32 = 60;

/// Every series of the metric that the parameters pick, each through every window.
pub(super) async fn show(
    State(engine): State<Arc<Engine>>,
    Path(metric): Path<String>,
    Query(mut given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    let is_picture = match given.remove("format").as_deref() {
        None => negotiate::best(&headers, &["application/json", picture::MEDIA_TYPE])? == picture::MEDIA_TYPE,
        Some("svg") => true,
        Some("json") => false,
        Some(other) => {
            return Err(Error::invalid(format!("format=\"{other}\" is not offered")).hint("use json or svg").into());
        }
    };
    if is_picture {
        return picture::show(&engine, metric, given).await;
    }
    let wanted = Wanted::of(&mut given, Some(&metric));
    let asked = Asked::of(&mut given, engine.clock().now())?;
    refuse_others(&given, "component, label.<name>, at, stat, polarity, threshold and horizon")?;
    let answer = blocking(move || {
        let found = engine.series(|series| wanted.has(series));
        if found.is_empty() {
            return Err(Error::not_found(format!("there is no series of {metric} with these labels"))
                .hint("GET /v1/series lists all"));
        }
        let truncated = found.len() > SERIES_MAX;
        let trends = found.into_iter().take(SERIES_MAX).map(|(number, known)| {
            let mut answer = about(&known);
            answer["trend"] = json!(asked.trend(&engine, number, &known)?);
            Ok(answer)
        });
        Ok(json!({"trends": trends.collect::<Result<Vec<_>>>()?, "truncated": truncated}))
    })
    .await?;
    Ok(Json(answer).into_response())
}

/// What is asked of every series.
pub(super) struct Asked {
    at: Timestamp,
    statistic: Option<Statistic>,
    polarity: Option<Polarity>,
    threshold: Option<f64>,
    horizon: Option<TimeDelta>,
}

impl Asked {
    /// The question at a moment, looking so far ahead.
    pub(super) fn ahead(at: Timestamp, horizon: Option<TimeDelta>) -> Self {
        Self { at, statistic: None, polarity: None, threshold: None, horizon }
    }

    /// What the parameters ask; it takes those it knows.
    fn of(given: &mut BTreeMap<String, String>, now: Timestamp) -> Result<Self> {
        let mut take = |name: &str| given.remove(name);
        let number = |text: String| {
            text.parse::<f64>().ok().filter(|number| number.is_finite()).ok_or_else(|| {
                Error::invalid(format!("threshold=\"{text}\" is no number")).hint("write it as 250 or 0.01")
            })
        };
        Ok(Self {
            at: take("at").map_or(Ok(now), |text| parse_time("at", &text, now))?,
            statistic: take("stat").map(|text| text.parse()).transpose()?,
            polarity: take("polarity").map(|text| polarity(&text)).transpose()?,
            threshold: take("threshold").map(number).transpose()?,
            horizon: take("horizon").map(|text| parse_duration("horizon", &text)).transpose()?,
        })
    }

    /// Where one series is heading.
    pub(super) fn trend(&self, engine: &Engine, number: u32, known: &Known) -> Result<Trend> {
        let window: Range<Timestamp> = self.at.checked_add(-LOOKBACK).unwrap_or(Timestamp::MIN)..self.at;
        let statistic = self.statistic.unwrap_or(Statistic::of(known.series.kind));
        let slots = engine.slots(number, window.clone())?;
        let points: Vec<Point> =
            steps(&slots, &window, MINUTE_SECONDS, statistic).into_iter().map(Point::from).collect();
        let question = Question {
            at: self.at,
            interval: interval(&points),
            polarity: self.polarity,
            threshold: self.threshold,
            horizon: self.horizon,
        };
        Ok(trend::trend(&question, &points))
    }
}

fn polarity(text: &str) -> Result<Polarity> {
    match text {
        "lower" => Ok(Polarity::LowerIsBetter),
        "higher" => Ok(Polarity::HigherIsBetter),
        _ => {
            Err(Error::invalid(format!("polarity=\"{text}\" is unknown")).hint("say whether lower or higher is better"))
        }
    }
}

/// The distance at which points come: most of them are so far apart.
fn interval(points: &[Point]) -> TimeDelta {
    let mut distances: Vec<TimeDelta> = points.windows(2).map(|pair| pair[1].time.since(pair[0].time)).collect();
    distances.sort_unstable();
    distances.get(distances.len() / 2).copied().unwrap_or(TimeDelta::seconds(i64::from(MINUTE_SECONDS)))
}
