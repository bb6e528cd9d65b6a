//! What of each minute was good, by the kind of indicator.

use std::ops::Range;

use super::Count;
use super::frame::{Frame, Minutes, add};
use super::outlier::outliers;
use crate::clock::Timestamp;
use crate::measure::Kind;
use crate::measure::histogram::{Bucket, is_up_to, quantile};
use crate::measure::read::{Statistic, each};
use crate::measure::rollup::Rollup;
use crate::measure::store::Slot;
use crate::slo::{Quality, Threshold};

/// Good minutes of an indicator, and the value it had.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// Good ones out of all, minute by minute.
    pub minutes: Minutes<Count>,
    /// What divided values into good and bad ones, and the value that stands for the window.
    pub value: Option<(Threshold, Option<f64>)>,
    /// Minutes of the window that do not count, because their value is far above all others.
    pub outliers: usize,
}

impl Judged {
    /// Minutes without a value that stands for the window.
    pub fn of(minutes: Minutes<Count>) -> Self {
        Self { minutes, value: None, outliers: 0 }
    }
}

/// Events of one quality out of all events. What was counted before its total waits for it.
pub fn ratio(quality: Quality, events: &[Option<f64>], total: &[Option<f64>]) -> Minutes<Count> {
    let (mut waiting, mut good_whole, mut all_whole) = (0.0, Whole::default(), Whole::default());
    let minutes = events.iter().zip(total).map(|(events, total)| {
        let Some(total) = *total else {
            waiting = 0.0;
            return None;
        };
        let told = events.unwrap_or(0.0) + waiting;
        let counted = told.min(total);
        waiting = told - counted;
        let good = match quality {
            Quality::Good => counted,
            Quality::Bad => total - counted,
        };
        Some(Count::capped(good_whole.take(good), all_whole.take(total)))
    });
    minutes.collect()
}

/// Whole numbers of a sum of fractions.
#[derive(Default)]
struct Whole {
    rest: f64,
}

impl Whole {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a count, held at zero or above")]
    fn take(&mut self, more: f64) -> u64 {
        let sum = self.rest + more;
        // Sums of decimal fractions miss whole numbers by little.
        let whole = (sum + 1e-6).floor().max(0.0);
        self.rest = sum - whole;
        whole as u64
    }
}

/// A ratio that was computed already: of each minute that share was good. `None` is what is no share.
pub fn computed(quality: Quality, levels: &[Option<f64>]) -> Minutes<Count> {
    let share = |level: &f64| (0.0..=1.0).contains(level).then_some(*level);
    let good = |share: f64| match quality {
        Quality::Good => share,
        Quality::Bad => 1.0 - share,
    };
    levels.iter().map(|level| level.as_ref().and_then(share).map(|share| Count::share(good(share)))).collect()
}

/// Values that a threshold divides: those of a distribution one by one, all others as one for each minute and series.
#[derive(Debug, Clone)]
pub struct Divided {
    frame: Frame,
    /// The minutes of the window.
    window: Range<usize>,
    threshold: Threshold,
    /// Do outliers count?
    counts_outliers: bool,
    outliers: usize,
    minutes: Minutes<Count>,
    /// Of several series the worst value.
    levels: Minutes<f64>,
    /// How the values of the window were spread.
    spread: Option<Rollup>,
    /// The same of those told in buckets.
    buckets: Vec<Vec<Bucket>>,
}

impl Divided {
    /// Nothing yet of the minutes of `frame`, of which those at `window` are the objective's.
    pub fn new(frame: Frame, window: Range<usize>, threshold: Threshold, counts_outliers: bool) -> Self {
        let (minutes, levels) = (vec![None; frame.minutes], vec![None; frame.minutes]);
        Self {
            frame,
            window,
            threshold,
            counts_outliers,
            outliers: 0,
            minutes,
            levels,
            spread: None,
            buckets: Vec::new(),
        }
    }

    /// The values of a distribution; those from `window_start` stand for the window.
    pub fn add_values(&mut self, slots: &[Slot], window_start: Timestamp) {
        self.add(&self.frame.values(slots, self.threshold));
        for slot in slots.iter().filter(|slot| slot.start >= window_start) {
            match &mut self.spread {
                Some(spread) => spread.merge(&slot.rollup, 0),
                None => self.spread = Some(slot.rollup.clone()),
            }
        }
    }

    /// Values that are told in buckets, with the slots of each by its bound, the smallest first and that of all values
    /// last. Where the threshold lies
    /// between two bounds nobody knows on which side of it values are: those count as bad. Returns the bound that stands
    /// for the threshold.
    pub fn add_buckets(&mut self, buckets: &[(f64, Vec<Slot>)], window_start: Timestamp) -> Option<f64> {
        let (_, all) = buckets.last()?;
        let is_upper = self.threshold.is_upper();
        let limit = self.threshold.value;
        let edge = if is_upper {
            buckets.iter().rfind(|(bound, _)| is_up_to(*bound, limit))
        } else {
            buckets.iter().find(|(bound, _)| is_up_to(limit, *bound))
        };
        let events = |slots: &[Slot]| self.frame.events(slots, Kind::Counter);
        let total = events(all);
        let quality = if is_upper { Quality::Good } else { Quality::Bad };
        let minutes = match edge {
            Some((_, slots)) => ratio(quality, &events(slots), &total),
            None => ratio(Quality::Good, &vec![None; self.frame.minutes], &total),
        };
        self.add(&minutes);
        let rise = |(bound, slots): &(f64, Vec<Slot>)| {
            let rises = each(slots, Statistic::Increase);
            let count = rises.iter().filter(|(slot, _)| slot.start >= window_start).map(|(_, rise)| rise).sum();
            Bucket { bound: *bound, count }
        };
        self.pool(buckets.iter().map(rise).collect());
        edge.map(|(bound, _)| *bound)
    }

    /// Histograms with the same bounds add up.
    fn pool(&mut self, more: Vec<Bucket>) {
        let bounds = |buckets: &[Bucket]| buckets.iter().map(|bucket| bucket.bound.to_bits()).collect::<Vec<_>>();
        match self.buckets.iter_mut().find(|known| bounds(known) == bounds(&more)) {
            Some(known) => known.iter_mut().zip(more).for_each(|(known, more)| known.count += more.count),
            None => self.buckets.push(more),
        }
    }

    /// A value for each minute. Outliers are neither good nor bad.
    pub fn add_levels(&mut self, mut levels: Minutes<f64>) {
        let mut counts: Minutes<Count> =
            levels.iter().map(|level| level.map(|level| Count::one(self.threshold.is_good(level)))).collect();
        let left_out = if self.counts_outliers { Vec::new() } else { outliers(&levels, self.window.clone()) };
        for place in left_out {
            (counts[place], levels[place]) = (Some(Count::default()), None);
            self.outliers += usize::from(self.window.contains(&place));
        }
        self.add(&counts);
        let is_upper = self.threshold.is_upper();
        add(&mut self.levels, &levels, |a, b| if is_upper { a.max(b) } else { a.min(b) });
    }

    fn add(&mut self, counts: &[Option<Count>]) {
        add(&mut self.minutes, counts, |a, b| [a, b].into_iter().sum());
    }

    /// What came of it. The percentile that `target` names stands for the values of a distribution, that of the worst
    /// histogram where there are several, and the last value for all others.
    pub fn judged(self, target: f64) -> Judged {
        let share = if self.threshold.is_upper() { target } else { 1.0 - target };
        let of_values = match &self.spread {
            Some(Rollup::Values(values)) => Some(values.quantile(share)),
            _ => None,
        };
        let of_buckets = self.buckets.iter().filter_map(|buckets| quantile(share, buckets));
        let is_upper = self.threshold.is_upper();
        let worst = of_buckets.chain(of_values).reduce(|a, b| if is_upper { a.max(b) } else { a.min(b) });
        let value = worst.or_else(|| self.levels[self.window].iter().rev().find_map(|level| *level));
        Judged { minutes: self.minutes, value: Some((self.threshold, value)), outliers: self.outliers }
    }
}
