//! Thresholds of what a bound on a value cannot say: that it rises, that it is worse than a week before, that it is new.
#![expect(clippy::cast_precision_loss, reason = "small counts, as numbers")]

use naze::config::Config;
use naze::measure::crossing::Threshold;
use naze::measure::{Kind, Series};
use naze::report::title_of;

use super::{at, configured, crossings, feed, told, watch};
use crate::common::Naze;

const DAY: i64 = 1_440;

fn shipped() -> Config {
    configured("[learned]\nenabled = false\n")
}

#[test]
fn dead_letters_that_grow_for_a_quarter_of_an_hour() {
    let naze = Naze::with(shipped());
    // Few of them, for long; then one more, and no more after that.
    feed(&naze, "tps_kanban_dlq_depth", (-90..0).map(|minutes| (minutes, if minutes < -30 { 7.0 } else { 8.0 })));
    watch(&naze, 1);
    assert_eq!(told(&naze), ["-30 warning up 1", "-15 recovered down 0"], "a quarter of an hour later it is no rise");
    let all = crossings(&naze);
    assert_eq!(all[0].text("rule"), Some("change in 15m of tps_kanban_dlq_depth warning > 0 for 5m"));
    assert_eq!(all[0].number("baseline"), Some(7.0));
    assert_eq!(
        title_of(&all[0]),
        "tps_kanban_dlq_depth crossed 0 upward: change in 15m of tps_kanban_dlq_depth 1 (> 0), from 7"
    );

    let naze = Naze::with(shipped());
    feed(&naze, "tps_kanban_dlq_depth", (-90..0).map(|minutes| (minutes, if minutes == -40 { 9.0 } else { 8.0 })));
    feed(&naze, "kanban_dlq_depth", (-10..0).map(|minutes| (minutes, (minutes + 20) as f64)));
    watch(&naze, 1);
    assert!(told(&naze).is_empty(), "a minute is no rise, nor is what has no past: {:?}", told(&naze));
}

/// A latency in every minute of a week and two hours: 400 ms, but `late` in the last two hours.
fn latencies(naze: &Naze, late: f64) {
    let value = |minutes: i64| if minutes >= -120 { late } else { 400.0 };
    let week = -7 * DAY;
    feed(naze, "tps_tracing_duration_ms", (week - 180..week + 60).map(|minutes| (minutes, 400.0)));
    feed(naze, "tps_tracing_duration_ms", (-180..0).map(|minutes| (minutes, value(minutes))));
    watch(naze, 1);
}

#[test]
fn a_latency_a_fifth_above_that_of_the_same_hour_a_week_before() {
    let naze = Naze::with(shipped());
    latencies(&naze, 500.0);
    assert_eq!(told(&naze), ["-120 warning up 25"]);
    let crossing = &crossings(&naze)[0];
    assert_eq!((crossing.text("unit"), crossing.number("baseline")), (Some("%"), Some(400.0)));
    assert_eq!((crossing.number("threshold"), crossing.number("value")), (Some(20.0), Some(25.0)));
    assert_eq!(
        crossing.text("rule"),
        Some("change in 7d of p99 of tps_tracing_duration_seconds warning > 20% for 15m")
    );
    let naze = Naze::with(shipped());
    latencies(&naze, 470.0);
    assert!(told(&naze).is_empty(), "17.5 % are not 20: {:?}", told(&naze));
}

#[test]
fn it_is_the_hour_of_a_week_before_that_counts_and_not_another() {
    let naze = Naze::with(shipped());
    let week = -7 * DAY;
    // Slow at this hour a week ago, quick at all others: 500 is usual at this hour.
    let before = |minutes: i64| if minutes >= week - 60 { 500.0 } else { 100.0 };
    feed(&naze, "tps_tracing_duration_ms", (week - 180..week).map(|minutes| (minutes, before(minutes))));
    feed(&naze, "tps_tracing_duration_ms", (-60..0).map(|minutes| (minutes, 500.0)));
    watch(&naze, 1);
    assert!(told(&naze).is_empty(), "{:?}", told(&naze));
    let naze = Naze::with(shipped());
    feed(&naze, "tps_tracing_duration_ms", (-180..0).map(|minutes| (minutes, 900.0)));
    watch(&naze, 1);
    assert!(told(&naze).is_empty(), "without a week before nothing is said: {:?}", told(&naze));
}

#[test]
fn only_the_first_time_in_a_week() {
    let toml = r#"
        [learned]
        enabled = false
        [[thresholds]]
        metric = "retries"
        first_in = "7d"
        warning = "> 0"
        for = "0s"
    "#;
    let naze = Naze::with(configured(toml));
    let days = |days: i64| days * DAY;
    let value = |minutes: i64| {
        let is_retried = minutes == days(-3) || minutes == days(-9) || (minutes >= -20 && minutes % 10 == 0);
        if is_retried { 4.0 } else { 0.0 }
    };
    feed(&naze, "retries", (days(-9)..-1).map(|minutes| (minutes, value(minutes))));
    watch(&naze, 0);
    assert!(told(&naze).is_empty(), "three days ago it was so, too: {:?}", told(&naze));

    let naze = Naze::with(configured(toml));
    let value = |minutes: i64| if minutes == days(-3) { 0.0 } else { value(minutes) };
    feed(&naze, "retries", (days(-9)..-1).map(|minutes| (minutes, value(minutes))));
    watch(&naze, 0);
    assert_eq!(told(&naze), ["-20 warning up 4", "-19 recovered down 0"], "nor the next time");
    assert_eq!(crossings(&naze)[0].occurred_at(), Some(at(-20)));
    assert_eq!(crossings(&naze)[0].texts("condition").collect::<Vec<_>>(), ["first in 7d of retries 4 (> 0)"]);
}

/// naze keeps each order's lead time, and a percentile of the last ones: who tells only the latter is heard too.
#[test]
fn a_percentile_and_what_it_is_of_are_told_once() {
    let p90 = "tps_production_lead_time_p90_seconds";
    let own = [naze::measure::OWN].map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let series = |metric: &str, labels: &std::collections::BTreeMap<String, String>, kind| Series {
        metric: metric.to_owned(),
        component: "orders".to_owned(),
        kind,
        labels: labels.clone(),
    };
    let limits = |series: &Series| Threshold::applying(Threshold::shipped().iter(), series).len();
    assert_eq!(limits(&series("tps_production_lead_time_seconds", &own, Kind::Distribution)), 1);
    assert_eq!(limits(&series(p90, &own, Kind::Gauge)), 0);
    let naze = Naze::with(shipped());
    feed(&naze, p90, (-20..0).map(|minutes| (minutes, 7_000.0)));
    watch(&naze, 1);
    assert_eq!(told(&naze), ["-20 critical up 7000"]);
}
