//! How the system is, kept as series every time it is looked at: what naze concludes, and what it works out from receipts.
//! So thresholds, objectives, trends and reviews see it as they see what senders measure.

use std::ops::Range;

use super::{Engine, SELF};
use crate::analyse::health::{Health, Principle};
use crate::analyse::trend::Point;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::own::{HEALTH_SCORE, UP};
use crate::measure::read::{Statistic, each, steps};
use crate::measure::{Kind, Point as Sample, Samples, Series};

/// The reading of each principle, in its unit.
const READING: &str = "naze_health_reading";
/// How many entries of the ledger were examined when durations were last kept.
const EXAMINED: &str = "naze_health_entries_examined";
const MINUTE_SECONDS: u32 = 60;

impl Engine {
    /// Keeps that naze runs, and how the system is at `at`.
    ///
    /// # Errors
    /// `Unavailable` when the recorder is overloaded or receipts are still being read; the next call tries again.
    pub fn examine(&self, at: Timestamp) -> Result<()> {
        self.measure(SELF, vec![one(gauge(UP, []), Some("1".to_owned()), at, 1.0)])?;
        let mut kept = self.worked_out.lock();
        self.look_ahead(at)?;
        let view = self.view(at)?;
        let mut samples = concluded(&self.judge(&view)?, at);
        let looked = kept.look(view.worked_out(), at, &mut samples);
        let from = kept.entries().map_or_else(|| self.entries_examined(), Ok)?;
        let observed = self.exporter.observed(from);
        let entries = observed.last().map_or(from, |last| last.position + 1);
        if entries > from {
            samples.extend(observed.iter().map(super::worked_out::observation));
            // In the same batch: after a crash both are there or none.
            samples.push(one(gauge(EXAMINED, []), None, at, as_float(entries)));
        }
        self.measure(SELF, samples)?;
        kept.set(looked, entries);
        self.exporter.forget_observed(entries);
        Ok(())
    }

    /// What the reading of a principle was, by the minute.
    pub(super) fn past_reading(&self, principle: Principle, window: Range<Timestamp>) -> Result<Vec<Point>> {
        let is_it = |series: &Series| {
            series.metric == READING && series.labels.get("principle").is_some_and(|name| name == principle.name())
        };
        let Some((number, _)) = self.series(is_it).into_iter().next() else { return Ok(Vec::new()) };
        let slots = self.slots(number, window.clone())?;
        Ok(steps(&slots, &window, MINUTE_SECONDS, Statistic::Last).into_iter().map(Point::from).collect())
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it was a number of entries")]
    fn entries_examined(&self) -> Result<u64> {
        let Some((number, _)) = self.series(|series| series.metric == EXAMINED).into_iter().next() else {
            return Ok(0);
        };
        let slots = self.slots(number, Timestamp::MIN..Timestamp::MAX)?;
        Ok(each(&slots, Statistic::Last).last().map_or(0, |(_, entries)| *entries as u64))
    }
}

fn concluded(health: &Health, at: Timestamp) -> Vec<Samples> {
    let told = |metric: &str, label: &str, name: &str, unit: &str, value: Option<f64>| {
        let unit = (!unit.is_empty()).then(|| unit.to_owned());
        value.map(|value| one(gauge(metric, [(label, name)]), unit, at, value))
    };
    let readings = health
        .principles
        .iter()
        .map(|status| told(READING, "principle", status.principle.name(), status.unit, status.value));
    let scores = health
        .scores
        .iter()
        .map(|score| told(HEALTH_SCORE, "pillar", score.pillar.name(), "", score.score.map(|score| score.value)));
    readings.chain(scores).chain([told(HEALTH_SCORE, "pillar", "overall", "", health.overall)]).flatten().collect()
}

fn gauge<const N: usize>(metric: &str, labels: [(&str, &str); N]) -> Series {
    let labels = labels.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    Series { metric: metric.to_owned(), component: SELF.to_owned(), kind: Kind::Gauge, labels }
}

fn one(series: Series, unit: Option<String>, at: Timestamp, value: f64) -> Samples {
    Samples { series, unit, points: vec![Sample::once(at, value)] }
}

#[expect(clippy::cast_precision_loss, reason = "a ledger has far less than 2^53 entries")]
fn as_float(entries: u64) -> f64 {
    entries as f64
}
