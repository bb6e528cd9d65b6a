//! The weekly review: every part against evidence made for it, and nothing said of what is not known.
#![expect(clippy::float_cmp, reason = "figures that were rounded, and counts")]

use std::fmt::Write as _;

use naze::analyse::review::Week;
use naze::clock::Timestamp;
use naze::config::Config;
use serde_json::{Value as Json, json};

use crate::cli::{naze as command, text};
use crate::common::Naze;

#[test]
fn weeks_are_those_of_iso_8601() {
    // Expected by Python's date.fromisocalendar.
    for (week, monday) in [
        ("2026-W47", "2026-11-16T00:00:00Z"),
        ("2026-W10", "2026-03-02T00:00:00Z"),
        ("2026-W53", "2026-12-28T00:00:00Z"),
        ("2026-W01", "2025-12-29T00:00:00Z"),
    ] {
        let parsed: Week = week.parse().unwrap();
        assert_eq!((parsed.window().from.to_string(), parsed.to_string()), (monday.to_owned(), week.to_owned()));
        assert_eq!(Week::of(parsed.window().from), parsed);
        assert_eq!(parsed.window().length(), chrono::TimeDelta::days(7));
    }
    for wrong in
        ["2025-W53", "2026-W00", "2026-W54", "2026W10", "2026-W1", "2026-10", "W10", "-2026-W10", "", "２０２６-W10"]
    {
        let error = wrong.parse::<Week>().unwrap_err();
        assert!(error.message().contains(&format!("week=\"{wrong}\"")), "{error}");
    }
    let sunday = "2026-03-08T23:59:59Z".parse().unwrap();
    assert_eq!(Week::of(sunday).to_string(), "2026-W10");
    assert_eq!(Week::last_complete("2026-03-09T00:00:00Z".parse().unwrap()).to_string(), "2026-W10");
}

fn alert(at: &str, name: &str, status: &str, more: &Json) -> Json {
    let mut receipt = json!({"kind": "alert", "occurredAt": at, "component": "orders", "name": name, "status": status,
        "severity": "warning", "source": "alertmanager"});
    receipt.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    receipt
}

/// Day 2 is Monday of the week under review, the tenth.
fn at(day: u32, hour: u32, minute: u32) -> String {
    format!("2026-03-{day:02}T{hour:02}:{minute:02}:00Z")
}

/// 54 alerts on Tuesday that flap, each beside another; eleven in one minute on Wednesday.
fn noise() -> Vec<Json> {
    let depth = json!({"metric": "queue_depth", "threshold": 100.0, "value": 130.0});
    let mut alerts = Vec::new();
    for number in 0..27 {
        alerts.push(alert(&at(3, number % 24, 0), "Deep", "firing", &depth));
        alerts.push(alert(&at(3, number % 24, 2), "Deep", "resolved", &json!({})));
        alerts.push(alert(&at(3, number % 24, 1), "Slow", "firing", &json!({})));
    }
    alerts.truncate(3 * 24);
    alerts.push(alert(&at(3, 0, 30), "Deep", "firing", &depth));
    alerts.push(alert(&at(3, 0, 31), "Slow", "firing", &json!({})));
    alerts.push(alert(&at(3, 0, 33), "Slow", "acknowledged", &json!({})));
    for second in 0..11 {
        let at = format!("2026-03-04T09:00:{second:02}Z");
        alerts.push(alert(&at, &format!("Spam{second}"), "firing", &json!({"component": "search"})));
    }
    alerts
}

/// Incidents with one cause, failures on four days, deployments with trouble after two of three, what else to mend, and
/// an improvement.
fn evidence() -> Vec<Json> {
    let mut told = noise();
    for (reference, day) in [("I1", 4), ("I2", 6)] {
        let step = |hour: u32, status: &str, more: Json| {
            let mut incident = json!({"kind": "incident", "occurredAt": at(day, hour, 0), "component": "checkout",
                "reference": reference, "status": status, "severity": "critical", "detectedAt": at(day, 10, 0)});
            incident.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            incident
        };
        told.push(step(10, "open", json!({"summary": "customers cannot pay"})));
        told.push(step(12, "resolved", json!({"rootCause": "the pool is too small", "fix": "a larger pool"})));
    }
    told.push(json!({"kind": "incident", "occurredAt": at(1, 10, 0), "component": "checkout", "reference": "I0",
        "status": "open", "severity": "critical", "detectedAt": "2026-02-27T10:00:00Z"}));
    told.last_mut().unwrap()["occurredAt"] = json!("2026-02-27T10:00:00Z");
    for day in [3, 4, 5, 6] {
        told.push(json!({"kind": "failure", "occurredAt": at(day, 2, 5), "component": "billing", "failureType": "Timeout", "count": 4}));
    }
    for (day, version) in [(2, "1"), (3, "2"), (5, "3")] {
        told.push(json!({"kind": "deployment", "occurredAt": at(day, 6, 0), "component": "search", "status": "succeeded", "version": version}));
    }
    for day in [3, 5] {
        told.push(alert(&at(day, 6, 30), "SearchErrors", "firing", &json!({"component": "search"})));
    }
    for (kind, more) in [
        ("backup", json!({"ok": false})),
        ("validation", json!({"ok": false})),
        ("health", json!({"state": "unhealthy", "reason": "no disk"})),
    ] {
        let mut receipt = json!({"kind": kind, "occurredAt": at(7, 3, 0), "component": "ledger"});
        receipt.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        told.push(receipt);
    }
    told.push(
        json!({"kind": "improvement", "occurredAt": at(4, 0, 0), "component": "orders", "title": "two workers more",
        "actor": "aiko", "status": "done", "metric": "queue_depth"}),
    );
    told
}

/// Two weeks by the quarter of an hour: a latency that doubles in the second, a queue around 120 that falls to 60 with
/// the improvement.
fn series() -> String {
    let mut lines = String::new();
    for quarter in 0..(14 * 96_u32) {
        let minutes = quarter * 15;
        // From the 23rd of February on.
        let day = 23 + minutes / 1_440;
        let (month, day) = if day > 28 { (3, day - 28) } else { (2, day) };
        let at = format!("2026-{month:02}-{day:02}T{:02}:{:02}:00Z", minutes / 60 % 24, minutes % 60);
        let in_week = quarter.saturating_sub(7 * 96);
        let latency = 100.0 + f64::from(in_week) / 6.72 + f64::from(quarter * 7 % 5);
        let depth = if quarter < 9 * 96 { 120 } else { 60 } + quarter * 7 % 5;
        for (metric, component, value) in
            [("latency_ms", "checkout", json!(latency)), ("queue_depth", "orders", json!(depth))]
        {
            let told = json!({"metric": metric, "component": component, "value": value, "occurredAt": at});
            writeln!(lines, "{told}").unwrap();
        }
    }
    lines
}

const SLO: &str = "apiVersion: openslo/v1
kind: SLO
metadata: {name: short-queue}
spec:
  service: orders
  budgetingMethod: Occurrences
  timeWindow: [{duration: 1w, isRolling: true}]
  indicator: {spec: {thresholdMetric: {metricSource: {type: naze, spec: {metric: queue_depth, component: orders}}}}}
  objectives: [{op: lte, value: 100, target: 0.9}]
";

fn reviewed() -> (Naze, Json) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("slos.yaml"), SLO).unwrap();
    let naze = Naze::with(Config { slos: Some(folder.path().to_owned()), ..Config::in_memory() });
    let told = evidence();
    assert_eq!(naze.record(&Json::Array(told.clone()))["recorded"], told.len());
    let sent = naze.post("/v1/measurements", "application/x-ndjson", series());
    assert_eq!(sent.json()["recorded"], 2 * 14 * 96, "{}", sent.text());
    let review = naze.get("/v1/reviews/2026-W10").json();
    (naze, review)
}

fn named<'a>(list: &'a Json, member: &str, name: &str) -> &'a Json {
    let found = list.as_array().unwrap().iter().find(|one| one[member] == name);
    found.unwrap_or_else(|| panic!("{name} is not among {list}"))
}

fn habits(rule: &Json) -> Vec<&str> {
    rule["causes"].as_array().unwrap().iter().map(|cause| cause["habit"].as_str().unwrap()).collect()
}

#[test]
fn a_week_is_told_with_what_it_rests_on() {
    let (naze, review) = reviewed();
    assert_eq!(
        (&review["week"], &review["from"], &review["to"], &review["isComplete"]),
        (&json!("2026-W10"), &json!("2026-03-02T00:00:00Z"), &json!("2026-03-09T00:00:00Z"), &json!(true))
    );
    let latency = named(&review["trends"], "metric", "latency_ms");
    // Nobody said which way is good for it.
    assert_eq!(latency["direction"], "rising", "{latency}");
    // Hours begin with minute 0 of 96 quarters a day: 100 to 200 within the week, 102 the week before.
    assert_eq!(latency["previous"].as_f64().unwrap().round(), 102.0);
    assert_eq!(latency["mean"].as_f64().unwrap().round(), 152.0);
    assert_eq!(latency["changePercent"].as_f64().unwrap().round(), 49.0);
    let queue = named(&review["trends"], "metric", "queue_depth");
    assert_eq!(queue["direction"], "improving", "{queue}");
    // Two of seven days were deep.
    let slo = named(&review["slos"], "name", "short-queue");
    assert_eq!(
        (&slo["state"], &slo["target"], &slo["previous"]),
        (&json!("missed"), &json!(0.9), &json!(0.0)),
        "{slo}"
    );
    assert_eq!((slo["attainment"].as_f64().unwrap() * 7.0).round(), 5.0);
    let figure = |name| {
        let figure = named(&review["comparison"], "name", name);
        (figure["current"].as_f64(), figure["previous"].as_f64())
    };
    assert_eq!(figure("incidents opened"), (Some(2.0), Some(1.0)));
    assert_eq!(figure("mean time to resolve"), (Some(7_200.0), None));
    assert_eq!(figure("alerts fired"), (Some(63.0), Some(0.0)));
    assert_eq!(figure("deployments and changes"), (Some(3.0), Some(0.0)));
    assert_eq!(figure("failures"), (Some(16.0), Some(0.0)));
    let kaizen = &review["kaizen"][0];
    assert_eq!((&kaizen["owner"], &kaizen["measured"]["direction"]), (&json!("aiko"), &json!("improving")));
    assert_eq!((kaizen["measured"]["changePercent"]["value"].as_f64().unwrap()).round(), -49.0);
    paths_lead_somewhere(&naze, &review);
}

/// Requests every quarter of an hour of two weeks, more of them each day of the second: of a hundred 90 within 100 ms, 98
/// within half a second, all within one.
fn histogram() -> String {
    let mut text = String::new();
    let [mut hundreds, monday] = [0_i64, 1_771_804_800_000];
    for quarter in 0..(14 * 96_i64) {
        hundreds += 1 + (quarter - 7 * 96).max(0) / 96;
        let at = monday + quarter * 900_000;
        for (bound, share) in [("0.1", 90), ("0.5", 98), ("1", 100), ("+Inf", 100)] {
            let count = share * hundreds;
            writeln!(text, "http_request_duration_seconds_bucket{{job=\"shop\",le=\"{bound}\"}} {count} {at}").unwrap();
        }
        writeln!(text, "http_request_duration_seconds_sum{{job=\"shop\"}} {} {at}", 12 * hundreds).unwrap();
        writeln!(text, "http_request_duration_seconds_count{{job=\"shop\"}} {} {at}", 100 * hundreds).unwrap();
    }
    text
}

#[test]
fn a_histogram_is_one_latency_and_traffic_is_none() {
    let naze = Naze::in_memory();
    let sent = naze.post("/v1/measurements", "text/plain; version=0.0.4", histogram());
    assert_eq!(sent.status, 201, "{}", sent.text());
    let review = naze.get("/v1/reviews/2026-W10").json();
    let trends = review["trends"].as_array().unwrap();
    let told: Vec<(&Json, &Json, &Json)> =
        trends.iter().map(|trend| (&trend["metric"], &trend["statistic"], &trend["direction"])).collect();
    // There is more traffic each day, and it takes as long as ever.
    assert_eq!(told, [(&json!("http_request_duration_seconds"), &json!("p99"), &json!("stable"))]);
    // The 99th of a hundred is the first of two between half a second and one.
    let close = |value: &Json| assert!((value.as_f64().unwrap() - 0.75).abs() < 1e-9, "{value}");
    close(&trends[0]["mean"]);
    close(&trends[0]["previous"]);
    assert_eq!(naze.get(trends[0]["show"].as_str().unwrap()).json()["series"].as_array().unwrap().len(), 1);
}

#[test]
fn the_health_of_a_week_knows_latencies_told_in_buckets() {
    let naze = Naze::in_memory();
    let (mut text, mut count) = (String::new(), 0);
    for (hour, minute) in (0..7 * 24_u32).flat_map(|hour| (56..60).map(move |minute| (hour, minute))) {
        let millis = at(2 + hour / 24, hour % 24, minute).parse::<Timestamp>().unwrap().micros() / 1_000;
        count += 100;
        for bound in ["0.05", "+Inf"] {
            writeln!(text, "tps_kanban_latency_seconds_bucket{{queue=\"in\",le=\"{bound}\"}} {count} {millis}")
                .unwrap();
        }
        writeln!(text, "tps_kanban_throughput_per_minute{{queue=\"in\"}} 100000 {millis}").unwrap();
    }
    assert_eq!(naze.post("/v1/measurements", "text/plain; version=0.0.4", text).status, 201);
    let review = naze.get("/v1/reviews/2026-W10").json();
    let missing = review["missing"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap());
    let health: String = missing.filter(|what| what.contains("health score")).collect();
    assert!(health.contains("tps_jidoka") && !health.contains("tps_kanban"), "{health}");
    assert!(review["health"]["score"].as_f64().unwrap() > 0.0, "{}", review["health"]);
}

#[test]
fn counts_and_sums_alone_are_no_latency() {
    let naze = Naze::in_memory();
    let whole = histogram();
    let parts: String =
        whole.lines().filter(|line| !line.contains("_bucket")).map(|line| format!("{line}\n")).collect();
    assert_eq!(naze.post("/v1/measurements", "text/plain; version=0.0.4", parts).status, 201);
    let review = naze.get("/v1/reviews/2026-W10").json();
    assert_eq!(review["trends"], json!([]));
    let missing: Vec<&str> =
        review["missing"].as_array().unwrap().iter().map(|one| one["what"].as_str().unwrap()).collect();
    assert!(missing.contains(&"no series of a latency is kept"), "{missing:?}");
}

#[test]
fn an_incident_counts_once_however_often_it_is_told() {
    let naze = Naze::in_memory();
    let step = |reference: &str, day: u32, hour: u32, status: &str, summary: &str| {
        json!({"kind": "incident", "occurredAt": at(day, hour, 0), "component": "checkout", "reference": reference,
            "status": status, "severity": "critical", "summary": summary})
    };
    let told = [
        step("PD-1", 4, 10, "open", "triggered"),
        step("PD-1", 4, 11, "open", "escalated"),
        step("PD-1", 4, 12, "open", "priority updated"),
        step("PD-1", 4, 14, "resolved", "resolved"),
        step("PD-1", 4, 16, "open", "reopened"),
        step("PD-1", 4, 20, "resolved", "resolved again"),
        // Opened in the week before, and told of again in this one.
        step("PD-2", 1, 22, "open", "triggered"),
        step("PD-2", 2, 3, "open", "reassigned"),
        step("PD-2", 2, 4, "resolved", "resolved"),
    ];
    assert_eq!(naze.record(&json!(told))["recorded"], 9);
    let review = naze.get("/v1/reviews/2026-W10").json();
    let figure = |name| {
        let figure = named(&review["comparison"], "name", name);
        (figure["current"].clone(), figure["previous"].clone())
    };
    assert_eq!(figure("incidents opened"), (json!(1.0), json!(1.0)));
    // From ten to two; the other one was resolved in another week than it was opened in.
    assert_eq!(figure("mean time to resolve"), (json!(14_400.0), Json::Null));
}

#[test]
fn a_week_that_lasts_is_held_against_as_much_of_the_one_before() {
    let naze = Naze::in_memory();
    // It is Tuesday, noon. Of the five alerts of the week before, two came by then.
    let fired = [(2, 9), (3, 9), (3, 13), (5, 9), (8, 9), (9, 9), (10, 9)];
    let alerts = fired.map(|(day, hour)| alert(&at(day, hour, 0), "Slow", "firing", &json!({})));
    assert_eq!(naze.record(&json!(alerts))["recorded"], 7);
    let review = naze.get("/v1/reviews/2026-W11").json();
    assert_eq!((&review["isComplete"], &review["to"]), (&json!(false), &json!("2026-03-10T12:00:00Z")));
    let figure = named(&review["comparison"], "name", "alerts fired");
    assert_eq!(
        (&figure["current"], &figure["previous"], &figure["changePercent"]),
        (&json!(2.0), &json!(2.0), &json!(0.0))
    );
}

#[test]
fn colours_are_those_in_force() {
    let toml = "[[thresholds]]\nmetric = \"tps_kaizen_slo_attainment\"\nwarning = \"< 0.5\"\ncritical = \"< 0.2\"\n\
        [[thresholds]]\nmetric = \"tps_health_score\"\nwarning = \"< 101\"\n";
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("slos.yaml"), SLO).unwrap();
    let file = folder.path().join("naze.toml");
    std::fs::write(&file, toml).unwrap();
    let own = Config::read(&file).unwrap();
    let naze =
        Naze::with(Config { slos: Some(folder.path().to_owned()), thresholds: own.thresholds, ..Config::in_memory() });
    let sent = naze.post("/v1/measurements", "application/x-ndjson", series());
    assert_eq!(sent.json()["recorded"], 2 * 14 * 96, "{}", sent.text());
    let told = naze.get("/v1/slos/short-queue?at=2026-03-09T00:00:00Z").json();
    let objective = &told["slo"]["objectives"][0];
    // Five of seven days: red as naze ships it.
    assert_eq!(objective["colour"], "green", "{objective}");
    assert_eq!((objective["attainment"].as_f64().unwrap() * 7.0).round(), 5.0);
    let mut calm = String::new();
    for hour in 0..7 * 24_u32 {
        for metric in ["tps_jidoka_circuit_open_ratio", "tps_jidoka_failure_rate"] {
            let told = json!({"metric": metric, "component": "orders", "value": 0.0,
                "occurredAt": at(2 + hour / 24, hour % 24, 59)});
            writeln!(calm, "{told}").unwrap();
        }
    }
    assert_eq!(naze.post("/v1/measurements", "application/x-ndjson", calm).status, 201);
    let review = naze.get("/v1/reviews/2026-W10").json();
    // The best score there is: green as naze ships it.
    assert_eq!(review["health"]["score"], 100.0);
    assert_eq!(review["health"]["band"], "yellow", "{}", review["health"]);
}

/// Every path that a review tells is one that naze answers.
fn paths_lead_somewhere(naze: &Naze, review: &Json) {
    let mut paths = Vec::new();
    collect(review, &mut paths);
    assert!(paths.len() > 20, "{paths:?}");
    for path in paths {
        assert_eq!(naze.get(path).status, 200, "{path}");
    }
}

fn collect<'a>(json: &'a Json, paths: &mut Vec<&'a str>) {
    match json {
        Json::String(text) if text.starts_with("/v1/") => paths.push(text),
        Json::Array(list) => list.iter().for_each(|one| collect(one, paths)),
        Json::Object(members) => members.values().for_each(|one| collect(one, paths)),
        _ => {}
    }
}

#[test]
fn what_goes_wrong_again_is_found_and_work_is_ranked() {
    let (naze, review) = reviewed();
    let patterns = review["patterns"].as_array().unwrap();
    assert!((3..=5).contains(&patterns.len()), "{patterns:?}");
    let incidents = named(&review["patterns"], "origin", "incidents");
    assert_eq!((&incidents["occurrences"], &incidents["lastFix"]), (&json!(2), &json!("a larger pool")));
    let statement = incidents["statement"].as_str().unwrap();
    assert!(statement.contains("I1, I2") && statement.contains("the pool is too small"), "{statement}");
    let changes = named(&review["patterns"], "origin", "after_changes");
    assert_eq!(
        changes["statement"],
        "2 of 3 changes of search were followed by an alert or incident of it within the hour"
    );
    assert_eq!(changes["receipts"].as_array().unwrap().len(), 4);
    let recurring = patterns.iter().find(|pattern| pattern["component"] == "billing").unwrap();
    assert_eq!((&recurring["origin"], &recurring["occurrences"]), (&json!("recurring"), &json!(4)));
    assert!(patterns.iter().all(|pattern| !pattern["receipts"].as_array().unwrap().is_empty()));

    let ranked = review["improvements"].as_array().unwrap();
    let worth: Vec<f64> = ranked.iter().map(|told| told["worth"].as_f64().unwrap()).collect();
    assert!(worth.len() >= 5 && worth.is_sorted_by(|a, b| a >= b), "{worth:?} {}", review["missing"]);
    let turns = |review: &Json| -> Vec<String> {
        let ranked = review["improvements"].as_array().unwrap().iter().take(5);
        ranked.map(|told| told["turn"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(turns(&review)[..3], ["first", "second", "later"]);
    let two = naze.get("/v1/reviews/2026-W10?engineers=2").json();
    assert_eq!(turns(&two)[..5], ["first", "first", "second", "second", "later"]);
    assert_eq!(naze.get("/v1/reviews/2026-W10?engineers=0").status, 400);
}

#[test]
fn alert_noise_has_causes_and_remedies() {
    let (_, review) = reviewed();
    let noise = &review["noise"];
    assert_eq!((&noise["firings"], &noise["isFatiguing"]), (&json!(63), &json!(true)));
    assert_eq!(noise["busiestMinute"], json!({"at": "2026-03-04T09:00:00Z", "firings": 11}));
    assert_eq!(named(&noise["days"], "day", "2026-03-03")["firings"], 51);
    let deep = named(&noise["rules"], "rule", "Deep");
    assert_eq!(deep["firings"], 25);
    assert_eq!(
        habits(deep),
        ["threshold_within_normal_range", "several_rules_for_one_cause", "noisy_metric", "ignored"],
        "{deep}"
    );
    let remedies: Vec<&str> =
        deep["causes"].as_array().unwrap().iter().map(|cause| cause["remedy"].as_str().unwrap()).collect();
    // The 95th percentile is 124, and 15 % above that 142.6.
    assert!(remedies[0].contains("raise the threshold to about 142.6"), "{remedies:?}");
    assert!(remedies[1].contains("AND") && remedies[2].contains("percentile in place of a maximum"), "{remedies:?}");
    assert!(remedies.iter().all(|remedy| !remedy.to_lowercase().contains("mute")));
    let slow = named(&noise["rules"], "rule", "Slow");
    assert_eq!(habits(slow), ["several_rules_for_one_cause", "ignored"]);
    assert_eq!(slow["unacknowledgedShare"].as_f64().unwrap(), 24.0 / 25.0);
}

#[test]
fn the_same_evidence_gives_the_same_bytes_in_every_form() {
    let (naze, review) = reviewed();
    for (form, media_type) in
        [("json", "application/json"), ("markdown", "text/markdown"), ("html", "text/html"), ("text", "text/plain")]
    {
        let path = format!("/v1/reviews/2026-W10?format={form}");
        let reply = naze.get(&path);
        assert_eq!(reply.headers["content-type"], format!("{media_type}; charset=utf-8"));
        assert_eq!(naze.get(&path).body, reply.body);
        assert_eq!(naze.get_as("/v1/reviews/2026-W10", media_type).body, reply.body);
        // The last week that is over at noon of Tuesday of week 11.
        assert_eq!(naze.get_as("/v1/reviews", media_type).body, reply.body);
    }
    let page = naze.get("/v1/reviews/2026-W10?format=markdown").text();
    for told in [
        "Review of the week 2026-W10",
        "| incidents opened | 2 | 1 | +100.0 % |",
        "63 alerts fired: too many to be heard",
        "two workers more",
    ] {
        assert!(page.contains(told), "{told} is not in {page}");
    }
    let mut told = Vec::new();
    collect(&review["patterns"], &mut told);
    assert!(told.iter().all(|path| page.contains(*path)), "{page}");
    assert_eq!(naze.get("/v1/reviews/2026-W10?format=pdf").status, 400);
    assert_eq!(naze.get_as("/v1/reviews", "text/csv").status, 406);
}

#[test]
fn a_week_without_evidence_says_so() {
    let naze = Naze::in_memory();
    let review = naze.get("/v1/reviews").json();
    assert_eq!((&review["health"]["score"], &review["health"]["band"]), (&Json::Null, &json!("grey")));
    for part in ["trends", "slos", "patterns", "improvements", "kaizen"] {
        assert_eq!(review[part], json!([]), "{part}");
    }
    assert_eq!((&review["noise"]["firings"], &review["noise"]["unacknowledgedShare"]), (&json!(0), &Json::Null));
    let missing: Vec<&str> =
        review["missing"].as_array().unwrap().iter().map(|missing| missing["what"].as_str().unwrap()).collect();
    for part in ["latency", "queue depth", "no SLO is measured", "patterns", "less than four pillars"] {
        assert!(missing.iter().any(|what| what.contains(part)), "{part} is not in {missing:?}");
    }
    assert!(naze.get("/v1/reviews?format=text").text().contains("Health: not enough data for a score"));
    let lasting = naze.get("/v1/reviews/2026-W11").json();
    assert_eq!((&lasting["isComplete"], &lasting["to"]), (&json!(false), &json!("2026-03-10T12:00:00Z")));
    let ahead = naze.get("/v1/reviews/2026-W12");
    assert_eq!(ahead.status, 400);
    assert!(ahead.text().contains("has not begun") && ahead.text().contains("2026-W10"), "{}", ahead.text());
    assert_eq!(naze.get("/v1/reviews/2026-W54").status, 400);
    assert_eq!(naze.get("/v1/reviews/2026-W10?colour=red").status, 400);
}

#[test]
fn the_command_prints_a_review() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let shown = command(&["review", "2026-W10", "--data", &data]);
    assert_eq!(shown.status.code(), Some(0), "{}", text(&shown.stderr));
    assert!(text(&shown.stdout).starts_with("Review of the week 2026-W10\n\nWEEK\n"), "{}", text(&shown.stdout));
    assert_eq!(command(&["review", "2026-10", "--data", &data]).status.code(), Some(2));
}
