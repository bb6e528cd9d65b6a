//! Which alerts an Alertmanager's configuration routes to naze.

use serde_json::Value as Json;

use crate::error::{Error, Result};
use crate::receive::{RECEIVERS, yaml};

/// What newer Alertmanagers show in place of a URL.
const HIDDEN: &str = "<secret>";

/// A receiver that posts to naze.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Receiver {
    pub(super) name: String,
    pub(super) url: String,
    pub(super) sends_resolved: bool,
}

/// Which alerts reach a receiver.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Share {
    All,
    /// In words.
    Some(String),
    None,
}

/// Receivers and routes.
pub(super) struct Routing {
    pub(super) nazes: Vec<Receiver>,
    /// Names of receivers with a webhook that does not say where it goes.
    pub(super) hidden: Vec<String>,
    route: Json,
}

impl Routing {
    /// Reads the configuration as Alertmanager shows it.
    pub(super) fn read(text: &str) -> Result<Self> {
        let document = yaml::documents(text)?.into_iter().next();
        let document = document.ok_or_else(|| Error::unavailable("Alertmanager shows no configuration"))?;
        let (mut nazes, mut hidden) = (Vec::new(), Vec::new());
        for receiver in document["receivers"].as_array().into_iter().flatten() {
            let name = receiver["name"].as_str().unwrap_or_default().to_owned();
            for webhook in receiver["webhook_configs"].as_array().into_iter().flatten() {
                let url = webhook["url"].as_str().unwrap_or(HIDDEN);
                if url == HIDDEN {
                    hidden.push(name.clone());
                } else if is_naze(url) {
                    let sends_resolved = webhook["send_resolved"].as_bool().unwrap_or(true);
                    nazes.push(Receiver { name: name.clone(), url: url.to_owned(), sends_resolved });
                }
            }
        }
        Ok(Self { nazes, hidden, route: document["route"].clone() })
    }

    /// Each receiver that is naze, with the alerts that reach it.
    pub(super) fn told(&self) -> Vec<(&Receiver, Share)> {
        self.nazes.iter().map(|receiver| (receiver, share(&self.route, None, &receiver.name))).collect()
    }
}

/// By the path of the URL: the host may have any name.
fn is_naze(url: &str) -> bool {
    let path = reqwest::Url::parse(url).map(|url| url.path().trim_end_matches('/').to_owned()).unwrap_or_default();
    let mut known = RECEIVERS.iter().filter(|receiver| receiver.name.starts_with("alertmanager"));
    known.any(|receiver| receiver.paths.iter().any(|known| path.ends_with(known)))
}

/// Which of the alerts that come to a route reach the receiver; a route without one has that of its parent.
fn share(route: &Json, parent: Option<&str>, name: &str) -> Share {
    let receiver = route["receiver"].as_str().or(parent);
    let children: Vec<&Json> = route["routes"].as_array().into_iter().flatten().collect();
    let mut some = Share::None;
    // What a sibling took does not come to the next, unless it says to go on.
    let mut is_open = true;
    for child in &children {
        let matchers = matchers(child);
        match share(child, receiver, name) {
            Share::All if matchers.is_empty() && is_open => return Share::All,
            Share::All if matchers.is_empty() => some = Share::Some("those that no route before takes".to_owned()),
            Share::All => some = Share::Some(format!("those with {}", matchers.join(", "))),
            Share::Some(which) => some = Share::Some(which),
            Share::None => {}
        }
        is_open &= child["continue"].as_bool().unwrap_or(false);
    }
    match (receiver == Some(name), children.is_empty()) {
        (true, true) => Share::All,
        (true, false) if some == Share::None => Share::Some("those that no route below takes".to_owned()),
        _ => some,
    }
}

/// What an alert needs for a route, in each of the forms there have been.
fn matchers(route: &Json) -> Vec<String> {
    let listed = route["matchers"].as_array().into_iter().flatten();
    let mut matchers: Vec<String> = listed.filter_map(|matcher| Some(matcher.as_str()?.to_owned())).collect();
    for (form, sign) in [("match", "="), ("match_re", "=~")] {
        let pairs = route[form].as_object().into_iter().flatten();
        matchers.extend(pairs.map(|(label, value)| format!("{label}{sign}{value}")));
    }
    matchers
}
