//! The runbooks that come with naze, as a page: what recommendations point to.

use maud::{Markup, html};

use super::{Place, page};

const TEXT: &str = include_str!("../../docs/runbooks.md");

/// The page.
pub fn render() -> String {
    let (introduction, sections) = TEXT.split_once("\n## ").unwrap_or((TEXT, ""));
    let main = html! {
        h1 { "Runbooks" }
        (blocks(introduction.trim_start_matches("# Runbooks")))
        @for section in sections.split("\n## ").filter(|section| !section.is_empty()) {
            @let (name, text) = section.split_once('\n').unwrap_or((section, ""));
            section aria-labelledby=(name) { h2 id=(name) { (name.replace('-', " ")) } (blocks(text)) }
        }
    };
    page("Runbooks", Place::Recommendations, &main)
}

/// Paragraphs and numbered points: all that the text uses.
fn blocks(text: &str) -> Markup {
    html! {
        @for block in text.split("\n\n").map(str::trim).filter(|block| !block.is_empty()) {
            @if block.starts_with("1. ") { ol { @for point in points(block) { li { (line(&point)) } } } }
            @else { p { (line(block)) } }
        }
    }
}

fn points(block: &str) -> Vec<String> {
    let mut points: Vec<String> = Vec::new();
    for line in block.lines() {
        let (number, rest) = line.split_once(". ").unwrap_or(("", line));
        match points.last_mut() {
            Some(last) if number.parse::<u8>().is_err() => *last = format!("{last} {}", line.trim()),
            _ => points.push(rest.to_owned()),
        }
    }
    points
}

/// Text with `code` in it.
fn line(text: &str) -> Markup {
    html! { @for (place, part) in text.split('`').enumerate() { @if place % 2 == 1 { code { (part) } } @else { (part) } } }
}
