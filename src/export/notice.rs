//! What people are to hear of now: an alert that nobody answered, an andon, a cord that was pulled, a threshold that was
//! crossed.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::Export;
use super::destination::{Packing, Route, WriteReceipts};
use super::told::Told;
use crate::clock::Timestamp;
use crate::record::Recorded;
use crate::report::{figure, title_of};

const LINK_DEFAULT: &str = "http://127.0.0.1:7310";
/// What is older is no news.
const AGE_MAX: TimeDelta = TimeDelta::hours(24);
/// Of this kind naze itself finds what people hear of.
const CROSSING: &str = "crossing";
const BODY_BYTES_MAX: usize = 512 << 10;

/// One of them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Notice {
    /// The same for what is begun and ended.
    pub(super) key: String,
    pub(super) name: String,
    pub(super) component: String,
    /// `critical`, `warning` or `info`.
    pub(super) severity: String,
    pub(super) is_over: bool,
    pub(super) starts_at: Timestamp,
    pub(super) ends_at: Option<Timestamp>,
    /// What happened, in a line.
    pub(super) summary: String,
    pub(super) labels: BTreeMap<String, String>,
    /// What crossed which limit, and what to do: titles with texts.
    pub(super) details: Vec<(&'static str, String)>,
    /// The receipt it tells of, in the browser.
    pub(super) link: String,
}

impl Notice {
    pub(super) fn of(told: &Told, export: &Export) -> Self {
        let (receipt, first) = (&told.recorded.receipt, told.began.as_ref().unwrap_or(&told.recorded));
        let text = |field: &str| receipt.text(field).or_else(|| first.receipt.text(field));
        let component = receipt.component().unwrap_or_default().to_owned();
        let metric = text("metric").filter(|_| receipt.kind() == CROSSING);
        let name = text("name").or(metric).unwrap_or(receipt.kind()).to_owned();
        let is_over = is_over(told);
        let fields = ["instance", "environment", "metric"].into_iter();
        let own = fields.filter_map(|field| Some((field.to_owned(), text(field)?.to_owned())));
        let mut labels: BTreeMap<String, String> = receipt.labels().clone().into_iter().chain(own).collect();
        let severity = severity_of(told);
        labels.extend([
            ("alertname".to_owned(), name.clone()),
            ("component".to_owned(), component.clone()),
            ("severity".to_owned(), severity.to_owned()),
        ]);
        Self {
            key: key_of(told),
            name,
            component,
            severity: severity.to_owned(),
            is_over,
            starts_at: first.occurred_at(),
            ends_at: is_over.then(|| told.recorded.occurred_at()),
            summary: receipt.text("summary").map_or_else(|| title_of(receipt), str::to_owned),
            labels,
            details: details(told),
            link: format!("{}/receipts/{}", link(export), told.recorded.id),
        }
    }

    /// In a few words.
    pub(super) fn title(&self) -> String {
        let state = if self.is_over { "resolved" } else { &self.severity };
        format!("{}: {} of {}", state.to_uppercase(), self.name, self.component)
    }
}

/// What is begun and ended, the same at every step.
pub(super) fn key_of(told: &Told) -> String {
    let (receipt, first) = (&told.recorded.receipt, told.began.as_ref().map(|began| &began.receipt));
    let text = |field: &str| receipt.text(field).or_else(|| first?.text(field));
    let same = text("fingerprint").or_else(|| text("reference")).unwrap_or_default();
    let name = text("name").unwrap_or(receipt.kind());
    ["naze", receipt.kind(), receipt.component().unwrap_or_default(), name, same].join("/")
}

/// Does it end what was begun?
pub(super) fn is_over(told: &Told) -> bool {
    let receipt = &told.recorded.receipt;
    // Only the end of a crossing has a status.
    receipt.text("status").is_some_and(|status| status == "resolved" || receipt.kind() == CROSSING)
}

/// Will there be an end? A cord is pulled for another colour, which ends nothing.
pub(super) fn has_end(told: &Told) -> bool {
    told.recorded.receipt.kind() != "signal"
}

/// What a crossing tells besides.
fn details(told: &Told) -> Vec<(&'static str, String)> {
    let receipt = &told.recorded.receipt;
    if receipt.kind() != CROSSING {
        return Vec::new();
    }
    let unit = receipt.text("unit").map(|unit| format!(" {unit}")).unwrap_or_default();
    let number = |field: &str| receipt.number(field).map(|number| format!("{}{unit}", figure(number)));
    let told = [
        ("Metric", receipt.text("metric").map(str::to_owned)),
        ("Value", number("value")),
        ("Threshold", number("threshold")),
        ("Rule", receipt.text("rule").map(str::to_owned)),
        ("Action", told.action.clone()),
    ];
    told.into_iter().filter_map(|(title, text)| Some((title, text?))).collect()
}

/// How notices go anywhere: one a request, as JSON, while they are news.
pub(super) const fn route(url: fn(&Export) -> String, write: WriteReceipts) -> Route<WriteReceipts> {
    Route {
        url,
        headers: &[("content-type", "application/json")],
        packing: Packing::Plain,
        write,
        items_max: 1,
        body_bytes_max: BODY_BYTES_MAX,
        packed_bytes_max: BODY_BYTES_MAX,
        age_max: Some(AGE_MAX),
    }
}

/// As much of a text as the receiver takes.
pub(super) fn cut(text: &str, characters_max: usize) -> String {
    text.chars().take(characters_max).collect()
}

/// Where people reach naze.
pub(super) fn link(export: &Export) -> &str {
    export.link.as_deref().unwrap_or(LINK_DEFAULT).trim_end_matches('/')
}

/// Is it of a severity that the export wants? What nobody answered is told whatever its severity: somebody has to hear it.
pub(super) fn is_wanted(told: &Told, export: &Export) -> bool {
    if told.recorded.receipt.kind() == CROSSING && export.crossings == Some(false) {
        return false;
    }
    let is_escalation = |recorded: &Recorded| recorded.receipt.text("status") == Some("escalated");
    let is_of = |severity: &str| match &export.severities {
        Some(severities) => severities.iter().any(|wanted| wanted == severity),
        None => export.kind.severities.contains(&severity),
    };
    is_escalation(&told.recorded)
        || told.began.iter().chain(&told.between).any(is_escalation)
        || is_of(severity_of(told))
        // Whoever heard of it, or that it became worse, hears of its end.
        || (is_over(told)
            && told.began.iter().chain(&told.between).filter_map(|step| step.receipt.severity()).any(is_of))
}

fn severity_of(told: &Told) -> &'static str {
    told.recorded.receipt.severity().or_else(|| told.began.as_ref()?.receipt.severity()).unwrap_or("warning")
}
