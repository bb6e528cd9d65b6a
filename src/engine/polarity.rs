//! Which way is good for a metric.

use super::Engine;
use crate::analyse::trend::Polarity;
use crate::export::prometheus::named;
use crate::measure::crossing::{Direction, Limit};
use crate::measure::own;

impl Engine {
    /// Which way is good: as was said of a metric of a user's own, as the table says of one that naze knows, and of any
    /// other as its thresholds tell. Nothing where neither way is good, and where nobody said.
    pub fn polarity(&self, metric: &str) -> Option<Polarity> {
        let watching = self.watching();
        if let Some(definition) = watching.definition(metric) {
            return Some(away_from(definition.worse));
        }
        if let Some(known) = named(metric) {
            return known.polarity;
        }
        if own::is_own(metric) {
            return own::worse(metric).map(away_from);
        }
        let of_metric = watching
            .thresholds()
            .find(|threshold| threshold.change.is_none() && threshold.metric.iter().any(|name| name == metric));
        let limit = of_metric.and_then(|threshold| threshold.critical.or(threshold.warning)).filter(Limit::is_ordered);
        limit.map(|limit| away_from(limit.direction()))
    }
}

fn away_from(worse: Direction) -> Polarity {
    match worse {
        Direction::Up => Polarity::LowerIsBetter,
        Direction::Down => Polarity::HigherIsBetter,
    }
}
