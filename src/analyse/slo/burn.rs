//! How fast is the budget burning? Several burn rates, each over a long window, which says that it matters, and a short
//! one, which says that it still goes on (the multi-window, multi-burn-rate alerts of the SRE workbook).
//!
//! A burn rate of 1 spends the budget exactly by the end of the period. The rate of a total outage is the largest there
//! is: `1 / (1 - target)`. A rule that needs more can never fire, so it is left out and named.

use chrono::TimeDelta;
use serde::Serialize;

use super::{Count, check_target};
use crate::analyse::clamped::settled;
use crate::error::{Error, Result};

/// How a burning budget is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Somebody is woken.
    Page,
    /// Somebody looks on the next working day.
    Ticket,
}

/// Fires while the budget burns faster than `factor` in both windows.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// How it is told.
    pub severity: Severity,
    /// Share of the period's budget that is spent when it burns at `factor` for the long window.
    pub budget: f64,
    /// Burn rate above which it fires.
    pub factor: f64,
    /// The window that says it matters.
    #[serde(rename = "longSeconds", serialize_with = "seconds")]
    pub long: TimeDelta,
    /// The window that says it goes on.
    #[serde(rename = "shortSeconds", serialize_with = "seconds")]
    pub short: TimeDelta,
}

/// A rule that cannot work.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeftOut {
    /// The rule.
    pub rule: Rule,
    /// Why it cannot.
    pub reason: String,
}

/// The rules of one objective.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Policy {
    /// Share that has to be good.
    pub target: f64,
    /// The time its budget is for.
    #[serde(rename = "periodSeconds", serialize_with = "seconds")]
    pub period: TimeDelta,
    /// The largest burn rate there is.
    pub burn_max: f64,
    /// Events that the long window needs before a rule fires.
    pub events_min: u64,
    /// Rules that can fire, the fastest first.
    pub rules: Vec<Rule>,
    /// Rules that cannot.
    pub left_out: Vec<LeftOut>,
}

/// One row of a table: severity, share of the budget, minutes of the long and of the short window.
type Row = (Severity, f64, i64, i64);

/// For periods of a month, after the SRE workbook.
const MONTHLY: [Row; 4] = [
    (Severity::Page, 0.02, 60, 5),
    (Severity::Page, 0.05, 6 * 60, 30),
    (Severity::Ticket, 0.10, 24 * 60, 2 * 60),
    (Severity::Ticket, 0.10, 3 * 24 * 60, 6 * 60),
];
/// For periods of a week: in so short a time a larger share of the budget has to burn to be worth waking somebody.
const WEEKLY: [Row; 4] = [
    (Severity::Page, 0.08, 60, 5),
    (Severity::Page, 0.125, 6 * 60, 30),
    (Severity::Ticket, 0.20, 24 * 60, 2 * 60),
    (Severity::Ticket, 0.42, 3 * 24 * 60, 6 * 60),
];
/// Periods, in days, that use the monthly windows as they are.
const MONTH_DAYS: std::ops::RangeInclusive<i64> = 28..=31;
/// The shortest window in which a rate still has the two samples it needs.
const WINDOW_MIN: TimeDelta = TimeDelta::minutes(2);
/// Longest period of a budget.
const PERIOD_MAX: TimeDelta = TimeDelta::days(366);

impl Policy {
    /// The rules for a budget of `1 - target` over `period`. Windows are those of a week or a month; of other periods
    /// they grow and shrink with it, to the minute.
    pub fn new(target: f64, period: TimeDelta) -> Result<Self> {
        check_target(target)?;
        if period <= TimeDelta::zero() || period > PERIOD_MAX {
            let error = Error::invalid(format!("the period of a budget is {} s", period.num_seconds()));
            return Err(error.hint("give a period above 0 and of at most 366 days, such as 30 days"));
        }
        let (table, base) = if MONTH_DAYS.contains(&period.num_days()) {
            (MONTHLY, period)
        } else if period.num_days() > *MONTH_DAYS.end() {
            (MONTHLY, TimeDelta::days(30))
        } else {
            (WEEKLY, TimeDelta::days(7))
        };
        let burn_max = settled(1.0 / (1.0 - target));
        let rules = table.map(|row| Rule::new(row, period, base));
        let refused = |rule: &Rule| rule.refused(target, burn_max);
        Ok(Self {
            target,
            period,
            burn_max,
            events_min: 1,
            rules: rules.iter().filter(|rule| refused(rule).is_none()).copied().collect(),
            left_out: rules.iter().filter_map(|rule| Some(LeftOut { rule: *rule, reason: refused(rule)? })).collect(),
        })
    }

    /// Rules wait for `events` in their long window: one failure out of three says little.
    #[must_use]
    pub fn with_events_min(self, events: u64) -> Self {
        Self { events_min: events, ..self }
    }

    /// Evaluates all rules over slices of `step` each, the newest last.
    pub fn burn(&self, slices: &[Option<Count>], step: TimeDelta) -> Vec<Burn> {
        self.rules
            .iter()
            .map(|rule| {
                let long = Rate::over(slices, rule.long, step, self.target);
                let short = Rate::over(slices, rule.short, step, self.target);
                let is_above = |rate: &Rate| rate.rate.is_some_and(|rate| rate > rule.factor);
                let is_firing = is_above(&long) && is_above(&short) && long.events >= self.events_min;
                Burn { rule: *rule, long, short, is_firing }
            })
            .collect()
    }
}

impl Rule {
    /// The row's rule for `period`; its windows are meant for `base`.
    fn new((severity, budget, long, short): Row, period: TimeDelta, base: TimeDelta) -> Self {
        let scaled = |minutes: i64| {
            let seconds = minutes * 60 * period.num_seconds() / base.num_seconds();
            // To the minute, as the series of naze count.
            TimeDelta::minutes(((seconds + 30) / 60).max(1))
        };
        let (long, short) = (scaled(long), scaled(short));
        let factor = settled(budget * period.as_seconds_f64() / long.as_seconds_f64());
        Self { severity, budget, factor, long, short }
    }

    /// Why it cannot work, if it cannot.
    fn refused(&self, target: f64, burn_max: f64) -> Option<String> {
        let factor = self.factor;
        if self.short < WINDOW_MIN {
            let (short, least) = (self.short.num_seconds(), WINDOW_MIN.num_seconds());
            return Some(format!("its short window of {short} s is below the {least} s that a rate needs"));
        }
        (factor >= burn_max).then(|| {
            format!(
                "a burn rate above {factor} cannot be: with a target of {target} a total outage burns at {burn_max}"
            )
        })
    }
}

/// The burn rate of one window.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Rate {
    /// Share of bad events relative to the budget; nothing without events.
    pub rate: Option<f64>,
    /// Events it rests on.
    pub events: u64,
    /// Slices of the window about which nothing is known.
    pub slices_missing: usize,
}

impl Rate {
    /// Over the newest slices that fill `window`.
    fn over(slices: &[Option<Count>], window: TimeDelta, step: TimeDelta, target: f64) -> Self {
        let wanted = slices_in(window, step);
        let newest = &slices[slices.len().saturating_sub(wanted)..];
        let count: Count = newest.iter().flatten().copied().sum();
        Self {
            rate: count.ratio().map(|ratio| settled((1.0 - ratio) / (1.0 - target))),
            events: count.total(),
            slices_missing: wanted - newest.iter().flatten().count(),
        }
    }
}

/// How many slices of `step` fill `window`; at least one.
fn slices_in(window: TimeDelta, step: TimeDelta) -> usize {
    let (window, step) = (window.num_seconds(), step.num_seconds().max(1));
    usize::try_from((window + step - 1) / step).unwrap_or(1).max(1)
}

/// What a rule says now.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Burn {
    /// The rule.
    pub rule: Rule,
    /// The burn rate of its long window.
    pub long: Rate,
    /// The burn rate of its short window.
    pub short: Rate,
    /// Both are above its factor.
    pub is_firing: bool,
}

fn seconds<S: serde::Serializer>(span: &TimeDelta, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_i64(span.num_seconds())
}
