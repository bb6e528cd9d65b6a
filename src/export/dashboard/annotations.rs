//! Deployments and incidents as marks on every panel, by the metrics that tell when the latest were.
//!
//! A sample's value is the time of the mark, in milliseconds, so that it stands where the deployment was and not where the
//! next scrape saw it. Earlier ones are in the history of the series.

use serde_json::{Value as Json, json};

pub(super) fn annotations(datasource: &str) -> Vec<Json> {
    let mark = |name: &str, colour: &str, metric: &str, text: &str, tags: &str| {
        json!({
            "name": name, "datasource": datasource, "enable": true, "hide": false, "iconColor": colour,
            "expr": format!("{metric} * 1000"), "useValueForTime": true, "step": "60s",
            "titleFormat": name, "textFormat": text, "tagKeys": tags,
        })
    };
    vec![
        mark(
            "Deployment",
            "blue",
            "tps_production_deployment_timestamp_seconds",
            "{{component}} {{version}}",
            "component,version",
        ),
        mark(
            "Incident",
            "red",
            "tps_andon_incident_timestamp_seconds",
            "{{component}} ({{severity}})",
            "component,severity",
        ),
    ]
}
