//! Documents as plain text, for terminals.

use std::fmt::Write as _;

use super::document::{Block, Document, Inline};
use super::one_line;

const INFALLIBLE: &str = "writing to a String cannot fail";
/// Between the columns of a table.
const GAP: &str = "  ";

pub(super) fn render(document: &Document) -> String {
    let mut out = format!("{}\n", one_line(&document.title));
    for section in &document.sections {
        write!(out, "\n{}\n", one_line(&section.heading).to_uppercase()).expect(INFALLIBLE);
        for block in &section.blocks {
            write_block(&mut out, block);
        }
    }
    out
}

fn write_block(out: &mut String, block: &Block) {
    match block {
        Block::List(points) if points.is_empty() => out.push_str("  none\n"),
        Block::Table { rows, .. } if rows.is_empty() => out.push_str("  none\n"),
        Block::Paragraph(inlines) => writeln!(out, "  {}", line(inlines)).expect(INFALLIBLE),
        Block::List(points) => {
            for point in points {
                writeln!(out, "  {}", line(point)).expect(INFALLIBLE);
            }
        }
        Block::Table { head, rows } => {
            let rows: Vec<Vec<String>> = std::iter::once(head.clone())
                .chain(rows.iter().map(|row| row.iter().map(|cell| line(cell)).collect()))
                .collect();
            write_table(out, &rows);
        }
        Block::Human { text, .. } => writeln!(out, "  {}", one_line(text)).expect(INFALLIBLE),
    }
}

/// The last column needs no width.
fn write_table(out: &mut String, rows: &[Vec<String>]) {
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    for row in rows {
        out.push_str(GAP);
        for (column, cell) in row.iter().enumerate() {
            out.push_str(cell);
            if column + 1 < row.len() {
                let missing = width(column).unwrap_or(0) - cell.chars().count();
                out.push_str(&" ".repeat(missing));
                out.push_str(GAP);
            }
        }
        while out.ends_with(' ') {
            out.pop();
        }
        out.push('\n');
    }
}

/// What comes from evidence stays in its line and cannot steer the terminal.
fn line(inlines: &[Inline]) -> String {
    let text: String = inlines
        .iter()
        .map(|inline| match inline {
            Inline::Text(text) | Inline::Link { text, .. } => text.as_str(),
        })
        .collect();
    one_line(&text)
}
