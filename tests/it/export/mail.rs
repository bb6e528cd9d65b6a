//! Notices by e-mail, at a mail server that notes what it is told; trying a channel; and how often the same is told.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use naze::clock::{Clock, Timestamp};
use naze::config::Config;
use naze::engine::Engine;
use naze::export::push::Signal;
use serde_json::{Value as Json, json};

use super::notices::{ENQUEUE, KEY, bodies, pagerduty, wait_for, webhook};
use super::tool::{Mood, Tool};
use super::{Pusher, ago, eventually};
use crate::common::Naze;

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
    /// What the next callers hear, in place of a greeting.
    greetings: Arc<Mutex<VecDeque<&'static str>>>,
    /// Whom it does not know.
    unknown: Arc<Mutex<Option<&'static str>>>,
    /// Whose box is full.
    full: Arc<Mutex<Option<&'static str>>>,
}

impl PostOffice {
    fn open() -> (Self, u16) {
        Self::at(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    fn at(listener: TcpListener) -> (Self, u16) {
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
        let greeting = self.greetings.lock().unwrap().pop_front().unwrap_or("220 office ESMTP");
        out.write_all(format!("{greeting}\r\n").as_bytes()).ok()?;
        loop {
            let line = lines.next()?.ok()?;
            let answer = match line.split_once([' ', ':']).map_or(line.as_str(), |(verb, _)| verb) {
                "EHLO" => "250-office\r\n250 AUTH PLAIN LOGIN",
                "AUTH" => {
                    letter.login = line.strip_prefix("AUTH PLAIN ").map(str::to_owned);
                    "235 welcome"
                }
                "MAIL" => {
                    letter = Letter { from: line, login: letter.login, to: Vec::new(), text: String::new() };
                    "250 ok"
                }
                "RCPT" if self.unknown.lock().unwrap().is_some_and(|unknown| line.contains(unknown)) => {
                    "550 no such user here"
                }
                "RCPT" if self.full.lock().unwrap().is_some_and(|full| line.contains(full)) => "452 mailbox full",
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
    let letters = office.wait_for(4);
    // Whoever has it does not get it again with the one that waited.
    let to: Vec<&str> = letters.iter().map(|letter| letter.to.join(" ").leak() as &str).collect();
    let (ops, lead) = ("RCPT TO:<ops@example.com>", "RCPT TO:<lead@example.com>");
    assert_eq!(to, [lead, ops, ops, lead]);
    let (first, end) = (&letters[0], &letters[2]);
    assert!(first.from.contains("<naze@example.com>"), "{first:?}");
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
    office.answers.lock().unwrap().extend(["554 no", "554 no"]);
    let naze = Pusher::new(&mail(port));
    naze.record(&[andon("opened", 60, "a1")]);
    naze.record(&[json!({"kind": "signal", "occurredAt": ago(1), "component": "press", "colour": "red"})]);
    let letters = office.wait_for(1);
    assert_eq!(header(&letters[0], "Subject"), "CRITICAL: signal of press");
    assert_eq!(naze.standing("receipts")["dropped"], 1);
}

#[test]
fn a_recipient_that_is_unknown_costs_the_others_nothing() {
    let (office, port) = PostOffice::open();
    *office.unknown.lock().unwrap() = Some("ops@");
    let naze = Pusher::new(&mail(port));
    naze.record(&[andon("opened", 60, "a1")]);
    naze.record(&[andon("resolved", 1, "a1")]);
    let letters = office.wait_for(2);
    for (letter, subject) in letters.iter().zip(["CRITICAL: andon of line", "RESOLVED: andon of line"]) {
        assert_eq!((&*letter.to, header(letter, "Subject")), (&["RCPT TO:<lead@example.com>".to_owned()][..], subject));
    }
    let is_sent = |standing: &Json| standing["sent"] == 2;
    let standing = eventually("both", is_sent, || naze.standing("receipts"));
    assert_eq!((&standing["failed"], &standing["dropped"]), (&json!(0), &json!(0)), "{standing}");
    let problem = standing["lastProblem"]["message"].as_str().unwrap();
    assert!(problem.contains("ops@example.com: it answered 550"), "{problem}");
}

#[test]
fn a_mailbox_that_is_full_for_long_costs_the_others_nothing() {
    let (office, port) = PostOffice::open();
    *office.full.lock().unwrap() = Some("lead@");
    let naze = Pusher::new(&format!("{}patience = \"2s\"\n", mail(port)));
    naze.record(&[andon("opened", 60, "a1")]);
    naze.record(&[andon("resolved", 1, "a1")]);
    let letters = office.wait_for(2);
    for (letter, subject) in letters.iter().zip(["CRITICAL: andon of line", "RESOLVED: andon of line"]) {
        assert_eq!((&*letter.to, header(letter, "Subject")), (&["RCPT TO:<ops@example.com>".to_owned()][..], subject));
    }
    let standing = eventually("both", |standing: &Json| standing["sent"] == 2, || naze.standing("receipts"));
    assert_eq!(standing["dropped"], 0, "{standing}");
    let problem = standing["lastProblem"]["message"].as_str().unwrap();
    assert!(problem.contains("lead@example.com: it answered 452"), "{problem}");
    // Once there is room again, nothing is passed over.
    *office.full.lock().unwrap() = None;
    naze.record(&[andon("opened", 0, "a2")]);
    office.wait_for(4);
    // What nobody takes is sent again, for longer than that.
    *office.full.lock().unwrap() = Some("@");
    naze.record(&[andon("resolved", 0, "a2")]);
    let failed = standing["failed"].as_u64().unwrap();
    eventually(
        "tries",
        |failed_now: &u64| *failed_now > failed + 2,
        || naze.standing("receipts")["failed"].as_u64().unwrap(),
    );
    *office.full.lock().unwrap() = None;
    office.wait_for(6);
    assert_eq!(naze.standing("receipts")["dropped"], 0);
}

#[test]
fn a_server_that_does_not_greet_is_asked_again() {
    let (office, port) = PostOffice::open();
    office.greetings.lock().unwrap().push_back("554 no mail today");
    let naze = Pusher::new(&mail(port));
    naze.record(&[andon("opened", 60, "a1")]);
    office.wait_for(2);
    let standing = naze.standing("receipts");
    assert_eq!((&standing["failed"], &standing["dropped"]), (&json!(1), &json!(0)), "{standing}");
}

#[test]
fn a_server_on_this_machine_is_here_by_ipv6_too() {
    let listener = match TcpListener::bind("[::1]:0") {
        Ok(listener) => listener,
        Err(error) => return eprintln!("skipped: this machine has no IPv6: {error}"),
    };
    let (office, port) = PostOffice::at(listener);
    let naze = Pusher::new(&mail(port).replace("127.0.0.1", "[::1]"));
    naze.record(&[andon("opened", 60, "a1")]);
    office.wait_for(2);
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
        ("smtp://", "smtp://me@", "exports.post.url has a user or a password in it"),
        ("smtp://", "smtps://:pw@", "exports.post.url has a user or a password in it"),
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
    let (hook, pager) = (Tool::start(webhook), Tool::start(pagerduty));
    let config = format!(
        "{}[exports.hook]\nkind = \"webhook\"\nurl = \"{}/alerts\"\n[exports.otel]\nkind = \"otlp\"\nurl = \"{}\"\n\
         [exports.pager]\nkind = \"pagerduty\"\nurl = \"{}\"\ntoken = \"{KEY}\"\n",
        mail(port),
        hook.url,
        hook.url,
        pager.url
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
    let letters = office.wait_for(4);
    let subjects: Vec<&str> = letters.iter().map(|letter| header(letter, "Subject")).collect();
    let (warning, resolved) = ("WARNING: Test of naze", "RESOLVED: Test of naze");
    assert_eq!(subjects, [warning, warning, resolved, resolved]);
    assert_eq!(run("hook").0, Some(0));
    let bodies = bodies(&hook, "/alerts");
    let told: Vec<&Json> = bodies.iter().map(|body| &body["status"]).collect();
    assert_eq!(told, ["firing", "resolved"]);
    assert_eq!(bodies[0]["alerts"][0]["fingerprint"], bodies[1]["alerts"][0]["fingerprint"]);
    assert_eq!(run("pager").0, Some(0));
    let events = wait_for(&pager, ENQUEUE, 2);
    assert_eq!((&events[0]["event_action"], &events[1]["event_action"]), (&json!("trigger"), &json!("resolve")));
    assert_eq!(events[0]["dedup_key"], events[1]["dedup_key"]);
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
    // At 0, 2, 4, 6 and 8 minutes: told, not, not, told for the one before too, and not before it had cooled down.
    naze.record(&[andon("opened", 800, "a0"), andon("opened", 680, "a2"), andon("resolved", 670, "a2")]);
    naze.record(&[andon("opened", 560, "a4"), andon("opened", 440, "a6"), andon("resolved", 430, "a6")]);
    // It knows after a restart what it told before.
    wait_for(&hook, "/alerts", 3);
    naze.stop();
    naze.start();
    naze.record(&[andon("opened", 320, "a8")]);
    wait_for(&hook, "/alerts", 4);
    let other = json!({"kind": "andon", "occurredAt": ago(300), "component": "press", "status": "opened", "level": "critical",
        "reference": "b0"});
    naze.record(&[other]);
    let all = wait_for(&hook, "/alerts", 5);
    let told: Vec<(&Json, &Json)> =
        all.iter().map(|body| (&body["alerts"][0]["labels"]["component"], &body["status"])).collect();
    let line = json!("line");
    let (firing, resolved, press) = (json!("firing"), json!("resolved"), json!("press"));
    let line = |status| (&line, status);
    assert_eq!(told, [line(&firing), line(&firing), line(&resolved), line(&firing), (&press, &firing)]);
    for (place, seconds) in [(0, 800), (1, 440), (3, 320)] {
        let begun: chrono::DateTime<chrono::Utc> =
            all[place]["alerts"][0]["startsAt"].as_str().unwrap().parse().unwrap();
        let off = (chrono::Utc::now() - begun).num_seconds() - seconds;
        assert!((0..100).contains(&off), "{place}: {begun}");
    }
}

/// Also when naze is restarted meanwhile; and of what has ended by then nobody hears.
#[test]
fn what_goes_on_when_it_has_cooled_down_is_told_then() {
    let hook = Tool::start(webhook);
    let mut naze =
        Pusher::new(&format!("[exports.hook]\nkind = \"webhook\"\nurl = \"{}/alerts\"\ncooldown = \"8s\"\n", hook.url));
    let of = |component: &str, status: &str, at: &str, reference: &str| {
        json!({"kind": "andon", "occurredAt": at, "component": component, "status": status, "level": "critical",
            "reference": reference})
    };
    let times = [3, 2, 1].map(ago);
    let first = ["line", "press"].map(|component| of(component, "opened", &times[0], "first"));
    naze.record(&first);
    wait_for(&hook, "/alerts", 2);
    naze.record(&[
        of("press", "opened", &times[1], "second"),
        of("line", "opened", &times[1], "second"),
        of("line", "opened", &times[2], "third"),
        of("press", "resolved", &times[2], "second"),
    ]);
    eventually("all are read", |standing: &Json| standing["waiting"] == 0, || naze.standing("receipts"));
    naze.stop();
    naze.start();
    wait_for(&hook, "/alerts", 3);
    naze.record(&[of("line", "resolved", &ago(0), "second"), of("oven", "opened", &ago(0), "marker")]);
    let all = wait_for(&hook, "/alerts", 5);
    let told: Vec<String> = all
        .iter()
        .map(|body| {
            format!(
                "{} {}",
                body["alerts"][0]["labels"]["component"].as_str().unwrap(),
                body["status"].as_str().unwrap()
            )
        })
        .collect();
    assert_eq!(told, ["line firing", "press firing", "line firing", "line resolved", "oven firing"]);
    let of_line: Vec<&Json> = [0, 2, 3].map(|place| &all[place]["alerts"][0]["fingerprint"]).to_vec();
    assert!(of_line[0] != of_line[1] && of_line[1] == of_line[2], "{of_line:?}");
}

#[test]
fn what_became_too_old_while_it_waited_is_not_sent() {
    let hook = Tool::start(webhook);
    hook.will([Mood::Status(500), Mood::Status(500)]);
    let naze = Pusher::new(&format!("[exports.hook]\nkind = \"webhook\"\nurl = \"{}/alerts\"\n", hook.url));
    // Tried now and after a second; the third try is three seconds from now at least.
    let cord =
        |seconds: i64| json!({"kind": "signal", "occurredAt": ago(seconds), "component": "line", "colour": "red"});
    naze.record(&[cord(86_400 - 2), cord(1)]);
    let told = wait_for(&hook, "/alerts", 1);
    let begun: Timestamp = told[0]["alerts"][0]["startsAt"].as_str().unwrap().parse().unwrap();
    assert!(Clock::System.now().since(begun) < TimeDelta::hours(1), "{begun}");
    let standing = eventually("it", |standing: &Json| standing["sent"] == 1, || naze.standing("receipts"));
    assert_eq!((&standing["dropped"], &standing["waiting"]), (&json!(1), &json!(0)), "{standing}");
}

#[test]
fn a_cooldown_holds_however_long_a_row_lasts() {
    let (short, long) = (Tool::start(webhook), Tool::start(webhook));
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("naze.toml");
    let hook = |name: &str, tool: &Tool, cooldown: &str| {
        format!("[exports.{name}]\nkind = \"webhook\"\nurl = \"{}/alerts\"\ncooldown = \"{cooldown}\"\n", tool.url)
    };
    let exports = [hook("short", &short, "10m"), hook("long", &long, "36h")].concat();
    std::fs::write(&file, format!("default_thresholds = false\nrecord_recommendations = false\n{exports}")).unwrap();
    let begin: Timestamp = "2026-03-10T00:00:00Z".parse().unwrap();
    let after = |minutes: i64| begin.checked_add(TimeDelta::minutes(minutes)).unwrap();
    // Two days, an andon every four minutes; naze is restarted in between.
    for day in 0..2 {
        let config = Config { data: Some(folder.path().join("data")), ..Config::read(&file).unwrap() };
        let engine = Engine::open(config, Clock::Fixed(after((day + 1) * 1_440))).unwrap();
        let pushing = naze::export::push::start(&engine).unwrap();
        // The second of all has gone on for longer than any cooldown when naze is started again.
        wait_for(&long, "/alerts", usize::try_from(day).unwrap() * 2);
        let andons: Vec<Json> = (day * 360..(day + 1) * 360)
            .map(|number| {
                json!({"kind": "andon", "occurredAt": after(number * 4), "component": "line", "status": "opened",
                    "level": "critical", "reference": format!("a{number}")})
            })
            .collect();
        let recorded =
            Naze::of(Arc::clone(&engine)).post("/v1/receipts", "application/json", json!(andons).to_string());
        assert!(recorded.status.is_success(), "{}", recorded.text());
        // The day's last two are held back; the one has cooled down when the day is over, and speaks for the other.
        let expected = [121, 241][usize::try_from(day).unwrap()];
        wait_for(&short, "/alerts", expected);
        let left = |left: &u64| *left == 0;
        eventually("all", left, || {
            let standings = engine.exports().standings();
            standings.iter().filter(|one| one.signal == Signal::Receipts).map(|one| one.waiting).sum::<u64>()
        });
        pushing.stop();
    }
    let told = |tool: &Tool| -> Vec<Timestamp> {
        let bodies = bodies(tool, "/alerts");
        bodies.iter().map(|body| body["alerts"][0]["startsAt"].as_str().unwrap().parse().unwrap()).collect()
    };
    let day = |numbers: std::ops::Range<i64>, last: i64| numbers.map(|number| number * 12).chain([last]);
    // What was told at the end of the first day holds for the first of the second.
    assert_eq!(told(&short), day(0..120, 1_432).chain(day(121..240, 2_872)).map(after).collect::<Vec<_>>());
    assert_eq!(told(&long), [begin, after(4)]);
}
