//! Which limit suits a series, and thresholds that are doubtful.

use chrono::TimeDelta;
use naze::analyse::limits::{Advice, advise};
use naze::analyse::trend::Polarity;
use naze::clock::Timestamp;
use naze::config::Config;
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze};

/// A value for each of so many hours before now, oldest first.
fn hourly(hours: i64, value: impl Fn(i64) -> f64) -> Vec<(Timestamp, f64)> {
    let now: Timestamp = NOW.parse().unwrap();
    (0..hours).map(|hour| (now.checked_add(TimeDelta::hours(hour - hours)).unwrap(), value(hour))).collect()
}

#[test]
fn a_limit_is_fifteen_percent_beyond_what_is_usual_in_a_week() {
    // 1 to 160 in some order: the 152nd is the 95th percentile, the 9th lowest what 95 % reach.
    let values = hourly(168, |hour| f64::from(u8::try_from((hour * 53) % 160 + 1).unwrap()));
    let Advice { usual, limit, statement, values: count } = advise(&values[..160], Polarity::LowerIsBetter, 15.0);
    assert_eq!((count, usual, limit), (160, None, None), "{statement}");
    assert_eq!(statement, "not enough data: a limit rests on a week, and there are 160 values over 6.6 days");

    let values = hourly(168, |hour| f64::from(u8::try_from(hour).unwrap()));
    let upper = advise(&values, Polarity::LowerIsBetter, 15.0);
    // Rank 160 of 168, from 0; 159 and 15 % of it.
    assert_eq!((upper.usual, upper.limit.as_deref()), (Some(159.0), Some("> 183")));
    assert_eq!(
        upper.statement,
        "95 % of the values of a week were at or below 159: warn at \"> 183\", 15 % beyond, and look again after a week"
    );
    let lower = advise(&values, Polarity::HigherIsBetter, 20.0);
    assert_eq!((lower.usual, lower.limit.as_deref()), (Some(8.0), Some("< 6.4")));
    let below_zero = advise(&hourly(168, |_| -10.0), Polarity::LowerIsBetter, 10.0);
    assert_eq!(below_zero.limit.as_deref(), Some("> -9"));
}

fn measure(naze: &Naze, metric: &str, value: impl Fn(i64) -> f64) {
    let points = hourly(168, value).into_iter();
    let told: Vec<Json> = points
        .map(|(at, value)| json!({"metric": metric, "component": "orders", "value": value, "occurredAt": at}))
        .collect();
    assert_eq!(naze.post("/v1/measurements", "application/json", Json::Array(told).to_string()).status, 201);
}

#[test]
fn advice_is_given_and_doubts_are_told() {
    let config = "[[thresholds]]\nmetric = \"queue_dpeth\"\nwarning = \"> 5\"\n";
    let Config { thresholds, .. } = toml::from_str(config).unwrap();
    let naze = Naze::with(Config { thresholds, ..Config::in_memory() });
    measure(&naze, "queue_depth", |hour| f64::from(u8::try_from(hour).unwrap()));
    measure(&naze, "tps_quality_gate_pass_rate", |_| 0.97);

    let told = naze.get("/v1/thresholds/advice/queue_depth").json();
    assert_eq!(told["series"][0]["advice"]["limit"], "> 183", "{told}");
    assert_eq!(
        told["series"][0]["thresholds"],
        json!(["tps_kanban_queue_depth warning >= 500 critical > 1000 for 5m"])
    );
    let wider = naze.get("/v1/thresholds/advice/queue_depth?margin=20%25&polarity=higher").json();
    assert_eq!(wider["series"][0]["advice"]["limit"], "< 6.4", "{wider}");
    assert_eq!(naze.get("/v1/thresholds/advice/queue_depth?margin=lots").status, 400);
    assert_eq!(naze.get("/v1/thresholds/advice/nothing").status, 404);

    let doubts = naze.get("/v1/thresholds").json()["doubts"].clone();
    let problems: Vec<&str> = doubts.as_array().unwrap().iter().map(|one| one["problem"].as_str().unwrap()).collect();
    assert_eq!(problems[0], "no series is named queue_dpeth");
    assert!(problems[1].starts_with("\"< 0.95\" is what the objective ") && problems.len() == 2, "{problems:?}");
}
