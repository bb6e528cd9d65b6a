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

use super::lines::{self, Source, Told, Values};
use super::picked::{Wanted, about};
use crate::analyse::trend::{self, LOOKBACK, Point, Polarity, Question, Trend, WINDOWS, YEAR};
use crate::clock::{Timestamp, ago};
use crate::engine::{Engine, Line};
use crate::error::{Error, Result};
use crate::http::given::refuse_others;
use crate::http::negotiate;
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::measure::read::Statistic;
use crate::measure::store::Known;
use crate::query::{parse_duration, parse_time};

/// Series of one answer.
const SERIES_MAX: usize = 50;
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
    let source = Source::of(&mut given)?;
    refuse_others(&given, "component, label.<name>, at, stat, polarity, threshold, horizon and source")?;
    let asked = asked.with_default(engine.polarity(&metric));
    let windows = windows(asked.at).to_vec();
    let (step, statistic) = (MINUTE_SECONDS, asked.statistic);
    let lines = lines::Asked { metric, wanted, source, windows, step, statistic, lines_max: SERIES_MAX };
    let Told { source, step, lines, silences, truncated } = lines::read(&engine, lines).await?;
    let trends = blocking(move || {
        let trend = |(place, (known, values)): (usize, (Arc<Known>, Values))| {
            let mut answer = about(&known);
            answer["trend"] = json!(asked.judge(values));
            if let Some(silence) = silences.get(place) {
                silence.tell(&mut answer);
            }
            answer
        };
        Ok(lines.into_iter().enumerate().map(trend).collect::<Vec<_>>())
    })
    .await?;
    Ok(Json(json!({"trends": trends, "source": source, "stepSeconds": step, "truncated": truncated})).into_response())
}

/// What is asked of every series.
pub(in crate::http) struct Asked {
    at: Timestamp,
    statistic: Option<Statistic>,
    polarity: Option<Polarity>,
    threshold: Option<f64>,
    horizon: Option<TimeDelta>,
}

impl Asked {
    /// The question at a moment, looking so far ahead.
    pub(in crate::http) fn ahead(at: Timestamp, horizon: Option<TimeDelta>) -> Self {
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

    /// With the polarity that the metric has, where none is asked with.
    fn with_default(self, polarity: Option<Polarity>) -> Self {
        Self { polarity: self.polarity.or(polarity), ..self }
    }

    /// Where one line is heading.
    pub(in crate::http) fn trend(&self, engine: &Engine, line: &Line) -> Result<Trend> {
        let mut values = Vec::new();
        for window in windows(self.at) {
            values.extend(engine.values(line, &window, MINUTE_SECONDS, self.statistic)?);
        }
        let polarity = self.polarity.or_else(|| engine.polarity(&line.known.series.metric));
        Ok(Self { polarity, ..*self }.judge(values))
    }

    fn judge(&self, values: Values) -> Trend {
        let points: Vec<Point> = values.into_iter().map(Point::from).collect();
        let question = Question {
            at: self.at,
            interval: trend::interval(&points),
            polarity: self.polarity,
            threshold: self.threshold,
            horizon: self.horizon,
        };
        trend::trend(&question, &points)
    }
}

/// What has to be read: the longest window a year ago, and all that is looked at now.
fn windows(at: Timestamp) -> [Range<Timestamp>; 2] {
    let year_ago = ago(at, YEAR);
    let (_, longest) = WINDOWS[WINDOWS.len() - 1];
    [ago(year_ago, TimeDelta::seconds(longest))..year_ago, ago(at, LOOKBACK)..at]
}

pub(super) fn polarity(text: &str) -> Result<Polarity> {
    match text {
        "lower" => Ok(Polarity::LowerIsBetter),
        "higher" => Ok(Polarity::HigherIsBetter),
        _ => {
            Err(Error::invalid(format!("polarity=\"{text}\" is unknown")).hint("say whether lower or higher is better"))
        }
    }
}
