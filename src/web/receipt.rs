//! The page of a receipt: what it says, where it came from, and the document it was read from.

use maud::{Markup, html};

use super::rows::spaced;
use super::{Place, component_link, cut, fit, page, receipt_link, severity, time};
use crate::receipt::Value;
use crate::record::Recorded;
use crate::record::ledger::Source;
use crate::report::title_of;

/// Characters of one field; its forms for programs have it all.
const FIELD_CHARACTERS_MAX: usize = 2_000;
/// Values of one field.
const VALUES_MAX: usize = 50;
/// Bytes of all fields, and of all labels.
const FIELDS_BYTES_MAX: usize = 30_000;
const LABELS_BYTES_MAX: usize = 20_000;
const LABEL_CHARACTERS_MAX: usize = 200;
/// Characters shown of the source document.
const SOURCE_CHARACTERS_MAX: usize = 6_000;

/// The page; `source` is the document the receipt was read from.
pub fn render(recorded: &Recorded, source: &Source) -> String {
    let receipt = &recorded.receipt;
    let title = title_of(receipt);
    let api = format!("/v1/receipts/{}", recorded.id);
    let fields: Vec<_> = receipt.fields().filter(|(name, _)| *name != "occurredAt" && *name != "component").collect();
    let count = fields.len();
    let field = |(name, values): (&str, &[Value])| html! { dt { (spaced(name)) } dd { (self::values(values)) } };
    let (fields, shown) = fit(FIELDS_BYTES_MAX, fields.into_iter().map(field));
    let label = |(name, value): (&String, &String)| {
        html! { dt { (cut(name, LABEL_CHARACTERS_MAX)) } dd { (cut(value, LABEL_CHARACTERS_MAX)) } }
    };
    let (labels, labelled) = fit(LABELS_BYTES_MAX, receipt.labels().iter().map(label));
    let main = html! {
        h1 { (title) }
        p { (receipt.kind()) " " (severity(receipt.text("severity"))) " "
            @if let Some(component) = receipt.component() { (component_link(component)) " " }
            (time(recorded.occurred_at()))
        }
        section aria-labelledby="fields" {
            h2 #fields { "What it says" }
            dl { (fields) }
            @if shown < count { p.soft { (count - shown) " more in its JSON." } }
        }
        @if !receipt.labels().is_empty() {
            section aria-labelledby="labels" {
                h2 #labels { "Labels" }
                dl { (labels) }
                @if labelled < receipt.labels().len() { p.soft { (receipt.labels().len() - labelled) " more in its JSON." } }
            }
        }
        (proof(recorded, &api))
        section aria-labelledby="source" {
            h2 #source { "The document it was read from" }
            p.soft { (cut(&source.media_type, LABEL_CHARACTERS_MAX)) ", " (source.bytes.len()) " bytes" }
            pre tabindex="0" { (cut(&String::from_utf8_lossy(&source.bytes[..source.bytes.len().min(SOURCE_CHARACTERS_MAX * 4)]), SOURCE_CHARACTERS_MAX)) }
        }
    };
    page(&title, Place::Elsewhere, &main)
}

fn proof(recorded: &Recorded, api: &str) -> Markup {
    html! {
        section aria-labelledby="proof" {
            h2 #proof { "Proof" }
            dl {
                dt { "Id" } dd { code { (recorded.id) } }
                dt { "Recorded" } dd { (time(recorded.recorded_at)) }
                dt { "Place in the ledger" } dd { a href="/ledger" { (recorded.position) } }
                dt { "SHA-256 of the document" } dd { code { (hex::encode(recorded.source)) } }
            }
            p.screen {
                a href=(api) { "JSON" } " · " a href={ (api) "/source" } { "the document, byte for byte" } " · "
                a href=(super::address("/queries/events_around", [
                    ("at", &*recorded.occurred_at().to_string()),
                    ("component", recorded.receipt.component().unwrap_or_default()),
                ])) { "what else happened then" }
            }
        }
    }
}

fn values(values: &[Value]) -> Markup {
    html! {
        @for value in values.iter().take(VALUES_MAX) { (self::value(value)) " " }
        @if values.len() > VALUES_MAX { "and " (values.len() - VALUES_MAX) " more" }
    }
}

fn value(value: &Value) -> Markup {
    match value {
        Value::Text(text) => html! { bdi { (cut(text, FIELD_CHARACTERS_MAX)) } },
        Value::Integer(number) => html! { (number) },
        Value::Number(number) => html! { (number) },
        Value::Boolean(truth) => html! { (truth) },
        Value::Time(instant) => time(*instant),
        Value::Component(name) => component_link(name),
        Value::Receipt(id) => receipt_link(*id),
        Value::Other(term) => html! { (cut(&term.to_string(), FIELD_CHARACTERS_MAX)) },
    }
}
