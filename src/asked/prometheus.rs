//! Series that live in a Prometheus: which there are, and a value for each step of a window.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Server, client};
use crate::clock::Timestamp;
use crate::config;
use crate::error::{Error, Result};
use crate::measure::histogram::{self, of_bucket};
use crate::measure::read::Statistic;
use crate::measure::store::Known;
use crate::measure::{Kind, Series};
use crate::receive::{COMPONENT_UNKNOWN, ComponentMapping, kind_by_name};

const TABLE: &str = "prometheus";
const NAME: &str = "__name__";
/// Points of one series in one answer; Prometheus refuses more than 11,000.
const POINTS_A_QUERY: u32 = 10_000;
/// What a rate is told over at least, so that two readings lie within.
const RATE_OVER_MIN_SECONDS: u32 = 300;

type Labels = BTreeMap<String, String>;

/// A Prometheus that is asked for what naze does not keep.
pub struct Prometheus {
    server: Server,
    points_max: u32,
}

impl Prometheus {
    /// The one that the configuration names.
    ///
    /// # Errors
    /// `Invalid` when its URL is none.
    pub fn new(config: &config::Prometheus) -> Result<Self> {
        let client = client(Duration::from_secs(config.timeout_seconds))?;
        let origin = config::Origin { url: config.url.clone(), token: config.token.clone() };
        Ok(Self { server: Server::new(&client, &origin, TABLE)?, points_max: config.points_max })
    }

    /// The series of `metric` with `labels` that had values in `window`; where there are none, the histograms of that name.
    ///
    /// # Errors
    /// `Unavailable` when Prometheus does not answer, `Invalid` when it says that the question is wrong.
    pub async fn find(
        &self,
        metric: &str,
        labels: &Labels,
        window: &Range<Timestamp>,
        mapping: &ComponentMapping,
    ) -> Result<Vec<Arc<Known>>> {
        let own = self.series(metric, labels, window, mapping).await?;
        if !own.is_empty() {
            return Ok(own.into_iter().map(known).collect());
        }
        let buckets = self.series(&format!("{metric}{}", histogram::SUFFIX), labels, window, mapping).await?;
        let mut histograms: Vec<Series> = buckets.iter().filter_map(of_bucket).map(|(series, _)| series).collect();
        histograms.sort();
        histograms.dedup();
        Ok(histograms.into_iter().map(known).collect())
    }

    async fn series(
        &self,
        metric: &str,
        labels: &Labels,
        window: &Range<Timestamp>,
        mapping: &ComponentMapping,
    ) -> Result<Vec<Series>> {
        let (start, end) = (window.start.to_string(), window.end.to_string());
        let query = [("match[]", &*selector(metric, labels)?), ("start", &start), ("end", &end)];
        let found: Vec<Labels> = data(&self.server, "/api/v1/series", &query).await?;
        let series = |mut labels: Labels| {
            labels.remove(NAME);
            let component = mapping.component(|name| labels.get(name).map(String::as_str));
            Series {
                metric: metric.to_owned(),
                component: component.unwrap_or_else(|| COMPONENT_UNKNOWN.to_owned()),
                kind: kind_by_name(metric),
                labels,
            }
        };
        let mut series: Vec<Series> = found.into_iter().map(series).collect();
        series.sort();
        Ok(series)
    }

    /// The step at which `series` series are asked for over so many `seconds`: `least`, or a longer one where that were
    /// more points than an answer may have.
    pub fn step(&self, least: u32, seconds: i64, series: usize) -> u32 {
        let shortest = u64::try_from(seconds).unwrap_or_default().saturating_mul(series as u64);
        let shortest = shortest.div_ceil(u64::from(self.points_max.max(1)));
        let whole = shortest.div_ceil(u64::from(least)) * u64::from(least);
        u32::try_from(whole).unwrap_or(u32::MAX).max(least)
    }

    /// The statistic of each step that has values, by the time the step begins; as naze tells it of series it keeps, but
    /// for rates, which are over five minutes at least.
    ///
    /// # Errors
    /// `Invalid` when the series has no such statistic, else as [`Prometheus::find`].
    pub async fn values(
        &self,
        known: &Known,
        window: &Range<Timestamp>,
        step: u32,
        statistic: Option<Statistic>,
    ) -> Result<Vec<(Timestamp, f64)>> {
        let series = &known.series;
        let query = expression(series, step, statistic)?;
        let length = TimeDelta::seconds(i64::from(step));
        let mut values = Vec::new();
        // A value is of the step that ends with it.
        let mut from = window.start.checked_add(length).unwrap_or(Timestamp::MAX);
        while from <= window.end {
            let whole = TimeDelta::seconds(i64::from(step) * i64::from(POINTS_A_QUERY - 1));
            let to = from.checked_add(whole).unwrap_or(window.end).min(window.end);
            let (start, end, step) = (from.to_string(), to.to_string(), step.to_string());
            let asked = [("query", &*query), ("start", &start), ("end", &end), ("step", &step)];
            let found: Matrix = data(&self.server, "/api/v1/query_range", &asked).await?;
            let own = found.result.into_iter().find(|one| one.is_of(&series.labels));
            values.extend(own.into_iter().flat_map(|one| one.values).filter_map(|(at, text)| {
                let value: f64 = text.parse().ok().filter(|value: &f64| value.is_finite())?;
                Some((moment(at)?.checked_add(-length)?, value))
            }));
            from = to.checked_add(length).unwrap_or(Timestamp::MAX);
        }
        Ok(values)
    }
}

fn known(series: Series) -> Arc<Known> {
    Arc::new(Known { series, unit: None })
}

/// What Prometheus is asked for a statistic of each step.
fn expression(series: &Series, step: u32, statistic: Option<Statistic>) -> Result<String> {
    let over = step.max(RATE_OVER_MIN_SECONDS);
    if series.kind == Kind::Distribution {
        let Statistic::Quantile(share) = statistic.unwrap_or(histogram::STATISTIC) else {
            return Err(histogram::no_such(&series.metric, statistic.unwrap_or(histogram::STATISTIC)));
        };
        let buckets = selector(&format!("{}{}", series.metric, histogram::SUFFIX), &series.labels)?;
        return Ok(format!("histogram_quantile({share}, rate({buckets}[{over}s]))"));
    }
    let selector = selector(&series.metric, &series.labels)?;
    let counter = series.kind == Kind::Counter;
    let statistic = statistic.unwrap_or(Statistic::of(series.kind));
    let function = match statistic {
        Statistic::Last => "last_over_time",
        Statistic::Rate if counter => return Ok(format!("rate({selector}[{over}s])")),
        Statistic::Increase if counter => return Ok(format!("rate({selector}[{over}s]) * {step}")),
        _ if counter => {
            return Err(Error::invalid(format!("{} is a counter, which has no {statistic}", series.metric))
                .hint("ask for rate, increase or last"));
        }
        Statistic::Count => "count_over_time",
        Statistic::Sum | Statistic::Increase => "sum_over_time",
        Statistic::Rate => return Ok(format!("sum_over_time({selector}[{step}s]) / {step}")),
        Statistic::Mean => "avg_over_time",
        Statistic::Min => "min_over_time",
        Statistic::Max => "max_over_time",
        Statistic::Quantile(share) => return Ok(format!("quantile_over_time({share}, {selector}[{step}s])")),
    };
    Ok(format!("{function}({selector}[{step}s])"))
}

/// `{__name__="metric", label="value"}`
fn selector(metric: &str, labels: &Labels) -> Result<String> {
    let mut text = format!("{{{NAME}=\"{}\"", escaped(metric));
    for (name, value) in labels {
        let is_name = !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
            && !name.starts_with(|c: char| c.is_ascii_digit());
        if !is_name {
            return Err(Error::invalid(format!("Prometheus has no label named \"{name}\""))
                .hint("a name is letters, digits and _, and begins with no digit"));
        }
        write!(text, ", {name}=\"{}\"", escaped(value)).expect("writing to a String cannot fail");
    }
    text.push('}');
    Ok(text)
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// What a good answer holds.
pub(crate) async fn data<T: DeserializeOwned>(server: &Server, path: &str, query: &[(&str, &str)]) -> Result<T> {
    let body = server.get(path, query).await?;
    let answer: Answer<T> = serde_json::from_slice(&body)
        .map_err(|error| Error::unavailable(format!("the answer to {path} is not Prometheus's")).because(error))?;
    Ok(answer.data)
}

/// A time as Prometheus tells it, to the millisecond.
#[expect(clippy::cast_possible_truncation, reason = "seconds of this age fit by far")]
pub(crate) fn moment(seconds: f64) -> Option<Timestamp> {
    Timestamp::from_micros((seconds * 1e3).round() as i64 * 1_000)
}

#[derive(Deserialize)]
struct Answer<T> {
    data: T,
}

#[derive(Deserialize)]
struct Matrix {
    result: Vec<Ranged>,
}

#[derive(Deserialize)]
struct Ranged {
    metric: Labels,
    values: Vec<(f64, String)>,
}

impl Ranged {
    /// `last_over_time` keeps the name, all others drop it.
    fn is_of(&self, labels: &Labels) -> bool {
        self.metric.iter().filter(|(name, _)| *name != NAME).eq(labels)
    }
}
