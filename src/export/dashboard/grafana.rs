//! A dashboard as Grafana's JSON. Schema version 30, with the data source named by a text, is what Grafana 8.0 reads;
//! later ones bring it up to their own.

mod field;
mod options;

use serde_json::{Value as Json, json};

use super::annotations::annotations;
use super::links::{self, OVERVIEW, TAG};
use super::{Dashboard, Panel, Variable, Visual};

const SCHEMA_VERSION: u8 = 30;
/// The variable with which a person chooses the data source.
const DATASOURCE: &str = "${datasource}";
const COLUMNS: u8 = 24;

pub(super) fn dashboard(dashboard: &Dashboard) -> Json {
    json!({
        "uid": dashboard.name,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": [TAG],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": true,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": format!("now-{}", dashboard.time_range), "to": "now"},
        "timezone": "",
        "annotations": {"list": annotations(DATASOURCE)},
        "templating": {"list": variables(dashboard)},
        "links": dashboard_links(dashboard),
        "panels": panels(dashboard),
    })
}

fn variables(dashboard: &Dashboard) -> Vec<Json> {
    let datasource = json!({
        "name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "refresh": 1,
        "regex": "", "hide": 0, "multi": false, "includeAll": false, "options": [], "current": {},
    });
    let naze = json!({
        "name": "naze", "label": "naze", "type": "constant", "query": links::NAZE, "hide": 2, "skipUrlSync": false,
        "current": {"text": links::NAZE, "value": links::NAZE, "selected": false}, "options": [],
    });
    let labels = dashboard.variables.iter().map(|Variable { name, metric }| {
        let query = format!("label_values({metric}, {name})");
        json!({
            "name": name, "label": name, "type": "query", "datasource": DATASOURCE, "definition": query,
            "query": {"query": query, "refId": name}, "refresh": 2, "sort": 1, "regex": "", "hide": 0,
            "multi": true, "includeAll": true, "allValue": ".*", "options": [],
            "current": {"text": ["All"], "value": ["$__all"], "selected": true},
        })
    });
    [datasource, naze].into_iter().chain(labels).collect()
}

fn dashboard_links(dashboard: &Dashboard) -> Vec<Json> {
    let link = |kind: &str, title: &str, url: &str| {
        json!({
            "type": kind, "title": title, "url": url, "tags": [TAG], "asDropdown": true, "keepTime": true,
            "includeVars": true, "targetBlank": false, "icon": "dashboard", "tooltip": "",
        })
    };
    let overview = (dashboard.name != OVERVIEW).then(|| link("link", "Overview", &format!("/d/{OVERVIEW}")));
    overview.into_iter().chain([link("dashboards", "TPS dashboards", "")]).collect()
}

/// Panels from left to right, then down.
fn panels(dashboard: &Dashboard) -> Vec<Json> {
    let (mut x, mut y, mut row_height) = (0, 0, 0);
    let mut placed = Vec::with_capacity(dashboard.panels.len());
    for (place, panel) in dashboard.panels.iter().enumerate() {
        let (width, height) = panel.visual.size();
        let (width, height) = (panel.width.unwrap_or(width), panel.height.unwrap_or(height));
        if x + width > COLUMNS {
            (x, y, row_height) = (0, y + u32::from(row_height), 0);
        }
        let mut json = self::panel(dashboard, panel);
        json["id"] = json!(place + 1);
        json["gridPos"] = json!({"x": x, "y": y, "w": width, "h": height});
        placed.push(json);
        (x, row_height) = (x + width, row_height.max(height));
    }
    placed
}

fn panel(dashboard: &Dashboard, panel: &Panel) -> Json {
    let mut json = json!({
        "title": panel.title,
        "description": panel.description,
        "type": options::kind(panel.visual),
        "options": options::options(panel),
        "links": [],
    });
    if panel.visual == Visual::Links {
        return json;
    }
    json["datasource"] = json!(DATASOURCE);
    json["targets"] = targets(panel);
    json["fieldConfig"] = field::config(dashboard, panel);
    json["links"] = panel.links.iter().map(links::to_dashboard).collect();
    if panel.visual == Visual::Table {
        json["transformations"] = json!([{
            "id": "organize",
            "options": {"excludeByName": {"Time": true}, "indexByName": {}, "renameByName": {"Value": panel.title}},
        }]);
    }
    json
}

fn targets(panel: &Panel) -> Json {
    let is_of_now = panel.visual.is_of_now();
    let targets = panel.series().into_iter().zip('A'..).map(|(series, reference)| {
        json!({
            "refId": reference.to_string(),
            "expr": series.query,
            "legendFormat": series.legend,
            "instant": is_of_now,
            "range": !is_of_now,
            "format": if panel.visual == Visual::Table { "table" } else { "time_series" },
        })
    });
    targets.collect()
}
