//! Objectives that grow, and objectives that are never met.

use chrono::{TimeDelta, Weekday};
use naze::analyse::slo::chronic::{Chronic, Pattern, chronic};
use naze::analyse::slo::{Count, Phase, WEEKLY_STEPS, phase_at};
use naze::clock::Timestamp;
use serde_json::json;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn targets_grow_from_week_to_week() {
    let start = at("2026-03-02T00:00:00Z");
    let times = [
        ("2026-01-01T00:00:00Z", 0.95),
        ("2026-03-02T00:00:00Z", 0.95),
        ("2026-03-08T23:59:59.999999Z", 0.95),
        ("2026-03-09T00:00:00Z", 0.97),
        ("2026-03-16T00:00:00Z", 0.99),
        ("2026-03-23T00:00:00Z", 0.999),
        ("2027-01-01T00:00:00Z", 0.999),
    ];
    for (time, target) in times {
        let (phase, status) = phase_at(&WEEKLY_STEPS, start, at(time)).unwrap();
        assert_eq!((phase.target, status.of, status.promised), (target, 4, 0.999), "{time}");
    }
    let (_, status) = phase_at(&WEEKLY_STEPS, start, at("2026-03-10T12:00:00Z")).unwrap();
    assert_eq!((status.number, status.until), (2, Some(at("2026-03-16T00:00:00Z"))));
    assert_eq!(phase_at(&WEEKLY_STEPS, start, at("2026-03-23T00:00:00Z")).unwrap().1.until, None);
}

#[test]
fn phases_that_make_no_sense_are_refused() {
    let start = at("2026-03-02T00:00:00Z");
    let error = |phases: &[Phase]| phase_at(phases, start, start).unwrap_err().message().to_owned();
    assert_eq!(error(&[]), "phases is empty");
    let phase = |weeks, target| Phase { after: TimeDelta::weeks(weeks), target };
    assert_eq!(error(&[phase(1, 0.9), phase(1, 0.95)]), "a phase after 604800 s follows one after 604800 s");
    assert_eq!(
        error(&[phase(0, 0.9), phase(1, 99.9)]),
        "target is 99.9, but has to be at least 0 and at most 0.999999999"
    );
}

/// Periods of `hours` each from a Monday on, of which those chosen have 99.6 % good events, the others 99.95 %.
fn history(hours: usize, periods: usize, is_bad: impl Fn(usize) -> bool) -> Option<Chronic> {
    let monday = at("2026-03-02T00:00:00Z");
    let period = |i: usize| {
        let from = monday.checked_add(TimeDelta::hours(i64::try_from(hours * i).unwrap())).unwrap();
        (from, Count::new(if is_bad(i) { 9_960 } else { 9_995 }, 10_000).unwrap())
    };
    chronic(0.999, &(0..periods).rev().map(period).collect::<Vec<_>>()).unwrap()
}

#[test]
fn missing_most_of_the_time_is_chronic_and_a_larger_budget_is_named() {
    let chronic = history(24, 14, |day| day % 2 == 0).unwrap();
    assert_eq!((chronic.missed, chronic.of, chronic.pattern), (7, 14, Pattern::Constant));
    assert_eq!(chronic.sustainable, Some(0.995));
    assert_eq!(
        chronic.advice[1],
        "or enlarge the budget: a target of 0.995 in place of 0.999 was met most of the time"
    );
}

#[test]
fn missing_at_certain_times_is_told_from_missing_always() {
    let mondays = history(24, 28, |day| day % 7 == 0).unwrap();
    assert_eq!((mondays.missed, mondays.pattern), (4, Pattern::Weekday(Weekday::Mon)));
    assert_eq!(mondays.advice[0], "improve the system: look for what is different on Mon (UTC)");
    assert_eq!(serde_json::to_value(mondays.pattern).unwrap(), json!({"weekday": "Mon"}));
    let nights = history(1, 96, |hour| hour % 24 == 2).unwrap();
    assert_eq!((nights.missed, nights.pattern), (4, Pattern::Hour(2)));
    assert_eq!(nights.advice[0], "improve the system: look for what runs at 02:00 UTC");
}

#[test]
fn a_few_misses_without_a_pattern_are_no_habit() {
    assert_eq!(history(24, 28, |day| day < 2), None);
    assert_eq!(history(24, 28, |day| [1, 9, 18, 26].contains(&day)), None);
    assert_eq!(chronic(0.999, &[(at("2026-03-02T00:00:00Z"), Count::default()); 9]).unwrap(), None);
}

#[test]
fn an_objective_out_of_reach_is_to_be_revised() {
    let periods = [(at("2026-03-02T00:00:00Z"), Count::new(1, 10).unwrap()); 5];
    let chronic = chronic(0.999, &periods).unwrap().unwrap();
    assert_eq!(chronic.sustainable, None);
    assert_eq!(chronic.advice[1], "or revise the objective: no usual target below 0.999 was met most of the time");
}
