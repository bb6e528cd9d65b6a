//! What is kept of the values of one minute, or one hour, of a series.
//!
//! Roll-ups of parts merge to the roll-up of the whole, in any order, so late values find their place.

use serde::{Deserialize, Serialize};

use super::sketch::Sketch;
use super::{Kind, Point};

/// A slot's values, by the kind of the series.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Rollup {
    /// Of a counter.
    Total(Total),
    /// Of every other kind.
    Values(Values),
}

/// Values that stand for themselves.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Values {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The smallest.
    pub min: f64,
    /// The largest.
    pub max: f64,
    /// The one told last.
    pub last: f64,
    /// Milliseconds from the start of the slot to it.
    pub last_at: u32,
    /// How they were spread; one value needs none.
    pub sketch: Option<Sketch>,
}

/// Readings of a counter.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Total {
    /// The first reading.
    pub first: f64,
    /// Milliseconds from the start of the slot to it.
    pub first_at: u32,
    /// The last reading.
    pub last: f64,
    /// Milliseconds from the start of the slot to it.
    pub last_at: u32,
    /// By how much it rose from the first to the last, also when it began anew between.
    pub increase: f64,
}

impl Rollup {
    /// One value of a series of `kind`, `offset` milliseconds after the start of its slot.
    pub fn of(kind: Kind, point: &Point, offset: u32) -> Self {
        if kind == Kind::Counter {
            let (value, at) = (point.value, offset);
            return Self::Total(Total { first: value, first_at: at, last: value, last_at: at, increase: 0.0 });
        }
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
        let sum = point.value * point.count as f64;
        let sketch = (point.count > 1).then(|| {
            let mut sketch = Sketch::default();
            sketch.add(point.value, point.count);
            sketch
        });
        Self::Values(Values {
            count: point.count,
            sum,
            min: point.value,
            max: point.value,
            last: point.value,
            last_at: offset,
            sketch,
        })
    }

    /// Adds what `later` knows, whose slot begins `shift` milliseconds after this one's.
    pub fn merge(&mut self, later: &Self, shift: u32) {
        match (self, later) {
            (Self::Total(a), Self::Total(b)) => a.merge(b, shift),
            (Self::Values(a), Self::Values(b)) => a.merge(b, shift),
            // A series has one kind, so its roll-ups have one form.
            _ => {}
        }
    }

    /// Tells its times from a start that lies `milliseconds` before its slot's.
    pub(super) fn delay(&mut self, milliseconds: u32) {
        match self {
            Self::Total(total) => {
                total.first_at += milliseconds;
                total.last_at += milliseconds;
            }
            Self::Values(values) => values.last_at += milliseconds,
        }
    }

    /// How many buckets its sketch has.
    pub(super) fn buckets(&self) -> usize {
        match self {
            Self::Values(Values { sketch: Some(sketch), .. }) => sketch.buckets().len(),
            _ => 0,
        }
    }

    /// How many values are in it.
    pub fn count(&self) -> u64 {
        match self {
            Self::Total(_) => 1,
            Self::Values(values) => values.count,
        }
    }
}

impl Values {
    /// The mean of the values.
    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    pub fn mean(&self) -> f64 {
        self.sum / self.count as f64
    }

    /// The value that `share` of them do not exceed, by nearest rank, right to 1 %.
    pub fn quantile(&self, share: f64) -> f64 {
        let told = self.sketch.as_ref().and_then(|sketch| sketch.quantile(share)).unwrap_or(self.last);
        told.clamp(self.min, self.max)
    }

    /// Mean and variance of the values, those above `most` taken for that.
    pub fn moments(&self, most: f64) -> (f64, f64) {
        self.sketch.as_ref().map_or((self.last.min(most), 0.0), |sketch| sketch.moments(most))
    }

    /// How many of them are below `value`, told apart to 2 %.
    pub fn count_below(&self, value: f64) -> u64 {
        match &self.sketch {
            _ if self.max < value => self.count,
            _ if self.min >= value => 0,
            Some(sketch) => sketch.count_below(value).min(self.count),
            None => 0,
        }
    }

    /// How many of them are at or below `value`, told apart to 2 %.
    pub fn count_to(&self, value: f64) -> u64 {
        match &self.sketch {
            _ if self.max <= value => self.count,
            _ if self.min > value => 0,
            Some(sketch) => sketch.count_to(value).min(self.count),
            None => 0,
        }
    }

    /// Adds what `other` knows, whose slot begins `shift` milliseconds after this one's.
    pub(super) fn merge(&mut self, other: &Self, shift: u32) {
        let mut sketch = self.spread();
        match &other.sketch {
            Some(told) => sketch.merge(told),
            None => sketch.add(other.last, other.count),
        }
        self.sketch = Some(sketch);
        self.count = self.count.saturating_add(other.count);
        self.sum += other.sum;
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        // 49 days fit; beyond, later ones still come later.
        let last_at = other.last_at.saturating_add(shift);
        if last_at >= self.last_at {
            (self.last, self.last_at) = (other.last, last_at);
        }
    }

    fn spread(&mut self) -> Sketch {
        self.sketch.take().unwrap_or_else(|| {
            let mut sketch = Sketch::default();
            sketch.add(self.last, self.count);
            sketch
        })
    }
}

impl Total {
    fn merge(&mut self, other: &Self, shift: u32) {
        let other = Self { first_at: other.first_at + shift, last_at: other.last_at + shift, ..*other };
        let (early, late) = if other.first_at < self.first_at { (other, *self) } else { (*self, other) };
        *self = if early.last_at < late.first_at {
            let increase = early.increase + step(early.last, late.first) + late.increase;
            Self { last: late.last, last_at: late.last_at, increase, ..early }
        } else {
            // They interleave: all that is sure is where the counter began and ended.
            let end = if late.last_at > early.last_at { late } else { early };
            let known = early.increase.max(late.increase);
            let increase = if end.last >= early.first { (end.last - early.first).max(known) } else { known };
            Self { last: end.last, last_at: end.last_at, increase, ..early }
        };
    }
}

/// By how much a counter rose between two readings. One that is lower began anew, at zero.
pub fn step(earlier: f64, later: f64) -> f64 {
    if later >= earlier { later - earlier } else { later }
}
