//! Documents as Markdown.

use std::fmt::Write as _;

use super::document::{Block, Document, Inline};

const INFALLIBLE: &str = "writing to a String cannot fail";

pub(super) fn render(document: &Document, base_url: &str) -> String {
    let mut out = format!("# {}\n", escape(&document.title));
    for section in &document.sections {
        write!(out, "\n## {}\n", escape(&section.heading)).expect(INFALLIBLE);
        for block in &section.blocks {
            out.push('\n');
            write_block(&mut out, block, base_url);
        }
    }
    out
}

fn write_block(out: &mut String, block: &Block, base_url: &str) {
    match block {
        Block::List(points) if points.is_empty() => out.push_str("None.\n"),
        Block::Table { rows, .. } if rows.is_empty() => out.push_str("None.\n"),
        Block::Paragraph(inlines) => writeln!(out, "{}", started(&inline(inlines, base_url))).expect(INFALLIBLE),
        Block::List(points) => {
            for point in points {
                writeln!(out, "- {}", started(&inline(point, base_url))).expect(INFALLIBLE);
            }
        }
        Block::Table { head, rows } => {
            let head: Vec<String> = head.iter().map(|name| escape(name)).collect();
            writeln!(out, "| {} |\n|{}", head.join(" | "), "---|".repeat(head.len())).expect(INFALLIBLE);
            for row in rows {
                let cells: Vec<String> = row.iter().map(|cell| inline(cell, base_url)).collect();
                writeln!(out, "| {} |", cells.join(" | ")).expect(INFALLIBLE);
            }
        }
        Block::Human { name, text } => {
            writeln!(out, "<!-- human:{name} -->{text}<!-- /human:{name} -->").expect(INFALLIBLE);
        }
    }
}

fn inline(inlines: &[Inline], base_url: &str) -> String {
    let piece = |inline: &Inline| match inline {
        Inline::Text(text) => escape(text),
        Inline::Link { text, href } => {
            format!("[`{}`]({base_url}{})", text.replace(['`', '\n'], ""), href.replace([')', ' ', '\n'], ""))
        }
    };
    inlines.iter().map(piece).collect()
}

/// A line that evidence begins must not become a list, a rule or a heading.
fn started(line: &str) -> String {
    let line = line.trim_start();
    let numbered = line.trim_start_matches(|character: char| character.is_ascii_digit());
    match line.chars().next() {
        Some('-' | '+' | '=') => format!("\\{line}"),
        Some('0'..='9') if numbered.starts_with(['.', ')']) => {
            let digits = line.len() - numbered.len();
            format!("{}\\{numbered}", &line[..digits])
        }
        _ => line.to_owned(),
    }
}

fn ends_with(before: &[char], word: &str) -> bool {
    before.len() >= word.len() && before.iter().rev().zip(word.chars().rev()).all(|(a, b)| a.eq_ignore_ascii_case(&b))
}

/// Evidence text is data: nothing in it becomes markup, and no address in it becomes a link.
fn escape(text: &str) -> String {
    let characters: Vec<char> = text.chars().filter(|character| !super::turns(*character)).collect();
    let at = |place: Option<usize>| place.and_then(|place| characters.get(place)).copied();
    let is_word = |character: Option<char>| character.is_some_and(char::is_alphanumeric);
    let mut out = String::with_capacity(text.len());
    for (place, character) in characters.iter().enumerate() {
        let (before, after) = (at(place.checked_sub(1)), at(Some(place + 1)));
        match character {
            '\\' | '`' | '*' | '[' | ']' | '|' | '#' | '~' | '$' => {
                out.push('\\');
                out.push(*character);
            }
            // Within a word such as `error_ratio` it is no emphasis.
            '_' if !(is_word(before) && is_word(after)) => out.push_str("\\_"),
            ':' if after == Some('/') => out.push_str("\\:"),
            '.' if ends_with(&characters[..place], "www") => out.push_str("\\."),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            other if other.is_control() || other.is_whitespace() => out.push(' '),
            other => out.push(*other),
        }
    }
    out
}
