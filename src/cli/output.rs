//! What commands print: tables for people, the rest as it came.

use std::io::{IsTerminal as _, Write as _};

use comfy_table::{ContentArrangement, Table};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value as Json;

use super::screen::harmless;
use crate::error::{Context as _, Result};
use crate::report::sparkline::Characters;

/// Columns of what is no terminal, and most of one.
const WIDTH_DEFAULT: usize = 80;
const WIDTH_MAX: usize = 240;

/// Prints text as it is, ending in one line break.
pub(super) fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        // `naze … | head` has seen enough.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        result => result.internal("cannot print"),
    }
}

/// Prints rows (objects with the same members) as a table.
pub(super) fn print_rows(columns: &[String], rows: &[Json]) -> Result<()> {
    let mut table = Table::new();
    table.set_header(columns);
    if std::io::stdout().is_terminal() {
        table.set_content_arrangement(ContentArrangement::Dynamic);
    }
    for row in rows {
        table.add_row(columns.iter().map(|column| cell(&row[column])));
    }
    print(&table.to_string())
}

/// How many columns there are.
pub(super) fn width() -> usize {
    let size = rustix::termios::tcgetwinsize(std::io::stdout()).ok();
    size.map(|size| usize::from(size.ws_col)).filter(|columns| *columns > 0).unwrap_or(WIDTH_DEFAULT).min(WIDTH_MAX)
}

/// What to draw with: a terminal shows blocks, a file or a pipe may not.
pub(super) fn characters() -> Characters {
    if std::io::stdout().is_terminal() { Characters::Blocks } else { Characters::Plain }
}

/// Whether colours are wanted: on a terminal, unless `NO_COLOR` is set.
pub(super) fn is_coloured() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

fn cell(value: &Json) -> String {
    match value {
        Json::Null => String::new(),
        // A receipt id is cited by its first digits; --format json has all of them.
        Json::String(text) if text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
            text[..12].to_owned()
        }
        Json::String(text) => text.chars().map(harmless).collect(),
        other => other.to_string(),
    }
}

/// A progress bar on standard error, silent when that is no terminal.
pub(super) fn progress(total: u64, what: &str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} {wide_bar} {human_pos}/{human_len} {per_sec} {eta}");
    ProgressBar::new(total)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        .with_message(what.to_owned())
}
