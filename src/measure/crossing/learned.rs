//! What a series' own past makes usual.
//!
//! With two weeks of the same hour of the week those hours are the past; before, it is the last day. An excursion is left
//! out of the past, so that the next one is seen as well, until there were so many that they are how the series is.

use std::ops::Range;

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::band::Band;
use super::limit::Limit;
use super::threshold::duration;
use super::watch::{Bounds, Level};
use crate::clock::{Timestamp, ago, hour_of};
use crate::error::Result;

/// Values that a band has to rest on.
const VALUES_MIN: usize = 60;
/// Without weeks to look at, the past is this long.
const RECENT: TimeDelta = TimeDelta::hours(24);
/// The same hour of this many weeks is looked at, and so many must have this many values.
const WEEKS: i32 = 5;
const WEEKS_MIN: usize = 2;
const VALUES_IN_AN_HOUR_MIN: usize = 20;
/// A band is made anew after this time, or sooner while the past is short.
const KEPT: TimeDelta = TimeDelta::hours(1);
/// A past that is too short is looked at again after this time.
const AGAIN: TimeDelta = TimeDelta::minutes(10);
/// Excursions that are remembered; so many of them within the past are usual.
const EXCURSIONS_KEPT: usize = 16;
const EXCURSIONS_USUAL: usize = 3;
/// An excursion is over when its values are back for this long.
const BACK_FOR: TimeDelta = TimeDelta::minutes(5);
/// Values that have to be beyond.
const BEYOND_MIN: u32 = 3;

/// How naze learns what is usual.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Learned {
    /// Whether it does.
    pub enabled: bool,
    /// Robust standard deviations from the median to either side that are usual.
    pub deviations: f64,
    /// How long values have to be farther out.
    #[serde(rename = "for", deserialize_with = "duration")]
    pub beyond_for: TimeDelta,
}

impl Default for Learned {
    fn default() -> Self {
        Self { enabled: true, deviations: 4.0, beyond_for: TimeDelta::minutes(3) }
    }
}

impl Learned {
    /// What lies above the band, or below it.
    pub(super) fn bounds(&self, limit: Limit, band: &Band) -> Bounds {
        // Half the way back to the median is back.
        let hysteresis = (limit.value() - band.median).abs() / 2.0;
        Bounds {
            limits: [Some((Level::Unrated, limit)), None],
            hysteresis,
            beyond_for: self.beyond_for,
            values_min: BEYOND_MIN,
            back_for: BACK_FOR,
            first_in: None,
        }
    }
}

/// What a band rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Basis {
    /// The last day, or what there is of it.
    Recent,
    /// The same hour of this many weeks.
    Weeks(u8),
}

/// What is usual for a series at present.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Usual {
    pub(super) band: Option<(Band, Basis)>,
    /// When it is to be made anew.
    due: Option<Timestamp>,
    /// What was before is not how the series is any more.
    since: Option<Timestamp>,
    excursions: Vec<(Timestamp, Timestamp)>,
}

/// The values of a series in a window.
pub(super) type Past<'a> = dyn FnMut(Range<Timestamp>) -> Result<Vec<(Timestamp, f64)>> + 'a;

impl Usual {
    /// Looks at the past when it is time to. What is usual on recent days holds while `is_astir`; what is usual at an hour
    /// does not.
    pub(super) fn look(
        &mut self,
        at: Timestamp,
        is_astir: bool,
        unit: Option<&str>,
        deviations: f64,
        past: &mut Past<'_>,
    ) -> Result<()> {
        let is_frozen = is_astir && !matches!(self.band, Some((_, Basis::Weeks(_))));
        if is_frozen || self.due.is_some_and(|due| at < due) {
            return Ok(());
        }
        let hour = hour_of(at);
        let weeks = self.weeks(hour, past)?;
        if weeks.len() >= WEEKS_MIN {
            let basis = Basis::Weeks(u8::try_from(weeks.len()).unwrap_or(u8::MAX));
            self.band = Some((Band::of(weeks.concat(), unit, deviations), basis));
            self.due = hour.checked_add(TimeDelta::hours(1));
            return Ok(());
        }
        if is_astir {
            self.due = hour.checked_add(TimeDelta::hours(1));
            return Ok(());
        }
        let from = self.not_before(ago(at, RECENT));
        let values = past(from..at)?;
        let age = values.first().map_or(TimeDelta::zero(), |(first, _)| at.since(*first));
        let values = self.without_excursions(&values, from);
        if values.len() >= VALUES_MIN {
            self.band = Some((Band::of(values, unit, deviations), Basis::Recent));
            self.due = at.checked_add((age / 10).min(KEPT));
        } else {
            self.band = None;
            self.due = at.checked_add(AGAIN);
        }
        Ok(())
    }

    /// The values of the same hour of earlier weeks.
    fn weeks(&self, hour: Timestamp, past: &mut Past<'_>) -> Result<Vec<Vec<f64>>> {
        let mut weeks = Vec::new();
        for week in 1..=WEEKS {
            let from = ago(hour, TimeDelta::weeks(1) * week);
            if self.not_before(from) > from {
                break;
            }
            let values = past(from..ago(from, TimeDelta::hours(-1)))?;
            let values = self.without_excursions(&values, ago(hour, TimeDelta::weeks(1) * WEEKS));
            if values.len() >= VALUES_IN_AN_HOUR_MIN {
                weeks.push(values);
            }
        }
        Ok(weeks)
    }

    fn without_excursions(&self, values: &[(Timestamp, f64)], from: Timestamp) -> Vec<f64> {
        let known: Vec<_> = self.excursions.iter().filter(|(_, until)| *until > from).collect();
        let is_out = |at: Timestamp| known.iter().any(|(since, until)| at >= *since && at < *until);
        let is_usual = known.len() >= EXCURSIONS_USUAL;
        values.iter().filter(|(at, _)| is_usual || !is_out(*at)).map(|(_, value)| *value).collect()
    }

    /// An excursion is over.
    pub(super) fn left_out(&mut self, since: Timestamp, until: Timestamp) {
        self.excursions.push((since, until));
        if self.excursions.len() > EXCURSIONS_KEPT {
            self.excursions.remove(0);
        }
    }

    /// The series has been otherwise since then, and so it is.
    pub(super) fn begin_anew(&mut self, since: Timestamp) {
        *self = Self { since: Some(since), ..Self::default() };
    }

    fn not_before(&self, from: Timestamp) -> Timestamp {
        self.since.map_or(from, |since| since.max(from))
    }
}
