//! The health of a system: every worked number of the requirements, and every boundary.

use naze::analyse::health::part::{Kanban, Keeping};
use naze::analyse::health::{Colour, Health, Principle, Readings, State, balance, health};
use naze::error::Kind;
use naze::measure::crossing::Palette;
use serde_json::json;

use crate::common::NOW;

/// Tasks a minute that a busy queue should finish.
const TARGET: f64 = 10.0;

/// Sets one reading.
type Set = fn(&mut Readings, f64);
/// Readings with their colours.
type Boundaries = &'static [(f64, Colour)];
/// Makes a reading good.
type Repair = fn(&mut Readings);

#[track_caller]
fn judge(readings: &Readings) -> Health {
    health(readings, TARGET, Palette::shipped()).unwrap()
}

#[track_caller]
fn near(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-4, "{found} instead of {expected}");
}

/// The overview of the requirements' mock-up: all six green.
fn overview() -> Readings {
    Readings {
        circuit_open_ratio: Some(0.0),
        queue_depth: Some(450.0),
        error_ratio: Some(0.003),
        slo_attainment: Some(0.962),
        pool_utilizations: vec![0.62],
        request_p99_seconds: Some(0.234),
        ..Readings::default()
    }
}

/// Readings in the units of the requirements: open %, failures/min, P99 ms, throughput ratio, alerts/min, MTTD s,
/// balance, utilisation %.
fn legacy([open, failures, p99, ratio, alerts, mttd, balance, utilization]: [f64; 8]) -> Readings {
    Readings {
        circuit_open_ratio: Some(open / 100.0),
        failures_per_minute: Some(failures),
        latency_p99_seconds: Some(p99 / 1_000.0),
        throughput_per_minute: Some(ratio * TARGET),
        alerts_per_minute: Some(alerts),
        mttd_seconds: Some(mttd),
        balance: Some(balance),
        pool_utilizations: vec![utilization / 100.0],
        ..Readings::default()
    }
}

#[test]
fn the_scores_are_those_of_the_five_worked_examples() {
    let examples = [
        ([5.0, 2.0, 100.0, 1.0, 1.5, 45.0, 0.85, 80.0], [89.0, 80.0, 83.5, 85.0], 84.375, Colour::Green),
        ([10.0, 4.0, 150.0, 0.9, 2.0, 90.0, 0.80, 64.0], [78.0, 63.0, 77.0, 64.0], 70.5, Colour::Yellow),
        ([20.0, 5.0, 300.0, 0.8, 4.0, 120.0, 0.70, 50.0], [57.5, 32.0, 56.0, 43.75], 47.3125, Colour::Orange),
        ([60.0, 10.0, 600.0, 0.5, 12.0, 300.0, 0.5, 30.0], [0.0, 0.0, 0.0, 18.75], 4.6875, Colour::Red),
        ([0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 1.0, 100.0], [100.0; 4], 100.0, Colour::Green),
    ];
    for (inputs, scores, overall, band) in examples {
        let health = judge(&legacy(inputs));
        let pillars = [Principle::Jidoka, Principle::Kanban, Principle::Andon, Principle::Heijunka];
        assert_eq!(health.scores.iter().map(|score| score.pillar).collect::<Vec<_>>(), pillars);
        for (score, expected) in health.scores.iter().zip(scores) {
            near(score.score.unwrap().value, expected);
        }
        near(health.overall.unwrap(), overall);
        assert_eq!(health.band, band);
        assert_eq!((health.coverage.scored, health.coverage.of), (4, 4));
    }
}

#[test]
fn what_a_score_was_before_it_was_clamped_is_kept() {
    let raw = |inputs| judge(&legacy(inputs)).scores.iter().map(|score| score.score.unwrap().raw).collect::<Vec<_>>();
    let bad = raw([60.0, 10.0, 600.0, 0.5, 12.0, 300.0, 0.5, 30.0]);
    // Kanban: a factor of -20 for the latency, half of it for the throughput.
    for (raw, expected) in bad.iter().zip([-25.0, -10.0, -30.0, 18.75]) {
        near(*raw, expected);
    }
    let idle = raw([0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 1.0, 100.0]);
    for (raw, expected) in idle.iter().zip([100.0, 200.0, 100.0, 125.0]) {
        near(*raw, expected);
    }
}

#[test]
fn a_boundary_belongs_to_the_better_band() {
    let bands = [
        (100.0, Colour::Green),
        (80.0, Colour::Green),
        (79.999, Colour::Yellow),
        (60.0, Colour::Yellow),
        (59.999, Colour::Orange),
        (40.0, Colour::Orange),
        (39.999, Colour::Red),
        (0.0, Colour::Red),
    ];
    for (score, band) in bands {
        assert_eq!(Colour::of(Some(score), "tps_health_score", Palette::shipped()), band, "{score}");
    }
    assert_eq!(Colour::of(None, "tps_health_score", Palette::shipped()), Colour::Grey);
    // 100 - (14.000000000000002 + 6) for a machine.
    let edge =
        judge(&Readings { circuit_open_ratio: Some(0.07), failures_per_minute: Some(12.0), ..Readings::default() });
    assert_eq!((edge.overall, edge.band), (Some(80.0), Colour::Green));
}

#[test]
fn a_missing_pillar_is_left_out_of_the_mean_and_reported() {
    let mut readings = legacy([5.0, 2.0, 100.0, 1.0, 1.5, 45.0, 0.85, 80.0]);
    readings.latency_p99_seconds = None;
    readings.throughput_per_minute = None;
    readings.pool_utilizations = vec![f64::NAN];
    let health = judge(&readings);
    near(health.overall.unwrap(), 86.25);
    assert_eq!(
        serde_json::to_value(&health.coverage).unwrap(),
        json!({"scored": 2, "of": 4, "missing": [
            {"pillar": "kanban",
             "metrics": ["tps_kanban_latency_p99_seconds", "tps_kanban_throughput_per_minute"]},
            {"pillar": "heijunka", "metrics": ["tps_heijunka_pool_utilization"]},
        ]})
    );
    let nothing = judge(&Readings::default());
    assert_eq!((nothing.overall, nothing.band, nothing.coverage.scored), (None, Colour::Grey, 0));
}

#[test]
fn an_idle_queue_is_not_blamed_for_its_throughput_and_a_quiet_system_not_for_detecting_nothing() {
    let mut readings = legacy([0.0, 0.0, 100.0, 0.0, 0.0, 0.0, 1.0, 80.0]);
    near(judge(&readings).scores[1].score.unwrap().value, 0.0);
    readings.is_idle = true;
    near(judge(&readings).scores[1].score.unwrap().value, 80.0);
    readings.mttd_seconds = None;
    near(judge(&readings).scores[2].score.unwrap().value, 100.0);
    readings.alerts_per_minute = None;
    assert_eq!(judge(&readings).scores[2].score, None);
}

#[test]
fn a_target_throughput_of_zero_is_refused() {
    for target in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = health(&overview(), target, Palette::shipped()).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.message().starts_with(&format!("target_throughput is {target}")), "{error}");
    }
}

#[test]
fn balance_is_one_minus_the_relative_spread() {
    near(balance(&[10.0, 10.0, 10.0, 10.0]).unwrap(), 1.0);
    near(balance(&[8.0, 10.0, 12.0]).unwrap(), 0.8367);
    near(balance(&[4.0, 6.0, 10.0, 12.0]).unwrap(), 0.6047);
    near(balance(&[0.0, 0.0, 0.0, 40.0]).unwrap(), -0.7321);
    assert_eq!(balance(&[0.0, 0.0, 0.0]), None);
    assert_eq!(balance(&[]), None);
    let lopsided =
        Readings { balance: balance(&[0.0, 0.0, 0.0, 40.0]), pool_utilizations: vec![0.8], ..Readings::default() };
    let score = judge(&lopsided).scores[3].score.unwrap();
    near(score.value, 0.0);
    near(score.raw, -73.2051);
}

fn colours(readings: &Readings) -> Vec<Colour> {
    judge(readings).principles.iter().map(|status| status.colour).collect()
}

#[test]
fn the_overview_of_the_requirements_shows_six_greens() {
    let health = judge(&overview());
    assert_eq!(colours(&overview()), [Colour::Green; 6]);
    assert_eq!((health.decision.principle, health.decision.finding), (None, "healthy"));
    let lines = health.principles.iter().map(|status| status.of_red_limit.unwrap());
    for (line, expected) in lines.zip([0.0, 0.45, 0.30, 0.38, 0.7294, 0.0468]) {
        near(line, expected);
    }
}

#[test]
fn the_colour_of_a_principle_turns_exactly_at_its_boundary() {
    use Colour::{Green, Red, Yellow};
    let tables: [(usize, Set, Boundaries); 6] = [
        (
            0,
            |readings, value| readings.circuit_open_ratio = Some(value),
            &[(0.0, Green), (0.001, Yellow), (0.3, Yellow), (0.301, Red), (1.0, Red)],
        ),
        (
            1,
            |readings, value| readings.queue_depth = Some(value),
            &[(499.0, Green), (500.0, Yellow), (1_000.0, Yellow), (1_001.0, Red), (1_250.0, Red)],
        ),
        (
            2,
            |readings, value| readings.error_ratio = Some(value),
            &[(0.0049, Green), (0.005, Yellow), (0.01, Yellow), (0.0101, Red)],
        ),
        (
            3,
            |readings, value| readings.slo_attainment = Some(value),
            &[(0.951, Green), (0.95, Yellow), (0.942, Yellow), (0.90, Yellow), (0.899, Red)],
        ),
        (
            4,
            |readings, value| readings.pool_utilizations = vec![value],
            &[(0.699, Green), (0.70, Yellow), (0.85, Yellow), (0.851, Red)],
        ),
        (
            5,
            |readings, value| readings.request_p99_seconds = Some(value),
            &[(2.999, Green), (3.0, Yellow), (5.0, Yellow), (5.001, Red)],
        ),
    ];
    for (row, set, boundaries) in tables {
        for (value, colour) in boundaries {
            let mut readings = overview();
            set(&mut readings, *value);
            assert_eq!(colours(&readings)[row], *colour, "row {row} at {value}");
        }
    }
}

#[test]
fn a_circuit_has_a_colour_of_its_own() {
    let colours = ["closed", "half_open", "open", "melted"].map(Colour::of_circuit);
    assert_eq!(colours, [Colour::Green, Colour::Yellow, Colour::Red, Colour::Grey]);
}

#[test]
fn one_red_pool_among_idle_ones_is_at_least_yellow() {
    let pools = |pools: &[f64]| {
        let readings = Readings { pool_utilizations: pools.to_vec(), ..overview() };
        colours(&readings)[4]
    };
    assert_eq!(pools(&[0.2, 0.85, 0.3]), Colour::Green);
    assert_eq!(pools(&[0.2, 0.86, 0.3]), Colour::Yellow);
    assert_eq!(pools(&[0.95, 0.95, 0.3]), Colour::Yellow);
    assert_eq!(pools(&[0.95, 0.95, 0.7]), Colour::Red);
}

#[test]
fn no_data_is_grey_and_no_reason_to_call_it_healthy() {
    let nothing = judge(&Readings::default());
    assert_eq!(colours(&Readings::default()), [Colour::Grey; 6]);
    assert_eq!((nothing.decision.principle, nothing.decision.finding), (None, "unknown"));
    assert_eq!(nothing.decision.action, "find out why there is no data");
    let broken = Readings { queue_depth: Some(f64::NAN), error_ratio: Some(-0.1), ..overview() };
    let health = judge(&broken);
    assert_eq!((colours(&broken)[1], colours(&broken)[2]), (Colour::Grey, Colour::Grey));
    assert_eq!(health.decision.finding, "healthy");
    assert_eq!(health.decision.unseen, [Principle::Kanban, Principle::Andon]);
}

#[test]
fn the_first_principle_in_trouble_decides() {
    let mut readings = Readings {
        circuit_open_ratio: Some(0.5),
        queue_depth: Some(2_000.0),
        error_ratio: Some(0.02),
        slo_attainment: Some(0.942),
        pool_utilizations: vec![0.9],
        request_p99_seconds: Some(4.0),
        ..Readings::default()
    };
    let flow: [(Principle, &str, Repair); 6] = [
        (Principle::Jidoka, "fix the component, then resume", |now| now.circuit_open_ratio = Some(0.0)),
        (Principle::Kanban, "add workers", |now| now.queue_depth = Some(0.0)),
        (Principle::Andon, "fix the cause of the errors", |now| now.error_ratio = Some(0.0)),
        (Principle::Kaizen, "optimise the bottleneck", |now| now.slo_attainment = Some(1.0)),
        (Principle::Heijunka, "rebalance the pools", |now| now.pool_utilizations = vec![0.5]),
        (Principle::Tracing, "profile and optimise it", |now| now.request_p99_seconds = Some(0.1)),
    ];
    for (principle, action, repair) in flow {
        let decision = judge(&readings).decision;
        assert_eq!((decision.principle, decision.action), (Some(principle), action));
        repair(&mut readings);
    }
    assert_eq!(judge(&readings).decision.finding, "healthy");
}

#[test]
fn imbalance_and_a_slow_component_count_though_the_averages_are_fine() {
    let decided = |readings: &Readings| judge(readings).decision.principle;
    assert_eq!(decided(&Readings { balance: Some(0.6047), ..overview() }), Some(Principle::Heijunka));
    assert_eq!(decided(&Readings { balance: Some(0.70), ..overview() }), None);
    assert_eq!(decided(&Readings { slowest_component_seconds: Some(3.1), ..overview() }), Some(Principle::Tracing));
    assert_eq!(decided(&Readings { slowest_component_seconds: Some(3.0), ..overview() }), None);
}

/// One of the three parts that naze's own keeping is judged by: its state and reason.
fn kept(name: &str, keeping: &Keeping) -> (State, Option<String>) {
    let part = keeping.parts(NOW.parse().unwrap()).into_iter().find(|part| part.name == name).unwrap();
    (part.condition.state, part.condition.reason)
}

#[test]
fn a_ledger_that_is_not_as_it_was_signed_is_unhealthy() {
    let backed_up_at = Some("2026-03-10T11:00:00Z".parse().unwrap());
    let sealed = Keeping { is_sealed: true, backed_up_at, ..Keeping::default() };
    assert_eq!(kept("persistence", &sealed), (State::Healthy, None));
    let broken = "the newest checkpoint does not state what the ledger has: run naze verify";
    let unsealed = (State::Unhealthy, Some(broken.to_owned()));
    assert_eq!(kept("persistence", &Keeping { is_sealed: false, ..sealed.clone() }), unsealed);
    // It is known without any backup.
    assert_eq!(kept("persistence", &Keeping { is_sealed: false, ..Keeping::default() }), unsealed);
}

#[test]
fn receipts_that_the_index_lacks_degrade_it() {
    let keeping = |recorded, indexed, refused| Keeping { recorded, indexed, refused, ..Keeping::default() };
    assert_eq!(kept("receipts", &keeping(5, 5, 0.0)), (State::Healthy, None));
    let missing = "2 receipts of the ledger are missing from the index";
    assert_eq!(kept("receipts", &keeping(5, 3, 0.0)), (State::Degraded, Some(missing.to_owned())));
    let both = format!("1 receipts were refused in the last hour; {missing}");
    assert_eq!(kept("receipts", &keeping(5, 3, 1.0)), (State::Unhealthy, Some(both)), "the worst comes first");
    assert_eq!(kept("receipts", &keeping(0, 0, 0.0)).0, State::Unknown);
}

#[test]
fn a_queue_above_nine_tenths_of_its_capacity_degrades_kanban() {
    let kanban = |share| {
        let kanban = Kanban { queue_utilization: Some(share), ..Kanban::default() };
        let condition = kanban.part(Palette::shipped()).condition;
        (condition.state, condition.reason)
    };
    assert_eq!(kanban(0.9), (State::Healthy, None));
    assert_eq!(kanban(0.9125), (State::Degraded, Some("a queue is 91.25 % full".to_owned())));
}

#[test]
fn the_answer_reads_well_as_json() {
    let health = serde_json::to_value(judge(&overview())).unwrap();
    assert_eq!(
        health["principles"][1],
        json!({"principle": "kanban", "metric": "tps_kanban_queue_depth", "value": 450.0, "unit": "",
               "thresholds": {"yellow": ">= 500", "red": "> 1000"}, "colour": "green", "action": "monitor",
               "ofRedLimit": 0.45, "since": null, "outlook": null})
    );
    assert_eq!((&health["overall"], &health["band"]), (&json!(null), &json!("grey")));
    assert_eq!(health["decision"], json!({"principle": null, "finding": "healthy", "action": "monitor", "unseen": []}));
}
