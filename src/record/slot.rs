//! Slots: receipts live in one named graph per stretch of time, so that a window costs what it holds.

use std::fmt;
use std::str::FromStr;

use chrono::{NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use oxrdf::{NamedNode, NamedNodeRef};

use super::Window;
use crate::clock::Timestamp;
use crate::vocab::SLOT_PREFIX;

/// How long a slot is. `benches/README.md` has the figures; a store keeps the width it was made with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Width {
    /// `urn:naze:slot:2026-01-26T18`
    Hour,
    /// `urn:naze:slot:2026-01-26`
    #[default]
    Day,
}

impl Width {
    /// How long a slot is.
    pub fn length(self) -> TimeDelta {
        match self {
            Self::Hour => TimeDelta::hours(1),
            Self::Day => TimeDelta::days(1),
        }
    }
}

/// One stretch of time, named after its start in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Slot {
    start: NaiveDateTime,
    width: Width,
}

impl Slot {
    /// The slot of `width` that holds `time`.
    pub fn of(time: Timestamp, width: Width) -> Self {
        let time = time.utc().naive_utc();
        let hour = if width == Width::Hour { time.hour() } else { 0 };
        let start = time.date().and_hms_opt(hour, 0, 0).expect("hours of a real time are 0 to 23");
        Self { start, width }
    }

    /// Does the slot share an instant with `window`?
    pub fn overlaps(self, window: Window) -> bool {
        let own = self.window();
        own.from < window.to && own.to > window.from
    }

    /// The stretch of time.
    pub fn window(self) -> Window {
        let from: Timestamp = self.start.and_utc().into();
        Window { from, to: from.checked_add(self.width.length()).unwrap_or(Timestamp::MAX) }
    }

    /// The slot's graph.
    pub fn graph(self) -> NamedNode {
        NamedNode::new_unchecked(format!("{SLOT_PREFIX}{self}"))
    }

    /// The slot with this graph.
    pub fn of_graph(graph: NamedNodeRef<'_>) -> Option<Self> {
        graph.as_str().strip_prefix(SLOT_PREFIX)?.parse().ok()
    }
}

impl fmt::Display for Slot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = if self.width == Width::Hour { "%Y-%m-%dT%H" } else { "%Y-%m-%d" };
        write!(f, "{}", self.start.format(format))
    }
}

impl FromStr for Slot {
    type Err = chrono::ParseError;

    fn from_str(text: &str) -> Result<Self, chrono::ParseError> {
        let width = if text.contains('T') { Width::Hour } else { Width::Day };
        let start = if width == Width::Hour {
            NaiveDateTime::parse_from_str(&format!("{text}:00:00"), "%Y-%m-%dT%H:%M:%S")?
        } else {
            NaiveDate::parse_from_str(text, "%Y-%m-%d")?.and_time(chrono::NaiveTime::MIN)
        };
        Ok(Self { start, width })
    }
}
