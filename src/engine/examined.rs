//! The past of health: what it was is kept as series, every time it is examined.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{Engine, SELF};
use crate::analyse::health::{Health, Principle};
use crate::analyse::trend::Point;
use crate::clock::Timestamp;
use crate::error::Result;
use crate::measure::own::UP;
use crate::measure::read::{Statistic, steps};
use crate::measure::{Kind, Point as Sample, Samples, Series};

/// The reading of each principle, in its unit.
const READING: &str = "naze_health_reading";
/// The score of each pillar, and the overall one.
const SCORE: &str = "naze_health_score";
const MINUTE_SECONDS: u32 = 60;

impl Engine {
    /// Keeps that naze runs, and the scores and the readings of the principles as they are at `at`.
    ///
    /// # Errors
    /// `Unavailable` when the recorder is overloaded or receipts are still being read; the next call tries again.
    pub fn examine(&self, at: Timestamp) -> Result<()> {
        let up =
            Series { metric: UP.to_owned(), component: SELF.to_owned(), kind: Kind::Gauge, labels: BTreeMap::new() };
        let up = Samples { series: up, unit: Some("1".to_owned()), points: vec![Sample::once(at, 1.0)] };
        self.measure(SELF, vec![up])?;
        let health = self.judge(&self.view(at)?)?;
        self.measure(SELF, samples(&health, at)).map(drop)
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
}

fn samples(health: &Health, at: Timestamp) -> Vec<Samples> {
    let one = |metric: &str, label: &str, name: &str, unit: &str, value: Option<f64>| {
        let labels = [(label.to_owned(), name.to_owned())].into();
        let series = Series { metric: metric.to_owned(), component: SELF.to_owned(), kind: Kind::Gauge, labels };
        let unit = (!unit.is_empty()).then(|| unit.to_owned());
        value.map(|value| Samples { series, unit, points: vec![Sample::once(at, value)] })
    };
    let readings = health
        .principles
        .iter()
        .map(|status| one(READING, "principle", status.principle.name(), status.unit, status.value));
    let scores = health
        .scores
        .iter()
        .map(|score| one(SCORE, "pillar", score.pillar.name(), "", score.score.map(|score| score.value)));
    readings.chain(scores).chain([one(SCORE, "pillar", "overall", "", health.overall)]).flatten().collect()
}
