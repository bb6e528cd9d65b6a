//! A webhook that takes what Alertmanager sends: version 4 of its payload.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};

use super::destination::{By, Destination, Export, authorization, is_passing};
use super::notice::{Notice, link, route};
use super::told::{Pick, Told};

/// What Alertmanager says of an alert that has not ended.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) const DESTINATION: Destination = Destination {
    name: "webhook",
    by: By::Http,
    needs: &["url"],
    credentials: authorization,
    metrics: None,
    receipts: Some(route(|export| export.url.clone().unwrap_or_default(), write)),
    pick: Pick::Notices,
    severities: &["critical", "warning"],
    traces: None,
    wants_growth: false,
    is_passing,
    rejected: |_| None,
};

/// All notices of a request have one status: there is one.
fn write(told: &[Told], export: &Export) -> Vec<u8> {
    let notices: Vec<Notice> = told.iter().map(|told| Notice::of(told, export)).collect();
    let Some(first) = notices.first() else { return Vec::new() };
    let group = BTreeMap::from([("alertname", &first.name), ("component", &first.component)]);
    let payload = json!({
        "version": "4",
        "groupKey": format!("{{}}:{{alertname=\"{}\", component=\"{}\"}}", first.name, first.component),
        "truncatedAlerts": 0,
        "status": status(first),
        "receiver": export.service_name,
        "groupLabels": group,
        "commonLabels": first.labels,
        "commonAnnotations": annotations(first),
        "externalURL": link(export),
        "alerts": notices.iter().map(alert).collect::<Vec<Json>>(),
    });
    payload.to_string().into_bytes()
}

fn status(notice: &Notice) -> &'static str {
    if notice.is_over { "resolved" } else { "firing" }
}

fn annotations(notice: &Notice) -> Json {
    let mut annotations = json!({"summary": notice.title(), "description": notice.summary});
    for (title, text) in &notice.details {
        annotations[title.to_lowercase()] = json!(text);
    }
    annotations
}

fn alert(notice: &Notice) -> Json {
    json!({
        "status": status(notice),
        "labels": notice.labels,
        "annotations": annotations(notice),
        "startsAt": notice.starts_at,
        "endsAt": notice.ends_at.map_or_else(|| NEVER.to_owned(), |at| at.to_string()),
        "generatorURL": notice.link,
        "fingerprint": fingerprint(&notice.key),
    })
}

/// Sixteen digits, as Alertmanager's.
fn fingerprint(key: &str) -> String {
    use sha2::{Digest as _, Sha256};
    hex::encode(&Sha256::digest(key)[..8])
}
