//! Alert noise: how often alerts fire, which of them nobody needs, why, and what to do. Muting is no remedy.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use chrono::TimeDelta;
use serde::Serialize;

use crate::analyse::clamped::settled;
use crate::analyse::trend::Summary;
use crate::clock::Timestamp;
use crate::receipt::ReceiptId;
use crate::record::{Recorded, Window};

/// More firings in a minute than this are too many.
const MINUTE_MAX: usize = 10;
/// So many in a day are too many.
const DAY_MIN: usize = 50;
/// Rules that fired less often are not looked at.
const FIRINGS_MIN: usize = 3;
/// Rules told.
const RULES_MAX: usize = 10;
/// Receipts cited for one rule.
const CITED_MAX: usize = 5;
/// Alerts as close as this may have one cause.
const TOGETHER: TimeDelta = TimeDelta::minutes(5);
/// An alert that is over sooner flaps.
const BRIEF: TimeDelta = TimeDelta::minutes(5);
/// So large a share is most of them.
const MOST: f64 = 0.8;
/// A threshold goes above the 95th percentile by this share of it.
const ROOM: f64 = 0.15;

/// How loud a week was.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Noise {
    /// Alerts that fired.
    pub firings: usize,
    /// Each day with alerts.
    pub days: Vec<Day>,
    /// The minute with most of them.
    pub busiest_minute: Option<Minute>,
    /// Share of firings that nobody acknowledged.
    pub unacknowledged_share: Option<f64>,
    /// More than ten in a minute, or fifty and more in a day.
    pub is_fatiguing: bool,
    /// The rules that fired most.
    pub rules: Vec<NoisyRule>,
    /// A path that shows the alerts again.
    pub show: String,
}

/// Firings of a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Day {
    /// Which day, UTC.
    pub day: String,
    /// How many.
    pub firings: usize,
}

/// Firings of a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Minute {
    /// When it begins.
    pub at: Timestamp,
    /// How many.
    pub firings: usize,
}

/// A rule that fired often.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NoisyRule {
    /// What its alerts are about.
    pub component: String,
    /// Name of the alert.
    pub rule: String,
    /// How often it fired.
    pub firings: usize,
    /// The same for each day of the week.
    pub firings_per_day: f64,
    /// Share of firings that nobody acknowledged.
    pub unacknowledged_share: f64,
    /// Why it fires so often, as far as the evidence tells.
    pub causes: Vec<Cause>,
    /// Some of its firings.
    pub receipts: Vec<ReceiptId>,
    /// A path that shows all of them.
    pub show: String,
}

/// Why a rule is noisy, and what to do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Cause {
    /// Which habit it is.
    pub habit: Habit,
    /// One sentence with its numbers.
    pub statement: String,
    /// What to do.
    pub remedy: String,
}

/// A habit that makes an alert noisy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// Its threshold lies where the metric usually is.
    ThresholdWithinNormalRange,
    /// Another rule fires of the same cause.
    SeveralRulesForOneCause,
    /// It fires and is over at once.
    NoisyMetric,
    /// Nobody answers it.
    Ignored,
}

/// One alert from firing to its end.
struct Firing<'a> {
    told: &'a Recorded,
    component: &'a str,
    rule: &'a str,
    at: Timestamp,
    is_acknowledged: bool,
    resolved: Option<Timestamp>,
}

/// How loud the alerts among `receipts`, which are in order of time, were. `usual` tells a metric of a component over the
/// week, where it is kept.
pub fn noise(
    receipts: &[Recorded],
    week: Window,
    usual: impl Fn(&str, &str) -> Option<Summary>,
    show: impl Fn(Option<(&str, &str)>) -> String,
) -> Noise {
    let firings = firings(receipts);
    let mut by_rule: BTreeMap<(&str, &str), Vec<&Firing<'_>>> = BTreeMap::new();
    let (mut days, mut minutes) = (BTreeMap::new(), BTreeMap::new());
    for firing in &firings {
        by_rule.entry((firing.component, firing.rule)).or_default().push(firing);
        *days.entry(firing.at.utc().date_naive().to_string()).or_insert(0_usize) += 1;
        *minutes.entry(firing.at.micros().div_euclid(60_000_000)).or_insert(0_usize) += 1;
    }
    let busiest = minutes.into_iter().max_by_key(|(minute, firings)| (*firings, Reverse(*minute)));
    let busiest_minute = busiest
        .and_then(|(minute, firings)| Some(Minute { at: Timestamp::from_micros(minute * 60_000_000)?, firings }));
    let days: Vec<Day> = days.into_iter().map(|(day, firings)| Day { day, firings }).collect();
    let mut loud: Vec<_> = by_rule.iter().filter(|(_, firings)| firings.len() >= FIRINGS_MIN).collect();
    loud.sort_by_key(|(name, firings)| (Reverse(firings.len()), **name));
    let rules = loud.into_iter().take(RULES_MAX).map(|((component, rule), own)| NoisyRule {
        component: (*component).to_owned(),
        rule: (*rule).to_owned(),
        firings: own.len(),
        firings_per_day: share(own.len(), 1) / (week.length().as_seconds_f64() / 86_400.0).max(f64::MIN_POSITIVE),
        unacknowledged_share: unacknowledged(own.iter().copied()),
        causes: causes(own, &by_rule, &usual),
        receipts: own.iter().rev().take(CITED_MAX).map(|firing| firing.told.id).collect(),
        show: show(Some((component, rule))),
    });
    Noise {
        firings: firings.len(),
        is_fatiguing: busiest_minute.is_some_and(|minute| minute.firings > MINUTE_MAX)
            || days.iter().any(|day| day.firings >= DAY_MIN),
        unacknowledged_share: (!firings.is_empty()).then(|| unacknowledged(firings.iter())),
        rules: rules.collect(),
        days,
        busiest_minute,
        show: show(None),
    }
}

fn firings(receipts: &[Recorded]) -> Vec<Firing<'_>> {
    let mut firings: Vec<Firing<'_>> = Vec::new();
    // The latest firing of each alert, by its place.
    let mut open: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for told in receipts.iter().filter(|told| told.receipt.kind() == "alert") {
        let text = |field: &str| told.receipt.text(field).unwrap_or_default();
        let name = (told.receipt.component().unwrap_or_default(), text("name"), text("fingerprint"));
        let latest = open.get(&name).copied();
        match (text("status"), latest) {
            ("firing", _) => {
                open.insert(name, firings.len());
                firings.push(Firing {
                    told,
                    component: name.0,
                    rule: name.1,
                    at: told.occurred_at(),
                    is_acknowledged: false,
                    resolved: None,
                });
            }
            ("acknowledged", Some(place)) => firings[place].is_acknowledged = true,
            ("resolved", Some(place)) => {
                firings[place].resolved.get_or_insert(told.occurred_at());
            }
            _ => {}
        }
    }
    firings
}

#[expect(clippy::cast_precision_loss, reason = "counts of alerts fit 53 bits")]
fn share(part: usize, whole: usize) -> f64 {
    part as f64 / whole.max(1) as f64
}

fn unacknowledged<'a>(firings: impl Iterator<Item = &'a Firing<'a>>) -> f64 {
    let (mut all, mut without) = (0, 0);
    for firing in firings {
        all += 1;
        without += usize::from(!firing.is_acknowledged);
    }
    share(without, all)
}

fn causes(
    own: &[&Firing<'_>],
    all: &BTreeMap<(&str, &str), Vec<&Firing<'_>>>,
    usual: impl Fn(&str, &str) -> Option<Summary>,
) -> Vec<Cause> {
    let mut causes: Vec<Cause> = Vec::new();
    causes.extend(within_normal_range(own, usual));
    causes.extend(one_cause(own, all));
    causes.extend(brief(own));
    let ignored = unacknowledged(own.iter().copied());
    if ignored >= MOST {
        causes.push(Cause {
            habit: Habit::Ignored,
            statement: format!("{:.0} % of its firings were acknowledged by nobody", ignored * 100.0),
            remedy: "say in the alert what to do, or make it a line of the weekly review in place of a page".to_owned(),
        });
    }
    causes
}

/// The metric is beyond the threshold for more than one minute in twenty.
fn within_normal_range(own: &[&Firing<'_>], usual: impl Fn(&str, &str) -> Option<Summary>) -> Option<Cause> {
    let told = own.iter().rev().map(|firing| &firing.told.receipt);
    let mut with_threshold = told.filter_map(|told| Some((told.text("metric")?, told.number("threshold")?, told)));
    let (metric, threshold, told) = with_threshold.next()?;
    let usual = usual(metric, told.component()?)?;
    let is_upward = told.number("value").is_none_or(|value| value >= threshold);
    (is_upward && usual.p95 >= threshold).then(|| Cause {
        habit: Habit::ThresholdWithinNormalRange,
        statement: format!(
            "{metric} is usually up to {} (95th percentile of the week), the threshold is {threshold}",
            usual.p95
        ),
        remedy: format!(
            "raise the threshold to about {}, or ask for a condition that lasts",
            settled(usual.p95 * (1.0 + ROOM))
        ),
    })
}

/// Another rule of the component fires with nearly every firing.
fn one_cause(own: &[&Firing<'_>], all: &BTreeMap<(&str, &str), Vec<&Firing<'_>>>) -> Option<Cause> {
    let (component, rule) = (own[0].component, own[0].rule);
    let others = all.iter().filter(|((where_, other), _)| *where_ == component && *other != rule);
    let together = others.map(|((_, other), theirs)| {
        let near = |firing: &&&Firing<'_>| {
            let first = theirs.partition_point(|other| other.at.since(firing.at) < -TOGETHER);
            theirs.get(first).is_some_and(|other| other.at.since(firing.at) <= TOGETHER)
        };
        (own.iter().filter(near).count(), *other)
    });
    let (count, other) = together.max_by_key(|(count, other)| (*count, Reverse(*other)))?;
    (share(count, own.len()) >= MOST).then(|| Cause {
        habit: Habit::SeveralRulesForOneCause,
        statement: format!("{other} fired within five minutes of {count} of its {} firings", own.len()),
        remedy: format!("join it with {other} by AND, or let one inhibit the other"),
    })
}

/// It is over before anybody can look.
fn brief(own: &[&Firing<'_>]) -> Option<Cause> {
    let ended: Vec<TimeDelta> = own.iter().filter_map(|firing| Some(firing.resolved?.since(firing.at))).collect();
    let brief = ended.iter().filter(|took| **took < BRIEF).count();
    (ended.len() >= FIRINGS_MIN && share(brief, ended.len()) >= MOST).then(|| Cause {
        habit: Habit::NoisyMetric,
        statement: format!("{brief} of {} firings were over within five minutes", ended.len()),
        remedy: "ask for a condition that lasts, a percentile in place of a maximum, or a smoothed value".to_owned(),
    })
}
