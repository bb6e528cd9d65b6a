//! `POST /api/v2/alerts`: naze where Prometheus expects an Alertmanager.
//!
//! Prometheus sends a firing alert again every minute, each time with a later end, and a resolved one for a quarter of an
//! hour. An alert that is not sent again ends by itself.

use chrono::TimeDelta;
use http::StatusCode;
use serde_json::Value as Json;

use super::{Alert, SOURCE, at_place};
use crate::error::{Error, Kind, Result};
use crate::receive::{Delivery, Ending, Given, Item, RECEIPTS_MAX, Received, Receiver, Reply, Tally, body};

/// Prometheus, with naze in the place of an Alertmanager.
pub(in crate::receive) const RECEIVER: Receiver =
    Receiver { name: "alertmanager_api", paths: &["/api/v2/alerts"], read, reply: Some(reply), ..Receiver::PLAIN };

/// How long an alert without an end fires, as Alertmanager's `resolve_timeout`.
const RESOLVE_AFTER: TimeDelta = TimeDelta::minutes(5);

fn read(delivery: &Delivery<'_>, given: &Given<'_>) -> Result<Received> {
    let alerts = match serde_json::from_str(body::text(delivery.body)?).map_err(|error| body::not_json(&error))? {
        Json::Array(alerts) if alerts.len() > RECEIPTS_MAX => return Err(body::too_many_receipts()),
        Json::Array(alerts) => alerts,
        other => {
            return Err(Error::invalid(format!("the body is {}, not an array of alerts", body::type_of(&other)))
                .hint("send what Prometheus sends to /api/v2/alerts"));
        }
    };
    let items = alerts.iter().enumerate().map(|(place, json)| match Alert::read(json, given.received_at, false) {
        Ok(alert) => Item::Receipt(alert.until(given)),
        Err(violation) => Item::Refused(vec![at_place(violation, place)]),
    });
    Ok(Received::of(items.collect()))
}

impl Alert<'_> {
    /// The alert as it stands now, with the step that ends it unless it is told again.
    fn until(mut self, given: &Given<'_>) -> crate::receive::Draft {
        self.starts_at = self.starts_at.or(self.ends_at).or(Some(given.received_at));
        let start = self.starts_at.map(|at| at.to_string()).unwrap_or_default();
        let episode = format!("{}:{}:{start}", self.fingerprint, self.hash_of_labels());
        if self.status == "resolved" {
            let over = Ending { episode, by_itself: None };
            return self.draft(SOURCE, given.received_at, given.mapping).ending(over);
        }
        // The end of a firing alert is a promise to tell it again before.
        let end = self.ends_at.take().or_else(|| given.received_at.checked_add(RESOLVE_AFTER));
        let firing = self.draft(SOURCE, given.received_at, given.mapping);
        let Some(end) = end else { return firing };
        "resolved".clone_into(&mut self.status);
        self.ends_at = Some(end);
        let by_itself = Some((end, Box::new(self.draft(SOURCE, end, given.mapping))));
        firing.ending(Ending { episode, by_itself })
    }
}

/// Nothing, or what is wrong as a JSON text; whatever is good has been taken.
fn reply(_: &Delivery<'_>, told: std::result::Result<&Tally, &Error>) -> Option<Reply> {
    let (status, body) = match told {
        Ok(tally) if tally.refused.is_empty() => (StatusCode::OK, String::new()),
        Ok(tally) => (StatusCode::BAD_REQUEST, Json::from(tally.refused.join("; ")).to_string()),
        Err(error) if error.kind() == Kind::Invalid => {
            (StatusCode::BAD_REQUEST, Json::from(error.to_string()).to_string())
        }
        Err(_) => return None,
    };
    let headers = vec![("content-type", "application/json".to_owned())];
    Some(Reply { status, headers, body: body.into_bytes() })
}
