//! Do the links that people follow from an alert lead anywhere?

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use tokio::task::JoinSet;

use super::{ANSWER_WITHIN, Finding, counted, listed, shown};
use crate::asked::root_of;
use crate::config::Config;
use crate::engine::Engine;

/// So many are followed.
const LINKS_MAX: usize = 32;
/// A template begins with this.
const TEMPLATE: &str = "{{";
/// Machines are told their secrets there.
const LINK_LOCAL: &str = "its address is link-local, which naze does not ask";

/// Where notices say that naze is.
pub(super) fn configured(engine: &Engine) -> BTreeSet<String> {
    engine.config().exports.values().filter_map(|export| export.link.clone()).collect()
}

/// What of a link can be asked for: all before a template, and no more than the host where that is part of the path;
/// without user and query, which may hold secrets.
fn askable(link: &str) -> Option<Url> {
    let (fixed, is_template) = link.split_once(TEMPLATE).map_or((link, false), |(before, _)| (before, true));
    let mut url = Url::parse(fixed).ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())?;
    url.set_fragment(None);
    if is_template && url.query().is_none() {
        url.set_path("/");
    }
    Url::parse(&shown(url.as_str())).ok()
}

fn is_link_local(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => address.is_link_local(),
        IpAddr::V6(address) => address.is_unicast_link_local(),
    }
}

/// Leaves out addresses that are link-local.
struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let addresses: Vec<_> = found.filter(|address| !is_link_local(address.ip())).collect();
            if addresses.is_empty() {
                return Err(LINK_LOCAL.into());
            }
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

fn client() -> reqwest::Result<Client> {
    Client::builder().timeout(ANSWER_WITHIN).redirect(Policy::none()).dns_resolver(Arc::new(Resolver)).build()
}

/// What is wrong with it.
async fn problem(client: &Client, url: &Url) -> Option<String> {
    // An address that stands there itself is not resolved.
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    if host.parse().is_ok_and(is_link_local) {
        return Some(format!("was not asked: {LINK_LOCAL}"));
    }
    let mut answer = client.head(url.clone()).send().await;
    if answer.as_ref().is_ok_and(|answer| answer.status() == StatusCode::METHOD_NOT_ALLOWED) {
        answer = client.get(url.clone()).send().await;
    }
    match answer {
        Ok(answer) if is_there(answer.status().as_u16()) => None,
        Ok(answer) => Some(format!("answers {}", answer.status())),
        Err(error) => Some(format!("does not answer: {}", root_of(error))),
    }
}

pub(super) async fn check(config: &Config, links: BTreeSet<String>) -> Vec<Finding> {
    let mut findings = unreachable_notices(config);
    let (urls, paths): (Vec<_>, Vec<_>) =
        links.iter().map(|link| (link, askable(link))).partition(|(_, url)| url.is_some());
    let urls: BTreeSet<Url> = urls.into_iter().filter_map(|(_, url)| url).collect();
    if let Some((first, _)) = paths.first() {
        let detail = format!(
            "{} of alert rules have no host, so they lead nowhere from a notice, such as {}",
            counted(paths.len(), "link"),
            shown(first)
        );
        findings.push(Finding::warn("links", detail, "write dashboard and runbook of the rules as https://…"));
    }
    let client = match client() {
        Ok(client) => client,
        Err(error) => {
            findings.push(Finding::fail("links", error.to_string(), "check the TLS set-up of this machine"));
            return findings;
        }
    };
    let mut asked = JoinSet::new();
    for url in urls.iter().take(LINKS_MAX).cloned() {
        let client = client.clone();
        asked.spawn(async move {
            let problem = problem(&client, &url).await;
            (url, problem)
        });
    }
    let mut answers = asked.join_all().await;
    answers.sort();
    let followed = answers.len();
    let broken = answers.into_iter().filter_map(|(url, problem)| Some((url, problem?)));
    let broken: Vec<Finding> = broken
        .map(|(url, problem)| {
            Finding::warn(
                "links",
                format!("{url} {problem}"),
                "mend the address in the annotations of the alert rules, or what serves it",
            )
        })
        .collect();
    if broken.is_empty() && followed > 0 {
        let hosts: BTreeSet<&str> = urls.iter().filter_map(Url::host_str).collect();
        findings.push(Finding::ok("links", format!("{} to {} answer", counted(followed, "link"), listed(hosts))));
    }
    findings.extend(broken);
    if urls.len() > LINKS_MAX {
        findings.push(Finding::ok("links", format!("{} more were not followed", urls.len() - LINKS_MAX)));
    }
    findings
}

/// A page that wants a login is there.
fn is_there(status: u16) -> bool {
    status < 400 || matches!(status, 401 | 403 | 405 | 429)
}

/// People elsewhere cannot follow a link to this machine.
fn unreachable_notices(config: &Config) -> Vec<Finding> {
    let tells =
        |(_, export): &(&String, &crate::export::Export)| !export.kind.severities.is_empty() && export.link.is_none();
    let without = config.exports.iter().filter(tells);
    without
        .map(|(name, _)| {
            let detail = format!("notices of exports.{name} link to 127.0.0.1, where only this machine finds naze");
            Finding::warn("links", detail, format!("[exports.{name}] link = \"https://naze.example.com\""))
        })
        .collect()
}
