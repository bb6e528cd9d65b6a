//! Metrics of a user's own: what is said of them is heeded by trends, pages, `/metrics`, crossings, and the doctor.

use std::fmt::Write as _;
use std::process::Command;

use axum::body::Body;
use axum::http::Request;
use naze::config::Config;
use naze::record::Window;
use serde_json::{Value as Json, json};

use crate::common::{NOW, Naze, Reply};

const WAITING: &str = r#"{"unit": "{orders}", "polarity": "lower", "description": "Orders that wait for a picker",
    "component": "warehouse", "principle": "kanban", "warning": "> 80", "for": "0s"}"#;

fn put(naze: &Naze, path: &str, document: &str) -> Reply {
    naze.send(Request::put(path).body(Body::from(document.to_owned())).unwrap())
}

/// Two hours of minutes in which it rises from 10 to 129.
fn rising(metric: &str, unit: Option<&str>) -> String {
    let now: chrono::DateTime<chrono::Utc> = NOW.parse().unwrap();
    let mut lines = String::new();
    for minute in 0..120 {
        let at = now - chrono::TimeDelta::minutes(120 - minute);
        let mut one = json!({"kind": "measurement", "occurredAt": at.to_rfc3339(), "metric": metric, "value": 10 + minute, "component": "warehouse"});
        if let Some(unit) = unit {
            one["unit"] = json!(unit);
        }
        writeln!(lines, "{one}").unwrap();
    }
    lines
}

fn feed(naze: &Naze, lines: String) {
    let reply = naze.post("/v1/receipts", "application/x-ndjson", lines);
    assert!(reply.status.is_success(), "{}", reply.text());
}

/// As a naze took it that did not know the name yet.
#[test]
fn a_metric_that_naze_itself_came_to_know_keeps_nothing_from_starting() {
    let folder = tempfile::tempdir().unwrap();
    let declared = folder.path().join("declared/metrics");
    std::fs::create_dir_all(&declared).unwrap();
    let document = WAITING.replacen('{', "{\"name\": \"queue_depth\",", 1);
    std::fs::write(declared.join("queue_depth"), &document).unwrap();
    std::fs::write(declared.join("orders_waiting"), WAITING).unwrap();
    let naze = Naze::with(Config::with_data(folder.path()));
    let watching = naze.engine.watching();
    assert_eq!(watching.metrics.keys().collect::<Vec<_>>(), ["orders_waiting"]);
    let doctor = naze.get("/v1/doctor").text();
    assert!(doctor.contains("queue_depth: it was declared, and is left out"), "{doctor}");
    // It is still refused, keeps no other from being declared, and can be taken back.
    let refused = put(&naze, "/v1/metrics/queue_depth", WAITING);
    assert!(refused.status == 400 && refused.text().contains("knows already"), "{}", refused.text());
    assert_eq!(put(&naze, "/v1/metrics/orders_late", WAITING).status, 201);
    let delete = || naze.send(Request::delete("/v1/metrics/queue_depth").body(Body::empty()).unwrap()).status;
    assert!(delete().is_success());
    assert_eq!(delete(), 404);
    assert!(!declared.join("queue_depth").exists() && naze.engine.left_out().is_empty());
}

/// What the trend over an hour is called.
fn direction(naze: &Naze, path: &str) -> Json {
    naze.get(path).json()["trends"][0]["trend"]["windows"][0]["verdict"]["direction"].clone()
}

#[test]
fn what_is_said_of_a_metric_counts_from_then_on() {
    let naze = Naze::in_memory();
    feed(&naze, rising("orders_waiting", None));
    assert_eq!(direction(&naze, "/v1/trends/orders_waiting"), "rising", "nobody said which way is good");
    assert!(!naze.get("/metrics").text().contains("orders_waiting"));

    let reply = put(&naze, "/v1/metrics/orders_waiting?actor=mia", WAITING);
    assert_eq!(reply.status, 201, "{}", reply.text());
    assert_eq!(direction(&naze, "/v1/trends/orders_waiting"), "degrading");
    assert_eq!(direction(&naze, "/v1/trends/orders_waiting?polarity=higher"), "improving", "what is asked goes before");
    assert_eq!(naze.get("/v1/series?metric=orders_waiting").json()["series"][0]["unit"], "{orders}");
    let page = naze.get("/trends?metric=orders_waiting").text();
    assert!(page.contains("Orders that wait for a picker; in {orders}; lower is better; kanban"), "{page}");
    assert!(page.contains(">degrading<"), "{page}");
    let exposed = naze.get("/metrics").text();
    for line in [
        "# HELP orders_waiting Orders that wait for a picker; in {orders}, lower is better\n",
        "# TYPE orders_waiting gauge\n",
        "\norders_waiting{component=\"warehouse\",source=\"naze\"} 129\n",
    ] {
        assert!(exposed.contains(line), "{line}{exposed}");
    }
    let listed = naze.get("/v1/metrics").json();
    assert_eq!(listed["doubts"], json!([]));
    assert_eq!(
        listed["metrics"],
        json!([{
            "name": "orders_waiting", "description": "Orders that wait for a picker", "unit": "{orders}", "polarity": "lower",
            "kind": "gauge", "component": "warehouse", "principle": "kanban", "threshold": "orders_waiting warning > 80 for 0s",
            "origin": "declared", "series": 1,
        }])
    );

    // Its limit is a threshold, and a crossing tells the unit.
    while naze.engine.watch_series(NOW.parse().unwrap()).unwrap() {}
    let crossings = naze.engine.index().of_kind("crossing", Window::ALL).unwrap();
    let told = |field: &str| crossings.iter().filter_map(|one| one.receipt.text(field)).collect::<Vec<_>>();
    assert_eq!(told("rule"), ["orders_waiting warning > 80 for 0s"]);
    assert_eq!(told("unit"), ["{orders}"]);

    // Who changed it is a receipt.
    let changes = naze.engine.index().of_kind("change", Window::ALL).unwrap();
    let change = changes.iter().find(|one| one.receipt.text("key") == Some("metrics/orders_waiting")).unwrap();
    assert_eq!(change.receipt.text("actor"), Some("mia"));
    let said = "orders_waiting in {orders}, lower is better; orders_waiting warning > 80 for 0s";
    assert_eq!(change.receipt.text("to"), Some(said));
    let withdrawn = naze.send(Request::delete("/v1/metrics/orders_waiting").body(Body::empty()).unwrap());
    assert_eq!(withdrawn.status, 204);
    assert_eq!(direction(&naze, "/v1/trends/orders_waiting"), "rising");
}

#[test]
fn samples_that_say_little_are_read_as_was_said_of_them() {
    let naze = Naze::in_memory();
    let counter = r#"{"unit": "1", "polarity": "higher", "kind": "counter", "component": "warehouse"}"#;
    assert_eq!(put(&naze, "/v1/metrics/parcels_sent", counter).status, 201);
    let spread = r#"{"unit": "ms", "polarity": "lower", "kind": "histogram", "buckets": [10, 100]}"#;
    assert_eq!(put(&naze, "/v1/metrics/pick_time", spread).status, 201);
    let at = |minute: i64| {
        (NOW.parse::<chrono::DateTime<chrono::Utc>>().unwrap() - chrono::TimeDelta::minutes(minute)).to_rfc3339()
    };
    let csv = format!("time,metric,value\n{},parcels_sent,100\n{},parcels_sent,130\n", at(3), at(2));
    let reply = naze.post("/v1/measurements", "text/csv", csv);
    assert!(reply.status.is_success(), "{}", reply.text());
    let csv = format!(
        "time,component,metric,value,kind\n{},packing,pick_time,5,histogram\n{},packing,pick_time,50,histogram\n",
        at(3),
        at(2)
    );
    let reply = naze.post("/v1/measurements", "text/csv", csv);
    assert!(reply.status.is_success(), "{}", reply.text());
    let series = naze.get("/v1/series?metric=parcels_sent").json()["series"][0].clone();
    assert_eq!((&series["kind"], &series["component"]), (&json!("counter"), &json!("warehouse")), "{series}");
    let exposed = naze.get("/metrics").text();
    for line in [
        "# TYPE parcels_sent counter\n",
        "\nparcels_sent{component=\"warehouse\",source=\"naze\"} 130\n",
        "# TYPE pick_time histogram\n",
        "\npick_time_bucket{component=\"packing\",source=\"naze\",le=\"10\"} 1\n",
        "\npick_time_bucket{component=\"packing\",source=\"naze\",le=\"+Inf\"} 2\n",
    ] {
        assert!(exposed.contains(line), "{line}{exposed}");
    }
}

#[test]
fn what_cannot_be_is_refused_with_the_fix() {
    let naze = Naze::in_memory();
    for (name, document, fault) in [
        ("a", r#"{"polarity": "lower"}"#, "missing field `unit`"),
        ("a", r#"{"unit": "s"}"#, "missing field `polarity`"),
        (
            "a",
            r#"{"unit": "milliseconds", "polarity": "lower"}"#,
            "unit = \"milliseconds\" of a is unknown: write \"ms\"",
        ),
        (
            "a",
            r#"{"unit": "parsecs", "polarity": "lower"}"#,
            "unit = \"parsecs\" of a is unknown: write one of UCUM such as s",
        ),
        ("a", r#"{"unit": "s", "polarity": "down"}"#, "polarity = \"down\" of a is unknown: write lower or higher"),
        (
            "a",
            r#"{"unit": "s", "polarity": "lower", "kind": "meter"}"#,
            "kind = \"meter\" of a is unknown: write gauge, counter",
        ),
        ("a", r#"{"unit": "s", "polarity": "lower", "warning": "< 5"}"#, "is on the good side: lower is better"),
        ("a", r#"{"unit": "s", "polarity": "lower", "warning": "many"}"#, "\"many\" is no limit"),
        (
            "a",
            r#"{"unit": "s", "polarity": "lower", "principle": "zen"}"#,
            "principle = \"zen\" of a is unknown: known are jidoka",
        ),
        ("a", r#"{"unit": "s", "polarity": "lower", "colour": "red"}"#, "unknown field `colour`"),
        (
            "a",
            r#"{"unit": "s", "polarity": "lower", "buckets": [2, 1]}"#,
            "buckets of a have to be 1 to 50 rising numbers",
        ),
        ("a", r#"{"name": "b", "unit": "s", "polarity": "lower"}"#, "its name has to be \"a\", not \"b\""),
        ("a-b", r#"{"unit": "s", "polarity": "lower"}"#, "name = \"a-b\" names no metric"),
        ("naze_up", r#"{"unit": "s", "polarity": "lower"}"#, "is naze's own"),
        ("naze.up", r#"{"unit": "s", "polarity": "lower"}"#, "is naze's own"),
        ("tps_kanban_queue_depth", r#"{"unit": "1", "polarity": "lower"}"#, "is a metric that naze knows already"),
        (
            "tps.jidoka.failure_rate",
            r#"{"unit": "1", "polarity": "lower"}"#,
            "naze knows already, as tps_jidoka_failure_rate at /metrics",
        ),
        (
            "tps_kanban_latency.seconds_count",
            r#"{"unit": "1", "polarity": "lower"}"#,
            "naze knows already, as tps_kanban_latency_seconds_count at /metrics",
        ),
    ] {
        let reply = put(&naze, &format!("/v1/metrics/{name}"), document);
        assert_eq!(reply.status, 400, "{document}: {}", reply.text());
        assert!(reply.json()["detail"].as_str().unwrap().contains(fault), "{fault}: {}", reply.text());
    }
    assert_eq!(naze.get("/v1/metrics").json()["metrics"], json!([]));
}

/// Names of samples of one's own may be long, and of a recording rule.
#[test]
fn one_name_at_metrics_is_of_one_metric() {
    let naze = Naze::in_memory();
    let gauge = r#"{"unit": "1", "polarity": "lower"}"#;
    let spread = r#"{"unit": "s", "polarity": "lower", "kind": "histogram"}"#;
    let long = format!("job:{}", "x".repeat(196));
    for (name, document) in [("orders.waiting", gauge), ("pick_count", gauge), ("wait", spread), (&long, gauge)] {
        let reply = put(&naze, &format!("/v1/metrics/{name}"), document);
        assert_eq!(reply.status, 201, "{name}: {}", reply.text());
    }
    for (name, document, fault) in [
        (
            "orders_waiting",
            gauge,
            "name = \"orders_waiting\" and name = \"orders.waiting\" would both be orders_waiting",
        ),
        ("pick", spread, "name = \"pick_count\" and name = \"pick\" would both be pick_count"),
        ("wait_sum", gauge, "name = \"wait_sum\" and name = \"wait\" would both be wait_sum"),
        ("wait.bucket", gauge, "name = \"wait.bucket\" and name = \"wait\" would both be wait_bucket"),
        (&format!("{long}x"), gauge, "names no metric: write up to 200 letters"),
    ] {
        let reply = put(&naze, &format!("/v1/metrics/{name}"), document);
        assert_eq!(reply.status, 400, "{name}: {}", reply.text());
        assert!(reply.json()["detail"].as_str().unwrap().contains(fault), "{fault}: {}", reply.text());
    }
}

#[test]
fn what_is_doubtful_is_told_when_it_is_declared_and_by_the_doctor() {
    let naze = Naze::in_memory();
    let of = |reply: &Reply| reply.json()["doubts"][0]["problem"].as_str().unwrap_or_default().to_owned();
    let unheard = put(&naze, "/v1/metrics/unheard", r#"{"unit": "s", "polarity": "lower"}"#);
    assert_eq!(of(&unheard), "no series is named unheard");
    feed(&naze, rising("wait", Some("ms")));
    let wait = put(&naze, "/v1/metrics/wait", r#"{"unit": "s", "polarity": "lower"}"#);
    assert_eq!(of(&wait), "its series say that they are in ms, not in s");
    feed(&naze, rising("depth", None));
    let depth = put(&naze, "/v1/metrics/depth", r#"{"unit": "1", "polarity": "lower", "kind": "histogram"}"#);
    assert_eq!(of(&depth), "it is sent as gauge, which is not histogram");
    let findings = naze.get("/v1/doctor").json()["findings"].as_array().unwrap().clone();
    let doubted = findings.iter().filter(|one| one["check"] == "own metrics" && one["status"] == "warn");
    assert_eq!(doubted.count(), 3, "{findings:#?}");
}

#[test]
fn the_configuration_has_them_and_a_reload_takes_them_over() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("naze.toml");
    let one = "[[metrics.own]]\nname = \"orders_waiting\"\nunit = \"1\"\npolarity = \"higher\"\n";
    std::fs::write(&file, one).unwrap();
    let naze = Naze::with(Config { data: None, ..Config::read(&file).unwrap() });
    feed(&naze, rising("orders_waiting", None));
    assert_eq!(direction(&naze, "/v1/trends/orders_waiting"), "improving");
    assert_eq!(naze.get("/v1/metrics").json()["metrics"][0]["origin"], "configuration");
    std::fs::write(&file, one.replace("higher", "lower")).unwrap();
    assert_eq!(naze.post("/-/reload", "text/plain", "").status, 204);
    assert_eq!(direction(&naze, "/v1/trends/orders_waiting"), "degrading");
    std::fs::write(&file, one.repeat(2)).unwrap();
    let twice = naze.post("/-/reload", "text/plain", "");
    assert!(twice.text().contains("metrics.own has orders_waiting twice"), "{}", twice.text());
    std::fs::write(&file, one.replace("\"1\"", "\"count\"")).unwrap();
    let wrong = Config::read(&file).unwrap_err().in_a_line();
    assert!(wrong.contains("unit = \"count\" of orders_waiting is unknown: write \"1\""), "{wrong}");
}

#[test]
fn the_command_line_declares_and_lists_them() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("waiting.json"), WAITING).unwrap();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_naze"))
            .args(arguments)
            .args(["--data", "data"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
    };
    let (code, told) = run(&["declare", "metric", "orders_waiting", "waiting.json"]);
    assert_eq!(code, Some(0), "{told}");
    assert!(told.contains("doubtful: orders_waiting: no series is named orders_waiting"), "{told}");
    let (code, table) = run(&["metrics"]);
    assert_eq!(code, Some(0), "{table}");
    let row = table.lines().find(|line| line.contains("| orders_waiting ")).unwrap_or_else(|| panic!("{table}"));
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    assert_eq!(cells[1..6], ["orders_waiting", "{orders}", "lower", "gauge", "kanban"], "{table}");
}
