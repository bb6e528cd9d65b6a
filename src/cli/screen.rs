//! Lines for a terminal: bounded in width and number, coloured where colours are wanted.

use std::io::IsTerminal as _;

use unicode_width::UnicodeWidthChar as _;

/// A screen that every terminal has; one line of it is left to the prompt.
pub(super) const WIDTH: usize = 80;
pub(super) const HEIGHT: usize = 23;

/// How a piece of text looks; words beside it say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Plain,
    Strong,
    Soft,
    Good,
    Watch,
    Bad,
}

impl Look {
    /// The look of a colour, a state or a severity by its name.
    pub(super) fn of(name: &str) -> Self {
        match name {
            "green" | "healthy" => Self::Good,
            "yellow" | "orange" | "degraded" | "warning" | "P2" => Self::Watch,
            "red" | "unhealthy" | "critical" | "P1" => Self::Bad,
            "grey" | "unknown" => Self::Soft,
            _ => Self::Plain,
        }
    }

    fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Strong => "\x1b[1m",
            Self::Soft => "\x1b[2m",
            Self::Good => "\x1b[32m",
            Self::Watch => "\x1b[33m",
            Self::Bad => "\x1b[1;31m",
        }
    }
}

/// One line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Line(Vec<(Look, String)>);

impl Line {
    /// A line that begins with this text.
    pub(super) fn of(look: Look, text: &str) -> Self {
        Self::default().and(look, text)
    }

    /// Adds text.
    pub(super) fn and(mut self, look: Look, text: &str) -> Self {
        self.0.push((look, text.chars().map(harmless).collect()));
        self
    }

    /// Adds another line's text.
    pub(super) fn then(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// Adds text, filled up with spaces or cut to `width`, and a space.
    pub(super) fn column(self, look: Look, text: &str, width: usize) -> Self {
        let text: String = text.chars().map(harmless).collect();
        let (cut, used) = cut(&text, width);
        self.and(look, &cut).and(Look::Plain, &" ".repeat(width - used + 1))
    }

    /// The line, at most `width` wide.
    pub(super) fn paint(&self, width: usize, is_coloured: bool) -> String {
        let mut left = width;
        let mut painted = String::new();
        for (look, text) in &self.0 {
            let (text, used) = cut(text, left);
            left -= used;
            if text.is_empty() {
                continue;
            }
            match look.code() {
                code if is_coloured && !code.is_empty() => painted.push_str(&format!("{code}{text}\x1b[0m")),
                _ => painted.push_str(&text),
            }
        }
        painted.truncate(painted.trim_end_matches(' ').len());
        painted
    }
}

/// As much of a text as fits, ending in … where something is left out; and how wide that is.
fn cut(text: &str, width: usize) -> (String, usize) {
    let wide = |c: char| c.width().unwrap_or(0);
    let whole: usize = text.chars().map(wide).sum();
    if whole <= width {
        return (text.to_owned(), whole);
    }
    let (mut kept, mut used) = (String::new(), 0);
    for c in text.chars() {
        if used + wide(c) + 1 > width {
            break;
        }
        kept.push(c);
        used += wide(c);
    }
    if used < width {
        kept.push('…');
        used += 1;
    }
    (kept, used)
}

/// Evidence is text: what would move the cursor, change colours or turn the writing round becomes a space.
pub(super) fn harmless(c: char) -> char {
    let turns = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    if c.is_control() || turns { ' ' } else { c }
}

/// Are colours wanted on standard output?
pub(super) fn is_coloured() -> bool {
    let is_set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    std::io::stdout().is_terminal() && !is_set("NO_COLOR") && !is_dumb
}
