//! `/v1/why` and `/v1/timeline`: what broke it, and what happened.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use chrono::TimeDelta;
use serde::Deserialize;

use crate::analyse::cause::{Answer, Question};
use crate::engine::{Engine, LOOKBACK_DEFAULT};
use crate::error::{Error, Result};
use crate::http::given::{refuse_others, window};
use crate::http::negotiate;
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::query::{parse_duration, parse_time};
use crate::report::timeline::{Filter, GAP_MIN, timeline as tell};
use crate::report::{Form, why as report};

/// The window of a timeline that names none.
const TIMELINE_DEFAULT: TimeDelta = TimeDelta::hours(1);

/// How a question may be narrowed.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Options {
    window: Option<String>,
    at: Option<String>,
}

impl Options {
    /// How far back to look for causes.
    pub(super) fn lookback(&self) -> Result<TimeDelta> {
        self.window.as_deref().map_or(Ok(LOOKBACK_DEFAULT), |text| parse_duration("window", text))
    }
}

/// `GET /v1/why?component=…&at=…&window=…`
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    component: Option<String>,
    at: Option<String>,
    onset: Option<String>,
    metric: Option<String>,
    summary: Option<String>,
    window: Option<String>,
}

/// Why did this component break?
pub(super) async fn of_component(
    State(engine): State<Arc<Engine>>,
    Query(asked): Query<Asked>,
    headers: HeaderMap,
) -> Reply {
    let component = asked.component.ok_or_else(|| {
        Error::invalid("the parameter component is missing")
            .hint("ask /v1/why?component=checkout&at=2026-03-10T10:05:00Z")
    })?;
    let now = engine.clock().now();
    let question = Question {
        component,
        metric: asked.metric,
        summary: asked.summary,
        onset: asked.onset.as_deref().map(|text| parse_time("onset", text, now)).transpose()?,
        at: asked.at.as_deref().map_or(Ok(now), |text| parse_time("at", text, now))?,
        incident: None,
    };
    let options = Options { window: asked.window, at: None };
    answer(engine, move |engine| engine.why(&question, options.lookback()?), &headers).await
}

/// Why did this incident happen?
pub(super) async fn of_incident(
    State(engine): State<Arc<Engine>>,
    Path(id): Path<String>,
    Query(options): Query<Options>,
    headers: HeaderMap,
) -> Reply {
    let at = options.at.as_deref().map(|text| parse_time("at", text, engine.clock().now())).transpose()?;
    let work = move |engine: &Engine| {
        let mut question = engine.incident(&id)?.question();
        let Some(at) = at else { return Ok(engine.investigate(&question, options.lookback()?)?.0) };
        question.at = at;
        engine.why(&question, options.lookback()?)
    };
    answer(engine, work, &headers).await
}

async fn answer(
    engine: Arc<Engine>,
    work: impl FnOnce(&Engine) -> Result<Answer> + Send + 'static,
    headers: &HeaderMap,
) -> Reply {
    let media_type = negotiate::best(headers, &negotiate::FORMS)?;
    let text = blocking(move || report::render(&work(&engine)?, media_type)).await?;
    Ok(negotiate::answer(media_type, text))
}

/// `GET /v1/timeline?from=…&to=…&kind=a,b&component=x&severity=warning`
pub(super) async fn timeline(
    State(engine): State<Arc<Engine>>,
    Query(given): Query<BTreeMap<String, String>>,
    headers: HeaderMap,
) -> Reply {
    timeline_reply(engine, given, &headers).await
}

pub(super) async fn timeline_reply(
    engine: Arc<Engine>,
    mut given: BTreeMap<String, String>,
    headers: &HeaderMap,
) -> Reply {
    let media_type = negotiate::best(headers, &["application/json", "text/markdown", "text/html", "text/csv"])?;
    let form = Form::from_media_type(media_type).expect("only forms of reports are offered");
    let window = window(&mut given, engine.clock().now(), TIMELINE_DEFAULT)?;
    let mut take = |name: &str| given.remove(name);
    let gap_min = take("gap").map_or(Ok(GAP_MIN), |text| parse_duration("gap", &text))?;
    let filter = Filter::parse(take("kind").as_ref(), take("component").as_ref(), take("severity").as_ref())?;
    refuse_others(&given, "from, to, gap, kind, component and severity")?;
    let text = blocking(move || tell(&engine.evidence(window)?, window, &filter, gap_min).render(form)).await?;
    Ok(negotiate::answer(media_type, text))
}
