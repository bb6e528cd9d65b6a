//! Experiments: their receipts and the series of both sides, for `analyse::experiment` to judge.

mod outcome;

use std::collections::BTreeMap;

use chrono::TimeDelta;

use super::Engine;
use super::pooled::{Pooled, path};
use crate::analyse::compare::{Sample, compare};
use crate::analyse::experiment::{Baseline, Experiment, Findings, Told, findings};
use crate::clock::{Timestamp, ago};
use crate::error::{Error, Result};
use crate::measure::read::Statistic;
use crate::receipt::{ReceiptId, Value};
use crate::record::{Recorded, Window, standing};
use crate::slo::Selector;

/// How long a canary runs when nobody says.
const RUNS: TimeDelta = TimeDelta::hours(2);
/// How long before it the baseline is taken.
const BEFORE: TimeDelta = TimeDelta::hours(1);
const BEFORE_SECONDS: u32 = 3_600;
/// Experiments of one list.
const EXPERIMENTS_MAX: usize = 1_000;

/// One side of an experiment.
#[derive(Debug, Clone, Copy)]
enum Arm {
    Control,
    Canary,
}

impl Arm {
    /// Name of the arm and of its fields: labels, values.
    fn fields(self) -> (&'static str, &'static str) {
        match self {
            Self::Control => ("control", "controlValues"),
            Self::Canary => ("canary", "canaryValues"),
        }
    }
}

/// The receipts of one experiment, oldest first.
struct Receipts {
    /// What was said of it, at least once.
    told: Vec<Recorded>,
    /// What naze kept of its outcome.
    kept: Vec<Recorded>,
}

impl Receipts {
    /// Nothing where nobody said anything of it.
    fn of(receipts: Vec<Recorded>) -> Option<Self> {
        let (kept, told): (Vec<_>, Vec<_>) = receipts.into_iter().partition(outcome::is_kept);
        (!told.is_empty()).then_some(Self { told, kept })
    }

    fn all(&self) -> impl Iterator<Item = &Recorded> {
        self.told.iter().chain(&self.kept)
    }

    /// What was said last of a field.
    fn latest(&self, field: &str) -> Option<&Value> {
        self.told.iter().rev().find_map(|recorded| recorded.receipt.first(field))
    }

    fn text(&self, field: &str) -> Option<String> {
        self.latest(field).and_then(Value::as_text).map(str::to_owned)
    }

    fn number(&self, field: &str) -> Option<f64> {
        self.latest(field).and_then(Value::as_number)
    }

    fn time(&self, field: &str) -> Option<Timestamp> {
        self.latest(field).and_then(Value::as_time)
    }

    fn component(&self) -> &str {
        self.told.iter().find_map(|recorded| recorded.receipt.component()).unwrap_or_default()
    }

    fn experiment(&self) -> Experiment {
        let first = &self.told[0];
        let starts_at = self.time("startsAt").unwrap_or_else(|| first.occurred_at());
        let has_values = self.latest("canaryValues").is_some();
        let runs = if has_values { TimeDelta::zero() } else { RUNS };
        let ends_at = self.time("endsAt").or_else(|| starts_at.checked_add(runs)).unwrap_or(starts_at);
        let outcome = |recorded: &&Recorded| {
            ["result", "actualPercent"].iter().any(|field| recorded.receipt.first(field).is_some())
        };
        let told = self.told.iter().rev().find(outcome).map(|recorded| Told {
            result: recorded.receipt.text("result").map(str::to_owned),
            actual_percent: recorded.receipt.number("actualPercent"),
            summary: recorded.receipt.text("summary").map(str::to_owned),
            receipt: recorded.id,
        });
        Experiment {
            reference: self.text("reference").unwrap_or_else(|| first.id.to_string()),
            component: self.component().to_owned(),
            owner: self.text("actor"),
            hypothesis: self.text("hypothesis").unwrap_or_default(),
            action: self.text("action"),
            reason: self.text("reason"),
            metric: self.text("metric"),
            statistic: self.text("statistic"),
            expected_percent: self.number("expectedPercent"),
            starts_at,
            ends_at,
            told,
            receipts: self.all().map(|recorded| recorded.id).collect(),
        }
    }

    /// Values that were sent along.
    fn values(&self, arm: Arm) -> Option<Sample> {
        let text = self.text(arm.fields().1)?;
        Some(Sample::independent(text.split_whitespace().filter_map(|word| word.parse().ok())))
    }

    /// The series of an arm; `None` for all of the metric and component.
    fn selector(&self, arm: Option<Arm>) -> Result<Selector, String> {
        let metric = self.text("metric").ok_or("metric: what is measured")?;
        let statistic = self.text("statistic").map(|text| text.parse::<Statistic>()).transpose();
        let statistic = statistic.map_err(|error| error.in_a_line())?;
        let mut selector =
            Selector { metric, component: Some(self.component().to_owned()), labels: BTreeMap::new(), statistic };
        let Some(arm) = arm else { return Ok(selector) };
        let (labels, values) = arm.fields();
        let text = self.text(labels).ok_or_else(|| {
            format!("{labels}: the labels of its series, such as version=2.8.0; or {values}: what was measured")
        })?;
        for pair in text.split(',') {
            let (name, value) = pair.split_once('=').ok_or_else(|| format!("{labels}: \"{pair}\" is no name=value"))?;
            let (name, value) = (name.trim(), value.trim().to_owned());
            if name == "component" {
                selector.component = Some(value);
            } else {
                selector.labels.insert(name.to_owned(), vec![value]);
            }
        }
        Ok(selector)
    }
}

impl Engine {
    /// What the evidence says at `at` of the experiment with this reference, or of which this is a receipt.
    ///
    /// # Errors
    /// `NotFound` when there is none.
    pub fn experiment(&self, name: &str, at: Timestamp) -> Result<Findings> {
        let id = name.parse::<ReceiptId>().ok();
        let is_named = |receipts: &Receipts| {
            receipts.text("reference").as_deref() == Some(name)
                || receipts.all().any(|recorded| Some(recorded.id) == id)
        };
        let found = self.all_experiments()?.into_iter().find(is_named).ok_or_else(|| {
            Error::not_found(format!("there is no experiment \"{name}\"")).hint("GET /v1/experiments lists them")
        })?;
        self.judged_experiment(&found, at)
    }

    /// All experiments as of `at`, newest first.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn experiments(&self, at: Timestamp) -> Result<Vec<Findings>> {
        let mut all = self.all_experiments()?;
        all.sort_by_key(|receipts| std::cmp::Reverse((receipts.told[0].occurred_at(), receipts.told[0].id)));
        all.iter().take(EXPERIMENTS_MAX).map(|receipts| self.judged_experiment(receipts, at)).collect()
    }

    fn all_experiments(&self) -> Result<Vec<Receipts>> {
        let mut by_name: BTreeMap<String, Vec<Recorded>> = BTreeMap::new();
        for recorded in standing(self.index.of_kind("experiment", Window::ALL)?) {
            let name = recorded.receipt.text("reference").map_or_else(|| recorded.id.to_string(), str::to_owned);
            by_name.entry(name).or_default().push(recorded);
        }
        Ok(by_name.into_values().filter_map(Receipts::of).collect())
    }

    fn judged_experiment(&self, receipts: &Receipts, at: Timestamp) -> Result<Findings> {
        let experiment = receipts.experiment();
        let window = Window { from: experiment.starts_at, to: experiment.ends_at.min(at).max(experiment.starts_at) };
        let mut show = Vec::new();
        let mut sides = Vec::new();
        for arm in [Arm::Control, Arm::Canary] {
            sides.push(self.side(receipts, arm, window, &mut show)?);
        }
        if experiment.ends_at <= at
            && let Some(outcome::Kept { baseline, compared }) = self.outcome(receipts, &experiment)?
        {
            return Ok(findings(experiment, at, baseline, Ok(compared), show));
        }
        let canary = sides.pop().expect("two arms were read");
        let control = sides.pop().expect("two arms were read");
        let compared = control.and_then(|control| compare(&control, &canary?));
        let baseline = self.baseline(receipts, experiment.starts_at)?;
        Ok(findings(experiment, at, baseline, compared, show))
    }

    fn side(
        &self,
        receipts: &Receipts,
        arm: Arm,
        window: Window,
        show: &mut Vec<String>,
    ) -> Result<Result<Sample, String>> {
        if let Some(values) = receipts.values(arm) {
            return Ok(Ok(values));
        }
        let selector = match receipts.selector(Some(arm)) {
            Ok(selector) => selector,
            Err(missing) => return Ok(Err(missing)),
        };
        show.push(path(&selector, window));
        let Some(line) = self.pooled(&selector, window)? else {
            return Ok(Err(format!("there is no series of {} for the {}", selector.metric, arm.fields().0)));
        };
        let minutes = line.minutes().map_err(|error| error.in_a_line());
        Ok(minutes.map(|minutes| Sample::series(minutes.into_iter().map(|(_, value)| value))))
    }

    fn baseline(&self, receipts: &Receipts, starts_at: Timestamp) -> Result<Option<Baseline>> {
        let window = Window { from: ago(starts_at, BEFORE), to: starts_at };
        let Ok(selector) = receipts.selector(None) else { return Ok(None) };
        Ok(self.pooled(&selector, window)?.and_then(|line| told(&line, window)))
    }
}

fn told(line: &Pooled, window: Window) -> Option<Baseline> {
    let minutes: Vec<f64> = line.minutes().ok()?.into_iter().map(|(_, value)| value).collect();
    let summary = crate::analyse::trend::Summary::of(&minutes)?;
    let whole = |statistic| line.steps(BEFORE_SECONDS, statistic).ok()?.first().map(|(_, value)| *value);
    let of_values = |share, of_minutes| {
        if line.is_distribution() { whole(Statistic::Quantile(share)).unwrap_or(of_minutes) } else { of_minutes }
    };
    let per_minute = match (line.is_distribution(), line.counts()) {
        (true, _) => whole(Statistic::Count).map(|count| count / 60.0),
        (false, true) => whole(Statistic::Rate).map(|rate| rate * 60.0),
        (false, false) => None,
    };
    Some(Baseline {
        from: window.from,
        to: window.to,
        mean: if line.is_distribution() { whole(Statistic::Mean).unwrap_or(summary.mean) } else { summary.mean },
        p95: of_values(0.95, summary.p95),
        p99: of_values(0.99, summary.p99),
        throughput_per_minute: per_minute,
    })
}
