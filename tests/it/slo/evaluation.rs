//! Attainment, headroom, error budget.

use naze::analyse::health::Colour;
use naze::analyse::slo::{Count, Evaluation, Measured, State, overall, weekly};
use naze::error::{Error, Kind};
use naze::measure::crossing::Palette;
use naze::slo::{Comparison, Threshold};
use serde_json::json;

use crate::common::Naze;

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
}

fn at_most(value: f64) -> Threshold {
    Threshold { comparison: Comparison::LessOrEqual, value }
}

fn at_least(value: f64) -> Threshold {
    Threshold { comparison: Comparison::GreaterOrEqual, value }
}

fn evaluate(target: f64, measured: &Measured) -> Result<Evaluation, Error> {
    naze::analyse::slo::evaluate(target, measured, Palette::shipped())
}

#[track_caller]
fn counted(target: f64, good: u64, total: u64) -> Evaluation {
    evaluate(target, &Measured::events(&[Some(Count::new(good, total).unwrap())])).unwrap()
}

/// One mean, peak or percentile held against a threshold.
#[track_caller]
fn single(value: f64, threshold: Threshold) -> Evaluation {
    evaluate(0.99, &Measured::windows(&[Some(value)], threshold)).unwrap()
}

/// Latencies of the hundred tasks that the requirements simulate.
fn simulated_ms() -> Vec<f64> {
    (0..100).map(|i| if i % 10 == 0 { 500.0 } else { 100.0 + f64::from(i % 50) }).collect()
}

#[test]
fn the_simulated_tasks_miss_their_objective_with_ninety_good_ones() {
    let evaluation = evaluate(0.99, &Measured::values(&simulated_ms(), at_most(200.0), 0.99)).unwrap();
    assert_eq!((evaluation.good, evaluation.total, evaluation.attainment), (90, 100, Some(0.9)));
    assert_eq!((evaluation.state, evaluation.is_met(), evaluation.is_degraded), (State::Missed, false, true));
    assert_eq!(evaluation.colour, Colour::Yellow);
    assert_eq!(evaluation.value, Some(500.0), "the P99");
    near(evaluation.headroom.unwrap(), -1.5);
    near(evaluation.budget.unwrap().remaining.raw, -9.0);
    // Every 25th of them failed and opened its circuit.
    near(counted(0.999, 96, 100).budget.unwrap().consumed, 40.0);
}

/// The simulation as it happens: a task each half second, and of every 25th a failure that opens the circuit.
#[test]
fn the_simulation_told_as_events_comes_out_as_it_was_worked_out() {
    let naze = Naze::in_memory();
    let mut events = Vec::new();
    for (i, latency) in (0_u32..).zip(simulated_ms()) {
        let at = |more: u32| format!("2026-03-10T11:59:{:02}.{:03}Z", i / 2, i % 2 * 500 + more);
        let mut event = |kind: &str, more: u32, own: serde_json::Value| {
            let mut event = json!({"kind": kind, "component": "checkout", "occurredAt": at(more)});
            event.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
            events.push(event);
        };
        event("task", 0, json!({"queue": "checkout", "latencyMs": latency}));
        if i % 25 == 0 {
            event("failure", 1, json!({"failureType": "Timeout"}));
            event("circuit", 2, json!({"state": "open"}));
        }
    }
    naze.record(&json!(events));
    let metrics = naze.get("/metrics").text();
    let told = |name: &str, label: &str| -> f64 {
        let line = metrics.lines().find(|line| line.starts_with(name) && line.contains(label)).unwrap_or_default();
        line.rsplit_once(' ').unwrap_or_else(|| panic!("{name} of {label} in {metrics}")).1.parse().unwrap()
    };
    near(told("tps_jidoka_failures_total", "\"checkout\""), 4.0);
    near(told("tps_jidoka_circuit_opens_total", "\"checkout\""), 4.0);
    near(told("tps_kanban_throughput_total", "\"checkout\""), 100.0);
    near(told("tps_kanban_latency_seconds_bucket", "le=\"0.2\""), 90.0);
    near(told("tps_kanban_latency_seconds_sum", "\"checkout\"") / 100.0, 0.1625);
}

#[test]
fn the_percentile_of_the_objective_stands_for_values() {
    let value = |target| evaluate(target, &Measured::values(&simulated_ms(), at_most(200.0), target)).unwrap().value;
    assert_eq!(
        [value(0.50), value(0.90), value(0.95), value(0.99)],
        [Some(127.0), Some(149.0), Some(500.0), Some(500.0)]
    );
    let values: Vec<f64> = (1..=100).map(f64::from).collect();
    let fast = evaluate(0.95, &Measured::values(&values, at_least(6.0), 0.95)).unwrap();
    assert_eq!((fast.value, fast.state), (Some(6.0), State::Met));
}

#[test]
fn the_percentile_is_good_exactly_when_the_objective_is_met() {
    for bad in 0..=20_u32 {
        let values: Vec<f64> = (0..20).map(|i| if i < bad { 300.0 } else { 100.0 }).collect();
        let evaluation = evaluate(0.9, &Measured::values(&values, at_most(200.0), 0.9)).unwrap();
        assert_eq!(evaluation.is_met(), bad <= 2, "{bad} of 20");
        assert_eq!(evaluation.headroom.unwrap() >= 0.0, bad <= 2, "{bad} of 20");
    }
}

#[test]
fn headroom_is_the_distance_from_the_threshold() {
    near(single(185.0, at_most(200.0)).headroom.unwrap(), 0.075);
    near(single(5_400_000.0, at_most(7_200_000.0)).headroom.unwrap(), 0.25);
    near(single(250.0, at_most(200.0)).headroom.unwrap(), -0.25);
    near(single(12.0, at_least(10.0)).headroom.unwrap(), 0.2);
    near(single(8.0, at_least(10.0)).headroom.unwrap(), -0.2);
    assert_eq!(single(0.0, at_most(0.0)).headroom, None);
}

#[test]
fn a_lead_time_is_met_below_its_threshold() {
    let lead_time = single(5_400_000.0, at_most(7_200_000.0));
    assert_eq!((lead_time.is_met(), lead_time.value, lead_time.threshold), (true, Some(5_400_000.0), 7_200_000.0));
}

#[test]
fn the_exact_threshold_is_good_only_where_it_is_part_of_it() {
    let state = |comparison, value| single(value, Threshold { comparison, value: 50.0 }).state;
    assert_eq!(state(Comparison::LessOrEqual, 50.0), State::Met);
    assert_eq!(state(Comparison::Less, 50.0), State::Missed);
    assert_eq!(state(Comparison::GreaterOrEqual, 50.0), State::Met);
    assert_eq!(state(Comparison::Greater, 50.0), State::Missed);
    assert_eq!(state(Comparison::LessOrEqual, 51.0), State::Missed);
    assert_eq!(state(Comparison::Greater, 51.0), State::Met);
}

#[test]
fn the_error_budgets_are_those_of_the_requirements() {
    let gate = counted(0.95, 97, 100);
    assert_eq!((gate.is_met(), gate.budget.unwrap().remaining.raw), (true, 0.4));
    let uptime = counted(0.999, 9_995, 10_000);
    assert_eq!((uptime.is_met(), uptime.budget.unwrap().remaining.raw), (true, 0.5));
    let checkout = counted(0.9995, 9_970, 10_000);
    let budget = checkout.budget.unwrap();
    assert_eq!((checkout.is_met(), budget.total, budget.spent, budget.consumed), (false, 0.0005, 0.003, 6.0));
    assert_eq!((budget.remaining.raw, budget.remaining.value), (-5.0, 0.0));
}

#[test]
fn exactly_enough_is_met_and_leaves_nothing() {
    let objectives = [(0.9, 90, 100), (0.95, 19, 20), (0.99, 99, 100), (0.999, 999, 1_000), (0.9999, 9_999, 10_000)];
    for (target, good, total) in objectives {
        let enough = counted(target, good, total);
        assert_eq!((enough.is_met(), enough.budget.unwrap().remaining.raw), (true, 0.0), "{target}");
        let one_less = counted(target, good - 1, total);
        assert!(!one_less.is_met() && one_less.budget.unwrap().remaining.raw < 0.0, "{target}");
    }
}

#[test]
fn below_ninety_nine_percent_is_degraded_whatever_the_objective() {
    assert!(!counted(0.95, 99, 100).is_degraded);
    let degraded = counted(0.95, 989, 1_000);
    assert_eq!((degraded.is_met(), degraded.is_degraded, degraded.colour), (true, true, Colour::Green));
}

#[test]
fn nothing_measured_is_unknown_and_not_met() {
    let nothings = [
        Measured::events(&[]),
        Measured::events(&[None, None]),
        Measured::events(&[Some(Count::default())]),
        Measured::windows(&[None, Some(f64::NAN)], at_most(1.0)),
        Measured::values(&[], at_most(1.0), 0.99),
        Measured::ratio_timeslices(&[Some(Count::default())]),
    ];
    for nothing in nothings {
        let evaluation = evaluate(0.0, &nothing).unwrap();
        assert_eq!((evaluation.state, evaluation.is_met(), evaluation.colour), (State::Unknown, false, Colour::Grey));
        assert_eq!((evaluation.attainment, evaluation.budget, evaluation.headroom), (None, None, None));
        assert!(!evaluation.is_degraded);
    }
}

#[test]
fn a_window_with_gaps_is_incomplete() {
    let ten = Some(Count::new(9, 10).unwrap());
    let evaluation = evaluate(0.9, &Measured::events(&[ten, None, ten, Some(Count::default())])).unwrap();
    assert_eq!((evaluation.good, evaluation.total, evaluation.state), (18, 20, State::Met));
    assert_eq!((evaluation.is_complete, evaluation.slices, evaluation.slices_missing), (false, 4, 1));
    assert!(counted(0.9, 9, 10).is_complete);
    let peaks = evaluate(0.5, &Measured::windows(&[Some(40.0), Some(60.0), Some(50.0), None], at_most(50.0))).unwrap();
    assert_eq!((peaks.good, peaks.total, peaks.value, peaks.is_complete), (2, 3, Some(50.0), false));
}

#[test]
fn slices_weigh_the_same_however_busy_they_were() {
    let count = |good, total| Some(Count::new(good, total).unwrap());
    let slices = [count(1_000, 1_000), count(0, 10), count(96, 100), count(0, 0), None];
    let attainment = |measured: &Measured| evaluate(0.9, measured).unwrap().attainment.unwrap();
    near(attainment(&Measured::events(&slices)), 1_096.0 / 1_110.0);
    near(attainment(&Measured::timeslices(&slices, 0.95)), 0.75);
    near(attainment(&Measured::timeslices(&slices, 0.96)), 0.75);
    near(attainment(&Measured::timeslices(&slices, 0.97)), 0.5);
    near(attainment(&Measured::ratio_timeslices(&slices)), (1.0 + 0.0 + 0.96) / 3.0);
}

#[test]
fn what_cannot_be_is_refused_with_its_number() {
    let error = Count::new(11, 10).unwrap_err();
    assert_eq!((error.kind(), error.message()), (Kind::Invalid, "good is 11, but total is only 10"));
    for target in [1.0, 1.5, -0.1, f64::NAN, 99.9] {
        let error = evaluate(target, &Measured::events(&[])).unwrap_err();
        assert_eq!(error.message(), format!("target is {target}, but has to be at least 0 and at most 0.999999999"));
    }
}

#[test]
fn the_lowest_remaining_budget_is_that_of_all() {
    let (gate, uptime, checkout) =
        (counted(0.95, 97, 100), counted(0.999, 9_995, 10_000), counted(0.9995, 9_970, 10_000));
    let unknown = evaluate(0.9, &Measured::events(&[None])).unwrap();
    let gap = evaluate(0.9, &Measured::events(&[None, Some(Count::new(1, 1).unwrap())])).unwrap();
    let named = [("uptime", &uptime), ("gate", &gate), ("lead time", &unknown), ("queue", &gap)];
    let all = overall(&named);
    assert_eq!((all.lowest.as_deref(), all.remaining.unwrap().raw), (Some("gate"), 0.4));
    assert_eq!(
        (all.met, all.missed, all.unknown, all.incomplete),
        (vec!["gate".into(), "queue".into(), "uptime".into()], vec![], vec!["lead time".into()], vec!["queue".into()])
    );
    let all = overall(&[named[0], ("checkout", &checkout), named[1]]);
    assert_eq!((all.lowest.as_deref(), all.missed), (Some("checkout"), vec!["checkout".to_owned()]));
    assert_eq!((all.remaining.unwrap().raw, all.remaining.unwrap().value), (-5.0, 0.0));
    assert_eq!(overall(&[]).remaining, None);
}

#[test]
fn a_fall_of_more_than_a_point_in_a_week_is_degrading() {
    let week = weekly(0.942, 0.961);
    assert_eq!((week.change, week.is_degrading), (-0.019, true));
    assert!(!weekly(0.95, 0.96).is_degrading, "exactly a point");
    assert!(!weekly(0.97, 0.96).is_degrading);
    assert_eq!(counted(0.95, 942, 1_000).colour, Colour::Yellow);
}

#[test]
fn the_answer_reads_well_as_json() {
    assert_eq!(
        serde_json::to_value(counted(0.95, 97, 100)).unwrap(),
        json!({"target": 0.95, "good": 97, "total": 100, "attainment": 0.97, "state": "met", "value": 0.97,
               "threshold": 0.95, "headroom": (0.97 - 0.95) / 0.95,
               "budget": {"total": 0.05, "spent": 0.03, "consumed": 0.6, "remaining": {"value": 0.4, "raw": 0.4}},
               "isDegraded": true, "colour": "green", "isComplete": true, "slices": 1, "slicesMissing": 0})
    );
}
