//! What each of Grafana's panels takes.

use serde_json::{Value as Json, json};

use crate::export::dashboard::{Panel, Visual, links};

/// Grafana's name of the panel.
pub(super) fn kind(visual: Visual) -> &'static str {
    match visual {
        Visual::Gauge => "gauge",
        Visual::Stat => "stat",
        Visual::BarGauge => "bargauge",
        Visual::Timeseries => "timeseries",
        Visual::StateTimeline => "state-timeline",
        Visual::Table => "table",
        Visual::Pie => "piechart",
        Visual::Links => "text",
    }
}

pub(super) fn options(panel: &Panel) -> Json {
    let newest = json!({"calcs": ["lastNotNull"], "fields": "", "values": false});
    let legend = json!({"displayMode": "list", "placement": "bottom", "calcs": []});
    match panel.visual {
        Visual::Gauge => json!({
            "reduceOptions": newest, "orientation": "auto", "showThresholdLabels": false, "showThresholdMarkers": true,
        }),
        Visual::Stat => json!({
            "reduceOptions": newest, "orientation": "auto", "colorMode": "value", "graphMode": "none",
            "justifyMode": "auto", "textMode": "auto",
        }),
        Visual::BarGauge => json!({
            "reduceOptions": newest, "orientation": "horizontal", "displayMode": "basic", "showUnfilled": true,
        }),
        Visual::Timeseries => json!({"legend": legend, "tooltip": {"mode": "multi"}}),
        Visual::StateTimeline => json!({
            "legend": legend, "tooltip": {"mode": "single"}, "mergeValues": true, "showValue": "auto",
            "alignValue": "left", "rowHeight": 0.9,
        }),
        Visual::Table => json!({"showHeader": true, "sortBy": [{"displayName": panel.title, "desc": true}]}),
        Visual::Pie => json!({
            "reduceOptions": newest, "pieType": "donut", "tooltip": {"mode": "single"},
            "legend": {"displayMode": "table", "placement": "right", "values": ["value", "percent"]},
        }),
        Visual::Links => json!({"mode": "markdown", "content": links::line(&panel.links)}),
    }
}
