//! Notices by e-mail, at a mail server that notes what it is told; trying a channel; and how often the same is told.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::{Value as Json, json};

use super::notices::{bodies, wait_for, webhook};
use super::tool::{Mood, Tool};
use super::{Pusher, ago, eventually};

/// A message as it was handed over.
#[derive(Debug, Clone)]
struct Letter {
    from: String,
    to: Vec<String>,
    login: Option<String>,
    text: String,
}

/// A mail server without TLS, as there is one on many machines.
#[derive(Clone, Default)]
struct PostOffice {
    letters: Arc<Mutex<Vec<Letter>>>,
    /// What the next letters are answered with, in place of "taken".
    answers: Arc<Mutex<VecDeque<&'static str>>>,
}

impl PostOffice {
    fn open() -> (Self, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let office = Self::default();
        let inside = office.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let inside = inside.clone();
                std::thread::spawn(move || inside.serve(&stream.unwrap()));
            }
        });
        (office, port)
    }

    fn serve(&self, stream: &TcpStream) -> Option<()> {
        let mut out = stream;
        let mut lines = BufReader::new(stream).lines();
        let mut letter = Letter { from: String::new(), to: Vec::new(), login: None, text: String::new() };
        out.write_all(b"220 office ESMTP\r\n").ok()?;
        loop {
            let line = lines.next()?.ok()?;
            let answer = match line.split_once([' ', ':']).map_or(line.as_str(), |(verb, _)| verb) {
                "EHLO" => "250-office\r\n250 AUTH PLAIN LOGIN",
                "AUTH" => {
                    letter.login = line.strip_prefix("AUTH PLAIN ").map(str::to_owned);
                    "235 welcome"
                }
                "MAIL" => {
                    letter.from = line;
                    "250 ok"
                }
                "RCPT" => {
                    letter.to.push(line);
                    "250 ok"
                }
                "DATA" => {
                    out.write_all(b"354 go on\r\n").ok()?;
                    loop {
                        let line = lines.next()?.ok()?;
                        if line == "." {
                            break;
                        }
                        letter.text += &format!("{line}\n");
                    }
                    let answer = self.answers.lock().unwrap().pop_front();
                    if answer.is_none() {
                        self.letters.lock().unwrap().push(letter.clone());
                    }
                    answer.unwrap_or("250 taken")
                }
                "QUIT" => "221 bye",
                _ => "502 what?",
            };
            out.write_all(format!("{answer}\r\n").as_bytes()).ok()?;
        }
    }

    #[track_caller]
    fn wait_for(&self, count: usize) -> Vec<Letter> {
        eventually("letters", |letters: &Vec<Letter>| letters.len() >= count, || self.letters.lock().unwrap().clone())
    }
}

fn mail(port: u16) -> String {
    format!(
        "[exports.post]\nkind = \"email\"\nurl = \"smtp://127.0.0.1:{port}\"\nfrom = \"naze <naze@example.com>\"\n\
         to = [\"ops@example.com\", \"Lead <lead@example.com>\"]\nuser = \"naze\"\ntoken = \"sesame\"\n\
         link = \"https://naze.example\"\n"
    )
}

fn andon(status: &str, seconds_ago: i64, reference: &str) -> Json {
    json!({"kind": "andon", "occurredAt": ago(seconds_ago), "component": "line", "status": status, "level": "critical",
        "reference": reference, "cause": "<b>Förderband</b> steht"})
}

/// A header of a message.
fn header<'a>(letter: &'a Letter, name: &str) -> &'a str {
    let line = letter.text.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
    line.unwrap_or_else(|| panic!("{name} is not in {}", letter.text))
}

#[test]
fn a_notice_is_a_letter_and_its_end_answers_it() {
    let (office, port) = PostOffice::open();
    // Not now, and then it is taken.
    office.answers.lock().unwrap().push_back("451 try again");
    let naze = Pusher::new(&mail(port));
    naze.record(&[andon("opened", 60, "a1")]);
    naze.record(&[andon("resolved", 1, "a1")]);
    let letters = office.wait_for(2);
    let (first, end) = (&letters[0], &letters[1]);
    assert!(first.from.contains("<naze@example.com>"), "{first:?}");
    assert_eq!(first.to.len(), 2, "{first:?}");
    assert_eq!(first.login.as_deref(), Some("AG5hemUAc2VzYW1l"), "user and token, in Base64");
    assert_eq!(header(first, "Subject"), "CRITICAL: andon of line");
    assert_eq!(header(end, "Subject"), "RESOLVED: andon of line");
    assert_eq!(header(end, "References"), header(first, "Message-ID"));
    for part in ["text/plain", "text/html", "https://naze.example/receipts/"] {
        assert!(first.text.replace("=\n", "").contains(part), "{part}: {}", first.text);
    }
    // What people wrote is no HTML.
    assert!(!first.text.split("text/html").nth(1).unwrap().contains("<b>F"), "{}", first.text);
    let standing = naze.standing("receipts");
    assert_eq!((&standing["failed"], &standing["sent"]), (&json!(1), &json!(2)), "{standing}");
    assert!(standing["lastProblem"]["message"].as_str().unwrap().contains("451"), "{standing}");
    assert!(!naze.text("/v1/exports").contains("sesame"));
}

#[test]
fn a_letter_that_is_never_taken_costs_the_next_nothing() {
    let (office, port) = PostOffice::open();
    office.answers.lock().unwrap().push_back("554 no");
    let naze = Pusher::new(&mail(port));
    naze.record(&[andon("opened", 60, "a1")]);
    naze.record(&[json!({"kind": "signal", "occurredAt": ago(1), "component": "press", "colour": "red"})]);
    let letters = office.wait_for(1);
    assert_eq!(header(&letters[0], "Subject"), "CRITICAL: signal of press");
    assert_eq!(naze.standing("receipts")["dropped"], 1);
}

#[test]
fn mail_that_cannot_be_sent_is_refused_with_its_key() {
    let whole = mail(25);
    for (from, to, fault) in [
        ("smtp://127.0.0.1:25", "http://127.0.0.1:25", "exports.post.url gives an address that is none"),
        ("naze <naze@example.com>", "naze", "exports.post.from \"naze\" is no address of e-mail"),
        ("ops@example.com", "ops@", "exports.post.to \"ops@\" is no address of e-mail"),
        ("\"ops@example.com\", \"Lead <lead@example.com>\"", "", "exports.post.to is missing"),
        ("kind = \"email\"", "kind = \"webhook\"", "exports.post.url gives an address that is none"),
        ("url = \"smtp://127.0.0.1:25\"\n", "", "exports.post.url is missing"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("naze.toml");
        std::fs::write(&file, whole.replace(from, to)).unwrap();
        let config = naze::config::Config::read(&file).unwrap();
        let error = config.exports["post"].check("post").unwrap_err();
        assert!(error.to_string().contains(fault), "{fault}: {error}");
    }
}

#[test]
fn a_channel_can_be_tried() {
    let (office, port) = PostOffice::open();
    let hook = Tool::start(webhook);
    let config = format!(
        "{}[exports.hook]\nkind = \"webhook\"\nurl = \"{}/alerts\"\n[exports.otel]\nkind = \"otlp\"\nurl = \"{}\"\n",
        mail(port),
        hook.url,
        hook.url
    );
    let naze = Pusher::new(&config);
    let run = |name: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_naze"))
            .args(["exports", "test", name, "--server", &naze.url])
            .output()
            .unwrap();
        (output.status.code(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
    };
    assert_eq!(run("post"), (Some(0), "post took the notice and its end\n".to_owned()));
    let letters = office.wait_for(2);
    assert_eq!(header(&letters[0], "Subject"), "WARNING: Test of naze");
    assert_eq!(header(&letters[1], "Subject"), "RESOLVED: Test of naze");
    assert_eq!(run("hook").0, Some(0));
    let told: Vec<Json> = bodies(&hook, "/alerts").iter().map(|body| body["status"].clone()).collect();
    assert_eq!(told, ["firing", "resolved"]);
    assert_eq!(naze.figure("naze_ledger_entries"), 0.0, "nothing happened, and nothing is recorded");

    hook.will([Mood::Status(500)]);
    let (code, said) = run("hook");
    assert_eq!(code, Some(6), "{said}");
    assert!(said.contains("exports.hook did not take the notice: it answered 500"), "{said}");
    office.answers.lock().unwrap().push_back("535 who are you?");
    let (code, said) = run("post");
    assert!(code == Some(6) && said.contains("check its token and user"), "{code:?} {said}");
    let (code, said) = run("pots");
    assert!(code == Some(4) && said.contains("did you mean post?"), "{code:?} {said}");
    let (code, said) = run("otel");
    assert!(code == Some(2) && said.contains("otlp is told no notices"), "{code:?} {said}");
}

#[test]
fn the_same_is_not_told_again_while_it_cools_down_and_is_afterwards() {
    let hook = Tool::start(webhook);
    let config = format!("[exports.hook]\nkind = \"webhook\"\nurl = \"{}/alerts\"\ncooldown = \"5m\"\n", hook.url);
    let mut naze = Pusher::new(&config);
    // At 0, 2, 4, 6 and 8 minutes: told, not, not, told, not.
    naze.record(&[andon("opened", 800, "a0"), andon("opened", 680, "a2"), andon("resolved", 670, "a2")]);
    naze.record(&[andon("opened", 560, "a4"), andon("opened", 440, "a6"), andon("resolved", 430, "a6")]);
    // What it forgets at a restart it finds again.
    wait_for(&hook, "/alerts", 3);
    naze.stop();
    naze.start();
    naze.record(&[andon("opened", 320, "a8")]);
    let other = json!({"kind": "andon", "occurredAt": ago(300), "component": "press", "status": "opened", "level": "critical",
        "reference": "b0"});
    naze.record(&[other]);
    let all = wait_for(&hook, "/alerts", 4);
    let told: Vec<(&Json, &Json)> =
        all.iter().map(|body| (&body["alerts"][0]["labels"]["component"], &body["status"])).collect();
    let line = json!("line");
    let (firing, resolved, press) = (json!("firing"), json!("resolved"), json!("press"));
    assert_eq!(told, [(&line, &firing), (&line, &firing), (&line, &resolved), (&press, &firing)]);
    for (place, seconds) in [(0, 800), (1, 440)] {
        let begun: chrono::DateTime<chrono::Utc> =
            all[place]["alerts"][0]["startsAt"].as_str().unwrap().parse().unwrap();
        let off = (chrono::Utc::now() - begun).num_seconds() - seconds;
        assert!((0..100).contains(&off), "{place}: {begun}");
    }
}
