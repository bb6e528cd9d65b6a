//! Are promises kept? Series in, answers out.

mod judged;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;

use super::Engine;
use crate::analyse::slo::chronic::Chronic;
use crate::analyse::slo::prometheus::{Watched, rules_file};
use crate::analyse::slo::report::{Asked, Told};
use crate::analyse::slo::{Overall, PhaseStatus, overall, phase_at};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::measure::Kind;
use crate::query::KeptObjective;
use crate::slo::{Entry, Measure, Objective, Selector};

/// Objectives are told by the minute.
const A_MINUTE: Duration = Duration::from_mins(1);

/// How an SLO is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SloStatus {
    /// Its name.
    pub name: String,
    /// Its name for people.
    pub display_name: Option<String>,
    /// The service that makes the promise.
    pub service: String,
    /// The file that defines it; `naze` when it is one that naze ships.
    pub file: String,
    /// How long its window is.
    pub window: String,
    /// When the window begins.
    pub from: Option<Timestamp>,
    /// Up to when it is told.
    pub to: Timestamp,
    /// Each of its objectives.
    pub objectives: Vec<ObjectiveStatus>,
    /// What keeps naze from telling more.
    pub problems: Vec<String>,
}

/// How one objective of an SLO is kept.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectiveStatus {
    /// Name of the SLO, with its number when there are several objectives.
    pub name: String,
    /// What is told of it.
    #[serde(flatten)]
    pub told: Told,
    /// Which of its growing targets it is held against now.
    pub phase: Option<PhaseStatus>,
    /// Whether it is missed again and again, and what can be done.
    pub chronic: Option<Chronic>,
}

/// All SLOs, and all in one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SlosStatus {
    /// As of when.
    pub at: Timestamp,
    /// Each, by name.
    pub slos: Vec<SloStatus>,
    /// All of them.
    pub overall: Overall,
}

impl Engine {
    /// How all SLOs are kept, as of the last minute.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn slos(&self) -> Result<Arc<SlosStatus>> {
        let age_max = if self.told_again().is_zero() { Duration::ZERO } else { A_MINUTE };
        self.slos.get(age_max, || self.slos_at(self.clock.now()))
    }

    /// How all SLOs are kept at some time. Those that naze ships are left out unless their metric is measured.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn slos_at(&self, at: Timestamp) -> Result<SlosStatus> {
        let watching = self.watching();
        let entries = watching.slos.iter().filter(|entry| !entry.is_shipped || self.is_measured(entry));
        let slos: Vec<SloStatus> = entries.map(|entry| self.slo_at(entry, at)).collect::<Result<_>>()?;
        let of_all = slos.iter().flat_map(|slo| &slo.objectives);
        let evaluations: Vec<_> =
            of_all.map(|objective| (objective.name.as_str(), &objective.told.evaluation)).collect();
        let overall = overall(&evaluations);
        Ok(SlosStatus { at, slos, overall })
    }

    /// How all objectives are kept at some time, for queries.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub(super) fn objectives_kept(&self, at: Timestamp) -> Result<Vec<KeptObjective>> {
        let kept = |service: &str, objective: ObjectiveStatus| {
            let Told { evaluation, weekly, .. } = objective.told;
            KeptObjective {
                name: objective.name,
                service: service.to_owned(),
                target: evaluation.target,
                attainment: evaluation.attainment,
                budget_left: evaluation.budget.map(|budget| budget.remaining.raw),
                weeks: [weekly.current, weekly.previous],
                chronic: objective.chronic.map(|chronic| (chronic.missed, chronic.of, chronic.advice.join("; "))),
            }
        };
        let slos = self.slos_at(at)?.slos;
        Ok(slos
            .into_iter()
            .flat_map(|slo| slo.objectives.into_iter().map(move |one| kept(&slo.service, one)))
            .collect())
    }

    /// How an SLO is kept at some time.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn slo_at(&self, entry: &Entry, at: Timestamp) -> Result<SloStatus> {
        let slo = &entry.definition;
        let watching = self.watching();
        let mut problems = Problems::default();
        let span = slo.window().span();
        let range = slo.window().at(at);
        if range.is_none() {
            problems.tell("its first window has not begun".to_owned());
        }
        let phase = slo.phases.as_ref().map(|phases| phase_at(&phases.steps, phases.start, at)).transpose()?;
        let told = |(name, objective): (String, &Objective)| {
            let window = range.clone().unwrap_or(at..at);
            let target = phase.map_or(objective.target, |(phase, _)| phase.target);
            let objective = &Objective { target, ..objective.clone() };
            let (budgeting, counts_outliers) = (slo.budgeting, slo.counts_outliers);
            let palette = &watching.palette;
            let asked = Asked { objective, budgeting, counts_outliers, span, window, palette };
            let told = self.objective_at(name, &slo.indicator.measure, &asked, &mut problems)?;
            Ok(ObjectiveStatus { phase: phase.map(|(_, status)| status), ..told })
        };
        let objectives = slo.named().map(told).collect::<Result<_>>()?;
        Ok(SloStatus {
            name: slo.name.clone(),
            display_name: slo.display_name.clone(),
            service: slo.service.clone(),
            file: entry.file.clone(),
            window: span.to_string(),
            from: range.map(|range| range.start),
            to: at,
            objectives,
            problems: problems.0,
        })
    }

    /// Rules that let Prometheus watch all SLOs that it can; remarks say why it cannot watch others.
    pub fn slo_rules(&self) -> String {
        let is_level = |selector: &Selector| {
            let found = self.series(|series| selector.has(series));
            !found.is_empty() && found.iter().all(|(_, known)| known.series.kind == Kind::Gauge)
        };
        let (mut groups, mut remarks) = (Vec::new(), String::new());
        let watching = self.watching();
        for entry in watching.slos.iter().filter(|entry| !entry.is_shipped || self.is_measured(entry)) {
            for (name, objective) in entry.definition.named() {
                let rules = Watched::of(&entry.definition, name.clone(), objective, is_level);
                match rules.and_then(|watched| watched.rules()) {
                    Ok(group) => groups.push(group),
                    Err(error) => remarks.push_str(&remark(&name, &error)),
                }
            }
        }
        remarks + &rules_file(&groups)
    }

    fn is_measured(&self, entry: &Entry) -> bool {
        let selector = entry.definition.indicator.measure.whole().selector.as_ref();
        selector.is_some_and(|selector| self.has_line(&selector.metric, |series| selector.has(series)))
    }

    fn objective_at(
        &self,
        name: String,
        measure: &Measure,
        asked: &Asked<'_>,
        problems: &mut Problems,
    ) -> Result<ObjectiveStatus> {
        let frame = asked.frame()?;
        let judged = self.judged(measure, asked, frame, problems)?;
        let told = asked.told(&frame, &judged)?;
        Ok(ObjectiveStatus { name, told, phase: None, chronic: asked.chronic(&frame, &judged.minutes)? })
    }
}

/// Why there are no rules, as comments of a rules file.
fn remark(name: &str, error: &Error) -> String {
    let told = std::iter::once(error.message()).chain(error.hints().iter().map(String::as_str));
    format!("# {name}: no rules: {}\n", told.collect::<Vec<_>>().join("; ").replace(char::is_control, " "))
}

/// What keeps naze from telling more, each once.
#[derive(Default)]
struct Problems(Vec<String>);

impl Problems {
    fn tell(&mut self, problem: String) {
        if !self.0.contains(&problem) {
            self.0.push(problem);
        }
    }

    fn extend(&mut self, problem: Option<String>) {
        problem.into_iter().for_each(|problem| self.tell(problem));
    }
}
