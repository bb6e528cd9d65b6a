//! Spans and windows on the clock.

use std::ops::Range;

use chrono::{MappedLocalTime, Months, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;

use super::{Span, TimeWindow, Unit};
use crate::clock::Timestamp;

/// The window of an objective that names none.
pub(super) static WINDOW_DEFAULT: TimeWindow = TimeWindow::Rolling(Span { count: 30, unit: Unit::Day });

/// What a span adds to a clock.
enum Step {
    Exact(TimeDelta),
    Days(i64),
    Months(u32),
}

impl Span {
    /// About how long it is: a month has 30 days, a quarter 90, a year 365.
    pub fn length(self) -> TimeDelta {
        let minutes = match self.unit {
            Unit::Minute => 1,
            Unit::Hour => 60,
            Unit::Day => 1_440,
            Unit::Week => 7 * 1_440,
            Unit::Month => 30 * 1_440,
            Unit::Quarter => 90 * 1_440,
            Unit::Year => 365 * 1_440,
        };
        TimeDelta::minutes(i64::from(self.count) * minutes)
    }

    /// So many of it.
    fn times(self, number: i64) -> Option<Step> {
        let count = i64::from(self.count).checked_mul(number)?;
        let months = |of_one: i64| u32::try_from(count.checked_mul(of_one)?).ok().map(Step::Months);
        match self.unit {
            Unit::Minute => TimeDelta::try_minutes(count).map(Step::Exact),
            Unit::Hour => TimeDelta::try_hours(count).map(Step::Exact),
            Unit::Day => Some(Step::Days(count)),
            Unit::Week => Some(Step::Days(count.checked_mul(7)?)),
            Unit::Month => months(1),
            Unit::Quarter => months(3),
            Unit::Year => months(12),
        }
    }
}

impl TimeWindow {
    /// How long each is.
    pub fn span(&self) -> Span {
        match self {
            Self::Rolling(span) | Self::Calendar { span, .. } => *span,
        }
    }

    /// The window that `now` lies in, as much of it as is over. `None` before the first one, and in a zone that nobody
    /// knows.
    pub fn at(&self, now: Timestamp) -> Option<Range<Timestamp>> {
        let start = match self {
            Self::Rolling(span) => match span.times(1)? {
                Step::Exact(length) => now.checked_add(-length)?,
                Step::Days(days) => now.checked_add(-TimeDelta::try_days(days)?)?,
                Step::Months(months) => now.utc().checked_sub_months(Months::new(months))?.into(),
            },
            Self::Calendar { span, start, zone } => {
                let zone: Tz = zone.parse().ok()?;
                let first = beginning(zone, *start, *span, 0)?;
                let about = now.since(first).num_minutes().div_euclid(span.length().num_minutes().max(1));
                // A number of months is more than so many times 30 days: a window or two for each year.
                let slack = about / 20 + 2;
                let numbers = (about - slack).max(0)..=about + slack;
                let (mut low, mut high) = (*numbers.start(), *numbers.end());
                if first > now {
                    return None;
                }
                while low < high {
                    let middle = low + (high - low + 1) / 2;
                    if beginning(zone, *start, *span, middle)? <= now { low = middle } else { high = middle - 1 }
                }
                beginning(zone, *start, *span, low)?
            }
        };
        Some(start..now)
    }

    /// Is its zone one of the IANA time zone database?
    pub(super) fn has_zone(&self) -> bool {
        match self {
            Self::Rolling(_) => true,
            Self::Calendar { zone, .. } => zone.parse::<Tz>().is_ok(),
        }
    }
}

/// When the window of this number begins.
fn beginning(zone: Tz, start: NaiveDateTime, span: Span, number: i64) -> Option<Timestamp> {
    let local = match span.times(number)? {
        Step::Exact(length) => return instant(zone, start)?.checked_add(length),
        Step::Days(days) => start.checked_add_signed(TimeDelta::try_days(days)?)?,
        Step::Months(months) => start.checked_add_months(Months::new(months))?,
    };
    instant(zone, local)
}

/// The instant of a local time; one that the clock leaves out is as much later.
fn instant(zone: Tz, local: NaiveDateTime) -> Option<Timestamp> {
    let told = match zone.from_local_datetime(&local) {
        MappedLocalTime::Single(time) | MappedLocalTime::Ambiguous(time, _) => time,
        MappedLocalTime::None => zone.from_local_datetime(&(local + TimeDelta::hours(1))).earliest()?,
    };
    Some(told.with_timezone(&Utc).into())
}
