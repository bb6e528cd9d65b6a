//! Where the lines of a metric are read: here, or in a Prometheus.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use serde_json::{Value as JsonValue, json};

use super::picked::Wanted;
use crate::analyse::silence::Gap;
use crate::asked::prometheus::Prometheus;
use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::error::{Error, Result};
use crate::http::problem::Problem;
use crate::http::work::blocking;
use crate::measure::read::Statistic;
use crate::measure::store::Known;

/// What samples are taken for that a Prometheus has: as if it had written them here.
const SENDER: &str = "remote_write";

/// Values by the step they are of.
pub(super) type Values = Vec<(Timestamp, f64)>;

/// Where to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Here, and where there is no such series, in Prometheus.
    Either,
    Naze,
    Prometheus,
}

impl Source {
    /// Takes `source` out of what is given.
    pub(super) fn of(given: &mut BTreeMap<String, String>) -> Result<Self> {
        match given.remove("source").as_deref() {
            None => Ok(Self::Either),
            Some("naze") => Ok(Self::Naze),
            Some("prometheus") => Ok(Self::Prometheus),
            Some(other) => Err(Error::invalid(format!("source=\"{other}\" is unknown"))
                .hint("say naze or prometheus; without it naze is asked first")),
        }
    }
}

/// What is asked of the lines of a metric.
pub(super) struct Asked {
    pub(super) metric: String,
    pub(super) wanted: Wanted,
    pub(super) source: Source,
    /// Values are told of each of these.
    pub(super) windows: Vec<Range<Timestamp>>,
    /// Seconds of a step; longer ones where Prometheus would have to tell too much.
    pub(super) step: u32,
    pub(super) statistic: Option<Statistic>,
    /// Most lines.
    pub(super) lines_max: usize,
}

/// The lines of a metric, each with its values in all windows.
pub(super) struct Told {
    pub(super) source: &'static str,
    pub(super) step: u32,
    pub(super) lines: Vec<(Arc<Known>, Values)>,
    /// How each of them is silent, in the same order; nobody knows that of a Prometheus.
    pub(super) silences: Vec<Silence>,
    /// Were there more lines?
    pub(super) truncated: bool,
}

/// When a line told nothing.
#[derive(Debug, Default, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Silence {
    /// Since when it has been silent.
    pub(super) stalled_since: Option<Timestamp>,
    /// In the last of the windows that were asked for.
    pub(super) gaps: Vec<Gap>,
}

impl Silence {
    /// Puts it into what is told of the line.
    pub(super) fn tell(&self, series: &mut JsonValue) {
        series["stalledSince"] = json!(self.stalled_since);
        series["gaps"] = json!(self.gaps);
    }
}

/// Reads them.
pub(super) async fn read(engine: &Arc<Engine>, asked: Asked) -> Result<Told, Problem> {
    let asked = Arc::new(asked);
    if asked.source != Source::Prometheus {
        let (engine, asked) = (Arc::clone(engine), Arc::clone(&asked));
        if let Some(told) = blocking(move || here(&engine, &asked)).await? {
            return Ok(told);
        }
    }
    let Asked { metric, source, .. } = &*asked;
    let unknown = Error::not_found(format!("there is no series of {metric} with these labels"));
    let Some(prometheus) = engine.prometheus().filter(|_| *source != Source::Naze) else {
        let error = if *source == Source::Prometheus {
            Error::invalid("no Prometheus is configured").hint("name its url under [prometheus] in the configuration")
        } else {
            unknown.hint("GET /v1/series lists all")
        };
        return Err(error.into());
    };
    there(engine, prometheus, &asked).await?.ok_or_else(|| unknown.hint("Prometheus has none either").into())
}

fn here(engine: &Engine, asked: &Asked) -> Result<Option<Told>> {
    let Some((window, earlier)) = asked.windows.split_last() else { return Ok(None) };
    let found = engine.lines(&asked.metric, |series| asked.wanted.has(series), window.end)?;
    let truncated = found.len() > asked.lines_max;
    let now = engine.clock().now();
    let runs = engine.runs(now)?;
    let (mut lines, mut silences) = (Vec::new(), Vec::new());
    for line in found.into_iter().take(asked.lines_max) {
        let mut values = Vec::new();
        for window in earlier {
            values.extend(engine.values(&line, window, asked.step, asked.statistic)?);
        }
        let (latest, gaps) = engine.values_and_gaps(&line, window, asked.step, asked.statistic)?;
        values.extend(latest);
        silences.push(Silence { stalled_since: engine.stalled_since(&line, now, &runs)?, gaps });
        lines.push((line.known, values));
    }
    Ok((!lines.is_empty()).then_some(Told { source: "naze", step: asked.step, lines, silences, truncated }))
}

async fn there(engine: &Engine, prometheus: &Prometheus, asked: &Asked) -> Result<Option<Told>> {
    let Some(whole) = asked.windows.iter().cloned().reduce(|a, b| a.start.min(b.start)..a.end.max(b.end)) else {
        return Ok(None);
    };
    let mapping = engine.mapping(SENDER);
    let mut found = prometheus.find(&asked.metric, &asked.wanted.labels, &whole, mapping).await?;
    found.retain(|known| asked.wanted.has(&known.series));
    let truncated = found.len() > asked.lines_max;
    found.truncate(asked.lines_max);
    let seconds: i64 = asked.windows.iter().map(|window| window.end.since(window.start).num_seconds()).sum();
    let step = prometheus.step(asked.step, seconds, found.len());
    let mut lines = Vec::new();
    for known in found {
        let mut values = Vec::new();
        for window in &asked.windows {
            values.extend(prometheus.values(&known, window, step, asked.statistic).await?);
        }
        lines.push((engine.with_unit(known), values));
    }
    Ok((!lines.is_empty()).then_some(Told { source: "prometheus", step, lines, silences: Vec::new(), truncated }))
}
