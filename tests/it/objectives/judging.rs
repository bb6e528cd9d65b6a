//! What is good, and what is not.

use naze::analyse::slo::judge;
use naze::measure::rollup::{Rollup, Values};
use naze::measure::{Kind, Point};
use naze::slo::Quality;
use proptest::prelude::*;
use serde_json::json;

use super::{ALL, BAD, measure, naze, only, ratio, requests, slo, source, status, threshold};

#[test]
fn counters_spend_a_budget() {
    let naze = naze(&slo("success", "1h", &ratio("bad", BAD, ALL), "{target: 0.99}"));
    // 100 requests a minute end well; in each of the last ten minutes, 4 more fail with 500 and 1 with 503.
    let steady = |a_minute: f64| (0..=90).rev().map(move |ago: u32| (ago, f64::from(90 - ago) * a_minute));
    let lately = |a_minute: f64| {
        (0..=90).rev().map(move |ago: u32| (ago, 7.0 + a_minute * f64::from(11_u32.saturating_sub(ago))))
    };
    measure(&naze, &requests("counter", "200"), steady(95.0));
    measure(&naze, &requests("counter", "404"), steady(5.0));
    measure(&naze, &requests("counter", "500"), lately(4.0));
    measure(&naze, &requests("counter", "503"), lately(1.0));
    let told = status(&naze, "success");
    assert_eq!((&told["from"], &told["to"]), (&json!("2026-03-10T11:00:00Z"), &json!("2026-03-10T12:00:00Z")));
    assert_eq!(told["problems"], json!([]));
    let told = &told["objectives"][0];
    assert_eq!((&told["good"], &told["total"]), (&json!(6_000), &json!(6_050)));
    assert!((told["attainment"].as_f64().unwrap() - 6_000.0 / 6_050.0).abs() < 1e-12);
    // 50 / 6,050 of a hundredth.
    assert_eq!(told["budget"]["consumed"], 0.826_446_3);
    assert_eq!(told["budget"]["remaining"], json!({"value": 0.173_553_7, "raw": 0.173_553_7}));
    assert_eq!(
        (&told["state"], &told["isDegraded"], &told["isComplete"]),
        (&json!("met"), &json!(false), &json!(true))
    );
    assert_eq!(told["leftOut"].as_array().unwrap().len(), 3, "windows of a minute have no rate");
    // 26 minutes: 50 of 2,650; 2 minutes: 10 of 210.
    let burn = &told["burn"][0];
    assert_eq!((&burn["long"]["events"], &burn["long"]["rate"]), (&json!(2_650), &json!(1.886_792_453)));
    assert_eq!((&burn["short"]["events"], &burn["short"]["rate"]), (&json!(210), &json!(4.761_904_762)));
    assert_eq!((&burn["isFiring"], &told["firing"]), (&json!(true), &json!("ticket")));
}

#[test]
fn a_month_with_an_outage_is_overspent_and_incomplete() {
    let naze = naze(&slo("success", "30d", &ratio("bad", BAD, ALL), "{target: 0.999}"));
    let steady = |a_minute: f64| (0..=90).rev().map(move |ago: u32| (ago, f64::from(90 - ago) * a_minute));
    measure(&naze, &requests("counter", "200"), steady(95.0));
    measure(&naze, &requests("counter", "500"), steady(5.0));
    let told = only(&naze, "success");
    assert_eq!((&told["attainment"], &told["state"]), (&json!(0.95), &json!("missed")));
    assert_eq!(told["budget"]["remaining"], json!({"value": 0.0, "raw": -49.0}));
    assert_eq!((&told["isDegraded"], &told["isComplete"]), (&json!(true), &json!(false)));
    // Of 30 days of minutes, 90 were measured.
    assert_eq!((&told["slices"], &told["slicesMissing"]), (&json!(43_200), &json!(43_110)));
    let firing: Vec<bool> =
        told["burn"].as_array().unwrap().iter().map(|burn| burn["isFiring"].as_bool().unwrap()).collect();
    assert_eq!(firing, [true; 4], "50 times too fast is above 14.4, 6, 3 and 1");
    assert_eq!(told["firing"], "page");
}

#[test]
fn counters_that_begin_anew_lose_nothing_and_the_reading_before_the_window_counts() {
    let naze = naze(&slo("success", "1h", &ratio("good", ALL, ALL), "{target: 0.99}"));
    measure(&naze, &requests("counter", "200"), [(70, 1_000.0), (50, 1_010.0), (30, 5.0)]);
    // 10 up to the second reading, 5 since the restart.
    assert_eq!(only(&naze, "success")["total"], 15);
}

#[test]
fn a_metric_without_series_counts_as_zero_and_is_told() {
    let naze = naze(&slo("success", "1h", &ratio("bad", BAD, ALL), "{target: 0.99}"));
    let told = status(&naze, "success");
    let missing = "there is no series of http_requests_total with its component and labels";
    assert_eq!((&told["objectives"][0]["state"], &told["problems"]), (&json!("unknown"), &json!([missing])));
    measure(&naze, &requests("delta", "200"), (1..=60).map(|ago| (ago, 2.0)));
    let told = status(&naze, "success");
    assert_eq!((&told["objectives"][0]["good"], &told["problems"]), (&json!(120), &json!([missing])));
}

#[test]
fn a_gauge_counts_no_events() {
    let naze = naze(&slo("success", "1h", &ratio("bad", BAD, ALL), "{target: 0.99}"));
    measure(&naze, &requests("gauge", "500"), [(1, 2.0)]);
    let told = status(&naze, "success");
    assert_eq!(told["objectives"][0]["state"], "unknown");
    let problem = told["problems"][0].as_str().unwrap();
    assert!(problem.starts_with("http_requests_total is a gauge, which counts no events"), "{problem}");
}

/// The simulation of the requirements: every tenth of 100 tasks takes 500 ms, the others 100 to 149 ms.
#[test]
fn tasks_of_a_distribution_are_good_one_by_one() {
    let indicator = threshold("{metric: task_ms, component: checkout}");
    let objectives = "{op: lte, value: 200, target: 0.99}, {op: lte, value: 200, target: 0.9}";
    let naze = naze(&slo("latency", "5m", &indicator, objectives));
    let task = json!({"metric": "task_ms", "component": "checkout", "kind": "distribution"});
    let duration = |number: u32| if number.is_multiple_of(10) { 500.0 } else { 100.0 + f64::from(number % 50) };
    measure(&naze, &task, (0..100).map(|number| (1 + number % 5, duration(number))));
    let told = status(&naze, "latency");
    let [p99, p90] = [&told["objectives"][0], &told["objectives"][1]];
    assert_eq!((&p99["name"], &p90["name"]), (&json!("latency/1"), &json!("latency/2")));
    for objective in [p99, p90] {
        assert_eq!((&objective["good"], &objective["total"]), (&json!(90), &json!(100)));
        assert_eq!((&objective["attainment"], &objective["threshold"]), (&json!(0.9), &json!(200.0)));
    }
    assert_eq!((&p99["state"], &p90["state"]), (&json!("missed"), &json!("met")));
    let near = |found: &serde_json::Value, expected: f64| (found.as_f64().unwrap() / expected - 1.0).abs() <= 0.011;
    assert!(near(&p99["value"], 500.0), "P99: {}", p99["value"]);
    assert!(near(&p90["value"], 149.0), "P90: {}", p90["value"]);
    let headroom = 1.0 - p90["value"].as_f64().unwrap() / 200.0;
    assert!((p90["headroom"].as_f64().unwrap() - headroom).abs() < 1e-9);
    assert_eq!(p99["budget"]["remaining"], json!({"value": 0.0, "raw": -9.0}));
    assert_eq!(p90["budget"]["remaining"], json!({"value": 0.0, "raw": 0.0}));
}

#[test]
fn gauges_are_judged_by_the_minute_and_by_their_statistic() {
    let of = |name: &str, stat: &str| {
        let indicator = threshold(&format!("{{metric: queue_depth, component: checkout{stat}}}"));
        slo(name, "10m", &indicator, "{op: lte, value: 50, target: 0.95}")
    };
    let naze = naze(&(of("peak", ", stat: max") + &of("mean", "")));
    let depth = json!({"metric": "queue_depth", "component": "checkout", "kind": "gauge"});
    measure(&naze, &depth, (1..=10).map(|ago| (ago, 40.0)));
    measure(&naze, &depth, [(4, 60.0)]);
    let peak = only(&naze, "peak");
    assert_eq!((&peak["good"], &peak["total"], &peak["state"]), (&json!(9), &json!(10), &json!("missed")));
    assert_eq!((&peak["value"], &peak["headroom"]), (&json!(40.0), &json!(0.2)));
    let mean = only(&naze, "mean");
    assert_eq!((&mean["good"], &mean["total"], &mean["state"]), (&json!(10), &json!(10), &json!("met")));
}

#[test]
fn of_several_gauges_each_counts_and_the_worst_is_shown() {
    let indicator = threshold("{metric: queue_depth}");
    let naze = naze(&slo("queues", "10m", &indicator, "{op: lt, value: 50, target: 0.95}"));
    for (component, depth) in [("checkout", 10.0), ("orders", 50.0), ("mail", 20.0)] {
        let series = json!({"metric": "queue_depth", "component": component, "kind": "gauge"});
        measure(&naze, &series, (1..=10).map(|ago| (ago, depth)));
    }
    let told = only(&naze, "queues");
    assert_eq!((&told["good"], &told["total"], &told["value"]), (&json!(20), &json!(30), &json!(50.0)));
}

#[test]
fn a_ratio_that_was_computed_is_its_mean() {
    let of = |name: &str, kind: &str, metric: &str, target: f64| {
        let raw = source(&format!("{{metric: {metric}}}"));
        let indicator = format!("{{ratioMetric: {{rawType: {kind}, raw: {raw}}}}}");
        slo(name, "1h", &indicator, &format!("{{target: {target}}}"))
    };
    let slos = [
        of("gate", "success", "gate_pass_rate", 0.95),
        of("uptime", "success", "uptime_ratio", 0.999),
        of("errors", "failure", "error_ratio", 0.9),
        of("percent", "success", "percentage", 0.9),
    ];
    let naze = naze(&slos.concat());
    let hour = |metric: &str, value: f64| {
        measure(&naze, &json!({"metric": metric, "component": "x"}), (1..=60).map(|ago| (ago, value)));
    };
    hour("gate_pass_rate", 0.97);
    hour("uptime_ratio", 0.9995);
    hour("error_ratio", 0.03);
    hour("percentage", 97.0);
    let gate = only(&naze, "gate");
    assert_eq!((&gate["state"], &gate["attainment"]), (&json!("met"), &json!(0.97)));
    assert_eq!(gate["budget"]["remaining"], json!({"value": 0.4, "raw": 0.4}));
    assert_eq!(only(&naze, "uptime")["budget"]["remaining"]["raw"], 0.5);
    assert_eq!(only(&naze, "errors")["attainment"], 0.97);
    let percent = status(&naze, "percent");
    assert_eq!(percent["objectives"][0]["state"], "unknown");
    assert_eq!(percent["problems"], json!(["percentage was 97, which is no share from 0 to 1, and does not count"]));
}

#[test]
fn what_is_counted_before_its_total_waits_for_it() {
    let told = |quality, events: &[Option<f64>], total: &[Option<f64>]| -> Vec<Option<(u64, u64)>> {
        let minutes = judge::ratio(quality, events, total);
        minutes.iter().map(|minute| minute.map(|count| (count.good(), count.total()))).collect()
    };
    let [ten, twenty, zero] = [Some(10.0), Some(20.0), Some(0.0)];
    assert_eq!(
        told(Quality::Good, &[zero, twenty, None, twenty], &[ten; 4]),
        [Some((0, 10)), Some((10, 10)), Some((10, 10)), Some((10, 10))]
    );
    assert_eq!(told(Quality::Bad, &[ten, zero, zero], &[None, ten, ten]), [None, Some((10, 10)), Some((10, 10))]);
    let half = Some(0.5);
    assert_eq!(
        told(Quality::Bad, &[zero; 4], &[half; 4]),
        [Some((0, 0)), Some((1, 1)), Some((0, 0)), Some((1, 1))],
        "halves add up"
    );
}

/// Values of a minute, as they are kept.
fn kept(values: &[f64]) -> Values {
    let mut all: Vec<Rollup> = values
        .iter()
        .map(|value| Rollup::of(Kind::Distribution, &Point::once(naze::clock::Timestamp::MIN, *value), 0))
        .collect();
    let mut first = all.remove(0);
    all.iter().for_each(|other| first.merge(other, 0));
    match first {
        Rollup::Values(values) => values,
        Rollup::Total(_) => unreachable!("a distribution has values"),
    }
}

proptest! {
    #[test]
    fn the_share_at_or_below_a_value_is_right_to_two_percent_of_the_value(
        values in prop::collection::vec(prop_oneof![-1e3..1e3, Just(0.0), Just(200.0)], 1..200),
        limit in prop_oneof![-1e3..1e3, Just(0.0), Just(200.0)],
    ) {
        let kept = kept(&values);
        let exactly = |limit: f64| values.iter().filter(|value| **value <= limit).count() as u64;
        let nearly = f64::abs(limit) * 0.0201;
        let (less, more) = (limit - nearly, limit + nearly);
        prop_assert!((exactly(less)..=exactly(more)).contains(&kept.count_to(limit)));
        prop_assert!((exactly(less.min(f64::next_down(limit)))..=exactly(limit)).contains(&kept.count_below(limit)));
        prop_assert!(kept.count_to(limit) >= exactly(limit));
        prop_assert_eq!(kept.count_to(kept.max), kept.count);
        prop_assert_eq!(kept.count_below(kept.min), 0);
    }
}

/// SPEC §6: a value above mean + 3 standard deviations leaves the objective and stays in the series.
#[test]
fn a_minute_far_above_all_others_does_not_count() {
    let depth = json!({"metric": "queue_depth", "component": "checkout", "kind": "gauge"});
    let slo = |annotations: &str| {
        let text = slo("queue", "1h", &threshold("{metric: queue_depth}"), "{op: lte, value: 50, target: 0.99}");
        naze(&text.replace("{name: queue}", &format!("{{name: queue{annotations}}}")))
    };
    // An hour of 10, in which one minute has 1,000: mean 26.5, standard deviation 126.7.
    let spike = |at: u32| (1..=60).rev().map(move |ago| (ago, if ago == at { 1_000.0 } else { 10.0 }));
    let left_out = slo("");
    measure(&left_out, &depth, spike(30));
    let told = only(&left_out, "queue");
    assert_eq!((&told["good"], &told["total"], &told["outliers"]), (&json!(59), &json!(59), &json!(1)));
    assert_eq!((&told["state"], &told["isComplete"], &told["value"]), (&json!("met"), &json!(true), &json!(10.0)));
    let raw = left_out.get("/v1/series/queue_depth?from=2026-03-10T11:00:00Z&stat=max").text();
    assert!(raw.contains("1000"), "it stays in the series: {raw}");
    // The last minute stands for the window unless it is an outlier.
    let lately = slo("");
    measure(&lately, &depth, spike(1));
    assert_eq!(only(&lately, "queue")["value"], 10.0);
    let counted = slo(", annotations: {naze/outliers: count}");
    measure(&counted, &depth, spike(30));
    let told = only(&counted, "queue");
    assert_eq!((&told["good"], &told["total"], &told["outliers"]), (&json!(59), &json!(60), &json!(0)));
    assert_eq!(told["state"], "missed");
    // Six minutes in a row are no pause and no error of measurement.
    let outage = slo("");
    measure(&outage, &depth, (1..=60).rev().map(|ago| (ago, if (20..26).contains(&ago) { 1_000.0 } else { 10.0 })));
    let told = only(&outage, "queue");
    assert_eq!((&told["good"], &told["total"], &told["outliers"]), (&json!(54), &json!(60), &json!(0)));
}
