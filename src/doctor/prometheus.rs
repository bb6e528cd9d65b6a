//! One Prometheus: is it there, and what does it say?

use std::collections::BTreeSet;

use super::metrics::{self, Exposed};
use super::{Finding, listed, rules, shown, targets};
use crate::asked::Server;
use crate::asked::prometheus::data;
use crate::clock::Timestamp;
use crate::engine::Engine;
use crate::error::{Error, Result};

/// What its answers say.
pub(super) struct Told {
    pub(super) targets: targets::Targets,
    pub(super) names: BTreeSet<String>,
    pub(super) rules: rules::Rules,
    /// The Alertmanagers that it tells.
    alertmanagers: Vec<String>,
}

impl Told {
    async fn ask(server: &Server, now: Timestamp) -> Result<Self> {
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Alertmanagers {
            active_alertmanagers: Vec<Alertmanager>,
        }
        #[derive(serde::Deserialize)]
        struct Alertmanager {
            url: String,
        }
        // The first to fail says what all would say.
        let targets = targets::Targets::ask(server).await?;
        let (names, rules, alertmanagers) = tokio::join!(
            metrics::names(server, now),
            data(server, "/api/v1/rules", &[]),
            data::<Alertmanagers>(server, "/api/v1/alertmanagers", &[]),
        );
        let alertmanagers = alertmanagers?.active_alertmanagers.iter().map(|one| shown(&one.url)).collect();
        Ok(Self { targets, names: names?, rules: rules?, alertmanagers })
    }
}

/// What is found there, and the links of its rules.
pub(super) async fn check(
    engine: &Engine,
    server: &Server,
    exposed: Option<&Exposed>,
) -> (Vec<Finding>, BTreeSet<String>) {
    let told = match Told::ask(server, engine.clock().now()).await {
        Ok(told) => told,
        Err(error) => return (vec![unreachable(server, &error)], BTreeSet::new()),
    };
    let mut findings = vec![Finding::ok("prometheus", format!("{} answers", server.name))];
    let (found, is_scraped) = targets::check(engine, server, &told.targets);
    findings.extend(found);
    findings.extend(metrics::check(server, &told.names, exposed, is_scraped));
    findings.extend(rules::check(server, &told.rules, &told.names));
    findings.push(alertmanagers(server, &told));
    (findings, told.rules.links())
}

fn unreachable(server: &Server, error: &Error) -> Finding {
    let fix = error.hints().first().cloned().unwrap_or_else(|| format!("curl -v {}", server.name));
    Finding::fail("prometheus", error.to_string(), fix)
}

fn alertmanagers(server: &Server, told: &Told) -> Finding {
    if told.alertmanagers.is_empty() {
        let detail = format!("{} tells no Alertmanager, so its alerts reach nobody", server.name);
        let fix = "prometheus.yml: alerting: {alertmanagers: [{static_configs: [{targets: ['127.0.0.1:9093']}]}]}";
        return Finding::warn("alerting", detail, fix);
    }
    let urls = listed(told.alertmanagers.iter().map(String::as_str));
    Finding::ok("alerting", format!("{} tells its alerts to {urls}", server.name))
}
