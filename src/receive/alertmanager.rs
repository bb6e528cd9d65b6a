//! Alertmanager's webhook: one `alert` receipt per alert and step of its life.
//!
//! Alertmanager sends a whole group again when one member changes, and all of it again after every `repeat_interval`. An
//! episode of an alert is its labels and its start; its firing and its end are one fact each, however often they come.

pub(super) mod alert;
pub(crate) mod api;
pub(super) mod events;

use serde_json::{Map, Value as Json};

use self::alert::{Alert, Reading, Status};
use super::body::{self, filled};
use super::{ComponentMapping, Draft, Item, RECEIPTS_MAX, Received, Receiver};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::vocab::Vocabulary;

/// The webhook receiver of Alertmanager.
pub(super) const RECEIVER: Receiver = Receiver {
    name: SOURCE,
    paths: &["/hooks/alertmanager"],
    read: |delivery, given| alertmanager(delivery.body, given.received_at, given.mapping, given.vocabulary),
    ..Receiver::PLAIN
};

const SOURCE: &str = "alertmanager";

/// Reads a webhook notification, of version 4 or any like it.
///
/// An alert is firing or resolved by its own status; without one, by its end and the status of the group. It occurred when
/// it began or ended, or at `received_at` when it does not say. Labels stay labels, annotations become labels that begin
/// with `annotation.`.
///
/// # Errors
/// `Invalid` when the body is no JSON object with an array `alerts`.
pub fn alertmanager(
    body: &[u8],
    received_at: Timestamp,
    mapping: &ComponentMapping,
    _vocabulary: &Vocabulary,
) -> Result<Received> {
    let dialect = Dialect { source: SOURCE, name: "Alertmanager", more: &|_, _| () };
    notification(&body::object(body)?, dialect, received_at, mapping)
}

/// A sender of notifications in Alertmanager's form.
#[derive(Clone, Copy)]
pub(super) struct Dialect<'a> {
    pub(super) source: &'static str,
    /// What people call it.
    pub(super) name: &'static str,
    /// Adds what only this sender tells of an alert.
    pub(super) more: &'a dyn Fn(&Map<String, Json>, &mut Draft),
}

/// Reads a notification of any sender that writes them as Alertmanager does.
pub(super) fn notification(
    notification: &Map<String, Json>,
    dialect: Dialect<'_>,
    received_at: Timestamp,
    mapping: &ComponentMapping,
) -> Result<Received> {
    let alerts = match notification.get("alerts") {
        Some(Json::Array(alerts)) => alerts,
        Some(other) => {
            return Err(Error::invalid(format!("alerts is {}, not an array", body::type_of(other)))
                .hint(format!("send {}'s own webhook payload, without a template around it", dialect.name)));
        }
        None => {
            return Err(Error::invalid(format!("the body has no alerts, so it is no {} notification", dialect.name))
                .hint(format!("send {}'s own webhook payload, with an array \"alerts\"", dialect.name)));
        }
    };
    if alerts.len() > RECEIPTS_MAX {
        return Err(body::too_many_receipts());
    }
    let group_resolved =
        filled(notification.get("status")).is_some_and(|status| status.eq_ignore_ascii_case("resolved"));
    let reading = Reading {
        source: dialect.source,
        family: dialect.source,
        received_at,
        mapping,
        status: Status::Told { group_resolved },
    };
    let items = alerts.iter().enumerate().map(|(place, json)| match Alert::read(json, &reading) {
        Ok(alert) => {
            let mut draft = alert.draft(&reading);
            json.as_object().into_iter().for_each(|json| (dialect.more)(json, &mut draft));
            Item::Receipt(draft)
        }
        Err(violation) => Item::Refused(vec![body::at(&format!("alerts[{place}]"), violation)]),
    });
    Ok(Received {
        items: items.collect(),
        missing: notification.get("truncatedAlerts").and_then(|count| truncated(dialect.name, count)),
        ..Received::default()
    })
}

fn truncated(sender: &str, count: &Json) -> Option<String> {
    let count = count.as_u64().or_else(|| count.as_str()?.parse().ok()).filter(|count| *count > 0)?;
    Some(format!("{sender} left out {count} more alerts of the group; raise max_alerts of the webhook receiver"))
}
