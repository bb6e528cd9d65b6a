//! Windows, gaps, slices and weeks.

use serde_json::json;

use super::{ALL, BAD, document, measure, naze, only, ratio, requests, slo, status, threshold};

const DEPTH: &str = "{metric: queue_depth, component: checkout}";

fn depth() -> serde_json::Value {
    json!({"metric": "queue_depth", "component": "checkout", "kind": "gauge"})
}

#[test]
fn five_minutes_of_silence_are_no_gap_and_more_are() {
    let slos = slo("queue", "1h", &threshold(DEPTH), "{op: lte, value: 50, target: 0.95}");
    let every_five = |ago: &u32| ago.is_multiple_of(5);
    let steady = naze(&slos);
    measure(&steady, &depth(), (1..=60).filter(every_five).map(|ago| (ago, 10.0)));
    let told = only(&steady, "queue");
    assert_eq!((&told["isComplete"], &told["good"], &told["total"]), (&json!(true), &json!(60), &json!(60)));
    let broken = naze(&slos);
    measure(&broken, &depth(), (1..=60).filter(every_five).filter(|ago| *ago != 30).map(|ago| (ago, 10.0)));
    let told = only(&broken, "queue");
    // After the sample of 35 minutes ago nothing came for 9 minutes.
    assert_eq!((&told["isComplete"], &told["slicesMissing"]), (&json!(false), &json!(9)));
    let all = broken.get("/v1/slos").json();
    assert_eq!(all["overall"]["incomplete"], json!(["queue"]));
}

#[test]
fn this_week_is_held_against_the_last_one() {
    let naze = naze(&slo("success", "1d", &ratio("bad", BAD, ALL), "{target: 0.9}"));
    let day = 24 * 60;
    // Noon of the Tuesday is now: the week began 36 hours ago.
    let (this_week, last_week) = (35 * 60, 6 * day);
    let weeks = [(this_week, 942.0, 58.0), (last_week, 961.0, 39.0), (36 * 60 + 7 * day + 1, 0.0, 500.0)];
    for (ago, good, bad) in weeks {
        measure(&naze, &requests("delta", "200"), [(ago, good)]);
        measure(&naze, &requests("delta", "500"), [(ago, bad)]);
    }
    let weekly = &only(&naze, "success")["weekly"];
    assert_eq!(*weekly, json!({"current": 0.942, "previous": 0.961, "change": -0.019, "isDegrading": true}));
}

#[test]
fn slices_count_as_a_whole() {
    let slos = [
        document(
            "slices",
            "{duration: 1h}",
            "Timeslices",
            &ratio("bad", BAD, ALL),
            "{target: 0.8, timeSliceTarget: 0.9, timeSliceWindow: 10m}",
        ),
        document(
            "ratios",
            "{duration: 1h}",
            "RatioTimeslices",
            &ratio("bad", BAD, ALL),
            "{target: 0.8, timeSliceWindow: 10m}",
        ),
    ];
    let naze = naze(&slos.concat());
    // A slice of 1,000 events of which half fail, then five of ten events without a failure.
    measure(&naze, &requests("delta", "200"), (1..=60).map(|ago| (ago, if ago > 50 { 50.0 } else { 1.0 })));
    measure(&naze, &requests("delta", "500"), (51..=60).map(|ago| (ago, 50.0)));
    let slices = only(&naze, "slices");
    assert_eq!((&slices["good"], &slices["total"], &slices["state"]), (&json!(5), &json!(6), &json!("met")));
    let ratios = only(&naze, "ratios");
    assert_eq!((&ratios["good"], &ratios["total"]), (&json!(550), &json!(1_050)));
    assert_eq!(ratios["attainment"], (0.5 + 5.0) / 6.0);
    // The window of six hours of a week is 13 minutes of an hour; two slices of ten minutes fill it.
    let burn = slices["burn"].as_array().unwrap();
    assert!(burn.iter().all(|burn| burn["isFiring"] == false), "{burn:?}");
}

#[test]
fn calendar_windows_begin_by_the_clock_of_their_zone() {
    let of = |name: &str, duration: &str, start: &str, zone: &str| {
        let window =
            format!("{{duration: {duration}, isRolling: false, calendar: {{startTime: {start}, timeZone: {zone}}}}}");
        document(name, &window, "Occurrences", &threshold(DEPTH), "{op: lte, value: 50, target: 0.95}")
    };
    let slos = [
        of("month", "1M", "2024-01-01 00:00:00", "Europe/Berlin"),
        of("quarter", "1Q", "2024-01-01 00:00:00", "Europe/Berlin"),
        of("day", "1d", "2022-01-01 12:00:00", "America/New_York"),
        of("week", "1w", "2026-01-05 00:00:00", "UTC"),
        of("hours", "6h", "2026-01-05 01:00:00", "UTC"),
        of("later", "1M", "2026-04-01 00:00:00", "UTC"),
    ];
    let naze = naze(&slos.concat());
    let from = |name: &str, at: &str| {
        let reply = naze.get(&format!("/v1/slos/{name}?at={at}"));
        reply.json()["slo"]["from"].clone()
    };
    let now = "2026-03-10T12:00:00Z";
    assert_eq!(from("month", now), "2026-02-28T23:00:00Z");
    assert_eq!(from("month", "2026-04-10T12:00:00Z"), "2026-03-31T22:00:00Z", "in summer time");
    assert_eq!(from("month", "2026-02-28T22:59:59Z"), "2026-01-31T23:00:00Z");
    assert_eq!(from("quarter", now), "2025-12-31T23:00:00Z");
    assert_eq!(from("day", now), "2026-03-09T16:00:00Z");
    assert_eq!(from("week", now), "2026-03-09T00:00:00Z");
    assert_eq!(from("hours", now), "2026-03-10T07:00:00Z");
    let later = status(&naze, "later");
    assert_eq!((&later["from"], &later["problems"][0]), (&json!(null), &json!("its first window has not begun")));
    assert_eq!(later["objectives"][0]["state"], "unknown");
}

#[test]
fn months_roll_by_the_calendar() {
    let naze = naze(&slo("month", "1M", &threshold(DEPTH), "{op: lte, value: 50, target: 0.95}"));
    assert_eq!(status(&naze, "month")["from"], "2026-02-10T12:00:00Z");
}

#[test]
fn what_is_kept_by_the_hour_still_counts() {
    let naze = naze(&slo("success", "90d", &ratio("bad", BAD, ALL), "{target: 0.99}"));
    let forty_days = 40 * 24 * 60;
    measure(&naze, &requests("delta", "200"), (1..=50).map(|ago| (forty_days + ago, 10.0)));
    measure(&naze, &requests("delta", "500"), [(forty_days + 30, 5.0)]);
    let told = only(&naze, "success");
    assert_eq!((&told["good"], &told["total"]), (&json!(500), &json!(505)));
    // 90 days of minutes less the hour, and five more that are no gap yet.
    assert_eq!(told["slicesMissing"], 90 * 24 * 60 - 60);
}

#[test]
fn it_can_be_asked_as_of_another_time() {
    let naze = naze(&slo("queue", "10m", &threshold(DEPTH), "{op: lte, value: 50, target: 0.95}"));
    measure(&naze, &depth(), (1..=10).map(|ago| (ago, 60.0)));
    measure(&naze, &depth(), (11..=20).map(|ago| (ago, 40.0)));
    assert_eq!(only(&naze, "queue")["attainment"], 0.0);
    assert_eq!(only(&naze, "queue?at=2026-03-10T11:50:00Z")["attainment"], 1.0);
    assert_eq!(naze.get("/v1/slos?at=yesterday").status, 400);
    assert_eq!(naze.get("/v1/slos?colour=red").status, 400);
}
