//! A file: notices as lines of JSON.

use serde_json::{Map, Value as Json, json};

use super::destination::{By, Destination, Export, is_passing};
use super::notice::{Notice, route};
use super::told::{Pick, Told};

pub(super) const DESTINATION: Destination = Destination {
    name: "file",
    by: By::File,
    needs: &["path"],
    credentials: |_| Vec::new(),
    metrics: None,
    receipts: Some(route(
        |export| export.path.as_ref().map_or_else(String::new, |path| path.display().to_string()),
        write,
    )),
    pick: Pick::Notices,
    severities: &["critical", "warning"],
    traces: None,
    wants_growth: false,
    is_passing,
    rejected: |_| None,
};

fn write(told: &[Told], export: &Export) -> Vec<u8> {
    let lines = told.iter().map(|told| format!("{}\n", line(&Notice::of(told, export))));
    lines.collect::<String>().into_bytes()
}

fn line(notice: &Notice) -> Json {
    let details: Map<String, Json> =
        notice.details.iter().map(|(title, text)| (title.to_lowercase(), json!(text))).collect();
    json!({
        "id": notice.key,
        "status": if notice.is_over { "resolved" } else { "firing" },
        "severity": notice.severity,
        "name": notice.name,
        "component": notice.component,
        "summary": notice.summary,
        "startsAt": notice.starts_at,
        "endsAt": notice.ends_at,
        "labels": notice.labels,
        "details": details,
        "link": notice.link,
    })
}
