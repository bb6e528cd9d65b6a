//! Runbooks: what to do about an alert. One file, one runbook: a pattern that says which alerts it is for, then steps.
//!
//! ```
//! use naze::runbook::Runbook;
//!
//! let runbook = Runbook::read("queue.md", "---
//! title: A queue backs up
//! metrics: [\"*queue_depth\"]
//! updated: 2026-03-01
//! ---
//! 1. Are workers there?
//! 2. Add some.
//! ")?;
//! assert_eq!((runbook.name.as_str(), runbook.steps.len()), ("queue", 2));
//! # Ok::<(), naze::error::Error>(())
//! ```

mod book;
mod matching;

use chrono::{NaiveDate, TimeDelta};
use serde::{Deserialize, Serialize};

pub use self::book::Book;
pub use self::matching::{Matched, Subject, open_alerts};
use crate::clock::Timestamp;
use crate::error::{Context as _, Error, Result};
use crate::receive::yaml;

/// One that was not looked at for longer may be wrong.
const STALE_AFTER: TimeDelta = TimeDelta::days(180);
/// Steps of one runbook.
const STEPS_MAX: usize = 100;
const FENCE: &str = "---";

/// What to do, and when.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Runbook {
    /// Its name: that of its file, without `.md`.
    pub name: String,
    /// In a few words.
    pub title: String,
    /// The file it is from; `naze` for those that naze ships.
    pub file: String,
    /// Which alerts it is for.
    #[serde(flatten)]
    pub pattern: Pattern,
    /// When somebody last looked at it.
    pub updated: NaiveDate,
    /// Its numbered steps.
    pub steps: Vec<String>,
    /// Everything after its pattern, as Markdown.
    #[serde(skip)]
    pub text: String,
}

/// Which alerts and incidents a runbook is for: every list that is not empty has to match. `*` stands for any characters.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Pattern {
    /// Kinds of receipts, such as `alert` or `incident`.
    pub kinds: Vec<String>,
    /// Names of alerts.
    pub alerts: Vec<String>,
    /// Names of metrics.
    pub metrics: Vec<String>,
    /// Names of components.
    pub components: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Front {
    title: String,
    #[serde(default)]
    kinds: Vec<String>,
    #[serde(default)]
    alerts: Vec<String>,
    #[serde(default)]
    metrics: Vec<String>,
    #[serde(default)]
    components: Vec<String>,
    updated: NaiveDate,
}

impl Runbook {
    /// Reads a file: front matter between lines of `---`, then Markdown.
    ///
    /// # Errors
    /// `Invalid` naming file and field.
    pub fn read(file: &str, text: &str) -> Result<Self> {
        let wrong = |what: &str| {
            Error::invalid(format!("{file}: {what}"))
                .hint("begin with ---, title: …, metrics: […], updated: 2026-03-01, --- and then numbered steps")
        };
        let text = text.trim_start_matches('\u{feff}').replace("\r\n", "\n");
        let rest = text.strip_prefix(FENCE).and_then(|rest| rest.strip_prefix('\n'));
        let (front, body) =
            rest.and_then(|rest| rest.split_once("\n---\n")).ok_or_else(|| wrong("has no front matter"))?;
        let read = yaml::documents(front).map_err(|error| wrong(&error.in_a_line()))?;
        let Some(front) = read.into_iter().next() else { return Err(wrong("has an empty front matter")) };
        let front: Front = serde_json::from_value(front).invalid(format!("{file}: front matter"))?;
        let pattern =
            Pattern { kinds: front.kinds, alerts: front.alerts, metrics: front.metrics, components: front.components };
        if pattern == Pattern::default() {
            return Err(wrong("matches nothing: it has neither kinds, alerts, metrics nor components"));
        }
        let steps: Vec<String> = body.lines().filter_map(step).take(STEPS_MAX).collect();
        if steps.is_empty() {
            return Err(wrong("has no steps: lines that begin with 1."));
        }
        let name = file.rsplit('/').next().unwrap_or(file).trim_end_matches(".md").to_owned();
        let text = body.trim().to_owned();
        Ok(Self { name, title: front.title, file: file.to_owned(), pattern, updated: front.updated, steps, text })
    }

    /// Has nobody looked at it for half a year?
    pub fn is_stale(&self, now: Timestamp) -> bool {
        now.utc().date_naive().signed_duration_since(self.updated) > STALE_AFTER
    }
}

/// The words of a numbered line.
fn step(line: &str) -> Option<String> {
    let after = line.trim_start_matches(|character: char| character.is_ascii_digit());
    let words = after.strip_prefix(". ").filter(|_| after.len() < line.len())?;
    Some(words.trim().to_owned())
}
