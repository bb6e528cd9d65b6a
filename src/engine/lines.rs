//! Lines of a metric, and their values.

use std::ops::Range;
use std::sync::Arc;

use chrono::TimeDelta;

use super::Engine;
use crate::clock::{Timestamp, ago};
use crate::error::Result;
use crate::measure::Series;
use crate::measure::crossing::HOLDS;
use crate::measure::histogram::{self, quantiles};
use crate::measure::line::{Buckets, Kept, Line, each_once, histograms};
use crate::measure::read::{Statistic, minutes, steps};
use crate::measure::store::Known;

/// Where a component tells a metric in values and in buckets, its values count unless they were silent for so long.
const SILENT: TimeDelta = TimeDelta::hours(24);

/// The time before `until` in which values have to be told to count beside buckets.
pub(super) fn lately(until: Timestamp) -> Range<Timestamp> {
    ago(until, SILENT)..until
}

impl Engine {
    /// The series of `metric` that `wanted` picks, and the histograms of that name of components that have none, or none
    /// with values in the day before `until`.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn lines(&self, metric: &str, wanted: impl Fn(&Series) -> bool, until: Timestamp) -> Result<Vec<Line>> {
        self.lines_told(metric, wanted, &lately(until))
    }

    /// The same; a component counts by its histograms where none of its series has values in `window`.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub(super) fn lines_told(
        &self,
        metric: &str,
        wanted: impl Fn(&Series) -> bool,
        window: &Range<Timestamp>,
    ) -> Result<Vec<Line>> {
        let own = self.series(|series| series.metric == metric && wanted(series));
        let parts = self.series(|series| histogram::named(&series.metric) == Some(metric));
        self.each_once(own, histograms(parts, wanted), window)
    }

    /// Does `metric` have a line that `wanted` picks?
    pub(super) fn has_line(&self, metric: &str, wanted: impl Fn(&Series) -> bool) -> bool {
        !self.series(|series| series.metric == metric && wanted(series)).is_empty()
            || !histograms(self.series(|series| histogram::named(&series.metric) == Some(metric)), wanted).is_empty()
    }

    /// The lines of all metrics that `wanted` picks. A histogram is one, and its buckets are none.
    ///
    /// # Errors
    /// `Internal` when the disk fails.
    pub fn all_lines(&self, wanted: impl Fn(&Series) -> bool, until: Timestamp) -> Result<Vec<Line>> {
        let own = self.series(|series| !series.is_bucket() && wanted(series));
        let parts = self.series(|series| histogram::named(&series.metric).is_some());
        self.each_once(own, histograms(parts, wanted), &lately(until))
    }

    fn each_once(
        &self,
        series: Vec<(u32, Arc<Known>)>,
        histograms: Vec<Line>,
        told_in: &Range<Timestamp>,
    ) -> Result<Vec<Line>> {
        let series = series.into_iter().map(|(number, known)| Line::of_series(number, known)).collect();
        each_once(series, histograms, |line| Ok(!self.slots(line.number(), told_in.clone())?.is_empty()))
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
            (Kept::Buckets(Buckets { bounds, .. }), Statistic::Quantile(share)) => {
                let increase = |(bound, number): &(f64, u32)| Ok((*bound, of(*number, Statistic::Increase)?));
                Ok(quantiles(share, &bounds.iter().map(increase).collect::<Result<Vec<_>>>()?))
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
            (Kept::Buckets(Buckets { bounds, .. }), Statistic::Quantile(share)) => {
                let increase = |(bound, number): &(f64, u32)| Ok((*bound, of(*number, Statistic::Increase)?));
                Ok(quantiles(share, &bounds.iter().map(increase).collect::<Result<Vec<_>>>()?))
            }
            (Kept::Buckets(_), other) => Err(histogram::no_such(&line.known.series.metric, other)),
        }
    }
}
