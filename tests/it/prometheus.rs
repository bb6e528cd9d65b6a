//! Real Prometheus, real Alertmanager, real naze: a fault is told once, whoever was down meanwhile.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use serde_json::{Value as Json, json};

use crate::common::{Program, is_installed, serve};

/// Longest wait for any one thing.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) fn start(name: &str, folder: &Path, arguments: &[String]) -> Program {
    let log = fs::File::options().create(true).append(true).open(folder.join("programs.log")).unwrap();
    let mut command = Command::new(name);
    command.args(arguments).current_dir(folder).stdout(Stdio::null()).stderr(log);
    Program(command.spawn().unwrap_or_else(|error| panic!("{name}: {error}")))
}

/// A real Prometheus with the `prometheus.yml` in `folder`.
pub(crate) fn prometheus(folder: &Path, port: u16, more: &[&str]) -> Program {
    let listen = format!("--web.listen-address=127.0.0.1:{port}");
    let own = ["--config.file=prometheus.yml", "--storage.tsdb.path=prometheus", &listen, "--web.enable-lifecycle"];
    start("prometheus", folder, &[&own, more].concat().iter().map(|&one| one.to_owned()).collect::<Vec<_>>())
}

/// A real Alertmanager with the `alertmanager.yml` in `folder`.
pub(crate) fn alertmanager(folder: &Path, port: u16) -> Program {
    let listen = format!("--web.listen-address=127.0.0.1:{port}");
    let own = ["--config.file=alertmanager.yml", "--storage.path=alertmanager", &listen, "--cluster.listen-address="];
    start("prometheus-alertmanager", folder, &own.map(str::to_owned))
}

pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A shop with one metric, at a port of its own.
fn shop(is_broken: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.read(&mut [0; 4096]));
            let ratio = if is_broken.load(Ordering::SeqCst) { 0.5 } else { 0.0 };
            let body = format!("app_error_ratio{{service=\"checkout\"}} {ratio}\n");
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            drop(stream.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    port
}

/// Everything on loopback, in one folder.
struct Stack {
    folder: tempfile::TempDir,
    is_broken: Arc<AtomicBool>,
    http: reqwest::blocking::Client,
    naze_port: u16,
    alertmanager_port: u16,
    prometheus_port: u16,
    naze: Option<Program>,
    alertmanager: Option<Program>,
    prometheus: Option<Program>,
}

impl Stack {
    /// `None`, and a word about it, where the programs are not installed.
    fn new() -> Option<Self> {
        if !["prometheus", "prometheus-alertmanager"].into_iter().all(is_installed) {
            return None;
        }
        let mut stack = Self::bare();
        let shop_port = shop(Arc::clone(&stack.is_broken));
        stack.write(
            "alertmanager.yml",
            &json!({
                "route": {"receiver": "naze", "group_wait": "1s", "group_interval": "1s", "repeat_interval": "1h"},
                "receivers": [{"name": "naze", "webhook_configs": [{"url": stack.naze("/hooks/alertmanager")}]}],
            })
            .to_string(),
        );
        stack.write(
            "rules.yml",
            &json!({"groups": [{"name": "shop", "rules": [{"alert": "HighErrorRate",
            "expr": "app_error_ratio > 0.05", "labels": {"severity": "critical"},
            "annotations": {"summary": "checkout fails too often", "value": "{{ $value }}"}}]}]})
            .to_string(),
        );
        stack.configure_prometheus(shop_port, &[stack.alertmanager_port]);
        stack.start_alertmanager();
        stack.start_prometheus();
        Some(stack)
    }

    /// No program runs yet.
    fn bare() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            is_broken: Arc::default(),
            http: reqwest::blocking::Client::builder().timeout(Duration::from_secs(10)).build().unwrap(),
            naze_port: free_port(),
            alertmanager_port: free_port(),
            prometheus_port: free_port(),
            naze: None,
            alertmanager: None,
            prometheus: None,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// JSON is YAML.
    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn configure_prometheus(&self, shop_port: u16, alertmanagers: &[u16]) {
        let targets: Vec<String> = alertmanagers.iter().map(|port| format!("127.0.0.1:{port}")).collect();
        self.write("prometheus.yml", &json!({
            "global": {"scrape_interval": "1s", "evaluation_interval": "1s", "external_labels": {"cluster": "eu-1"}},
            "rule_files": ["rules.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": targets}]}]},
            "remote_write": [{"url": self.naze("/api/v1/write"), "queue_config": {"batch_send_deadline": "1s", "max_backoff": "1s"}}],
            "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [format!("127.0.0.1:{shop_port}")]}]}],
        }).to_string());
    }

    fn start_alertmanager(&mut self) {
        self.alertmanager = Some(alertmanager(self.folder.path(), self.alertmanager_port));
    }

    fn start_prometheus(&mut self) {
        let more = ["--rules.alert.resend-delay=1s"];
        self.prometheus = Some(prometheus(self.folder.path(), self.prometheus_port, &more));
    }

    fn start_naze(&mut self, config: &str) {
        self.write("naze.toml", config);
        self.naze = Some(serve(self.folder.path(), &format!("127.0.0.1:{}", self.naze_port)).0);
    }

    fn reconciling(&self) -> String {
        format!(
            "[reconcile]\ninterval_seconds = 1\n[[reconcile.alertmanager]]\nurl = \"http://127.0.0.1:{}\"\n\
             [[reconcile.prometheus]]\nurl = \"http://127.0.0.1:{}/\"\n",
            self.alertmanager_port, self.prometheus_port
        )
    }

    fn set_broken(&self, is_broken: bool) {
        self.is_broken.store(is_broken, Ordering::SeqCst);
    }

    fn naze(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.naze_port)
    }

    fn get(&self, url: &str) -> Option<Json> {
        self.http
            .get(url)
            .send()
            .ok()?
            .error_for_status()
            .ok()?
            .bytes()
            .ok()
            .map(|body| serde_json::from_slice(&body).unwrap())
    }

    /// How many alerts Prometheus and Alertmanager say fire.
    fn firing(&self) -> (usize, usize) {
        let count = |list: Option<Json>, member: &str| {
            list.map_or(0, |list| list.pointer(member).unwrap().as_array().unwrap().len())
        };
        let prometheus = self.get(&format!("http://127.0.0.1:{}/api/v1/alerts", self.prometheus_port));
        let alertmanager = self.get(&format!("http://127.0.0.1:{}/api/v2/alerts", self.alertmanager_port));
        (count(prometheus, "/data/alerts"), count(alertmanager, ""))
    }

    /// Start and end of every episode that naze knows, oldest first.
    fn episodes(&self) -> Vec<(String, Option<String>)> {
        let answer = self.get(&self.naze("/v1/queries/alert_timeline?from=-1h")).unwrap();
        let text = |row: &Json, name: &str| row[name].as_str().map(str::to_owned);
        answer["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (text(row, "fired").unwrap(), text(row, "resolved")))
            .collect()
    }

    /// The values of the one variable that is selected.
    fn select(&self, query: &str) -> Vec<String> {
        let query = format!("PREFIX naze: <https://w3id.org/naze#> {query}");
        let url = reqwest::Url::parse_with_params(&self.naze("/sparql"), [("query", query)]).unwrap();
        let found = self.get(url.as_str()).unwrap();
        let rows = found["results"]["bindings"].as_array().unwrap().iter();
        rows.map(|row| row.as_object().unwrap().values().next().unwrap()["value"].as_str().unwrap().to_owned())
            .collect()
    }

    /// How many alert receipts say that an alert fires, and how many that it is over.
    fn receipts(&self) -> (usize, usize) {
        let statuses = self.select("SELECT ?status WHERE { GRAPH ?g { ?a a naze:Alert ; naze:status ?status } }");
        let count = |status: &str| statuses.iter().filter(|is| *is == status).count();
        (count("firing"), count("resolved"))
    }

    /// What the webhook brought, with the outcome given.
    fn notified(&self, outcome: &str) -> u64 {
        self.counted(&format!("naze_receive_total{{outcome=\"{outcome}\",source=\"alertmanager\"}} "))
    }

    /// How often this source was asked with the outcome given.
    fn asked(&self, source: &str, outcome: &str) -> u64 {
        self.counted(&format!("naze_reconcile_total{{outcome=\"{outcome}\",source=\"{source}\"}} "))
    }

    fn counted(&self, name: &str) -> u64 {
        let metrics = self.http.get(self.naze("/metrics")).send().unwrap().bytes().unwrap();
        let text = String::from_utf8_lossy(&metrics);
        text.lines().find_map(|line| line.strip_prefix(name)).map_or(0, |count| count.parse().unwrap())
    }

    /// How many samples of the shop's metric Prometheus has, and how many it has written to naze.
    fn samples(&self) -> (f64, f64) {
        let query = [("query", "count_over_time(app_error_ratio[1h])")];
        let url = format!("http://127.0.0.1:{}/api/v1/query", self.prometheus_port);
        let answer = self.get(reqwest::Url::parse_with_params(&url, query).unwrap().as_str()).unwrap();
        let scraped = answer["data"]["result"][0]["value"][1].as_str().unwrap().parse().unwrap();
        let shown = self.get(&self.naze("/v1/series/app_error_ratio?from=-1h&to=%2B1h&step=3h&stat=count"));
        let points = shown.map(|shown| shown["series"][0]["points"].clone()).unwrap_or_default();
        let written = points.as_array().into_iter().flatten().map(|point| point[1].as_f64().unwrap()).sum();
        (scraped, written)
    }

    #[track_caller]
    fn wait<T: PartialEq + std::fmt::Debug>(&self, what: &str, expected: &T, actual: impl Fn(&Self) -> T) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let is = actual(self);
            if is == *expected {
                return;
            }
            let log = || fs::read_to_string(self.path("programs.log")).unwrap_or_default();
            assert!(Instant::now() < deadline, "{what}: {is:?} instead of {expected:?}\n{}", log());
            std::thread::sleep(Duration::from_millis(100));
        }
    }
}

#[test]
fn servers_that_do_not_answer_keep_nobody_waiting_and_are_asked_again() {
    let mut stack = Stack::bare();
    stack.start_naze(&stack.reconciling());
    for source in ["alertmanager", "prometheus"] {
        stack.wait("it is asked again", &true, |stack| stack.asked(source, "error") >= 2);
        assert_eq!(stack.asked(source, "ok"), 0);
    }
    assert_eq!(stack.receipts(), (0, 0));
}

#[test]
fn every_incident_is_told_once_whoever_was_down() {
    let Some(mut stack) = Stack::new() else { return };
    stack.start_naze("");
    let up = format!("http://127.0.0.1:{}/api/v1/targets", stack.prometheus_port);
    stack.wait("the shop is scraped", &json!("up"), |stack| {
        stack.get(&up).map(|targets| targets["data"]["activeTargets"][0]["health"].clone()).unwrap_or_default()
    });

    // By the webhook: a deployment, then the fault.
    let deployment = json!({"kind": "deployment", "occurredAt": Utc::now().to_rfc3339(), "component": "checkout",
        "status": "succeeded", "version": "2.8.0", "previousVersion": "2.7.9"});
    let sent = stack.http.post(stack.naze("/v1/receipts")).header("content-type", "application/json");
    assert_eq!(sent.body(deployment.to_string()).send().unwrap().status(), 201);
    stack.set_broken(true);
    stack.wait("the alert is told", &(1, 0), Stack::receipts);
    let incident = || stack.get(&stack.naze("/v1/incidents")).unwrap()["incidents"][0].clone();
    assert_eq!((&incident()["component"], &incident()["status"]), (&json!("checkout"), &json!("open")));
    let answer = stack.get(&stack.naze(incident()["why"].as_str().unwrap())).unwrap();
    assert_eq!(answer["ranked"][0]["component"], "checkout", "{answer}");
    assert!(answer["ranked"][0]["summary"].as_str().unwrap().contains("2.8.0"), "it names the release: {answer}");
    assert!(answer.to_string().contains("HighErrorRate"), "the alert is among the reasons: {answer}");

    // Alertmanager is killed, forgets whom it told, and tells again.
    let before = stack.notified("duplicate");
    drop(stack.alertmanager.take());
    stack.start_alertmanager();
    stack.wait("Alertmanager tells again", &true, |stack| stack.notified("duplicate") > before);
    assert_eq!(stack.receipts(), (1, 0));
    stack.set_broken(false);
    stack.wait("the end is told", &(1, 1), Stack::receipts);
    stack.wait("its incident is over", &json!("resolved"), |stack| {
        stack.get(&stack.naze("/v1/incidents")).unwrap()["incidents"][0]["status"].clone()
    });

    // naze is away for the whole of the next one, and asks when it is back.
    drop(stack.naze.take());
    stack.set_broken(true);
    stack.wait("the alert fires", &(1, 1), Stack::firing);
    stack.set_broken(false);
    stack.wait("it is over", &(0, 0), Stack::firing);
    let reconciling = stack.reconciling();
    stack.start_naze(&reconciling);
    stack.wait("what was missed is recorded", &(2, 2), Stack::receipts);
    assert_eq!(stack.episodes().len(), 2);

    // All ways at once: the webhook, Prometheus as if naze were an Alertmanager, and both asked every second.
    let config = fs::read_to_string(stack.path("prometheus.yml")).unwrap();
    let one = format!("\"127.0.0.1:{}\"]", stack.alertmanager_port);
    let two = format!("\"127.0.0.1:{}\",\"127.0.0.1:{}\"]", stack.alertmanager_port, stack.naze_port);
    assert!(config.contains(&one));
    stack.write("prometheus.yml", &config.replace(&one, &two));
    let reload = format!("http://127.0.0.1:{}/-/reload", stack.prometheus_port);
    assert_eq!(stack.http.post(reload).send().unwrap().status(), 200);
    let before = stack.notified("duplicate") + stack.notified("recorded");
    stack.set_broken(true);
    stack.wait("the alert is told", &(3, 2), Stack::receipts);
    stack.wait("the webhook tells it too", &true, |stack| {
        stack.notified("duplicate") + stack.notified("recorded") > before
    });
    stack.set_broken(false);
    stack.wait("the end is told", &(3, 3), Stack::receipts);
    stack.wait("Alertmanager has told it", &(0, 0), Stack::firing);

    // Meanwhile Prometheus wrote its samples: all of them, each once, also those of the time when naze was away.
    let (scraped, _) = stack.samples();
    stack.wait("all samples are written", &true, |stack| stack.samples().1 >= scraped);
    let (_, written) = stack.samples();
    let (scraped, _) = stack.samples();
    assert!(written <= scraped, "{written} samples written of {scraped}");

    // Alertmanager is told to keep quiet: naze hears of the alert all the same, and who silenced it.
    let silence = json!({"matchers": [{"name": "service", "value": "checkout", "isRegex": false, "isEqual": true}],
        "startsAt": Utc::now().to_rfc3339(), "endsAt": (Utc::now() + TimeDelta::hours(1)).to_rfc3339(),
        "createdBy": "oncall", "comment": "known"});
    let silences = format!("http://127.0.0.1:{}/api/v2/silences", stack.alertmanager_port);
    let sent = stack.http.post(silences).header("content-type", "application/json").body(silence.to_string());
    let silence: Json = serde_json::from_slice(&sent.send().unwrap().bytes().unwrap()).unwrap();
    stack.set_broken(true);
    stack.wait("the silenced alert is told", &[silence["silenceID"].as_str().unwrap().to_owned()].to_vec(), |stack| {
        stack.select("SELECT ?by WHERE { GRAPH ?g { ?a naze:status \"suppressed\" ; naze:silencedBy ?by } }")
    });
    stack.set_broken(false);
    stack.wait("the end is told", &(4, 4), Stack::receipts);

    // Asked once more, from the beginning: nothing is new.
    let episodes = stack.episodes();
    drop(stack.naze.take());
    stack.start_naze(&reconciling);
    for source in ["alertmanager", "prometheus"] {
        stack.wait("it is asked", &true, |stack| stack.asked(source, "ok") >= 2);
    }
    assert_eq!(stack.receipts(), (4, 4));
    assert_eq!(stack.episodes(), episodes);
    for pair in episodes.windows(2) {
        assert!(pair[0].1.as_ref().unwrap() < &pair[1].0, "episodes do not overlap: {episodes:?}");
    }
}
