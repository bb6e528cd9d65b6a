//! A fault, as it reaches naze through a real Prometheus and a real Alertmanager.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use crate::common::{serve, serve_with};

/// Much longer than it ever takes; it only bounds a wait that fails.
const PATIENCE: Duration = Duration::from_mins(1);

/// A child process that does not outlive its test.
struct Running(Child);

impl Running {
    fn start(program: &str, arguments: &[String]) -> Self {
        let child = Command::new(program).args(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        Self(child.unwrap_or_else(|error| panic!("{program}: {error}")))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// An application with one metric: whether it is failing.
fn application(failing: Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            drop(answer(stream.unwrap(), failing.load(Ordering::SeqCst)));
        }
    });
    address
}

fn answer(mut stream: TcpStream, failing: bool) -> std::io::Result<()> {
    let mut request = [0; 4096];
    let _read = stream.read(&mut request)?;
    let body = format!("# TYPE checkout_failing gauge\ncheckout_failing {}\n", u8::from(failing));
    write!(
        stream,
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn are_installed() -> bool {
    let is_there = |program: &str| Command::new(program).arg("--version").output().is_ok();
    let are_there = is_there("prometheus") && is_there("prometheus-alertmanager");
    if !are_there {
        eprintln!("SKIPPED: prometheus and prometheus-alertmanager are not installed (scripts/setup test)");
    }
    are_there
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < PATIENCE, "waited {} s until {what}", PATIENCE.as_secs());
        std::thread::sleep(Duration::from_millis(100));
    }
}

fn get(url: &str) -> Json {
    let reply = reqwest::blocking::get(url).unwrap();
    serde_json::from_slice(&reply.bytes().unwrap()).unwrap()
}

fn alertmanager(folder: &Path, naze: &str, port: u16) -> Running {
    let config = folder.join("alertmanager.yml");
    std::fs::write(
        &config,
        format!(
            "route: {{receiver: naze, group_by: [alertname], group_wait: 0s, group_interval: 1s, repeat_interval: 2s}}\n\
             receivers:\n  - name: naze\n    webhook_configs: [{{url: '{naze}/hooks/alertmanager', send_resolved: true}}]\n"
        ),
    )
    .unwrap();
    let arguments = [
        format!("--config.file={}", config.display()),
        format!("--storage.path={}", folder.join("alertmanager").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--cluster.listen-address=".to_owned(),
    ];
    Running::start("prometheus-alertmanager", &arguments)
}

/// A Prometheus that tells both the Alertmanager and naze itself.
fn prometheus(folder: &Path, application: &str, alertmanagers: [&str; 2], port: u16) -> Running {
    let rules = folder.join("rules.yml");
    std::fs::write(
        &rules,
        "groups:\n  - name: shop\n    rules:\n      - alert: CheckoutFailing\n        expr: checkout_failing > 0\n        \
         labels: {severity: critical, service: checkout}\n        annotations: {summary: checkout fails}\n",
    )
    .unwrap();
    let config = folder.join("prometheus.yml");
    std::fs::write(
        &config,
        format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\nrule_files: ['{}']\nalerting:\n  alertmanagers:\n    \
             - static_configs: [{{targets: ['{}', '{}']}}]\nscrape_configs:\n  - job_name: shop\n    static_configs: [{{targets: ['{application}']}}]\n",
            rules.display(),
            alertmanagers[0],
            alertmanagers[1],
        ),
    )
    .unwrap();
    let arguments = [
        format!("--config.file={}", config.display()),
        format!("--storage.tsdb.path={}", folder.join("prometheus").display()),
        format!("--web.listen-address=127.0.0.1:{port}"),
        "--rules.alert.resend-delay=2s".to_owned(),
    ];
    Running::start("prometheus", &arguments)
}

#[test]
fn a_fault_is_one_episode_however_it_is_told_and_why_names_the_release_behind_it() {
    if !are_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (naze, url) = serve(&folder.path().join("naze"));
    let _naze = Running(naze);
    let failing = Arc::new(AtomicBool::new(false));
    let application = application(Arc::clone(&failing));
    let port = free_port();
    let mut alertmanager_running = Some(alertmanager(folder.path(), &url, port));
    let alertmanager_address = format!("127.0.0.1:{port}");
    let _prometheus = prometheus(
        folder.path(),
        &application,
        [&alertmanager_address, url.trim_start_matches("http://")],
        free_port(),
    );

    let deployment = json!({"kind": "deployment", "occurredAt": naze::clock::Clock::System.now(), "component": "checkout",
        "status": "succeeded", "version": "2.8.0", "previousVersion": "2.7.9"});
    let http = reqwest::blocking::Client::new();
    let recorded =
        http.post(format!("{url}/v1/receipts")).header("content-type", "application/json").body(deployment.to_string());
    assert_eq!(recorded.send().unwrap().status(), 201);
    failing.store(true, Ordering::SeqCst);

    let metrics = || reqwest::blocking::get(format!("{url}/metrics")).unwrap().bytes().unwrap();
    let told = |source: &str, outcome: &str| {
        let line = format!("naze_receive_total{{outcome=\"{outcome}\",source=\"{source}\"}} ");
        let text = String::from_utf8_lossy(&metrics()).into_owned();
        text.lines().find_map(|found| found.strip_prefix(&line)?.parse::<u64>().ok()).unwrap_or(0)
    };
    let heard = |source: &str| told(source, "recorded") + told(source, "duplicate");
    wait_until("both told the alert", || heard("alertmanager") > 0 && heard("alertmanager_api") > 0);
    let incidents = get(&format!("{url}/v1/incidents"));
    let incident = incidents["incidents"][0].clone();
    assert_eq!((&incident["component"], &incident["status"]), (&json!("checkout"), &json!("open")), "{incidents}");
    let why = get(&format!("{url}{}", incident["why"].as_str().unwrap()));
    assert_eq!(why["ranked"][0]["component"], "checkout", "{why}");
    let summary = why["ranked"][0]["summary"].as_str().unwrap();
    assert!(summary.contains("2.8.0"), "{why}");

    // An Alertmanager that was killed has forgotten whom it told.
    let before = heard("alertmanager");
    drop(alertmanager_running.take());
    alertmanager_running = Some(alertmanager(folder.path(), &url, port));
    wait_until("the new Alertmanager told it again", || heard("alertmanager") > before);

    failing.store(false, Ordering::SeqCst);
    let timeline = || get(&format!("{url}/v1/queries/alert_timeline"));
    wait_until("the alert resolved", || timeline()["rows"][0]["resolved"].is_string());
    let (through, direct) = (heard("alertmanager"), heard("alertmanager_api"));
    wait_until("both told the end", || heard("alertmanager") > through || heard("alertmanager_api") > direct);
    let rows = timeline();
    assert_eq!(rows["rows"].as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(told("alertmanager", "recorded") + told("alertmanager_api", "recorded"), 2, "one beginning and one end");
    assert_eq!(told("alertmanager", "refused") + told("alertmanager_api", "refused"), 0);
    let incident = get(&format!("{url}/v1/incidents/{}", incident["reference"].as_str().unwrap()));
    assert_eq!(incident["status"], "resolved", "{incident}");
    drop(alertmanager_running);
}

#[test]
fn what_happened_while_naze_was_down_is_recorded_once_it_is_back() {
    if !are_installed() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let failing = Arc::new(AtomicBool::new(false));
    let application = application(Arc::clone(&failing));
    let port = free_port();
    let nobody = format!("127.0.0.1:{}", free_port());
    let _prometheus = prometheus(folder.path(), &application, [&nobody, &nobody], port);
    let prometheus = format!("http://127.0.0.1:{port}");
    let samples = |query: &str| {
        let reply = reqwest::blocking::get(format!("{prometheus}/api/v1/query?query={query}"));
        let answer: Option<Json> = reply.ok().and_then(|reply| serde_json::from_slice(&reply.bytes().ok()?).ok());
        answer.map_or(0, |answer| answer["data"]["result"].as_array().map_or(0, Vec::len))
    };
    wait_until("Prometheus sees the application", || samples("checkout_failing") == 1);
    failing.store(true, Ordering::SeqCst);
    wait_until("the alert fires", || samples("ALERTS") == 1);
    failing.store(false, Ordering::SeqCst);
    // A sample stays current for five minutes unless its series is marked as ended, which it is here.
    wait_until("the alert is over", || samples("ALERTS") == 0);
    wait_until("that is some evaluations ago", || samples("ALERTS[4s]") == 0);

    let config = format!("[reconcile]\nprometheus = ['{prometheus}']\n");
    let data = folder.path().join("naze");
    let (naze, url) = serve_with(&data, &config);
    let naze = Running(naze);
    let timeline = |url: &str| get(&format!("{url}/v1/queries/alert_timeline"));
    wait_until("naze has caught up", || timeline(&url)["rows"][0]["resolved"].is_string());
    let rows = timeline(&url);
    assert_eq!(rows["rows"].as_array().unwrap().len(), 1, "{rows}");
    assert_eq!(
        (&rows["rows"][0]["component"], &rows["rows"][0]["rule"]),
        (&json!("checkout"), &json!("CheckoutFailing"))
    );
    let entries = |url: &str| get(&format!("{url}/v1/ledger/verify"))["entries"].clone();
    let before = entries(&url);
    drop(naze);

    let (again, url) = serve_with(&data, &config);
    let _again = Running(again);
    let caught_up = || {
        let log = reqwest::blocking::get(format!("{url}/metrics")).unwrap().text().unwrap();
        log.contains("naze_query_seconds_count{outcome=\"ok\",query=\"alert_timeline\"}")
    };
    wait_until("naze has looked again", caught_up);
    assert_eq!(entries(&url), before, "nothing twice");
}
