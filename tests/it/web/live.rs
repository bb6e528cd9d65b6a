//! What comes in is told to those who watch.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt as _;
use serde_json::{Value as Json, json};
use tower::ServiceExt as _;

use crate::common::{LOOPBACK, Naze, serve};

/// A client that speaks HTTP by hand and reads events.
struct Watcher(BufReader<TcpStream>);

/// An event as it came over the wire.
#[derive(Debug, PartialEq)]
struct Event {
    name: String,
    id: String,
    data: Json,
}

impl Watcher {
    fn at(url: &str, last: Option<&str>) -> Self {
        let address = url.strip_prefix("http://").unwrap();
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        let last = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        write!(stream, "GET /live HTTP/1.1\r\nHost: {address}\r\nAccept: text/event-stream\r\n{last}\r\n").unwrap();
        let mut watcher = Self(BufReader::new(stream));
        let head: Vec<String> = std::iter::from_fn(|| Some(watcher.line()).filter(|line| !line.is_empty())).collect();
        assert_eq!(head[0], "HTTP/1.1 200 OK", "{head:?}");
        assert!(head.iter().any(|line| line.eq_ignore_ascii_case("content-type: text/event-stream")), "{head:?}");
        watcher
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.0.read_line(&mut line).unwrap(), 0, "the server closed the connection");
        line.trim_end().to_owned()
    }

    /// The next event; sizes of chunks and comments are passed over.
    fn event(&mut self) -> Event {
        let (mut name, mut id, mut data) = (String::new(), String::new(), None);
        loop {
            let line = self.line();
            match line.split_once(": ") {
                Some(("event", text)) => text.clone_into(&mut name),
                Some(("id", text)) => text.clone_into(&mut id),
                Some(("data", text)) => data = Some(serde_json::from_str(text).unwrap()),
                _ if line.is_empty() && data.is_some() => return Event { name, id, data: data.unwrap() },
                _ => {}
            }
        }
    }
}

fn failure(number: usize) -> Json {
    json!({"kind": "failure", "occurredAt": format!("2026-03-10T10:00:{number:02}Z"), "component": "web",
        "failureType": "Timeout", "message": format!("<b>{number}</b>")})
}

fn record(url: &str, receipts: &Json) {
    let request = reqwest::blocking::Client::new().post(format!("{url}/v1/receipts"));
    let reply = request.header("content-type", "application/json").body(receipts.to_string()).send().unwrap();
    assert_eq!(reply.status().as_u16(), 201);
}

#[test]
fn a_watcher_hears_of_receipts_once_and_after_a_break_of_what_it_missed() {
    let folder = tempfile::tempdir().unwrap();
    let (_program, url) = serve(folder.path(), LOOPBACK);
    let mut watcher = Watcher::at(&url, None);
    assert_eq!(watcher.event(), Event { name: "hello".into(), id: "0".into(), data: json!({"entries": 0}) });
    record(&url, &json!([failure(1), failure(2)]));
    let event = watcher.event();
    assert_eq!((&*event.name, &*event.id, &event.data["new"]), ("receipts", "2", &json!(2)));
    let first = &event.data["receipts"][0];
    assert_eq!((&first["kind"], &first["component"]), (&json!("failure"), &json!("web")));
    assert!(first["title"].as_str().unwrap().contains("<b>1</b>"), "{first}");
    // What was there already is no news.
    record(&url, &json!([failure(2), failure(3)]));
    let event = watcher.event();
    assert_eq!((&*event.id, &event.data["new"]), ("3", &json!(1)));
    drop(watcher);
    record(&url, &json!((10..40).map(failure).collect::<Vec<_>>()));
    let mut again = Watcher::at(&url, Some("3"));
    assert_eq!(again.event().id, "3");
    let missed = again.event();
    assert_eq!((&*missed.id, &missed.data["new"]), ("33", &json!(30)));
    let newest = missed.data["receipts"].as_array().unwrap();
    assert_eq!(newest.len(), 10, "of many the newest are told");
    assert!(newest[9]["title"].as_str().unwrap().contains("<b>39</b>"), "{missed:?}");
}

#[test]
fn watchers_end_when_naze_stops() {
    let folder = tempfile::tempdir().unwrap();
    let (mut program, url) = serve(folder.path(), LOOPBACK);
    let mut watcher = Watcher::at(&url, None);
    watcher.event();
    let stopped_at = std::time::Instant::now();
    let process = rustix::process::Pid::from_child(&program.0);
    rustix::process::kill_process(process, rustix::process::Signal::TERM).unwrap();
    assert!(program.0.wait().unwrap().success());
    assert!(stopped_at.elapsed() < Duration::from_secs(15), "a watcher held it up for {:?}", stopped_at.elapsed());
}

#[test]
fn watchers_are_bounded_and_one_that_takes_nothing_loses_its_place() {
    let naze = Naze::in_memory();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let watch = || {
        let request = Request::get("/live").body(Body::empty()).unwrap();
        runtime.block_on(naze.router().oneshot(request)).unwrap()
    };
    let mut watchers: Vec<_> = (0..64).map(|_| watch()).collect();
    assert!(watchers.iter().all(|watcher| watcher.status() == StatusCode::OK));
    assert_eq!(watch().status(), StatusCode::SERVICE_UNAVAILABLE);
    // A place is free again when its client goes.
    drop(watchers.pop());
    let until = std::time::Instant::now() + Duration::from_secs(10);
    let free = || loop {
        let reply = watch();
        if reply.status() == StatusCode::OK {
            return reply;
        }
        assert!(std::time::Instant::now() < until + Duration::from_secs(30), "no place becomes free");
        std::thread::sleep(Duration::from_millis(50));
    };
    watchers.push(free());
    // All but one take nothing while much comes in: they lose their places, and the one hears everything.
    let mut reader = watchers.pop().unwrap().into_body();
    let mut heard = 0;
    for number in 0..4 {
        naze.record(&json!([failure(number)]));
        while heard <= number {
            let frame = runtime.block_on(reader.frame()).unwrap().unwrap().into_data().unwrap();
            let text = String::from_utf8(frame.to_vec()).unwrap();
            let id = text.lines().find_map(|line| line.strip_prefix("id: "));
            heard = id.map_or(heard, |id| id.parse().unwrap());
        }
    }
    watchers.push(free());
}
