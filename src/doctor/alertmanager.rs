//! One Alertmanager: is it there, and does it tell naze?

use serde::Deserialize;

use super::routing::{Routing, Share};
use super::{Finding, listed, shown};
use crate::asked::Server;
use crate::error::{Error, Result};
use crate::receive::RECEIVERS;

#[derive(Deserialize)]
struct Status {
    config: Config,
}

#[derive(Deserialize)]
struct Config {
    original: String,
}

pub(super) async fn check(server: &Server) -> Vec<Finding> {
    let routing = match ask(server).await {
        Ok(routing) => routing,
        Err(error) => return vec![Finding::of_error("alertmanager", &error)],
    };
    let mut findings = vec![Finding::ok("alertmanager", format!("{} answers", server.name))];
    findings.extend(routes(server, &routing));
    findings
}

async fn ask(server: &Server) -> Result<Routing> {
    let body = server.get("/api/v2/status", &[]).await?;
    let status: Status = serde_json::from_slice(&body).map_err(|error| {
        Error::unavailable(format!("the answer of {} is not Alertmanager's", server.name))
            .because(error)
            .hint("check the URL under reconcile in the configuration")
    })?;
    Routing::read(&status.config.original)
}

fn routes(server: &Server, routing: &Routing) -> Vec<Finding> {
    let path = RECEIVERS.iter().find(|receiver| receiver.name == "alertmanager").map_or("", |one| one.paths[0]);
    let add = format!(
        "alertmanager.yml: receivers: [{{name: naze, webhook_configs: [{{url: 'http://127.0.0.1:7310{path}'}}]}}], and \
         first among route.routes: {{receiver: naze, continue: true}}"
    );
    let told = routing.told();
    if told.is_empty() && !routing.hidden.is_empty() {
        let names = listed(routing.hidden.iter().map(String::as_str));
        let detail =
            format!("{} hides where its webhooks go, so it cannot be told whether {names} is naze", server.name);
        return vec![Finding::warn("routes", detail, "send a test alert, then naze query alert_timeline from=-1h")];
    }
    if told.is_empty() {
        return vec![Finding::fail("routes", format!("no receiver of {} is naze", server.name), add)];
    }
    let mut findings: Vec<Finding> = told
        .into_iter()
        .map(|(receiver, share)| {
            let (name, url) = (&receiver.name, shown(&receiver.url));
            match share {
                Share::All => Finding::ok("routes", format!("{} tells naze ({url}) all alerts", server.name)),
                Share::Some(which) => {
                    let detail = format!("{} tells naze ({url}) only {which}", server.name);
                    Finding::warn(
                        "routes",
                        detail,
                        format!("first among route.routes: {{receiver: {name}, continue: true}}"),
                    )
                }
                Share::None => {
                    let detail =
                        format!("no route of {} leads to the receiver {name}, which is naze ({url})", server.name);
                    Finding::fail(
                        "routes",
                        detail,
                        format!("first among route.routes: {{receiver: {name}, continue: true}}"),
                    )
                }
            }
        })
        .collect();
    for receiver in routing.nazes.iter().filter(|receiver| !receiver.sends_resolved) {
        let detail = format!("the receiver {} of {} never says that an alert is over", receiver.name, server.name);
        findings.push(Finding::warn("routes", detail, "webhook_configs: send_resolved: true"));
    }
    findings
}
