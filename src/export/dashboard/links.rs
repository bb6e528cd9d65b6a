//! The ways between dashboards, and from them to naze. All of them keep the time range.

use serde_json::{Value as Json, json};

use super::{Dashboard, Link, Panel, Visual};

/// Where all the ways lead back to.
pub(super) const OVERVIEW: &str = "tps-overview";
/// What tells these dashboards from others in Grafana.
pub(super) const TAG: &str = "tps";
/// Where a browser finds naze, unless the dashboard's variable says otherwise.
pub(super) const NAZE: &str = "http://localhost:7310";

/// Labels that naze knows as components.
const COMPONENTS: [&str; 4] = ["component", "service", "queue", "pool"];
const TIME_RANGE: &str = "${__url_time_range}";

pub(super) fn to_dashboard(link: &Link) -> Json {
    json!({"title": link.title, "url": url(link), "targetBlank": false})
}

/// A line of Markdown for a panel of links.
pub(super) fn line(links: &[Link]) -> String {
    links.iter().map(|link| format!("[{}]({})", link.title, url(link))).collect::<Vec<_>>().join(" · ")
}

fn url(link: &Link) -> String {
    format!("/d/{}?{TIME_RANGE}", link.to)
}

/// What a click on a series of the panel offers: this one alone, and what naze knows happened to it.
pub(super) fn of_series(dashboard: &Dashboard, panel: &Panel) -> Vec<Json> {
    let Some(label) = &panel.by else { return Vec::new() };
    let value = if panel.visual == Visual::Table {
        format!("${{__data.fields.{label}}}")
    } else {
        format!("${{__field.labels.{label}}}")
    };
    let alone = json!({
        "title": format!("Only {value}"),
        "url": format!("/d/{}?var-{label}={value}&{TIME_RANGE}", dashboard.name),
        "targetBlank": false,
    });
    let history = COMPONENTS.contains(&label.as_str()).then(|| {
        json!({
            "title": format!("What happened to {value}"),
            "url": format!("${{naze}}/v1/timeline?component={value}&from=${{__from:date:iso}}&to=${{__to:date:iso}}"),
            "targetBlank": true,
        })
    });
    std::iter::once(alone).chain(history).collect()
}
