//! What each source can send: events a second to a real `naze serve`, from the fixtures of its tests, and how the time to
//! read a body grows with it. Prints Markdown. `cargo bench --bench sources [-- SECONDS]`
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that cannot go on stops loudly")]

#[path = "common/serve.rs"]
mod serve;

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use http::HeaderMap;
use naze::clock::Clock;
use naze::config;
use naze::receive::{ComponentMapping, Delivery, Format, Given, RECEIVERS, openslo, receive};
use naze::vocab::Vocabulary;
use serde_json::Value as Json;

use crate::serve::naze;

const CLIENTS: usize = 8;
const SECONDS_DEFAULT: u64 = 5;
/// Events of one body, for sources that send several at once.
const BATCH: usize = 500;
/// Sizes whose reading times are compared.
const EVENTS: [usize; 2] = [2_000, 8_000];
/// Larger than caches, smaller than what the allocator gives back to the system each time.
const TEXT_BYTES: [usize; 2] = [4 << 20, 16 << 20];
const MEASURED_FOR: Duration = Duration::from_secs(1);

/// Bodies of a source: a fixture, and which of its members make each event another one.
struct Case {
    source: &'static str,
    path: &'static str,
    media_type: &'static str,
    headers: &'static [(&'static str, &'static str)],
    fixture: &'static str,
    /// The list of events; without one a body is one event.
    list: Option<&'static str>,
    /// Members of an event that differ from event to event.
    varied: &'static [&'static str],
    /// A text that may be long.
    text: &'static str,
}

const JSON: &str = "application/json";
#[rustfmt::skip]
const CASES: [Case; 13] = [
    Case { source: "native", path: "/v1/receipts", media_type: JSON, headers: &[], fixture: "native/one-object.json",
        list: Some(""), varied: &["/version"], text: "" },
    Case { source: "alertmanager", path: "/hooks/alertmanager", media_type: JSON, headers: &[],
        fixture: "alertmanager/metric-value-and-threshold.json", list: Some("/alerts"), varied: &["/labels/alertname"], text: "" },
    Case { source: "alertmanager_api", path: "/api/v2/alerts", media_type: JSON, headers: &[],
        fixture: "alertmanager-api-v2/end-ahead.json", list: Some(""), varied: &["/labels/alertname"], text: "" },
    Case { source: "alertmanager_events", path: "/hooks/alertmanager-events", media_type: JSON, headers: &[],
        fixture: "alertmanager-events/silence-created.json", list: Some(""), varied: &["/data/silenceCreated/silence/id"], text: "" },
    Case { source: "argocd", path: "/hooks/argocd", media_type: JSON, headers: &[], fixture: "argocd/app-deployed.http",
        list: None, varied: &["/app/status/operationState/syncResult/revision", "/app/status/sync/revision"], text: "/app/status/operationState/message" },
    Case { source: "cloudevents", path: "/events", media_type: "application/cloudevents-batch+json", headers: &[],
        fixture: "cloudevents/structured-component-in-subject.http", list: Some(""), varied: &["/id"], text: "" },
    Case { source: "cloudevents", path: "/events", media_type: JSON, headers: &[], fixture: "cdevents/service-deployed.http",
        list: None, varied: &["/context/id"], text: "/subject/content/environment/id" },
    Case { source: "flagger", path: "/hooks/flagger", media_type: JSON, headers: &[], fixture: "flagger/event-canary-failed.http",
        list: None, varied: &["/checksum"], text: "/metadata/eventMessage" },
    Case { source: "github", path: "/hooks/github", media_type: JSON, headers: &[("x-github-event", "deployment_status")],
        fixture: "github/deployment_status.failure.json", list: None, varied: &["/deployment/id", "/deployment_status/id"], text: "/deployment_status/description" },
    Case { source: "grafana", path: "/hooks/grafana", media_type: JSON, headers: &[], fixture: "grafana/two-values-and-no-condition.json",
        list: Some("/alerts"), varied: &["/labels/alertname"], text: "" },
    Case { source: "otlp", path: "/v1/traces", media_type: JSON, headers: &[], fixture: "otlp/failed-call.json",
        list: Some("/resourceSpans/0/scopeSpans/0/spans"), varied: &["/spanId"], text: "" },
    Case { source: "pagerduty", path: "/hooks/pagerduty", media_type: JSON, headers: &[], fixture: "pagerduty/incident.triggered.json",
        list: None, varied: &["/event/id", "/event/data/id"], text: "/event/data/title" },
    Case { source: "pagerduty_events", path: "/v2/enqueue", media_type: JSON, headers: &[], fixture: "pagerduty_events/enqueue.everything.json",
        list: None, varied: &["/dedup_key"], text: "/payload/custom_details/note" },
];

impl Case {
    fn document(&self) -> Json {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receive").join(self.fixture);
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        // A request as it goes over the wire has its body behind an empty line.
        let body = text.split_once("\n\n").map_or(&*text, |(_, body)| body);
        serde_json::from_str(body).unwrap()
    }

    /// A body of `count` events, the first of which is number `first`.
    fn body(&self, first: usize, count: usize) -> Vec<u8> {
        let mut document = self.document();
        let Some(list) = self.list else {
            self.vary(&mut document, first);
            return document.to_string().into_bytes();
        };
        let at = document.pointer_mut(list).unwrap();
        let event = if let Json::Array(events) = &at { events[0].clone() } else { at.clone() };
        let events = (first..first + count).map(|number| {
            let mut event = event.clone();
            self.vary(&mut event, number);
            event
        });
        *at = events.collect();
        document.to_string().into_bytes()
    }

    fn vary(&self, event: &mut Json, number: usize) {
        for pointer in self.varied {
            let member = event.pointer_mut(pointer).unwrap_or_else(|| panic!("{} has no {pointer}", self.fixture));
            *member = match &member {
                Json::Number(_) => Json::from(number),
                Json::String(id) if id.len() == 16 => format!("{:016x}", number + 1).into(),
                Json::String(text) => format!("{text}-{number}").into(),
                other => panic!("{pointer} is {other}"),
            };
        }
    }

    /// A body with one text of so many bytes.
    fn long_body(&self, bytes: usize) -> Vec<u8> {
        let mut document = self.document();
        let text = document.pointer_mut(self.text).unwrap();
        *text = format!("{}{}", text.as_str().unwrap(), " word".repeat(bytes / 5)).into();
        document.to_string().into_bytes()
    }

    /// Time to read bodies of two sizes.
    fn reading(&self) -> [Duration; 2] {
        let bodies = match self.list {
            Some(_) => EVENTS.map(|count| self.body(0, count)),
            None => TEXT_BYTES.map(|bytes| self.long_body(bytes)),
        };
        let vocabulary = Vocabulary::builtin();
        let mapping = ComponentMapping::new(config::Receive::default().component_labels);
        let given = Given { received_at: Clock::System.now(), mapping: &mapping, vocabulary: &vocabulary };
        let mut headers = HeaderMap::new();
        for (name, value) in self.headers.iter().chain(&[("content-type", self.media_type)]) {
            headers.insert(*name, value.parse().unwrap());
        }
        let receiver = RECEIVERS.iter().find(|receiver| receiver.name == self.source);
        bodies.map(|body| {
            time_of(|| {
                let delivery = Delivery { path: self.path, headers: &headers, body: &body };
                let received = match receiver {
                    Some(receiver) => (receiver.read)(&delivery, &given),
                    None => receive(Format::Json, &body, &vocabulary),
                };
                assert!(!received.unwrap().items.is_empty(), "{}", self.fixture);
            })
        })
    }

    /// Events recorded in a second.
    fn throughput(&self, duration: Duration) -> f64 {
        let folder = tempfile::tempdir().unwrap();
        let (_naze, url) = naze(folder.path(), &[]);
        let next = AtomicUsize::new(1);
        let count = if self.list.is_some() { BATCH } else { 1 };
        let began = Instant::now();
        std::thread::scope(|scope| {
            for _ in 0..CLIENTS {
                scope.spawn(|| {
                    let client = reqwest::blocking::Client::new();
                    while began.elapsed() < duration {
                        let body = self.body(next.fetch_add(count, Ordering::Relaxed), count);
                        let mut request = client.post(format!("{url}{}", self.path)).body(body);
                        for (name, value) in self.headers.iter().chain(&[("content-type", self.media_type)]) {
                            request = request.header(*name, *value);
                        }
                        let answer = request.send().unwrap();
                        assert!(answer.status().is_success(), "{}: {}", self.fixture, answer.text().unwrap());
                    }
                });
            }
        });
        let took = began.elapsed().as_secs_f64();
        let recorded = recorded(&url, self.source);
        let sent = f64::from(u32::try_from(next.into_inner() - 1).unwrap());
        assert!(recorded >= sent, "{}: of {sent} events {recorded} were recorded", self.fixture);
        sent / took
    }
}

/// Events that a naze recorded of a source.
fn recorded(url: &str, source: &str) -> f64 {
    let figures = reqwest::blocking::get(format!("{url}/metrics")).unwrap().text().unwrap();
    let name = format!("naze_receive_total{{outcome=\"recorded\",source=\"{source}\"}} ");
    figures.lines().find_map(|line| line.strip_prefix(&name)).map_or(0.0, |count| count.parse().unwrap())
}

/// The shortest of many: what else the machine does only ever adds.
fn time_of(work: impl Fn()) -> Duration {
    let began = Instant::now();
    let mut shortest = Duration::MAX;
    while began.elapsed() < MEASURED_FOR {
        let began = Instant::now();
        work();
        shortest = shortest.min(began.elapsed());
    }
    shortest
}

fn row(what: &str, fixture: &str, throughput: &str, size: &str, [small, large]: [Duration; 2]) {
    let ratio = large.as_secs_f64() / small.as_secs_f64();
    let (small, large) = (small.as_secs_f64() * 1e3, large.as_secs_f64() * 1e3);
    println!("| {what} | `{fixture}` | {throughput} | {size} | {small:.1} ms | {large:.1} ms | {ratio:.1} |");
}

fn main() {
    let seconds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(SECONDS_DEFAULT);
    println!("{CLIENTS} clients for {seconds} s; {BATCH} events a request where a source sends several.\n");
    println!("| source | fixture | recorded/s | read alone: n | n | 4 n | ratio |\n|---|---|---|---|---|---|---|");
    for case in &CASES {
        let throughput = format!("{:.0}", case.throughput(Duration::from_secs(seconds)));
        let size = if case.list.is_some() { format!("{} events", EVENTS[0]) } else { "a text of 4 MiB".to_owned() };
        row(case.source, case.fixture, &throughput, &size, case.reading());
    }
    let case = &CASES[CASES.len() - 1];
    let parse = |body: Vec<u8>| time_of(|| assert!(serde_json::from_slice::<Json>(&body).unwrap().is_object()));
    let bodies = TEXT_BYTES.map(|bytes| case.long_body(bytes));
    row("JSON parsed, not read", case.fixture, "", "a text of 4 MiB", bodies.map(parse));
    let fixture =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/receive/openslo/every-form.yaml"));
    let file = fixture.unwrap();
    let read = |copies: usize| {
        let body = file.repeat(copies);
        time_of(|| assert!(!openslo(body.as_bytes()).unwrap().slos.is_empty()))
    };
    row("OpenSLO", "openslo/every-form.yaml", "", "300 copies", [300, 1_200].map(read));
}
