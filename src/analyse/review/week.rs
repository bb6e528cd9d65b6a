//! Weeks as ISO 8601 counts them: from Monday, UTC; week 1 is the one with the first Thursday.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike as _, NaiveDate, NaiveTime, TimeDelta, Weekday};

use crate::clock::Timestamp;
use crate::error::{Error, Result};
use crate::record::Window;

/// One week, written `2026-W47`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Week {
    monday: NaiveDate,
}

impl Week {
    /// The week that `at` lies in.
    pub fn of(at: Timestamp) -> Self {
        let day = at.utc().date_naive();
        let days = i64::from(day.weekday().num_days_from_monday());
        Self { monday: day.checked_sub_signed(TimeDelta::days(days)).unwrap_or(day) }
    }

    /// The last week that is over at `now`.
    pub fn last_complete(now: Timestamp) -> Self {
        Self::of(now).previous()
    }

    /// The week before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self { monday: self.monday.checked_sub_signed(TimeDelta::weeks(1)).unwrap_or(self.monday) }
    }

    /// The week after.
    #[must_use]
    pub fn next(self) -> Self {
        Self { monday: self.monday.checked_add_signed(TimeDelta::weeks(1)).unwrap_or(self.monday) }
    }

    /// From its Monday to the next.
    pub fn window(self) -> Window {
        let from = Timestamp::from(self.monday.and_time(NaiveTime::MIN).and_utc());
        Window { from, to: from.checked_add(TimeDelta::weeks(1)).unwrap_or(Timestamp::MAX) }
    }
}

impl fmt::Display for Week {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let week = self.monday.iso_week();
        write!(f, "{}-W{:02}", week.year(), week.week())
    }
}

impl FromStr for Week {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parse = || {
            let (year, week) = text.split_once("-W")?;
            let is_number = |text: &str, digits| text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
            if !(is_number(year, 4) && is_number(week, 2)) {
                return None;
            }
            let monday = NaiveDate::from_isoywd_opt(year.parse().ok()?, week.parse().ok()?, Weekday::Mon)?;
            (monday.year() >= 1).then_some(Self { monday })
        };
        parse().ok_or_else(|| {
            Error::invalid(format!("week=\"{text}\" is no week"))
                .hint("write year and number of the week by ISO 8601, such as 2026-W47; years have 52 or 53")
        })
    }
}

impl serde::Serialize for Week {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
