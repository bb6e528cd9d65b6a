//! What only a socket can show: senders that break off, trickle, or speak something else.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::{Value as Json, json};

use crate::common::{LOOPBACK, Program, serve};

struct Listening {
    _program: Program,
    _folder: tempfile::TempDir,
    url: String,
}

impl Listening {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("naze.toml"), "[limits]\nrequest_seconds = 1\nbody_bytes_max = 100000\n")
            .unwrap();
        let (program, url) = serve(folder.path(), LOOPBACK);
        Self { _program: program, _folder: folder, url }
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.url.trim_start_matches("http://")).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        stream
    }

    /// Sends `bytes` and reads all that is answered; who breaks off says that no more will come.
    fn say(&self, bytes: &[u8], breaks_off: bool) -> String {
        let mut stream = self.connect();
        // The server may have answered and closed before it was told everything.
        drop(stream.write_all(bytes));
        if breaks_off {
            drop(stream.shutdown(Shutdown::Write));
        }
        let mut answer = Vec::new();
        drop(stream.read_to_end(&mut answer));
        String::from_utf8(answer).unwrap()
    }

    fn recorded(&self) -> Json {
        let url = format!("{}/v1/queries/failure_types?from=2026-03-10T00:00:00Z&to=2026-03-11T00:00:00Z", self.url);
        let reply = reqwest::blocking::get(url).unwrap();
        let json: Json = serde_json::from_slice(&reply.bytes().unwrap()).unwrap();
        json["rows"].as_array().unwrap().iter().map(|row| row["failureType"].clone()).collect()
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or("closed")
}

const HEAD: &str =
    "POST /v1/receipts HTTP/1.1\r\nHost: naze\r\nContent-Type: application/json\r\nConnection: close\r\n";

fn failure(of: &str) -> String {
    json!({"kind": "failure", "occurredAt": "2026-03-10T10:00:00Z", "component": "checkout", "failureType": of})
        .to_string()
}

#[test]
fn a_broken_request_is_refused_and_nothing_of_it_is_recorded() {
    let naze = Listening::start();
    let half = failure("Half");
    let half = &half[..half.len() - 5];
    let large = failure(&"x".repeat(200_000));
    let many_headers: String = (0..500).map(|n| format!("X-{n}: {n}\r\n")).collect();
    let requests = [
        ("another protocol", "\x16\x03\x01\x02\x00\x01\x00\x01".to_owned(), "400"),
        ("no request", "naze, why?\r\n\r\n".to_owned(), "400"),
        ("half a head", HEAD.to_owned(), "closed"),
        ("too many headers", format!("{HEAD}{many_headers}\r\n"), "431"),
        ("half a body", format!("{HEAD}Content-Length: 500\r\n\r\n{half}"), "400"),
        ("no end of chunks", format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{half}\r\n", half.len()), "400"),
        ("no size of a chunk", format!("{HEAD}Transfer-Encoding: chunked\r\n\r\nzz\r\n{half}\r\n0\r\n\r\n"), "400"),
        (
            "too large a body in chunks",
            format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n{:x}\r\n{large}\r\n0\r\n\r\n", large.len()),
            "413",
        ),
        ("a length that is no number", format!("{HEAD}Content-Length: much\r\n\r\n{half}"), "400"),
        ("a wrong length", format!("{HEAD}Content-Length: {}\r\n\r\n{half}", half.len()), "400"),
    ];
    for (name, request, expected) in requests {
        let answer = naze.say(request.as_bytes(), name.starts_with("half") || name.starts_with("no end"));
        assert_eq!(status(&answer), expected, "{name}: {answer}");
    }
    assert_eq!(naze.recorded(), json!([]));
    let good = failure("Good");
    let answer = naze.say(format!("{HEAD}Content-Length: {}\r\n\r\n{good}", good.len()).as_bytes(), false);
    assert_eq!(status(&answer), "201", "{answer}");
    assert_eq!(naze.recorded(), json!(["Good"]));
}

#[test]
fn a_body_that_trickles_is_given_up_while_others_are_served() {
    let naze = Listening::start();
    let mut slow = naze.connect();
    slow.write_all(format!("{HEAD}Content-Length: 500\r\n\r\n{{").as_bytes()).unwrap();
    let good = failure("Good");
    let answer = naze.say(format!("{HEAD}Content-Length: {}\r\n\r\n{good}", good.len()).as_bytes(), false);
    assert_eq!(status(&answer), "201", "{answer}");
    // Nothing more is sent: the answer comes when the time for a request is up.
    let mut head = [0; 12];
    slow.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"HTTP/1.1 503");
    assert_eq!(naze.recorded(), json!(["Good"]));
}

/// One JSON object a line, with the trace that the sender of a request follows.
#[test]
fn the_log_is_json_when_asked_for_with_the_trace_of_the_request() {
    use std::io::BufRead as _;
    let folder = tempfile::tempdir().unwrap();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_naze"))
        .args(["serve", "--listen", crate::common::LOOPBACK, "--data"])
        .arg(folder.path().join("naze"))
        .env("NAZE_LOG", "naze=debug")
        .env("NAZE_LOG_FORMAT", "json")
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = std::io::BufReader::new(child.stderr.take().unwrap()).lines();
    let _program = crate::common::Program(child);
    let mut log = lines.map(|line| serde_json::from_str::<serde_json::Value>(&line.unwrap()).unwrap());
    let address = log.find_map(|line| line["address"].as_str().map(str::to_owned)).unwrap();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let request = reqwest::blocking::Client::new().get(format!("http://{address}/healthz"));
    request.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01")).send().unwrap();
    let answered = log.find(|line| line["message"] == "answered").unwrap();
    assert_eq!((&answered["level"], &answered["status"]), (&"DEBUG".into(), &200.into()));
    let told = &answered["span"];
    assert_eq!((&told["trace_id"], &told["span_id"]), (&trace.into(), &"b7ad6b7169203331".into()), "{answered}");
}
