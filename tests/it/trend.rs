//! Where is a metric heading? The vectors of the specification, and series with a known answer.
#![expect(clippy::float_cmp, reason = "values that come out as they went in")]

use chrono::TimeDelta;
use naze::analyse::trend::{
    Direction, Point, Polarity, Question, Summary, Trend, WINDOWS, WindowTrend, capacity, change_point, outlier,
    smooth, surprise, trend,
};
use naze::clock::Timestamp;
use proptest::prelude::*;

const NOW: &str = "2026-03-10T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

fn ago(span: TimeDelta) -> Timestamp {
    now().checked_add(-span).unwrap()
}

fn question(interval: TimeDelta, polarity: Option<Polarity>) -> Question {
    Question { at: now(), interval, polarity, threshold: None, horizon: None }
}

/// Values at days before now.
fn at_days(values: &[(i64, f64)]) -> Vec<Point> {
    values.iter().map(|(day, value)| Point { time: ago(TimeDelta::days(*day)), value: *value }).collect()
}

/// One point per `interval` over the `length` before now; the value is a function of the days before now.
fn every(interval: TimeDelta, length: TimeDelta, value: impl Fn(f64) -> f64) -> Vec<Point> {
    let count = i32::try_from(length.num_seconds() / interval.num_seconds()).unwrap();
    (0..count)
        .rev()
        .map(|back| {
            let span = interval * back;
            Point { time: ago(span), value: value(span.as_seconds_f64() / 86_400.0) }
        })
        .collect()
}

/// Noise between -1 and 1 that looks random and is always the same.
fn noise(days: f64) -> f64 {
    (days * 12_345.678).sin() * 0.7 + (days * 98_765.432).cos() * 0.3
}

fn lower_is_better(interval: TimeDelta, points: &[Point]) -> Trend {
    trend(&question(interval, Some(Polarity::LowerIsBetter)), points)
}

fn window<'a>(answer: &'a Trend, name: &str) -> &'a WindowTrend {
    answer.windows.iter().find(|window| window.window == name).unwrap()
}

#[track_caller]
fn assert_near(found: f64, expected: f64, tolerance: f64) {
    assert!((found - expected).abs() <= tolerance, "{found} is not {expected} ± {tolerance}");
}

fn percent(ratio: Option<f64>) -> f64 {
    ratio.unwrap() * 100.0
}

#[test]
fn vector_a_a_slope_is_no_deviation() {
    let points = at_days(&[(30, 150.0), (7, 145.0), (1, 142.0), (0, 150.0)]);
    let all = lower_is_better(TimeDelta::days(1), &points);
    let month = window(&all, "30d");
    assert_near(month.slope.unwrap().per_day, -0.1367, 0.000_05);
    assert_near(month.slope.unwrap().per_hour, -0.1367 / 24.0, 0.000_01);
    assert_near(month.slope.unwrap().percent_per_day.unwrap(), -0.093, 0.000_5);
    assert_near(percent(month.summary.unwrap().relative_deviation), 2.2, 0.05);
    let without_last = lower_is_better(TimeDelta::days(1), &points[..3]);
    let month = window(&without_last, "30d");
    assert_near(month.slope.unwrap().per_day, -0.2596, 0.000_05);
    assert_near(month.slope.unwrap().percent_per_day.unwrap(), -0.178, 0.000_5);
    assert_near(percent(month.summary.unwrap().relative_deviation), -2.5, 0.05);
    assert_eq!(month.direction, Direction::Improving);
}

#[test]
fn vector_b_a_rise_its_growth_and_when_it_reaches_a_threshold() {
    let points = at_days(&[(30, 80.0), (7, 110.0), (1, 145.0), (0, 150.0)]);
    let asked = Question { threshold: Some(200.0), ..question(TimeDelta::days(1), Some(Polarity::LowerIsBetter)) };
    let answer = trend(&asked, &points);
    let month = window(&answer, "30d");
    assert_near(month.slope.unwrap().per_day, 2.1944, 0.000_05);
    assert_near(month.slope.unwrap().percent_per_day.unwrap(), 1.81, 0.005);
    assert_near(month.summary.unwrap().mean, 121.25, 1e-9);
    assert_near(percent(month.summary.unwrap().relative_deviation), 23.7, 0.05);
    assert_eq!(month.direction, Direction::Degrading);
    let projection = month.projection.unwrap();
    assert_near(projection.growth_per_day.unwrap().observed * 100.0, 2.12, 0.005);
    assert_near(projection.arrival.unwrap().days.unwrap(), 22.8, 0.05);
    assert_near(projection.linear, 150.0 + 30.0 * 2.1944, 0.01);
    // Four points of thirty days carry no verdict and no interval.
    assert_eq!(month.verdict.direction, Direction::NotEnoughData);
    assert_eq!(projection.low, None);
}

#[test]
fn vector_c_a_metric_above_its_mean_in_all_windows_degrades() {
    // Straight pieces whose means over the last hour, day, week and month are 180, 170, 150 and 120.
    let corners = [(30.0, 92.54), (7.0, 129.20), (1.0, 164.13), (1.0 / 24.0, 175.0), (0.0, 185.0)];
    let interval = TimeDelta::minutes(1);
    let points = every(interval, TimeDelta::days(30), |days| {
        let days = if days == 0.0 { days } else { days + 0.5 / 1440.0 };
        let piece = corners.windows(2).find(|piece| days >= piece[1].0).unwrap();
        let share = (days - piece[1].0) / (piece[0].0 - piece[1].0);
        piece[1].1 + (piece[0].1 - piece[1].1) * share
    });
    let answer = lower_is_better(interval, &points);
    for (name, mean, deviation) in [("1h", 180.0, 2.8), ("24h", 170.0, 8.8), ("7d", 150.0, 23.3), ("30d", 120.0, 54.2)]
    {
        let window = window(&answer, name);
        let summary = window.summary.unwrap();
        assert_near(summary.current, 185.0, 1e-9);
        assert_near(summary.mean, mean, 0.1);
        assert_near(percent(summary.relative_deviation), deviation, 0.06);
        assert_eq!(window.direction, Direction::Degrading, "{name}");
        assert_eq!(window.verdict.direction, Direction::Degrading, "{name}: {}", window.verdict.statement);
    }
    assert_eq!(answer.reversal, None);
    // From the mean of thirty days to now it rose by 65 in 30 days; the line through all of it is about as steep.
    let month = window(&answer, "30d");
    let summary = month.summary.unwrap();
    assert_near((summary.current - summary.mean) / 30.0, 2.17, 0.005);
    assert_near(month.slope.unwrap().per_day, 2.17, 0.05);
}

#[test]
fn vector_d_growth_compounds_and_needs_capacity() {
    let growth = |from: f64, months: f64| capacity::growth(from, 35_000.0, months).unwrap() * 100.0;
    assert_near(growth(10_000.0, 12.0), 11.0, 0.05);
    assert_near(growth(15_000.0, 6.0), 15.2, 0.05);
    assert_near(growth(22_000.0, 3.0), 16.7, 0.05);
    assert_near(capacity::compound(35_000.0, 0.15, 12.0), 187_000.0, 500.0);
    assert_near(capacity::growth(35_000.0, 355_000.0, 12.0).unwrap() * 100.0, 21.3, 0.05);
    assert_near(capacity::needed(355_000.0), 500_000.0, 1_000.0);
    assert_eq!(capacity::growth(0.0, 35_000.0, 12.0), None);
}

#[test]
fn vector_e_outliers_that_hide_from_three_sigma_do_not_hide_from_the_median() {
    let value = |task: i32| if task % 10 == 0 { 500.0 } else { f64::from(100 + task % 50) };
    let points: Vec<Point> = (0..100)
        .map(|task| Point { time: ago(TimeDelta::seconds(100 - i64::from(task))), value: value(task) })
        .collect();
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let summary = Summary::of(&values).unwrap();
    assert_near(summary.mean, 162.5, 1e-9);
    assert_near(summary.stddev, 113.324, 0.000_5);
    assert_eq!([summary.p50, summary.p90, summary.p95, summary.p99], [127.0, 149.0, 500.0, 500.0]);
    let found = outlier::outliers(&points, Some(Polarity::LowerIsBetter)).unwrap();
    assert_near(found.three_sigma.limit, 502.47, 0.005);
    assert_eq!(found.three_sigma.count, 0);
    assert_near(found.robust.limit, 189.8, 0.05);
    assert_eq!(found.robust.count, 10);
    assert!(found.robust.points.iter().all(|point| point.value == 500.0));
    assert_near(found.baseline, (16_250.0 - 5_000.0) / 90.0, 1e-9);
}

#[test]
fn vector_f_improvement_step_by_step() {
    let steps = [250.0, 230.0, 180.0, 95.0, 42.0];
    let reductions: Vec<f64> =
        steps.windows(2).map(|step| capacity::reduction_percent(step[0], step[1]).unwrap()).collect();
    for (found, expected) in reductions.into_iter().zip([8.0, 21.7, 47.2, 55.8]) {
        assert_near(found, expected, 0.05);
    }
    assert_near(capacity::reduction_percent(250.0, 42.0).unwrap(), 83.2, 0.05);
    assert_eq!(capacity::reduction_percent(0.0, 42.0), None);
}

#[test]
fn vector_g_one_percent_compounds() {
    for (times, percent) in [(5.0, 5.1), (20.0, 22.0), (52.0, 67.8), (250.0, 1_103.0)] {
        assert_near((capacity::compound(1.0, 0.01, times) - 1.0) * 100.0, percent, 0.5);
    }
}

#[test]
fn a_slope_of_less_than_a_percent_over_the_window_is_stable() {
    let interval = TimeDelta::hours(1);
    let direction = |percent: f64| {
        // The mean of the week is 100.
        let points = every(interval, TimeDelta::days(7), |days| 100.0 + percent * (0.5 - days / 7.0));
        window(&lower_is_better(interval, &points), "7d").direction
    };
    assert_eq!([0.98, -0.98].map(direction), [Direction::Stable; 2]);
    assert_eq!([1.02, -1.02].map(direction), [Direction::Degrading, Direction::Improving]);
}

#[test]
fn there_is_no_relative_deviation_from_a_mean_of_nothing() {
    let interval = TimeDelta::days(1);
    let deviation = |values: [f64; 3]| {
        let points = at_days(&[(2, values[0]), (1, values[1]), (0, values[2])]);
        let month = window(&lower_is_better(interval, &points), "30d").clone();
        serde_json::to_value(month).unwrap()["summary"]["relativeDeviation"].clone()
    };
    assert_eq!(deviation([-3.0, 1.0, 2.0]), serde_json::Value::Null);
    assert_eq!(deviation([-2.0, 1.0, 4.0]), 3.0);
}

#[test]
fn without_polarity_nothing_is_judged() {
    let interval = TimeDelta::hours(1);
    let points = every(interval, TimeDelta::days(7), |days| 200.0 - days * 10.0 + noise(days));
    let direction = |polarity| window(&trend(&question(interval, polarity), &points), "7d").verdict.direction;
    assert_eq!(direction(None), Direction::Rising);
    assert_eq!(direction(Some(Polarity::LowerIsBetter)), Direction::Degrading);
    assert_eq!(direction(Some(Polarity::HigherIsBetter)), Direction::Improving);
}

#[test]
fn a_significant_trend_that_is_too_small_to_matter_is_stable() {
    let interval = TimeDelta::hours(1);
    let points = every(interval, TimeDelta::days(7), |days| 100.0 - days * 0.5 + noise(days) * 0.1);
    let verdict = window(&lower_is_better(interval, &points), "7d").verdict.clone();
    assert!(verdict.p_value.unwrap() < 0.001, "{verdict:?}");
    assert_eq!(verdict.direction, Direction::Stable);
    assert!(verdict.statement.contains("too small to matter"), "{}", verdict.statement);
    assert_near(verdict.slope_per_day.unwrap(), 0.5, 0.01);
}

#[test]
fn the_morning_rise_is_no_trend_once_the_days_before_are_known() {
    let interval = TimeDelta::minutes(5);
    // It is noon; the day's low is at 6, its high at 18.
    let daily = |days: f64| 100.0 - 40.0 * (std::f64::consts::TAU * days).sin() + noise(days);
    let known = lower_is_better(interval, &every(interval, TimeDelta::days(10), daily));
    for name in ["1h", "24h", "7d"] {
        let verdict = &window(&known, name).verdict;
        assert_eq!((verdict.direction, verdict.seasonally_adjusted), (Direction::Stable, true), "{name}: {verdict:?}");
    }
    let unknown = lower_is_better(interval, &every(interval, TimeDelta::hours(4), daily));
    let hour = &window(&unknown, "1h").verdict;
    assert_eq!((hour.direction, hour.seasonally_adjusted), (Direction::Degrading, false));
}

#[test]
fn too_few_points_give_no_verdict_and_the_gap_is_named() {
    let interval = TimeDelta::minutes(1);
    let points: Vec<Point> = every(interval, TimeDelta::hours(1), |days| 1.0 + days)
        .into_iter()
        .filter(|point| point.time <= ago(TimeDelta::minutes(40)) || point.time > ago(TimeDelta::minutes(3)))
        .collect();
    let hour = &window(&lower_is_better(interval, &points), "1h").clone();
    assert_eq!(hour.verdict.direction, Direction::NotEnoughData);
    assert_eq!(hour.gaps.len(), 1);
    assert_eq!((hour.gaps[0].from, hour.gaps[0].to), (ago(TimeDelta::minutes(40)), ago(TimeDelta::minutes(2))));
    assert_eq!(hour.gaps[0].missing, 37);
    assert_eq!(
        hour.verdict.statement,
        "not enough data: 23 of 60 intervals have points, half are needed; \
         37 points are missing between 2026-03-10T11:20:00Z and 2026-03-10T11:58:00Z"
    );
}

#[test]
fn a_series_that_fell_silent_has_no_verdict_although_most_of_it_is_there() {
    let interval = TimeDelta::minutes(1);
    let mut points = every(interval, TimeDelta::hours(1), |days| 100.0 - 1_000.0 * days + noise(days));
    let complete = window(&lower_is_better(interval, &points), "1h").verdict.clone();
    assert_eq!(complete.direction, Direction::Degrading);
    points.retain(|point| point.time <= ago(TimeDelta::minutes(20)));
    let silent = window(&lower_is_better(interval, &points), "1h").verdict.clone();
    assert_eq!(silent.direction, Direction::NotEnoughData);
    assert_eq!(
        silent.statement,
        "not enough data: the last 20 of 60 intervals have no points; \
         19 points are missing between 2026-03-10T11:40:00Z and 2026-03-10T12:00:00Z"
    );
}

#[test]
fn nothing_is_known_of_no_points() {
    let answer = lower_is_better(TimeDelta::minutes(1), &[]);
    assert_eq!(answer.windows.iter().map(|window| window.window).collect::<Vec<_>>(), WINDOWS.map(|(name, _)| name));
    for window in &answer.windows {
        assert_eq!((window.direction, window.verdict.direction), (Direction::NotEnoughData, Direction::NotEnoughData));
        assert_eq!((window.summary, window.projection, window.gaps.len()), (None, None, 1));
    }
    assert_eq!((answer.reversal, answer.seasonality), (None, None));
}

#[test]
fn order_does_not_matter_and_what_is_no_number_or_not_yet_is_left_out() {
    let interval = TimeDelta::hours(1);
    let points = every(interval, TimeDelta::days(7), |days| 100.0 + noise(days));
    let plain = lower_is_better(interval, &points);
    let mut disturbed: Vec<Point> = points.into_iter().rev().collect();
    disturbed.push(Point { time: now().checked_add(TimeDelta::seconds(1)).unwrap(), value: 1e9 });
    disturbed.push(Point { time: now(), value: f64::NAN });
    let answer = lower_is_better(interval, &disturbed);
    assert_eq!(answer.ignored, 1);
    assert_eq!(answer.windows, plain.windows);
}

#[test]
fn a_step_is_found_where_it_is() {
    let interval = TimeDelta::hours(1);
    let step = |days: f64| if days < 2.0 { 150.0 } else { 100.0 };
    let points = every(interval, TimeDelta::days(7), |days| step(days) + 5.0 * noise(days));
    let answer = lower_is_better(interval, &points);
    let [found] = window(&answer, "7d").change_points[..] else { panic!("{:?}", window(&answer, "7d").change_points) };
    // The cell from 48 to 47 hours ago is the first of the new level.
    assert_eq!(found.time, ago(TimeDelta::minutes(47 * 60 + 30)));
    assert_near(found.before, 100.0, 1.0);
    assert_near(found.after, 150.0, 1.0);
    assert_near(found.change.unwrap(), 0.5, 0.02);
    assert_eq!(change_point::cuts(&[7.0; 50]), Vec::<usize>::new());
}

#[test]
fn a_bend_of_the_line_is_a_change_too() {
    let values: Vec<f64> = (0..100).map(|place| f64::from((place - 60).max(0)) + noise(f64::from(place))).collect();
    let [bend] = change_point::cuts(&values)[..] else { panic!("{:?}", change_point::cuts(&values)) };
    assert!((57..=65).contains(&bend), "{bend}");
}

#[test]
fn an_improvement_that_turned_is_a_reversal_and_so_is_the_opposite() {
    let interval = TimeDelta::minutes(30);
    let vee = |days: f64| if days < 1.0 { 130.0 - 30.0 * days } else { 100.0 + 20.0 * (days - 1.0) };
    let points = every(interval, TimeDelta::days(7), |days| vee(days) + noise(days));
    let turned = lower_is_better(interval, &points).reversal.unwrap();
    assert_eq!((turned.long, turned.was), ("7d", Direction::Improving));
    assert_eq!((turned.short, turned.is), ("24h", Direction::Degrading));
    let celebrated = trend(&question(interval, Some(Polarity::HigherIsBetter)), &points).reversal.unwrap();
    assert_eq!((celebrated.was, celebrated.is), (Direction::Degrading, Direction::Improving));
}

#[test]
fn a_forecast_says_how_wide_of_the_mark_it_may_be() {
    let interval = TimeDelta::hours(1);
    let points = every(interval, TimeDelta::days(7), |days| 100.0 - 5.0 * days + 2.0 * noise(days));
    let asked = Question {
        threshold: Some(120.0),
        horizon: Some(TimeDelta::days(2)),
        ..question(interval, Some(Polarity::LowerIsBetter))
    };
    let answer = trend(&asked, &points);
    let projection = window(&answer, "7d").projection.unwrap();
    assert_eq!(projection.time, now().checked_add(TimeDelta::days(2)).unwrap());
    assert_near(projection.expected, 110.0, 0.5);
    let (low, high) = (projection.low.unwrap(), projection.high.unwrap());
    assert!(106.0 < low && low < 109.0 && 111.0 < high && high < 114.0, "{low} {high}");
    let arrival = projection.arrival.unwrap();
    let (earliest, latest) = (arrival.earliest_days.unwrap(), arrival.latest_days.unwrap());
    assert!(3.0 < earliest && earliest < 4.0 && 4.0 < latest && latest < 5.0, "{arrival:?}");
    let away = trend(&Question { threshold: Some(50.0), ..asked }, &points);
    let arrival = window(&away, "7d").projection.unwrap().arrival.unwrap();
    assert_eq!((arrival.days, arrival.earliest_days, arrival.latest_days), (None, None, None));
}

#[test]
fn hours_and_weekdays_are_told_after_two_weeks() {
    let interval = TimeDelta::hours(1);
    let office = |days: f64| if (days * 24.0).rem_euclid(24.0) < 6.0 { 50.0 } else { 10.0 };
    assert_eq!(lower_is_better(interval, &every(interval, TimeDelta::days(13), office)).seasonality, None);
    let known = lower_is_better(interval, &every(interval, TimeDelta::days(21), office)).seasonality.unwrap();
    // It is noon, so the six busy hours are those at 07:00 to 12:00.
    assert_eq!(known.hours[6], Some(10.0));
    assert_eq!(known.hours[7], Some(50.0));
    assert_eq!(known.hours[12], Some(50.0));
    assert_eq!(known.hours[13], Some(10.0));
    assert_eq!(known.weekdays, vec![Some(20.0); 7]);
}

#[test]
fn a_week_is_compared_with_the_one_before_and_a_year_ago() {
    let interval = TimeDelta::hours(6);
    let level = |days: f64| {
        if days < 7.0 {
            120.0
        } else if days < 100.0 {
            100.0
        } else {
            80.0
        }
    };
    let answer = lower_is_better(interval, &every(interval, TimeDelta::days(400), level));
    let compared = window(&answer, "7d").comparison;
    assert_eq!(compared.previous.unwrap().change_percent, Some(20.0));
    assert_eq!(compared.year_ago.unwrap().change_percent, Some(50.0));
    let short = lower_is_better(interval, &every(interval, TimeDelta::days(20), level));
    assert_eq!(window(&short, "7d").comparison.year_ago, None);
}

/// Busy on workdays, half as much on Saturdays and Sundays, in UTC.
fn working_week(time: Timestamp) -> f64 {
    use chrono::{Datelike as _, Weekday};
    if matches!(time.utc().weekday(), Weekday::Sat | Weekday::Sun) { 50.0 } else { 100.0 }
}

#[test]
fn the_weekend_is_taken_out_whenever_one_asks() {
    let interval = TimeDelta::minutes(15);
    for hour in [0, 6, 12, 18, 20, 23] {
        // A Sunday.
        let at: Timestamp = format!("2026-03-15T{hour:02}:30:00Z").parse().unwrap();
        let times = (0..35 * 96).rev().map(|back| at.checked_add(interval * -back).unwrap());
        // Each tells of the quarter before it.
        let told = |time: Timestamp| working_week(time.checked_add(-interval / 2).unwrap());
        let points: Vec<Point> = times.map(|time| Point { time, value: told(time) }).collect();
        let asked = Question { at, ..question(interval, Some(Polarity::HigherIsBetter)) };
        let week = window(&trend(&asked, &points), "7d").clone();
        assert!(week.verdict.seasonally_adjusted, "{at}");
        assert_eq!(week.change_points, [], "{at}");
        assert_eq!(week.verdict.direction, Direction::Stable, "{at}: {}", week.verdict.statement);
    }
}

#[test]
fn hours_weigh_as_much_as_the_minutes_they_stand_for() {
    // Minutes of the last 35 days, hours of those before; 100 until day 35, 200 since.
    let value = |days: f64| if days < 35.0 { 200.0 } else { 100.0 };
    let (minutes, hours) = (TimeDelta::minutes(1), TimeDelta::hours(1));
    let mut points: Vec<Point> = every(hours, TimeDelta::days(60), value);
    points.retain(|point| point.time <= ago(TimeDelta::days(35)));
    points.extend(every(minutes, TimeDelta::days(35), value));
    let answer = lower_is_better(minutes, &points);
    // 25 days of 100 and 5 of 200.
    let previous = window(&answer, "30d").comparison.previous.unwrap();
    assert_near(previous.previous, 116.7, 0.5);
    assert_near(previous.change_percent.unwrap(), 71.4, 1.0);
    let hours = answer.seasonality.unwrap().hours;
    assert_near(hours[3].unwrap(), (35.0 * 200.0 + 25.0 * 100.0) / 60.0, 1.0);
}

#[test]
fn growth_compounds_as_far_as_it_can_be_known() {
    let points = every(TimeDelta::minutes(1), TimeDelta::hours(1), |days| 120.0 - days * 960.0);
    let ahead = |horizon: TimeDelta| {
        let asked = Question { horizon: Some(horizon), ..question(TimeDelta::minutes(1), None) };
        window(&trend(&asked, &points), "1h").projection.unwrap()
    };
    // From 81 to 120 in an hour, by a half: once more in the next.
    let hour = ahead(TimeDelta::hours(1));
    assert_near(hour.compound.unwrap(), 180.0, 5.0);
    assert_near(hour.capacity_needed, hour.compound.unwrap() * 1.41, 1e-6);
    let week = ahead(TimeDelta::days(7));
    assert_eq!(week.compound, None);
    assert_near(week.capacity_needed, (120.0 + 7.0 * 960.0) * 1.41, 1.0);
}

#[test]
fn outliers_are_on_the_bad_side_and_a_metric_that_never_moves_has_none() {
    let points = |odd: f64| -> Vec<Point> {
        every(TimeDelta::minutes(1), TimeDelta::hours(1), |days| if days == 0.0 { odd } else { 10.0 })
    };
    let count = |odd, polarity| outlier::outliers(&points(odd), polarity).unwrap().robust.count;
    assert_eq!(count(20.0, Some(Polarity::LowerIsBetter)), 1);
    assert_eq!(count(0.0, Some(Polarity::LowerIsBetter)), 0);
    assert_eq!(count(0.0, Some(Polarity::HigherIsBetter)), 1);
    assert_eq!(count(10.0, None), 0);
}

#[test]
fn the_moving_average_is_of_the_last_minute_or_of_three_intervals() {
    let averaged = |interval: TimeDelta| {
        let points = every(interval, interval * 6, |days| (days * 86_400.0 / interval.as_seconds_f64()).round());
        let average = |count: usize| smooth::moving_average(&points[..count], interval);
        assert_eq!(average(0), None);
        (1..=points.len()).filter_map(average).collect::<Vec<f64>>()
    };
    assert_eq!(averaged(TimeDelta::seconds(10)), [5.0, 4.5, 4.0, 3.5, 3.0, 2.5], "six of ten seconds");
    assert_eq!(averaged(TimeDelta::seconds(20)), [5.0, 4.5, 4.0, 3.0, 2.0, 1.0]);
    assert_eq!(averaged(TimeDelta::minutes(1)), [5.0, 4.5, 4.0, 3.0, 2.0, 1.0]);
    // A gap is not bridged.
    let minute = TimeDelta::minutes(1);
    let mut points = every(minute, minute * 6, |days| (days * 1_440.0).round());
    points.remove(4);
    assert_eq!(smooth::moving_average(&points, minute), Some(1.0), "of 2 and 0");
    // What is looked at by the minute is smoothed too.
    let hour = window(&lower_is_better(minute, &every(minute, TimeDelta::hours(1), noise)), "1h").clone();
    let expected = (noise(0.0) + noise(1.0 / 1_440.0) + noise(2.0 / 1_440.0)) / 3.0;
    assert_near(hour.smoothed.unwrap(), expected, 1e-9);
    assert!((hour.smoothed.unwrap() - hour.summary.unwrap().current).abs() > 0.01, "{hour:?}");
}

#[test]
fn a_surprise_is_told_once_when_it_begins() {
    let interval = TimeDelta::minutes(5);
    let burst = |days: f64| if (0.3..0.35).contains(&days) { 100.0 } else { 0.0 };
    let points = every(interval, TimeDelta::days(2), |days| 100.0 + 10.0 * noise(days) + burst(days));
    let answer = lower_is_better(interval, &points);
    let [moment] = window(&answer, "24h").surprises[..] else { panic!("{:?}", window(&answer, "24h").surprises) };
    assert_near(now().since(moment.time).as_seconds_f64() / 86_400.0, 0.35, 0.004);
    assert!(moment.score > 2.0 * surprise::SCORE_MIN, "{moment:?}");
    assert!(window(&answer, "1h").surprises.is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]
    #[test]
    fn no_series_is_too_odd(
        points in proptest::collection::vec((any::<i64>(), prop_oneof![any::<f64>(), -3.0..3.0_f64, Just(0.0)]), 0..60),
        interval_s in prop_oneof![Just(0), -10..100_000_i64, any::<i32>().prop_map(i64::from)],
        at in prop_oneof![Just(Timestamp::MIN), Just(Timestamp::MAX), Just(now())],
        threshold in any::<Option<f64>>(),
    ) {
        let span = 86_400_000_000 * 40;
        let points: Vec<Point> = points
            .into_iter()
            .filter_map(|(offset, value)| {
                let time = at.checked_add(TimeDelta::microseconds(offset % span))?;
                Some(Point { time, value })
            })
            .collect();
        let asked = Question { at, threshold, ..question(TimeDelta::seconds(interval_s), None) };
        prop_assert_eq!(trend(&asked, &points).windows.len(), WINDOWS.len());
    }
}
