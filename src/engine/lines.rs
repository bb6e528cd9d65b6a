//! What has a value for each step of a window: a series that is kept, or a histogram whose buckets are kept.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::Engine;
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::measure::Series;
use crate::measure::crossing::HOLDS;
use crate::measure::histogram::{self, of_bucket, quantiles};
use crate::measure::read::{Statistic, minutes, steps};
use crate::measure::store::Known;

/// A metric of one component and one set of labels.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it is of.
    pub known: Arc<Known>,
    kept: Kept,
}

#[derive(Debug, Clone)]
enum Kept {
    /// Under this number.
    Series(u32),
    /// By bound, each bucket under its number.
    Buckets(Vec<(f64, u32)>),
}

impl Line {
    /// The series with this number.
    pub fn of_series(number: u32, known: Arc<Known>) -> Self {
        Self { known, kept: Kept::Series(number) }
    }

    /// The number of the series; of a histogram that of one of its buckets.
    pub(super) fn number(&self) -> u32 {
        match &self.kept {
            Kept::Series(number) => *number,
            Kept::Buckets(buckets) => buckets.first().map_or(u32::MAX, |(_, number)| *number),
        }
    }

    pub(super) fn is_series(&self) -> bool {
        matches!(self.kept, Kept::Series(_))
    }

    /// Which number tells a step when nobody says.
    pub fn statistic(&self) -> Statistic {
        match self.kept {
            Kept::Series(_) => Statistic::of(self.known.series.kind),
            Kept::Buckets(_) => histogram::STATISTIC,
        }
    }
}

impl Engine {
    /// The series of `metric` that `wanted` picks; where there are none, the histograms of that name.
    pub fn lines(&self, metric: &str, wanted: impl Fn(&Series) -> bool) -> Vec<Line> {
        let own = self.series(|series| series.metric == metric && wanted(series)).into_iter();
        let own: Vec<Line> = own.map(|(number, known)| Line::of_series(number, known)).collect();
        if own.is_empty() { self.histograms(metric, wanted) } else { own }
    }

    fn histograms(&self, metric: &str, wanted: impl Fn(&Series) -> bool) -> Vec<Line> {
        let buckets = self.series(|series| series.metric.strip_prefix(metric) == Some(histogram::SUFFIX));
        let mut histograms: BTreeMap<Series, Line> = BTreeMap::new();
        for (number, known) in buckets {
            let Some((series, bound)) = of_bucket(&known.series).filter(|(series, _)| wanted(series)) else { continue };
            let line = histograms.entry(series).or_insert_with_key(|series| {
                let known = Known { series: series.clone(), unit: known.unit.clone() };
                Line { known: Arc::new(known), kept: Kept::Buckets(Vec::new()) }
            });
            if let Kept::Buckets(buckets) = &mut line.kept {
                buckets.push((bound, number));
            }
        }
        histograms.into_values().collect()
    }

    /// The statistic of each minute of a window; none of a histogram that has no such statistic.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub(super) fn minutes_of_line(
        &self,
        line: &Line,
        window: Range<Timestamp>,
        statistic: Statistic,
    ) -> Result<Vec<(Timestamp, f64)>> {
        // A counter rises from the reading before.
        let since = ago(window.start, HOLDS);
        let of = |number: u32, statistic: Statistic| -> Result<Vec<(Timestamp, f64)>> {
            let mut values = minutes(&self.minutes_of(number, since..window.end)?, statistic);
            values.retain(|(at, _)| *at >= window.start);
            Ok(values)
        };
        match (&line.kept, statistic) {
            (Kept::Series(number), statistic) => of(*number, statistic),
            (Kept::Buckets(buckets), Statistic::Quantile(share)) => {
                let increase = |(bound, number): &(f64, u32)| Ok((*bound, of(*number, Statistic::Increase)?));
                Ok(quantiles(share, &buckets.iter().map(increase).collect::<Result<Vec<_>>>()?))
            }
            (Kept::Buckets(_), _) => Ok(Vec::new()),
        }
    }

    /// The statistic of each step of a window that has values, or the one that is usual for the line.
    ///
    /// # Errors
    /// `Invalid` when a histogram has no such statistic, `Internal` when the disk fails.
    pub fn values(
        &self,
        line: &Line,
        window: &Range<Timestamp>,
        step: u32,
        statistic: Option<Statistic>,
    ) -> Result<Vec<(Timestamp, f64)>> {
        let statistic = statistic.unwrap_or(line.statistic());
        let of = |number: u32, statistic: Statistic| -> Result<Vec<(Timestamp, f64)>> {
            Ok(steps(&self.slots(number, window.clone())?, window, step, statistic))
        };
        match (&line.kept, statistic) {
            (Kept::Series(number), statistic) => of(*number, statistic),
            (Kept::Buckets(buckets), Statistic::Quantile(share)) => {
                let increase = |(bound, number): &(f64, u32)| Ok((*bound, of(*number, Statistic::Increase)?));
                Ok(quantiles(share, &buckets.iter().map(increase).collect::<Result<Vec<_>>>()?))
            }
            (Kept::Buckets(_), other) => Err(histogram::no_such(&line.known.series.metric, other)),
        }
    }
}
