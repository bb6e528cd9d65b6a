//! A limit over time: how long a series has been beyond it, and whether it is back.

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};

use super::condition::Standing;
use super::limit::{Direction, Limit};
use crate::clock::Timestamp;

/// Values farther apart than this say nothing about the time between them.
const TOGETHER: TimeDelta = TimeDelta::minutes(15);
/// How long a value holds.
const MINUTE: TimeDelta = TimeDelta::minutes(1);

/// How bad it is to be beyond a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Level {
    /// Nobody said.
    Unrated,
    Warning,
    Critical,
}

impl Level {
    pub(super) fn severity(self) -> Option<&'static str> {
        match self {
            Self::Unrated => None,
            Self::Warning => Some("warning"),
            Self::Critical => Some("critical"),
        }
    }
}

/// What a [`Watch`] holds values against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// The worst first.
    pub(super) limits: [Option<(Level, Limit)>; 2],
    /// By how much a value has to be back.
    pub(super) hysteresis: f64,
    /// How long it has to be beyond, and in how many values.
    pub(super) beyond_for: TimeDelta,
    pub(super) values_min: u32,
    /// How long it has to be back.
    pub(super) back_for: TimeDelta,
    /// Only what was not beyond within this time before.
    pub(super) first_in: Option<TimeDelta>,
}

impl Bounds {
    fn limits(&self) -> impl Iterator<Item = (Level, Limit)> {
        self.limits.into_iter().flatten()
    }
}

/// What became known with a value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Step {
    /// It has been beyond a limit for long enough.
    Crossed { level: Level, limit: Limit, since: Timestamp, farthest: f64 },
    /// It has been back for long enough.
    Recovered { limit: Limit, since: Timestamp, value: f64 },
}

/// Values without a break that are all beyond a limit, or all back.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Run {
    since: Timestamp,
    /// The value that went farthest, or the first that was back.
    value: f64,
    values: u32,
}

impl Run {
    fn has_lasted(&self, at: Timestamp, span: TimeDelta, values_min: u32) -> bool {
        at.since(self.since) + MINUTE >= span && self.values >= values_min
    }
}

/// An excursion that is known, and not over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Excursion {
    /// When it began.
    pub(super) since: Timestamp,
    /// The rule that saw it, as it was written then.
    pub(super) rule: String,
    /// What was crossed.
    pub(super) threshold: f64,
    /// Which way.
    pub(super) direction: Direction,
    /// In percent.
    pub(super) is_percent: bool,
    level: Level,
    back: Option<Run>,
}

/// How a series stands to its limits.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Watch {
    /// The value that was looked at last, and when it was told.
    pub(super) last: Option<(Timestamp, f64)>,
    runs: [Option<Run>; 2],
    /// When it was beyond each limit last; kept where only the first time counts.
    beyond: [Option<Timestamp>; 2],
    pub(super) open: Option<Excursion>,
}

impl Watch {
    /// Is it beyond a limit, if only since a moment ago?
    pub(super) fn is_astir(&self) -> bool {
        self.open.is_some() || self.runs.iter().any(Option::is_some)
    }

    /// Takes a value that was told before anything was watched for.
    pub(super) fn recall(&mut self, at: Timestamp, value: f64, bounds: &Bounds) {
        for (beyond, limit) in self.beyond.iter_mut().zip(bounds.limits) {
            if bounds.first_in.is_some() && limit.is_some_and(|(_, limit)| limit.is_beyond(value)) {
                *beyond = Some(at);
            }
        }
    }

    /// Takes the next value, with how all that is beside it stands; `rule` is what its bounds are called.
    pub(super) fn step(
        &mut self,
        (at, value, beside): (Timestamp, f64, Standing),
        bounds: &Bounds,
        rule: &str,
    ) -> Option<Step> {
        if self.last.is_some_and(|(last, _)| at.since(last) > TOGETHER) {
            self.runs = [None; 2];
            if let Some(open) = &mut self.open {
                open.back = None;
            }
        }
        self.last = Some((at, value));
        for ((run, beyond), limit) in self.runs.iter_mut().zip(self.beyond).zip(bounds.limits) {
            let is_beyond = |limit: Limit| limit.is_beyond(value) && beside == Standing::Holds;
            let is_first = bounds.first_in.zip(beyond).is_none_or(|(span, beyond)| at.since(beyond) > span);
            *run = limit.filter(|(_, limit)| is_beyond(*limit)).and_then(|(_, limit)| match *run {
                Some(run) => Some(Run {
                    value: limit.direction().farther(run.value, value),
                    values: run.values.saturating_add(1),
                    ..run
                }),
                None => is_first.then_some(Run { since: at, value, values: 1 }),
            });
        }
        if beside == Standing::Holds {
            self.recall(at, value, bounds);
        }
        self.crossed(at, bounds, rule).or_else(|| self.recovered(at, value, beside, bounds))
    }

    fn crossed(&mut self, at: Timestamp, bounds: &Bounds, rule: &str) -> Option<Step> {
        let known = self.open.as_ref().map(|open| open.level);
        let (run, (level, limit)) = self.runs.into_iter().zip(bounds.limits).find_map(|(run, limit)| {
            let lasting = run.filter(|run| run.has_lasted(at, bounds.beyond_for, bounds.values_min))?;
            Some((lasting, limit?)).filter(|(_, (level, _))| known.is_none_or(|known| *level > known))
        })?;
        let since = self.open.as_ref().map_or(run.since, |open| open.since);
        let rule = self.open.take().map_or_else(|| rule.to_owned(), |open| open.rule);
        let (threshold, direction, is_percent) = (limit.value(), limit.direction(), limit.is_percent());
        self.open = Some(Excursion { since, rule, threshold, direction, is_percent, level, back: None });
        Some(Step::Crossed { level, limit, since: run.since, farthest: run.value })
    }

    fn recovered(&mut self, at: Timestamp, value: f64, beside: Standing, bounds: &Bounds) -> Option<Step> {
        let open = self.open.as_mut()?;
        let is_back = bounds.limits().all(|(_, limit)| limit.is_back(value, bounds.hysteresis));
        if !is_back && beside != Standing::Back {
            open.back = None;
            return None;
        }
        let back = match open.back {
            Some(back) => Run { values: back.values.saturating_add(1), ..back },
            None => Run { since: at, value, values: 1 },
        };
        open.back = Some(back);
        let (_, limit) = bounds.limits().last()?;
        back.has_lasted(at, bounds.back_for, bounds.values_min).then(|| {
            self.open = None;
            Step::Recovered { limit, since: back.since, value: back.value }
        })
    }
}
