//! Which alerts fired, and from when to when: asked of Prometheus.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::TimeDelta;
use serde::Deserialize;
use serde_json::Value as Json;
use tokio::sync::Mutex;
use yaml_rust2::YamlLoader;

use super::history::{self, Labels, Rule};
use super::{given, known_alerts, rounds};
use crate::asked::prometheus::{data, moment};
use crate::asked::{Server, blocking};
use crate::clock::{Timestamp, ago};
use crate::engine::{Engine, Outcome};
use crate::error::Result;
use crate::receive::alertmanager::api;
use crate::record::ledger::Source;

/// The first round looks back no farther, however long naze was down.
pub(super) const LOOKBACK_MAX: TimeDelta = TimeDelta::days(7);
/// Later rounds look back so far before the end of the last one, for samples that came late.
const OVERLAP: TimeDelta = TimeDelta::minutes(10);
/// One query asks for this much.
const CHUNK: TimeDelta = TimeDelta::hours(2);
const FIRING: &str = "ALERTS{alertstate=\"firing\"}";

/// From when naze may have missed something: the usual time back, or the last entry of its ledger if that is older.
pub(super) fn since(engine: &Engine) -> Result<Timestamp> {
    let now = engine.clock().now();
    let hours = i64::try_from(engine.config().reconcile.lookback_hours).unwrap_or(i64::MAX);
    let usual = ago(now, TimeDelta::try_hours(hours).unwrap_or(LOOKBACK_MAX));
    let last = engine.last_recorded_at()?.unwrap_or(usual);
    Ok(usual.min(last).max(ago(now, LOOKBACK_MAX)))
}

pub(super) async fn follow(engine: Arc<Engine>, server: Server, since: Timestamp) {
    let since = Mutex::new(since);
    rounds(&engine, api::SOURCE, &server, || async {
        let mut since = since.lock().await;
        let now = engine.clock().now();
        let told = Told::ask(&server, *since, now).await?;
        let recorded = blocking(&engine, move |engine| record(engine, &told)).await?;
        *since = ago(now, OVERLAP);
        Ok(recorded)
    })
    .await;
}

/// All that Prometheus says of its alerts.
struct Told {
    external: Labels,
    rules: BTreeMap<String, Rule>,
    restarted_at: Option<Timestamp>,
    series: BTreeMap<Labels, Vec<Timestamp>>,
}

impl Told {
    async fn ask(server: &Server, since: Timestamp, now: Timestamp) -> Result<Self> {
        let config: Config = data(server, "/api/v1/status/config", &[]).await?;
        let runtime: Runtime = data(server, "/api/v1/status/runtimeinfo", &[]).await?;
        // Before the samples, which so are there for every evaluation told of.
        let rules: Rules = data(server, "/api/v1/rules", &[("type", "alert")]).await?;
        let mut series: BTreeMap<Labels, Vec<Timestamp>> = BTreeMap::new();
        let mut from = since;
        while from < now {
            let to = from.checked_add(CHUNK).unwrap_or(now).min(now);
            let seconds = to.since(from).num_seconds() + 1;
            let query = format!("{FIRING}[{seconds}s]");
            let time = to.to_string();
            let found: Found = data(server, "/api/v1/query", &[("query", &query), ("time", &time)]).await?;
            for Series { metric, values } in found.result {
                series.entry(metric).or_default().extend(values.iter().filter_map(|(seconds, _)| moment(*seconds)));
            }
            from = to;
        }
        for samples in series.values_mut() {
            samples.sort_unstable();
            samples.dedup();
        }
        let restarted_at = runtime.start_time.and_then(|time| time.parse().ok());
        Ok(Self { external: external_labels(&config.yaml), rules: rules.by_alert(), restarted_at, series })
    }

    /// The alerts that naze does not know, as Prometheus would have posted them.
    fn missed(&self, known: &[history::Known], now: Timestamp) -> Vec<Json> {
        let mut missed = Vec::new();
        for (series, samples) in &self.series {
            let mut labels = series.clone();
            labels.retain(|name, _| !matches!(name.as_str(), "__name__" | "alertstate"));
            let rule = labels.get("alertname").and_then(|name| self.rules.get(name)).cloned();
            // A rule that is no more is evaluated no more.
            let rule = rule.unwrap_or_else(|| Rule {
                interval: spacing(samples),
                evaluated_at: now,
                annotations: Labels::new(),
            });
            let spans = history::spans(samples, &rule, self.restarted_at);
            missed.extend(history::missed(&labels, &self.external, &rule, &spans, known));
        }
        missed
    }
}

fn record(engine: &Engine, told: &Told) -> Result<usize> {
    let alerts = known_alerts(engine)?;
    let known = history::known(alerts.iter().map(|alert| &alert.receipt));
    let missed = told.missed(&known, engine.clock().now());
    if missed.is_empty() {
        return Ok(0);
    }
    let bytes = Json::Array(missed).to_string().into_bytes();
    let mut received = api::alerts(&bytes, &given(engine, api::NAME))?;
    // They are known from what Prometheus keeps, and need not be told again to stay open.
    received.repeated.retain(|step| step.is_resolved);
    let outcomes = engine.record(api::NAME, received, Source { media_type: "application/json".into(), bytes })?;
    Ok(outcomes.iter().filter(|outcome| matches!(outcome, Outcome::Recorded(_))).count())
}

/// The shortest time between two samples, or a minute.
fn spacing(samples: &[Timestamp]) -> TimeDelta {
    samples.windows(2).map(|pair| pair[1].since(pair[0])).min().unwrap_or(TimeDelta::minutes(1))
}

/// Labels that this Prometheus adds to whatever it sends.
fn external_labels(yaml: &str) -> Labels {
    let documents = YamlLoader::load_from_str(yaml).unwrap_or_default();
    let labels = documents.first().and_then(|config| config["global"]["external_labels"].as_hash());
    let pairs = labels.into_iter().flatten();
    pairs.filter_map(|(name, text)| Some((name.as_str()?.to_owned(), text.clone().into_string()?))).collect()
}

#[derive(Deserialize)]
struct Config {
    yaml: String,
}

#[derive(Deserialize)]
struct Runtime {
    #[serde(rename = "startTime")]
    start_time: Option<String>,
}

#[derive(Deserialize)]
struct Rules {
    groups: Vec<Group>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Group {
    /// In seconds.
    interval: f64,
    last_evaluation: String,
    rules: Vec<GroupRule>,
}

#[derive(Deserialize)]
struct GroupRule {
    name: String,
    #[serde(default)]
    annotations: Labels,
}

impl Rules {
    /// Rules of one name in several groups are taken for the one evaluated most often.
    fn by_alert(self) -> BTreeMap<String, Rule> {
        let mut rules: BTreeMap<String, Rule> = BTreeMap::new();
        for group in self.groups {
            let Ok(evaluated_at) = group.last_evaluation.parse() else { continue };
            #[expect(clippy::cast_possible_truncation, reason = "an interval is seconds to days")]
            let interval = TimeDelta::milliseconds((group.interval * 1e3) as i64);
            for mut rule in group.rules {
                // A template says nothing without the values it was for.
                rule.annotations.retain(|_, text| !text.contains("{{"));
                let annotations = rule.annotations;
                let rule_here = Rule { interval, evaluated_at, annotations };
                let known = rules.entry(rule.name).or_insert_with(|| rule_here.clone());
                if interval < known.interval {
                    *known = rule_here;
                }
            }
        }
        rules
    }
}

#[derive(Deserialize)]
struct Found {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: Labels,
    values: Vec<(f64, String)>,
}
