//! What naze watches for is changed while it runs: over HTTP, by its configuration, and by nobody by accident.

use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use naze::clock::Timestamp;
use naze::config::Config;
use naze::record::Window;
use serde_json::{Value as Json, json};

use crate::common::{LOOPBACK, NOW, Naze, Reply, serve};

const DEPTH: &str = r#"{"metric": "queue_depth", "component": "orders", "warning": "> 100", "for": "0s"}"#;

fn put(naze: &Naze, path: &str, document: &str) -> Reply {
    naze.send(Request::put(path).body(Body::from(document.to_owned())).unwrap())
}

fn delete(naze: &Naze, path: &str) -> Reply {
    naze.send(Request::delete(path).body(Body::empty()).unwrap())
}

fn own(config: Config) -> Config {
    Config { default_thresholds: false, ..config }
}

/// The minutes before [`NOW`] at which `orders` had these depths, all of them looked at.
fn feed(naze: &Naze, depths: &[(u32, f64)]) {
    let now: Timestamp = NOW.parse().unwrap();
    let mut csv = "time,component,metric,value\n".to_owned();
    for (ago, depth) in depths {
        let at = now.checked_add(-chrono::TimeDelta::minutes((*ago).into())).unwrap();
        writeln!(csv, "{at},orders,queue_depth,{depth}").unwrap();
    }
    let reply = naze.post("/v1/measurements", "text/csv", csv);
    assert_eq!(reply.status, 201, "{}", reply.text());
    while naze.engine.watch_series(now).unwrap() {}
}

/// Rule and value of each crossing, in order of time.
fn crossings(naze: &Naze) -> Vec<(String, f64)> {
    let all = naze.engine.index().of_kind("crossing", Window::ALL).unwrap();
    let tell =
        |receipt: &naze::receipt::Receipt| (receipt.text("rule").unwrap().to_owned(), receipt.number("value").unwrap());
    all.iter().map(|recorded| tell(&recorded.receipt)).collect()
}

fn thresholds(naze: &Naze) -> Vec<[Json; 3]> {
    let listed = naze.get("/v1/thresholds").json();
    let told = |threshold: &Json| ["name", "origin", "rule"].map(|member| threshold[member].clone());
    listed["thresholds"].as_array().unwrap().iter().map(told).collect()
}

fn objective(name: &str, target: &str) -> String {
    format!(
        "apiVersion: openslo/v1
kind: SLO
metadata: {{name: {name}}}
spec:
  service: orders
  budgetingMethod: Occurrences
  timeWindow: [{{duration: 1d, isRolling: true}}]
  indicator:
    spec: {{thresholdMetric: {{metricSource: {{type: naze, spec: {{metric: queue_depth, component: orders}}}}}}}}
  objectives: [{{op: lte, value: 50, target: {target}}}]
"
    )
}

#[test]
fn a_declared_threshold_counts_from_then_on_and_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let rule = "queue_depth{component=~\"orders\"} warning > 100 for 0s";
    {
        let naze = Naze::with(own(Config::with_data(folder.path())));
        feed(&naze, &[(20, 150.0), (19, 50.0)]);
        assert_eq!(crossings(&naze), []);
        assert_eq!(put(&naze, "/v1/thresholds/depth?actor=mia", DEPTH).status, 201);
        assert_eq!(put(&naze, "/v1/thresholds/depth?actor=mia", DEPTH).status, 204, "it is there already");
        feed(&naze, &[(15, 160.0)]);
        assert_eq!(crossings(&naze), [(rule.to_owned(), 160.0)]);
        assert_eq!(thresholds(&naze), [[json!("depth"), json!("declared"), json!(rule)]]);
    }
    let naze = Naze::with(own(Config::with_data(folder.path())));
    assert_eq!(thresholds(&naze), [[json!("depth"), json!("declared"), json!(rule)]]);
    feed(&naze, &[(14, 50.0), (13, 170.0)]);
    assert_eq!(crossings(&naze).len(), 3, "crossed, recovered, crossed: {:?}", crossings(&naze));
}

#[test]
fn who_changed_what_is_watched_for_is_a_receipt_with_the_document() {
    let naze = Naze::with(own(Config::in_memory()));
    put(&naze, "/v1/thresholds/depth?actor=mia", DEPTH);
    put(&naze, "/v1/thresholds/depth?actor=mia", DEPTH);
    put(&naze, "/v1/thresholds/depth", &DEPTH.replace("100", "200"));
    assert_eq!(delete(&naze, "/v1/thresholds/depth?actor=ola").status, 204);
    let changes = naze.engine.index().of_kind("change", Window::ALL).unwrap();
    let told = |recorded: &naze::record::Recorded| {
        ["key", "from", "to", "actor"].map(|field| recorded.receipt.text(field).unwrap_or("-").to_owned())
    };
    let rule = |limit: u32| format!("queue_depth{{component=~\"orders\"}} warning > {limit} for 0s");
    let mut all: Vec<[String; 4]> = changes.iter().map(told).collect();
    all.sort();
    let key = || "thresholds/depth".to_owned();
    assert_eq!(
        all,
        [
            [key(), "-".to_owned(), rule(100), "mia".to_owned()],
            [key(), rule(100), rule(200), "-".to_owned()],
            [key(), rule(200), "-".to_owned(), "ola".to_owned()],
        ]
    );
    let first = changes.iter().find(|change| told(change)[1] == "-").unwrap();
    assert_eq!(naze.get(&format!("/v1/receipts/{}/source", first.id)).text(), DEPTH);
}

#[test]
fn what_was_declared_goes_before_the_configuration() {
    let naze = Naze::with(Config::in_memory());
    assert_eq!(put(&naze, "/v1/thresholds/depth", DEPTH).status, 201);
    feed(&naze, &[(20, 150.0)]);
    let listed = naze.get("/v1/thresholds?metric=queue_depth").json();
    assert_eq!(listed["series"][0]["thresholds"], json!(["queue_depth{component=~\"orders\"} warning > 100 for 0s"]));
    assert_eq!(delete(&naze, "/v1/thresholds/depth").status, 204);
    let listed = naze.get("/v1/thresholds?metric=queue_depth").json();
    let shipped = listed["series"][0]["thresholds"][0].as_str().unwrap();
    assert!(shipped.contains("warning >= 500 critical > 1000"), "{shipped}");
    assert_eq!(delete(&naze, "/v1/thresholds/depth").status, 404);
}

#[test]
fn a_wrong_threshold_is_refused_with_field_and_fix_and_changes_nothing() {
    let naze = Naze::with(own(Config::in_memory()));
    put(&naze, "/v1/thresholds/depth", DEPTH);
    for (path, document, told) in [
        ("depth", r#"{"metric": "queue_depth", "warnin": "> 5"}"#, "unknown field `warnin`, expected one of"),
        ("depth", r#"{"metric": "queue_depth", "warning": "more"}"#, "\"more\""),
        ("depth", "{", "EOF while parsing"),
        (".hidden", DEPTH, "the name \".hidden\" cannot be used"),
        ("a%2Fb", DEPTH, "the name \"a/b\" cannot be used"),
        ("depth?acter=mia", DEPTH, "acter"),
    ] {
        let reply = put(&naze, &format!("/v1/thresholds/{path}"), document);
        assert_eq!(reply.status, 400, "{path} {document}: {}", reply.text());
        let problem = reply.json();
        assert!(problem["detail"].as_str().unwrap().contains(told), "{told}: {problem}");
        assert!(!problem["hints"][0].as_str().unwrap().is_empty(), "{problem}");
    }
    let large = format!("{DEPTH}{}", " ".repeat(64 << 10));
    assert_eq!(put(&naze, "/v1/thresholds/depth", &large).status, 413);
    assert_eq!(thresholds(&naze).len(), 1);
    assert_eq!(naze.engine.index().of_kind("change", Window::ALL).unwrap().len(), 1);
}

#[test]
fn an_slo_is_declared_under_its_own_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a.yaml"), objective("in-a-file", "0.5")).unwrap();
    let naze = Naze::with(Config { slos: Some(folder.path().to_owned()), ..Config::in_memory() });
    feed(&naze, &[(4, 60.0), (3, 40.0), (2, 40.0), (1, 40.0)]);
    assert_eq!(put(&naze, "/v1/slos/depth", &objective("depth", "0.7")).status, 201);
    let slo = |name: &str| naze.get(&format!("/v1/slos/{name}")).json();
    assert_eq!(slo("depth")["slo"]["objectives"][0]["attainment"], 0.75);
    assert_eq!(slo("depth")["slo"]["objectives"][0]["state"], "met");
    assert_eq!(put(&naze, "/v1/slos/depth", &objective("depth", "0.8")).status, 204);
    assert_eq!(slo("depth")["slo"]["objectives"][0]["state"], "missed");

    let other = put(&naze, "/v1/slos/depth", &objective("width", "0.8"));
    assert_eq!(other.status, 400);
    assert!(other.text().contains("metadata.name has to be \\\"depth\\\", not \\\"width\\\""), "{}", other.text());
    let taken = put(&naze, "/v1/slos/in-a-file", &objective("in-a-file", "0.8"));
    assert_eq!(taken.status, 409, "{}", taken.text());
    assert!(taken.text().contains("a.yaml"), "{}", taken.text());
    assert_eq!(delete(&naze, "/v1/slos/in-a-file").status, 404);
    assert_eq!(delete(&naze, "/v1/slos/depth").status, 204);
    assert_eq!(naze.get("/v1/slos/depth").status, 404);
    assert_eq!(naze.get("/v1/slos/in-a-file").status, 200);
}

#[test]
fn what_was_declared_is_told_at_once_though_answers_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    // So many that their answer costs something: it is then kept for as long as the configuration says.
    for number in 0..60 {
        let name = format!("kept-{number}");
        std::fs::write(folder.path().join(format!("{name}.yaml")), objective(&name, "0.5")).unwrap();
    }
    let kept = Config::in_memory();
    let metrics = naze::config::Metrics { cache_seconds: 3_600, ..naze::config::Metrics::default() };
    let naze = Naze::with(Config { slos: Some(folder.path().to_owned()), metrics, ..kept });
    feed(&naze, &[(4, 60.0), (3, 40.0), (2, 40.0), (1, 40.0)]);
    let target = || {
        let all = naze.get("/v1/slos").json();
        let slos = all["slos"].as_array().unwrap();
        let declared = slos.iter().find(|slo| slo["name"] == "declared");
        declared.map(|slo| slo["objectives"][0]["target"].clone())
    };
    assert_eq!(target(), None);
    assert_eq!(put(&naze, "/v1/slos/declared", &objective("declared", "0.7")).status, 201);
    assert_eq!(target(), Some(json!(0.7)));
    assert_eq!(put(&naze, "/v1/slos/declared", &objective("declared", "0.8")).status, 204);
    assert_eq!(target(), Some(json!(0.8)));
    assert_eq!(delete(&naze, "/v1/slos/declared").status, 204);
    assert_eq!(target(), None);
    std::fs::write(folder.path().join("later.yaml"), objective("later", "0.5")).unwrap();
    naze.engine.reload().unwrap();
    assert_eq!(naze.get("/v1/slos/later").status, 200);
}

fn configured(folder: &Path, toml: &str) -> Config {
    let path = folder.join("naze.toml");
    std::fs::write(&path, toml).unwrap();
    Config::read(&path).unwrap()
}

#[test]
fn a_reload_takes_over_thresholds_and_objectives_or_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let slos = folder.path().join("slos");
    std::fs::create_dir(&slos).unwrap();
    let config = |limit: u32| {
        format!(
            "default_thresholds = false\nslos = \"{}\"\n[[thresholds]]\nmetric = \"queue_depth\"\nwarning = \"> {limit}\"\n",
            slos.display()
        )
    };
    let naze = Naze::with(configured(folder.path(), &config(100)));
    put(&naze, "/v1/thresholds/depth", DEPTH);
    let rules = |naze: &Naze| thresholds(naze).into_iter().map(|[_, _, rule]| rule).collect::<Vec<_>>();
    let declared = json!("queue_depth{component=~\"orders\"} warning > 100 for 0s");
    assert_eq!(rules(&naze), [declared.clone(), json!("queue_depth warning > 100 for 5m")]);

    std::fs::write(folder.path().join("naze.toml"), config(300)).unwrap();
    std::fs::write(slos.join("depth.yaml"), objective("depth", "0.5")).unwrap();
    assert_eq!(naze.post("/-/reload", "text/plain", "").status, 204);
    assert_eq!(rules(&naze), [declared.clone(), json!("queue_depth warning > 300 for 5m")]);
    assert_eq!(naze.get("/v1/slos/depth").status, 200);

    std::fs::write(folder.path().join("naze.toml"), config(400)).unwrap();
    std::fs::write(slos.join("broken.yaml"), objective("broken", "7")).unwrap();
    let refused = naze.post("/-/reload", "text/plain", "");
    assert_eq!(refused.status, 400);
    assert!(refused.text().contains("broken.yaml"), "{}", refused.text());
    assert_eq!(rules(&naze), [declared, json!("queue_depth warning > 300 for 5m")], "all stays as it was");
}

fn run(server: &str, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_naze")).args(arguments).args(["--server", server]).output().unwrap()
}

#[test]
fn the_command_line_declares_and_a_hangup_reloads() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("naze.toml");
    std::fs::write(&config, "default_thresholds = false\n").unwrap();
    let (program, address) = serve(folder.path(), LOOPBACK);
    let rules = || {
        let listed: Json = serde_json::from_slice(&run(&address, &["thresholds", "--format", "json"]).stdout).unwrap();
        listed["thresholds"].as_array().unwrap().iter().map(|one| one["rule"].clone()).collect::<Vec<_>>()
    };
    let document = folder.path().join("depth.json");
    std::fs::write(&document, DEPTH).unwrap();
    let declared = run(&address, &["declare", "threshold", "depth", document.to_str().unwrap(), "--actor", "mia"]);
    assert!(declared.status.success(), "{}", String::from_utf8_lossy(&declared.stderr));
    assert_eq!(rules(), ["queue_depth{component=~\"orders\"} warning > 100 for 0s"]);
    let gone = run(&address, &["declare", "threshold", "depth", "--delete"]);
    assert!(gone.status.success(), "{}", String::from_utf8_lossy(&gone.stderr));
    assert_eq!(run(&address, &["declare", "threshold", "depth", "--delete"]).status.code(), Some(4));

    let limit = "default_thresholds = false\n[[thresholds]]\nmetric = \"queue_depth\"\nwarning = \"> 7\"\n";
    std::fs::write(&config, limit).unwrap();
    assert!(Command::new("kill").args(["-HUP", &program.0.id().to_string()]).status().unwrap().success());
    let end = Instant::now() + Duration::from_secs(20);
    while rules().is_empty() && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(rules(), ["queue_depth warning > 7 for 5m"]);
    std::fs::write(&config, limit.replace('7', "8")).unwrap();
    assert!(run(&address, &["reload"]).status.success());
    assert_eq!(rules(), ["queue_depth warning > 8 for 5m"]);
}
