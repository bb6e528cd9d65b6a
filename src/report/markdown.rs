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
        Block::Paragraph(inlines) => writeln!(out, "{}", inline(inlines, base_url)).expect(INFALLIBLE),
        Block::List(points) => {
            for point in points {
                writeln!(out, "- {}", inline(point, base_url)).expect(INFALLIBLE);
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

/// Evidence text is data: nothing in it becomes markup.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\\' | '`' | '*' | '[' | ']' | '|' | '#' | '~' => {
                out.push('\\');
                out.push(character);
            }
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '\n' | '\r' => out.push(' '),
            other => out.push(other),
        }
    }
    out
}
