//! What has a value for each step of a window: a series that is kept, or a histogram whose buckets are kept.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Series;
use super::histogram::{self, of_bucket, of_sum};
use super::read::Statistic;
use super::store::Known;

/// A metric of one component and one set of labels.
#[derive(Debug, Clone)]
pub struct Line {
    /// What it is of.
    pub known: Arc<Known>,
    /// Where its values are.
    pub kept: Kept,
}

/// Where the values of a line are.
#[derive(Debug, Clone)]
pub enum Kept {
    /// In the series with this number.
    Series(u32),
    /// In the series of a histogram.
    Buckets(Buckets),
}

/// The series that tell a histogram.
#[derive(Debug, Clone, Default)]
pub struct Buckets {
    /// By bound, the smallest first, the number of each bucket; there is one at least.
    pub bounds: Vec<(f64, u32)>,
    /// Number of the sum of all values, if it is told.
    pub sum: Option<u32>,
}

impl Buckets {
    /// Does the last bucket count all values?
    pub fn count_all(&self) -> bool {
        self.bounds.last().is_some_and(|(bound, _)| *bound == f64::INFINITY)
    }
}

impl Line {
    /// The series with this number.
    pub fn of_series(number: u32, known: Arc<Known>) -> Self {
        Self { known, kept: Kept::Series(number) }
    }

    /// The number of the series; of a histogram that of its last bucket.
    pub fn number(&self) -> u32 {
        match &self.kept {
            Kept::Series(number) => *number,
            Kept::Buckets(buckets) => buckets.bounds.last().map_or(u32::MAX, |(_, number)| *number),
        }
    }

    /// The buckets of a histogram that is told in them.
    pub fn buckets(&self) -> Option<&Buckets> {
        match &self.kept {
            Kept::Series(_) => None,
            Kept::Buckets(buckets) => Some(buckets),
        }
    }

    /// How many series tell it.
    pub fn weight(&self) -> usize {
        match &self.kept {
            Kept::Series(_) => 1,
            Kept::Buckets(buckets) => buckets.bounds.len() + usize::from(buckets.sum.is_some()),
        }
    }

    /// Is it a series of its own?
    pub fn is_series(&self) -> bool {
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

/// The histograms that buckets and sums are of, as far as `wanted` picks them.
pub fn histograms(parts: Vec<(u32, Arc<Known>)>, wanted: impl Fn(&Series) -> bool) -> Vec<Line> {
    let mut found: BTreeMap<Series, (Option<String>, Buckets)> = BTreeMap::new();
    for (number, known) in parts {
        if let Some((series, bound)) = of_bucket(&known.series).filter(|(series, _)| wanted(series)) {
            let (unit, buckets) = found.entry(series).or_default();
            *unit = unit.take().or_else(|| known.unit.clone());
            buckets.bounds.push((bound, number));
        } else if let Some(series) = of_sum(&known.series).filter(&wanted) {
            found.entry(series).or_default().1.sum = Some(number);
        }
    }
    found.retain(|_, (_, buckets)| !buckets.bounds.is_empty());
    let line = |(series, (unit, mut buckets)): (Series, (Option<String>, Buckets))| {
        buckets.bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        Line { known: Arc::new(Known { series, unit }), kept: Kept::Buckets(buckets) }
    };
    found.into_iter().map(line).collect()
}

/// Both without what is told twice: where a component has series and histograms of one metric, the series count when any
/// of them `is_told`, and else the histograms.
///
/// # Errors
/// Those of `is_told`, which is asked of such components only.
pub fn each_once<E>(
    mut series: Vec<Line>,
    mut histograms: Vec<Line>,
    is_told: impl Fn(&Line) -> Result<bool, E>,
) -> Result<Vec<Line>, E> {
    if histograms.is_empty() {
        return Ok(series);
    }
    let name = |line: &Line| (line.known.series.metric.clone(), line.known.series.component.clone());
    let in_buckets: BTreeSet<(String, String)> = histograms.iter().map(name).collect();
    let (mut twice, mut told) = (BTreeSet::new(), BTreeSet::new());
    for line in &series {
        let name = name(line);
        if in_buckets.contains(&name) {
            if !told.contains(&name) && is_told(line)? {
                told.insert(name.clone());
            }
            twice.insert(name);
        }
    }
    series.retain(|line| !twice.contains(&name(line)) || told.contains(&name(line)));
    histograms.retain(|line| !told.contains(&name(line)));
    series.append(&mut histograms);
    Ok(series)
}
