//! Documents as a page that needs nothing else: no scripts, no other files.

use base64::Engine as _;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest as _, Sha256};

use super::document::{Block, Document, Inline};

const STYLE: &str = "body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1a1a1a}\
    table{border-collapse:collapse;width:100%}td,th{border-bottom:1px solid #ddd;padding:.3rem .6rem;text-align:left;vertical-align:top}\
    code{font-size:.9em}blockquote{border-left:3px solid #ccc;margin:0;padding-left:1rem;white-space:pre-wrap}";

/// What a browser may do with a report: show it in its own style, nothing else.
pub(crate) fn policy() -> String {
    let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
    format!(
        "default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
}

pub(super) fn render(document: &Document, base_url: &str) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                title { (document.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (document.title) }
                (sections(document, base_url))
            }
        }
    };
    page.into_string()
}

/// The sections, as a part of a page.
pub(crate) fn sections(document: &Document, base_url: &str) -> Markup {
    html! {
        @for section in &document.sections {
            h2 { (section.heading) }
            @for block in &section.blocks { (self::block(block, &section.heading, base_url)) }
        }
    }
}

fn block(block: &Block, heading: &str, base_url: &str) -> Markup {
    match block {
        Block::List(points) if points.is_empty() => html! { p { "None." } },
        Block::Table { rows, .. } if rows.is_empty() => html! { p { "None." } },
        Block::Paragraph(inlines) => html! { p { (line(inlines, base_url)) } },
        Block::List(points) => html! { ul { @for point in points { li { (line(point, base_url)) } } } },
        Block::Table { head, rows } => html! {
            div.table tabindex="0" role="region" aria-label=(heading) {
                table {
                    thead { tr { @for name in head { th scope="col" { (name) } } } }
                    tbody { @for row in rows { tr { @for cell in row { td { (line(cell, base_url)) } } } } }
                }
            }
        },
        Block::Human { text, .. } => html! { blockquote { (text.trim()) } },
    }
}

fn line(inlines: &[Inline], base_url: &str) -> Markup {
    html! {
        @for inline in inlines {
            @match inline {
                Inline::Text(text) => (text),
                Inline::Link { text, href } => a href=(format!("{base_url}{href}")) { code { (text) } },
            }
        }
    }
}
