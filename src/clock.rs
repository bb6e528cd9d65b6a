//! Time: the canonical timestamp of every receipt, and the only "now" in the house.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta, Utc};

/// A UTC instant to the microsecond, written as `2026-01-26T18:40:00Z` or with the fraction it needs.
///
/// Microseconds, because other SPARQL engines keep no more; UTC and without trailing zeros, because the store does not
/// keep lexical forms and a receipt's id is a hash over them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(
    /// Microseconds since 1970: series do much arithmetic with them.
    i64,
);

const fn midnight(year: i32, month: u32, day: u32) -> i64 {
    let date = NaiveDate::from_ymd_opt(year, month, day).expect("a date");
    date.and_time(NaiveTime::MIN).and_utc().timestamp_micros()
}

impl Timestamp {
    /// The first instant of the year 1.
    pub const MIN: Self = Self(midnight(1, 1, 1));
    /// The last day of the year 9999.
    pub const MAX: Self = Self(midnight(9999, 12, 31));
    const END_MICROS: i64 = midnight(10_000, 1, 1);

    /// The instant `micros` microseconds after 1970, or `None` outside the years 1 to 9999.
    pub fn from_micros(micros: i64) -> Option<Self> {
        (Self::MIN.0..Self::END_MICROS).contains(&micros).then_some(Self(micros))
    }

    /// Microseconds since 1970.
    pub fn micros(self) -> i64 {
        self.0
    }

    /// Seconds since 1970, with the fraction.
    #[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 fit 53 bits until the year 2255")]
    pub fn seconds(self) -> f64 {
        self.micros() as f64 / 1e6
    }

    /// This instant moved by `delta`, or `None` outside the years 1 to 9999.
    pub fn checked_add(self, delta: TimeDelta) -> Option<Self> {
        let is_between = delta.subsec_nanos() % 1_000 < 0;
        let micros = delta.num_microseconds()?.checked_sub(i64::from(is_between))?;
        self.0.checked_add(micros).and_then(Self::from_micros)
    }

    /// The next instant: what ends there, and does not hold its end, holds this one.
    #[must_use]
    pub fn just_after(self) -> Self {
        self.checked_add(TimeDelta::microseconds(1)).unwrap_or(self)
    }

    /// Time from `earlier` to this instant.
    pub fn since(self, earlier: Self) -> TimeDelta {
        TimeDelta::microseconds(self.0 - earlier.0)
    }

    /// The chrono value, for calendars and formats.
    pub fn utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).expect("chrono knows the years 1 to 9999")
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        let micros = time.timestamp_micros();
        Self::from_micros(micros).unwrap_or(if micros < Self::MIN.0 { Self::MIN } else { Self::MAX })
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.utc().to_rfc3339_opts(SecondsFormat::Micros, true);
        let text = text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.');
        write!(f, "{text}Z")
    }
}

/// Why a text is no timestamp.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is not an RFC 3339 time with a zone, such as 2026-01-26T18:40:00Z, nor milliseconds since 1970")]
pub struct NotATime(String);

impl FromStr for Timestamp {
    type Err = NotATime;

    /// RFC 3339 with any offset, or milliseconds since 1970.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let parsed = match text.parse::<i64>() {
            Ok(millis) => DateTime::from_timestamp_millis(millis),
            Err(_) => DateTime::parse_from_rfc3339(text).ok().map(|t| t.to_utc()),
        };
        parsed.and_then(|time| Self::from_micros(time.timestamp_micros())).ok_or_else(|| NotATime(text.to_owned()))
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// The only source of "now".
#[derive(Debug, Clone, Copy, Default)]
pub enum Clock {
    /// The machine's clock.
    #[default]
    System,
    /// A clock that stands still, for replays and tests.
    Fixed(Timestamp),
}

impl Clock {
    /// The present instant.
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => Utc::now().into(),
            Self::Fixed(time) => time,
        }
    }
}

/// The instant `span` before `time`, as far back as time goes.
pub fn ago(time: Timestamp, span: TimeDelta) -> Timestamp {
    time.checked_add(-span).unwrap_or(Timestamp::MIN)
}

/// When the hour begins that `time` is in.
pub fn hour_of(time: Timestamp) -> Timestamp {
    ago(time, TimeDelta::microseconds(time.micros().rem_euclid(3_600_000_000)))
}

/// When the minute begins that `time` is in.
pub fn minute_of(time: Timestamp) -> Timestamp {
    ago(time, TimeDelta::microseconds(time.micros().rem_euclid(60_000_000)))
}
