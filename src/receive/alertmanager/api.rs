//! Alertmanager's API v2, as far as Prometheus needs it: naze takes alerts as if it were one more Alertmanager.
//!
//! Prometheus sends a firing alert again at least every minute, with an end that moves ahead of the present, and a
//! resolved one for a quarter of an hour. [`crate::receive::episode`] makes one episode of that.

use chrono::TimeDelta;
use http::StatusCode;
use serde_json::{Value as Json, json};

use super::SOURCE as ALERTMANAGER;
use super::alert::{self, Alert, FAMILY, Muted, Reading, Status};
use crate::error::{Error, Kind, Result};
use crate::receive::episode::Step;
use crate::receive::{Draft, Given, Item, RECEIPTS_MAX, Received, Receiver, Reply, Tally, VALUES_MAX, body};
use crate::validate::Violation;

/// Prometheus, sending to what it takes for an Alertmanager.
pub(in crate::receive) const RECEIVER: Receiver = Receiver {
    name: NAME,
    paths: &["/api/v2/alerts"],
    read: |delivery, given| alerts(delivery.body, given),
    reply: Some(|_, told| reply(told)),
    ..Receiver::PLAIN
};

/// As configuration and metrics name it.
pub(crate) const NAME: &str = "alertmanager_api";
/// As receipts name who told them.
pub(crate) const SOURCE: &str = "prometheus";
/// An alert without an end is over after this long, Alertmanager's `resolve_timeout`.
pub(crate) const RESOLVE_TIMEOUT: TimeDelta = TimeDelta::minutes(5);

/// Reads a list of alerts. An alert is over when its end is; without a start it begins now, or at its end if that is past.
///
/// # Errors
/// `Invalid` when the body is no JSON array.
pub(crate) fn alerts(body: &[u8], given: &Given<'_>) -> Result<Received> {
    let alerts = list(body)?;
    let reading = reading(SOURCE, Status::ByEnd, given);
    let mut received = Received::default();
    for (place, json) in alerts.iter().enumerate() {
        received.items.push(match one(json, place, &reading) {
            Ok((draft, step)) => {
                received.repeated.push(step);
                Item::Receipt(draft)
            }
            Err(violation) => Item::Refused(vec![body::at(&format!("[{place}]"), violation)]),
        });
    }
    Ok(received)
}

/// Reads what Alertmanager answers to `GET /api/v2/alerts`: alerts that fire, and who suppresses them.
///
/// # Errors
/// `Invalid` when the body is no JSON array.
pub fn active_alerts(body: &[u8], given: &Given<'_>) -> Result<Received> {
    let reading = reading(ALERTMANAGER, Status::Firing, given);
    let mut received = Received::default();
    for (place, json) in list(body)?.iter().enumerate() {
        let read = || Alert::read(json, &reading);
        match read() {
            Ok(alert) => received.items.push(Item::Receipt(alert.draft(&reading))),
            Err(violation) => {
                received.items.push(Item::Refused(vec![body::at(&format!("[{place}]"), violation)]));
                continue;
            }
        }
        for by in muted_by(json) {
            let summary = match &by {
                Muted::Silenced(silence) => format!("silenced by {silence}"),
                Muted::Inhibited(alerts) => format!("inhibited by alert {}", alerts.join(", ")),
            };
            let muted = read().map(|alert| alert.muted(&by, &summary, &reading));
            received.items.extend(muted.map(Item::Receipt));
        }
    }
    Ok(received)
}

fn reading<'a>(source: &'static str, status: Status, given: &Given<'a>) -> Reading<'a> {
    Reading { source, family: FAMILY, received_at: given.received_at, mapping: given.mapping, status }
}

fn muted_by(alert: &Json) -> Vec<Muted> {
    let names = |member: &str| -> Vec<String> {
        let names = alert["status"][member].as_array().into_iter().flatten();
        names.filter_map(|name| name.as_str().map(str::to_owned)).take(VALUES_MAX).collect()
    };
    let inhibited = Some(names("inhibitedBy")).filter(|alerts| !alerts.is_empty()).map(Muted::Inhibited);
    names("silencedBy").into_iter().map(Muted::Silenced).chain(inhibited).collect()
}

fn list(body: &[u8]) -> Result<Vec<Json>> {
    match serde_json::from_str(body::text(body)?).map_err(|error| body::not_json(&error))? {
        Json::Array(alerts) if alerts.len() > RECEIPTS_MAX => Err(body::too_many_receipts()),
        Json::Array(alerts) => Ok(alerts),
        other => Err(Error::invalid(format!("the body is {}, not an array of alerts", body::type_of(&other)))
            .hint("webhook notifications of Alertmanager go to /hooks/alertmanager")),
    }
}

fn one(json: &Json, item: usize, reading: &Reading<'_>) -> Result<(Draft, Step), Violation> {
    let mut alert = Alert::read(json, reading)?;
    if !alert.has_labels() {
        return Err(alert::no_labels());
    }
    let is_resolved = alert.is_resolved();
    let now = reading.received_at;
    let starts_at = alert.starts_at.unwrap_or_else(|| alert.ends_at.map_or(now, |end| end.min(now)));
    let ends_at = alert.ends_at.unwrap_or_else(|| now.checked_add(RESOLVE_TIMEOUT).unwrap_or(now));
    alert.starts_at = Some(starts_at);
    // The end of a firing alert is a guess that the next repetition moves.
    alert.ends_at = Some(ends_at).filter(|_| is_resolved);
    let step = Step { item, alert: alert.identity(reading), starts_at, ends_at, is_resolved };
    Ok((alert.draft(reading), step))
}

/// Alertmanager's words: nothing when all is well, an object for what it cannot parse, a text for the rest.
fn reply(told: std::result::Result<&Tally, &Error>) -> Option<Reply> {
    let (status, body) = match told {
        Ok(tally) if tally.refused.is_empty() => {
            return Some(Reply { status: StatusCode::OK, headers: Vec::new(), body: Vec::new() });
        }
        Ok(tally) => (StatusCode::BAD_REQUEST, json!(tally.refused.join("; "))),
        Err(error) => match error.kind() {
            Kind::Invalid => (StatusCode::BAD_REQUEST, json!({"code": 400, "message": error.to_string()})),
            Kind::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, json!(error.to_string())),
            Kind::Internal => (StatusCode::INTERNAL_SERVER_ERROR, json!(error.to_string())),
            Kind::NotFound | Kind::Conflict | Kind::Forbidden => return None,
        },
    };
    let headers = vec![("content-type", "application/json".to_owned())];
    Some(Reply { status, headers, body: body.to_string().into_bytes() })
}
