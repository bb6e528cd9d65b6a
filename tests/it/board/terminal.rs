//! What the terminal shows: `naze health`, `status`, `watch` and `component`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use chrono::{SecondsFormat, TimeDelta, Utc};
use serde_json::{Value as Json, json};

use crate::cli::{naze, text};
use crate::common::{LOOPBACK, Program, serve};

const PATIENCE: Duration = Duration::from_secs(30);

/// A receipt of some minutes ago, by the machine's clock.
fn ago(minutes: i64, kind: &str, component: &str, more: Json) -> Json {
    let at = (Utc::now() - TimeDelta::minutes(minutes)).to_rfc3339_opts(SecondsFormat::Secs, true);
    let mut receipt = json!({"kind": kind, "occurredAt": at, "component": component});
    let Json::Object(more) = more else { panic!("{more} is no object") };
    receipt.as_object_mut().unwrap().extend(more);
    receipt
}

fn record(data: &Path, receipts: &Json) {
    let file = data.with_extension("json");
    std::fs::write(&file, receipts.to_string()).unwrap();
    let done = naze(&["record", "--data", data.to_str().unwrap(), file.to_str().unwrap()]);
    assert!(done.status.success(), "{}{}", text(&done.stdout), text(&done.stderr));
}

fn outage() -> Vec<Json> {
    vec![
        ago(90, "deployment", "payment", json!({"status": "succeeded", "version": "2"})),
        ago(30, "circuit", "payment", json!({"state": "open", "reason": "timeouts"})),
        ago(
            29,
            "alert",
            "payment",
            json!({"name": "Down", "status": "firing", "severity": "critical", "summary": "it is down"}),
        ),
    ]
}

#[test]
fn the_exit_code_of_health_says_how_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let health = |format: &str| naze(&["health", "--data", data.to_str().unwrap(), "--format", format]);
    assert_eq!(health("table").status.code(), Some(12), "nothing is known");
    let closed = ago(60, "circuit", "payment", json!({"state": "closed"}));
    record(&data, &json!([closed]));
    let good = health("json");
    assert_eq!(good.status.code(), Some(0), "{}", text(&good.stdout));
    assert_eq!(serde_json::from_slice::<Json>(&good.stdout).unwrap()["status"], "healthy");
    record(&data, &json!([ago(1, "circuit", "payment", json!({"state": "half_open"}))]));
    assert_eq!(health("table").status.code(), Some(10));
    record(&data, &json!(outage()));
    record(&data, &json!([ago(0, "circuit", "payment", json!({"state": "open"}))]));
    let bad = health("table");
    let printed = text(&bad.stdout);
    assert_eq!(bad.status.code(), Some(11), "{printed}");
    for told in
        ["unhealthy: ", "its circuit is open", "band ", "first: a component is failing: fix the component, then resume"]
    {
        assert!(printed.contains(told), "{told}: {printed}");
    }
}

#[test]
fn status_says_on_one_screen_what_is_red_why_since_when_and_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let mut receipts = outage();
    for number in 0..40 {
        let name = format!("Alert{number} \u{1b}[31mred\u{1b}]0;title\u{7} {}", "日本語".repeat(10));
        let fired = json!({"name": name, "status": "firing", "severity": "warning"});
        receipts.push(ago(
            number + 1,
            "alert",
            &format!("{}-{number}", "a-very-long-name-of-a-component".repeat(2)),
            fired,
        ));
    }
    record(&data, &receipts.into());
    let status = naze(&["status", "--data", data.to_str().unwrap()]);
    assert!(status.status.success(), "{}", text(&status.stderr));
    let printed = text(&status.stdout);
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines.len() <= 23, "{} lines:\n{printed}", lines.len());
    for line in &lines {
        let wide: usize = line.chars().map(|c| if c.is_ascii() || c == '…' { 1 } else { 2 }).sum();
        assert!(wide <= 80, "{wide} columns: {line}");
    }
    assert!(!printed.contains(['\u{1b}', '\u{7}']), "{printed:?}");
    for told in [
        "UNHEALTHY",
        "its circuit is open",
        "first  a component is failing: fix the component, then resume",
        "jidoka    red    100 %",
        "red > 30 %",
        "kanban    grey   no data",
        "unhealthy payment",
        "its circuit is open; alert Down",
        "do     [P1] ",
        "more",
        "new    deployment payment",
        "2 succeeded",
        "last receipt",
    ] {
        assert!(printed.contains(told), "{told}:\n{printed}");
    }
    assert!(printed.ends_with('\n'));
}

#[test]
fn an_empty_naze_says_that_nothing_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let status = naze(&["status", "--data", folder.path().join("data").to_str().unwrap()]);
    let printed = text(&status.stdout);
    assert!(printed.starts_with("UNKNOWN    no score"), "{printed}");
    assert!(
        printed.contains("first  find out why there is no data") && printed.contains("open   nothing"),
        "{printed}"
    );
    assert_eq!(printed.matches("no data").count(), 7, "{printed}");
}

#[test]
fn a_component_is_shown_with_its_lists() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    record(&data, &json!(outage()));
    let data = data.to_str().unwrap();
    let shown = naze(&["component", "payment", "--data", data]);
    let printed = text(&shown.stdout);
    assert!(printed.starts_with("payment is unhealthy: its circuit is open"), "{printed}");
    for list in ["openIncidents\n", "openAlerts\n", "circuit\n", "changes\n"] {
        assert!(printed.contains(list), "{list}: {printed}");
    }
    let listed = text(&naze(&["component", "--data", data]).stdout);
    assert!(listed.contains("| payment   | unhealthy |"), "{listed}");
    assert_eq!(naze(&["component", "nobody", "--data", data]).status.code(), Some(4));
}

/// A running naze with an outage, and where it listens.
fn running(folder: &Path) -> (Program, String) {
    std::fs::write(folder.join("naze.toml"), "[metrics]\ncache_seconds = 0\n").unwrap();
    let (server, address) = serve(folder, LOOPBACK);
    post(&address, &json!(outage()));
    (server, address)
}

fn post(address: &str, receipts: &Json) {
    let client = reqwest::blocking::Client::new();
    let sent = client.post(format!("{address}/v1/receipts")).json(receipts).send().unwrap();
    assert!(sent.status().is_success(), "{}", sent.text().unwrap());
}

#[test]
fn without_a_terminal_watch_tells_a_line_for_each_change() {
    let folder = tempfile::tempdir().unwrap();
    let (mut server, address) = running(folder.path());
    let child = Command::new(env!("CARGO_BIN_EXE_naze"))
        .args(["watch", "--every", "1", "--server", &address])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut watch = Program(child);
    let (sender, lines) = channel();
    let out = BufReader::new(watch.0.stdout.take().unwrap());
    std::thread::spawn(move || out.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    let mut seen = Vec::new();
    wait_for(&lines, &mut seen, "status: unhealthy (");
    assert!(seen.iter().any(|line| line.contains("Z alert payment Down: fires")), "{seen:#?}");
    assert!(!seen.iter().any(|line| line.contains('\u{1b}')), "{seen:#?}");
    let before = seen.len();
    post(&address, &json!([ago(0, "circuit", "payment", json!({"state": "closed"}))]));
    wait_for(&lines, &mut seen, "principle jidoka: red -> green");
    post(
        &address,
        &json!([ago(0, "alert", "payment", json!({"name": "Down", "status": "resolved", "severity": "critical"}))]),
    );
    wait_for(&lines, &mut seen, "alert payment Down: over");
    assert!(
        seen[before..].iter().any(|line| line.contains("component payment: unhealthy (its circuit is open")),
        "{seen:#?}"
    );
    server.kill();
    wait_for(&lines, &mut seen, "naze: cannot talk to naze");
    interrupt(&watch.0);
    assert!(ended(&mut watch.0).success());
}

fn wait_for(lines: &Receiver<String>, seen: &mut Vec<String>, wanted: &str) {
    let deadline = Instant::now() + PATIENCE;
    while !seen.iter().any(|line| line.contains(wanted)) {
        let left = deadline.saturating_duration_since(Instant::now());
        match lines.recv_timeout(left) {
            Ok(line) => seen.push(line),
            Err(error) => panic!("{error}: no line has {wanted:?}: {seen:#?}"),
        }
    }
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

fn ended(child: &mut Child) -> std::process::ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match child.try_wait().unwrap() {
            Some(status) => return status,
            None if Instant::now() > deadline => panic!("it does not end"),
            None => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}

/// `naze` in a terminal of 80 columns and 24 lines, with what is typed and what is shown.
struct Terminal {
    script: Program,
    folder: tempfile::TempDir,
    shown: Receiver<Vec<u8>>,
    seen: String,
}

impl Terminal {
    /// `None`, and a word about it, where there is no `script` to make a terminal with.
    fn open(arguments: &str) -> Option<Self> {
        let is_there = Command::new("script").arg("--version").stdout(Stdio::null()).status().is_ok();
        if !is_there {
            eprintln!("SKIPPED: script is not installed; `scripts/setup test` installs it");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        let program = env!("CARGO_BIN_EXE_naze");
        let shell = format!(
            "stty rows 24 cols 80; stty -g > before; \
             (until [ -e resize ]; do [ -e before ] && [ ! -e over ] || exit; sleep 0.02; done; stty rows 12 cols 40 < /dev/tty) & \
             sh -c 'echo $$ > pid; exec {program} {arguments}'; echo $? > code; stty -g > after; touch over"
        );
        let mut child = Command::new("script")
            .args(["-q", "-e", "-c", &shell, "/dev/null"])
            .current_dir(folder.path())
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = child.stdout.take().unwrap();
        let (sender, shown) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 4_096];
            while let Ok(read @ 1..) = out.read(&mut buffer) {
                if sender.send(buffer[..read].to_vec()).is_err() {
                    return;
                }
            }
        });
        Some(Self { script: Program(child), folder, shown, seen: String::new() })
    }

    #[track_caller]
    fn wait_for(&mut self, wanted: &str) {
        while !self.seen.contains(wanted) {
            self.more();
        }
    }

    /// Waits for anything to be shown.
    #[track_caller]
    fn more(&mut self) {
        match self.shown.recv_timeout(PATIENCE) {
            Ok(bytes) => self.seen.push_str(&String::from_utf8_lossy(&bytes)),
            Err(error) => panic!("{error}: this is all that is shown: {:?}", self.seen),
        }
    }

    /// The frame drawn last, once it is whole.
    fn frame(&self) -> Option<&str> {
        let frame = self.seen.rsplit("\u{1b}[H").next()?;
        frame.split_once("\u{1b}[J").map(|(frame, _)| frame)
    }

    fn type_in(&mut self, keys: &str) {
        self.script.0.stdin.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap().trim().to_owned()
    }

    /// The exit code, once the terminal is as it was before.
    #[track_caller]
    fn restored(&mut self) -> String {
        ended(&mut self.script.0);
        while let Ok(bytes) = self.shown.recv_timeout(PATIENCE) {
            self.seen.push_str(&String::from_utf8_lossy(&bytes));
        }
        assert_eq!(self.file("after"), self.file("before"), "the terminal's settings");
        let left = self.seen.rfind("\u{1b}[?1049l").expect("the alternate screen is left");
        assert!(self.seen.rfind("\u{1b}[?25h").expect("the cursor is shown") < left + 16);
        assert!(self.seen.rfind("\u{1b}[?1049h").unwrap() < left);
        self.file("code")
    }
}

/// A line without what colours and clears it.
fn visible(line: &str) -> String {
    let mut parts = line.split("\u{1b}[");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |told, part| {
        told + part.split_once(|c: char| c.is_ascii_alphabetic()).map_or("", |(_, rest)| rest)
    })
}

#[test]
fn in_a_terminal_watch_takes_the_screen_and_gives_it_back_on_q() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = running(folder.path());
    let Some(mut terminal) = Terminal::open(&format!("watch --every 3600 --server {address}")) else { return };
    terminal.wait_for("\u{1b}[?1049h");
    terminal.wait_for("q ends, r asks at once");
    assert!(terminal.seen.contains("\u{1b}[1;31mUNHEALTHY\u{1b}[0m"), "{:?}", terminal.seen);
    // It never blanks the screen: each line is written over.
    assert!(!terminal.seen.contains("\u{1b}[2J"), "{:?}", terminal.seen);
    assert!(terminal.frame().unwrap().matches("\r\n").count() <= 23, "{:?}", terminal.frame());

    post(
        &address,
        &json!([ago(0, "alert", "shop", json!({"name": "Fresh", "status": "firing", "severity": "critical"}))]),
    );
    terminal.type_in("r");
    terminal.wait_for("Fresh");

    std::fs::write(terminal.folder.path().join("resize"), "").unwrap();
    // Of twelve lines all are used, and none is wider than forty.
    while terminal.frame().is_none_or(|frame| frame.matches("\r\n").count() != 11) {
        terminal.more();
    }
    let widest = terminal.frame().unwrap().split("\r\n").map(|line| visible(line).chars().count()).max();
    assert_eq!(widest, Some(40));
    terminal.type_in("q");
    assert_eq!(terminal.restored(), "0");
}

#[test]
fn an_interrupt_gives_the_screen_back_too() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = running(folder.path());
    for how in ["signal", "key"] {
        let Some(mut terminal) = Terminal::open(&format!("watch --every 3600 --server {address}")) else { return };
        terminal.wait_for("q ends, r asks at once");
        if how == "key" {
            terminal.type_in("\u{3}");
        } else {
            assert!(Command::new("kill").args(["-INT", &terminal.file("pid")]).status().unwrap().success());
        }
        assert_eq!(terminal.restored(), "0", "{how}");
    }
}

#[test]
fn a_naze_that_is_away_is_said_and_asked_again() {
    let Some(mut terminal) = Terminal::open("watch --every 1 --server http://127.0.0.1:9") else { return };
    terminal.wait_for("cannot talk to naze");
    terminal.type_in("q");
    assert_eq!(terminal.restored(), "0");
}

#[test]
fn status_is_coloured_on_a_terminal_unless_told_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let (_server, address) = running(folder.path());
    for (before, is_coloured) in [("", true), ("env NO_COLOR=1 ", false), ("env TERM=dumb ", false)] {
        let program = env!("CARGO_BIN_EXE_naze");
        let shell = format!("stty rows 24 cols 80; {before}{program} status --server {address}");
        let ran = Command::new("script")
            .args(["-q", "-e", "-c", &shell, "/dev/null"])
            .env("TERM", "xterm")
            .env_remove("NO_COLOR")
            .stdin(Stdio::null())
            .output();
        let Ok(ran) = ran else { return eprintln!("SKIPPED: script is not installed") };
        let printed = text(&ran.stdout);
        assert!(printed.contains("UNHEALTHY"), "{before}: {printed:?}");
        assert_eq!(printed.contains("\u{1b}[1;31mUNHEALTHY"), is_coloured, "{before}: {printed:?}");
        assert_eq!(printed.contains('\u{1b}'), is_coloured, "{before}: {printed:?}");
    }
}
