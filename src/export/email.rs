//! E-mail: notices as text and HTML, handed to a mail server by SMTP.

use std::time::SystemTime;

use lettre::Message;
use lettre::message::{Mailbox, MultiPart};
use maud::html;

use super::destination::{By, Destination, Export, is_passing};
use super::notice::{Notice, cut, route};
use super::told::{Pick, Told};
use crate::error::{Error, Result};

/// A line of a subject that mail programs show.
const SUBJECT_CHARACTERS_MAX: usize = 150;
/// Identifiers of messages end in this.
const DOMAIN: &str = "naze.invalid";

pub(super) const DESTINATION: Destination = Destination {
    name: "email",
    by: By::Mail,
    needs: &["url", "from", "to"],
    // User and token are for the mail server, which asks for them itself.
    credentials: |_| Vec::new(),
    metrics: None,
    receipts: Some(route(|export| export.url.clone().unwrap_or_default(), write)),
    pick: Pick::Notices,
    severities: &["critical", "warning"],
    traces: None,
    wants_growth: false,
    is_passing,
    rejected: |_| None,
};

/// Schemes of addresses of mail servers: with TLS once it is agreed on, and with TLS from the first byte on.
pub(super) const SCHEMES: [&str; 2] = ["smtp", "smtps"];

/// A mailbox, as it is written in the configuration.
pub(super) fn mailbox(key: &str, text: &str) -> Result<Mailbox> {
    text.parse().map_err(|error: lettre::address::AddressError| {
        Error::invalid(format!("{key} \"{text}\" is no address of e-mail: {error}"))
            .hint("write ops@example.com, or Operations <ops@example.com>")
    })
}

/// A whole message. The end of something refers to its beginning, so that mail programs show them together.
fn write(told: &[Told], export: &Export) -> Vec<u8> {
    let message = told.first().and_then(|told| {
        let notice = Notice::of(told, export);
        let id = |recorded: &crate::record::Recorded| format!("<{}@{DOMAIN}>", recorded.id);
        let mut message = Message::builder()
            .from(mailbox("from", export.from.as_deref()?).ok()?)
            .subject(cut(&notice.title(), SUBJECT_CHARACTERS_MAX))
            .date(SystemTime::from(told.recorded.recorded_at.utc()))
            .message_id(Some(id(&told.recorded)));
        if let Some(began) = &told.began {
            message = message.references(id(began));
        }
        for to in &export.to {
            message = message.to(mailbox("to", to).ok()?);
        }
        message.multipart(MultiPart::alternative_plain_html(text(&notice), page(&notice))).ok()
    });
    message.map(|message| message.formatted()).unwrap_or_default()
}

fn facts(notice: &Notice) -> Vec<(&'static str, String)> {
    let mut facts = vec![
        ("Component", notice.component.clone()),
        ("Severity", notice.severity.clone()),
        ("Since", notice.starts_at.to_string()),
    ];
    facts.extend(notice.ends_at.map(|at| ("Until", at.to_string())));
    facts.extend(notice.details.iter().cloned());
    facts
}

fn text(notice: &Notice) -> String {
    let facts: String = facts(notice).iter().map(|(name, value)| format!("{name}: {value}\n")).collect();
    format!("{}\n\n{}\n\n{facts}\n{}\n", notice.title(), notice.summary, notice.link)
}

fn page(notice: &Notice) -> String {
    let page = html! {
        h2 { (notice.title()) }
        p { (notice.summary) }
        table { @for (name, value) in facts(notice) { tr { th align="left" { (name) } td { (value) } } } }
        p { a href=(notice.link) { "The receipt" } }
    };
    page.into_string()
}
