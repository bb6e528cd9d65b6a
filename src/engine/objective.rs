//! Are promises kept? Series in, answers out.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use serde::Serialize;

use super::Engine;
use crate::analyse::slo::chronic::Chronic;
use crate::analyse::slo::frame::{Frame, Minutes, add};
use crate::analyse::slo::judge::{Divided, Judged, computed, ratio};
use crate::analyse::slo::prometheus::{Watched, rules_file};
use crate::analyse::slo::report::{Asked, Told};
use crate::analyse::slo::{Count, Overall, PhaseStatus, overall, phase_at};
use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::measure::Kind;
use crate::measure::read::Statistic;
use crate::measure::store::{Known, Slot};
use crate::query::KeptObjective;
use crate::slo::{Entry, Measure, Metric, Objective, Quality, Selector};

/// Series that one metric of an objective may have; of more, some are left out, and the answer says so.
const SERIES_MAX: usize = 1_000;
/// Objectives are told by the minute.
const A_MINUTE: Duration = Duration::from_mins(1);
/// How far before a window the last reading of a counter is looked for.
const READING_BEFORE: TimeDelta = TimeDelta::hours(2);

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
            let asked = Asked { objective, budgeting, counts_outliers, span, window };
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
        selector.is_some_and(|selector| !self.series(|series| selector.has(series)).is_empty())
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

    fn judged(&self, measure: &Measure, asked: &Asked<'_>, frame: Frame, problems: &mut Problems) -> Result<Judged> {
        let minutes = match measure {
            Measure::Ratio { quality, events, total, .. } => {
                let events = self.events(events, frame, problems)?;
                ratio(*quality, &events, &self.events(total, frame, problems)?)
            }
            Measure::Computed { quality, ratio } => self.shares(*quality, ratio, frame, problems)?,
            Measure::Values(metric) => return self.divided(metric, asked, frame, problems),
        };
        Ok(Judged::of(minutes))
    }
}

impl Engine {
    /// How many events a metric tells of each minute, of all its series.
    fn events(&self, metric: &Metric, frame: Frame, problems: &mut Problems) -> Result<Minutes<f64>> {
        let mut sums = vec![None; frame.minutes];
        self.each_series(metric, frame, problems, |known, _, slots, problems| {
            let kind = known.series.kind;
            if kind == Kind::Gauge {
                problems.tell(format!(
                    "{} is a gauge, which counts no events: write it as thresholdMetric, or as raw when it is a ratio",
                    known.series.metric
                ));
                return;
            }
            add(&mut sums, &frame.events(slots, kind), |a, b| a + b);
        })?;
        Ok(sums)
    }

    /// A ratio that was computed already.
    fn shares(
        &self,
        quality: Quality,
        metric: &Metric,
        frame: Frame,
        problems: &mut Problems,
    ) -> Result<Minutes<Count>> {
        let mut sums = vec![None; frame.minutes];
        self.each_series(metric, frame, problems, |known, selector, slots, problems| {
            let levels = frame.levels(slots, statistic(selector, known));
            if let Some(level) = levels.iter().flatten().find(|level| !(0.0..=1.0).contains(*level)) {
                let metric = &known.series.metric;
                problems.tell(format!("{metric} was {level}, which is no share from 0 to 1, and does not count"));
            }
            add(&mut sums, &computed(quality, &levels), |a, b| [a, b].into_iter().sum());
        })?;
        Ok(sums)
    }

    /// Values that the objective's threshold divides.
    fn divided(&self, metric: &Metric, asked: &Asked<'_>, frame: Frame, problems: &mut Problems) -> Result<Judged> {
        let Some(threshold) = asked.objective.threshold else {
            return Ok(Judged::of(vec![None; frame.minutes]));
        };
        let mut divided = Divided::new(frame, frame.places(&asked.window), threshold, asked.counts_outliers);
        self.each_series(metric, frame, problems, |known, selector, slots, _| {
            if known.series.kind == Kind::Distribution && selector.statistic.is_none() {
                divided.add_values(slots, asked.window.start);
            } else {
                divided.add_levels(frame.levels(slots, statistic(selector, known)));
            }
        })?;
        Ok(divided.judged(asked.objective.target))
    }

    /// Reads the series of a metric one by one.
    fn each_series(
        &self,
        metric: &Metric,
        frame: Frame,
        problems: &mut Problems,
        mut visit: impl FnMut(&Known, &Selector, &[Slot], &mut Problems),
    ) -> Result<()> {
        let Some(selector) = &metric.selector else {
            let source = metric.source_type.as_deref().or(metric.source.as_deref()).unwrap_or_default();
            problems.tell(format!("its metric is measured by {source}, not by naze"));
            return Ok(());
        };
        let found = self.series(|series| selector.has(series));
        if found.is_empty() {
            problems.tell(format!("there is no series of {} with its component and labels", selector.metric));
        }
        if found.len() > SERIES_MAX {
            problems.tell(format!("{} has more than {SERIES_MAX} series: the others are left out", selector.metric));
        }
        let window: Range<Timestamp> = frame.start.checked_add(-READING_BEFORE).unwrap_or(Timestamp::MIN)..frame.end();
        for (number, known) in found.into_iter().take(SERIES_MAX) {
            visit(&known, selector, &self.slots(number, window.clone())?, problems);
        }
        Ok(())
    }
}

/// Why there are no rules, as comments of a rules file.
fn remark(name: &str, error: &Error) -> String {
    let told = std::iter::once(error.message()).chain(error.hints().iter().map(String::as_str));
    format!("# {name}: no rules: {}\n", told.collect::<Vec<_>>().join("; ").replace(char::is_control, " "))
}

/// Which number tells a minute.
fn statistic(selector: &Selector, known: &Known) -> Statistic {
    selector.statistic.unwrap_or(Statistic::of(known.series.kind))
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
}
