//! What thresholds would have done in the past week, and whether links lead anywhere.

use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use naze::clock::Timestamp;
use naze::config::Config;
use serde_json::{Value as Json, json};

use super::told;
use crate::common::{NOW, Naze};

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

/// Answers `302` for `/moved`, `404` for `/gone` and `200` for all else; and what it was asked for.
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
            let line = String::from_utf8_lossy(&request[..read]).lines().next().unwrap_or_default().to_owned();
            let status = match line.split(' ').nth(1) {
                Some("/moved") => "302 Found\r\nLocation: /elsewhere",
                Some("/gone") => "404 Not Found",
                _ => "200 OK",
            };
            seen.lock().unwrap().push(line);
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

/// Newer Alertmanagers hide the URLs of webhooks.
#[test]
fn hidden_receivers_are_told_as_such() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            drop(stream.read(&mut [0; 4096]));
            let original = "route: {receiver: ops}\nreceivers: [{name: ops, webhook_configs: [{url: <secret>}]}]\n";
            let body = json!({"config": {"original": original}}).to_string();
            let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
            drop(stream.write_all(format!("{head}{body}").as_bytes()));
        }
    });
    let naze = Naze::with(configured(&format!("[[reconcile.alertmanager]]\nurl = \"{address}\"\n")));
    let (status, findings) = examined(&naze);
    assert_eq!(status, "warn", "{findings:#?}");
    assert!(told(&findings, "routes", "warn")[0].contains("it cannot be told whether ops is naze"), "{findings:#?}");
}
