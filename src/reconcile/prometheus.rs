//! What fired in a Prometheus, from the samples of its `ALERTS` series.

use std::collections::BTreeMap;
use std::sync::Weak;

use chrono::TimeDelta;
use oxrdf::Term;
use serde_json::{Value as Json, json};

use super::{fetch, record};
use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Evaluations may be late: an alert has ended when this many of them are missing.
const MISSED_MAX: i32 = 3;
/// Of rules that are gone; it is Prometheus' own default.
const INTERVAL_DEFAULT: TimeDelta = TimeDelta::minutes(1);
/// The same alert, told through an Alertmanager with labels that Prometheus adds on sending, begins at the same moment.
const SAME_MOMENT: TimeDelta = TimeDelta::seconds(2);

/// Records every episode of the last hours that naze does not know.
pub(super) fn alerts(engine: &Weak<Engine>, url: &str, lookback_hours: u32) -> Result<usize> {
    let Some(now) = engine.upgrade().map(|engine| engine.clock().now()) else { return Ok(0) };
    let query = format!("ALERTS{{alertstate=\"firing\"}}[{lookback_hours}h]");
    let parameters = [("query", query), ("time", now.to_string())];
    let server = url.trim_end_matches('/');
    let (rules, _) = fetch(&format!("{server}/api/v1/rules"), &[("type", "alert".to_owned())])?;
    let intervals = intervals(&rules);
    let (answer, bytes) = fetch(&format!("{server}/api/v1/query"), &parameters)?;
    let Some(Json::Array(series)) = answer.pointer("/data/result") else {
        return Err(Error::invalid(format!("{url} answered no series")).hint("is it a Prometheus?"));
    };
    let Some(engine_now) = engine.upgrade() else { return Ok(0) };
    let known = Known::of(&engine_now, now, lookback_hours)?;
    let mut alerts = Vec::new();
    for one in series {
        let labels = labels(&one["metric"]);
        let component = engine_now.mapping().component(|name| labels.get(name).copied());
        let component = component.as_deref().unwrap_or(crate::receive::COMPONENT_UNKNOWN);
        let name = labels.get("alertname").copied().unwrap_or_default();
        let interval = intervals.get(name).copied().unwrap_or(INTERVAL_DEFAULT);
        for episode in episodes(&times(&one["values"]), interval, now) {
            let begun = json!({"status": "firing", "labels": labels, "startsAt": episode.start});
            let (is_begun, is_ended) = known.has(component, name, episode.start);
            if !is_begun {
                alerts.push(begun.clone());
            }
            if let Some(end) = episode.end.filter(|_| !is_ended) {
                let mut ended = begun;
                ended["status"] = "resolved".into();
                ended["endsAt"] = json!(end);
                alerts.push(ended);
            }
        }
    }
    drop(engine_now);
    record(engine, &alerts, bytes)
}

/// How often each alert is evaluated.
fn intervals(rules: &Json) -> BTreeMap<&str, TimeDelta> {
    let groups = rules.pointer("/data/groups").and_then(Json::as_array).into_iter().flatten();
    let of_group = |group: &'_ Json| {
        let seconds = group["interval"].as_f64().filter(|seconds| (0.001..86_400.0).contains(seconds))?;
        TimeDelta::from_std(std::time::Duration::from_secs_f64(seconds)).ok()
    };
    groups
        .filter_map(|group| Some((group["rules"].as_array()?, of_group(group)?)))
        .flat_map(|(rules, interval)| rules.iter().filter_map(move |rule| Some((rule["name"].as_str()?, interval))))
        .collect()
}

fn labels(metric: &Json) -> BTreeMap<&str, &str> {
    let labels = metric.as_object().into_iter().flatten();
    labels
        .filter(|(name, _)| !matches!(name.as_str(), "__name__" | "alertstate"))
        .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
        .collect()
}

/// Times of evaluations at which it fired; Prometheus gives seconds with milliseconds.
fn times(values: &Json) -> Vec<Timestamp> {
    #[expect(clippy::cast_possible_truncation, reason = "milliseconds since 1970 are far from the end of i64")]
    let time = |value: &Json| Timestamp::from_micros((value[0].as_f64()? * 1_000.0).round() as i64 * 1_000);
    values.as_array().into_iter().flatten().filter_map(time).collect()
}

struct Episode {
    start: Timestamp,
    /// `None` while it fires.
    end: Option<Timestamp>,
}

/// Runs of evaluations without a gap.
fn episodes(times: &[Timestamp], interval: TimeDelta, now: Timestamp) -> Vec<Episode> {
    let gap = interval * MISSED_MAX;
    let after = |time: Timestamp| time.checked_add(interval).unwrap_or(time);
    let mut episodes: Vec<Episode> = Vec::new();
    let mut last: Option<Timestamp> = None;
    for time in times {
        if last.is_none_or(|last| time.since(last) > gap) {
            if let (Some(episode), Some(last)) = (episodes.last_mut(), last) {
                episode.end = Some(after(last));
            }
            episodes.push(Episode { start: *time, end: None });
        }
        last = Some(*time);
    }
    if let (Some(episode), Some(last)) = (episodes.last_mut(), last.filter(|last| now.since(*last) > gap)) {
        episode.end = Some(after(last));
    }
    episodes
}

/// The episodes that naze has, with whether it knows of their end.
struct Known(Vec<(String, String, Timestamp, bool)>);

impl Known {
    fn of(engine: &Engine, now: Timestamp, lookback_hours: u32) -> Result<Self> {
        let from = crate::engine::ago(now, TimeDelta::hours(i64::from(lookback_hours) + 1));
        let rows = engine.query("alert_timeline", [("from", from.to_string()), ("to", now.to_string())])?.rows;
        let place = |name: &str| rows.columns.iter().position(|column| column == name);
        let (component, rule, fired, resolved) = (place("component"), place("rule"), place("fired"), place("resolved"));
        let text = |row: &[Option<Term>], place: Option<usize>| match row.get(place?)?.as_ref()? {
            Term::Literal(literal) => Some(literal.value().to_owned()),
            Term::NamedNode(iri) => crate::receipt::component_name(iri.as_ref()),
            _ => None,
        };
        let known = rows.rows.iter().filter_map(|row| {
            let fired = text(row, fired)?.parse().ok()?;
            Some((text(row, component)?, text(row, rule)?, fired, text(row, resolved).is_some()))
        });
        Ok(Self(known.collect()))
    }

    /// Are its beginning and its end known?
    fn has(&self, component: &str, name: &str, start: Timestamp) -> (bool, bool) {
        let found = self
            .0
            .iter()
            .find(|(of, rule, fired, _)| of == component && rule == name && fired.since(start).abs() <= SAME_MOMENT);
        (found.is_some(), found.is_some_and(|(.., is_ended)| *is_ended))
    }
}
