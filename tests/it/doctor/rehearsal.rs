//! What thresholds would have done in the past week, and whether links lead anywhere.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::Request;
use chrono::TimeDelta;
use naze::clock::Timestamp;
use naze::config::Config;
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;

use super::told;
use crate::common::{NOW, Naze};
use crate::prometheus::PATIENCE;

fn configured(text: &str) -> Config {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    let read = Config::read(file.path()).unwrap();
    Config { file: None, ..read }
}

fn examined(naze: &Naze) -> (String, Vec<Json>) {
    let answer = naze.get("/v1/doctor").json();
    (answer["status"].as_str().unwrap().to_owned(), answer["findings"].as_array().unwrap().clone())
}

/// Two days of minutes: a depth of 50 that is 2,000 for ten minutes in every six hours.
fn two_days() -> String {
    let now: Timestamp = NOW.parse().unwrap();
    let mut csv = "time,component,metric,value\n".to_owned();
    for minute in 0..2_880_i64 {
        let at = now.utc() - TimeDelta::minutes(2_880 - minute);
        let depth = if minute % 360 < 10 { 2_000 } else { 50 };
        writeln!(csv, "{},orders,depth_of_queue,{depth}", at.to_rfc3339()).unwrap();
    }
    csv
}

#[test]
fn thresholds_are_tried_on_the_past_week() {
    let naze = Naze::with(configured(
        "[[thresholds]]\nmetric = \"depth_of_queue\"\nwarning = \"> 10\"\n\
         [[thresholds]]\nmetric = \"depth_of_queue\"\nstatistic = \"max\"\nwarning = \"> 1000\"\nfor = \"3m\"\n\
         [[thresholds]]\nmetric = \"depth_of_queue\"\ncomponent = \"billing\"\nstatistic = \"min\"\nwarning = \"> 1\"\n\
         [[thresholds]]\nmetric = \"depth_of_quue\"\nwarning = \"> 1\"\n",
    ));
    let reply = naze.post("/v1/measurements", "text/csv", two_days());
    assert!(reply.status.is_success(), "{}", reply.text());
    let (status, findings) = examined(&naze);
    assert_eq!(status, "warn", "{findings:#?}");
    let warned = told(&findings, "dry run", "warn");
    assert_eq!(warned.len(), 2, "{warned:#?}");
    assert_eq!(
        warned[0],
        "depth_of_queue warning > 10 for 5m: would have fired 1 time in the past week on 1 series, which were beyond it \
         for 100.0 % of 48.0 h: it fires always; naze thresholds advise depth_of_queue"
    );
    assert!(warned[1].contains("no series that it speaks of had values in the past week"), "{warned:#?}");
    assert!(warned[1].starts_with("min of depth_of_queue{component=~\"billing\"}"), "{warned:#?}");
    // Eight times ten minutes of two days.
    let fine = told(&findings, "dry run", "ok");
    let sometimes = "max of depth_of_queue warning > 1000 for 3m: would have fired 8 times in the past week on 1 series, \
                     which were beyond it for 2.8 % of 48.0 h; ";
    assert!(fine.contains(&sometimes.to_owned()), "{fine:#?}");
    // A metric that nobody sends is told once.
    assert!(told(&findings, "thresholds", "warn")[0].contains("no series is named depth_of_quue"), "{findings:#?}");
}

/// Each with one value, under names that sort in their order.
fn many(metric: &str, count: usize) -> String {
    (0..count).fold(String::new(), |mut csv, place| {
        writeln!(csv, "2026-03-10T11:59:00Z,c{place:05},{metric},5").unwrap();
        csv
    })
}

#[test]
fn series_without_thresholds_take_no_place_and_those_that_were_not_tried_are_told() {
    let naze = Naze::with(configured(
        "[[thresholds]]\nmetric = \"ruled\"\nwarning = \"> 1000\"\n\
         [[thresholds]]\nmetric = \"ruled_as_well\"\nwarning = \"> 1000\"\n",
    ));
    let feed = |rows: String| {
        let reply = naze.post("/v1/measurements", "text/csv", format!("time,component,metric,value\n{rows}"));
        assert!(reply.status.is_success(), "{}", reply.text());
    };
    feed(many("free", 5_000) + &many("ruled", 1));
    let tried = |text: &str| {
        let (_, findings) = examined(&naze);
        let told = told(&findings, "dry run", "ok");
        assert!(told.iter().any(|one| one.contains(text)), "{text}: {findings:#?}");
        findings
    };
    tried("ruled warning > 1000 for 5m: would have fired 0 times in the past week on 1 series");

    // One that is ruled is one too many, and so are all of the other threshold.
    feed(many("ruled", 5_001) + &many("ruled_as_well", 2));
    let findings = tried("ruled warning > 1000 for 5m: would have fired 0 times in the past week on 5000 series");
    tried("; 1 series that it speaks of were not tried for lack of time");
    tried("ruled_as_well warning > 1000 for 5m: 2 series that it speaks of were not tried for lack of time");
    assert_eq!(told(&findings, "dry run", "warn"), [""; 0]);
}

/// Answers `302` for `/moved`, `404` for `/gone`, `405` for `HEAD /old` and `200` for all else; and what it was asked for.
fn site() -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let asked: Arc<Mutex<Vec<String>>> = Arc::default();
    let seen = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let read = stream.read(&mut request).unwrap();
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            let line = request.lines().next().unwrap_or_default();
            let status = match line.split(' ').nth(1) {
                Some("/old") if line.starts_with("HEAD") => "405 Method Not Allowed",
                Some("/moved") => "302 Found\r\nLocation: /elsewhere",
                Some("/gone") => "404 Not Found",
                _ => "200 OK",
            };
            seen.lock().unwrap().push(request);
            drop(write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"));
        }
    });
    (address, asked)
}

#[test]
fn links_are_asked_for_and_not_followed_elsewhere() {
    let (site, asked) = site();
    let nobody = format!("http://127.0.0.1:{}", crate::prometheus::free_port());
    let export =
        |name: &str, link: &str| format!("[exports.{name}]\nkind = \"webhook\"\nurl = \"{site}\"\nlink = \"{link}\"\n");
    let mut config: String = ["moved", "gone", "there"].map(|path| export(path, &format!("{site}/{path}"))).concat();
    config += &export("off", &nobody);
    config += &format!("[exports.here]\nkind = \"webhook\"\nurl = \"{site}\"\n");
    let naze = Naze::with(configured(&config));
    let (_, findings) = examined(&naze);
    let warned = told(&findings, "links", "warn");
    assert_eq!(warned.len(), 3, "{warned:#?}");
    let has = |text: &str| warned.iter().any(|one| one.contains(text));
    assert!(has("notices of exports.here link to 127.0.0.1"), "{warned:#?}");
    assert!(has(&format!("{site}/gone answers 404")), "{warned:#?}");
    assert!(has(&format!("{nobody}/ does not answer: ")), "{warned:#?}");
    let asked = asked.lock().unwrap();
    assert!(asked.iter().any(|line| line.contains("/moved")), "{asked:?}");
    assert!(!asked.iter().any(|line| line.contains("/elsewhere")), "{asked:?}");
}

#[test]
fn links_are_asked_for_without_their_secrets() {
    let (site, asked) = site();
    let host = site.trim_start_matches("http://");
    let links = [
        format!("http://mia:hush@{host}/gone?token=hush"),
        format!("http://{host}/old"),
        "http://169.254.169.254/latest".to_owned(),
        "http://[fe80::1]/latest".to_owned(),
        "ftp://mia:hush@files.example.com/x?token=hush".to_owned(),
    ];
    let config = links
        .iter()
        .enumerate()
        .map(|(place, link)| format!("[exports.e{place}]\nkind = \"webhook\"\nurl = \"{site}\"\nlink = \"{link}\"\n"));
    let naze = Naze::with(configured(&config.collect::<String>()));
    let (_, findings) = examined(&naze);
    assert!(!format!("{findings:?}").contains("hush"), "{findings:#?}");
    let details = |status: &str| -> Vec<String> {
        told(&findings, "links", status).iter().map(|one| one.split(';').next().unwrap().to_owned()).collect()
    };
    let refused = |address: &str| {
        format!("http://{address}/latest was not asked: its address is link-local, which naze does not ask")
    };
    let mut warned = details("warn");
    warned.sort();
    assert_eq!(warned.len(), 4, "{warned:#?}");
    assert!(warned[0].starts_with("1 link of alert rules have no host"), "{warned:#?}");
    assert!(warned[0].ends_with("such as files.example.com/x"), "{warned:#?}");
    assert!(warned.contains(&format!("{site}/gone answers 404 Not Found")), "{warned:#?}");
    assert!(warned.contains(&refused("169.254.169.254")) && warned.contains(&refused("[fe80::1]")), "{warned:#?}");
    let asked = asked.lock().unwrap();
    assert!(!asked.iter().any(|one| one.contains("hush") || one.contains("uthorization")), "{asked:#?}");
    let mut lines: Vec<&str> = asked.iter().filter_map(|one| one.lines().next()).collect();
    lines.sort_unstable();
    assert_eq!(lines, ["GET /old HTTP/1.1", "HEAD /gone HTTP/1.1", "HEAD /old HTTP/1.1"]);
}

/// An Alertmanager with this configuration.
fn alertmanager(original: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.read(&mut [0; 4096]));
            let body = json!({"config": {"original": original}}).to_string();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            drop(stream.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    address
}

/// Newer Alertmanagers hide the URLs of webhooks.
#[test]
fn hidden_receivers_are_told_as_such() {
    let hidden = "route: {receiver: ops}\nreceivers: [{name: \"ops\\nFAILED\", webhook_configs: [{url: <secret>}]}]\n";
    let address = alertmanager(hidden);
    let naze = Naze::with(configured(&format!("[[reconcile.alertmanager]]\nurl = \"{address}\"\n")));
    let (status, findings) = examined(&naze);
    assert_eq!(status, "warn", "{findings:#?}");
    assert!(
        told(&findings, "routes", "warn")[0].contains("it cannot be told whether ops FAILED is naze"),
        "{findings:#?}"
    );
}

#[test]
fn where_alertmanager_sends_is_told_without_secrets() {
    let address = alertmanager(
        "route: {receiver: ops}\n\
         receivers: [{name: ops, webhook_configs: [{url: 'http://mia:hush@naze/hooks/alertmanager?token=hush'}]}]\n",
    );
    let naze = Naze::with(configured(&format!("[[reconcile.alertmanager]]\nurl = \"{address}\"\n")));
    let (_, findings) = examined(&naze);
    let routed = told(&findings, "routes", "ok");
    assert!(routed[0].contains("tells naze (http://naze/hooks/alertmanager) all alerts"), "{findings:#?}");
}

#[test]
fn servers_that_are_too_many_are_named() {
    let closed = crate::prometheus::free_port();
    let servers =
        (0..10).map(|place| format!("[[reconcile.alertmanager]]\nurl = \"http://127.0.0.1:{closed}/{place}\"\n"));
    let naze = Naze::with(configured(&servers.collect::<String>()));
    let (_, findings) = examined(&naze);
    assert_eq!(told(&findings, "alertmanager", "fail").len(), 8, "{findings:#?}");
    let left = format!("8 are asked at most, not http://127.0.0.1:{closed}/8, http://127.0.0.1:{closed}/9; ");
    assert_eq!(told(&findings, "alertmanager", "ok"), [left]);
}

/// Its examination goes on though nobody waits for it, and so no other begins.
#[tokio::test]
async fn one_examination_at_a_time_though_clients_hang_up() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let naze = Naze::with(configured(&format!("[[reconcile.alertmanager]]\nurl = \"http://{address}\"\n")));
    let ask = || naze.router().oneshot(Request::get("/v1/doctor").body(Body::empty()).unwrap());
    // Until the examination asks the silent server, which never answers.
    let held = tokio::select! {
        accepted = silent.accept() => accepted.unwrap(),
        answer = ask() => panic!("{:?}", answer.unwrap().status()),
    };
    assert_eq!(ask().await.unwrap().status(), 503);
    // It is over when the server hangs up.
    drop((held, silent));
    let deadline = Instant::now() + PATIENCE;
    while ask().await.unwrap().status() != 200 {
        assert!(Instant::now() < deadline);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
