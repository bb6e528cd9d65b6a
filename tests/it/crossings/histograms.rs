//! Percentiles of histograms that are told in buckets.

use std::fmt::Write as _;

use super::{at, configured, crossings, told, watch};
use crate::common::Naze;

const SLOW: &str = r#"
    [learned]
    enabled = false
    [[thresholds]]
    metric = "request_seconds"
    statistic = "p99"
    warning = "> 1"
    for = "3m"
"#;

/// A hundred requests a minute, read at each of these minutes: within half a second, but `slow` of them within two.
fn requests(naze: &Naze, minutes: std::ops::Range<i64>, slow: impl Fn(i64) -> u32) {
    let [mut quick, mut all] = [0_u32, 0];
    let mut text = String::new();
    for minute in minutes {
        let late = slow(minute);
        (quick, all) = (quick + 100 - late, all + 100);
        for (bound, count) in [("0.5", quick), ("1", quick), ("2", all), ("+Inf", all)] {
            let time = at(minute).micros() / 1_000;
            writeln!(
                text,
                "request_seconds_bucket{{component=\"orders\",path=\"/pay\",le=\"{bound}\"}} {count} {time}"
            )
            .unwrap();
        }
        writeln!(
            text,
            "request_seconds_count{{component=\"orders\",path=\"/pay\"}} {all} {}",
            at(minute).micros() / 1_000
        )
        .unwrap();
    }
    let reply = naze.post("/v1/measurements", "text/plain", text);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

#[test]
fn a_percentile_of_buckets_crosses_and_recovers() {
    let naze = Naze::with(configured(SLOW));
    requests(&naze, -40..0, |minute| if (-20..-10).contains(&minute) { 5 } else { 0 });
    watch(&naze, 1);
    // The 99th of a hundred is the fourth of the five slow ones: four fifths of the way from 1 to 2.
    assert_eq!(told(&naze), ["-20 warning up 1.8", "-10 recovered down 0.495"]);
    let crossing = &crossings(&naze)[0];
    assert_eq!(crossing.text("metric"), Some("request_seconds"), "the histogram, and none of its buckets");
    assert_eq!(crossing.labels().get("le"), None);
    assert_eq!(crossing.labels()["path"], "/pay");
    assert_eq!(crossing.text("rule"), Some("p99 of request_seconds warning > 1 for 3m"));
    requests(&naze, -1..1, |_| 0);
    watch(&naze, 3);
    assert_eq!(told(&naze).len(), 2, "the same minutes are told once: {:?}", told(&naze));
}

#[test]
fn minute_by_minute_it_is_the_same() {
    let whole = Naze::with(configured(SLOW));
    let timely = Naze::with(configured(SLOW));
    let slow = |minute: i64| if (-20..-10).contains(&minute) { 5 } else { 0 };
    requests(&whole, -30..0, slow);
    watch(&whole, 1);
    requests(&timely, -30..0, slow);
    (-29..2).for_each(|minute| watch(&timely, minute));
    assert_eq!(crossings(&timely), crossings(&whole));
    assert_eq!(told(&whole).len(), 2, "{:?}", told(&whole));
}

#[test]
fn a_percentile_of_buckets_is_a_condition_too() {
    let toml = r#"
        [learned]
        enabled = false
        [[thresholds]]
        metric = "request_seconds_count"
        warning = "> 1"
        and = [{ metric = "request_seconds", statistic = "p99", limit = "> 1", on = ["component", "path"] }]
    "#;
    let naze = Naze::with(configured(toml));
    requests(&naze, -40..0, |minute| if (-20..-10).contains(&minute) { 5 } else { 0 });
    watch(&naze, 1);
    let shown: Vec<String> = told(&naze);
    assert_eq!(shown.len(), 2, "{shown:?}");
    assert!(shown[0].starts_with("-20 warning up 1.66") && shown[1].starts_with("-10 recovered"), "{shown:?}");
    let rate = f64::from(100_u32) / 60.0;
    assert!((crossings(&naze)[0].number("value").unwrap() - rate).abs() < 1e-9);
}

#[test]
fn it_may_be_of_a_change_as_well() {
    let toml = "[learned]\nenabled = false\n[[thresholds]]\nmetric = \"request_seconds\"\nstatistic = \"p99\"\n\
        change_in = \"15m\"\nwarning = \"> 100%\"\n";
    let naze = Naze::with(configured(toml));
    requests(&naze, -60..0, |minute| if minute >= -20 { 5 } else { 0 });
    watch(&naze, 1);
    assert_eq!(crossings(&naze)[0].occurred_at(), Some(at(-20)), "{:?}", told(&naze));
    assert_eq!(crossings(&naze)[0].text("unit"), Some("%"));
}
