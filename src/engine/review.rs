//! The weekly review: gathers what `analyse::review` makes one of.

mod series;

use std::collections::{BTreeMap, BTreeSet};

use chrono::TimeDelta;
use serde_json::Value as Json;

use super::{Engine, Incident, KaizenAsked, LOOKBACK_DEFAULT};
use crate::analyse::cause::Verdict;
use crate::analyse::review::{
    Blamed, Figure, Missing, Opened, Origin, Pattern, Review, SloOfWeek, Told, Week, after_changes, figures, noise,
    of_incidents, rank, strongest,
};
use crate::analyse::slo::State;
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::receipt::ReceiptId;
use crate::record::{Recorded, Window};

/// What is read of a week receipt by receipt. Failures are counted by a query: there may be millions.
const KINDS: [&str; 4] = ["alert", "incident", "deployment", "change"];
/// Incidents whose cause is looked for.
const INCIDENTS_MAX: usize = 10;
/// Recommendations of one review.
const RANKED_MAX: usize = 10;
/// Silences and other things missing that are told.
const MISSING_MAX: usize = 20;
/// Receipts of one incident that a pattern rests on.
const CITED_MAX: usize = 3;
/// Fewer patterns than this are no picture.
const PATTERNS_MIN: usize = 3;
/// A failure or alert comes again when it came on so many days.
const DAYS_MIN: &str = "2";
/// How long an improvement is given to show an effect.
const EFFECT: TimeDelta = TimeDelta::days(1);

impl Engine {
    /// The review of `week` as of `now`, with work for so many engineers.
    ///
    /// # Errors
    /// `Invalid` for a week that has not begun, `Internal` when the disk fails.
    pub fn review(&self, week: Week, engineers: usize, now: Timestamp) -> Result<Review> {
        let whole = week.window();
        if whole.from >= now {
            return Err(Error::invalid(format!("the week {week} has not begun"))
                .hint(format!("the last one that is over is {}", Week::last_complete(now))));
        }
        let window = Window { from: whole.from, to: whole.to.min(now) };
        let before = week.previous().window();
        // A week that lasts is held against as much of the one before.
        let before = Window { to: before.from.checked_add(window.length()).unwrap_or(before.to), ..before };
        let mut missing = Vec::new();
        let receipts = self.receipts_of(window, "the week", &mut missing)?;
        let previous = self.receipts_of(before, "the week before", &mut missing)?;
        let incidents = self.incidents_of(&receipts, window)?;
        let opened = opened(&incidents, window);
        let opened_before = self::opened(&self.incidents_of(&previous, before)?, before);
        let (health, health_before) = (self.health_of(window)?, self.health_of(before)?);
        let slos = self.slos_of(window.to, &mut missing)?;
        let health = series::told(&health, &health_before, window, &self.watching().palette, &mut missing);
        let mut comparison = figures(
            Told { receipts: &receipts, incidents: &opened },
            Told { receipts: &previous, incidents: &opened_before },
            window,
            |query| show(query, window, &[]),
        );
        comparison.push(self.failures_of(window, before, &mut missing));
        comparison.push(Figure::new("health score", "", health.score, health.previous, "/v1/series".to_owned()));
        let trends = self.trends_of(window, before, &mut missing)?;
        let advised = self.advise(window, &BTreeMap::new())?;
        missing.extend(advised.failed.iter().map(|failed| Missing {
            what: format!("{} gave no answer: {}", failed.query, failed.problem),
            show: Some(show(&failed.query, window, &[])),
        }));
        let patterns = self.patterns_of(&receipts, incidents, window, &mut missing);
        let effect_by = window.to.checked_add(EFFECT).unwrap_or(window.to).min(now);
        let kaizen = self.kaizen(&KaizenAsked { window, component: None, effect: EFFECT }, effect_by)?;
        self.add_silences(window, &mut missing);
        missing.truncate(MISSING_MAX);
        Ok(Review {
            version: 1,
            week,
            from: window.from,
            to: window.to,
            is_complete: window.to == whole.to,
            health,
            trends,
            slos,
            patterns,
            improvements: rank(&advised.recommendations, engineers, RANKED_MAX),
            noise: noise(
                &receipts,
                window,
                |metric, component| self.usual(metric, component, window).ok().flatten(),
                |about| match about {
                    Some((component, rule)) => {
                        show("alert_timeline", window, &[("component", component), ("rule", rule)])
                    }
                    None => show("alert_timeline", window, &[]),
                },
            ),
            kaizen: kaizen.entries,
            comparison,
            missing,
        })
    }

    fn receipts_of(&self, window: Window, name: &str, missing: &mut Vec<Missing>) -> Result<Vec<Recorded>> {
        let max = self.config.limits.evidence_receipts_max;
        let (receipts, truncated) = self.index.of_kinds(&KINDS, window, max)?;
        if truncated {
            missing.push(Missing {
                what: format!(
                    "{name} has more than {max} alerts, incidents and changes: the earlier ones are left out"
                ),
                show: None,
            });
        }
        Ok(receipts)
    }

    fn failures_of(&self, window: Window, before: Window, missing: &mut Vec<Missing>) -> Figure {
        let mut count = |window: Window| -> Option<f64> {
            let rows = self.ask("failure_types", window, &[], missing)?;
            // The sum of no numbers is -0.
            Some(rows.iter().filter_map(|row| row["failures"].as_f64()).sum::<f64>() + 0.0)
        };
        let (current, previous) = (count(window), count(before));
        Figure::new("failures", "", current, previous, show("failure_types", window, &[]))
    }

    fn slos_of(&self, to: Timestamp, missing: &mut Vec<Missing>) -> Result<Vec<SloOfWeek>> {
        // A microsecond earlier still is the week.
        let at = to.checked_add(TimeDelta::microseconds(-1)).unwrap_or(to);
        let mut told = Vec::new();
        for slo in self.slos_at(at)?.slos {
            let path = format!("/v1/slos/{}?at={at}", slo.name);
            for objective in slo.objectives {
                let (weekly, target) = (objective.told.weekly, objective.told.evaluation.target);
                let state = match weekly.current {
                    None => State::Unknown,
                    Some(attainment) if attainment >= target => State::Met,
                    Some(_) => State::Missed,
                };
                if state == State::Unknown || !objective.told.evaluation.is_complete {
                    let what = if state == State::Unknown { "nothing was measured" } else { "its window has gaps" };
                    missing.push(Missing { what: format!("SLO {}: {what}", objective.name), show: Some(path.clone()) });
                }
                told.push(SloOfWeek {
                    name: objective.name,
                    service: slo.service.clone(),
                    target,
                    attainment: weekly.current,
                    state,
                    previous: weekly.previous,
                    is_degrading: weekly.change.is_some_and(|change| change.is_degrading),
                    show: path.clone(),
                });
            }
        }
        if told.is_empty() {
            missing.push(Missing {
                what: "no SLO is measured: name objectives in the folder `slos`".to_owned(),
                show: Some("/v1/slos".to_owned()),
            });
        }
        Ok(told)
    }

    fn patterns_of(
        &self,
        receipts: &[Recorded],
        incidents: Vec<Incident>,
        window: Window,
        missing: &mut Vec<Missing>,
    ) -> Vec<Pattern> {
        let mut patterns = of_incidents(&self.blamed(incidents, missing));
        patterns
            .extend(after_changes(receipts, |component| show("alert_timeline", window, &[("component", component)])));
        let recurring = self.ask("recurring_patterns", window, &[("min", DAYS_MIN)], missing).unwrap_or_default();
        patterns.extend(recurring.iter().filter_map(|row| recurring_pattern(row, window)));
        let patterns = strongest(patterns);
        if patterns.len() < PATTERNS_MIN {
            missing.push(Missing {
                what: format!("the evidence tells {} of the three to five patterns", patterns.len()),
                show: Some(show("recurring_patterns", window, &[("min", DAYS_MIN)])),
            });
        }
        patterns
    }

    /// The incidents that receipts of a window tell of, as far as they were opened in it.
    fn incidents_of(&self, receipts: &[Recorded], window: Window) -> Result<Vec<Incident>> {
        let told = receipts.iter().filter(|told| told.receipt.kind() == "incident");
        let references: BTreeSet<&str> = told.filter_map(|told| told.receipt.text("reference")).collect();
        let mut incidents = Vec::new();
        for reference in references {
            incidents.extend(self.incident_of(reference.to_owned())?);
        }
        incidents.retain(|incident| window.contains(incident.opened.occurred_at()));
        incidents.sort_by_key(|incident| (incident.opened.occurred_at(), incident.opened.id));
        Ok(incidents)
    }

    /// What incidents are blamed on.
    fn blamed(&self, incidents: Vec<Incident>, missing: &mut Vec<Missing>) -> Vec<Blamed> {
        let more = incidents.len().saturating_sub(INCIDENTS_MAX);
        if more > 0 {
            let what = format!("the causes of {more} more incidents were not looked for");
            missing.push(Missing { what, show: Some("/v1/incidents".to_owned()) });
        }
        let mut blamed = Vec::new();
        for incident in incidents.into_iter().take(INCIDENTS_MAX) {
            let path = format!("/v1/incidents/{}/why", incident.reference);
            let answer = match self.investigate(&incident.question(), LOOKBACK_DEFAULT) {
                Ok((answer, _)) => answer,
                Err(error) => {
                    let what = format!("the cause of {} was not found: {}", incident.reference, error.message());
                    missing.push(Missing { what, show: Some(path) });
                    continue;
                }
            };
            let stated = incident.latest("rootCause");
            let found = answer.ranked.first().filter(|_| answer.verdict != Verdict::Inconclusive);
            // Who states a cause, and confirms none elsewhere, speaks of the component itself.
            let found = found.filter(|_| stated.is_none() || answer.verdict == Verdict::Confirmed);
            let (Some(component), Some(cause)) = (
                found.map(|cause| cause.component.as_str()).or(incident.opened.receipt.component()),
                stated.or(found.map(|cause| cause.summary.as_str())),
            ) else {
                let what = format!("the cause of {} is not known", incident.reference);
                missing.push(Missing { what, show: Some(path) });
                continue;
            };
            let mut receipts: Vec<ReceiptId> = vec![incident.opened.id];
            let states = incident.updates.iter().rev().find(|told| told.receipt.text("rootCause").is_some());
            receipts.extend(states.map(|told| told.id));
            receipts.extend(found.and_then(|cause| cause.receipt));
            receipts.extend(found.iter().flat_map(|cause| &cause.terms).flat_map(|term| term.receipts.iter().copied()));
            receipts.truncate(CITED_MAX);
            blamed.push(Blamed {
                component: component.to_owned(),
                cause: cause.to_owned(),
                is_told: stated.is_some() || answer.verdict == Verdict::Confirmed,
                fix: incident.latest("fix").map(str::to_owned),
                incident: incident.reference,
                receipts,
                show: path,
            });
        }
        blamed
    }

    fn add_silences(&self, window: Window, missing: &mut Vec<Missing>) {
        for gap in self.ask("data_gaps", window, &[], missing).unwrap_or_default() {
            let text = |name: &str| gap[name].as_str().unwrap_or("?").to_owned();
            missing.push(Missing {
                what: format!("{} sent nothing from {} to {}", text("source"), text("gapStart"), text("gapEnd")),
                show: Some(show("data_gaps", window, &[("source", &text("source"))])),
            });
        }
    }

    /// The rows of a canned query; one that fails is missing.
    fn ask(&self, query: &str, window: Window, more: &[(&str, &str)], missing: &mut Vec<Missing>) -> Option<Vec<Json>> {
        let given = [("from", window.from.to_string()), ("to", window.to.to_string())];
        let more_given = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        match self.query(query, given.into_iter().chain(more_given)) {
            Ok(answered) => Some(answered.rows.to_json(&self.vocabulary)),
            Err(error) => {
                let what = format!("{query} gave no answer: {}", error.message());
                missing.push(Missing { what, show: Some(show(query, window, more)) });
                None
            }
        }
    }
}

/// Incidents of a window, each once, whatever was told of it again later.
fn opened(incidents: &[Incident], window: Window) -> Vec<Opened> {
    let has = |told: &&Recorded, status: &str| told.receipt.text("status") == Some(status);
    let opened = |incident: &Incident| {
        let mut told = incident.receipts();
        let first = told.find(|told| has(told, "open"))?;
        let resolved = told.find(|told| has(told, "resolved") && window.contains(told.occurred_at()));
        Some(Opened {
            detected_at: first.receipt.time("detectedAt").unwrap_or_else(|| first.occurred_at()),
            resolved_at: resolved.map(Recorded::occurred_at),
        })
    };
    incidents.iter().filter_map(opened).collect()
}

fn recurring_pattern(row: &Json, window: Window) -> Option<Pattern> {
    let text = |name: &str| row[name].as_str();
    let (kind, component, subject) = (text("kind")?, text("component")?, text("subject")?);
    let days = usize::try_from(row["days"].as_u64()?).ok()?;
    let hours = text("hours").unwrap_or_default();
    Some(Pattern {
        origin: Origin::Recurring,
        title: format!("{kind} {subject} of {component} comes again"),
        statement: format!("{} times on {days} days, at these hours UTC: {hours}", row["occurrences"]),
        component: component.to_owned(),
        occurrences: days,
        last_fix: text("lastFix").map(str::to_owned),
        receipts: text("lastReceipt").and_then(|id| id.parse().ok()).into_iter().collect(),
        show: show("recurring_patterns", window, &[("component", component), ("min", DAYS_MIN)]),
    })
}

/// Path of a canned query over a window.
fn show(query: &str, window: Window, more: &[(&str, &str)]) -> String {
    let mut pairs = form_urlencoded::Serializer::new(String::new());
    pairs.append_pair("from", &window.from.to_string()).append_pair("to", &window.to.to_string()).extend_pairs(more);
    format!("/v1/queries/{query}?{}", pairs.finish())
}
