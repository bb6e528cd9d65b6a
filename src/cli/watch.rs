use std::collections::BTreeMap;
use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::Duration;

use crossterm::cursor::{Hide, Show};
use crossterm::event::{Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size};
use crossterm::{event, execute};
use serde_json::Value as Json;
use tokio::sync::mpsc;

use super::Global;
use super::board::Board;
use super::client::Client;
use super::output::print;
use super::screen::{HEIGHT, Line, Look, WIDTH, is_coloured};
use super::serve::stop_signal;
use super::status::fetch;
use crate::clock::Clock;
use crate::error::{Context as _, Error, Result};

/// How often keys are looked for.
const KEYS_EVERY: Duration = Duration::from_millis(100);
/// Keys that wait to be heard; more are dropped.
const KEYS_MAX: usize = 16;
/// Sets the screen in one go where the terminal can, then its cursor to the upper left.
const BEGIN: &str = "\x1b[?2026h\x1b[H";
/// Clears to the end of the line, of the screen, and shows all of it.
const END_OF_LINE: &str = "\x1b[K";
const END: &str = "\x1b[J\x1b[?2026l";

/// Show the status again and again: q ends, r asks at once; without a terminal a line for each change
#[derive(Debug, clap::Args)]
pub(super) struct Watch {
    /// Seconds from one look to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3_600))]
    every: u64,
}

impl Watch {
    pub(super) async fn run(self, global: &Global) -> Result<ExitCode> {
        let client = global.client()?;
        let every = Duration::from_secs(self.every);
        if std::io::stdout().is_terminal() {
            on_screen(&client, every).await?;
        } else {
            as_lines(&client, every).await?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Holds the terminal, and gives it back however the command ends.
struct Terminal;

impl Terminal {
    fn take() -> Result<Self> {
        enable_raw_mode().internal("cannot take the terminal")?;
        let terminal = Self;
        execute!(std::io::stdout(), EnterAlternateScreen, Hide).internal("cannot take the terminal")?;
        Ok(terminal)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        drop(execute!(std::io::stdout(), Show, LeaveAlternateScreen));
        drop(disable_raw_mode());
    }
}

async fn on_screen(client: &Client, every: Duration) -> Result<()> {
    let _terminal = Terminal::take()?;
    let mut events = events();
    let mut looks = tokio::time::interval(every);
    looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let stop = stop_signal();
    tokio::pin!(stop);
    let mut told: Option<Json> = None;
    let mut problem: Option<Error> = None;
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            _ = looks.tick() => {
                // A look that hangs must not keep the keys from being heard.
                let looked = tokio::select! {
                    looked = fetch(client) => looked,
                    () = &mut stop => return Ok(()),
                    () = until_quit(&mut events) => return Ok(()),
                };
                match looked {
                    Ok(json) => (told, problem) = (Some(json), None),
                    Err(error) => problem = Some(error),
                }
            }
            Some(event) = events.recv() => {
                if is_quit(&event) {
                    return Ok(());
                }
                if is_key(&event, 'r') {
                    looks.reset_immediately();
                }
            }
        }
        draw(told.as_ref(), problem.as_ref())?;
    }
}

/// Keys and changes of size, read by a thread that ends with its listener.
fn events() -> mpsc::Receiver<Event> {
    let (sender, receiver) = mpsc::channel(KEYS_MAX);
    std::thread::spawn(move || {
        while !sender.is_closed() {
            match event::poll(KEYS_EVERY) {
                Ok(false) => {}
                Ok(true) => match event::read() {
                    Ok(event) => drop(sender.try_send(event)),
                    Err(_) => return,
                },
                Err(_) => return,
            }
        }
    });
    receiver
}

async fn until_quit(events: &mut mpsc::Receiver<Event>) {
    while let Some(event) = events.recv().await {
        if is_quit(&event) {
            return;
        }
    }
    std::future::pending::<()>().await;
}

fn is_quit(event: &Event) -> bool {
    let is_interrupt =
        matches!(event, Event::Key(KeyEvent { code: KeyCode::Char('c'), modifiers: KeyModifiers::CONTROL, .. }));
    is_interrupt || is_key(event, 'q')
}

fn is_key(event: &Event, wanted: char) -> bool {
    matches!(event, Event::Key(KeyEvent { code: KeyCode::Char(key), kind: KeyEventKind::Press, modifiers, .. })
        if *key == wanted && modifiers.is_empty())
}

/// Overwrites what is there line by line: nothing is blank in between.
fn draw(told: Option<&Json>, problem: Option<&Error>) -> Result<()> {
    let (width, height) =
        size().map_or((WIDTH, HEIGHT + 1), |(columns, rows)| (usize::from(columns), usize::from(rows)));
    let mut lines = told.map_or_else(Vec::new, |json| Board::of(json).lines(height.saturating_sub(1)));
    let last = match (problem, told) {
        (Some(error), _) => Line::of(Look::Bad, &format!("{}; naze is asked again", error.in_a_line())),
        (None, None) => Line::of(Look::Soft, "asking naze …"),
        (None, Some(_)) => Line::of(Look::Soft, "q ends, r asks at once"),
    };
    lines.truncate(height.saturating_sub(1));
    lines.push(last);
    let is_coloured = is_coloured();
    let painted: Vec<String> = lines.iter().map(|line| line.paint(width, is_coloured) + END_OF_LINE).collect();
    let mut out = std::io::stdout().lock();
    let frame = format!("{BEGIN}{}{END}", painted.join("\r\n"));
    out.write_all(frame.as_bytes()).and_then(|()| out.flush()).internal("cannot draw")
}

/// A line for what holds at first, then one for each change.
async fn as_lines(client: &Client, every: Duration) -> Result<()> {
    let mut looks = tokio::time::interval(every);
    let stop = stop_signal();
    tokio::pin!(stop);
    let mut known: Option<BTreeMap<String, String>> = None;
    let mut is_away = false;
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            _ = looks.tick() => {}
        }
        let looked = tokio::select! {
            () = &mut stop => return Ok(()),
            looked = fetch(client) => looked,
        };
        match looked {
            Ok(json) => {
                let facts = facts(&json);
                let at = json["health"]["at"].as_str().unwrap_or_default();
                for line in changes(known.as_ref(), &facts) {
                    print(&Line::of(Look::Plain, &format!("{at} {line}")).paint(usize::MAX, false))?;
                }
                (known, is_away) = (Some(facts), false);
            }
            Err(error) if known.is_none() => return Err(error),
            Err(error) if !is_away => {
                is_away = true;
                print(&format!("{} naze: {}", Clock::System.now(), error.in_a_line()))?;
            }
            Err(_) => {}
        }
    }
}

/// What can change, by name.
fn facts(dashboard: &Json) -> BTreeMap<String, String> {
    let health = &dashboard["health"];
    let list = |json: &Json| json.as_array().cloned().unwrap_or_default();
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let with_reason = |state: &Json, reason: &Json| match reason.as_str() {
        Some(reason) => format!("{} ({reason})", text(state)),
        None => text(state),
    };
    let mut facts = BTreeMap::from([("status".to_owned(), with_reason(&health["status"], &health["reason"]))]);
    for status in list(&health["principles"]) {
        facts.insert(format!("principle {}", text(&status["principle"])), text(&status["colour"]));
    }
    for check in list(&health["checks"]) {
        facts.insert(format!("check {}", text(&check["name"])), with_reason(&check["state"], &check["reason"]));
    }
    for one in list(&health["components"]) {
        facts.insert(format!("component {}", text(&one["component"])), with_reason(&one["state"], &one["reason"]));
    }
    for alert in list(&dashboard["alerts"]["items"]) {
        facts.insert(format!("alert {} {}", text(&alert["component"]), text(&alert["rule"])), "fires".to_owned());
    }
    for incident in list(&dashboard["incidents"]["items"]) {
        let name = format!("incident {} {}", text(&incident["component"]), text(&incident["reference"]));
        facts.insert(name, text(&incident["status"]));
    }
    facts
}

/// What is otherwise than before; at first only the status, and what is wrong.
fn changes(before: Option<&BTreeMap<String, String>>, now: &BTreeMap<String, String>) -> Vec<String> {
    let Some(before) = before else {
        let is_told = |name: &str| ["status", "alert ", "incident "].iter().any(|start| name.starts_with(start));
        return now.iter().filter(|(name, _)| is_told(name)).map(|(name, value)| format!("{name}: {value}")).collect();
    };
    let changed = now.iter().filter_map(|(name, value)| match before.get(name) {
        Some(old) if old == value => None,
        Some(old) => Some(format!("{name}: {old} -> {value}")),
        None => Some(format!("{name}: {value}")),
    });
    let over = before.keys().filter(|name| !now.contains_key(*name)).map(|name| format!("{name}: over"));
    changed.chain(over).collect()
}
