//! Episodes of alerts in what Prometheus keeps of them, the samples of `ALERTS`. Pure.
//!
//! The first sample of an episode carries the very time that Prometheus tells Alertmanager as its start. There is no
//! sample for its end, which is one evaluation after the last.
//!
//! ```
//! use chrono::TimeDelta;
//! use naze::reconcile::history::{Labels, Rule, Span, spans};
//!
//! let at = |second: u32| format!("2026-03-10T10:00:{second:02}Z").parse().unwrap();
//! let rule = Rule { interval: TimeDelta::seconds(5), evaluated_at: at(40), annotations: Labels::new() };
//! let fired = spans(&[at(5), at(10), at(35), at(40)], &rule, None);
//! assert_eq!(fired, [Span { starts_at: at(5), ends_at: Some(at(15)) }, Span { starts_at: at(35), ends_at: None }]);
//! ```

use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde_json::{Map, Value as Json, json};

use crate::clock::Timestamp;
use crate::receipt::Receipt;

/// Alertmanager takes an alert for over when Prometheus was silent for four times this, or four evaluations if longer.
const RESEND: TimeDelta = TimeDelta::minutes(1);

/// Labels and values.
pub type Labels = BTreeMap<String, String>;

/// How the rule of an alert is evaluated.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Time between two evaluations.
    pub interval: TimeDelta,
    /// The newest evaluation whose samples are there.
    pub evaluated_at: Timestamp,
    /// What the rule says of every such alert.
    pub annotations: Labels,
}

/// A time in which an alert fired.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The evaluation that found it firing first.
    pub starts_at: Timestamp,
    /// When it was over; `None` while it fires.
    pub ends_at: Option<Timestamp>,
}

impl Span {
    fn overlaps(&self, other: &Self) -> bool {
        let before = |start: Timestamp, end: Option<Timestamp>| end.is_none_or(|end| start < end);
        before(self.starts_at, other.ends_at) && before(other.starts_at, self.ends_at)
    }

    /// Prometheus tells milliseconds.
    fn starts_with(&self, other: &Self) -> bool {
        self.starts_at.micros().div_euclid(1_000) == other.starts_at.micros().div_euclid(1_000)
    }
}

/// The times in which an alert fired, from its samples in order of time. As in Alertmanager, a gap in which Prometheus
/// was restarted ends nothing if it is short.
pub fn spans(samples: &[Timestamp], rule: &Rule, restarted_at: Option<Timestamp>) -> Vec<Span> {
    let patience = rule.interval.max(RESEND) * 4;
    let mut spans: Vec<Span> = Vec::new();
    let mut last: Option<Timestamp> = None;
    for &at in samples {
        let goes_on = last.is_some_and(|last| {
            let gap = at.since(last);
            let restarted = restarted_at.is_some_and(|restarted| last < restarted && restarted <= at);
            gap < rule.interval * 3 / 2 || (restarted && gap < patience)
        });
        if !goes_on {
            if let (Some(span), Some(last)) = (spans.last_mut(), last) {
                span.ends_at = last.checked_add(rule.interval);
            }
            spans.push(Span { starts_at: at, ends_at: None });
        }
        last = Some(at);
    }
    if let (Some(span), Some(last)) = (spans.last_mut(), last)
        && rule.evaluated_at.since(last) > rule.interval * 3 / 2
    {
        span.ends_at = last.checked_add(rule.interval);
    }
    spans
}

/// An episode that naze knows.
#[derive(Debug, Clone, PartialEq)]
pub struct Known {
    fingerprint: String,
    labels: Labels,
    annotations: Labels,
    span: Span,
    /// A receipt tells of its firing, not only one of its end.
    is_begun: bool,
}

/// The episodes that alert receipts tell of.
pub fn known<'a>(alerts: impl Iterator<Item = &'a Receipt>) -> Vec<Known> {
    let mut episodes: BTreeMap<(String, Timestamp), Known> = BTreeMap::new();
    for receipt in alerts.filter(|receipt| matches!(receipt.text("status"), Some("firing" | "resolved"))) {
        let (Some(fingerprint), Some(starts_at)) = (receipt.text("fingerprint"), receipt.time("startsAt")) else {
            continue;
        };
        let ends_at = receipt.time("endsAt").filter(|_| receipt.text("status") == Some("resolved"));
        let episode = episodes.entry((fingerprint.to_owned(), starts_at)).or_insert_with(|| {
            let (labels, annotations) = labels_of(receipt);
            let span = Span { starts_at, ends_at: None };
            Known { fingerprint: fingerprint.to_owned(), labels, annotations, span, is_begun: false }
        });
        episode.span.ends_at = episode.span.ends_at.max(ends_at);
        episode.is_begun |= ends_at.is_none();
    }
    episodes.into_values().collect()
}

/// The labels and annotations that the receipt was read from.
fn labels_of(receipt: &Receipt) -> (Labels, Labels) {
    let (mut labels, mut annotations) = (Labels::new(), Labels::new());
    for (name, text) in receipt.labels() {
        match name.strip_prefix("annotation.") {
            Some(name) => annotations.insert(name.to_owned(), text.clone()),
            None => labels.insert(name.clone(), text.clone()),
        };
    }
    for (label, field) in [("alertname", "name"), ("severity", "severity")] {
        if let Some(text) = receipt.text(field) {
            labels.entry(label.to_owned()).or_insert_with(|| text.to_owned());
        }
    }
    annotations.extend(receipt.text("summary").map(|summary| ("summary".to_owned(), summary.to_owned())));
    (labels, annotations)
}

/// What naze does not know of an alert that fired in `spans`, as Prometheus would have told it.
///
/// `labels` are those of the series, which `external` ones join on the way to Alertmanager. Alertmanager may have been
/// told still others, so a known episode is the same if it has all of the series' labels.
pub fn missed(labels: &Labels, external: &Labels, rule: &Rule, spans: &[Span], known: &[Known]) -> Vec<Json> {
    let has_labels = |known: &&Known| labels.iter().all(|(name, text)| known.labels.get(name) == Some(text));
    let mut candidates: Vec<&Known> = known.iter().filter(has_labels).collect();
    let mut sent = external.clone();
    sent.extend(labels.iter().map(|(name, text)| (name.clone(), text.clone())));
    let mut missed = Vec::new();
    for span in spans {
        let by_start = candidates.iter().position(|known| known.span.starts_with(span));
        let begins_another = |known: &Known| spans.iter().any(|other| known.span.starts_with(other));
        let by_overlap = || candidates.iter().position(|known| known.span.overlaps(span) && !begins_another(known));
        let Some(place) = by_start.or_else(by_overlap) else {
            let told = |ends_at| told(&sent, &rule.annotations, span.starts_at, ends_at, None);
            missed.push(told(None));
            missed.extend(span.ends_at.is_some().then(|| told(span.ends_at)));
            continue;
        };
        let known = candidates[place];
        let told = |ends_at| told(&known.labels, &known.annotations, known.span.starts_at, ends_at, Some(known));
        missed.extend((!known.is_begun).then(|| told(None)));
        // What ended by a timeout may have gone on.
        let latest = known.span.ends_at.and_then(|end| end.checked_add(rule.interval));
        if span.ends_at.is_some() && (known.span.ends_at.is_none() || span.ends_at > latest) {
            missed.push(told(span.ends_at));
            // The episode ends with this span, so later ones are others.
            candidates.swap_remove(place);
        }
    }
    missed
}

/// An alert as Prometheus posts it.
fn told(
    labels: &Labels,
    annotations: &Labels,
    starts_at: Timestamp,
    ends_at: Option<Timestamp>,
    known: Option<&Known>,
) -> Json {
    let mut alert = Map::new();
    alert.insert("labels".into(), json!(labels));
    alert.insert("annotations".into(), json!(annotations));
    alert.insert("startsAt".into(), json!(starts_at));
    if let Some(ends_at) = ends_at {
        alert.insert("endsAt".into(), json!(ends_at));
    }
    if let Some(known) = known {
        alert.insert("fingerprint".into(), known.fingerprint.as_str().into());
    }
    Json::Object(alert)
}
