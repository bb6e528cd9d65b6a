//! Series in, crossings out: when they began, when they were over, each told once; and none of what is usual.
#![expect(clippy::cast_precision_loss, reason = "small counts, as numbers")]

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use chrono::TimeDelta;
use naze::clock::Timestamp;
use naze::config::Config;
use naze::receipt::Receipt;
use naze::record::Window;
use serde_json::{Value as Json, json};

use crate::common::{LOOPBACK, NOW, Naze, serve};

mod combined;
mod derived;
mod failures;
mod histograms;
mod noise;
mod outliers;
mod withdrawn;

/// Minutes from [`NOW`].
fn at(minutes: i64) -> Timestamp {
    NOW.parse::<Timestamp>().unwrap().checked_add(TimeDelta::minutes(minutes)).unwrap()
}

/// Values of a metric of `orders`, each by its minutes from [`NOW`].
fn feed(naze: &Naze, metric: &str, values: impl IntoIterator<Item = (i64, f64)>) {
    let mut csv = "time,component,metric,value,queue\n".to_owned();
    for (minutes, value) in values {
        writeln!(csv, "{},orders,{metric},{value},in", at(minutes)).unwrap();
    }
    let reply = naze.post("/v1/measurements", "text/csv", csv);
    assert_eq!(reply.status, 201, "{}", reply.text());
}

/// Looks at everything that is over at this minute from [`NOW`].
fn watch(naze: &Naze, minutes: i64) {
    let now = at(minutes).checked_add(TimeDelta::seconds(30)).unwrap();
    while naze.engine.watch_series(now).unwrap() {}
}

fn crossings(naze: &Naze) -> Vec<Receipt> {
    let all = naze.engine.index().of_kind("crossing", Window::ALL).unwrap();
    all.into_iter().map(|recorded| recorded.receipt).collect()
}

/// Each crossing as `<minutes from NOW> <severity or status> <direction> <value>`, in order of time.
fn told(naze: &Naze) -> Vec<String> {
    let tell = |receipt: &Receipt| {
        let minutes = receipt.occurred_at().unwrap().since(at(0)).num_minutes();
        let turn = receipt.text("status").or(receipt.text("severity")).unwrap_or("crossed");
        format!("{minutes} {turn} {} {}", receipt.text("direction").unwrap(), receipt.number("value").unwrap())
    };
    crossings(naze).iter().map(tell).collect()
}

fn nothing_learned() -> Config {
    let mut config = Config::in_memory();
    config.learned.enabled = false;
    config
}

fn configured(toml: &str) -> Config {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("naze.toml");
    std::fs::write(&path, toml).unwrap();
    Config::read(&path).unwrap()
}

fn refusal(toml: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("naze.toml");
    std::fs::write(&path, toml).unwrap();
    Config::read(&path).unwrap_err().to_string()
}

#[test]
fn a_value_has_to_be_beyond_for_long_enough() {
    let naze = Naze::with(nothing_learned());
    feed(&naze, "queue_depth", [(-20, 10.0), (-19, 600.0), (-18, 600.0), (-17, 700.0), (-16, 600.0), (-15, 10.0)]);
    feed(&naze, "queue_depth", [(-10, 600.0), (-9, 600.0), (-8, 900.0), (-7, 600.0)]);
    watch(&naze, -5);
    assert!(told(&naze).is_empty(), "four minutes are not five: {:?}", told(&naze));
    feed(&naze, "queue_depth", [(-6, 600.0)]);
    watch(&naze, -6);
    assert!(told(&naze).is_empty(), "a minute that is not over is not looked at");
    watch(&naze, -5);
    assert_eq!(told(&naze), ["-10 warning up 900"], "it began with the first, and tells the farthest");
    let crossing = &crossings(&naze)[0];
    assert_eq!(crossing.component(), Some("orders"));
    assert_eq!(crossing.text("metric"), Some("queue_depth"));
    assert_eq!(crossing.number("threshold"), Some(500.0));
    assert_eq!(crossing.text("rule"), Some("tps_kanban_queue_depth warning >= 500 critical > 1000 for 5m"));
    assert_eq!(crossing.text("source"), Some("naze"));
    assert_eq!(crossing.labels()["queue"], "in");
}

#[test]
fn a_crossing_becomes_worse_and_is_over_when_the_metric_is_back_by_the_hysteresis() {
    let naze = Naze::with(nothing_learned());
    let depth = |minutes: i64| match minutes {
        ..-50 => 10.0,
        -50..-40 => 550.0,
        -40..-30 => 1_200.0,
        // Under the threshold, yet not back by 50.
        -30..-20 => 470.0,
        _ => 440.0,
    };
    feed(&naze, "queue_depth", (-60..-10).map(|minutes| (minutes, depth(minutes))));
    watch(&naze, 0);
    assert_eq!(told(&naze), ["-50 warning up 550", "-40 critical up 1200", "-20 recovered down 440"]);
    let all = crossings(&naze);
    let reference = all[0].text("reference").unwrap();
    assert!(all.iter().all(|one| one.text("reference") == Some(reference)), "they are one excursion: {all:?}");
    let rows = naze.get("/v1/queries/crossings?component=orders").json();
    assert_eq!(rows["rows"].as_array().unwrap().len(), 3, "{rows}");
    let changed = naze.get(&format!("/v1/queries/what_else_changed?at={}", at(0))).json();
    assert_eq!(changed["rows"][0]["crossings"], 2, "a recovery is no crossing: {changed}");
}

#[test]
fn what_falls_too_far_and_states_are_crossings_too() {
    let naze = Naze::with(nothing_learned());
    feed(
        &naze,
        "tps_kanban_workers_available",
        (-20..0).map(|minutes| (minutes, if minutes < -12 { 2.0 } else { 0.0 })),
    );
    // 0 closed, 1 open, 2 half-open.
    let state = |minutes: i64| {
        if minutes < -14 {
            0.0
        } else if minutes < -4 {
            1.0
        } else {
            2.0
        }
    };
    feed(&naze, "tps_jidoka_circuit_state", (-20..0).map(|minutes| (minutes, state(minutes))));
    watch(&naze, 5);
    assert_eq!(told(&naze), ["-14 critical up 1", "-12 critical down 0"]);
}

#[test]
fn counters_are_held_against_their_rate() {
    let naze = Naze::with(nothing_learned());
    // 60 a second, read every two minutes, with a restart.
    let mut total = 0.0;
    let text: String = (0..20)
        .map(|reading| {
            total = if reading == 10 { 0.0 } else { total + 7_200.0 };
            let time = at(-40 + reading * 2).micros() / 1_000;
            format!("tps_jidoka_requests_rejected_total{{component=\"orders\"}} {total} {time}\n")
        })
        .collect();
    assert_eq!(naze.post("/v1/measurements", "text/plain", text).status, 201);
    watch(&naze, 5);
    assert_eq!(told(&naze), ["-38 critical up 60", "-20 recovered down 0", "-18 critical up 60"]);
}

#[test]
fn rounds_that_come_late_tell_the_same() {
    let values =
        |minutes: i64| if (-40..-25).contains(&minutes) { 1_500.0 + minutes.rem_euclid(7) as f64 } else { 20.0 };
    let timely = Naze::in_memory();
    let late = Naze::in_memory();
    for minutes in -200..0 {
        feed(&timely, "queue_depth", [(minutes, values(minutes))]);
        watch(&timely, minutes + 1);
        watch(&timely, minutes + 1);
    }
    feed(&late, "queue_depth", (-200..0).map(|minutes| (minutes, values(minutes))));
    watch(&late, 1);
    assert_eq!(crossings(&timely), crossings(&late));
    let kinds: Vec<_> = crossings(&late).iter().map(|one| one.text("status").is_some()).collect();
    assert_eq!(kinds, [false, false, true, true], "declared and learned, and both are over: {:?}", told(&late));
}

#[test]
fn a_restart_tells_nothing_twice_and_forgets_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let series = |folder: &Path| folder.join("series.redb");
    let naze = Naze::in_folder(folder.path());
    feed(&naze, "queue_depth", (-200..-20).map(|minutes| (minutes, if minutes < -23 { 20.0 } else { 2_000.0 })));
    watch(&naze, -20);
    // The learned one needs three minutes, the declared one five.
    assert_eq!(told(&naze), ["-23 crossed up 2000"]);
    drop(naze);
    let copy = tempfile::tempdir().unwrap();
    let naze = Naze::in_folder(folder.path());
    feed(&naze, "queue_depth", (-20..-10).map(|minutes| (minutes, 2_000.0)));
    drop(naze);
    std::fs::copy(series(folder.path()), series(copy.path())).unwrap();
    let naze = Naze::in_folder(folder.path());
    feed(&naze, "queue_depth", [(-10, 2_000.0)]);
    watch(&naze, -9);
    assert_eq!(told(&naze), ["-23 critical up 2000", "-23 crossed up 2000"], "it was beyond before the restart");
    let known = crossings(&naze);
    drop(naze);
    // A crash after the receipts were recorded, and before naze noted how far it had looked.
    std::fs::copy(series(copy.path()), series(folder.path())).unwrap();
    let naze = Naze::in_folder(folder.path());
    feed(&naze, "queue_depth", [(-10, 2_000.0), (-9, 2_000.0)]);
    watch(&naze, -8);
    assert_eq!(crossings(&naze), known);
    feed(&naze, "queue_depth", (-8..0).map(|minutes| (minutes, 20.0)));
    watch(&naze, 1);
    assert_eq!(told(&naze)[2..], ["-8 recovered down 20", "-8 recovered down 20"]);
}

#[test]
fn what_leaves_its_usual_range_is_told_with_that_range() {
    let naze = Naze::in_memory();
    // Between 95 and 105 for five hours, then twice that for ten minutes.
    let value = |minutes: i64| {
        let wave = 100.0 + (minutes * 7).rem_euclid(11) as f64 - 5.0;
        if (-30..-20).contains(&minutes) { 2.0 * wave } else { wave }
    };
    feed(&naze, "sessions", (-330..0).map(|minutes| (minutes, value(minutes))));
    watch(&naze, 5);
    assert_eq!(told(&naze).len(), 2, "{:?}", told(&naze));
    let all = crossings(&naze);
    assert_eq!(all[0].occurred_at(), Some(at(-30)));
    assert_eq!(all[0].number("baseline"), Some(100.0));
    assert!(all[0].number("deviation").unwrap() > 15.0, "{all:?}");
    assert_eq!(all[0].text("rule"), Some("median ± 4 robust standard deviations of the last 24h for 3m"));
    assert_eq!((all[1].text("status"), all[1].occurred_at()), (Some("recovered"), Some(at(-20))));
    let why = naze.get(&format!("/v1/why?component=orders&metric=sessions&at={}", at(-15))).json();
    assert_eq!(why["ranked"][0]["component"], "orders", "{why}");
}

#[test]
fn what_happens_again_and_again_is_usual() {
    let naze = Naze::in_memory();
    // From the sixth hour on a job of six minutes every hour.
    let value = |minutes: i64| if minutes >= -18 * 60 && minutes.rem_euclid(60) < 6 { 500.0 } else { 100.0 };
    for hour in -24..0 {
        feed(&naze, "io", (hour * 60..(hour + 1) * 60).map(|minutes| (minutes, value(minutes))));
        watch(&naze, (hour + 1) * 60);
    }
    let begun: Vec<i64> = crossings(&naze)
        .iter()
        .filter(|one| one.text("status").is_none())
        .map(|one| one.occurred_at().unwrap().since(at(0)).num_hours())
        .collect();
    assert_eq!(begun, [-18, -17, -16], "three times it is new, and then it is how things are");
}

#[test]
fn a_new_level_settles() {
    let naze = Naze::in_memory();
    let replicas = |minutes: i64| if (-1_500..-30).contains(&minutes) { 8.0 } else { 4.0 };
    feed(&naze, "replicas", (-1_700..0).map(|minutes| (minutes, replicas(minutes))));
    for minutes in [-1_400, -700, 0] {
        watch(&naze, minutes);
    }
    assert_eq!(told(&naze), ["-1500 crossed up 8", "-60 settled up 8", "-30 crossed down 4"]);
}

#[test]
fn hours_are_held_against_the_same_hours_of_weeks() {
    let naze = Naze::in_memory();
    // NOW is a Tuesday at noon: busy on Tuesdays from 11 to 13, quiet at all other times.
    let week = 7 * 1_440;
    let usual = |minutes: i64| {
        let wave = (minutes * 5).rem_euclid(9) as f64;
        if (-60..60).contains(&((minutes + week / 2).rem_euclid(week) - week / 2)) {
            900.0 + wave
        } else {
            100.0 + wave
        }
    };
    feed(&naze, "requests", (-3 * week - 600..0).map(|minutes| (minutes, usual(minutes))));
    watch(&naze, 1);
    assert!(told(&naze).is_empty(), "busy at a busy hour is usual: {:?}", told(&naze));
    let shown = naze.get("/v1/thresholds?metric=requests").json();
    assert_eq!(shown["series"][0]["usual"]["basis"], "same hour of 3 weeks", "{shown}");

    let naze = Naze::in_memory();
    let quiet_noon = |minutes: i64| if minutes >= -30 { 100.0 } else { usual(minutes) };
    feed(&naze, "requests", (-3 * week - 600..0).map(|minutes| (minutes, quiet_noon(minutes))));
    watch(&naze, 1);
    assert_eq!(told(&naze), ["-30 crossed down 100"], "quiet at a busy hour is not, though it is at others");
}

#[test]
fn a_quiet_series_gives_none() {
    let naze = Naze::in_memory();
    feed(&naze, "queue_depth", (-1_400..0_i64).map(|minutes| (minutes, 40.0 + minutes.rem_euclid(5) as f64)));
    feed(&naze, "flat", (-1_400..0).map(|minutes| (minutes, 7.0)));
    feed(&naze, "nothing", (-1_400..0).map(|minutes| (minutes, 0.0)));
    feed(&naze, "uptime_seconds", (-1_400..0_i64).map(|minutes| (minutes, (minutes + 1_500) as f64 * 60.0)));
    watch(&naze, 5);
    assert!(told(&naze).is_empty(), "{:?}", told(&naze));
}

#[test]
fn the_users_thresholds_go_before_those_that_are_shipped() {
    let config = configured(
        r#"
        [learned]
        enabled = false
        [[thresholds]]
        metric = "queue_depth"
        component = "or.*"
        labels = { queue = "in|out" }
        statistic = "max"
        warning = ">= 50"
        hysteresis = 10
        for = "2m"
        [[thresholds]]
        metric = "queue_depth"
        "#,
    );
    let naze = Naze::with(config);
    feed(&naze, "queue_depth", (-20..-10).map(|minutes| (minutes, if minutes < -15 { 10.0 } else { 700.0 })));
    watch(&naze, 0);
    assert_eq!(told(&naze), ["-15 warning up 700"], "the second turns off what is shipped");
    let shown = naze.get("/v1/thresholds?metric=queue_depth&component=orders").json();
    assert_eq!(
        shown["thresholds"][0],
        json!({"name": null, "rule": "max of queue_depth{component=~\"or.*\", queue=~\"in|out\"} warning >= 50 for 2m",
            "metric": ["queue_depth"], "component": "or.*", "labels": {"queue": "in|out"}, "statistic": "max",
            "warning": ">= 50", "critical": null, "colours": {"yellow": ">= 50", "red": null}, "direction": "up", "hysteresis": 10.0, "for": "120s",
            "changeIn": null, "firstIn": null, "cooldown": null, "and": [], "origin": "configuration"})
    );
    assert_eq!(shown["thresholds"][2]["origin"], "shipped");
    let series = &shown["series"][0];
    let rule = &shown["thresholds"][0]["rule"];
    assert_eq!(series["thresholds"], json!([rule]), "{shown}");
    assert_eq!(series["beyond"], json!([{"rule": rule, "since": at(-15)}]));
    assert_eq!(naze.get("/v1/thresholds?colour=red").status, 400);
    let all = naze.get("/v1/thresholds").json();
    let metrics: Vec<&Json> =
        all["thresholds"].as_array().unwrap().iter().flat_map(|one| one["metric"].as_array().unwrap()).collect();
    assert!(metrics.contains(&&json!("tps_andon_error_rate")), "{metrics:?}");
}

#[test]
fn a_wrong_threshold_is_refused_with_what_to_write() {
    for (line, named) in [
        ("warning = \"500\"", "\"500\" is no limit; write an operator"),
        ("warning = \">= many\"", "\">= many\" is no limit"),
        ("warning = \"> 5\"\ncritical = \"< 3\"", "point to opposite sides"),
        ("hysteresis = -1", "hysteresis = -1 of m is wrong"),
        ("for = \"soon\"", "for=\"soon\" is no span of time"),
        ("statistic = \"median\"", "stat=\"median\" is no statistic"),
        ("component = \"(\"", "regex parse error"),
        ("warnin = \"> 5\"", "unknown field `warnin`"),
        ("warning = \"> 5%\"", "limits of m in percent are of a change: write change_in, and % for all of them"),
        ("warning = \"> 5\"\ncritical = \"> 9%\"\nchange_in = \"7d\"", "limits of m in percent are of a change"),
        ("change_in = \"1y\"", "a look back=\"1y\" is no span of time"),
        ("first_in = \"5w\"", "\"5w\" is no look back: write 1m to 28d"),
        ("cooldown = \"31d\"", "cooldown = \"31d\" is longer than what was told is known: write 30d at most"),
        ("and = [{ metric = \"n\" }]", "missing field `limit`"),
        ("and = [{ metric = \"n\", limit = \"> 5%\" }]", "limit \"> 5%\" in and of m is in percent"),
        ("and = [{ metric = \"n\", limit = \"> 5\", hysteresis = -1 }]", "hysteresis = -1 of m is wrong"),
        ("and = [{ metric = [], limit = \"> 5\" }]", "a threshold needs a metric"),
    ] {
        let refused = refusal(&format!("[[thresholds]]\nmetric = \"m\"\n{line}\n"));
        assert!(refused.contains(named), "{line}: {refused}");
    }
    assert!(refusal("[[thresholds]]\nwarning = \"> 5\"\n").contains("missing field `metric`"));
}

#[test]
fn every_shipped_threshold_is_of_a_metric_and_a_healthy_system_crosses_none() {
    let metrics = include_str!("../kit/metrics.txt");
    let healthy: Vec<(&str, f64)> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix("g ")?.rsplit_once(' '))
        .map(|(series, value)| (series.split('{').next().unwrap(), value.parse().unwrap()))
        .collect();
    let shipped = naze::measure::crossing::Threshold::shipped();
    for threshold in shipped.iter().filter(|threshold| threshold.is_plain()) {
        // The others, and those in milliseconds, are old names.
        let is_canonical = |name: &&String| name.starts_with("tps_") && !name.ends_with("_ms");
        for name in threshold.metric.iter().filter(is_canonical) {
            assert!(metrics.contains(&format!(" {name}")), "there is no metric {name}");
            for (_, value) in healthy.iter().filter(|(metric, _)| metric == name) {
                for limit in [threshold.warning, threshold.critical].into_iter().flatten() {
                    assert!(!limit.is_beyond(*value), "{threshold}: {value}");
                    assert!(limit.is_back(*value, threshold.hysteresis), "{threshold}: {value} is not back");
                }
            }
        }
    }
}

#[test]
fn of_rounds_every_ten_seconds_the_first_after_a_minute_is_over_finds_it() {
    let toml = "default_thresholds = false\nlearned.enabled = false\n[[thresholds]]\nmetric = \"waiting\"\nwarning = \"> 500\"\nfor = \"0s\"\n";
    let naze = Naze::with(configured(toml));
    feed(&naze, "waiting", [(-3, 10.0)]);
    let mut rounds = (0..=24).map(|round| round * 10).filter(|seconds| {
        // Told in the minute itself, and so late that the round has passed.
        match seconds {
            20 => feed(&naze, "waiting", [(-2, 900.0)]),
            100 => feed(&naze, "waiting", [(-3, 700.0)]),
            160 => feed(&naze, "waiting", [(-1, 10.0)]),
            _ => {}
        }
        let before = told(&naze).len();
        naze.engine.watch_series(at(-2).checked_add(TimeDelta::seconds(*seconds)).unwrap()).unwrap();
        told(&naze).len() > before
    });
    assert_eq!((rounds.next(), rounds.next(), rounds.next()), (Some(90), Some(160), None));
    drop(rounds);
    assert_eq!(told(&naze), ["-2 warning up 900", "-1 recovered down 10"]);
}

/// What comes after a round is found by the next one: a busy machine may need more than ten seconds, and rounds of a minute
/// would need a minute.
#[test]
fn a_serving_naze_looks_at_alerts_every_ten_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let toml = "[[thresholds]]\nmetric = [\"waiting\", \"lagging\"]\nwarning = \"> 500\"\nfor = \"0s\"\n";
    std::fs::write(folder.path().join("naze.toml"), toml).unwrap();
    let (_naze, url) = serve(folder.path(), LOOPBACK);
    let http = reqwest::blocking::Client::new();
    let is_found = |metric: &str| {
        let rows = http.get(format!("{url}/v1/queries/crossings?metric={metric}")).send().unwrap();
        let rows: Json = serde_json::from_slice(&rows.bytes().unwrap()).unwrap();
        !rows["rows"].as_array().unwrap().is_empty()
    };
    for metric in ["waiting", "lagging"] {
        let two_minutes_ago = chrono::Utc::now() - TimeDelta::minutes(2);
        let sample = json!([{"metric": metric, "component": "orders", "value": 900, "occurredAt": two_minutes_ago}]);
        let posted = http.post(format!("{url}/v1/measurements")).header("content-type", "application/json");
        assert_eq!(posted.body(sample.to_string()).send().unwrap().status(), 201);
        let begun = Instant::now();
        while !is_found(metric) {
            assert!(begun.elapsed() < Duration::from_secs(40), "{metric} is not found");
            std::thread::sleep(Duration::from_millis(200));
        }
    }
}
