//! What an Alertmanager holds now.

use std::sync::Weak;

use serde_json::{Value as Json, json};

use super::{fetch, record};
use crate::engine::Engine;
use crate::error::{Error, Result};

/// Records the alerts that are active or suppressed at this moment.
pub(super) fn alerts(engine: &Weak<Engine>, url: &str) -> Result<usize> {
    let (answer, bytes) = fetch(&format!("{}/api/v2/alerts", url.trim_end_matches('/')), &[])?;
    let Json::Array(alerts) = answer else {
        return Err(
            Error::invalid(format!("{url} answered no list of alerts")).hint("is it an Alertmanager, 0.16 or newer?")
        );
    };
    let as_in_the_webhook = |alert: &Json| {
        let is_suppressed = alert.pointer("/status/state").and_then(Json::as_str) == Some("suppressed");
        json!({
            "status": if is_suppressed { "suppressed" } else { "firing" },
            "labels": alert["labels"],
            "annotations": alert["annotations"],
            "startsAt": alert["startsAt"],
            "generatorURL": alert["generatorURL"],
            "fingerprint": alert["fingerprint"],
        })
    };
    record(engine, &alerts.iter().map(as_in_the_webhook).collect::<Vec<_>>(), bytes)
}
