//! Figures of a window of series, for queries: what there was, how it changed, when it moved, what it goes along with.

mod cells;

use chrono::TimeDelta;
use oxrdf::vocab::xsd;
use oxrdf::{Literal, NamedNodeRef};

use self::cells::{Cells, MINUTE};
use super::correlation::{best_lag, pearson, spearman};
use super::trend::{shift, slope};
use crate::clock::{Timestamp, ago};
use crate::measure::Kind;
use crate::measure::crossing::{Band, Learned};
use crate::measure::rollup::{Rollup, Values, step};
use crate::measure::store::Slot;
use crate::query::{Call, Figure};

/// Values that what is usual has to rest on.
const USUAL_MIN: usize = 20;
/// Values in a row that have to be beyond what is usual.
const BEYOND_MIN: usize = 3;
/// Events are counted in spans of so many seconds, or longer ones in long windows.
const SPAN: u32 = 600;
/// An event and its effect are at most so many spans apart.
const LAG_MAX: usize = 6;

/// What is kept of one series.
#[derive(Debug, Clone)]
pub struct Line {
    /// How its values are to be read.
    pub kind: Kind,
    /// In order of time.
    pub slots: Vec<Slot>,
}

/// The answer to a call, from all series that it selects, as far as it reaches. Series of different kinds have none.
pub fn figure(call: &Call, lines: &[Line]) -> Option<Literal> {
    let first = lines.first()?;
    if lines.iter().any(|line| line.kind != first.kind) {
        return None;
    }
    let window = Window { lines, kind: first.kind, from: call.from, to: call.to };
    let double = |value: f64| value.is_finite().then(|| Literal::from(value));
    match &call.figure {
        Figure::Samples => Some(window.samples()).filter(|samples| *samples > 0).map(Literal::from),
        Figure::Mean => double(window.mean()?),
        Figure::Min => double(window.values().map(|values| values.min).reduce(f64::min)?),
        Figure::Max => double(window.values().map(|values| values.max).reduce(f64::max)?),
        Figure::Quantile(share) => double(window.whole()?.quantile(*share)),
        Figure::Rate => double(window.rate()?),
        Figure::Slope => double(slope(&window.cells(MINUTE).points())?),
        Figure::Change => {
            let (before, now) = (window.before().mean()?, window.mean()?);
            double((now - before) / before.abs())
        }
        Figure::MovedAt => Some(typed(&window.moved_at()?, xsd::DATE_TIME)),
        Figure::MannWhitney(at) => {
            let cells = window.cells(MINUTE);
            let (before, after) = cells.split(*at);
            double(shift(before, after)?)
        }
        Figure::Pearson(times) => double(window.with_events(times, pearson)?),
        Figure::Spearman(times) => double(window.with_events(times, spearman)?),
        Figure::Lag(times) => window.lag(times),
    }
}

fn typed(value: &impl ToString, datatype: NamedNodeRef<'_>) -> Literal {
    Literal::new_typed_literal(value.to_string(), datatype)
}

/// A window of several series that are read as one.
#[derive(Clone, Copy)]
struct Window<'a> {
    lines: &'a [Line],
    kind: Kind,
    from: Timestamp,
    to: Timestamp,
}

impl<'a> Window<'a> {
    /// The equally long window before this one.
    fn before(self) -> Self {
        Self { from: ago(self.from, self.length()), to: self.from, ..self }
    }

    fn length(self) -> TimeDelta {
        self.to.since(self.from)
    }

    /// The slots of each series that begin in the window.
    fn slots(self) -> impl Iterator<Item = &'a [Slot]> {
        self.lines.iter().map(move |line| {
            let place = |time: Timestamp| line.slots.partition_point(|slot| slot.start < time);
            &line.slots[place(self.from)..place(self.to)]
        })
    }

    fn values(self) -> impl Iterator<Item = &'a Values> {
        self.slots().flatten().filter_map(|slot| match &slot.rollup {
            Rollup::Values(values) => Some(values),
            Rollup::Total(_) => None,
        })
    }

    /// A counter has a reading or more in each slot.
    fn samples(self) -> i64 {
        let count: u64 = self.slots().flatten().map(|slot| slot.rollup.count()).sum();
        i64::try_from(count).unwrap_or(i64::MAX)
    }

    #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^53")]
    fn mean(self) -> Option<f64> {
        if matches!(self.kind, Kind::Counter | Kind::Delta) {
            return self.rate();
        }
        let (sum, count) =
            self.values().fold((0.0, 0), |(sum, count), values| (sum + values.sum, count + values.count));
        (count > 0).then(|| sum / count as f64)
    }

    fn rate(self) -> Option<f64> {
        match self.kind {
            Kind::Counter => self.slots().filter_map(counted).reduce(|all, one| all + one),
            Kind::Delta => {
                let sum = self.values().map(|values| values.sum).reduce(|all, one| all + one)?;
                Some(sum / self.length().as_seconds_f64())
            }
            Kind::Gauge | Kind::Distribution => None,
        }
    }

    /// All values in one.
    fn whole(self) -> Option<Values> {
        let whole = self.slots().flatten().map(|slot| slot.rollup.clone()).reduce(|mut whole, slot| {
            whole.merge(&slot, 0);
            whole
        });
        match whole? {
            Rollup::Values(values) => Some(values),
            Rollup::Total(_) => None,
        }
    }

    fn cells(self, seconds: u32) -> Cells {
        Cells::of(self.lines, self.kind, self.from..self.to, seconds)
    }

    fn moved_at(self) -> Option<Timestamp> {
        let now = self.cells(MINUTE);
        let usual: Vec<f64> = self.before().cells(now.seconds).means.into_iter().flatten().collect();
        if usual.len() < USUAL_MIN {
            return None;
        }
        let band = Band::of(usual, None, Learned::default().deviations);
        let side = |value: f64| i8::from(value > band.high) - i8::from(value < band.low);
        let known: Vec<(Timestamp, i8)> = now.known().map(|(time, value)| (time, side(value))).collect();
        let beyond = |row: &&[(Timestamp, i8)]| row[0].1 != 0 && row.iter().all(|(_, side)| *side == row[0].1);
        known.windows(BEYOND_MIN).find(beyond).map(|row| row[0].0)
    }

    /// The mean of each span beside the number of events in it.
    fn with_events(self, times: &[Timestamp], correlate: impl Fn(&[(f64, f64)]) -> Option<f64>) -> Option<f64> {
        let spans = self.cells(SPAN);
        let events = spans.counts(times);
        let pairs = spans.means.iter().zip(events).filter_map(|(value, events)| Some((events, (*value)?)));
        correlate(&pairs.collect::<Vec<_>>())
    }

    fn lag(self, times: &[Timestamp]) -> Option<Literal> {
        let spans = self.cells(SPAN);
        let spans_later = best_lag(&spans.counts(times), &spans.means, LAG_MAX)?;
        Some(typed(&seconds(spans_later * i64::from(spans.seconds)), xsd::DAY_TIME_DURATION))
    }
}

/// A span as XML Schema writes it.
fn seconds(seconds: i64) -> String {
    format!("{}PT{}S", if seconds < 0 { "-" } else { "" }, seconds.abs())
}

/// By how much a counter rose for each second between its first reading and its last.
fn counted(slots: &[Slot]) -> Option<f64> {
    let mut totals = slots.iter().filter_map(|slot| match &slot.rollup {
        Rollup::Total(total) => Some((slot.start, total)),
        Rollup::Values(_) => None,
    });
    let (start, first) = totals.next()?;
    let milliseconds = |start: Timestamp, offset: u32| start.micros() / 1_000 + i64::from(offset);
    let since = milliseconds(start, first.first_at);
    let (mut until, mut last, mut increase) = (milliseconds(start, first.last_at), first.last, first.increase);
    for (start, total) in totals {
        increase += step(last, total.first) + total.increase;
        (until, last) = (milliseconds(start, total.last_at), total.last);
    }
    let seconds = TimeDelta::milliseconds(until - since).as_seconds_f64();
    (seconds > 0.0).then(|| increase / seconds)
}
