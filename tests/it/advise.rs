//! Recommendations: each fires on what it is for, cites it, and is silent one step below its threshold.

mod kept;
mod measured;

use std::collections::BTreeSet;

use naze::config::Config;
use naze::query::{Catalogue, Priority};
use serde_json::{Value as Json, json};

use crate::cli::{naze, text};
use crate::common::Naze;

const CHECKOUT: &str = "checkout";

fn receipt(kind: &str, time: &str, more: &Json) -> Json {
    let time = if time.contains('T') { time.to_owned() } else { format!("2026-03-10T{time}Z") };
    let mut receipt = json!({"kind": kind, "occurredAt": time, "component": CHECKOUT});
    receipt.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    receipt
}

/// `count` receipts, a second after the other.
fn many(kind: &str, count: usize, more: impl Fn(usize) -> Json) -> Vec<Json> {
    let time = |number: usize| format!("11:{:02}:{:02}", 30 + number / 60, number % 60);
    (0..count).map(|number| receipt(kind, &time(number), &more(number))).collect()
}

fn circuits(open: usize, all: usize) -> Vec<Json> {
    let state = |number| if number < open { "open" } else { "closed" };
    many("circuit", all, |number| json!({"state": state(number), "component": format!("c{number}")}))
}

fn failures(count: usize) -> Vec<Json> {
    vec![
        // Known for long, so that it is no new kind.
        receipt("failure", "2026-03-08T10:00:00Z", &json!({"failureType": "Timeout"})),
        receipt("failure", "11:31:00", &json!({"failureType": "Timeout", "count": count})),
    ]
}

fn alerts(count: usize) -> Vec<Json> {
    many("alert", count, |number| json!({"name": format!("A{}", number % 20), "status": "firing", "severity": "info"}))
}

fn slo(good: usize) -> Vec<Json> {
    vec![receipt("slo", "11:00:00", &json!({"sloName": "web", "good": good, "total": 1000, "met": true}))]
}

fn recovered(seconds: f64) -> Vec<Json> {
    vec![receipt("circuit", "11:00:00", &json!({"state": "closed", "recoverySeconds": seconds}))]
}

fn detected(after: &str) -> Vec<Json> {
    let detected = format!("2026-03-10T{after}Z");
    let incident =
        json!({"reference": "I1", "status": "open", "onset": "2026-03-10T10:00:00Z", "detectedAt": detected});
    vec![receipt("incident", "10:30:00", &incident)]
}

fn probes(closed: usize, opened: usize) -> Vec<Json> {
    let mut turns = Vec::new();
    for number in 0..closed + opened {
        let end = if number < closed { "closed" } else { "open" };
        turns.push(receipt("circuit", &format!("11:{number:02}:00"), &json!({"state": "half_open"})));
        turns.push(receipt("circuit", &format!("11:{number:02}:30"), &json!({"state": end})));
    }
    turns.push(receipt("circuit", "11:59:00", &json!({"state": "closed"})));
    turns
}

/// Work orders that take so many seconds.
fn orders(seconds: &[u32]) -> Vec<Json> {
    let step = |reference: &str, status: &str, seconds: u32| {
        let time = format!("{:02}:{:02}:{:02}", 6 + seconds / 3_600, seconds / 60 % 60, seconds % 60);
        receipt("workorder", &time, &json!({"reference": reference, "status": status, "bucket": "cost"}))
    };
    let both = |(place, seconds): (usize, &u32)| {
        let reference = format!("W{place}");
        [step(&reference, "created", 0), step(&reference, "done", *seconds)]
    };
    seconds.iter().enumerate().flat_map(both).collect()
}

fn gates(failed: usize, all: usize) -> Vec<Json> {
    many("gate", all, |number| json!({"gateName": "unit", "pass": number >= failed, "sku": format!("s{number}")}))
}

fn maintenance(late: usize, all: usize) -> Vec<Json> {
    let due = |number| if number < late { "2026-03-10T11:00:00Z" } else { "2026-03-10T11:50:00Z" };
    many("maintenance", all, |number| json!({"done": true, "due": due(number), "component": format!("m{number}")}))
}

/// Each recommendation: what makes it fire, which of these receipts it cites, and what just does not.
type Case = (&'static str, Vec<Json>, Vec<usize>, Vec<Json>);

fn circuit_cases() -> Vec<Case> {
    let opened = receipt("circuit", "11:00:00", &json!({"state": "open"}));
    let half = receipt("circuit", "11:10:00", &json!({"state": "half_open"}));
    vec![
        ("circuit_open", vec![opened.clone()], vec![0], vec![opened, half]),
        ("circuit_open_ratio_goal", circuits(1, 10), vec![0], circuits(1, 20)),
        ("circuit_open_ratio_high", circuits(3, 10), vec![0, 2], circuits(4, 10)),
        ("circuit_open_ratio_critical", circuits(4, 10), vec![0, 3], circuits(3, 10)),
        ("recovery_slow", recovered(61.0), vec![0], recovered(60.0)),
        ("recovery_stalled", recovered(181.0), vec![0], recovered(180.0)),
        (
            "rejection_rate_critical",
            vec![receipt("rejection", "11:00:00", &json!({"count": 15_001}))],
            vec![0],
            vec![receipt("rejection", "11:00:00", &json!({"count": 15_000}))],
        ),
        ("halfopen_success_low", probes(9, 1), vec![1, 19], probes(10, 1)),
    ]
}

fn failure_cases() -> Vec<Case> {
    let health = |time: &str, state: &str| receipt("health", time, &json!({"state": state}));
    vec![
        ("failure_rate_goal", failures(6), vec![1], failures(5)),
        ("failure_rate_elevated", failures(26), vec![1], failures(25)),
        ("failure_rate_high", failures(301), vec![1], failures(300)),
        (
            "new_error_type",
            vec![receipt("failure", "11:00:00", &json!({"failureType": "Timeout"}))],
            vec![0],
            failures(1),
        ),
        (
            "component_unhealthy",
            vec![health("11:59:50", "unhealthy")],
            vec![0],
            vec![health("11:00:00", "unhealthy"), health("11:01:00", "degraded")],
        ),
        // 0.1 % of a day are 86.4 s.
        (
            "uptime_low",
            vec![health("11:00:00", "unhealthy"), health("11:01:27", "healthy")],
            vec![0],
            vec![health("11:00:00", "unhealthy"), health("11:01:26", "healthy")],
        ),
    ]
}

fn andon_cases() -> Vec<Case> {
    let alert = |time: &str, status: &str, severity: &str| {
        receipt("alert", time, &json!({"name": "Down", "status": status, "severity": severity}))
    };
    let pull = |time: &str| {
        receipt(
            "andon",
            time,
            &json!({"status": "opened", "level": "critical", "severity": "critical", "reference": "a"}),
        )
    };
    let names = |count| many("alert", count, |number| json!({"name": format!("A{number}"), "status": "firing"}));
    // Of several alerts and components: all of them are too many together.
    let different = |count| {
        let time = |number: usize| format!("{:02}:{:02}:00", 1 + number / 6, number % 6 * 10);
        let one = |number: usize| {
            let more = json!({"name": format!("A{}", number % 3), "status": "firing", "component": format!("c{}", number % 5)});
            receipt("alert", &time(number), &more)
        };
        (0..count).map(one).collect()
    };
    vec![
        ("alert_frequency_goal", alerts(11), vec![0, 10], alerts(10)),
        ("alert_frequency_high", alerts(26), vec![0, 25], alerts(25)),
        ("alert_spam", alerts(51), vec![0, 50], alerts(50)),
        ("alert_types_high", names(21), vec![0, 20], names(20)),
        ("alert_fatigue", different(50), vec![0, 49], different(49)),
        (
            "critical_alerts_active",
            vec![alert("11:00:00", "firing", "critical")],
            vec![0],
            vec![alert("11:00:00", "firing", "critical"), alert("11:10:00", "resolved", "critical")],
        ),
        ("mttd_slow", detected("10:01:01"), vec![0], detected("10:01:00")),
        ("mttd_critical", detected("10:05:01"), vec![0], detected("10:05:00")),
        // Exactly an hour is not yet too long.
        ("critical_andon_open", vec![pull("10:59:59")], vec![0], vec![pull("11:00:00")]),
        (
            "incident_without_cause",
            vec![receipt("incident", "11:00:00", &json!({"reference": "I1", "status": "resolved"}))],
            vec![0],
            vec![receipt(
                "incident",
                "11:00:00",
                &json!({"reference": "I1", "status": "resolved", "rootCause": "disk"}),
            )],
        ),
    ]
}

fn goal_cases() -> Vec<Case> {
    let before = |good: usize| {
        let mut evaluations = slo(980);
        evaluations.push(receipt(
            "slo",
            "2026-03-05T11:00:00Z",
            &json!({"sloName": "web", "good": good, "total": 1000}),
        ));
        evaluations
    };
    let met = |met: [bool; 4]| {
        let evaluation = |number: usize| json!({"sloName": "web", "good": 99, "total": 100, "met": met[number]});
        many("slo", 4, evaluation)
    };
    let deployments = |failed: usize| {
        let status = |number| if number < failed { "failed" } else { "succeeded" };
        many("deployment", 100, |number| json!({"status": status(number), "version": number.to_string()}))
    };
    vec![
        ("slo_attainment_warning", slo(949), vec![0], slo(950)),
        ("slo_attainment_critical", slo(899), vec![0], slo(900)),
        ("slo_degrading", before(991), vec![1, 0], before(990)),
        ("slo_missed_chronically", met([false, true, false, false]), vec![0, 3], met([false, true, true, false])),
        ("deployment_success_low", deployments(2), vec![0, 1], deployments(1)),
    ]
}

fn flow_cases() -> Vec<Case> {
    let bursts = |count| many("burst", count, |_| json!({"pool": "web", "size": 9}));
    let cost =
        |cost: f64| vec![receipt("scaling", "11:00:00", &json!({"pool": "web", "direction": "up", "cost": cost}))];
    let check = |kind: &str, ok: bool| vec![receipt(kind, "11:00:00", &json!({"ok": ok}))];
    let rises = |minute: u32| {
        let up = |metric: &str, minute: u32| {
            receipt(
                "crossing",
                &format!("11:{minute:02}:00"),
                &json!({"metric": metric, "value": 9, "direction": "up"}),
            )
        };
        vec![up("latency_p99", 0), up("queue_depth", minute)]
    };
    let limit = |severity: &str, status: Option<&str>| {
        let crossing = json!({"metric": "queue_depth", "value": 1250, "threshold": 1000, "direction": "up",
            "reference": "c1", "severity": severity});
        let mut crossings = vec![receipt("crossing", "11:00:00", &crossing)];
        let back = |status| json!({"metric": "queue_depth", "value": 90, "direction": "down", "reference": "c1", "status": status});
        crossings.extend(status.map(|status| receipt("crossing", "11:10:00", &back(status))));
        crossings
    };
    // Ends of crossings are none.
    let with_end = |mut crossings: Vec<Json>| {
        let end =
            json!({"metric": "queue_back", "value": 1, "direction": "up", "status": "recovered", "reference": "c"});
        crossings.push(receipt("crossing", "11:30:05", &end));
        crossings
    };
    let moved = |count: usize| {
        many("crossing", count, |number| json!({"metric": format!("m{number}"), "value": 9, "direction": "up"}))
    };
    let spikes = |count: usize, minutes: usize| {
        let turn = |number: usize| {
            let time = |minute: usize| format!("{:02}:{minute:02}:00", 1 + number);
            let up = json!({"metric": "latency", "value": 9, "direction": "up", "reference": format!("s{number}")});
            let mut back = up.clone();
            back["status"] = json!("recovered");
            [receipt("crossing", &time(0), &up), receipt("crossing", &time(minutes), &back)]
        };
        (0..count).flat_map(turn).collect::<Vec<_>>()
    };
    let lasting = [spikes(2, 15), spikes(3, 16).split_off(4)].concat();
    let turned = |rule: &str| {
        let more = json!({"metric": "latency", "value": 9, "direction": "up", "rule": rule});
        vec![receipt("crossing", "11:00:00", &more)]
    };
    // Nine of ten orders take as long as the second longest.
    let lead = |slow: u32| orders(&[5_000, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000, 5_000, slow, slow + 1]);
    let lead_cited = |place: usize| vec![2 * place + 1];
    vec![
        ("bursts_frequent", bursts(6), vec![0, 5], bursts(5)),
        ("scaling_cost_high", cost(10.5), vec![0], cost(10.0)),
        ("lead_time_breach", lead(6_841), lead_cited(9), lead(6_840)),
        ("lead_time_anomaly", lead(10_001), lead_cited(9), lead(10_000)),
        ("gate_pass_rate_low", gates(2, 30), vec![0, 1], gates(1, 20)),
        ("defect_rate_high", gates(2, 30), vec![0, 1], gates(1, 20)),
        ("maintenance_overdue", maintenance(2, 10), vec![0, 1], maintenance(1, 10)),
        ("backup_failed", check("backup", false), vec![0], check("backup", true)),
        ("validation_failed", check("validation", false), vec![0], check("validation", true)),
        ("worker_saturation", rises(30), vec![0, 1], with_end(rises(31))),
        ("metrics_moved_together", moved(3), vec![0, 2], with_end(moved(2))),
        ("spikes", spikes(3, 15), vec![0, 4], lasting),
        ("trend_reversal", turned("trend reversal: 7d improving, 24h degrading"), vec![0], turned("learned above")),
        ("threshold_crossed_warning", limit("warning", None), vec![0], limit("warning", Some("recovered"))),
        ("threshold_crossed_critical", limit("critical", None), vec![0], limit("critical", Some("settled"))),
    ]
}

fn cases() -> Vec<Case> {
    [circuit_cases(), failure_cases(), andon_cases(), goal_cases(), flow_cases()].concat()
}

const PATH: &str = "/v1/recommendations?budget=10";

fn recommended(naze: &Naze, path: &str) -> Vec<Json> {
    let reply = naze.get(path);
    assert_eq!(reply.status, 200, "{path}: {}", reply.text());
    let json = reply.json();
    assert_eq!(json["failed"], json!([]));
    json["recommendations"].as_array().unwrap().clone()
}

fn ids(recorded: &Json) -> Vec<String> {
    recorded["receipts"].as_array().unwrap().iter().map(|outcome| outcome["id"].as_str().unwrap().to_owned()).collect()
}

/// What to work on first: a promise that is broken, then a queue, then how many alerts there are.
#[test]
fn a_broken_promise_comes_before_a_queue_and_a_queue_before_the_number_of_alerts() {
    let naze = Naze::in_memory();
    let queue = json!({"metric": "queue_depth", "value": 600, "threshold": 500, "direction": "up", "reference": "q",
        "severity": "warning"});
    naze.record(&json!([alerts(11), vec![receipt("crossing", "11:00:00", &queue)], slo(899)].concat()));
    let found = recommended(&naze, PATH);
    let order = ["slo_attainment_critical", "threshold_crossed_warning", "alert_frequency_goal"];
    let told: Vec<_> = found.iter().filter(|one| order.contains(&one["type"].as_str().unwrap())).collect();
    let told: Vec<_> =
        told.iter().map(|one| (one["type"].as_str().unwrap(), one["priority"].as_str().unwrap())).collect();
    assert_eq!(told, [(order[0], "P1"), (order[1], "P2"), (order[2], "P3")], "{found:#?}");
}

#[test]
fn each_fires_on_what_it_is_for_and_not_one_step_below() {
    for (id, fires, cited, silent) in cases() {
        let naze = Naze::in_memory();
        let ids = ids(&naze.record(&json!(fires)));
        let found = recommended(&naze, PATH);
        let of_id: Vec<&Json> = found.iter().filter(|recommendation| recommendation["type"] == id).collect();
        assert_eq!(of_id.len(), 1, "{id} among {found:#?}");
        let expected: Vec<&str> = cited.iter().map(|place| ids[*place].as_str()).collect();
        assert_eq!(of_id[0]["because"], json!(expected), "{id}");
        let shown = naze.get(of_id[0]["show"].as_str().unwrap());
        assert_eq!((shown.status.as_u16(), shown.json()["rows"].as_array().map(Vec::len)), (200, Some(1)), "{id}");
        let naze = Naze::in_memory();
        naze.record(&json!(silent));
        let found = recommended(&naze, PATH);
        assert!(found.iter().all(|recommendation| recommendation["type"] != id), "{id}: {found:#?}");
    }
}

/// Two weeks later the cord is pulled all the same.
#[test]
fn a_cord_is_advised_on_for_as_long_as_it_is_pulled() {
    let naze = Naze::in_memory();
    let andon = |time: &str, status: &str| {
        receipt("andon", time, &json!({"status": status, "level": "critical", "reference": "a"}))
    };
    let is_told = |path: &str| {
        let found = recommended(&naze, path);
        found.iter().any(|one| one["type"] == "critical_andon_open")
    };
    naze.record(&json!([andon("2026-02-24T11:00:00Z", "opened")]));
    assert!(is_told("/v1/recommendations"));
    assert!(!is_told("/v1/recommendations?to=2026-02-24T11:30:00Z"));
    naze.record(&json!([andon("11:00:00", "resolved")]));
    assert!(!is_told("/v1/recommendations"));
    assert!(is_told("/v1/recommendations?to=2026-03-10T10:59:00Z"));
}

/// SPEC §7: every row of §4.1 and §4.2 has a recommendation, and so have the other triggers.
#[test]
fn every_alert_has_a_recommendation_and_every_recommendation_a_case() {
    let catalogue = Catalogue::builtin().unwrap();
    let advised: BTreeSet<&str> =
        catalogue.iter().filter(|query| query.advice.is_some()).map(|query| query.id.as_str()).collect();
    let cases = cases();
    assert_eq!(advised, cases.iter().map(|(id, ..)| *id).chain(measured::ids()).collect());
    let spec = |id: &str| {
        let path = format!("{}/queries/advise/{id}.rq", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(path).unwrap();
        text.lines().find_map(|line| line.strip_prefix("#+ spec: ").map(str::to_owned)).unwrap()
    };
    let specs: BTreeSet<String> = advised.iter().map(|id| spec(id)).collect();
    let by_threshold = measured::rows_by_threshold();
    for row in 1..=52 {
        assert!(specs.contains(&format!("4.1.{row}")) || by_threshold.contains(&row), "4.1.{row}");
    }
    for row in 1..=7 {
        assert!(specs.contains(&format!("4.2.B{row}")), "4.2.B{row}");
    }
    let priority = |id: &str| catalogue.get(id).unwrap().advice.as_ref().unwrap().priority;
    for goal in advised.iter().filter(|id| spec(id) == "7 (goal)") {
        assert_eq!(priority(goal), Priority::P3, "{goal}");
    }
    let runbooks = include_str!("../../docs/runbooks.md");
    for query in catalogue.iter() {
        let Some(advice) = &query.advice else { continue };
        let section = advice.runbook.strip_prefix("docs/runbooks.md#").unwrap();
        assert!(runbooks.contains(&format!("\n## {section}\n")), "{}: {}", query.id, advice.runbook);
    }
}

#[test]
fn nothing_is_recommended_where_nothing_is_wrong() {
    for naze in [Naze::in_memory(), Naze::in_world("quiet")] {
        assert_eq!(
            recommended(&naze, "/v1/recommendations?from=2026-03-03T00:00:00Z&to=2026-03-11T00:00:00Z"),
            Vec::<Json>::new()
        );
        let plain = naze.get_as("/v1/recommendations", "text/plain").text();
        assert_eq!(plain, "Nothing to do: nothing stood out from 2026-03-09 12:00:00Z to 2026-03-10 12:00:00Z.\n");
    }
}

fn of_two_components() -> Naze {
    let naze = Naze::in_memory();
    let mut receipts = slo(949);
    receipts.extend(failures(26));
    receipts.push(receipt("circuit", "11:00:00", &json!({"state": "open", "component": "payment"})));
    receipts.push(receipt("validation", "11:00:00", &json!({"ok": false, "component": "orders"})));
    naze.record(&json!(receipts));
    naze
}

#[test]
fn urgent_comes_first_then_what_brings_most_for_its_effort() {
    let naze = of_two_components();
    let found = recommended(&naze, "/v1/recommendations");
    let order: Vec<(&str, &str)> = found
        .iter()
        .map(|recommendation| (recommendation["priority"].as_str().unwrap(), recommendation["type"].as_str().unwrap()))
        .collect();
    let expected = [
        // 80 % in half a day, 40 % in two hours, 80 % in a day.
        ("P1", "circuit_open"),
        ("P1", "validation_failed"),
        ("P1", "circuit_open_ratio_critical"),
        // 30 % in two hours; 20 % in half a day.
        ("P2", "failure_rate_elevated"),
        ("P2", "slo_attainment_warning"),
    ];
    assert_eq!(order, expected);
    let mut first = found[3].clone();
    let because = first["because"].take();
    assert_eq!(because.as_array().unwrap().len(), 1);
    assert_eq!(
        first,
        json!({
            "priority": "P2", "type": "failure_rate_elevated", "title": "It fails often", "component": "checkout",
            "action": "inspect the failure types",
            "reason": "failures per minute over five minutes: 5.2, limit 5",
            "found": {"value": 5.2, "threshold": 5}, "because": null,
            "show": "/v1/queries/failure_rate_elevated?from=2026-03-09T12%3A00%3A00Z&to=2026-03-10T12%3A00%3A00Z",
            "runbook": "docs/runbooks.md#failures", "effort": "S", "impact": "fewer failures", "impactPercent": 30
        })
    );
    let text = naze.get_as("/v1/recommendations", "text/plain").text();
    assert!(
        text.contains("\n[P2] It fails often (checkout) - inspect the failure types\n     failures per minute"),
        "{text}"
    );
    let csv = naze.get_as("/v1/recommendations", "text/csv").text();
    assert!(csv.contains("P2,slo_attainment_warning,A goal is missed,,"), "{csv}");
    assert!(naze.get_as("/v1/recommendations", "text/markdown").text().starts_with("# What to do, from 2026"));
    assert_eq!(naze.get_as("/v1/recommendations", "image/png").status, 406);
    assert_eq!(naze.get("/v1/recommendations").body, naze.get("/v1/recommendations").body);
}

#[test]
fn a_component_a_window_and_thresholds_may_be_given() {
    let naze = of_two_components();
    let types = |path: &str| -> Vec<String> {
        recommended(&naze, path).iter().map(|one| one["type"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(types("/v1/recommendations?component=payment"), ["circuit_open"]);
    assert_eq!(types("/v1/recommendations?to=2026-03-10T11:00:00Z"), Vec::<String>::new());
    assert_eq!(types("/v1/recommendations?component=checkout&below=0.949"), ["failure_rate_elevated"]);
    let detail = |path: &str| {
        let reply = naze.get(path);
        assert_eq!(reply.status, 400, "{path}");
        format!("{} | {}", reply.json()["detail"].as_str().unwrap(), reply.json()["hints"][0].as_str().unwrap())
    };
    assert_eq!(
        detail("/v1/recommendations?componnt=x"),
        "no recommendation has a parameter componnt | did you mean component?"
    );
    assert!(detail("/v1/recommendations?budget=much").starts_with("budget=\"much\" is not a number | "));
    assert!(detail("/v1/recommendations?from=now&to=-1h").starts_with("from (2026-03-10T12:00:00Z) is not before"));
}

/// The query that the documentation shows: it says something whenever a note was taken.
fn shown() -> &'static str {
    include_str!("../../docs/queries.md").split("```sparql\n").nth(1).unwrap().split("```").next().unwrap()
}

/// The same without its advice.
fn without_advice() -> String {
    let keys = ["priority", "action", "runbook", "effort", "impact"];
    let is_advice = |line: &&str| keys.iter().any(|key| line.starts_with(&format!("#+ {key}:")));
    shown().lines().filter(|line| !is_advice(line)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn recommendations_of_ones_own_are_taken_from_a_folder() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.rq");
    let config = Config { queries: Some(folder.path().to_owned()), ..Config::in_memory() };
    std::fs::write(&file, shown()).unwrap();
    let naze = Naze::with(config.clone());
    let note = receipt("note", "11:00:00", &json!({"message": "hm"}));
    let id = ids(&naze.record(&json!([note])))[0].clone();
    let found = recommended(&naze, "/v1/recommendations");
    assert_eq!(found.len(), 1);
    assert_eq!(
        (&found[0]["type"], &found[0]["action"], &found[0]["because"]),
        (&json!("notes"), &json!("read it"), &json!([id]))
    );
    std::fs::write(&file, without_advice()).unwrap();
    let naze = Naze::with(config.clone());
    naze.record(&json!([note]));
    assert_eq!(
        recommended(&naze, "/v1/recommendations"),
        Vec::<Json>::new(),
        "a query without advice recommends nothing"
    );
    for (wrong, named) in [
        (shown().replace("P3", "P4"), "\"P4\" is no priority: use P1, P2 or P3"),
        (shown().replace(": S\n", ": XL\n"), "\"XL\" is no effort"),
        (shown().replace("10 fewer", "110 fewer"), "\"110\" is no percentage from 1 to 100"),
        (shown().replace("#+ action: read it\n", ""), "the header has no #+ action:"),
        ("#+ priority: P2\n".to_owned() + shown(), "#+ priority: stands there twice"),
    ] {
        std::fs::write(&file, wrong).unwrap();
        let error = naze::engine::Engine::open(config.clone(), naze::clock::Clock::System).err().unwrap().to_string();
        assert!(error.contains("notes.rq") && error.contains(named), "{error}");
    }
}

#[test]
fn a_recommendation_that_cannot_be_answered_costs_only_itself() {
    let folder = tempfile::tempdir().unwrap();
    let broken = shown().replace("#+ id: notes", "#+ id: broken");
    let broken = broken.replace("FILTER(", "FILTER(naze:mean(\"latency\") > 1 && ");
    std::fs::write(folder.path().join("broken.rq"), broken).unwrap();
    std::fs::write(folder.path().join("notes.rq"), shown()).unwrap();
    let naze = Naze::with(Config { queries: Some(folder.path().to_owned()), ..Config::in_memory() });
    naze.record(&json!([receipt("note", "11:00:00", &json!({"message": "hm"}))]));
    let reply = naze.get("/v1/recommendations");
    assert_eq!(reply.status, 200, "{}", reply.text());
    let told = reply.json();
    assert_eq!(
        (told["recommendations"][0]["type"].as_str(), &told["failed"][0]["query"]),
        (Some("notes"), &json!("broken"))
    );
    let problem = told["failed"][0]["problem"].as_str().unwrap();
    assert!(problem.contains("naze:mean takes 4 arguments, 1 were given"), "{problem}");
}

#[test]
fn the_command_line_says_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data").display().to_string();
    let file = folder.path().join("receipts.json");
    std::fs::write(&file, json!([receipt("circuit", "11:00:00", &json!({"state": "open"}))]).to_string()).unwrap();
    assert_eq!(naze(&["record", "--data", &data, &file.display().to_string()]).status.code(), Some(0));
    let window = ["--from", "2026-03-10T00:00:00Z", "--to", "2026-03-10T12:00:00Z", "--component", CHECKOUT];
    let told = naze(&[&["advise", "--data", &data], &window[..]].concat());
    assert_eq!(told.status.code(), Some(0), "{}", text(&told.stderr));
    let told = text(&told.stdout);
    assert!(told.starts_with("[P1] A circuit is open (checkout) - fix the component, then resume\n"), "{told}");
    let wrong = naze(&["advise", "--data", &data, "budget"]);
    assert_eq!((wrong.status.code(), text(&wrong.stderr).contains("\"budget\" is no parameter")), (Some(2), true));
}
