//! The page of a receipt: what it says, where it came from, and the document it was read from.

use maud::{Markup, html};

use super::rows::spaced;
use super::{Place, component_link, cut, page, receipt_link, severity, time};
use crate::receipt::Value;
use crate::record::Recorded;
use crate::record::ledger::Source;
use crate::report::title_of;

/// Characters of one field; its forms for programs have it all.
const FIELD_CHARACTERS_MAX: usize = 4_000;
/// Values of one field.
const VALUES_MAX: usize = 50;
const LABELS_MAX: usize = 100;
const LABEL_CHARACTERS_MAX: usize = 200;
/// Characters shown of the source document.
const SOURCE_CHARACTERS_MAX: usize = 8_000;

/// The page; `source` is the document the receipt was read from.
pub fn render(recorded: &Recorded, source: &Source) -> String {
    let receipt = &recorded.receipt;
    let title = title_of(receipt);
    let api = format!("/v1/receipts/{}", recorded.id);
    let fields = receipt.fields().filter(|(name, _)| *name != "occurredAt" && *name != "component");
    let main = html! {
        h1 { (title) }
        p { (receipt.kind()) " " (severity(receipt.text("severity"))) " "
            @if let Some(component) = receipt.component() { (component_link(component)) " " }
            (time(recorded.occurred_at()))
        }
        section aria-labelledby="fields" {
            h2 #fields { "What it says" }
            dl { @for (name, values) in fields { dt { (spaced(name)) } dd { (self::values(values)) } } }
        }
        @if !receipt.labels().is_empty() {
            section aria-labelledby="labels" {
                h2 #labels { "Labels" }
                dl {
                    @for (name, value) in receipt.labels().iter().take(LABELS_MAX) {
                        dt { (cut(name, LABEL_CHARACTERS_MAX)) } dd { (cut(value, LABEL_CHARACTERS_MAX)) }
                    }
                }
                @if receipt.labels().len() > LABELS_MAX { p.soft { (receipt.labels().len() - LABELS_MAX) " more in its JSON." } }
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
