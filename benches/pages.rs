//! How long pages take over a data directory, and how large they are. Prints Markdown.
//! `cargo bench --bench pages -- FOLDER [NOW [PAGE]]`: the folder is written to, so give a copy; `benches/run` makes one with
//! a million receipts. `NOW` is the time at which pages are asked for: by default that of the newest receipt. With `PAGE`
//! only pages whose name begins so are asked for.
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark that cannot go on stops loudly")]
#![expect(clippy::cast_precision_loss, reason = "small counts, as numbers")]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use http_body_util::BodyExt as _;
use naze::clock::{Clock, Timestamp};
use naze::config::Config;
use naze::engine::Engine;
use naze::record::Recorded;
use naze::record::ledger::Ledger;
use naze::vocab::Vocabulary;
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;

const ROUNDS: usize = 60;
const PATIENCE: Duration = Duration::from_mins(5);
/// Entries among which the newest receipt is looked for.
const LAST: u64 = 1_000;
const SERVICES: usize = 50;
/// Minutes of series.
const DAY_MINUTES: i64 = 24 * 60;
/// Incidents of the past year, so that their pages rest on different evidence.
const INCIDENTS: usize = 20;

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    let folder = arguments.next().expect("give the folder of a data directory that may be written to");
    let folder = Path::new(&folder);
    let now = arguments.next().map_or_else(|| newest(folder), |text| text.parse().unwrap());
    let engine = Engine::open(Config::with_data(folder), Clock::Fixed(now)).unwrap();
    let pages =
        Pages { router: naze::http::router(Arc::clone(&engine)), runtime: tokio::runtime::Runtime::new().unwrap() };
    prepare(&pages, now);
    engine.hold_newest().unwrap();
    let only = arguments.next().unwrap_or_default();
    catch_up(&pages);
    let (checkpoint, _) = engine.checkpoint().unwrap();
    let entries = checkpoint.unwrap_or_default().lines().nth(1).unwrap_or_default().to_owned();
    println!("{entries} receipts, pages as of {now}, {ROUNDS} requests each\n");
    println!("| page | p50 ms | p95 ms | largest KB |\n|---|---|---|---|");
    for (name, paths) in paths(&pages).into_iter().filter(|(name, _)| name.starts_with(&only)) {
        measure(&pages, name, &paths);
    }
}

fn newest(folder: &Path) -> Timestamp {
    let ledger = Ledger::open(Some(folder), Vocabulary::builtin()).unwrap();
    // The last ones may tell of older times, as the incidents of an earlier run do.
    let last = ledger.read(ledger.len().unwrap().saturating_sub(LAST).., usize::try_from(LAST).unwrap()).unwrap();
    last.iter().map(Recorded::occurred_at).max().expect("the folder has receipts")
}

struct Pages {
    router: Router,
    runtime: tokio::runtime::Runtime,
}

impl Pages {
    fn send(&self, request: Request<Body>) -> (u16, Vec<u8>) {
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let status = response.status().as_u16();
            (status, response.into_body().collect().await.unwrap().to_bytes().to_vec())
        })
    }

    fn get(&self, path: &str) -> (u16, Vec<u8>) {
        self.send(Request::get(path).header("accept", "text/html").body(Body::empty()).unwrap())
    }

    fn json(&self, path: &str) -> Json {
        let (status, body) = self.send(Request::get(path).body(Body::empty()).unwrap());
        assert_eq!(status, 200, "{path}");
        serde_json::from_slice(&body).unwrap()
    }

    fn post(&self, path: &str, body: &Json) {
        let request = Request::post(path).header("content-type", "application/json");
        let (status, answer) = self.send(request.body(Body::from(body.to_string())).unwrap());
        assert!(status < 300 || status == 409, "{path}: {status} {}", String::from_utf8_lossy(&answer));
    }
}

/// Incidents of the past year, and a day of series.
fn prepare(pages: &Pages, now: Timestamp) {
    for number in 0..INCIDENTS {
        let days = i64::try_from(number).unwrap() * 17;
        let at = now.checked_add(-TimeDelta::days(days)).unwrap();
        let incident = json!({"component": format!("service-{number}"), "reference": format!("bench-{number}"), "occurredAt": at,
            "detectedAt": at, "summary": format!("service-{number} answers slowly"), "severity": "critical"});
        pages.post("/v1/incidents", &incident);
    }
    let metrics = ["tps_kanban_queue_depth", "tps_heijunka_pool_utilization", "tps_andon_error_rate"];
    for service in 0..SERVICES {
        let samples = metrics.iter().enumerate().flat_map(|(place, metric)| {
            (0..DAY_MINUTES).map(move |minute| {
                let at = now.checked_add(-TimeDelta::minutes(minute)).unwrap();
                json!({"metric": metric, "component": format!("service-{service}"), "occurredAt": at,
                    "value": (service as f64 + (minute % 60) as f64 / 60.0) / 100.0 * [2_000.0, 1.0, 0.01][place]})
            })
        });
        pages.post("/v1/measurements", &samples.collect());
    }
}

/// Waits until naze has read all that was recorded before it started.
fn catch_up(pages: &Pages) {
    let until = Instant::now() + PATIENCE;
    let request = || Request::get("/v1/health").body(Body::empty()).unwrap();
    while pages.send(request()).0 != 200 {
        assert!(Instant::now() < until, "receipts are still being read");
    }
}

/// Each page with addresses that differ in what they rest on.
fn paths(pages: &Pages) -> Vec<(&'static str, Vec<String>)> {
    let several = |path: &str, count: usize| (0..count).map(|n| path.replace("{n}", &n.to_string())).collect();
    let one = |path: &str| vec![path.to_owned()];
    let changes = pages.json("/v1/queries/changes_before?lookback=7d&limit=40");
    let receipts = changes["rows"].as_array().unwrap().iter();
    vec![
        ("overview", one("/")),
        ("overview, 7 days", one("/?range=7d")),
        (
            "principle",
            ["jidoka", "kanban", "andon", "kaizen", "heijunka", "tracing"]
                .map(|name| format!("/principles/{name}"))
                .to_vec(),
        ),
        ("SLOs", one("/slos")),
        ("recommendations", one("/recommendations")),
        ("recommendations, one component", several("/recommendations?component=service-{n}", SERVICES)),
        ("runbooks", one("/runbooks")),
        ("incidents", one("/incidents")),
        ("incident, the same again", one("/incidents/bench-0")),
        ("incident, others", several("/incidents/bench-{n}", INCIDENTS)),
        ("why", several("/why?component=service-{n}", SERVICES)),
        ("component", several("/component?name=service-{n}", SERVICES)),
        ("component, 7 days", several("/component?name=service-{n}&range=7d", SERVICES)),
        ("receipt", receipts.map(|row| format!("/receipts/{}", row["event"].as_str().unwrap())).collect()),
        ("component, 30 days", several("/component?name=service-{n}&range=30d", SERVICES)),
        ("trends", one("/trends")),
        ("trend", several("/trends?metric=tps_kanban_queue_depth&component=service-{n}", SERVICES)),
        ("queries", one("/queries")),
        ("query", several("/queries/failures_before?component=service-{n}&lookback=24h", SERVICES)),
        ("explore", one("/explore")),
        ("ledger", one("/ledger")),
    ]
}

fn measure(pages: &Pages, name: &str, paths: &[String]) {
    let mut largest = 0;
    let mut times: Vec<Duration> = (0..=ROUNDS)
        .map(|round| {
            let path = &paths[round % paths.len()];
            let started = Instant::now();
            let (status, body) = pages.get(path);
            let time = started.elapsed();
            assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&body));
            largest = largest.max(body.len());
            time
        })
        .skip(1)
        .collect();
    times.sort_unstable();
    let at = |share: usize| times[(ROUNDS * share).div_ceil(100) - 1].as_secs_f64() * 1e3;
    println!("| {name} | {:.1} | {:.1} | {:.1} |", at(50), at(95), largest as f64 / 1e3);
}
