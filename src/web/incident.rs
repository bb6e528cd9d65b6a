//! The page of an incident, and the list of all.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::plot::Plot;
use super::{Frame, Place, answer, brief, chip, component_link, rows, severity, time, timeline};
use crate::analyse::cause::{Answer, Cause};
use crate::analyse::health::Colour;
use crate::clock::Timestamp;
use crate::engine::Incident;
use crate::query::Rows;
use crate::record::Recorded;
use crate::report::timeline::Timeline;
use crate::vocab::Vocabulary;

/// Incidents of one list.
const LISTED_MAX: usize = 100;
const SIMILAR_BYTES_MAX: usize = 6_000;

/// Everything that stands on the page.
pub struct Page<'a> {
    /// When it was asked.
    pub at: Timestamp,
    /// The incident.
    pub incident: &'a Incident,
    /// Why it happened.
    pub answer: &'a Answer,
    /// What the answer rests on.
    pub evidence: &'a [Recorded],
    /// What happened around it.
    pub timeline: &'a Timeline,
    /// The parameters of the address.
    pub given: &'a BTreeMap<String, String>,
    /// The metric that shows it, if its values are known.
    pub symptom: Option<Plot>,
    /// Earlier ones that are alike.
    pub similar: &'a Rows,
    /// Kinds and fields.
    pub vocabulary: &'a Vocabulary,
}

/// Where the incident's page is.
pub fn path(incident: &Incident) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || "-_".contains(character);
    let reference = &incident.reference;
    // A reference is whatever its sender chose; the id of its receipt fits into any path.
    if !reference.is_empty() && reference.chars().all(is_plain) {
        format!("/incidents/{reference}")
    } else {
        format!("/incidents/{}", incident.opened.id)
    }
}

/// The page.
pub fn render(given: &Page<'_>) -> String {
    let Page { incident, answer, evidence, .. } = given;
    let path = path(incident);
    let title = incident.latest("summary").unwrap_or(&incident.reference);
    let kinds: std::collections::BTreeSet<&str> = evidence.iter().map(|recorded| recorded.receipt.kind()).collect();
    let kinds: Vec<&str> = kinds.into_iter().collect();
    let main = html! {
        p.path { a href="/incidents" { "Incidents" } " › " (brief(&incident.reference)) }
        h1 { (brief(title)) " " (status(incident)) " " (severity(incident.latest("severity"))) }
        (about(incident, answer))
        (answer::sections(answer, evidence, given.symptom.as_ref(), |cause| judge(&path, cause)))
        section aria-labelledby="similar" {
            h2 #similar { "Similar incidents" }
            (rows::table(given.similar, "Earlier incidents that have something in common", SIMILAR_BYTES_MAX, given.vocabulary))
        }
        (timeline::section(given.timeline, &path, given.given, &kinds))
    };
    Frame { title, here: Place::Incidents, range: None, as_of: Some(given.at) }.around(&main)
}

fn about(incident: &Incident, answer: &Answer) -> Markup {
    let opened = &incident.opened.receipt;
    let api = format!("/v1/incidents/{}", incident.opened.id);
    html! {
        dl.facts {
            @if let Some(component) = opened.component() { div { dt { "Component" } dd { (component_link(component)) } } }
            @if let Some(onset) = answer.question.onset {
                div { dt { "Began" } dd { (time(onset)) @if opened.time("onset").is_none() { " (proposed)" } } }
            }
            @if let Some(detected) = opened.time("detectedAt") { div { dt { "Detected" } dd { (time(detected)) } } }
            @if let Some(metric) = opened.text("metric") { div { dt { "Metric" } dd { (brief(metric)) } } }
        }
        dl {
            @for (field, name) in [("rootCause", "Root cause"), ("fix", "Fix"), ("prevention", "Prevention")] {
                @if let Some(text) = incident.latest(field) { dt { (name) } dd { (super::cut(text, 2_000)) } }
            }
        }
        p.screen {
            a href={ (api) "/postmortem" } { "Post-mortem" } " · "
            a href={ (api) "/timeline" } { "Timeline as a report" } " · "
            a href={ (api) "/why" } { "Answer as a report" }
        }
    }
}

fn status(incident: &Incident) -> Markup {
    let status = incident.latest("status").unwrap_or("open");
    let colour = match status {
        "resolved" => Colour::Green,
        "mitigated" => Colour::Yellow,
        "acknowledged" => Colour::Orange,
        _ => Colour::Red,
    };
    chip(colour, &brief(status))
}

/// The buttons with which people say what they know of a suspect.
fn judge(path: &str, cause: &Cause) -> Markup {
    html! {
        form.screen method="post" action={ (path) "/verdict" } {
            input type="hidden" name="cause" value=(cause.component);
            label { "Note" input name="message" maxlength="2000" placeholder="how you know" autocomplete="off"; }
            button name="verdict" value="confirmed" { "Confirm" span.hidden { " " (brief(&cause.component)) } }
            button name="verdict" value="ruled_out" { "Rule out" span.hidden { " " (brief(&cause.component)) } }
        }
    }
}

/// All incidents, newest first.
pub fn list(incidents: &[Incident], at: Timestamp) -> String {
    let main = html! {
        h1 { "Incidents" }
        (table(incidents.iter().take(LISTED_MAX)))
        @if incidents.len() > LISTED_MAX { p.soft { (incidents.len() - LISTED_MAX) " older ones: " a href="/queries/incident_history" { "incident history" } } }
    };
    Frame { title: "Incidents", here: Place::Incidents, range: None, as_of: Some(at) }.around(&main)
}

/// Incidents as a table.
pub fn table<'a>(incidents: impl Iterator<Item = &'a Incident>) -> Markup {
    let mut incidents = incidents.peekable();
    if incidents.peek().is_none() {
        return html! { p.soft { "None." } };
    }
    html! {
        div.table tabindex="0" role="region" aria-label="List of incidents" {
            table {
                thead { tr { @for name in ["Opened", "Status", "Severity", "Component", "Incident"] { th scope="col" { (name) } } } }
                tbody {
                    @for incident in incidents {
                        tr {
                            td { (time(incident.opened.occurred_at())) }
                            td { (status(incident)) }
                            td { (severity(incident.latest("severity"))) }
                            td { (component_link(incident.opened.receipt.component().unwrap_or_default())) }
                            td { a href=(path(incident)) { (brief(incident.opened.receipt.text("summary").unwrap_or(&incident.reference))) } }
                        }
                    }
                }
            }
        }
    }
}
