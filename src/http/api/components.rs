//! `/v1/components`: how components are, and everything that is known of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::response::IntoResponse as _;
use chrono::TimeDelta;
use serde_json::{Value as JsonValue, json};

use super::picked::about;
use crate::analyse::trend::{Point, verdict_over};
use crate::clock::{Timestamp, ago};
use crate::engine::{Engine, LOOKBACK_DEFAULT, Line};
use crate::error::{Error, Result};
use crate::http::given::{limit, refuse_others, window};
use crate::http::problem::Reply;
use crate::http::work::blocking;
use crate::record::Window;

/// Entries of each list, unless asked otherwise; and most that can be asked for.
const LIMIT: usize = 20;
const LIMIT_MAX: usize = 100;
/// How far back dependencies and alerts that still fire are looked for.
const STANDING: &str = "30d";
const MINUTE_SECONDS: u32 = 60;
const HEADINGS: [(&str, TimeDelta); 2] = [("1h", TimeDelta::hours(1)), ("24h", TimeDelta::hours(24))];

/// All components, the worst first.
pub(super) async fn list(State(engine): State<Arc<Engine>>, Query(given): Query<BTreeMap<String, String>>) -> Reply {
    refuse_others(&given, "none: health is told as of now")?;
    let health = blocking(move || engine.health()).await?;
    let answer = json!({"at": health.at, "components": health.components, "truncated": health.truncated});
    Ok(Json(answer).into_response())
}

/// One component: health, circuit, failures, alerts, changes, dependencies, series, incidents.
pub(super) async fn show(
    State(engine): State<Arc<Engine>>,
    Path(component): Path<String>,
    Query(mut given): Query<BTreeMap<String, String>>,
) -> Reply {
    let asked = Asked {
        window: window(&mut given, engine.clock().now(), LOOKBACK_DEFAULT)?,
        limit: limit(&mut given, LIMIT, LIMIT_MAX)?,
        component,
    };
    refuse_others(&given, "from, to and limit")?;
    Ok(Json(blocking(move || asked.answer(&engine)).await?).into_response())
}

struct Asked {
    component: String,
    window: Window,
    limit: usize,
}

impl Asked {
    fn answer(&self, engine: &Engine) -> Result<JsonValue> {
        let Window { from, to } = self.window;
        let own = ("component", self.component.clone());
        let told = [("from", from.to_string()), ("to", to.to_string()), own.clone()];
        let standing = [("at", to.to_string()), ("lookback", STANDING.to_owned()), own.clone()];
        let before = [("at", to.to_string()), ("lookback", self.window.lookback()), own];
        let called = [("at", to.to_string()), ("lookback", STANDING.to_owned()), ("target", self.component.clone())];
        let health = engine.component_health(&self.component)?;
        let lists = [
            ("circuit", self.rows(engine, "circuit_timeline", told.to_vec())?),
            ("failures", self.rows(engine, "failure_types", told.to_vec())?),
            ("openAlerts", self.rows(engine, "open_alerts", standing.to_vec())?),
            ("alerts", self.rows(engine, "alert_timeline", told.to_vec())?),
            ("openIncidents", self.rows(engine, "open_incidents", standing.to_vec())?),
            ("changes", self.rows(engine, "changes_before", before.to_vec())?),
            ("needs", self.rows(engine, "dependencies", standing.to_vec())?),
            ("neededBy", self.rows(engine, "dependencies", called.to_vec())?),
        ];
        let series = self.series(engine)?;
        let is_known = health.condition.state > crate::analyse::health::State::Unknown
            || items(&series) > 0
            || lists.iter().any(|(_, list)| items(list) > 0);
        if !is_known {
            return Err(Error::not_found(format!("nothing is known of a component \"{}\"", self.component))
                .hint("GET /v1/components lists those that naze knows")
                .hint("if it is older, ask from an earlier time, such as ?from=-30d"));
        }
        let mut answer = json!({"component": self.component, "from": from, "to": to, "health": health});
        for (name, list) in lists.into_iter().chain([("series", series)]) {
            answer[name] = list;
        }
        Ok(answer)
    }

    /// The rows of a query, with a word on whether there are more.
    fn rows(&self, engine: &Engine, query: &str, given: Vec<(&str, String)>) -> Result<JsonValue> {
        let limit = ("limit", self.limit.to_string());
        let rows = engine.query(query, given.into_iter().chain([limit]))?.rows;
        Ok(json!({"items": rows.to_json(engine.vocabulary()), "truncated": rows.truncated}))
    }

    /// The component's series with their latest values, and where they are heading.
    fn series(&self, engine: &Engine) -> Result<JsonValue> {
        let mut found = engine.all_lines(|series| series.component == self.component, self.window.to)?;
        found.sort_by(|a, b| a.known.series.cmp(&b.known.series));
        let shown = found.iter().take(self.limit).map(|line| self.heading(engine, line));
        Ok(json!({"items": shown.collect::<Result<Vec<_>>>()?, "truncated": found.len() > self.limit}))
    }

    fn heading(&self, engine: &Engine, line: &Line) -> Result<JsonValue> {
        let to = self.window.to;
        let day: std::ops::Range<Timestamp> = ago(to, HEADINGS[1].1).min(self.window.from)..to;
        let values = engine.values(line, &day, MINUTE_SECONDS, None)?;
        let points: Vec<Point> = values.into_iter().map(Point::from).collect();
        let mut series = about(&line.known);
        series["latest"] = json!(points.last().filter(|point| point.time >= self.window.from));
        let polarity = engine.polarity(&line.known.series.metric);
        for (name, length) in HEADINGS {
            let verdict = verdict_over(&points, to, length, polarity);
            series["trend"][name] = json!({
                "direction": verdict.direction, "change": verdict.change, "statement": verdict.statement,
            });
        }
        Ok(series)
    }
}

fn items(list: &JsonValue) -> usize {
    list["items"].as_array().map_or(0, Vec::len)
}
