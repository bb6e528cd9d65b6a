//! PagerDuty: notices by the Events API v2.

use std::collections::BTreeMap;

use serde_json::json;

use super::destination::{By, Destination, Export, is_passing};
use super::notice::{Notice, cut, link, route};
use super::told::{Pick, Told};

const URL_DEFAULT: &str = "https://events.pagerduty.com";
const SUMMARY_CHARACTERS_MAX: usize = 1_024;
const KEY_CHARACTERS_MAX: usize = 255;

pub(super) const DESTINATION: Destination = Destination {
    name: "pagerduty",
    by: By::Http,
    needs: &["token"],
    // The routing key is part of the body.
    credentials: |_| Vec::new(),
    metrics: None,
    receipts: Some(route(|export| export.address(|| format!("{URL_DEFAULT}/v2/enqueue"), "/v2/enqueue"), write)),
    pick: Pick::Notices,
    severities: &["critical"],
    traces: None,
    wants_growth: false,
    is_passing,
    rejected: |_| None,
};

fn write(told: &[Told], export: &Export) -> Vec<u8> {
    let Some(notice) = told.first().map(|told| Notice::of(told, export)) else { return Vec::new() };
    let mut event = json!({
        "routing_key": export.token(),
        "event_action": if notice.is_over { "resolve" } else { "trigger" },
        "dedup_key": cut(&notice.key, KEY_CHARACTERS_MAX),
    });
    if !notice.is_over {
        let details = notice.details.iter().map(|(title, text)| (title.to_lowercase(), text.clone()));
        let details: BTreeMap<String, String> = notice.labels.clone().into_iter().chain(details).collect();
        event["payload"] = json!({
            "summary": cut(&format!("{}: {}", notice.title(), notice.summary), SUMMARY_CHARACTERS_MAX),
            "source": notice.component,
            "severity": notice.severity,
            "timestamp": notice.starts_at,
            "component": notice.component,
            "class": notice.name,
            "custom_details": details,
        });
        event["client"] = json!(export.service_name);
        event["client_url"] = json!(link(export));
        event["links"] = json!([{"href": notice.link, "text": "the receipt in naze"}]);
    }
    event.to_string().into_bytes()
}
