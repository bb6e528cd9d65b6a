//! What works around naze and what does not, with the fix of each: the Prometheus that scrapes it, the rules and metrics
//! there, the Alertmanager that tells it, the thresholds it holds, and the links that people follow.
//!
//! Each server is asked a few questions, side by side, and each answer is waited for a bounded time.

mod alertmanager;
mod links;
mod metrics;
mod prometheus;
mod routing;
mod rules;
mod targets;
mod thresholds;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use crate::asked::{self, Server};
use crate::config::{Config, Origin};
use crate::engine::Engine;
use crate::error::Error;
use crate::export::destination;
use crate::report::one_line;

/// One answer may take this long.
const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Of each kind, so many servers are asked.
const SERVERS_MAX: usize = 8;
/// A sentence lists no more names than this.
const NAMES_MAX: usize = 8;

/// How something stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It works.
    Ok,
    /// It works, and is probably not what was meant.
    Warn,
    /// It does not work.
    Fail,
}

/// What one check found. What others wrote stays within its line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub check: String,
    /// How it stands.
    pub status: Status,
    /// What was found, in a sentence.
    pub detail: String,
    /// A command or a line of a configuration that mends it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
}

impl Finding {
    /// It works.
    pub fn ok(check: &str, detail: impl Into<String>) -> Self {
        Self { check: check.to_owned(), status: Status::Ok, detail: one_line(&detail.into()), fix: None }
    }

    /// It is probably not what was meant.
    pub fn warn(check: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Warn, fix: Some(one_line(&fix.into())), ..Self::ok(check, detail) }
    }

    /// It does not work.
    pub fn fail(check: &str, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { status: Status::Fail, ..Self::warn(check, detail, fix) }
    }

    /// It does not work, as an error says.
    pub fn of_error(check: &str, error: &Error) -> Self {
        let fix = Some(one_line(&error.hints().join("; "))).filter(|fix| !fix.is_empty());
        Self { status: Status::Fail, fix, ..Self::ok(check, error.to_string()) }
    }
}

/// All that can be found out about a running naze.
pub async fn examine(engine: &Arc<Engine>) -> Vec<Finding> {
    let mut findings = surroundings(engine).await;
    findings.extend(thresholds::check(engine).await);
    findings
}

/// What its configuration connects it with.
pub async fn surroundings(engine: &Arc<Engine>) -> Vec<Finding> {
    let client = match asked::client(ANSWER_WITHIN) {
        Ok(client) => client,
        Err(error) => return vec![Finding::of_error("prometheus", &error)],
    };
    let config = engine.config();
    let exposed = metrics::exposed(engine).await.map(Arc::new);
    let mut questions: JoinSet<(usize, Vec<Finding>, BTreeSet<String>)> = JoinSet::new();
    let mut findings = Vec::new();
    let prometheis = prometheis(config);
    if prometheis.is_empty() {
        let detail =
            "none is configured, so its targets, metrics and rules are not looked at: [prometheus] url = \"…\"";
        findings.push(Finding::ok("prometheus", detail));
    }
    findings.extend(not_asked("prometheus", prometheis.iter().map(|(_, origin)| origin)));
    for (place, (table, origin)) in prometheis.into_iter().take(SERVERS_MAX).enumerate() {
        match Server::new(&client, &origin, table) {
            Ok(server) => {
                let (engine, exposed) = (Arc::clone(engine), exposed.clone());
                questions.spawn(async move {
                    let (findings, links) = prometheus::check(&engine, &server, exposed.as_deref()).await;
                    (place, findings, links)
                });
            }
            Err(error) => findings.push(Finding::of_error("prometheus", &error)),
        }
    }
    if config.reconcile.alertmanager.is_empty() {
        let detail = "none is configured, so its routes are not looked at: [[reconcile.alertmanager]] url = \"…\"";
        findings.push(Finding::ok("alertmanager", detail));
    }
    findings.extend(not_asked("alertmanager", config.reconcile.alertmanager.iter()));
    for (place, origin) in config.reconcile.alertmanager.iter().take(SERVERS_MAX).enumerate() {
        match Server::new(&client, origin, "reconcile") {
            Ok(server) => {
                questions
                    .spawn(async move { (SERVERS_MAX + place, alertmanager::check(&server).await, BTreeSet::new()) });
            }
            Err(error) => findings.push(Finding::of_error("alertmanager", &error)),
        }
    }
    let mut answers = questions.join_all().await;
    answers.sort_by_key(|(place, ..)| *place);
    let mut urls = links::configured(engine);
    for (_, found, linked) in answers {
        findings.extend(found);
        urls.extend(linked);
    }
    findings.extend(links::check(config, urls).await);
    findings
}

/// Those that series are read from and those that are asked for alerts, each once.
fn prometheis(config: &Config) -> Vec<(&'static str, Origin)> {
    let read =
        config.prometheus.iter().map(|one| ("prometheus", Origin { url: one.url.clone(), token: one.token.clone() }));
    let asked = config.reconcile.prometheus.iter().map(|origin| ("reconcile", origin.clone()));
    let mut known = BTreeSet::new();
    let once = |(_, origin): &(&str, Origin)| known.insert(origin.url.trim_end_matches('/').to_owned());
    read.chain(asked).filter(once).collect()
}

/// Those that there are too many of.
fn not_asked<'a>(check: &str, origins: impl Iterator<Item = &'a Origin>) -> Option<Finding> {
    let left: Vec<String> = origins.skip(SERVERS_MAX).map(|origin| shown(&origin.url)).collect();
    let names = listed(left.iter().map(String::as_str));
    (!left.is_empty()).then(|| Finding::ok(check, format!("{SERVERS_MAX} are asked at most, not {names}")))
}

/// A URL, or what stands where one should, without user, password and query.
fn shown(url: &str) -> String {
    destination::shown(url).unwrap_or_else(|| {
        let plain = url.split(['?', '#']).next().unwrap_or_default();
        plain.rsplit('@').next().unwrap_or_default().to_owned()
    })
}

/// Some of the names, and how many more there are.
fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    let shown = names[..names.len().min(NAMES_MAX)].join(", ");
    match names.len().saturating_sub(NAMES_MAX) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// `1 rule`, `2 rules`
fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
