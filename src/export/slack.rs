//! Slack: notices by an incoming webhook.

use serde_json::json;

use super::destination::{By, Destination, Export, is_passing};
use super::notice::{Notice, cut, route};
use super::told::{Pick, Told};

const URL_DEFAULT: &str = "https://hooks.slack.com/services";
/// What Slack takes.
const HEADER_CHARACTERS_MAX: usize = 150;
const SECTION_CHARACTERS_MAX: usize = 3_000;

pub(super) const DESTINATION: Destination = Destination {
    name: "slack",
    by: By::Http,
    needs: &["token"],
    // Who knows the address may send to it: its last part is the secret.
    credentials: |_| Vec::new(),
    metrics: None,
    receipts: Some(route(
        |export| {
            let base = export.url.as_deref().unwrap_or(URL_DEFAULT).trim_end_matches('/');
            format!("{base}/{}", export.token().trim_start_matches('/'))
        },
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
    let Some(notice) = told.first().map(|told| Notice::of(told, export)) else { return Vec::new() };
    let title = notice.title();
    let section = format!("{}\n<{}|receipt>", escaped(&notice.summary, SECTION_CHARACTERS_MAX / 2), notice.link);
    let field =
        |name: &str, value: &str| json!({"type": "mrkdwn", "text": format!("*{name}*\n{}", escaped(value, 400))});
    let since = notice.starts_at.to_string();
    let fields = [("Component", &notice.component), ("Severity", &notice.severity), ("Since", &since)].into_iter();
    let fields = fields.map(|(name, value)| field(name, value));
    let details = notice.details.iter().map(|(name, value)| field(name, value));
    let message = json!({
        "text": escaped(&format!("{title}: {}", notice.summary), SECTION_CHARACTERS_MAX),
        "blocks": [
            {"type": "header", "text": {"type": "plain_text", "text": cut(&title, HEADER_CHARACTERS_MAX)}},
            {"type": "section", "text": {"type": "mrkdwn", "text": section}},
            {"type": "section", "fields": fields.chain(details).collect::<Vec<_>>()},
        ],
    });
    message.to_string().into_bytes()
}

/// As Slack wants the three characters that its markup begins with; cut before, so that none is cut in two.
fn escaped(text: &str, characters_max: usize) -> String {
    cut(text, characters_max).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
