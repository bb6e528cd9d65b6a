//! Is naze scraped, and are the other targets up?

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Deserialize;

use super::{Finding, counted, listed, shown};
use crate::asked::Server;
use crate::asked::prometheus::data;
use crate::clock::Timestamp;
use crate::config::LISTEN_DEFAULT;
use crate::engine::Engine;
use crate::error::Result;
use crate::query::parse_duration;

/// A naze that was scraped in the last day is known by this.
const IS_NAZE: &str = "last_over_time(naze_build_info[1d])";
/// A scrape may be so many intervals old.
const INTERVALS_MAX: i32 = 3;
/// The interval of a Prometheus that does not tell it.
const INTERVAL_DEFAULT: TimeDelta = TimeDelta::minutes(1);

type Labels = BTreeMap<String, String>;

/// What Prometheus scrapes.
pub(super) struct Targets {
    active: Vec<Target>,
    /// Labels of the series by which a naze is known.
    nazes: Vec<Labels>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Active {
    active_targets: Vec<Target>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    scrape_url: String,
    labels: Labels,
    health: String,
    #[serde(default)]
    last_error: String,
    last_scrape: String,
    scrape_interval: Option<String>,
}

#[derive(Deserialize)]
struct Vector {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: Labels,
}

impl Targets {
    pub(super) async fn ask(server: &Server) -> Result<Self> {
        let active: Active = data(server, "/api/v1/targets", &[("state", "active")]).await?;
        let nazes: Vector = data(server, "/api/v1/query", &[("query", IS_NAZE)]).await?;
        Ok(Self { active: active.active_targets, nazes: nazes.result.into_iter().map(|one| one.metric).collect() })
    }
}

impl Target {
    /// By what it told, or by the port that naze listens on.
    fn is_naze(&self, engine: &Engine, nazes: &[Labels]) -> bool {
        let own = |label: &str| self.labels.get(label);
        let has_told = nazes.iter().any(|naze| ["job", "instance"].iter().all(|label| naze.get(*label) == own(label)));
        let url = reqwest::Url::parse(&self.scrape_url).ok();
        let port = url.as_ref().and_then(reqwest::Url::port_or_known_default);
        let is_own_port = port == Some(engine.config().listen.port()) || port == Some(LISTEN_DEFAULT.port());
        has_told || (is_own_port && url.is_some_and(|url| url.path().ends_with("/metrics")))
    }

    fn job(&self) -> &str {
        self.labels.get("job").map_or("", String::as_str)
    }

    fn interval(&self) -> TimeDelta {
        let told = self.scrape_interval.as_deref().and_then(|text| parse_duration("scrapeInterval", text).ok());
        told.unwrap_or(INTERVAL_DEFAULT)
    }

    fn check(&self, now: Timestamp) -> Finding {
        let (job, url) = (self.job(), shown(&self.scrape_url));
        if self.health == "down" {
            let detail = format!("naze is down for Prometheus: up is 0 for {url} of job {job}: {}", self.last_error);
            let fix =
                format!("on the host of Prometheus: curl -v {url}; mend the target of job {job} in prometheus.yml");
            return Finding::fail("scrape", detail, fix);
        }
        let scraped_at: Option<Timestamp> = self.last_scrape.parse().ok();
        let Some(scraped_at) = scraped_at.filter(|_| self.health == "up") else {
            let detail = format!("naze at {url} of job {job} was not scraped yet");
            return Finding::warn("scrape", detail, "wait for one scrape interval, then run naze doctor again");
        };
        let age = now.since(scraped_at);
        let told = |age: TimeDelta| format!("{:.1} s", age.as_seconds_f64());
        if age > self.interval() * INTERVALS_MAX {
            let detail = format!(
                "naze at {url} was scraped {} ago, though job {job} scrapes every {}",
                told(age),
                told(self.interval())
            );
            return Finding::warn("scrape", detail, "look at the log of Prometheus, and whether both clocks agree");
        }
        Finding::ok("scrape", format!("naze at {url} of job {job} is up, scraped {} ago", told(age)))
    }
}

/// What is found, and whether naze is scraped.
pub(super) fn check(engine: &Engine, server: &Server, targets: &Targets) -> (Vec<Finding>, bool) {
    let now = engine.clock().now();
    let (own, others): (Vec<&Target>, Vec<&Target>) =
        targets.active.iter().partition(|target| target.is_naze(engine, &targets.nazes));
    let mut findings: Vec<Finding> = own.iter().map(|target| target.check(now)).collect();
    if own.is_empty() {
        let all = counted(targets.active.len(), "target");
        let detail = format!("naze is not among the {all} of {}, so its metrics are not there", server.name);
        let fix = format!(
            "prometheus.yml: scrape_configs: [{{job_name: naze, static_configs: [{{targets: ['{}']}}]}}]",
            engine.config().listen
        );
        findings.push(Finding::fail("scrape", detail, fix));
    }
    let down: Vec<&&Target> = others.iter().filter(|target| target.health == "down").collect();
    if let Some(first) = down.first() {
        let urls: Vec<String> = down.iter().map(|target| shown(&target.scrape_url)).collect();
        let names = listed(urls.iter().map(String::as_str));
        let detail = format!("{} of {} are down: {names}", down.len(), counted(others.len(), "other target"));
        findings.push(Finding::warn("targets", detail, format!("{}: {}", urls[0], first.last_error)));
    } else if !others.is_empty() {
        findings.push(Finding::ok("targets", format!("none of {} is down", counted(others.len(), "other target"))));
    }
    (findings, own.iter().any(|target| target.health == "up"))
}
